"""Values survive the way to JSON and back, whatever is in them."""

import json

import hypothesis.strategies as st
import pytest
from hypothesis import given

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.fingerprint import CropClass, PictureHashes
from pipeline.domain.geometry import Box, Size
from pipeline.domain.panel import (
    BalloonKind,
    CastRole,
    DialogueLine,
    PanelBrief,
    PlacedFigure,
)
from pipeline.domain.quality import CandidateReport, CharacterCheck, Flag, Verdict
from storage import records

text = st.text(max_size=12)
number = st.floats(-1, 1, allow_nan=False)
boxes = st.builds(Box, *[st.integers(-9, 9999)] * 4)
briefs = st.builds(
    PanelBrief,
    prompt=text,
    cast=st.lists(st.builds(CastRole, text, text), max_size=3).map(tuple),
    shot_type=st.sampled_from(ShotType),
    alternates=st.integers(1, 4),
    color_mode=st.sampled_from(ColorMode),
    dialogue=st.lists(
        st.builds(DialogueLine, text, st.none() | text, st.sampled_from(BalloonKind)), max_size=3
    ).map(tuple),
    page=st.none() | st.integers(1, 99),
    sketch_sha256=st.none() | text,
    seed=st.integers(0, 2**63),
    size=st.builds(Size, st.integers(1, 4096), st.integers(1, 4096)),
)
checks = st.builds(
    CharacterCheck,
    character_id=text,
    appearance_id=text,
    verdict=st.sampled_from(Verdict),
    reason=text,
    similarity=st.none() | number,
    threshold=st.none() | number,
    crop=st.none() | st.sampled_from(CropClass),
    box=st.none() | boxes,
    nearest_reference=st.none() | st.integers(1, 9),
    segments=st.dictionaries(text, number, max_size=3),
)
reports = st.builds(
    CandidateReport,
    verdict=st.sampled_from(Verdict),
    checks=st.lists(checks, max_size=3).map(tuple),
    flags=st.lists(st.sampled_from(Flag), max_size=3).map(tuple),
    duplicate_of=st.none() | text,
    margin=st.none() | number,
)
figures = st.lists(st.builds(PlacedFigure, text, boxes, st.none() | boxes), max_size=3).map(tuple)
bits = st.none() | st.integers(0, 2**64 - 1)
hashes = st.builds(PictureHashes, text, bits, bits, bits)


@given(briefs)
def test_briefs(brief: PanelBrief) -> None:
    back = records.brief_from_json(records.brief_to_json(brief))
    assert back == brief
    assert isinstance(back.size, Size)


@given(reports)
def test_reports(report: CandidateReport) -> None:
    back = records.report_from_json(records.report_to_json(report))
    assert back == report
    assert all(check.box is None or isinstance(check.box, Box) for check in back.checks)


@given(figures)
def test_figures(placed: tuple[PlacedFigure, ...]) -> None:
    assert records.figures_from_json(records.figures_to_json(placed)) == placed


def test_masks_are_not_stored() -> None:
    stored = records.figures_to_json([PlacedFigure("ch_a", Box(0, 0, 1, 1), mask=b"png")])
    assert "mask" not in stored
    assert records.figures_from_json(stored)[0].mask is None


@given(hashes)
def test_hashes(value: PictureHashes) -> None:
    names = ("hash_version", "phash", "dhash", "ahash")
    row = dict(zip(names, records.hashes_to_columns(value), strict=True))
    assert records.hashes_from_row(row) == value  # type: ignore[arg-type] - a row by name


@pytest.mark.parametrize(
    "read", [records.brief_from_json, records.report_from_json, records.figures_from_json]
)
@pytest.mark.parametrize("bad", ["", "{", "{}", '[{"x": 1}]', "7", '{"prompt": "a"}'])
def test_what_is_not_one_is_refused(read: object, bad: str) -> None:
    assert callable(read)
    if read is records.figures_from_json and bad == "{}":
        bad = "null"
    with pytest.raises(ValueError, match=r"."):
        read(bad)


def test_equal_values_give_equal_text() -> None:
    one = CharacterCheck("a", "b", Verdict.ON_MODEL, "", segments={"x": 1.0, "y": 2.0})
    two = CharacterCheck("a", "b", Verdict.ON_MODEL, "", segments={"y": 2.0, "x": 1.0})
    texts = {records.report_to_json(CandidateReport(Verdict.ON_MODEL, (c,))) for c in (one, two)}
    assert len(texts) == 1
    assert json.loads(texts.pop())["margin"] is None
