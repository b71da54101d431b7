"""Balloons: never over a face, never overfull, always in the order of the script."""

import os
import random
from collections.abc import Sequence
from itertools import combinations, pairwise, product
from math import cos, radians, sin

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, ImageFont

from pipeline.comics.balloons import body, core, curve, tail_parts
from pipeline.comics.fonts import (
    STYLE_OF_KIND,
    FontStyle,
    MissingGlyph,
    bundled_fonts,
    face_for,
    font_path,
    lacking,
)
from pipeline.comics.framing import head_of
from pipeline.comics.lettering import DoesNotFit, letter_panel, sizes_for
from pipeline.comics.measures import CAP
from pipeline.comics.page import compose_page
from pipeline.comics.shaping import line_width
from pipeline.comics.textfit import fits
from pipeline.domain.character import ReadingDirection
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import Balloon, LetteredPage, PageSpec, PanelArt, Point
from pipeline.domain.panel import BalloonKind, DialogueLine, PlacedFigure

LTR, RTL, WEBTOON = ReadingDirection.LTR, ReadingDirection.RTL, ReadingDirection.WEBTOON
SPEECH, THOUGHT = BalloonKind.SPEECH, BalloonKind.THOUGHT
SHOUT, CAPTION, SFX = BalloonKind.SHOUT, BalloonKind.CAPTION, BalloonKind.SFX
NAMELESS = (CAPTION, BalloonKind.NARRATION, SFX)
SCRIPTS = int(os.environ.get("ONMODEL_TEST_SCRIPTS", "90"))
WIDE = Box(62, 62, 1178, 700)
WORDS = """
    a the we you they I night door rain nobody library lantern listen wait again never always
    tomorrow something underneath impossible lighthouse quietly storm? map! key… left, right,
    home. run! why? because perhaps extraordinarily well— no. yes. it’s don’t Zoë’s “soon”
""".split()  # noqa: SIM905 - a list of forty quoted words is worse to read


def sentence(chance: random.Random, longest: int) -> str:
    return " ".join(chance.choice(WORDS) for _ in range(chance.randint(1, longest)))


def random_art(chance: random.Random, panel_id: int) -> PanelArt:
    """A picture with up to three figures that do not stand in each other's faces."""
    size = chance.choice([Size(1024, 768), Size(1024, 768), Size(768, 1024), Size(1024, 1024)])
    count = chance.choice([0, 1, 1, 2, 2, 3])
    slot = size.width // max(1, count)
    figures = []
    for i in range(count):
        width = round(chance.uniform(0.18, 0.6) * slot)
        height = min(round(width * chance.uniform(1.0, 1.4)), size.height // 2)
        x0 = i * slot + chance.randint(0, slot - width)
        y0 = chance.randint(round(0.12 * size.height), round(0.45 * size.height))
        head = Box(x0, y0, x0 + width, y0 + height)
        box = Box(max(0, x0 - width // 3), y0, min(size.width, x0 + width * 4 // 3), size.height)
        figures.append(PlacedFigure(f"ch_{i}", box, head if chance.random() < 0.9 else None))
    kinds = [SPEECH, SPEECH, SPEECH, THOUGHT, SHOUT, CAPTION, *BalloonKind]
    lines = []
    for _ in range(chance.choice([0, 1, 1, 2, 2, 3, 4])):
        kind = chance.choice(kinds)
        speaker = None if kind in NAMELESS else f"ch_{chance.randint(0, max(0, count - 1))}"
        if kind not in NAMELESS and chance.random() < 0.08:
            speaker = "ch_elsewhere"
        also = f"ch_{count - 1}" if kind is BalloonKind.DOUBLE_TAIL and count > 1 else None
        longest = {SHOUT: 4, SFX: 1}.get(kind) or chance.choice([4, 8, 14])
        lines.append(
            DialogueLine(
                sentence(chance, longest), speaker, kind, None if also == speaker else also
            )
        )
    return PanelArt(panel_id, b"", size, tuple(figures), tuple(lines))


def random_page(seed: int) -> tuple[LetteredPage, list[PanelArt]]:
    chance = random.Random(seed)
    direction = chance.choice([LTR, LTR, RTL, RTL, WEBTOON])
    arts = [random_art(chance, i + 1) for i in range(chance.randint(1, 6))]
    size = Size(800, 1280) if direction is WEBTOON else Size(1240, 1754)
    return compose_page(arts, PageSpec(size=size, reading_direction=direction)), arts


def heads_on_page(page: LetteredPage, arts: Sequence[PanelArt]) -> dict[int, list[Box]]:
    frames = {f.panel_id: f for f in page.frames}
    return {
        art.panel_id: [frames[art.panel_id].to_page(head_of(f)) for f in art.figures]
        for art in arts
    }


def mask_of(shapes: Sequence[Sequence[Point]], size: Size) -> Image.Image:
    mask = Image.new("1", size)
    for shape in shapes:
        ImageDraw.Draw(mask).polygon([tuple(p) for p in shape], fill=1)
    return mask


def text_ends(balloon: Balloon) -> list[tuple[float, float, float, float]]:
    """Each line's box, measured by another rasteriser."""
    font = ImageFont.truetype(font_path(STYLE_OF_KIND[balloon.kind]), balloon.font_size * 8)
    middle = (balloon.text.x0 + balloon.text.x1) / 2
    found = []
    for i, line in enumerate(balloon.lines):
        x0, y0, x1, y1 = (v / 8 for v in font.getbbox(line, anchor="ls"))
        flush = balloon.kind in (CAPTION, BalloonKind.NARRATION)
        left = balloon.text.x0 if flush else middle - font.getlength(line) / 16
        base = balloon.text.y0 + CAP * balloon.font_size + i * balloon.line_height
        found.append((left + x0, base + y0, left + x1, base + y1))
    return found


def corners_of(balloon: Balloon) -> list[tuple[float, float]]:
    """The corners of all lines on the page, turned as the balloon is."""
    turn, (mx, my) = radians(balloon.angle), balloon.box.center
    return [
        (
            mx + (x - mx) * cos(turn) - (y - my) * sin(turn),
            my + (x - mx) * sin(turn) + (y - my) * cos(turn),
        )
        for x0, y0, x1, y1 in text_ends(balloon)
        for x, y in ((x0, y0), (x1, y0), (x0, y1), (x1, y1))
    ]


def assert_in_order(balloons: Sequence[Balloon], direction: ReadingDirection) -> None:
    """Top edges never rise; where two overlap in height the earlier one comes first across."""
    for a, b in combinations(balloons, 2):
        assert a.box.y0 <= b.box.y0
        if a.box.y1 > b.box.y0:
            assert (a.box.x0 >= b.box.x1) if direction is RTL else (a.box.x1 <= b.box.x0)
    sign = -1 if direction is RTL else 1
    by_eye = sorted(balloons, key=lambda b: (b.box.y0, sign * b.box.x0))
    assert [b.order for b in by_eye] == list(range(len(balloons)))


def assert_well_lettered(page: LetteredPage, arts: Sequence[PanelArt]) -> None:
    heads = heads_on_page(page, arts)
    by_panel = {art.panel_id: art for art in arts}
    least = sizes_for(PageSpec(size=page.size, reading_direction=page.reading_direction))[-1]
    for frame in page.frames:
        balloons = page.balloons_of(frame.panel_id)
        said = by_panel[frame.panel_id].dialogue
        assert len(balloons) == len(said)
        assert_in_order(balloons, page.reading_direction)
        for balloon, line in zip(balloons, said, strict=True):
            assert balloon.words == line.text
            assert (balloon.kind, balloon.speaker) == (line.kind, line.speaker)
            assert balloon.font_size >= round(least * 0.9)
            assert balloon.box.intersection(frame.box) == balloon.box
            assert not any(balloon.box.overlaps(head) for head in heads[frame.panel_id])
            if not balloon.angle:
                assert balloon.text.intersection(balloon.box) == balloon.text
        for a, b in combinations(balloons, 2):
            assert not a.box.overlaps(b.box)
            assert_tails_apart(a, b)
        assert_tails_clear(balloons, heads[frame.panel_id], frame.box)


def assert_tails_apart(a: Balloon, b: Balloon) -> None:
    for one, two in product(a.tails, b.tails):
        if a.order == two.joins:
            continue
        first = [curve(one, i / 12) for i in range(13)]
        second = [curve(two, i / 12) for i in range(13)]
        for p, q in pairwise(first):
            for r, s in pairwise(second):
                assert not _cross(p, q, r, s), (a, b)


def _cross(p: Point, q: Point, r: Point, s: Point) -> bool:
    def side(a: Point, b: Point, c: Point) -> float:
        return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)

    return side(p, q, r) * side(p, q, s) < 0 and side(r, s, p) * side(r, s, q) < 0


def assert_tails_clear(balloons: Sequence[Balloon], heads: Sequence[Box], frame: Box) -> None:
    for balloon in balloons:
        for shape in tail_parts(balloon):
            for x, y in shape:
                assert frame.x0 <= x <= frame.x1
                assert frame.y0 <= y <= frame.y1
                assert not any(h.x0 < x < h.x1 and h.y0 < y < h.y1 for h in heads), balloon
                for other in balloons:
                    joined = balloon.tail is not None and other.order == balloon.tail.joins
                    b = other.box
                    inside = b.x0 < x < b.x1 and b.y0 < y < b.y1
                    assert other is balloon or joined or not inside, (balloon, other)


@pytest.mark.parametrize("first", range(0, SCRIPTS, 15))
def test_random_scripts_are_well_lettered(first: int):
    refused = 0
    for seed in range(first, min(first + 15, SCRIPTS)):
        try:
            page, arts = random_page(seed)
        except DoesNotFit:
            refused += 1
            continue
        assert_well_lettered(page, arts)
    assert refused <= 1, "a script of ordinary length fits"


@st.composite
def speeches(draw: st.DrawFn) -> tuple[PanelArt, Box, ReadingDirection]:
    size = Size(draw(st.integers(500, 1400)), draw(st.integers(500, 1400)))
    count = draw(st.integers(0, 3))
    figures = []
    for i in range(count):
        x0 = draw(st.integers(0, size.width - 120))
        y0 = draw(st.integers(0, size.height - 140))
        side = draw(st.integers(60, 240))
        head = Box(x0, y0, min(size.width, x0 + side), min(size.height, y0 + side))
        figures.append(PlacedFigure(f"ch_{i}", Box(x0, y0, head.x1, size.height), head))
    text = st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join)
    speaker = st.sampled_from([None, "ch_0", "ch_1", "ch_2"])
    line = st.builds(DialogueLine, text, speaker, st.sampled_from(BalloonKind))
    lines = draw(st.lists(line, max_size=4))
    box = Box(60, 60, 60 + draw(st.integers(380, 1116)), 60 + draw(st.integers(380, 900)))
    direction = draw(st.sampled_from([LTR, RTL]))
    return PanelArt(7, b"", size, tuple(figures), tuple(lines)), box, direction


@settings(deadline=None, max_examples=60)
@given(speeches())
def test_any_panel_is_well_lettered_or_refused(case: tuple[PanelArt, Box, ReadingDirection]):
    art, box, direction = case
    spec = PageSpec(reading_direction=direction)
    try:
        panel = letter_panel(art, box, spec)
    except DoesNotFit:
        return
    page = LetteredPage(
        1, spec.size, "any", direction, spec.color_mode, (panel.frame,), panel.balloons
    )
    assert_well_lettered(page, [art])


def lettered(*lines: DialogueLine, heads: Sequence[Box] = (), box: Box = WIDE):
    figures = tuple(
        PlacedFigure(f"ch_{i}", Box(h.x0, h.y0, h.x1, 768), h) for i, h in enumerate(heads)
    )
    art = PanelArt(1, b"", Size(1344, 768), figures, lines)
    return letter_panel(art, box, PageSpec())


@pytest.mark.parametrize("kind", BalloonKind)
@pytest.mark.parametrize("seed", range(5))
def test_words_stay_inside_the_shape_that_is_drawn(kind: BalloonKind, seed: int):
    words = sentence(random.Random(seed), {SHOUT: 3, SFX: 2}.get(kind, 16))
    (balloon,) = lettered(DialogueLine(words, None, kind)).balloons
    inside = mask_of([core(balloon)], Size(1240, 1754))
    drawn = mask_of(body(balloon) or [core(balloon)], Size(1240, 1754))
    for x, y in corners_of(balloon):
        at = (round(x), round(y))
        assert inside.getpixel(at), (balloon.lines, at)
        assert drawn.getpixel(at)
        b = balloon.box
        assert b.x0 <= x <= b.x1
        assert b.y0 <= y <= b.y1


@pytest.mark.parametrize("kind", BalloonKind)
def test_the_drawn_shape_fills_its_box_and_no_more(kind: BalloonKind):
    (balloon,) = lettered(DialogueLine("Keep your voice down, please.", None, kind)).balloons
    points = [p for shape in body(balloon) or [core(balloon)] for p in shape]
    b = balloon.box
    assert b.x0 - 1 <= min(p.x for p in points) <= b.x0 + 0.15 * b.width
    assert b.x1 - 0.15 * b.width <= max(p.x for p in points) <= b.x1 + 1
    assert b.y0 - 1 <= min(p.y for p in points) <= b.y0 + 0.2 * b.height
    assert b.y1 - 0.2 * b.height <= max(p.y for p in points) <= b.y1 + 1


def test_round_balloons_take_lens_shaped_lines():
    text = "I told you the library closes at eight and you said we had all the time in the world"
    for fit in fits(text, SPEECH):
        if len(fit.lines) == 5:
            widths = [line_width(line, FontStyle.REGULAR) for line in fit.lines]
            assert max(widths) in widths[1:4]
            assert widths[0] < max(widths)
            assert widths[-1] < max(widths)
            return
    pytest.fail("five lines are among the breaks of a long sentence")


def test_another_shaper_measures_the_same():
    for style in FontStyle:
        font = ImageFont.truetype(font_path(style), 400)
        for text in ("AVATAR", "To Te Yo.", "we can’t go back", "Łódź žluť"):
            kerned = font.getlength(text) / 400
            assert line_width(text, style) == pytest.approx(kerned, rel=0.01)


def test_a_tail_aims_at_its_own_speaker_and_stops_short():
    heads = [Box(200, 250, 400, 480), Box(900, 250, 1100, 480)]
    panel = lettered(
        DialogueLine("You said nine.", "ch_0"), DialogueLine("I said ten.", "ch_1"), heads=heads
    )
    for balloon, head in zip(panel.balloons, heads, strict=True):
        shown = panel.frame.to_page(head)
        assert balloon.tail is not None
        tip, base = balloon.tail.tip, balloon.tail.base
        cx = (shown.x0 + shown.x1) / 2
        assert abs(tip.x - cx) <= abs(base.x - cx) + balloon.font_size / 2
        outside = max(shown.x0 - tip.x, tip.x - shown.x1, shown.y0 - tip.y, tip.y - shown.y1)
        assert 0 < outside < 6 * balloon.font_size


def test_an_unseen_speaker_s_tail_seeks_the_edge_and_a_caption_has_none():
    panel = lettered(
        DialogueLine("Meanwhile.", None, CAPTION), DialogueLine("Hello?", "ch_elsewhere")
    )
    assert panel.balloons[0].tail is None
    tail = panel.balloons[1].tail
    assert tail is not None
    middle = (panel.balloons[1].box.x0 + panel.balloons[1].box.x1) / 2
    nearer_left = middle < panel.frame.box.center[0]
    assert (tail.tip.x < tail.base.x) == nearer_left


def test_an_off_panel_tail_reaches_the_frame_although_the_speaker_is_drawn():
    panel = lettered(
        DialogueLine("Open up!", "ch_0", BalloonKind.OFF_PANEL), heads=[Box(600, 300, 760, 480)]
    )
    (balloon,) = panel.balloons
    assert balloon.tail is not None
    edge = min(balloon.tail.tip.x - panel.frame.box.x0, panel.frame.box.x1 - balloon.tail.tip.x)
    assert abs(edge) <= 2


def test_a_double_tail_points_at_both():
    heads = [Box(250, 330, 420, 520), Box(850, 330, 1020, 520)]
    panel = lettered(
        DialogueLine("Surprise!", "ch_0", BalloonKind.DOUBLE_TAIL, "ch_1"), heads=heads
    )
    (balloon,) = panel.balloons
    tips = sorted(tail.tip.x for tail in balloon.tails)
    for tip, head in zip(tips, heads, strict=True):
        shown = panel.frame.to_page(head)
        assert shown.x0 - 2 * balloon.font_size < tip < shown.x1 + 2 * balloon.font_size


def with_hands(*hands: Box, aim: tuple[float, float] | None = None) -> tuple[Box, list[Box], Box]:
    """Where one balloon goes, the hands on the page, and the frame."""
    head = Box(560, 300, 760, 500)
    figure = PlacedFigure("ch_0", Box(460, 300, 860, 768), head, hands=hands)
    line = DialogueLine("What is that up there?", "ch_0", aim=aim)
    art = PanelArt(1, b"", Size(1344, 768), (figure,), (line,))
    panel = letter_panel(art, WIDE, PageSpec())
    return panel.balloons[0].box, [panel.frame.to_page(h) for h in hands], panel.frame.box


def test_hands_are_spared_like_heads():
    free, _, _ = with_hands()
    everywhere = [Box(x, 60, x + 200, 260) for x in range(300, 1000, 200)]
    placed, hands, _ = with_hands(*everywhere)
    assert any(free.overlaps(hand) for hand in hands), "without hands it would go there"
    assert not any(placed.overlaps(hand) for hand in hands)


@pytest.mark.parametrize("aim", [(0.0, 0.0), (1.0, 0.0), (0.0, 1.0), (1.0, 1.0), (0.5, 0.5)])
def test_a_balloon_goes_where_somebody_wants_it_as_far_as_faces_allow(aim: tuple[float, float]):
    placed, _, frame = with_hands(aim=aim)
    x, y = placed.center
    across, down = (x - frame.x0) / frame.width, (y - frame.y0) / frame.height
    if aim == (0.5, 0.5):  # there is the face
        assert 0.2 < across < 0.8
        return
    assert (across > 0.5) == (aim[0] > 0.5)
    assert (down > 0.5) == (aim[1] > 0.5)


def test_two_lines_of_one_speaker_hang_together():
    panel = lettered(
        DialogueLine("I said it opens at nine.", "ch_0"),
        DialogueLine("Which is a different thing.", "ch_0"),
        heads=[Box(600, 430, 760, 620)],
    )
    first, second = panel.balloons
    assert first.tail is not None
    assert first.tail.joins is None
    assert second.tail is not None
    assert second.tail.joins == 0


def test_a_balloon_that_is_asked_to_hang_hangs_even_where_there_is_room_beside():
    panel = lettered(
        DialogueLine("I heard nothing.", "ch_0", BalloonKind.WHISPER),
        DialogueLine("Nothing at all.", "ch_0", BalloonKind.JOINED),
        heads=[Box(600, 420, 740, 600)],
    )
    tail = panel.balloons[1].tail
    assert tail is not None
    assert tail.joins == 0


def test_a_line_that_cannot_fit_is_refused_by_name():
    lines = [DialogueLine("Fine.", "ch_0"), DialogueLine(" ".join(["interminable"] * 60), "ch_0")]
    with pytest.raises(DoesNotFit, match=r"Line 2 of panel 1 .*Shorten it") as caught:
        lettered(*lines, heads=[Box(300, 300, 500, 520)], box=Box(62, 62, 420, 360))
    assert caught.value.code == "does_not_fit"


def test_a_character_that_no_font_has_is_refused_by_name():
    with pytest.raises(MissingGlyph, match=r"“ᚠ” \(U\+16A0\).*apt install fonts-noto") as caught:
        lettered(DialogueLine("ᚠ!", None))
    assert caught.value.code == "missing_glyph"


def test_the_bundled_fonts_write_latin_cyrillic_greek_arabic_and_emoji():
    signs = "‘’“”‚„«»‹›–—…¡¿€"
    latin = "".join(chr(c) for c in [*range(0x20, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x149)])
    assert lacking(latin + signs) == ()
    for text in ("Съешь ещё", "Θέλω τσάι", "مرحبا بك", "🚀❤️👍🏽"):
        faces = {face_for(c, FontStyle.REGULAR) for c in text if c not in " \ufe0f"}
        assert all(face is not None and face.path in bundled_fonts() for face in faces)


def test_a_face_that_fills_the_frame_makes_the_picture_step_back():
    panel = lettered(DialogueLine("Look me in the eye.", "ch_0"), heads=[Box(40, 10, 1300, 760)])
    (balloon,) = panel.balloons
    assert panel.frame.art != panel.frame.box
    assert not balloon.box.overlaps(panel.frame.to_page(Box(40, 10, 1300, 760)))


def test_a_very_long_word_is_divided():
    fit = fits("A" * 90, SHOUT)[0]
    assert "".join(line.rstrip("-") for line in fit.lines) == "A" * 90


def test_a_page_keeps_one_size_where_it_can():
    chance = random.Random(5)
    head = Box(420, 300, 600, 520)
    arts = [
        PanelArt(
            i,
            b"",
            Size(1024, 768),
            (PlacedFigure("ch_0", Box(380, 300, 640, 768), head),),
            (DialogueLine(sentence(chance, 6), "ch_0"),),
        )
        for i in range(4)
    ]
    page = compose_page(arts, PageSpec())
    assert len({b.font_size for b in page.balloons}) == 1
