"""Coverage: what is counted, what is missing, and the picture of it."""

import io
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from PIL import Image, ImageDraw

from pipeline.domain.character import Appearance, EntryKind, Reference, ReferenceKind, ShotType
from pipeline.domain.vocabulary import Expression
from pipeline.imaging.decode import to_png
from pipeline.quality.coverage_sheet import WIDTH, coverage_sheet
from pipeline.retrieval.coverage import GOAL, UNKNOWN, CharacterCoverage, coverage_of

LOOK = Appearance(1, 1, 1, "akira_everyday", "Everyday")
NOW = datetime(2031, 1, 1, tzinfo=UTC)


def reference(number, shot, angle="front", expression="neutral", **changes):
    made = Reference(
        number, 1, 1, f"{number:064x}", ReferenceKind.POSE, ShotType(shot), angle, expression, 80,
        160, True, "", 1, NOW,
    )  # fmt: skip
    return replace(made, **changes)


def complete():
    """Exactly what a character needs, and no more than ten pictures."""
    shots = [
        ("headshot", "front", "neutral"), ("headshot", "three_quarter", "happy"),
        ("headshot", "side", "sad"), ("full", "front", "angry"), ("full", "three_quarter", "shocked"),
        ("full", "side", ""), ("full", "back", ""), ("half", "front", ""), ("dynamic", "front", ""),
        ("half", "side", ""),
    ]  # fmt: skip
    return [reference(n, *shot) for n, shot in enumerate(shots, start=1)]


def figure():
    image = Image.new("RGBA", (80, 160))
    draw = ImageDraw.Draw(image)
    draw.ellipse((24, 4, 56, 40), fill="peachpuff")
    draw.rectangle((20, 40, 60, 156), fill="navy")
    return to_png(image)


def keys(coverage):
    return {need.key for need in coverage.missing}


def test_a_complete_set_is_ready_and_every_picture_of_it_is_needed():
    whole = coverage_of(LOOK, complete())
    assert whole.readiness == 1.0
    assert whole.missing == ()
    for left_out in range(GOAL):
        fewer = [r for r in complete() if r.id != left_out + 1]
        assert coverage_of(LOOK, fewer).readiness < 1.0


def test_nothing_is_ready_without_references():
    empty = coverage_of(LOOK, [])
    assert empty.readiness == 0.0
    assert {"head.front", "full.back", "half", "expression.joy", "references"} <= keys(empty)
    assert empty.missing[0].required
    assert not empty.missing[-1].required


def test_accepted_panels_do_not_count():
    derived = [replace(r, canon=False) for r in complete()]
    assert coverage_of(LOOK, derived).references == 0


def test_an_angle_that_nobody_said_has_a_column_of_its_own():
    coverage = coverage_of(LOOK, [reference(1, "headshot", "", "")])
    assert coverage.grid[ShotType.HEADSHOT, UNKNOWN] == 1
    assert "head.front" in keys(coverage)


def test_expressions_are_counted_by_family():
    words = ["smile", "Laughing", "crying", "rolling eyes"]
    coverage = coverage_of(
        LOOK, [reference(n, "headshot", "front", w) for n, w in enumerate(words)]
    )
    assert coverage.expressions[Expression.JOY] == 2
    assert coverage.expressions[Expression.SADNESS] == 1
    assert sum(coverage.expressions.values()) == 3


def test_guesses_are_told():
    guessed = [reference(1, "half", guessed=("angle",)), reference(2, "half")]
    assert coverage_of(LOOK, guessed).guessed == 1


@pytest.mark.parametrize(
    ("kind", "wanted"),
    [
        (EntryKind.PROP, {"full.front", "full.three_quarter", "full.side", "full.back", "references"}),
        (EntryKind.LOCATION, {"references"}),
        (EntryKind.STYLE, {"references"}),
    ],
)  # fmt: skip
def test_props_locations_and_styles_need_less(kind, wanted):
    assert keys(coverage_of(LOOK, [], kind)) == wanted


def test_the_advice_follows_the_number_of_references():
    def advice(*counts):
        looks = tuple(
            coverage_of(LOOK, [reference(n, "full") for n in range(count)]) for count in counts
        )
        return CharacterCoverage("ch_akira", "Akira", EntryKind.CHARACTER, looks).advice

    assert "3 references so far" in advice(3)
    assert "Only one outfit" in advice(12)
    assert "outfit" not in advice(6, 6)
    assert "near copies" in advice(25, 2)


def test_as_data_it_is_plain_json():
    import json

    coverage = CharacterCoverage(
        "ch_akira", "Akira", EntryKind.CHARACTER, (coverage_of(LOOK, complete()[:3]),)
    )
    data = json.loads(json.dumps(coverage.as_dict()))
    assert data["looks"][0]["grid"] == {
        "headshot.front": 1, "headshot.three_quarter": 1, "headshot.side": 1,
    }  # fmt: skip
    assert data["looks"][0]["missing"][0].keys() == {"key", "words", "required", "have", "want"}


def drawn(references):
    coverage = CharacterCoverage(
        "ch_akira", "Akira", EntryKind.CHARACTER, (coverage_of(LOOK, references),)
    )
    png = coverage_sheet(
        coverage, {"akira_everyday": references}, {r.id: figure() for r in references}
    )
    return Image.open(io.BytesIO(png)).convert("RGB")


def red(image):
    return sum(pixel == (190, 48, 42) for pixel in image.get_flattened_data())


def test_the_picture_marks_gaps_in_red_and_none_when_nothing_is_missing():
    whole, some, none = drawn(complete()), drawn(complete()[:4]), drawn([])
    assert whole.width == WIDTH
    assert red(whole) == 0
    assert red(none) > red(some) > 0


def test_more_references_make_a_cell_darker():
    one = drawn([reference(1, "headshot")])
    three = drawn([reference(n, "headshot") for n in range(3)])
    corner = (44 + 190 + 14, 180 + 86 + 140)
    assert sum(three.getpixel(corner)) < sum(one.getpixel(corner))
