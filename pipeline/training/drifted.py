"""Drawn characters that drifted in one known way: exact truth for learning what drifted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from random import Random

import numpy as np
from PIL import Image

from pipeline.domain.geometry import Box
from pipeline.imaging.colour import to_lab
from pipeline.quality.attributes import Attribute
from pipeline.training.dicebear import Choice, Studio
from pipeline.training.trinkets import Circle, Trinket, draw_trinket
from pipeline.training.warps import WARPS, as_photographed

SIDE = 256
"""Pixels of a drawing before it is varied."""

STYLES = (
    "adventurer", "big-ears", "big-smile", "croodles", "lorelei", "miniavs", "notionists",
    "open-peeps", "personas", "pixel-art", "voxel-art",
)  # fmt: skip
"""The styles that are learned from."""
UNSEEN = ("micah", "toon-head", "dylan")
"""Styles that only the examination sees. Learning did without them; the choice among features and
models was made while looking at figures on them, which flatters those figures a little."""

_PARTS: Mapping[Attribute, tuple[str, ...]] = {
    Attribute.HAIR_SHAPE: ("hair", "frontHair", "rearHair", "top"),
    Attribute.EYE_SHAPE: ("eyes",),
    Attribute.FACE_SHAPE: ("head", "ears", "nose"),
    Attribute.FACIAL_HAIR: ("beard", "facialHair", "mustache"),
    Attribute.OUTFIT: ("clothes", "outfit", "body", "clothesGraphic"),
}
_WORN = ("glasses", "earrings", "accessories", "hat", "hairAccessories")
_HAIR_IS_HEAD = "open-peeps"
_COLOURS: Mapping[Attribute, tuple[str, ...]] = {
    Attribute.HAIR_COLOR: ("hair", "headContrast", "top", "facialHair", "paperHair"),
    Attribute.EYE_COLOR: ("eyes",),
    Attribute.SKIN: ("skin", "base", "paperFace"),
    Attribute.OUTFIT_COLOR: ("clothing", "clothes", "shirt", "jacket", "body"),
}
_PAINTS: Mapping[Attribute, tuple[str, ...]] = {
    Attribute.HAIR_COLOR: (
        "#0e0e0e", "#3b2314", "#6a4e35", "#a55728", "#c93305", "#e8b34b", "#f0e2b6", "#9a9a9a",
        "#e6e6e6", "#2b3a8c", "#3f7fd1", "#59b5b1", "#3d7a3a", "#8a4fbf", "#e66fa8", "#8c1f2f",
    ),
    Attribute.SKIN: (
        "#fbe3d4", "#f2d3b1", "#ecad80", "#d08b5b", "#ae5d29", "#8d5524", "#614335", "#4a2f27",
    ),
    Attribute.EYE_COLOR: (
        "#3b2314", "#7a4a1e", "#2f6fd6", "#4fc3e8", "#3f9a4b", "#e0a020", "#8a4fbf", "#d2302c",
        "#8c8c8c",
    ),
    Attribute.OUTFIT_COLOR: (
        "#1f2430", "#f4f4f4", "#d2302c", "#e8742c", "#f2c230", "#4a9a4b", "#2f8f8a", "#3f7fd1",
        "#2b3a8c", "#7b4fa8", "#e66fa8", "#8a5a3c", "#9aa0a8",
    ),
}  # fmt: skip
_APART = {
    Attribute.HAIR_COLOR: 22.0,
    Attribute.SKIN: 14.0,
    Attribute.EYE_COLOR: 25.0,
    Attribute.OUTFIT_COLOR: 22.0,
}
"""CIE76 distances from which a new colour is another colour, and not another light."""
_BARE = 0.6
"""How many go without a beard, without glasses, without a hat, each by itself."""
_LEAST_SEEN = 0.0025
"""Share of the figure's pixels that a drift must change, or nobody could see it."""


@dataclass(frozen=True, slots=True)
class Sitter:
    """A character with everything that must stay: parts, colours, a hairpin, a mark."""

    parts: Choice
    colours: dict[str, str]
    pin: Trinket | None = None
    mark: Trinket | None = None
    head: Circle = (SIDE / 2, SIDE / 2, SIDE / 4)


@dataclass(frozen=True, slots=True, eq=False)
class Drawing:
    """A picture of a character (RGBA), what drifted in it, and where its mark is, if it has one."""

    image: Image.Image
    drifted: frozenset[Attribute] = frozenset()
    mark: Box | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A character of one style: its references, and pictures to tell about."""

    style: str
    references: tuple[Drawing, ...]
    queries: tuple[Drawing, ...]


@dataclass(slots=True)
class Drifter:
    """Draws the cases of one style."""

    style: str
    studio: Studio = field(init=False)

    def __post_init__(self) -> None:
        self.studio = Studio(self.style)

    def case(self, rng: Random, *, references: int = 5, doubles: int = 4, clean: int = 2) -> Case:
        """A new character with a picture for every way to drift that it can, and some with two."""
        sitter = self.sitter(rng)
        known = tuple(self.picture(sitter, rng) for _ in range(references))
        queries = [self.picture(sitter, rng) for _ in range(clean)]
        shown: list[Attribute] = []
        for attribute in Attribute:
            drawn = self._drifted(sitter, (attribute,), rng)
            if drawn is not None:
                shown.append(attribute)
                queries.append(drawn)
        for _ in range(doubles):
            drawn = self._drifted(sitter, tuple(rng.sample(shown, 2)), rng)
            if drawn is not None:
                queries.append(drawn)
        return Case(self.style, known, tuple(queries))

    def sitter(self, rng: Random) -> Sitter:
        """A new character."""
        parts: Choice = {}
        for name in (n for names in (*_PARTS.values(), _WORN) for n in names):
            if known := self.studio.variants(name):
                extra = known[-1] is None and rng.random() < _BARE
                parts[name] = None if extra else rng.choice([v for v in known if v])
        colours = {}
        for attribute, names in _COLOURS.items():
            for name in names:
                if name in self.studio.coloured():
                    colours[name] = rng.choice(_PAINTS[attribute])
        _same_hair(colours)
        pin = None
        if rng.random() < 0.5:
            side = rng.choice((-1, 1))
            pin = Trinket(
                rng.choice(("bow", "flower", "star", "clip")),
                side * rng.uniform(0.5, 0.85), rng.uniform(-0.75, -0.3), rng.uniform(0.22, 0.36),
                rng.choice(_PAINTS[Attribute.OUTFIT_COLOR]),
            )  # fmt: skip
        mark = None
        if rng.random() < 0.5:
            mark = Trinket(
                rng.choice(("scar", "cross", "tattoo", "plaster")),
                rng.choice((-1, 1)) * rng.uniform(0.25, 0.6), rng.uniform(0.25, 0.6),
                rng.uniform(0.16, 0.3), rng.choice(("#8c1f2f", "#2b3a8c", "#1f2430", "#3d7a3a")),
            )  # fmt: skip
        plain = self._drawn(Sitter(parts, colours), self._passing(rng))
        return Sitter(parts, colours, pin, mark, _head(plain))

    def _passing(self, rng: Random) -> Choice:
        names = ("brows", "eyebrows", "mouth", "expression", "mood", "gesture", "animation")
        return {n: rng.choice(v) for n in names if (v := self.studio.variants(n))}

    def picture(self, sitter: Sitter, rng: Random) -> Drawing:
        """A picture in which nothing drifted, with a new expression."""
        return self._varied(self._drawn(sitter, self._passing(rng)), sitter, (), rng)

    def plain(self, sitter: Sitter) -> Image.Image:
        """The character with one expression that never changes, not varied in any way."""
        return self._drawn(sitter, {})

    def _varied(
        self, image: Image.Image, sitter: Sitter, warps: tuple[Attribute, ...], rng: Random
    ) -> Drawing:
        for attribute in warps:
            image = WARPS[attribute](image, sitter.head, rng)
        box = None if sitter.mark is None else _mark_box(sitter.mark, sitter.head)
        mirror = sitter.pin is None and sitter.mark is None and rng.random() < 0.25
        image, box = as_photographed(image, box, rng, mirror=mirror)
        return Drawing(image, frozenset(), box)

    def _drifted(
        self, sitter: Sitter, attributes: tuple[Attribute, ...], rng: Random
    ) -> Drawing | None:
        """A picture in which exactly these drifted; None where one of them could not be seen."""
        passing = self._passing(rng)
        other, before = sitter, self._drawn(sitter, passing)
        warps: list[Attribute] = []
        for attribute in attributes:
            changed = self._changed(other, attribute, rng)
            if attribute in WARPS and (changed is None or rng.random() < 0.5):
                warps.append(attribute)
                continue
            if changed is None:
                return None
            after = self._drawn(changed, passing)
            if not seen(before, after):
                return None
            other, before = changed, after
        drawing = self._varied(before, other, tuple(warps), rng)
        return replace(drawing, drifted=frozenset(attributes))

    def _changed(self, sitter: Sitter, attribute: Attribute, rng: Random) -> Sitter | None:
        match attribute:
            case Attribute.ACCESSORY_MISSING:
                return self._bared(sitter, rng)
            case Attribute.ACCESSORY_SIDE:
                if sitter.pin is None:
                    return None
                return replace(sitter, pin=replace(sitter.pin, x=-sitter.pin.x))
            case Attribute.MARK_MISSING:
                if sitter.mark is None:
                    return None
                return replace(sitter, mark=replace(sitter.mark, shown=False))
        if attribute in _COLOURS:
            return self._repainted(sitter, attribute, rng)
        return self._reshaped(sitter, attribute, rng)

    def _bared(self, sitter: Sitter, rng: Random) -> Sitter | None:
        worn = [n for n in _WORN if sitter.parts.get(n) and None in self.studio.variants(n)]
        ways: list[Callable[[], Sitter]] = [
            lambda n=n: replace(sitter, parts={**sitter.parts, n: None}) for n in worn
        ]
        pin = sitter.pin
        if pin is not None:
            ways.append(lambda: replace(sitter, pin=replace(pin, shown=False)))
        return rng.choice(ways)() if ways else None

    def _repainted(self, sitter: Sitter, attribute: Attribute, rng: Random) -> Sitter | None:
        names = [n for n in _COLOURS[attribute] if n in sitter.colours]
        if not names:
            return None
        old = sitter.colours[names[0]]
        far = [c for c in _PAINTS[attribute] if colour_gap(c, old) >= _APART[attribute]]
        new = rng.choice(far)
        colours = {**sitter.colours, **dict.fromkeys(names, new)}
        return replace(sitter, colours=colours)

    def _reshaped(self, sitter: Sitter, attribute: Attribute, rng: Random) -> Sitter | None:
        names = _PARTS.get(attribute, ())
        if self.style == _HAIR_IS_HEAD:
            names = {Attribute.HAIR_SHAPE: ("head",), Attribute.FACE_SHAPE: ()}.get(
                attribute, names
            )
        names = [n for n in names if len(self.studio.variants(n)) > 1]
        if not names:
            return None
        name = rng.choice(names)
        others = [v for v in self.studio.variants(name) if v != sitter.parts.get(name)]
        return replace(sitter, parts={**sitter.parts, name: rng.choice(others)})

    def _drawn(self, sitter: Sitter, passing: Choice) -> Image.Image:
        """The plain picture with pin and mark, which keep their place whatever else changes."""
        image = self.studio.render({**sitter.parts, **passing}, sitter.colours, "-", SIDE, "none")
        for trinket in (sitter.pin, sitter.mark):
            if trinket is not None and trinket.shown:
                draw_trinket(image, trinket, sitter.head)
        return image


def _head(image: Image.Image) -> Circle:
    from pipeline.imaging.heads import find_head
    from pipeline.imaging.masks import find_figure

    figure = find_figure(image)
    if figure is None:
        return image.width / 2, image.height / 2, image.width / 4
    head = find_head(figure)
    return head.x, head.y, head.radius


def _same_hair(colours: dict[str, str]) -> None:
    if "hair" in colours and "facialHair" in colours:
        colours["facialHair"] = colours["hair"]


def colour_gap(first: str, second: str) -> float:
    """How far two colours like ``#3b2314`` are apart (CIE76)."""
    rgb = [[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in (first, second)]
    lab = to_lab(np.array(rgb, np.uint8))
    return float(np.linalg.norm(lab[0] - lab[1]))


def seen(before: Image.Image, after: Image.Image) -> bool:
    """Whether two drawings of one size differ so much that anybody could see it."""
    one, two = (np.asarray(i.convert("RGBa"), np.int16) for i in (before, after))
    changed = np.abs(one - two).max(axis=2) > 40
    figure = np.maximum(one[..., 3], two[..., 3]) > 127
    return bool(changed.sum() >= _LEAST_SEEN * figure.sum())


def _mark_box(mark: Trinket, head: Circle) -> Box:
    x, y, r = head
    cx, cy, half = x + mark.x * r, y + mark.y * r, mark.size * r * 1.15
    return Box(round(cx - half), round(cy - half), round(cx + half), round(cy + half))
