"""The identity benchmark: figures that are right on cases with a known answer."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bot.bench import openset
from bot.bench.exam import CONDITIONS, compared, make_exams
from bot.bench.rivals import HashRival, HistogramRival, Team
from bot.bench.scores import Pairs, draws, gain, mean_score, score_all
from bot.cli import main
from pipeline.domain.character import ColorMode
from pipeline.domain.errors import InvalidInput
from pipeline.domain.fingerprint import CropClass
from pipeline.fingerprints.scales import Place
from pipeline.training.catalog import read_catalog

HAIR = {"ada": "black", "adb": "crimson", "bo": "gold", "cy": "green"}


def portrait(hair: str, shirt: str, mood: int) -> Image.Image:
    image = Image.new("RGBA", (200, 220), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((40, 140, 160, 220), 30, fill=shirt)
    draw.ellipse((60, 30, 140, 150), fill="peachpuff", outline="black", width=3)
    draw.pieslice((55, 20, 145, 120), 180, 360, fill=hair)
    draw.arc((80, 95 + mood, 120, 125 + mood), 10, 170, fill="black", width=3)
    return image


@pytest.fixture
def art(tmp_path: Path) -> Path:
    """Four people of one hand, ada and adb look alike but for the hair; six pictures of each."""
    rows = ["path,source,identity,variant,outfit,lookalike_of,role,split"]
    for name, hair in HAIR.items():
        for number in range(6):
            shirt = ("navy", "navy", "navy", "white", "brown", "brown")[number]
            path = Path("ink") / name / f"{number}.png"
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            portrait(hair, shirt, number).save(tmp_path / path)
            twin = "ink/ada" if name == "adb" else ""
            role = "ref" if number < 3 else "query"
            rows.append(f"{path},ink,ink/{name},{number},{shirt},{twin},{role},test")
    (tmp_path / "manifest.csv").write_text("\n".join(rows) + "\n")
    return tmp_path


def simple_pairs(similarity: np.ndarray, owners: list[int], references: list[int]) -> Pairs:
    who = np.array(owners)
    same = who[:, None] == who[None, :]
    known = np.isin(np.arange(len(who)), references)
    apart = ~np.eye(len(who), dtype=bool)
    return Pairs(similarity, who, same & apart, ~same, known, ~known, np.ones_like(same))


def test_separated_pairs_score_full_and_reversed_ones_nothing() -> None:
    owners = [0, 0, 1, 1]
    same = np.equal.outer(owners, owners).astype(float)
    drawn = draws(2, 20, 1)
    right = score_all(simple_pairs(same, owners, [0, 2]), drawn)
    wrong = score_all(simple_pairs(-same, owners, [0, 2]), drawn)
    assert right["auc"].value == pytest.approx(1.0)
    assert (right["tar01"].value, right["top1"].value) == (1.0, 1.0)
    assert right["eer"].value == pytest.approx(0.0)
    assert wrong["auc"].value == pytest.approx(0.0)
    assert (wrong["tar01"].value, wrong["top1"].value) == (0.0, 0.0)


def test_the_area_is_that_of_counting_pairs_one_by_one() -> None:
    rng = np.random.default_rng(3)
    owners = [k // 5 for k in range(30)]
    similarity = rng.normal(size=(30, 30)) + 0.8 * np.equal.outer(owners, owners)
    pairs = simple_pairs(similarity, owners, [k for k in range(30) if k % 5 < 3])
    genuine, impostor = similarity[pairs.genuine], similarity[pairs.impostor]
    counted = (genuine[:, None] > impostor[None, :]).mean()
    score = score_all(pairs, draws(6, 50, 2))["auc"]
    assert score.value == pytest.approx(counted, abs=0.002)
    low, high = score.interval
    assert low < score.value < high
    accepted = (genuine > np.quantile(impostor, 0.99)).mean()
    assert score_all(pairs, draws(6, 1, 2))["tar01"].value == pytest.approx(accepted, abs=0.05)


def test_a_lead_is_taken_in_the_same_resamples() -> None:
    rng = np.random.default_rng(4)
    owners = [k // 4 for k in range(24)]
    similarity = rng.normal(size=(24, 24)) + np.equal.outer(owners, owners)
    drawn = draws(6, 50, 2)
    score = score_all(simple_pairs(similarity, owners, [0, 4, 8, 12, 16, 20]), drawn)["auc"]
    assert gain(score, score).interval == (0.0, 0.0)
    assert mean_score([score, score]).value == pytest.approx(score.value)


def test_conditions_compare_what_they_say(art: Path) -> None:
    (exam,) = make_exams(read_catalog(art), CropClass.HEAD, 0, 1)
    flat = np.zeros((20, 20))
    names = [one.identity for one in exam.drawings]
    kin = compared(exam, "lookalike", flat)
    assert {(names[a], names[b]) for a, b in np.argwhere(kin.impostor)} == {
        ("ink/ada", "ink/adb"),
        ("ink/adb", "ink/ada"),
    }
    assert {names[k] for k in np.flatnonzero(kin.asked)} == {"ink/ada", "ink/adb"}
    worn = compared(exam, "outfit", flat)
    outfits = [one.outfit for one in exam.drawings]
    assert all(outfits[a] != outfits[b] for a, b in np.argwhere(worn.genuine))
    assert {outfits[k] for k in np.flatnonzero(worn.asked)} == {"white", "brown"}
    assert compared(exam, "color", flat).references.sum() == 12
    assert not np.array_equal(exam.crops["busy"][0].image, exam.crops["color"][0].image)
    assert exam.crops["busy"][0].mask.all()


def test_hashes_and_histograms_are_encoders(art: Path) -> None:
    (exam,) = make_exams(read_catalog(art), CropClass.HEAD, 2, 1)
    crops = exam.crops["color"]
    for rival in (HashRival(), HistogramRival()):
        vectors = [one.vector for one in rival.encode(crops, ColorMode.COLOR)]
        assert all(v.shape == (rival.dimensions,) for v in vectors)
        assert float(vectors[0] @ vectors[0]) == pytest.approx(1.0, abs=1e-4)


def test_strangers_and_known_ones_are_counted() -> None:
    no = -np.inf
    found = openset.scores([
        np.array([[0.1, no, no], [no, no, no]]),  # found, nobody
        np.array([[0.2, 0.1, no], [no, 0.3, no]]),  # taken for the first, found
        np.array([[no, 0.1, 0.2]]),  # found; without itself taken for the second
    ])  # fmt: skip
    values = {metric: score.value for metric, score in found.items()}
    assert values == pytest.approx({
        "stranger_accepted": 2 / 5,
        "known_rejected": 1 / 5,
        "known_mistaken": 1 / 5,
        "other_passed": 2 / 10,
    })  # fmt: skip
    low, high = found["known_rejected"].interval
    assert low <= 1 / 5 <= high


def test_sums_of_encoders_are_read() -> None:
    place = Place(CropClass.HEAD, ColorMode.COLOR)
    assert Team.parse("palette*0.5+lab").weights(place) == {"palette": 0.5, "lab": 1.0}
    known = Team.parse("palette+structure").weights(place)
    assert known == pytest.approx({"palette": 0.65, "structure": 0.35})
    own = Team.parse("palette+structure@/my/own.onnx").weights(place)
    assert own == pytest.approx({"palette": 0.65, "structure@/my/own.onnx": 0.35})
    for text in ("palette*much", "palette*0", "+palette"):
        with pytest.raises(InvalidInput):
            Team.parse(text)


def test_the_command_writes_named_figures(
    art: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "figures.json"
    command = ["bench", "identity", "--data", str(art), "--encoder", "palette"]
    assert main([*command, "--rivals", "phash,lab", "--json", str(out)]) == 0
    written = json.loads(out.read_text())
    figures = {figure["name"]: figure for figure in written["figures"]}
    for condition in CONDITIONS:
        assert figures[f"identity.auc.{condition}.ink"]["interval"] is not None
    assert figures["identity.top1.color.ink"]["value"] == 1.0
    assert "phash" in figures["identity.auc.color.all"]["peer"]
    assert "identity.lead.phash.auc.color.all" in figures
    assert figures["identity.eer.color.all"]["better"] == "lower"
    for metric in openset.METRICS:
        one = figures[f"identity.{metric}.grey.ink"]
        assert one["better"] == "lower"
        assert 0 <= one["value"] <= 1
    assert figures["identity.known_rejected.color.ink"]["n"] == 4
    assert "phash" in figures["identity.stranger_accepted.color.all"]["peer"]
    assert "identity.auc.color.ink" in capsys.readouterr().out


def test_nothing_to_compare_is_said(
    art: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["bench", "identity", "--data", str(art), "--split", "val"]) == 2
    assert "no source with two identities" in capsys.readouterr().err
    assert main(["bench", "identity", "--data", str(tmp_path / "gone")]) == 2
