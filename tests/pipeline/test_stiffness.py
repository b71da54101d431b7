"""Copies are told from other drawings; and the first guess at what drifted."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from pipeline.domain.character import ColorMode, ReferenceKind, ShotType
from pipeline.domain.conditioning import CastConditioning, ConditioningPlan, ReferenceUse
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey, Fingerprint
from pipeline.domain.geometry import Box, Size
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.domain.panel import Candidate, PlacedFigure
from pipeline.domain.quality import CandidateReport, CharacterCheck, Verdict
from pipeline.imaging.decode import load_canonical, to_png
from pipeline.quality.hints import mode_hint, usual_segments, worst_check
from pipeline.quality.stiffness import STIFF, copy_score

CAST = Path(__file__).parents[2] / "examples" / "cast"


def art(name: str) -> bytes:
    return to_png(Image.open(CAST / name).convert("RGBA"))


MIRA, OTHER = art("mira/everyday/01-full-neutral.webp"), art("oskar/everyday/01-full-neutral.webp")
POSED = art("mira/everyday/09-dynamic-laughing.webp")
PLAN = ConditioningPlan(
    "engine", "1", "p", "",
    (CastConditioning("ch_mira", "m", "Mira", (ReferenceUse("ref", 1, 0.6, "canon"),)),),
    ShotType.FULL, ColorMode.COLOR, Size(8, 8), 1, 1,
)  # fmt: skip


def in_a_scene(png: bytes, *, mirrored=False, scale=0.7, marked=True) -> Candidate:
    """A figure pasted into a striped scene, with its mask."""
    figure = load_canonical(png)
    figure = ImageOps.mirror(figure) if mirrored else figure
    figure = figure.resize((round(figure.width * scale), round(figure.height * scale)))
    scene = Image.new("RGB", (figure.width + 120, figure.height + 60), "#5f8fb0")
    scene.paste("#d0a040", (0, scene.height // 2, scene.width, scene.height))
    scene.paste(figure.convert("RGB"), (70, 30), figure.getchannel("A"))
    mask = Image.new("L", scene.size, 0)
    mask.paste(figure.getchannel("A").point(lambda a: 255 if a > 127 else 0), (70, 30))
    box = Box(*mask.getbbox())
    placed = (PlacedFigure("ch_mira", box, None, to_png(mask.convert("RGB"))),) if marked else ()
    return Candidate(to_png(scene), Size(*scene.size), placed)


@pytest.mark.parametrize("mirrored", [False, True])
def test_a_pasted_reference_is_a_copy_wherever_it_stands(mirrored):
    score = copy_score(in_a_scene(MIRA, mirrored=mirrored), PLAN, {"ref": MIRA})
    assert score is not None
    assert score >= STIFF


@pytest.mark.parametrize("drawn", [POSED, OTHER])
def test_another_pose_or_another_person_is_no_copy(drawn):
    score = copy_score(in_a_scene(drawn), PLAN, {"ref": MIRA})
    assert score is not None
    assert score < STIFF


def test_without_a_marked_figure_nothing_is_known():
    assert copy_score(in_a_scene(MIRA, marked=False), PLAN, {"ref": MIRA}) is None
    assert copy_score(in_a_scene(MIRA), replace(PLAN, cast=()), {}) is None


# --- the first guess at what drifted ---------------------------------------------------------

KEYS = {name: EncoderKey(name, "1", "0" * 8) for name in ("palette", "structure")}


def vector(angle: float) -> np.ndarray:
    return np.array([np.cos(angle), np.sin(angle), 0, 0], np.float32)


def reference(number: int, spread: dict[str, float]) -> ReferenceInput:
    prints = tuple(
        Fingerprint(CropClass.HEAD, ColorMode.COLOR, Embedding(vector(s * number), KEYS[name]))
        for name, s in spread.items()
    )
    return ReferenceInput(
        number, f"{number:x}", b"", ReferenceKind.POSE, ShotType.HALF, "", "", True, prints
    )


LOOK = CastInput(
    "ch_a", "a_x", "A", "x", 1.0, {"hair_color": "navy", "hair_style": "long"}, (),
    tuple(reference(n, {"palette": 0.1, "structure": 0.8}) for n in range(3)),
)  # fmt: skip


def check(palette: float, structure: float, similarity=0.4, who="ch_a"):
    return CharacterCheck(
        who, "a_x", Verdict.OFF_MODEL, "r", similarity, 0.5, CropClass.HEAD,
        segments={"palette": palette, "structure": structure},
    )  # fmt: skip


def test_what_is_usual_is_measured_on_the_references_themselves():
    usual = usual_segments(LOOK, CropClass.HEAD, ColorMode.COLOR)
    assert usual["palette"] == pytest.approx(np.cos(0.1), abs=1e-4)
    assert usual["structure"] == pytest.approx(np.cos(0.8), abs=1e-4)


def test_the_segment_that_fell_furthest_names_the_mode():
    # lines are never as alike as colours are: the raw numbers would always blame the lines
    assert mode_hint(check(0.75, 0.66), LOOK, ColorMode.COLOR) == "hair_color"
    assert mode_hint(check(0.99, 0.30), LOOK, ColorMode.COLOR) == "hair_length"
    assert mode_hint(replace(check(0.5, 0.5), segments={}), LOOK, ColorMode.COLOR) == ""


def test_the_worst_failed_check_is_looked_at():
    fine = replace(check(1, 1, 0.9), verdict=Verdict.ON_MODEL)
    worse = check(1, 1, 0.1, "ch_b")
    assert worst_check(CandidateReport(Verdict.OFF_MODEL, (check(1, 1), worse, fine))) is worse
    assert worst_check(CandidateReport(Verdict.ON_MODEL, (fine,))) is None
