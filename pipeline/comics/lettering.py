"""Lettering a panel: sizes, the room that figures leave, balloons with their tails.

The whole page wants one size of lettering. Words shrink in small steps down to the smallest
readable size, then the picture is set back to give them ground; only then a line is refused.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from pipeline.comics.balloons import curve
from pipeline.comics.framing import frame_art
from pipeline.comics.markup import plain_text
from pipeline.comics.measures import COLUMN_PITCH, LEADING
from pipeline.comics.placement import Place, Segment, place_balloons
from pipeline.comics.rooms import heads_by_speaker, room_of
from pipeline.comics.scripts import language_of, stands_upright
from pipeline.comics.siting import Line, Room
from pipeline.comics.tails import bend_tail, neck, path
from pipeline.comics.textfit import PADDING, fits
from pipeline.domain.character import ReadingDirection
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box
from pipeline.domain.page import Balloon, PageSpec, PanelArt, PanelFrame, Point, Tail
from pipeline.domain.panel import BalloonKind, DialogueLine

# Speech, as a share of the page's width. 0.0205 is 25 px on a page of 1240, about nine points
# on an A4 sheet; under 0.0145 (18 px) capitals get smaller than two millimetres.
_BASE, _LEAST = 0.0205, 0.0145
# A strip is read on a phone, where its width is what is seen at once.
_STRIP_BASE, _STRIP_LEAST = 0.033, 0.026
_RELATIVE = {
    BalloonKind.SHOUT: 1.14,
    BalloonKind.WHISPER: 0.9,
    BalloonKind.RADIO: 0.96,
    BalloonKind.CAPTION: 0.94,
    BalloonKind.NARRATION: 0.94,
    BalloonKind.SFX: 2.1,
}
# Only plain voices are joined by themselves; others where the script says so.
_CHAINED = (BalloonKind.SPEECH, BalloonKind.JOINED)
_ZOOMS = (1.0, 1.3, 1.7, 2.3, 3.0)
# Words may shrink to this share before the picture is set back instead.
_EASY = 0.8


@dataclass(frozen=True, slots=True)
class LetteredPanel:
    """A frame with its balloons, all at one ``size`` of speech (pixels per em).

    ``regret`` is 0 when nothing had to give way: smaller words, a picture set back, lost tails.
    """

    frame: PanelFrame
    balloons: tuple[Balloon, ...]
    size: int
    regret: float = 0.0


class DoesNotFit(InvalidInput):
    """A line of dialogue has no room at a readable size."""

    code = "does_not_fit"


def sizes_for(spec: PageSpec) -> tuple[int, ...]:
    """The sizes of speech to try, pixels per em, largest first."""
    strip = spec.reading_direction is ReadingDirection.WEBTOON
    base, least = (_STRIP_BASE, _STRIP_LEAST) if strip else (_BASE, _LEAST)
    high, low = spec.size.width * base, spec.size.width * least
    steps = {round(high - (high - low) * i / 5) for i in range(6)}
    return tuple(sorted((max(8, s) for s in steps), reverse=True))


def letter_panel(
    art: PanelArt,
    box: Box,
    spec: PageSpec,
    sizes: Sequence[int] | None = None,
    taken: Sequence[Box] = (),
) -> LetteredPanel:
    """Frame one panel in ``box`` and letter its dialogue.

    Args:
        art: the picture with its figures and its lines.
        box: the frame, in page pixels.
        spec: the page.
        sizes: the sizes to try instead of the page's own.
        taken: frames that are set into this one.

    Raises:
        DoesNotFit: a line has no room even at the smallest size; the message names it.
        InvalidInput: a line is empty or holds a character that the font lacks.
    """
    sizes = sizes or sizes_for(spec)
    if not art.dialogue:
        return LetteredPanel(frame_art(art, box), (), sizes[0])
    reached = 0
    for hands, tails_needed, zoom, steps in _attempts(art, sizes):
        frame = frame_art(art, box, zoom)
        room = room_of(art, frame, spec, sizes[0], hands=hands, taken=taken)
        size, places, done = _largest((art, spec), frame, room, steps, tails_needed)
        if done == len(art.dialogue):
            balloons = _balloons(art, _lines(art, frame, size, spec), places, room, spec)
            regret = 4 * (zoom - 1) + 6 * (1 - size / sizes[0]) + 2 * (not tails_needed)
            return LetteredPanel(frame, balloons, size, regret)
        reached = max(reached, done)
    line = art.dialogue[reached]
    quoted = line.text if len(line.text) <= 60 else line.text[:57] + "…"
    raise DoesNotFit(
        f"Line {reached + 1} of panel {art.panel_id} (“{quoted}”) does not fit at a readable "
        "size. Shorten it, move it to another panel, or choose a layout with a larger frame."
    )


def _attempts(
    art: PanelArt, sizes: Sequence[int]
) -> Iterator[tuple[bool, bool, float, Sequence[int]]]:
    """Settings, best first: (hands spared, every tail needed, how far set back, sizes)."""
    easy = [s for s in sizes if s >= _EASY * sizes[0]]
    stages = [(True, True), (True, False)]
    if any(figure.hands for figure in art.figures):
        stages.append((False, False))
    for hands, tails_needed in stages:
        for steps in (easy, sizes[len(easy) :]):
            for zoom in _ZOOMS if steps else ():
                yield hands, tails_needed, zoom, steps


def _largest(
    panel: tuple[PanelArt, PageSpec],
    frame: PanelFrame,
    room: Room,
    steps: Sequence[int],
    tails_needed: bool,
) -> tuple[int, tuple[Place, ...], int]:
    """The largest of the sizes that fits, its places, and how many lines were placed.

    The smallest is tried after the largest: where it fails, those between are not worth trying.
    """

    def place(size: int) -> tuple[int, tuple[Place, ...], int]:
        return (size, *place_balloons(_lines(art, frame, size, spec), room, tails_needed))

    art, spec = panel

    largest = place(steps[0])
    if largest[2] == len(art.dialogue) or len(steps) == 1:
        return largest
    smallest = place(steps[-1])
    if smallest[2] == len(art.dialogue):
        for size in steps[1:-1]:
            between = place(size)
            if between[2] == len(art.dialogue):
                return between
    return smallest


def _lines(art: PanelArt, frame: PanelFrame, size: int, spec: PageSpec) -> list[Line]:
    heads = {
        who: frame.to_page(head).intersection(frame.box)
        for who, head in heads_by_speaker(art.figures).items()
    }
    found: list[Line] = []
    before: DialogueLine | None = None
    for line in art.dialogue:
        away = line.kind is BalloonKind.OFF_PANEL
        sought = () if away or not line.kind.has_tail else (line.speaker, line.also)
        seen = tuple(heads[who] for who in dict.fromkeys(sought) if who in heads)
        found.append(
            Line(
                kind=line.kind,
                em=size * _RELATIVE.get(line.kind, 1.0),
                fits=fits(line.text, line.kind, spec.language, vertical=_in_columns(line, spec)),
                heads=seen,
                follows=before is not None and _continues(before, line) and bool(seen),
                offstage=line.kind.has_tail and not seen and (away or line.speaker is not None),
                aim=_aimed(line, frame.box),
            )
        )
        before = line
    return found


def _in_columns(line: DialogueLine, spec: PageSpec) -> bool:
    """Whether a line is set from top to bottom: what manga does with Japanese and Chinese."""
    if spec.reading_direction is not ReadingDirection.RTL or line.kind is BalloonKind.SFX:
        return False
    return stands_upright(plain_text(line.text))


def _aimed(line: DialogueLine, box: Box) -> tuple[float, float] | None:
    if line.aim is None:
        return None
    return box.x0 + line.aim[0] * box.width, box.y0 + line.aim[1] * box.height


def _continues(before: DialogueLine, line: DialogueLine) -> bool:
    """Whether a line goes on where the same speaker stopped, in the same voice."""
    if before.speaker != line.speaker or not before.kind.has_tail or before.also or line.also:
        return False
    if BalloonKind.OFF_PANEL in (before.kind, line.kind):
        return False
    joins = line.kind is BalloonKind.JOINED and before.kind is not BalloonKind.THOUGHT
    return joins or (before.kind in _CHAINED and line.kind in _CHAINED)


def _balloons(
    art: PanelArt, lines: Sequence[Line], places: Sequence[Place], room: Room, spec: PageSpec
) -> tuple[Balloon, ...]:
    tails = _tails(lines, places, room)
    return tuple(
        _balloon(art, order, line, place, spec, tails)
        for order, (line, place) in enumerate(zip(lines, places, strict=True))
    )


def _balloon(
    art: PanelArt,
    order: int,
    line: Line,
    place: Place,
    spec: PageSpec,
    tails: Mapping[tuple[int, int], Tail],
) -> Balloon:
    said, fit = art.dialogue[order], place.fit
    cx, cy = place.box.center
    half_w, half_h = fit.text_width * line.em / 2, fit.text_height * line.em / 2
    words = plain_text(said.text)
    mine = [tails[order, target] for target in (0, 1) if (order, target) in tails]
    return Balloon(
        panel_id=art.panel_id,
        order=order,
        kind=line.kind,
        speaker=said.speaker,
        lines=fit.lines,
        font_size=round(line.em),
        line_height=round((COLUMN_PITCH if fit.vertical else LEADING) * line.em, 2),
        box=place.box,
        text=Box(round(cx - half_w), round(cy - half_h), round(cx + half_w), round(cy + half_h)),
        tail=mine[0] if mine else None,
        also_tail=mine[1] if len(mine) > 1 else None,
        said=" ".join(words.replace("\u00ad", "").split()),
        runs=fit.runs,
        vertical=fit.vertical,
        angle=fit.angle,
        language=language_of(words, spec.language),
        also=said.also,
    )


def _tails(
    lines: Sequence[Line], places: Sequence[Place], room: Room
) -> dict[tuple[int, int], Tail]:
    """Curved tails by balloon and target; two that would cross once bent are drawn straight."""
    found: dict[tuple[int, int], Tail] = {}
    for i, (line, place) in enumerate(zip(lines, places, strict=True)):
        others = [*room.heads, *(p.box for p in places if p is not place)]
        if place.joined:
            found[i, 0] = neck(places[i - 1].box, place.box, line.em, i - 1)
            continue
        for j, straight in enumerate(place.tails):
            if straight is not None:
                found[i, j] = _horn(line, place, straight, None if len(place.drawn) > 1 else others)
    for one, two in combinations(found, 2):
        a, b = found[one], found[two]
        if a.joins is None and b.joins is None and _cross(a, b):
            for i, j in (one, two):
                straight = places[i].tails[j]
                assert straight is not None, "a tail was drawn along it"
                found[i, j] = _horn(lines[i], places[i], straight, None)
    return found


def _horn(line: Line, place: Place, straight: Segment, obstacles: Sequence[Box] | None) -> Tail:
    """The tail of one balloon; straight where ``obstacles`` is None."""
    depth = PADDING[line.kind][2] * line.em
    if line.kind is BalloonKind.THOUGHT:  # bubbles follow a straight way from the outline
        return path(straight, line.em)
    if line.kind is BalloonKind.RADIO:  # so does a flash
        obstacles = None
    return bend_tail(place.box, straight, line.em, obstacles, depth)


def _cross(a: Tail, b: Tail) -> bool:
    first = [curve(a, i / 10) for i in range(11)]
    second = [curve(b, i / 10) for i in range(11)]
    return any(_meets(p, q, r, s) for p, q in pairwise(first) for r, s in pairwise(second))


def _meets(p: Point, q: Point, r: Point, s: Point) -> bool:
    def side(a: Point, b: Point, c: Point) -> float:
        return (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x)

    return side(p, q, r) * side(p, q, s) < 0 and side(r, s, p) * side(r, s, q) < 0
