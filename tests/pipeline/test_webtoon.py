"""Webtoon slices: small enough, complete, and never cut through what should stay whole."""

import json
import zipfile
from dataclasses import replace
from io import BytesIO
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.comics.export.book import export_book, spec_for
from pipeline.comics.export.slicing import Strip, cuts_of
from pipeline.domain.character import ReadingDirection
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box
from pipeline.domain.page import PageSpec


def opened(comic, **options):
    return zipfile.ZipFile(BytesIO(export_book("webtoon", comic.pages, comic.info, **options)))


@pytest.mark.parametrize("direction", list(ReadingDirection))
def test_any_book_becomes_slices_that_sites_take(make_comic, direction):
    comic = make_comic(direction, "webtoon")
    with opened(comic) as archive:
        index = json.loads(archive.read("index.json"))
        names = [entry["file"] for entry in index["slices"]]
        assert sorted(names) == names
        assert [*names, "index.json"] == archive.namelist()
        pieces = []
        for entry in index["slices"]:
            data = archive.read(entry["file"])
            assert len(data) == entry["bytes"] <= 2_000_000
            with Image.open(BytesIO(data)) as image:
                assert image.width == entry["width"] == 800
                assert image.height == entry["height"] <= 1280
                pieces.append(np.asarray(image.convert("RGB"), int))
    # Put together again they are the strip, nothing lost and nothing twice.
    whole = np.concatenate(pieces)
    assert len(whole) == index["height"]
    strips = [np.asarray(Image.open(BytesIO(page.png)), int) for page in comic.pages]
    assert whole.shape == np.concatenate(strips).shape
    assert np.abs(whole - np.concatenate(strips)).mean() < 3
    tops = [entry["top"] for entry in index["slices"]]
    assert tops == list(np.cumsum([0, *(len(p) for p in pieces)])[:-1])


def test_no_slice_ends_within_a_panel_where_gutters_are_in_reach(make_comic):
    comic = make_comic(ReadingDirection.RTL, "webtoon")
    with opened(comic) as archive:
        index = json.loads(archive.read("index.json"))
    ends = [entry["top"] for entry in index["slices"]]
    for panel in index["panels"]:
        _, top, _, bottom = panel["box"]
        assert [end for end in ends if top < end < bottom] == []
        assert len(panel["slices"]) == 1


def test_the_index_lists_panels_in_order_with_words(make_comic):
    comic = make_comic(ReadingDirection.LTR, "webtoon")
    with opened(comic) as archive:
        index = json.loads(archive.read("index.json"))
    assert [p["panel"] for p in index["panels"]] == [10, 11, 12, 13, 20, 21, 22, 23]
    tops = [p["box"][1] for p in index["panels"]]
    assert tops == sorted(tops)
    assert index["panels"][2]["alt"] == (
        "Medium shot of Ava: Ava runs. Ava shouts: “RUN!” Ava thinks: “Why <now>?”"
    )
    assert index["panels"][2]["dialogue"] == ["Ava shouts: “RUN!”", "Ava thinks: “Why <now>?”"]
    assert index["series"] == "The Rain <Door>"


def test_a_page_that_is_no_strip_is_refused(make_comic):
    comic = make_comic()
    with pytest.raises(InvalidInput, match="strip"):
        opened(comic)


def test_a_strip_takes_over_nothing_of_the_page_but_its_proportions():
    spec = PageSpec(title="A title", reading_direction=ReadingDirection.RTL)
    strip = spec_for("webtoon", spec)
    assert (strip.size.width, strip.title, strip.show_number) == (800, "", False)
    assert strip.reading_direction is ReadingDirection.WEBTOON
    assert spec_for("epub", spec) == spec


# --- cutting ---------------------------------------------------------------------------------


@st.composite
def strips(draw):
    """Panels from flat to far taller than a slice, with things in them."""
    y, panels, things = draw(st.integers(0, 60)), [], []
    for _ in range(draw(st.integers(1, 6))):
        height = draw(st.integers(60, 3000))
        panels.append(Box(20, y, 780, y + height))
        for _ in range(draw(st.integers(0, 4))):
            tall = draw(st.integers(10, min(height, 500)))
            top = y + draw(st.integers(0, height - tall))
            things.append(Box(100, top, 300, top + tall))
        y += height + draw(st.integers(2, 60))
    detail = np.random.default_rng(draw(st.integers(0, 9))).uniform(0, 90, y + 1)
    return Strip(y, panels, things, detail)


@settings(max_examples=150, deadline=None)
@given(strips())
def test_cuts_keep_things_whole_wherever_that_is_possible(strip):
    tallest = 1280
    cuts = [0, *cuts_of(strip, tallest)]
    assert cuts[-1] == strip.height
    assert all(0 < b - a <= tallest for a, b in pairwise(cuts))
    for start, cut in pairwise(cuts[:-1]):
        # A gutter counts where it begins within reach; the one of the last cut does not.
        gutters = [p.y1 for p in strip.panels if start < p.y1 <= start + tallest]
        in_panel = any(p.y0 < cut < p.y1 for p in strip.panels)
        in_thing = any(t.y0 < cut < t.y1 for t in strip.kept_whole)
        if any(not any(t.y0 < row < t.y1 for t in strip.kept_whole) for row in gutters):
            assert not in_panel
            assert not in_thing
        late = range(start + round(0.4 * tallest), start + tallest + 1)
        if any(not any(t.y0 < row < t.y1 for t in strip.kept_whole) for row in late):
            assert not in_thing


def test_within_a_panel_the_quietest_row_is_cut():
    detail = np.full(3001, 50.0)
    detail[900] = 1.0
    detail[700] = 0.0  # quieter, but a balloon is there
    strip = Strip(3000, [Box(0, 0, 800, 3000)], [Box(100, 650, 300, 800)], detail)
    assert cuts_of(strip, 1280)[0] == 900


def test_a_balloon_is_kept_with_its_tail(make_comic):
    comic = make_comic(ReadingDirection.LTR, "webtoon", 1)
    page = comic.pages[0]
    spoken = next(b for b in page.page.balloons if b.tail is not None)
    # One panel from top to bottom: only balloons and heads say where not to cut.
    frame = replace(page.page.frames[0], box=Box(0, 0, 800, page.page.size.height))
    taller = replace(page, page=replace(page.page, frames=(frame,)))
    with opened(replace(comic, pages=[taller])) as archive:
        index = json.loads(archive.read("index.json"))
    ends = {entry["top"] for entry in index["slices"]} - {0}
    assert ends
    low = min(spoken.box.y0, spoken.tail.tip.y)
    high = max(spoken.box.y1, spoken.tail.tip.y)
    for end in ends:
        assert not low < end < high
        assert not any(head.y0 < end < head.y1 for head in page.heads)
