"""Verdicts on drawn figures: who passes, who does not, and when nothing can be said."""

import io
from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.domain.character import ColorMode, ReferenceKind, ShotType
from pipeline.domain.errors import InvalidPicture
from pipeline.domain.fingerprint import CropClass
from pipeline.domain.geometry import Box, Size
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.domain.panel import Candidate, PlacedFigure
from pipeline.domain.quality import Flag, JudgedCandidate, Verdict
from pipeline.fingerprints.composite import encoder_set, fingerprint
from pipeline.fingerprints.hashes import picture_hashes
from pipeline.fingerprints.registry import load_encoders
from pipeline.imaging.decode import to_png
from pipeline.quality.calibration import thresholds_from_references
from pipeline.quality.judge import Judge

ENCODERS = load_encoders()
JUDGE = Judge(ENCODERS)
WHO = {
    "mira": {"skin": "peachpuff", "hair": "black", "shirt": "navy", "trousers": "saddlebrown"},
    "otto": {"skin": "sienna", "hair": "gold", "shirt": "crimson", "trousers": "dimgray"},
}


def drawn(who: str, seed: int, **changed: str) -> Image.Image:
    """A standing figure; the seed moves arms, mouth, eyes and the tilt of the head a little."""
    look = WHO[who] | changed
    rng = np.random.default_rng(seed)
    dx, arm, mouth = (int(v) for v in rng.integers(-6, 7, 3))
    image = Image.new("RGBA", (400, 600), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rectangle((165, 380, 197, 570), fill=look["trousers"], outline="black", width=3)
    draw.rectangle((203, 380, 235, 570), fill=look["trousers"], outline="black", width=3)
    draw.rounded_rectangle((150, 195, 250, 390), 18, fill=look["shirt"], outline="black", width=3)
    draw.line((155, 215, 110 + 3 * arm, 330 - 4 * arm), fill=look["shirt"], width=22)
    draw.line((245, 215, 290 + 3 * dx, 330 + 4 * arm), fill=look["shirt"], width=22)
    x = 200 + dx
    draw.rectangle((190, 175, 210, 205), fill=look["skin"])
    draw.ellipse((x - 48, 80, x + 48, 188), fill=look["skin"], outline="black", width=3)
    draw.pieslice((x - 54, 66, x + 54, 170), 160, 375, fill=look["hair"])
    for side in (-18, 18):
        draw.ellipse((x + side - 5, 128, x + side + 5, 128 + 10 + mouth // 2), fill="black")
    draw.arc((x - 18, 146, x + 18, 166 + mouth), 15, 165, fill="black", width=3)
    return image


@cache
def member(who: str = "mira", count: int = 10, canon: int | None = None) -> CastInput:
    references = []
    for i in range(count):
        image = drawn(who, i)
        references.append(
            ReferenceInput(
                i, f"{i:064d}", to_png(image), ReferenceKind.POSE, ShotType.FULL, "", "",
                canon is None or i < canon, fingerprint(image, ShotType.FULL, ENCODERS),
            )
        )  # fmt: skip
    known = {r.reference_id: r.fingerprints for r in references if r.canon}
    name = f"{who}_s1"
    limits = thresholds_from_references(name, known, encoder_set(ENCODERS))
    return CastInput(f"ch_{who}", name, who.title(), "coat", 1.0, {}, (), tuple(references), limits)


def offered(image: Image.Image, *figures: PlacedFigure) -> Candidate:
    return Candidate(to_png(image), Size(*image.size), figures)


def judged(
    candidate: Candidate | Image.Image,
    *cast: CastInput,
    shot: ShotType | None = None,
    mode: ColorMode = ColorMode.COLOR,
    earlier: dict[str, Image.Image] | None = None,
) -> JudgedCandidate:
    if isinstance(candidate, Image.Image):
        candidate = offered(candidate)
    hashes = {label: picture_hashes(image) for label, image in (earlier or {}).items()}
    return JUDGE.judge(
        candidate, cast or (member(),), shot_type=shot, color_mode=mode, earlier=hashes
    )


def busy(size: tuple[int, int]) -> Image.Image:
    rng = np.random.default_rng(9)
    return Image.fromarray(rng.integers(0, 255, (size[1], size[0], 3), np.uint8))


def scene() -> tuple[Image.Image, PlacedFigure, PlacedFigure]:
    """Mira left and Otto right on a busy ground, both marked with masks."""
    image = busy((900, 620))
    placed = []
    for who, left in (("mira", 10), ("otto", 480)):
        figure = drawn(who, 50)
        image.paste(figure, (left, 10), figure)
        mask = Image.new("L", image.size, 0)
        mask.paste(figure.getchannel("A"), (left, 10))
        box = mask.getbbox()
        assert box is not None
        placed.append(PlacedFigure(f"ch_{who}", Box(*box), None, to_mask(mask)))
    return image, placed[0], placed[1]


def to_mask(mask: Image.Image) -> bytes:
    buffer = io.BytesIO()
    mask.save(buffer, "PNG")
    return buffer.getvalue()


@pytest.mark.parametrize("mode", list(ColorMode))
@pytest.mark.parametrize("shot", [None, ShotType.FULL, ShotType.HEADSHOT])
def test_new_art_of_the_character_passes(mode: ColorMode, shot: ShotType | None) -> None:
    report = judged(drawn("mira", 77), mode=mode, shot=shot).report
    check = report.checks[0]
    assert report.verdict is Verdict.ON_MODEL
    assert report.acceptable
    assert check.similarity is not None
    assert check.threshold is not None
    assert report.margin == pytest.approx(check.similarity - check.threshold)
    assert check.nearest_reference in range(10)
    assert set(check.segments) == {"house", "palette"}
    assert "10 references" in check.reason


@pytest.mark.parametrize("mode", list(ColorMode))
@pytest.mark.parametrize("shot", [None, ShotType.FULL, ShotType.HEADSHOT])
def test_another_character_does_not(mode: ColorMode, shot: ShotType | None) -> None:
    report = judged(drawn("otto", 77), mode=mode, shot=shot).report
    assert report.verdict is Verdict.OFF_MODEL
    assert report.flags == (Flag.OFF_MODEL,)
    assert report.margin is not None
    assert report.margin < 0
    assert "under this appearance's limit" in report.checks[0].reason


def test_another_head_in_the_right_clothes_does_not_pass() -> None:
    stranger = drawn("mira", 77, skin="sienna", hair="gold")
    check = judged(stranger).report.checks[0]
    assert check.verdict is Verdict.OFF_MODEL
    assert check.crop is CropClass.HEAD


def test_the_right_head_in_other_clothes_does_not_pass() -> None:
    check = judged(drawn("mira", 77, shirt="yellow")).report.checks[0]
    assert check.verdict is Verdict.OFF_MODEL
    assert check.crop is CropClass.HALF
    assert "The head fits" in check.reason


def test_a_plain_ground_serves_as_well_as_alpha() -> None:
    plain = Image.new("RGB", (400, 600), "honeydew")
    figure = drawn("mira", 78)
    plain.paste(figure, mask=figure)
    assert judged(plain).report.verdict is Verdict.ON_MODEL


def test_a_figure_in_a_scene_is_looked_for() -> None:
    image = busy((400, 600))
    figure = drawn("mira", 78)
    image.paste(figure, mask=figure)
    mine, other = judged(image).report.checks[0], judged(image, member("otto")).report.checks[0]
    box = figure.getbbox()
    assert box is not None
    assert mine.box is not None
    assert mine.box.intersection(Box(*box)).area > 0.7 * Box(*box).area
    assert mine.verdict is not Verdict.OFF_MODEL
    assert other.verdict is Verdict.OFF_MODEL


def test_a_busy_ground_without_a_figure_cannot_be_judged() -> None:
    report = judged(busy((400, 600))).report
    assert report.verdict is Verdict.CANNOT_JUDGE
    assert report.flags == (Flag.CANNOT_JUDGE,)
    assert not report.acceptable
    assert report.margin is None
    assert "background" in report.checks[0].reason


@pytest.mark.parametrize(
    ("cast", "words"),
    [
        (lambda: member(count=3), "3 of the 4"),
        (lambda: member(count=10, canon=3), "3 of the 4"),
        (lambda: replace(member(), references=()), "0 of the 4"),
        (lambda: replace(member(), thresholds=()), "No limit"),
    ],
    ids=["three", "derived", "none", "no-limit"],
)
def test_without_enough_to_compare_nothing_passes(
    cast: Callable[[], CastInput], words: str
) -> None:
    for who in ("mira", "otto"):
        report = judged(drawn(who, 77), cast()).report
        assert report.verdict is Verdict.CANNOT_JUDGE
        assert words in report.checks[0].reason


def test_limits_of_other_encoders_do_not_count() -> None:
    one = member()
    others = tuple(
        replace(t, key=replace(t.key, encoders="palette:old:0"), value=-1.0) for t in one.thresholds
    )
    report = judged(drawn("otto", 77), replace(one, thresholds=others)).report
    assert report.verdict is Verdict.CANNOT_JUDGE


def test_limits_of_another_appearance_do_not_count() -> None:
    report = judged(drawn("mira", 77), replace(member(), appearance_id="mira_s2")).report
    assert report.verdict is Verdict.CANNOT_JUDGE


def test_a_dot_cannot_be_judged() -> None:
    picture = Image.new("RGBA", (1200, 1400), (0, 0, 0, 0))
    picture.paste(drawn("mira", 77).resize((40, 60)), (500, 700))
    report = judged(picture).report
    assert report.verdict is Verdict.CANNOT_JUDGE
    assert "too small" in report.checks[0].reason


def test_a_head_of_few_pixels_cannot_be_judged() -> None:
    for who in ("mira", "otto"):
        report = judged(drawn(who, 77).resize((80, 120))).report
        assert report.verdict is Verdict.CANNOT_JUDGE
    assert judged(drawn("mira", 77).resize((200, 300))).report.verdict is Verdict.ON_MODEL


def test_several_marked_figures_are_judged_each_by_its_own_mask() -> None:
    image, mira, otto = scene()
    cast = (member("mira"), member("otto"))
    report = judged(offered(image, mira, otto), *cast, shot=ShotType.FULL).report
    assert [c.verdict for c in report.checks] == [Verdict.ON_MODEL, Verdict.ON_MODEL]
    assert [c.box for c in report.checks] == [mira.box, otto.box]
    swapped = (replace(mira, character_id="ch_otto"), replace(otto, character_id="ch_mira"))
    report = judged(offered(image, *swapped), *cast, shot=ShotType.FULL).report
    assert [c.verdict for c in report.checks] == [Verdict.OFF_MODEL, Verdict.OFF_MODEL]


def test_one_figure_for_two_expected_is_not_a_pass() -> None:
    report = judged(drawn("mira", 77), member("mira"), member("otto")).report
    assert report.verdict is not Verdict.ON_MODEL
    assert Verdict.CANNOT_JUDGE in {c.verdict for c in report.checks}


def test_one_wrong_character_decides_over_one_unknown() -> None:
    image, _, otto = scene()
    impostor = replace(otto, character_id="ch_mira")
    report = judged(offered(image, impostor), member("mira"), member("otto")).report
    assert [c.verdict for c in report.checks] == [Verdict.OFF_MODEL, Verdict.CANNOT_JUDGE]
    assert "No figure" in report.checks[1].reason
    assert report.verdict is Verdict.OFF_MODEL


def test_an_empty_mask_is_not_a_pass_and_a_foreign_one_is_not_read() -> None:
    image, mira, _ = scene()
    empty = replace(mira, mask=to_mask(Image.new("L", image.size, 0)))
    report = judged(offered(image, empty)).report
    assert report.verdict is Verdict.CANNOT_JUDGE
    assert "Nothing of Mira" in report.checks[0].reason
    for mask in (to_mask(Image.new("L", (5, 5), 255)), b"no mask"):
        boxed = judged(offered(image, replace(mira, mask=mask))).report.checks[0]
        assert boxed.box is not None
        assert mira.box.intersection(boxed.box) == boxed.box
        wrong = judged(
            offered(image, replace(mira, character_id="ch_otto", mask=mask)), member("otto")
        )
        assert wrong.report.checks[0].verdict is not Verdict.ON_MODEL, "the box is judged"


@cache
def small_member(factor: float) -> CastInput:
    """Mira as :func:`member` knows her, drawn smaller."""
    shown = [drawn("mira", i) for i in range(5)]
    small = [i.resize((round(i.width * factor), round(i.height * factor))) for i in shown]
    references = tuple(
        replace(
            known, image=to_png(image), fingerprints=fingerprint(image, ShotType.FULL, ENCODERS)
        )
        for known, image in zip(member(count=5).references, small, strict=True)
    )
    known = {r.reference_id: r.fingerprints for r in references}
    limits = thresholds_from_references("mira_s1", known, encoder_set(ENCODERS))
    return replace(member(count=5), references=references, thresholds=limits)


def test_who_is_drawn_small_is_judged_small_and_who_is_not_is_not() -> None:
    factor = 0.2  # heads of about 20 pixels
    figure = drawn("mira", 77)
    sprite = figure.resize((round(figure.width * factor), round(figure.height * factor)))
    shrunk = judged(sprite, member(count=5)).report.checks[0]
    assert shrunk.verdict is Verdict.CANNOT_JUDGE
    assert "too small" in shrunk.reason
    assert judged(sprite, small_member(factor)).report.verdict is Verdict.ON_MODEL
    far = figure.resize((round(figure.width * 0.1), round(figure.height * 0.1)))
    assert "too small" in judged(far, small_member(factor)).report.checks[0].reason


def test_nobody_expected_is_not_a_pass() -> None:
    judgement = JUDGE.judge(
        offered(drawn("mira", 1)), (), shot_type=None, color_mode=ColorMode.COLOR, earlier={}
    )
    assert judgement.report.verdict is Verdict.CANNOT_JUDGE


def test_a_copy_of_an_earlier_panel_is_named_beside_the_verdict() -> None:
    image = drawn("mira", 77)
    earlier = {"panel 3": drawn("otto", 5), "panel 7": image.resize((300, 450))}
    report = judged(image, earlier=earlier).report
    assert report.verdict is Verdict.ON_MODEL
    assert report.flags == (Flag.DUPLICATE,)
    assert report.duplicate_of == "panel 7"
    assert not report.acceptable
    assert judged(image, earlier={"panel 3": drawn("otto", 5)}).report.duplicate_of is None


def test_derived_references_do_not_teach_the_judge_a_stranger() -> None:
    drift = [
        replace(r, reference_id=100 + r.reference_id, canon=False)
        for r in member("otto").references
    ]
    taught = replace(member(), references=(*member().references, *drift))
    assert judged(drawn("otto", 77), taught).report.verdict is Verdict.OFF_MODEL


def test_the_same_picture_gets_the_same_report() -> None:
    assert judged(drawn("mira", 77)).report == judged(drawn("mira", 77)).report


def test_damaged_bytes_are_refused() -> None:
    with pytest.raises(InvalidPicture):
        judged(Candidate(b"\x89PNG\r\n", Size(1, 1)))
