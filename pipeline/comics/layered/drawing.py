"""A page as layers: paper, the art of each panel with masks of its people, balloons, words.

Names are what painting programs keep best, so they carry what has to come back: which panel,
which balloon, and the words themselves.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from PIL import Image, ImageDraw

from pipeline.comics.alt import name_of
from pipeline.comics.enlarging import enlarged, shifted
from pipeline.comics.fonts import FONT_NAME, STYLE_OF_KIND, FontStyle, own_faces
from pipeline.comics.framing import head_of
from pipeline.comics.inking import PAPER, SCALE, chains, draw_balloons, look_of
from pipeline.comics.layered.masks import figure_mask
from pipeline.comics.layered.type_layers import LiveText
from pipeline.comics.rendering import (
    FOOT_COLOUR,
    border_of,
    draw_border,
    foot_of,
    frame_picture,
)
from pipeline.comics.typesetting import ink_of, line_ink, set_lines
from pipeline.domain.character import ColorMode
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import Balloon, LetteredPage, PanelArt, PanelFrame, Point
from pipeline.domain.panel import BalloonKind, PlacedFigure
from pipeline.imaging.canonical import MAX_PIXELS

# Layers are so many times finer than the composed page, where that stays within what we take back.
_FINER = 2
# Photoshop's names end at 255 characters.
_NAME = 200
_MASK_COLOUR = (0, 120, 255)


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A picture (RGBA) whose top left corner is at ``at`` (pixels of the drawing).

    ``live`` is the text that the picture shows, for formats that can have it as text.
    """

    name: str
    picture: Image.Image
    at: tuple[int, int] = (0, 0)
    visible: bool = True
    live: LiveText | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Folder:
    """Layers that belong together, the lowest first."""

    name: str
    layers: tuple["Layer | Folder", ...]
    visible: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A whole drawing: ``root`` holds everything; ``factor`` is how much finer than the page."""

    size: Size
    root: Folder
    factor: int

    def flat(self) -> Image.Image:
        """What is seen: all visible layers laid over each other, RGB."""
        sheet = Image.new("RGBA", self.size, (*PAPER, 255))
        for layer in _seen(self.root):
            sheet.alpha_composite(layer.picture, layer.at)
        return sheet.convert("RGB")


def finest(page: LetteredPage) -> int:
    """How much finer than the page its layers can be."""
    area = page.size.width * page.size.height * _FINER * _FINER
    return _FINER if area <= MAX_PIXELS else 1


def stamp_of(page: LetteredPage, arts: Sequence[PanelArt]) -> str:
    """Tells this state of a page from every other: its layout, its words and its art."""
    digest = hashlib.sha256(page.to_json().encode())
    for art in sorted(arts, key=lambda art: art.panel_id):
        digest.update(hashlib.sha256(art.image).digest())
    return digest.hexdigest()[:12]


def layered_page(
    page: LetteredPage,
    arts: Sequence[PanelArt],
    names: Mapping[str, str],
    *,
    factor: int,
    language: str = "",
    masks: bool = True,
) -> Drawing:
    """Take a composed page apart.

    Args:
        page: what :func:`pipeline.comics.page.compose_page` made.
        arts: its panels.
        names: the name that readers see, by character id.
        factor: how much finer than the page the layers are.
        language: whose lettering is on the page.
        masks: whether masks of the people are added (hidden); they are not needed to compare.
    """
    fine = enlarged(page, factor)
    by_id = {art.panel_id: art for art in arts}
    tongue = f" [{language}]" if language else ""
    root = Folder(
        f"page {page.number}{tongue} · {stamp_of(page, arts)}",
        (
            Layer("paper", Image.new("RGBA", fine.size, (*PAPER, 255))),
            *(_panel(frame, by_id[frame.panel_id], fine, names, masks) for frame in fine.frames),
            _cut("frames", _frames(fine)),
            *_foot(fine),
            Folder("lettering", tuple(_lettering(fine, frame) for frame in fine.frames)),
        ),
    )
    return Drawing(fine.size, root, factor)


def words_name(balloon: Balloon) -> str:
    """The name of a balloon's words: ``words 12.0: Who is there?``."""
    words = " ".join(balloon.words.split())
    if len(words) > _NAME:
        words = words[: _NAME - 1] + "…"
    return f"words {balloon.panel_id}.{balloon.order}: {words}"


def _seen(folder: Folder) -> Iterator[Layer]:
    for part in folder.layers if folder.visible else ():
        if isinstance(part, Folder):
            yield from _seen(part)
        elif part.visible:
            yield part


def _panel(
    frame: PanelFrame,
    art: PanelArt,
    page: LetteredPage,
    names: Mapping[str, str],
    masks: bool,
) -> Folder:
    picture = frame_picture(frame, art)
    if page.color_mode is ColorMode.GRAYSCALE:
        picture = picture.convert("L")
    at = (frame.box.x0, frame.box.y0)
    layers: list[Layer | Folder] = [Layer(f"art {art.panel_id}", picture.convert("RGBA"), at)]
    if masks and art.figures:
        people = tuple(_person(figure, frame, art, names) for figure in art.figures)
        layers.append(Folder(f"characters {art.panel_id}", people, visible=False))
    return Folder(f"panel {art.panel_id}", tuple(layers))


def _person(
    figure: PlacedFigure, frame: PanelFrame, art: PanelArt, names: Mapping[str, str]
) -> Folder:
    """The mask of a figure and of its head, as colour where the frame shows them."""
    mask = figure_mask(art, figure).resize(
        (frame.art.width, frame.art.height), Image.Resampling.BILINEAR, box=frame.crop
    )
    seen = Image.new("L", (frame.box.width, frame.box.height))
    seen.paste(mask, (frame.art.x0 - frame.box.x0, frame.art.y0 - frame.box.y0))
    head = Image.new("L", seen.size)
    box = frame.to_page(head_of(figure)).intersection(frame.box)
    if box.area:
        box = box.shifted(-frame.box.x0, -frame.box.y0)
        ImageDraw.Draw(head).rectangle((box.x0, box.y0, box.x1 - 1, box.y1 - 1), fill=255)
    at = (frame.box.x0, frame.box.y0)
    layers = tuple(
        _cut(name, _tinted(part), at) for name, part in (("figure mask", seen), ("head", head))
    )
    return Folder(name_of(figure.character_id, names), layers)


def _tinted(mask: Image.Image) -> Image.Image:
    tinted = Image.new("RGBA", mask.size, (*_MASK_COLOUR, 255))
    tinted.putalpha(mask)
    return tinted


def _frames(page: LetteredPage) -> Image.Image:
    lines = Image.new("RGBA", page.size)
    for frame in page.frames:
        draw_border(lines, frame.box, border_of(page))
    return lines


def _foot(page: LetteredPage) -> Iterator[Layer]:
    foot = foot_of(page)
    if foot is not None:
        ink = Image.fromarray(line_ink(foot.words, FontStyle.REGULAR, foot.size, foot.box.height))
        words = Image.new("RGBA", ink.size, (*FOOT_COLOUR, 255))
        words.putalpha(ink)
        yield _cut("foot", words, ((page.size.width - ink.width) // 2, foot.box.y0))


def _lettering(page: LetteredPage, frame: PanelFrame) -> Folder:
    layers: list[Layer] = []
    balloons = page.balloons_of(frame.panel_id)
    for balloon in balloons:
        if balloon.kind is BalloonKind.SFX:
            layers.append(_drawn(words_name(balloon), [balloon], page))
    for chain in chains(balloons):
        orders = "+".join(str(b.order) for b in chain)
        silent = [replace(b, lines=(), runs=()) for b in chain]
        name = f"balloon {frame.panel_id}.{orders} {chain[0].kind}"
        layers.append(_drawn(name, silent, page))
        layers += [_words(balloon, page) for balloon in chain]
    return Folder(f"lettering {frame.panel_id}", tuple(layers))


def _drawn(name: str, balloons: Sequence[Balloon], page: LetteredPage) -> Layer:
    """What balloons put on the page, on a layer of their own."""
    tile = _around(balloons, page)
    moved = [shifted(balloon, -tile.x0, -tile.y0) for balloon in balloons]
    picture = _apart(Size(tile.width, tile.height), lambda sheet: draw_balloons(sheet, moved, page))
    return _cut(name, picture, (tile.x0, tile.y0))


def _words(balloon: Balloon, page: LetteredPage) -> Layer:
    tile = _around([balloon], page)
    ink = Image.fromarray(ink_of(balloon, tile, SCALE))
    words = Image.new("RGBA", (tile.width, tile.height), (*look_of(balloon).words, 255))
    words.putalpha(ink.resize(words.size, Image.Resampling.BOX))
    return replace(_cut(words_name(balloon), words, (tile.x0, tile.y0)), live=_live(balloon))


def _live(balloon: Balloon) -> LiveText | None:
    """The words as text; None where one upright style of the bundled font does not say it all."""
    style = STYLE_OF_KIND[balloon.kind]
    faces = {glyph.face for line in set_lines(balloon) for glyph in line.shaped.glyphs}
    mixed = any(run.bold or run.italic for line in balloon.runs for run in line)
    if balloon.vertical or balloon.angle or mixed or faces != {own_faces(style)[0]}:
        return None
    spare = balloon.font_size // 2  # other programs set a little wider
    box = balloon.text
    return LiveText(
        words=" ".join(balloon.words.split()),
        font=f"{FONT_NAME}-{style}",
        size=balloon.font_size,
        leading=balloon.line_height,
        color=look_of(balloon).words,
        box=Box(box.x0 - spare, box.y0, box.x1 + spare, box.y1),
        centred=not balloon.kind.is_boxed,
    )


def _around(balloons: Sequence[Balloon], page: LetteredPage) -> Box:
    """Room enough for balloons with their tails and lines, on the page."""
    points = [p for b in balloons for t in b.tails for p in (t.base, t.bend, t.tip)]
    for b in balloons:
        points += [Point(b.box.x0, b.box.y0), Point(b.box.x1, b.box.y1)]
    edge = balloons[0].font_size
    box = Box(
        int(min(p.x for p in points)) - edge,
        int(min(p.y for p in points)) - edge,
        int(max(p.x for p in points)) + edge,
        int(max(p.y for p in points)) + edge,
    )
    return box.intersection(Box(0, 0, *page.size))


def _apart(size: Size, draw: Callable[[Image.Image], None]) -> Image.Image:
    """What ``draw`` puts on a sheet, with its transparency: told from a white and a black one."""
    white, black = Image.new("RGB", size, "white"), Image.new("RGB", size, "black")
    draw(white)
    draw(black)
    light, dark = np.asarray(white, np.int16), np.asarray(black, np.int16)
    alpha = 255 - (light - dark).max(axis=2).clip(0, 255)
    colour = dark * (255.0 / np.maximum(alpha, 1))[..., None]
    rgba = np.dstack([np.rint(colour).clip(0, 255), alpha]).astype(np.uint8)
    return Image.fromarray(rgba)


def _cut(name: str, picture: Image.Image, at: tuple[int, int] = (0, 0)) -> Layer:
    """A layer without its transparent margin."""
    box = picture.getchannel("A").getbbox() or (0, 0, 1, 1)
    return Layer(name, picture.crop(box), (at[0] + box[0], at[1] + box[1]))
