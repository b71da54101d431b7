"""Layouts of a page's own: read in order, told by their name, changed by hand."""

import io
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.comics.formats import FORMATS, format_named, spec_of
from pipeline.comics.layout import DYNAMIC, own_layout, place_frames, rank_layouts
from pipeline.comics.page import compose_page, render_page
from pipeline.comics.templates import TEMPLATES, frames_of, in_reading_order
from pipeline.comics.tiers import (
    divided,
    merged,
    read_tiers,
    resized,
    split_of,
    write_tiers,
)
from pipeline.comics.weighing import weighed_layouts
from pipeline.domain.character import ColorMode, ReadingDirection, ShotType
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import PageSpec, PanelArt
from pipeline.domain.panel import DialogueLine, PlacedFigure

LTR, RTL = ReadingDirection.LTR, ReadingDirection.RTL
NAME = "1.2=1/1=1.35,1/0.8=1,1.2+1+1.4"


def art(number: int, weight: float = 1.0, words: str = "") -> PanelArt:
    lines = (DialogueLine(words),) if words else ()
    return PanelArt(number, b"", Size(1024, 768), (), lines, ShotType.HALF, weight)


def test_a_name_tells_the_whole_layout():
    assert write_tiers(read_tiers(NAME)) == NAME
    assert write_tiers(read_tiers("2!=1/1=1,1")) == "2!=1/1=1,1"
    assert write_tiers(read_tiers("2!=1^0.3/1=1,1")) == "2!=1^0.3/1=1,1"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("1=", "write tiers like"),
        ("1=1..2", "no number"),
        ("1=1+1+1,1", "end of a tier only"),
        ("1=1,1,1,1,1", "4 columns"),
        ("9=1", "too small or too large"),
        ("1=1^0.9", "An inset takes 0.2 to 0.5"),
        ("1=1,1^0.3", "alone in its tier"),
        ("/".join(["1=1"] * 7), "1 to 6 tiers"),
    ],
)
def test_a_name_that_tells_no_layout_is_refused(name: str, complaint: str):
    with pytest.raises(InvalidInput, match=complaint):
        read_tiers(name)


@pytest.mark.parametrize("name", [n for n in TEMPLATES if n not in ("five-opening",)])
def test_a_template_can_be_taken_as_tiers(name: str):
    spec = PageSpec()
    tiers = own_layout(name)
    _, boxes = place_frames(write_tiers(tiers), [], spec)
    assert tuple(boxes) == frames_of(name, spec)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.sampled_from([0.5, 1.0, 2.0, 4.0]), min_size=1, max_size=12),
    st.sampled_from([LTR, RTL]),
    st.sampled_from(sorted(FORMATS)),
)
def test_layouts_by_weight_are_read_in_order_on_every_sheet(weights, direction, sheet):
    spec = spec_of(FORMATS[sheet], direction, ColorMode.COLOR)
    live = (spec.size.width - 2 * spec.margin) / (spec.size.height - 2 * spec.margin)
    for tiers in weighed_layouts(weights, weights, live, 5):
        _, boxes = place_frames(write_tiers(tiers), [], spec)
        assert len(boxes) == len(weights)
        assert in_reading_order(boxes, direction)
        assert all(Box(0, 0, *spec.size).intersection(box) == box for box in boxes)
        pairs = [(a, b) for i, a in enumerate(boxes) for b in boxes[i + 1 :]]
        assert all(not a.overlaps(b) or a.intersection(b) == b for a, b in pairs)


def test_an_important_panel_gets_more_of_the_page():
    plain = [art(n) for n in range(4)]
    loud = [art(n, weight=2.0 if n == 2 else 1.0) for n in range(4)]
    spec = PageSpec()

    def share(arts: list[PanelArt]) -> float:
        _, boxes = place_frames(rank_layouts(arts, spec, DYNAMIC)[0], arts, spec)
        return boxes[2].area / sum(box.area for box in boxes)

    assert share(loud) > 1.3 * share(plain)


def test_a_splash_stands_alone_and_bleeds():
    arts = [art(0), art(1, weight=4.0), art(2)]
    spec = PageSpec()
    _, boxes = place_frames(rank_layouts(arts, spec, DYNAMIC)[0], arts, spec)
    assert (boxes[1].x0, boxes[1].x1) == (0, spec.size.width)
    assert boxes[0].y1 < boxes[1].y0
    assert boxes[1].y1 < boxes[2].y0


def test_words_ask_for_room():
    arts = [art(0), art(1, words="word " * 60), art(2), art(3)]
    spec = PageSpec()
    _, boxes = place_frames(rank_layouts(arts, spec, DYNAMIC)[0], arts, spec)
    assert boxes[1].area == max(box.area for box in boxes)


def test_changing_a_layout_by_hand():
    tiers = read_tiers("1=1/1=1,1")
    assert write_tiers(resized(tiers, 0, 1.5)) == "1.5=1/1=1,1"
    assert write_tiers(resized(tiers, 2, 1.5)) == "1=1/1=1,1.5"
    assert write_tiers(merged(tiers, 1)) == "1=1,1,1"
    assert write_tiers(divided(tiers, 2)) == "1=1/1=1/1=1"
    assert write_tiers(divided(read_tiers("1=1,1+1+1"), 2)) == "1=1,1/1=1"
    assert split_of(tiers).tiers


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        (lambda t: merged(t, 0), "first tier"),
        (lambda t: divided(t, 0), "begins a tier already"),
        (lambda t: divided(t, 9), "has 3 panels"),
        (lambda t: resized(t, 0, 99), "too small or too large"),
        (lambda t: merged(read_tiers("1=1,1+1+1/1=1"), 3), "split them first"),
    ],
)
def test_a_change_that_cannot_be_is_refused(change, complaint):
    with pytest.raises(InvalidInput, match=complaint):
        change(read_tiers("1=1/1=1,1"))


def test_sheets_have_the_sizes_of_the_trade():
    assert FORMATS["a4"].size() == PageSpec().size
    assert FORMATS["us-comic"].size(300) == Size(1988, 3075)
    assert FORMATS["b5-manga"].size(600) == Size(4299, 6071)
    with pytest.raises(InvalidInput, match=r"no page size “a5”.*us-comic"):
        format_named("a5")


@pytest.mark.parametrize("direction", [LTR, RTL])
def test_a_small_panel_is_set_into_the_splash_before_it(direction: ReadingDirection):
    spec = PageSpec(reading_direction=direction)
    arts = [art(0), art(1, weight=4.0), art(2, weight=0.5)]
    name = "1=1/3!=1^0.34"
    _, boxes = place_frames(name, arts, spec)
    assert boxes[1].intersection(boxes[2]) == boxes[2]
    assert in_reading_order(boxes, direction)
    near = boxes[1].x1 - boxes[2].x1 < boxes[2].x0 - boxes[1].x0
    assert near == (direction is LTR)
    assert any("^" in name for name in rank_layouts(arts, spec, DYNAMIC))


def test_an_inset_spares_heads_and_balloons_spare_the_inset():
    head = PlacedFigure("ch_a", Box(600, 200, 1000, 768), Box(700, 400, 1000, 760))
    lines = tuple(DialogueLine(f"Line number {n} of what she says.", "ch_a") for n in range(3))
    image = io.BytesIO()
    Image.new("RGB", (1024, 768), "khaki").save(image, "PNG")
    host = PanelArt(1, image.getvalue(), Size(1024, 768), (head,), lines, None, 4.0)
    small = replace(host, panel_id=2, figures=(), dialogue=(), weight=0.5)
    page = compose_page([host, small], PageSpec(), layout="1!=1^0.34")
    frame, inset = page.frames
    assert not inset.box.overlaps(frame.to_page(head.head or Box(0, 0, 1, 1)))
    assert len(page.balloons) == 3
    assert not any(balloon.box.overlaps(inset.box) for balloon in page.balloons)
    assert render_page(page, [host, small])
