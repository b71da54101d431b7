"""The cast that the house generator learns from: identities, variants of them, words for both.

Everything is decided by the seed: identity 7 of a style is the same person on every machine, and
his third variant the same drawing.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from random import Random

from PIL import Image

from pipeline.domain.vocabulary import COLOR_SLOTS
from pipeline.training.dicebear import Choice, Studio

STYLES = (
    "adventurer", "personas", "big-smile", "big-ears", "dylan", "miniavs", "lorelei", "open-peeps",
    "voxel-art", "pixel-art", "notionists", "croodles",
)  # fmt: skip
"""Styles that are learned. A smaller plan takes the first ones: those of flat colours and few
lines, which 64 pixels can hold."""
HELD_OUT_STYLES = ("micah", "toon-head")
"""Styles of which no picture is ever learned from: not by the VAE nor by the encoder either."""
HELD_OUT_FROM = 1_000_000
"""Identities from this number on are kept for measuring."""

_PASSING = frozenset({"animation", "brows", "expression", "eyebrows", "gesture", "mood", "mouth"})
_WORN = frozenset({"clothes", "clothesGraphic", "outfit"})
_SAID = {
    "hair": "hair_style", "top": "hair_style", "frontHair": "hair_style",
    "beard": "facial_hair", "facialHair": "facial_hair", "mustache": "facial_hair",
    "glasses": "accessory", "earrings": "accessory", "accessories": "accessory",
    "hat": "headwear", "clothes": "outfit", "outfit": "outfit",
}  # fmt: skip
"""Component → slot of the registry; the first component of a slot that is there is the one said."""
_PLAIN_WORDS = {
    "beard": "beard", "facialHair": "beard", "mustache": "moustache", "glasses": "glasses",
    "earrings": "earrings", "hat": "hat",
}  # fmt: skip
"""What is said of a component whose variants have numbers for names."""
_PAINTS: Mapping[str, tuple[str, str]] = {
    "hair": ("hair_color", "hair_color"), "top": ("hair_color", "hair_color"),
    "facialHair": ("hair_color", ""), "headContrast": ("hair_color", "hair_color"),
    "skin": ("skin", "skin"), "base": ("skin", "skin"), "eyes": ("eye_color", "eye_color"),
    "clothing": ("main_color", "outfit"), "clothes": ("main_color", "outfit"),
    "shirt": ("main_color", "outfit"), "jacket": ("main_color", ""), "body": ("main_color", ""),
}  # fmt: skip
"""Colour of a style → (slot whose colours it takes, slot in which it is said; empty: not)."""
_SKINS = ("porcelain", "fair", "light", "olive", "tan", "bronze", "brown", "dark", "ebony")
_BARE = 0.6
"""How many go without a beard, without glasses, without a hat, each by itself."""
_REDRESSED = 0.3
_NAMES = (
    "Mira", "Noor", "Tomo", "Ada", "Kai", "Lena", "Rufus", "Sana", "Ivo", "Juno", "Pip", "Zora",
    "Emil", "Yuki", "Bram", "Cleo", "Dara", "Finn", "Gwen", "Hugo", "Inez", "Jory", "Kira", "Luca",
    "Mabel", "Nico", "Otto", "Petra", "Quinn", "Rosa", "Silas", "Tess", "Uma", "Vito", "Wren",
    "Xan",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Identity:
    """A character: what must stay, by DiceBear's names, and its colours as ``#rrggbb``."""

    style: str
    number: int
    name: str
    parts: Choice
    colours: Mapping[str, str]

    @property
    def key(self) -> tuple[object, ...]:
        """Equal for identities that nobody could tell apart by their registered look."""
        return (self.style, *sorted(self.parts.items()), *sorted(self.colours.items()))


@dataclass(frozen=True, slots=True, eq=False)
class Variant:
    """A drawing of an identity, RGBA, and how the registry would put it in words.

    ``components`` are slots of the registry. ``redressed`` says that the clothes are not those of
    the identity; ``expression`` is empty where the style has no word for it.
    """

    image: Image.Image
    components: Mapping[str, str]
    expression: str
    redressed: bool


@dataclass(slots=True)
class Casting:
    """Draws the identities of one style.

    Raises:
        SettingsError: the DiceBear packages are not installed.
    """

    style: str
    seed: int = 0
    studio: Studio = field(init=False)

    def __post_init__(self) -> None:
        self.studio = Studio(self.style)

    def identity(self, number: int) -> Identity:
        """The identity of a number; from :data:`HELD_OUT_FROM` on it is kept for measuring.

        A held-out identity never looks like one that is learned: their hair, glasses, beard and
        colours are drawn from the same stock, but a hash of the whole look sorts them apart.
        """
        held = number >= HELD_OUT_FROM
        for attempt in range(1000):
            rng = Random(f"{self.seed}/{self.style}/{number}/{attempt}")
            found = self._drawn(number, rng)
            if (Random(repr(found.key)).random() < 0.2) == held:
                return found
        raise AssertionError(f"{self.style} has too few looks to keep some apart")

    def variant(self, identity: Identity, which: int, side: int) -> Variant:
        """The drawing of a number, ``side`` pixels wide; 0 wears the identity's own clothes."""
        rng = Random(f"{self.seed}/{identity.style}/{identity.number}/variant/{which}")
        parts, colours = dict(identity.parts), dict(identity.colours)
        for name in sorted(self.studio.components() & _PASSING):
            parts[name] = rng.choice(self.studio.variants(name))
        redressed = which > 0 and rng.random() < _REDRESSED
        if redressed:
            redressed = self._redress(parts, colours, rng)
        expression = next(
            (words for n in ("expression", "mouth", "mood") if (words := _words(parts.get(n)))), ""
        )
        image = self.studio.render(parts, colours, "-", side, "none")
        return Variant(image, _components(parts, colours), expression, redressed)

    def lookalike(self, identity: Identity, rng: Random) -> Identity:
        """The same character with exactly one lasting component or colour changed."""
        parts, colours = dict(identity.parts), dict(identity.colours)
        shapes = [n for n in parts if n not in _WORN and len(self.studio.variants(n)) > 1]
        hues = [n for n in colours if n in _PAINTS and _PAINTS[n][1] not in ("", "outfit")]
        name = rng.choice([*shapes, *hues])
        if name in hues:
            colours[name] = rng.choice(
                [c for c in self._paints(name) if c.lower() != colours[name].lower()]
            )
            _match_hair(colours)
        else:
            parts[name] = rng.choice([v for v in self.studio.variants(name) if v != parts[name]])
        return Identity(identity.style, identity.number, identity.name, parts, colours)

    def _drawn(self, number: int, rng: Random) -> Identity:
        parts: Choice = {}
        for name in sorted(self.studio.components() - _PASSING):
            known = self.studio.variants(name)
            bare = known[-1] is None and rng.random() < _BARE
            parts[name] = None if bare else rng.choice([v for v in known if v is not None])
        colours = {n: rng.choice(self._paints(n)) for n in sorted(self.studio.coloured())}
        _match_hair(colours)
        return Identity(self.style, number, rng.choice(_NAMES), parts, colours)

    def _paints(self, name: str) -> list[str]:
        if name not in _PAINTS:
            return self.studio.palette(name) or ["#000000"]
        slot = _PAINTS[name][0]
        names = _SKINS if slot == "skin" else tuple(COLOR_SLOTS[slot])
        return [COLOR_SLOTS[slot][one] for one in names]

    def _redress(self, parts: Choice, colours: dict[str, str], rng: Random) -> bool:
        """Put other clothes on; whether the style has any."""
        worn = sorted(self.studio.components() & _WORN)
        hues = [n for n in colours if n in _PAINTS and _PAINTS[n][0] == "main_color"]
        for name in worn:
            parts[name] = rng.choice([v for v in self.studio.variants(name) if v is not None])
        for name in hues:
            colours[name] = rng.choice(self._paints(name))
        return bool(worn or hues)


def _components(parts: Choice, colours: Mapping[str, str]) -> dict[str, str]:
    """What the registry would say, slot by slot."""
    out: dict[str, str] = {}
    for name, hex_code in colours.items():
        slot, said = _PAINTS.get(name, ("", ""))
        if said and said not in out:
            word = next(w for w, known in COLOR_SLOTS[slot].items() if known == hex_code)
            out[said] = word
    colour = out.pop("outfit", "").replace("_", " ")
    for name, slot in _SAID.items():
        variant = parts.get(name)
        if variant is None or slot in out:
            continue
        if words := _words(variant) or _PLAIN_WORDS.get(name, ""):
            out[slot] = words
    if colour:
        out["outfit"] = f"{colour} {out.get('outfit', 'shirt')}"
    return out


def _words(variant: str | None) -> str:
    """``shavedSides`` → ``shaved sides``, ``long07`` → ``long``, ``variant12`` → nothing."""
    text = re.sub(r"\d+$", "", variant or "")
    text = re.sub(r"(?<=[a-z])(?=[A-Z])", " ", text).lower().strip()
    return "" if text in ("", "variant", "hat", "default") or len(text) < 3 else text


def _match_hair(colours: dict[str, str]) -> None:
    if "hair" in colours and "facialHair" in colours:
        colours["facialHair"] = colours["hair"]
