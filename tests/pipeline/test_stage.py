"""Who is on stage: the count's score, missing, extra, swapped and doubled members, bled colours."""

import numpy as np
import pytest
from PIL import Image

from pipeline.domain.geometry import Box
from pipeline.domain.quality import (
    CandidateReport,
    CastFault,
    CharacterCheck,
    Drift,
    Verdict,
)
from pipeline.imaging.detector import Sighting
from pipeline.imaging.masks import find_figure
from pipeline.quality.casting import (
    bleed_findings,
    chance_of,
    finding_words,
    occm,
    stage_findings,
    stage_of,
    swap_findings,
    told,
)
from pipeline.quality.part_colours import PartColor
from storage.records import report_from_json, report_to_json

BOXES = [Box(0, 0, 10, 10), Box(20, 0, 30, 10), Box(40, 0, 50, 10)]


def check(who: str, similarity: float, box: Box = BOXES[0]) -> CharacterCheck:
    verdict = Verdict.ON_MODEL if similarity >= 0.8 else Verdict.OFF_MODEL
    return CharacterCheck(who, f"{who}_s1", verdict, "", similarity, 0.8, box=box)


def table(*rows: tuple[float, ...]) -> list[list[CharacterCheck]]:
    return [
        [check(who, value, box) for value, box in zip(row, BOXES, strict=False)]
        for who, row in zip(("ann", "ben"), rows, strict=False)
    ]


def found(*rows: tuple[float, ...], chances: tuple[float, ...] = (1.0, 1.0, 1.0)):
    count = len(rows[0])
    return stage_findings(table(*rows), BOXES[:count], chances[:count])


def faults(findings) -> set[CastFault]:
    return {finding.fault for finding in told(findings)}


def test_the_count_score_is_full_only_where_the_count_is_right() -> None:
    assert occm(2, 2) == pytest.approx(100)
    assert occm(1, 2) == pytest.approx(occm(3, 2)) == pytest.approx(100 * np.exp(-0.5), rel=1e-4)
    assert occm(0, 2) < occm(1, 2)


def test_a_full_stage_has_no_fault() -> None:
    assert faults(found((0.9, 0.3), (0.2, 0.95))) == set()


def test_a_member_without_a_likely_figure_is_missing() -> None:
    one = found((0.9,), (0.2,))
    assert [f.character_id for f in told(one)] == ["ben"]
    stranger = found((0.9, 0.3), (0.2, 0.4))
    assert faults(stranger) == {CastFault.MISSING}


def test_a_bystander_is_extra_and_one_with_the_heros_face_a_double() -> None:
    bystander = found((0.9, 0.3, 0.1), (0.2, 0.95, 0.2))
    assert faults(bystander) == {CastFault.EXTRA}
    twin = found((0.9, 0.3, 0.86), (0.2, 0.95, 0.2))
    assert faults(twin) == {CastFault.EXTRA, CastFault.DOUBLE}
    (double,) = (f for f in told(twin) if f.fault is CastFault.DOUBLE)
    assert (double.character_id, double.box) == ("ann", BOXES[2])
    assert finding_words(double, {"ann": "Ann"}) == "A bystander looks like Ann."


def test_what_is_hardly_a_figure_is_nobody_but_keeps_a_member_from_being_missed() -> None:
    ball = found((0.9, 0.3, 0.86), (0.2, 0.95, 0.2), chances=(0.99, 0.98, 0.1))
    assert faults(ball) == set()
    badly_seen = found((0.9, 0.3), (0.2, 0.75), chances=(0.99, 0.2))
    assert faults(badly_seen) == set()


def test_a_figure_is_likelier_with_a_face_drawn_and_one_head_for_both() -> None:
    figure = find_figure(Image.new("RGBA", (60, 60), "teal").rotate(20, expand=True))
    assert figure is not None
    clear = chance_of(Sighting(figure, 0.6, heads_agree=True), detail=0.15)
    ball = chance_of(Sighting(figure, 0.36, heads_agree=False), detail=0.01)
    assert 0 < ball < 0.5 < clear < 1


def test_members_in_each_others_places_are_swapped() -> None:
    assert faults(swap_findings(table((0.9, 0.3), (0.2, 0.95)))) == set()
    (swap,) = told(swap_findings(table((0.3, 0.9), (0.95, 0.2))))
    assert {swap.character_id, swap.other_id} == {"ann", "ben"}
    assert "changed places" in finding_words(swap, {})


def test_a_colour_that_went_over_to_the_other_ones_is_bled() -> None:
    blue, red = np.array([0, 10, -60], "f4"), np.array([0, 60, 30], "f4")
    theirs = {"ben": [PartColor("hair", red, red)]}
    own = bleed_findings("ann", [PartColor("hair", blue, blue + 2)], theirs)
    assert told(own) == []
    (bled,) = told(bleed_findings("ann", [PartColor("hair", blue, red - 2)], theirs))
    assert (bled.part, bled.other_id) == ("hair", "ben")
    green = np.array([0, -60, 40], "f4")
    assert told(bleed_findings("ann", [PartColor("hair", blue, green)], theirs)) == []
    same = {"ben": [PartColor("hair", blue, blue)]}
    assert bleed_findings("ann", [PartColor("hair", blue, red)], same) == []


def test_what_is_said_about_the_stage_is_kept_with_the_report() -> None:
    stage = stage_of(2, 3, found((0.9, 0.3, 0.86), (0.2, 0.95, 0.2)))
    drifted = CharacterCheck(
        "ann", "ann_s1", Verdict.OFF_MODEL, "", 0.5, 0.8,
        drift=(Drift("hair_color", 0.8, 0.6, 0.9, BOXES[1]), Drift("skin", 0.2, 0.1, 0.3)),
    )  # fmt: skip
    report = CandidateReport(Verdict.OFF_MODEL, (drifted,), stage=stage)
    assert report_from_json(report_to_json(report)) == report
