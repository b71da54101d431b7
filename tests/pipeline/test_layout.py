"""Templates keep the reading order; frames never cut a head."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from pipeline.comics.framing import frame_art, head_of
from pipeline.comics.layout import layout_names, place_frames, rank_layouts
from pipeline.comics.templates import TEMPLATES, frames_of, in_reading_order, panel_count
from pipeline.domain.character import ReadingDirection, ShotType
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import PageSpec, PanelArt
from pipeline.domain.panel import DialogueLine, PlacedFigure

ART_SIZE = Size(1024, 768)
LTR, RTL, WEBTOON = ReadingDirection.LTR, ReadingDirection.RTL, ReadingDirection.WEBTOON


def art(number: int, size: Size = ART_SIZE, *heads: Box, words: str = "") -> PanelArt:
    figures = tuple(
        PlacedFigure(f"ch_{i}", Box(h.x0, h.y0, h.x1, size.height), h) for i, h in enumerate(heads)
    )
    dialogue = (DialogueLine(words, "ch_0"),) if words else ()
    return PanelArt(number, b"", size, figures, dialogue)


@pytest.mark.parametrize("direction", [LTR, RTL])
@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_fills_the_page_in_reading_order(name: str, direction: ReadingDirection):
    spec = PageSpec(reading_direction=direction)
    boxes = frames_of(name, spec)
    assert len(boxes) == panel_count(TEMPLATES[name])
    assert in_reading_order(boxes, direction)
    assert min(b.x0 for b in boxes) == spec.margin
    assert max(b.x1 for b in boxes) == spec.size.width - spec.margin
    assert max(b.y1 for b in boxes) == spec.size.height - spec.margin
    for i, a in enumerate(boxes):
        assert a.width > 200
        assert a.height > 200
        for b in boxes[i + 1 :]:
            grown = Box(
                a.x0 - spec.gutter, a.y0 - spec.gutter, a.x1 + spec.gutter, a.y1 + spec.gutter
            )
            near = grown.intersection(b)
            assert not a.overlaps(b)
            assert near.area == 0, "frames keep the gutter"


@pytest.mark.parametrize("name", TEMPLATES)
def test_right_to_left_is_the_mirror_of_left_to_right(name: str):
    gutter = 18
    ltr = frames_of(name, PageSpec(gutter=gutter))
    rtl = frames_of(name, PageSpec(gutter=gutter, reading_direction=RTL))
    assert [(1240 - b.x1, 1240 - b.x0) for b in rtl] == [(b.x0, b.x1) for b in ltr]


def test_every_count_from_one_to_six_has_templates():
    counts = [len(layout_names(n, LTR)) for n in range(1, 7)]
    assert sum(counts) >= 12
    assert counts[0] >= 1
    assert all(count >= 3 for count in counts[1:])


def test_the_order_rule_refuses_a_page_read_backwards():
    boxes = frames_of("four-grid", PageSpec())
    assert not in_reading_order(boxes[::-1], LTR)
    assert not in_reading_order(boxes, RTL)


def test_an_unknown_layout_is_refused_with_the_names_that_fit():
    arts = [art(i) for i in range(3)]
    with pytest.raises(InvalidInput, match=r"three-tiers.*tall-then-two") as caught:
        rank_layouts(arts, PageSpec(), "diagonal")
    assert "diagonal" in str(caught.value)
    with pytest.raises(InvalidInput, match="does not suit"):
        rank_layouts(arts, PageSpec(), "six-grid")


@pytest.mark.parametrize("count", [0, 13])
def test_too_few_or_too_many_panels_are_refused(count: int):
    with pytest.raises(InvalidInput, match="1 to 12 panels"):
        rank_layouts([art(i) for i in range(count)], PageSpec())


def test_wide_pictures_choose_tiers_and_tall_ones_columns():
    wide = [art(i, Size(1600, 700)) for i in range(2)]
    tall = [art(i, Size(600, 1400)) for i in range(2)]
    assert rank_layouts(wide, PageSpec())[0] == "two-tiers"
    assert rank_layouts(tall, PageSpec())[0] == "two-columns"


def test_a_talkative_panel_gets_the_large_frame():
    words = "Something long enough to need a great deal of room in its frame. " * 10
    arts = [art(0), art(1, words=words)]
    assert rank_layouts(arts, PageSpec())[0] == "two-closing"
    assert rank_layouts(arts[::-1], PageSpec())[0] == "two-opening"


def test_a_webtoon_is_one_column_as_tall_as_its_panels():
    spec = PageSpec(size=Size(800, 1280), reading_direction=WEBTOON)
    arts = [art(i) for i in range(9)]
    assert rank_layouts(arts, spec) == ("strip",)
    size, boxes = place_frames("strip", arts, spec)
    assert size.width == 800
    assert size.height == boxes[-1].y1 + spec.margin
    assert in_reading_order(boxes, WEBTOON)


def test_shot_types_weigh_the_frames():
    arts = [
        PanelArt(0, b"", Size(1000, 1000), shot_type=ShotType.HEADSHOT),
        PanelArt(1, b"", Size(1000, 1000), shot_type=ShotType.DYNAMIC),
    ]
    assert rank_layouts(arts, PageSpec())[0] == "two-closing"


@st.composite
def framed(draw: st.DrawFn) -> tuple[PanelArt, Box, float]:
    size = Size(draw(st.integers(64, 2000)), draw(st.integers(64, 2000)))
    heads = []
    for _ in range(draw(st.integers(0, 4))):
        x0, y0 = draw(st.integers(0, size.width - 9)), draw(st.integers(0, size.height - 9))
        heads.append(
            Box(
                x0,
                y0,
                min(size.width, x0 + draw(st.integers(8, 900))),
                min(size.height, y0 + draw(st.integers(8, 900))),
            )
        )
    box = Box(40, 60, 40 + draw(st.integers(120, 1200)), 60 + draw(st.integers(120, 1700)))
    return art(1, size, *heads), box, draw(st.sampled_from([1.0, 1.3, 1.8]))


@settings(deadline=None, max_examples=150)
@given(framed())
@example(  # a window hardly wider than the head
    (
        PanelArt(
            1, b"", Size(70, 65), (PlacedFigure("ch_0", Box(8, 1, 22, 65), Box(8, 1, 22, 9)),)
        ),
        Box(40, 60, 161, 1032),
        1.8,
    )
)
def test_no_frame_cuts_a_head(case: tuple[PanelArt, Box, float]):
    picture, box, zoom = case
    frame = frame_art(picture, box, zoom)
    assert frame.art.intersection(box) == frame.art
    assert frame.crop.intersection(Box(0, 0, *picture.size)) == frame.crop
    for figure in picture.figures:
        head = head_of(figure)
        # whole pixels of crop and art: a head may miss one pixel at most
        assert head.x0 >= frame.crop.x0 - 1
        assert head.y0 >= frame.crop.y0 - 1
        assert head.x1 <= frame.crop.x1 + 1
        assert head.y1 <= frame.crop.y1 + 1
    stretch = (frame.art.width / frame.crop.width) / (frame.art.height / frame.crop.height)
    slack = 2 / min(frame.art.width, frame.art.height) + 2 / min(
        frame.crop.width, frame.crop.height
    )
    assert abs(stretch - 1) <= slack, "a picture is never distorted"


def test_a_picture_without_heads_keeps_its_middle():
    frame = frame_art(art(1, Size(1000, 500)), Box(0, 0, 500, 500))
    assert frame.art == frame.box
    assert frame.crop == Box(250, 0, 750, 500)


def test_heads_too_far_apart_make_the_picture_stand_whole():
    picture = art(1, Size(1000, 500), Box(0, 100, 100, 200), Box(900, 100, 1000, 200))
    frame = frame_art(picture, Box(0, 0, 500, 500))
    assert (frame.crop.x0, frame.crop.x1) == (0, 1000)
    assert frame.art.height < frame.box.height
