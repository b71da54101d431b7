"""Pictures are made twice as large by a network: sharper than a filter, the same tile by tile."""

import hashlib
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from PIL import Image, ImageDraw

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.errors import Cancelled, GenerationFailed, InvalidInput
from pipeline.domain.geometry import Box, Size
from pipeline.domain.inputs import Enlarging, PanelInputs
from pipeline.domain.panel import Candidate, CastRole, PanelBrief, PlacedFigure
from pipeline.domain.quality import Accept, CandidateReport, CharacterCheck, Verdict
from pipeline.generation import enlarging
from pipeline.generation.generators.base import unheard
from pipeline.imaging.decode import load_canonical, to_png
from pipeline.imaging.enlarge import FACTOR, MODEL, MODEL_SHA256, enlarged
from pipeline.training.ncnn import main, read_ncnn, to_onnx


def drawing(side: int = 240) -> Image.Image:
    """Outlines, flat colours and lettering-like strokes, drawn large and made smaller."""
    image = Image.new("RGB", (4 * side, 4 * side), "lightblue")
    draw = ImageDraw.Draw(image)
    draw.ellipse((side, side // 2, 3 * side, 3 * side), "peachpuff", "black", 12)
    for n in range(12):
        x = side // 2 + n * side // 4
        draw.line((x, 3 * side, x + 90, 4 * side - 60), "black", 10)
    return image.resize((side, side), Image.Resampling.BOX)


def off(one: Image.Image, other: Image.Image) -> float:
    """Root mean square difference of grey levels."""
    return float(np.sqrt(np.square(np.asarray(one, float) - np.asarray(other, float)).mean()))


def test_it_is_nearer_to_the_large_original_than_the_best_filter():
    original = drawing()
    small = original.resize((120, 120), Image.Resampling.BOX)
    made = enlarged(small)
    assert made.size == original.size
    filtered = small.resize(original.size, Image.Resampling.LANCZOS)
    assert off(made, original) < 0.6 * off(filtered, original)


def test_tiles_have_no_seams():
    """A picture of several tiles equals the network's answer for the whole of it."""
    image = drawing(400)
    pixels = np.pad(np.asarray(image, np.float32) / 255, ((7, 7), (7, 7), (0, 0)), "edge")
    network = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])
    whole = network.run(None, {"input": pixels.transpose(2, 0, 1)[None]})[0][0]
    expected = (whole.clip(0, 1) * 255).round().transpose(1, 2, 0)
    assert np.abs(np.asarray(enlarged(image), float) - expected).max() <= 1


def test_it_tells_how_far_it_is_and_stops_between_tiles():
    told: list[float] = []
    enlarged(drawing(400), told.append)
    assert told == sorted(told)
    assert (len(told), told[-1]) == (9, 1.0)
    with pytest.raises(Cancelled):
        enlarged(drawing(400), cancelled=lambda: len(told) > 0)
    with pytest.raises(ValueError, match="up to"):
        enlarged(Image.new("RGB", (3000, 10)))


def _wish(png: bytes, size: Size) -> tuple[PanelInputs, Enlarging]:
    figure = PlacedFigure(
        "ch_a", Box(10, 20, 60, 90), Box(20, 20, 40, 45), hands=(Box(1, 2, 3, 4),)
    )
    checks = (CharacterCheck("ch_a", "a_1", Verdict.ON_MODEL, "near", 0.9, 0.7),)
    report = CandidateReport(Verdict.ON_MODEL, checks, margin=0.2)
    brief = PanelBrief("They run.", (CastRole("ch_a", "a_1"),), ShotType.HALF)
    base = ConditioningPlan(
        "draft", "1", "They run.", "", (), ShotType.HALF, ColorMode.COLOR, size, 7, 3
    )
    sha256 = hashlib.sha256(png).hexdigest()
    inputs = PanelInputs(2, brief, (), base=base)
    return inputs, Enlarging(Candidate(png, size, (figure,)), sha256, report)


def test_an_accepted_picture_keeps_its_verdict_and_its_figures_grow():
    png = to_png(drawing(100))
    inputs, wish = _wish(png, Size(100, 100))
    outcome = enlarging.enlarge_panel(inputs, wish, progress=unheard, cancelled=lambda: False)
    assert outcome.decision == Accept(((0, 0),))
    (attempt,) = outcome.attempts
    (judged,) = attempt.candidates
    assert judged.candidate.size == (200, 200)
    assert load_canonical(judged.candidate.image).size == (200, 200)
    (figure,) = judged.candidate.figures
    assert (figure.box, figure.head) == (Box(20, 40, 120, 180), Box(40, 40, 80, 90))
    assert (judged.report.verdict, judged.report.margin) == (Verdict.ON_MODEL, 0.2)
    assert judged.report.checks == (), "it is not measured twice"
    assert attempt.plan is not None
    assert attempt.plan.enlarge is not None
    assert attempt.plan.pictures == {wish.sha256}
    assert ConditioningPlan.from_json(attempt.plan.to_json()) == attempt.plan


def test_another_picture_is_refused(monkeypatch):
    inputs, wish = _wish(to_png(drawing(100)), Size(100, 100))
    monkeypatch.setattr(
        enlarging, "enlarged", lambda image, *_: Image.new("RGB", (2 * image.width,) * 2, "red")
    )
    with pytest.raises(GenerationFailed, match="another one"):
        enlarging.enlarge_panel(inputs, wish, progress=unheard, cancelled=lambda: False)


# --- the conversion -------------------------------------------------------------------------------

PARAM = """7767517
3 3
Input            input  0 1 data 0=8 1=8 2=2
Convolution      a      1 1 data x 0=3 1=3 5=1 6=54 9=2 -23310=1,0.1
Deconvolution    b      1 1 x y 0=1 1=4 3=2 4=3 5=1 6=48
"""


def _stored(folder: Path, halves: bool = True) -> tuple[Path, list[np.ndarray]]:
    random = np.random.default_rng(5)
    parts, data = [], b""
    for count, out in ((54, 3), (48, 1)):
        kernel = random.standard_normal(count).astype("<f2" if halves else "<f4")
        bias = random.standard_normal(out).astype("<f4")
        tag = np.uint32(0x01306B47 if halves else 0).tobytes()
        data += tag + kernel.tobytes() + b"\0" * (-kernel.nbytes % 4) + bias.tobytes()
        parts += [kernel.astype(np.float64), bias.astype(np.float64)]
    (folder / "m.bin").write_bytes(data)
    (folder / "m.param").write_text(PARAM, encoding="ascii")
    return folder / "m.param", parts


def _by_hand(x: np.ndarray, parts: list[np.ndarray]) -> np.ndarray:
    """The two layers in plain loops."""
    k1, b1, k2, b2 = parts
    k1, k2 = k1.reshape(3, 2, 3, 3), k2.reshape(1, 3, 4, 4)
    h, w = x.shape[1] - 2, x.shape[2] - 2
    y = np.zeros((3, h, w))
    for o in range(3):
        for i in range(2):
            for dy in range(3):
                for dx in range(3):
                    y[o] += k1[o, i, dy, dx] * x[i, dy : dy + h, dx : dx + w]
        y[o] += b1[o]
    y = np.where(y < 0, 0.1 * y, y)
    z = np.zeros((2 * h + 2, 2 * w + 2))
    for i in range(3):
        for dy in range(4):
            for dx in range(4):
                z[dy : dy + 2 * h : 2, dx : dx + 2 * w : 2] += k2[0, i, dy, dx] * y[i]
    return (z + b2[0])[3:-3, 3:-3]


@pytest.mark.parametrize("halves", [True, False])
def test_a_network_of_ncnn_computes_the_same_as_onnx(tmp_path: Path, halves: bool):
    param, parts = _stored(tmp_path, halves)
    assert main([str(param), str(tmp_path / "m.onnx")]) == 0
    session = onnxruntime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    x = np.random.default_rng(1).standard_normal((2, 9, 8)).astype(np.float32)
    said = session.run(None, {"input": x[None]})[0][0, 0]
    assert np.allclose(said, _by_hand(x.astype(float), parts), atol=1e-3)


@pytest.mark.parametrize(
    "damage",
    [
        lambda p: p.write_text("1\n" + PARAM),
        lambda p: p.write_text(PARAM.replace("Convolution ", "Pooling ")),
        lambda p: p.write_text(PARAM.replace("9=2", "9=5")),
        lambda p: p.with_suffix(".bin").write_bytes(p.with_suffix(".bin").read_bytes()[:-4]),
        lambda p: p.with_suffix(".bin").write_bytes(p.with_suffix(".bin").read_bytes() + b"more"),
    ],
)
def test_what_is_no_such_network_is_refused(tmp_path: Path, damage):
    param, _ = _stored(tmp_path)
    damage(param)
    with pytest.raises(InvalidInput):
        to_onnx(read_ncnn(param))
    assert main([str(param), str(tmp_path / "m.onnx")]) == 2
    assert main([]) == 2


def test_the_shipped_file_is_the_one_that_the_card_names():
    assert hashlib.sha256(MODEL.read_bytes()).hexdigest() == MODEL_SHA256
    assert FACTOR == 2
