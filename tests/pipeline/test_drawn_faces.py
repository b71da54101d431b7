"""The optional detector of drawn faces: what it sees, and that its death is nobody else's."""

import importlib.util
from pathlib import Path

import pytest
from PIL import Image

from bot.app import open_app
from bot.settings import Settings
from pipeline.domain.errors import SettingsError
from pipeline.imaging import drawn_faces as room
from pipeline.imaging.drawn_faces import LIKELY, drawn_faces, require_drawn_faces
from pipeline.imaging.masks import find_figure
from pipeline.registry.suggest import face_components

ART = Path(__file__).parents[2] / "examples" / "cast" / "mira" / "everyday"

installed = pytest.mark.skipif(
    importlib.util.find_spec("animeface") is None,
    reason="animeface is not installed: pip install 'onmodel[faces]'",
)


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    return Image.open(ART / "15-headshot-shouting.webp").convert("RGBA")


@installed
def test_a_face_and_its_colours_are_seen_in_a_drawn_portrait(portrait: Image.Image) -> None:
    face, *_ = drawn_faces(portrait)
    assert face.likelihood > LIKELY
    assert 0 <= face.box.x0 < face.box.x1 <= portrait.width
    assert 0 <= face.box.y0 < face.box.y1 <= portrait.height
    assert all(color.startswith("#") and len(color) == 7 for color in (face.hair, *face.eyes))
    red, _, blue = bytes.fromhex(face.skin[1:])
    assert red > 180 > 0 < blue < red
    figure = find_figure(portrait)
    assert figure is not None
    assert {"hair_color", "skin"} <= set(face_components(portrait, figure))


@installed
def test_nothing_is_seen_where_there_is_nothing() -> None:
    assert drawn_faces(Image.new("RGBA", (300, 200), (0, 0, 0, 0))) == ()


@pytest.mark.parametrize(
    "child",
    [
        "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)",
        "raise RuntimeError('broken')",
        "import time; time.sleep(60)",
    ],
    ids=["crash", "error", "hang"],
)
def test_a_crash_an_error_and_a_hang_are_no_faces(
    portrait: Image.Image, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, child: str
) -> None:
    script = tmp_path / "child.py"
    script.write_text(child)
    monkeypatch.setattr(room, "_CHILD", script)
    monkeypatch.setattr(room, "_SECONDS", 1.0 if "sleep" in child else 30.0)
    assert drawn_faces(portrait) == ()
    figure = find_figure(portrait)
    assert figure is not None
    assert face_components(portrait, figure) == {}


async def test_without_the_package_the_studio_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(room, "find_spec", lambda _: None)
    with pytest.raises(SettingsError, match="pip install"):
        require_drawn_faces()
    settings = Settings(data_dir=tmp_path, drawn_faces=True, _env_file=None)  # pyright: ignore[reportCallIssue] - pydantic-settings' own parameter
    with pytest.raises(SettingsError, match="ONMODEL_DRAWN_FACES"):
        async with open_app(settings):
            pass
