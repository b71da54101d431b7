"""Pages: composed, stored as text, drawn to pixels."""

from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from pipeline.comics.page import compose_page, render_page
from pipeline.domain.character import ColorMode, ReadingDirection
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import LetteredPage, PageSpec, PanelArt
from pipeline.domain.panel import BalloonKind, DialogueLine, PlacedFigure

SIZE = Size(620, 877)
GROUND = (90, 150, 210)
HEAD_COLOUR = (200, 40, 60)
HEAD = Box(160, 110, 240, 200)


def picture(mode: str = "RGB") -> bytes:
    image = Image.new(mode, (400, 300), GROUND)
    image.paste(HEAD_COLOUR, tuple(HEAD))
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def art(panel_id: int, *lines: DialogueLine, mode: str = "RGB") -> PanelArt:
    figure = PlacedFigure("ch_ava", Box(140, 110, 260, 300), HEAD)
    return PanelArt(panel_id, picture(mode), Size(400, 300), (figure,), lines)


def spec(**changed: object) -> PageSpec:
    given = {"size": SIZE, "margin": 31, "gutter": 9, **changed}
    return PageSpec(**given)  # pyright: ignore[reportArgumentType] - names are checked at run time


def pixels(png: bytes) -> np.ndarray:
    with Image.open(BytesIO(png)) as image:
        assert image.format == "PNG"
        assert image.mode == "RGB"
        return np.asarray(image)


LINES = [
    DialogueLine("We should not be here.", "ch_ava"),
    DialogueLine("Not after dark.", "ch_ava", BalloonKind.THOUGHT),
    DialogueLine("Nobody came.", None, BalloonKind.CAPTION),
    DialogueLine("RUN!", "ch_ava", BalloonKind.SHOUT),
]


@pytest.mark.parametrize("direction", ReadingDirection)
def test_a_page_goes_through_json_unchanged(direction: ReadingDirection):
    arts = [art(1, LINES[0], LINES[1]), art(2, LINES[3])]
    page = compose_page(arts, spec(reading_direction=direction), number=7)
    assert LetteredPage.from_json(page.to_json()) == page
    assert page.number == 7
    with pytest.raises(ValueError, match="not a lettered page"):
        LetteredPage.from_json("{}")


def test_a_page_draws_the_same_pixels_each_time():
    arts = [art(1, *LINES[:2]), art(2, *LINES[2:])]
    page = compose_page(arts, spec())
    assert render_page(page, arts) == render_page(LetteredPage.from_json(page.to_json()), arts)
    assert compose_page(arts, spec(), layout=page.layout) == page


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_page_is_opaque_white_with_art_in_the_frames(mode: str):
    arts = [art(i, mode=mode) for i in range(4)]
    page = compose_page(arts, spec(show_number=False), layout="four-grid")
    sheet = pixels(render_page(page, arts))
    assert sheet.shape == (877, 620, 3)
    assert (sheet[:28] == 255).all()
    assert (sheet[-28:] == 255).all()
    for frame in page.frames:
        head = frame.to_page(HEAD)
        x, y = (round(v) for v in head.center)
        assert tuple(sheet[y, x]) == HEAD_COLOUR
        assert tuple(sheet[frame.box.y0 + 8, frame.box.x0 + 8]) == GROUND
        border = sheet[frame.box.y0, frame.box.x0 : frame.box.x1].astype(int).sum(1)
        assert (border < 120).mean() > 0.95


@pytest.mark.parametrize("line", LINES, ids=lambda line: line.kind.value)
def test_a_balloon_is_paper_with_ink_and_hides_no_face(line: DialogueLine):
    arts = [art(1, line)]
    page = compose_page(arts, PageSpec())
    plain = compose_page([art(1)], PageSpec())
    bare = pixels(render_page(plain, arts))
    sheet = pixels(render_page(page, arts))
    (balloon,) = page.balloons
    text = sheet[balloon.text.y0 : balloon.text.y1, balloon.text.x0 : balloon.text.x1]
    paper = text.min(2) > 200
    ink = text.max(2) < 90
    assert paper.mean() > 0.5
    assert 0.05 < ink.mean() < 0.4
    head = page.frames[0].to_page(HEAD)
    if page.frames == plain.frames:
        changed = (bare != sheet).any(2)
        assert not changed[head.y0 : head.y1, head.x0 : head.x1].any()
        outside = changed.copy()
        b = page.frames[0].box
        outside[b.y0 : b.y1, b.x0 : b.x1] = False
        assert not outside.any(), "balloons and tails stay inside their frame"
    assert (sheet[head.y0 + 30 : head.y1 - 30, head.x0 + 30 : head.x1 - 30] == HEAD_COLOUR).all()


def test_words_leave_a_margin_of_paper_all_around():
    arts = [art(1, LINES[0])]
    page = compose_page(arts, PageSpec())
    sheet = pixels(render_page(page, arts)).max(2)
    (balloon,) = page.balloons
    t, gap = balloon.text, 3
    grown = Box(t.x0 - gap, t.y0 - gap, t.x1 + gap, t.y1 + gap)
    ring = sheet[grown.y0 : grown.y1, grown.x0 : grown.x1].copy()
    ring[gap:-gap, gap:-gap] = 255
    assert (ring > 150).all()


def test_a_grayscale_page_has_no_colour():
    arts = [art(1, *LINES[:2])]
    sheet = pixels(render_page(compose_page(arts, spec(color_mode=ColorMode.GRAYSCALE)), arts))
    assert (sheet[..., 0] == sheet[..., 1]).all()
    assert (sheet[..., 1] == sheet[..., 2]).all()


def test_the_page_number_stands_at_the_foot():
    arts = [art(1)]
    foot = slice(877 - 29, 877)
    plain = pixels(render_page(compose_page(arts, spec(show_number=False)), arts))[foot]
    numbered = pixels(render_page(compose_page(arts, spec(title="The Door"), number=3), arts))[foot]
    assert (plain == 255).all()
    columns = np.flatnonzero((numbered < 200).any((0, 2)))
    assert abs((columns[0] + columns[-1]) / 2 - 310) < 8


def test_right_to_left_pages_put_the_first_panel_on_the_right():
    arts = [art(i, LINES[0]) for i in range(4)]
    page = compose_page(arts, spec(reading_direction=ReadingDirection.RTL), layout="four-grid")
    first, second = page.frames[:2]
    assert first.box.x0 > second.box.x1
    assert [f.panel_id for f in page.frames] == [0, 1, 2, 3]


def test_a_webtoon_is_as_tall_as_its_panels():
    arts = [art(i, LINES[0]) for i in range(8)]
    page = compose_page(arts, spec(reading_direction=ReadingDirection.WEBTOON))
    assert page.layout == "strip"
    assert pixels(render_page(page, arts)).shape == (page.size.height, 620, 3)
    assert page.size.height > 8 * 300


def test_a_panel_twice_or_missing_art_is_refused():
    with pytest.raises(InvalidInput, match="twice"):
        compose_page([art(1), art(1)], spec())
    page = compose_page([art(1), art(2)], spec())
    with pytest.raises(InvalidInput, match="panel 2 is missing"):
        render_page(page, [art(1)])
