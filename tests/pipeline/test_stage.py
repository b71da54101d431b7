"""Who is on stage: the count's score, missing, extra, swapped and doubled members, bled colours."""

import numpy as np
import pytest

from pipeline.domain.geometry import Box
from pipeline.domain.quality import (
    CandidateReport,
    CastFault,
    CharacterCheck,
    Drift,
    Verdict,
)
from pipeline.quality.casting import (
    bleed_findings,
    finding_words,
    occm,
    stage_findings,
    stage_of,
    swap_findings,
    told,
)
from pipeline.quality.differences import PartColor
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


def faults(findings) -> set[CastFault]:
    return {finding.fault for finding in told(findings)}


def test_the_count_score_is_full_only_where_the_count_is_right() -> None:
    assert occm(2, 2) == pytest.approx(100)
    assert occm(1, 2) == pytest.approx(occm(3, 2)) == pytest.approx(100 * np.exp(-0.5), rel=1e-4)
    assert occm(0, 2) < occm(1, 2)


def test_a_full_stage_has_no_fault() -> None:
    assert faults(stage_findings(table((0.9, 0.3), (0.2, 0.95)), BOXES[:2])) == set()


def test_a_member_without_a_likely_figure_is_missing() -> None:
    one = stage_findings(table((0.9,), (0.2,)), BOXES[:1])
    assert [f.character_id for f in told(one)] == ["ben"]
    stranger = stage_findings(table((0.9, 0.3), (0.2, 0.4)), BOXES[:2])
    assert faults(stranger) == {CastFault.MISSING}


def test_a_bystander_is_extra_and_one_with_the_heros_face_a_double() -> None:
    bystander = stage_findings(table((0.9, 0.3, 0.1), (0.2, 0.95, 0.2)), BOXES)
    assert faults(bystander) == {CastFault.EXTRA}
    twin = stage_findings(table((0.9, 0.3, 0.86), (0.2, 0.95, 0.2)), BOXES)
    assert faults(twin) == {CastFault.EXTRA, CastFault.DOUBLE}
    (double,) = (f for f in told(twin) if f.fault is CastFault.DOUBLE)
    assert (double.character_id, double.box) == ("ann", BOXES[2])
    assert finding_words(double, {"ann": "Ann"}) == "A bystander looks like Ann."


def test_members_in_each_others_places_are_swapped() -> None:
    assert faults(swap_findings(table((0.9, 0.3), (0.2, 0.95)))) == set()
    (swap,) = told(swap_findings(table((0.3, 0.9), (0.95, 0.2))))
    assert {swap.character_id, swap.other_id} == {"ann", "ben"}
    assert "changed places" in finding_words(swap, {})


def test_a_colour_that_went_over_to_the_other_ones_is_bled() -> None:
    blue, red = np.array([0, 10, -60], "f4"), np.array([0, 60, 30], "f4")
    theirs = {"ben": {"hair": PartColor(red, red)}}
    own = bleed_findings("ann", {"hair": PartColor(blue, blue + 2)}, theirs)
    assert told(own) == []
    (bled,) = told(bleed_findings("ann", {"hair": PartColor(blue, red - 2)}, theirs))
    assert (bled.part, bled.other_id) == ("hair", "ben")
    green = np.array([0, -60, 40], "f4")
    assert told(bleed_findings("ann", {"hair": PartColor(blue, green)}, theirs)) == []
    same = {"ben": {"hair": PartColor(blue, blue)}}
    assert bleed_findings("ann", {"hair": PartColor(blue, red)}, same) == []


def test_what_is_said_about_the_stage_is_kept_with_the_report() -> None:
    stage = stage_of(2, 3, stage_findings(table((0.9, 0.3, 0.86), (0.2, 0.95, 0.2)), BOXES))
    drifted = CharacterCheck(
        "ann", "ann_s1", Verdict.OFF_MODEL, "", 0.5, 0.8,
        drift=(Drift("hair_color", 0.8, 0.6, 0.9, BOXES[1]), Drift("skin", 0.2, 0.1, 0.3)),
    )  # fmt: skip
    report = CandidateReport(Verdict.OFF_MODEL, (drifted,), stage=stage)
    assert report_from_json(report_to_json(report)) == report
