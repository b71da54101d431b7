"""The evidence card holds what a moderator needs, and holds it for every kind of verdict."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.domain.character import ReferenceKind, ShotType
from pipeline.domain.fingerprint import CropClass, PictureHashes
from pipeline.domain.geometry import Box, Size
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.domain.panel import Candidate, PlacedFigure
from pipeline.domain.quality import (
    CandidateReport,
    CharacterCheck,
    Flag,
    JudgedCandidate,
    Verdict,
)
from pipeline.imaging.decode import load_canonical, to_png
from pipeline.quality.evidence import WIDTH, evidence_card
from pipeline.quality.signs import COLORS, sign

RED, BLUE = (210, 30, 90), (20, 90, 220)


def person(color: tuple[int, int, int], height: int = 400) -> Image.Image:
    image = Image.new("RGBA", (200, height), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((50, 5, 150, 125), fill=color)
    draw.rectangle((85, 115, 115, 150), fill=color)
    draw.rounded_rectangle((30, 145, 170, height), 30, fill=color)
    return image


def member(name: str, color: tuple[int, int, int], count: int = 3) -> CastInput:
    references = tuple(
        ReferenceInput(
            k, f"{k:064d}", to_png(person(color)), ReferenceKind.POSE, ShotType.HALF, "front",
            "smile", True, (),
        )
        for k in range(count)
    )  # fmt: skip
    return CastInput(f"ch_{name}", f"{name}_a", name.title(), "Everyday", 1.0, {}, (), references)


def panel() -> Candidate:
    image = Image.new("RGB", (640, 480), (190, 220, 190))
    figure = person(RED)
    image.paste(figure, (100, 80), figure)
    mask = Image.new("L", image.size, 0)
    mask.paste(255, (100, 80), figure.getchannel("A"))
    stream = io.BytesIO()
    mask.save(stream, "PNG")
    placed = PlacedFigure("ch_mira", Box(130, 85, 271, 480), None, stream.getvalue())
    return Candidate(to_png(image), Size(640, 480), (placed,))


def check(verdict: Verdict, **changed: object) -> CharacterCheck:
    values: dict[str, object] = {
        "character_id": "ch_mira", "appearance_id": "mira_a", "verdict": verdict,
        "reason": "The head differs from every reference.", "similarity": 0.6, "threshold": 0.8,
        "crop": CropClass.HEAD, "box": Box(130, 85, 271, 480), "nearest_reference": 1,
        "segments": {"palette:x:1": 0.5, "structure:x:1": 0.7},
    }  # fmt: skip
    return CharacterCheck(**{**values, **changed})


def judged(*checks: CharacterCheck, duplicate: str | None = None) -> JudgedCandidate:
    verdict = checks[0].verdict
    flags = (Flag.DUPLICATE,) if duplicate else ()
    report = CandidateReport(verdict, checks, flags, duplicate)
    return JudgedCandidate(panel(), PictureHashes("1", 1, 2, 3), report)


def card(item: JudgedCandidate, *cast: CastInput, title: str = "Panel 7") -> np.ndarray:
    return np.asarray(load_canonical(evidence_card(item, cast, title=title))).astype(int)


def share_of(picture: np.ndarray, color: tuple[int, int, int]) -> float:
    return float((np.abs(picture[..., :3] - np.array(color)).max(axis=2) <= 6).mean())


@pytest.mark.parametrize("verdict", Verdict)
def test_the_header_has_the_verdicts_colour_and_the_card_its_width(verdict: Verdict) -> None:
    picture = card(judged(check(verdict)), member("mira", BLUE))
    assert picture.shape[1] == WIDTH
    assert share_of(picture[:180], COLORS[verdict]) > 0.5


def test_verdicts_differ_in_shape_not_only_in_colour() -> None:
    shapes = []
    for verdict in Verdict:
        image = Image.new("RGB", (120, 120), COLORS[verdict])
        sign(ImageDraw.Draw(image), verdict, Box(0, 0, 120, 120))
        shapes.append(np.asarray(image).min(axis=2) > 200)
    for k, shape in enumerate(shapes):
        for other in shapes[k + 1 :]:
            assert (shape != other).mean() > 0.1


def test_figure_and_nearest_reference_stand_side_by_side_at_one_scale() -> None:
    picture = card(judged(check(Verdict.OFF_MODEL)), member("mira", BLUE))
    blue = np.abs(picture - np.array(BLUE)).max(axis=2) <= 6
    red = np.abs(picture - np.array(RED)).max(axis=2) <= 6
    rows = np.flatnonzero(blue.any(axis=1))
    below = np.flatnonzero(np.diff(rows) > 1)  # the next reference stands under the nearest one
    band = slice(rows[0], rows[below[0]] + 1 if len(below) else rows[-1] + 1)
    left, right = red[band, : WIDTH // 2], blue[band, WIDTH // 2 :]
    assert not blue[:, : WIDTH // 2].any()
    # Heads of one size: the same art gives the same number of pixels.
    assert left.sum() == pytest.approx(right.sum(), rel=0.05)


def test_the_bar_grows_with_the_similarity_and_marks_the_limit() -> None:
    def filled(similarity: float) -> float:
        item = judged(check(Verdict.OFF_MODEL, similarity=similarity, segments={}))
        return share_of(card(item, member("mira", BLUE))[200:], COLORS[Verdict.OFF_MODEL])

    assert filled(0.1) < filled(0.5) < filled(0.79)
    with_limit = card(judged(check(Verdict.OFF_MODEL)), member("mira", BLUE))
    without = card(judged(check(Verdict.OFF_MODEL, threshold=None)), member("mira", BLUE))
    assert (with_limit != without).any()


def test_each_segment_adds_a_bar() -> None:
    one = card(
        judged(check(Verdict.OFF_MODEL, segments={"palette:a:1": 0.4})), member("mira", BLUE)
    )
    two = card(judged(check(Verdict.OFF_MODEL)), member("mira", BLUE))
    assert two.shape[0] > one.shape[0]


def test_a_copy_is_named_above_everything() -> None:
    plain = card(judged(check(Verdict.ON_MODEL)), member("mira", BLUE))
    copy = card(judged(check(Verdict.ON_MODEL), duplicate="panel 3"), member("mira", BLUE))
    assert copy.shape[0] > plain.shape[0]
    assert share_of(copy[180:250], (34, 36, 44)) > 0.5 > share_of(plain[180:250], (34, 36, 44))


def test_off_model_characters_come_first() -> None:
    fine = check(Verdict.ON_MODEL, character_id="ch_odo", appearance_id="odo_a", box=None)
    item = judged(check(Verdict.OFF_MODEL), fine)
    turned = judged(fine, check(Verdict.OFF_MODEL))
    turned = JudgedCandidate(turned.candidate, turned.hashes, item.report)
    cast = (member("mira", BLUE), member("odo", (30, 160, 40)))
    assert (card(item, *cast) == card(turned, *cast)).all()
    picture = card(item, *cast)
    blue = np.flatnonzero((np.abs(picture - np.array(BLUE)).max(axis=2) <= 6).any(axis=1))
    green = np.flatnonzero((np.abs(picture - np.array((30, 160, 40))).max(axis=2) <= 6).any(axis=1))
    assert blue.max() < green.min()


@pytest.mark.parametrize(
    "changed",
    [
        {"similarity": None, "threshold": None, "crop": None, "box": None, "segments": {}},
        {"nearest_reference": 999},
        {"box": Box(0, 0, 0, 0)},
        {"box": Box(500, 400, 900, 900)},
        {"similarity": -0.4, "segments": {"palette": -0.2}},
        {"similarity": 1.0, "threshold": 1.0},
        {"reason": "word " * 200},
        {"character_id": "ch_unknown"},
        {"reason": "Schön, 漢字 and ☃ in one line."},
    ],
)
def test_odd_reports_still_give_a_card(changed: dict[str, object]) -> None:
    picture = card(judged(check(Verdict.CANNOT_JUDGE, **changed)), member("mira", BLUE))
    assert picture.shape[1] == WIDTH
    assert picture.shape[0] < 4000


def test_long_titles_and_names_stay_on_the_card() -> None:
    mira = member("m" * 80, BLUE)
    item = judged(check(Verdict.OFF_MODEL, character_id=mira.character_id,
                        appearance_id=mira.appearance_id))  # fmt: skip
    picture = card(item, mira, title="A very long title " * 10)
    edge = picture[260:, -20:]
    assert (edge == edge[0, 0]).all()


def test_same_evidence_same_bytes() -> None:
    item = judged(check(Verdict.OFF_MODEL))
    cast = [member("mira", BLUE)]
    assert evidence_card(item, cast, title="x") == evidence_card(item, cast, title="x")
