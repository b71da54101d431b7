"""The measurement behind the composite's constants: right on cases with a known answer."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bot.bench.album import make_albums
from bot.bench.exam import Exam
from bot.bench.scales import by_look, merit, shares_in_tenths
from bot.cli import main
from pipeline.fingerprints.registry import load_encoders
from pipeline.training.catalog import Drawing, read_catalog

HAIR = {"ada": "black", "bo": "gold", "cy": "green"}


@pytest.fixture(scope="module")
def art(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three people in two outfits, six pictures each."""
    folder = tmp_path_factory.mktemp("art")
    rows = ["path,source,identity,variant,outfit,role,split"]
    for name, hair in HAIR.items():
        for number in range(6):
            shirt = "navy" if number < 5 else "white"
            path = Path("ink") / name / f"{number}.png"
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            figure(hair, shirt, 4 * number).save(folder / path)
            rows.append(f"{path},ink,ink/{name},{number},{shirt},{'ref' if number < 3 else ''},val")
    (folder / "manifest.csv").write_text("\n".join(rows) + "\n")
    return folder


def figure(hair: str, shirt: str, mood: int) -> Image.Image:
    image = Image.new("RGBA", (200, 300), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((50 - mood, 110, 150, 300), 20, fill=shirt)
    draw.ellipse((60, 30, 140, 130), fill="peachpuff", outline="black", width=3)
    draw.pieslice((55, 20, 145, 120), 180, 360, fill=hair)
    draw.arc((80, 80 + mood, 120, 105 + mood), 10, 170, fill="black", width=3)
    return image


def test_the_shares_are_all_ways_to_share_out_ten_tenths() -> None:
    two, three = list(shares_in_tenths(2)), list(shares_in_tenths(3))
    assert two[0] == (0.1, 0.9)
    assert len(two) == 9
    assert len(three) == 36
    assert all(sum(shares) == pytest.approx(1) and min(shares) > 0 for shares in [*two, *three])


def test_the_encoder_that_knows_earns_more_than_the_one_that_guesses() -> None:
    drawings = tuple(Drawing(Path("x.png"), "ink", f"ink/{k // 5}", str(k % 5)) for k in range(20))
    owners = np.arange(20) // 5
    knows = np.equal.outer(owners, owners).astype(float)
    noise = np.random.default_rng(1).normal(0, 0.5, (20, 20))
    tables = [(Exam("ink", drawings, {}), np.stack([knows, (noise + noise.T) / 2]))]
    values = [merit(tables, (share, 1 - share)).value for share in (0.1, 0.5, 0.9)]
    assert values == sorted(values)
    assert values[-1] == pytest.approx(1.0)


def test_a_look_is_a_person_in_an_outfit(art: Path) -> None:
    (album,) = make_albums(read_catalog(art), load_encoders(["palette"]), 0)
    assert len(album.identities) == 3
    looks = by_look(album)
    assert set(looks.identities) == {f"ink/{n} {s}" for n in HAIR for s in ("navy", "white")}
    assert len(looks.of("ink/ada navy")) == 5
    assert [page.drawing.role for page in album.of("ink/bo")][:3] == ["ref"] * 3


def test_the_command_names_shares_and_spreads(
    art: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "figures.json"
    command = ["bench", "scales", "--data", str(art), "--encoders", "palette,structure"]
    assert main([*command, "--json", str(out)]) == 0
    found = {figure["name"]: figure for figure in json.loads(out.read_text())["figures"]}
    shares = [found[f"scales.head.color.{name}"] for name in ("palette", "structure")]
    assert sum(share["value"] for share in shares) == pytest.approx(1)
    assert all(low <= high for low, high in (share["interval"] for share in shares))
    assert found["scales.head.color.spread"]["n"] == 3
    assert 0 < found["scales.head.color.spread"]["value"] < 1
    assert "palette 0.65 structure 0.35" in found["scales.head.color.spread"]["peer"]
    assert "scales.half.grayscale.merit" in found
    assert "scales.head.color.palette" in capsys.readouterr().out


def test_without_two_identities_nothing_is_measured(
    art: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "scales", "--data", str(art), "--split", "test"]) == 2
    assert "no source with two identities" in capsys.readouterr().err
