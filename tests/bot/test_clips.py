"""``onmodel check-video``: a clip made elsewhere, judged against the registry."""

import io
import json
from pathlib import Path

import pytest
from PIL import Image

from bot.app import open_app
from bot.cli import main
from bot.demo.material import load_material
from bot.services.actor import Actor
from bot.services.cast import NewCharacter
from bot.settings import Settings

av = pytest.importorskip("av")


def clip(path: Path, art: list[bytes], fps: int = 4) -> Path:
    """Each picture for a second, on a plain ground."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = 480, 640, "yuv420p"
        for data in art:
            ground = Image.new("RGBA", (480, 640), "white")
            figure = Image.open(io.BytesIO(data)).convert("RGBA")
            figure.thumbnail((440, 600))
            ground.alpha_composite(figure, ((480 - figure.width) // 2, 640 - figure.height))
            for _ in range(fps):
                frame = av.VideoFrame.from_image(ground.convert("RGB"))
                container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return path


@pytest.fixture
async def studio(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ONMODEL_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.chdir(tmp_path)
    async with open_app(Settings(_env_file=None)) as app:  # pyright: ignore[reportCallIssue]
        actor = Actor(1, 1, is_moderator=True, can_manage=True)
        await app.series.create(actor, name="Clips")
        mira = load_material().characters[0]
        look = mira.appearances[0]
        new = NewCharacter(name=mira.name, appearance=look.appearance_id)
        await app.cast.register(actor, new, look.references[:10])
    return tmp_path


async def test_a_clip_is_judged_by_its_frames(studio: Path, capsys: pytest.CaptureFixture[str]):
    mira, oskar = load_material().characters[:2]
    own = [upload.data for upload in mira.appearances[0].held_out[:3]]
    other = [upload.data for upload in oskar.appearances[0].held_out[:3]]
    said = await _check(clip(studio / "own.mp4", own), capsys)
    assert said["code"] == 0, said
    assert len(said["frames"]) == 12
    said = await _check(clip(studio / "other.mp4", other), capsys)
    assert said["code"] == 3, said
    assert said["worst"] is not None


async def test_what_is_no_clip_is_refused(studio: Path, capsys: pytest.CaptureFixture[str]):
    (studio / "text.mp4").write_text("hello")
    assert (await _check(studio / "text.mp4", capsys, data=False))["code"] == 2
    assert "no clip that can be read" in capsys.readouterr().err
    assert (await _check(studio / "none.mp4", capsys, data=False))["code"] == 2


async def _check(path: Path, capsys: pytest.CaptureFixture[str], data: bool = True) -> dict:
    import asyncio

    arguments = ["check-video", str(path), "--character", "ch_mira", "--guild", "1", "--json"]
    code = await asyncio.to_thread(main, arguments)
    found = json.loads(capsys.readouterr().out) if data else {}
    return {**found, "code": code}
