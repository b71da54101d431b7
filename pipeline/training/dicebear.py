"""Drawn characters without end: DiceBear styles with exact knowledge of every attribute.

Only styles whose art is CC0 or CC BY 4.0. Two such styles (micah, toon-head) are left out: they
are kept for reporting on styles that training never saw.
"""
# pyright: reportMissingImports=false, reportAttributeAccessIssue=false

import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.resources import files
from random import Random
from typing import Any

from PIL import Image

from pipeline.domain.errors import SettingsError

STYLES: Mapping[str, str] = {
    "adventurer": "CC BY 4.0",
    "big-ears": "CC BY 4.0",
    "big-smile": "CC BY 4.0",
    "clay": "CC0 1.0",
    "critters": "CC0 1.0",
    "croodles": "CC BY 4.0",
    "cutouts": "CC0 1.0",
    "dylan": "CC BY 4.0",
    "lorelei": "CC0 1.0",
    "miniavs": "CC BY 4.0",
    "notionists": "CC0 1.0",
    "open-peeps": "CC0 1.0",
    "personas": "CC BY 4.0",
    "pixel-art": "CC0 1.0",
    "sprouts": "CC0 1.0",
    "voxel-art": "CC0 1.0",
    "voxel-bot": "CC0 1.0",
}
"""The styles that are rendered, with the licence of their art."""

HELD_OUT = ("cutouts", "dylan", "miniavs")
"""Styles that only choose the checkpoint; the network is not trained on them."""

_PASSING = frozenset(
    {"animation", "brows", "expression", "eyebrows", "eyes", "gesture", "mood", "mouth"}
)
"""Components that change from picture to picture."""
_WORN = frozenset({"clothes", "clothesGraphic", "outfit"})
_WORN_COLOURS = frozenset({"clothing", "clothes", "jacket", "pants", "shirt", "shoes"})
_FIXED_COLOURS = frozenset({"background"})

Choice = dict[str, str | None]


@dataclass(frozen=True, slots=True)
class Person:
    """A character of one style: the variant of every lasting component (None: absent), colours."""

    style: str
    parts: Choice
    colours: dict[str, str]


@dataclass(slots=True)
class Studio:
    """Draws characters of one style.

    Raises:
        SettingsError: the DiceBear packages are not installed.
    """

    style: str
    _definition: dict[str, Any] = field(init=False)
    _renderer: Any = field(init=False)

    def __post_init__(self) -> None:
        try:
            from dicebear import Style
        except ImportError as error:
            raise SettingsError(
                "Characters are drawn with dicebear-core, dicebear-styles and resvg_py, which "
                "are not installed. Install the extra “train”."
            ) from error
        text = (files("dicebear_styles") / f"{self.style}.json").read_text(encoding="utf-8")
        self._definition = json.loads(text)
        self._renderer = Style(self._definition)

    def person(self, rng: Random) -> Person:
        """A new character; every variant of a component is as likely as another."""
        return Person(
            self.style,
            {name: self._variant(name, rng) for name in self._lasting()},
            {name: self._colour(name, rng) for name in self._colours()},
        )

    def lookalike(self, person: Person, rng: Random) -> Person:
        """The same character with exactly one lasting component or colour changed."""
        parts, colours = dict(person.parts), dict(person.colours)
        hues = [n for n in colours if n not in _WORN_COLOURS and len(self._palette(n)) > 1]
        names = [n for n in parts if len(self._variants(n)) > 1]
        name = rng.choice([*names, *names, *hues])  # shape twice as often as colour
        if name in hues and (name not in names or rng.random() < 0.5):
            colours[name] = rng.choice([c for c in self._palette(name) if c != colours[name]])
        else:
            others = [v for v in self._variants(name) if v != parts[name]]
            parts[name] = rng.choice(others)
        return Person(person.style, parts, colours)

    def double(self, person: Person, rng: Random) -> Person:
        """Another character in exactly the same colours."""
        return Person(person.style, self.person(rng).parts, dict(person.colours))

    def draw(self, person: Person, rng: Random, side: int) -> Image.Image:
        """A picture of a character, RGBA, ``side`` pixels wide, with a new expression.

        Clothes change in two of five pictures where the style has any.
        """
        parts: Choice = {**person.parts}
        parts.update({name: self._variant(name, rng) for name in self._names() & _PASSING})
        colours = dict(person.colours)
        if rng.random() < 0.4:
            parts.update({n: self._variant(n, rng) for n in self._names() & _WORN})
            colours.update({n: self._colour(n, rng) for n in colours if n in _WORN_COLOURS})
        return self.render(parts, colours, str(rng.random()), side)

    def render(
        self, parts: Choice, colours: Mapping[str, str], seed: str, side: int, flip: str = ""
    ) -> Image.Image:
        """Exactly these parts (None: absent) and colours, RGBA; ``seed`` decides what is left.

        ``flip`` is ``none`` for never; empty leaves that to the seed, too.
        """
        from dicebear import Avatar
        from resvg_py import svg_to_bytes

        options: dict[str, Any] = {"seed": seed, "size": side}
        if flip:
            options["flip"] = [flip]
        for name, variant in parts.items():
            if self._has_probability(name):
                options[f"{name}Probability"] = 0 if variant is None else 100
            if variant is not None:
                options[f"{name}Variant"] = [variant]
        options.update({f"{name}Color": [colour] for name, colour in colours.items()})
        if "background" in self._definition.get("colors", {}):
            options["backgroundColor"] = ["#00000000"]
        png = svg_to_bytes(svg_string=str(Avatar(self._renderer, options)), width=side)
        return Image.open(io.BytesIO(bytes(png))).convert("RGBA")

    def variants(self, name: str) -> list[str | None]:
        """Every variant of a component, None last where it may be absent; empty if unknown."""
        return self._variants(name) if name in self._names() else []

    def coloured(self) -> frozenset[str]:
        """What can be given a colour in this style."""
        return frozenset(self._definition.get("colors", {})) - _FIXED_COLOURS

    def components(self) -> frozenset[str]:
        """The components that have variants to choose from."""
        return frozenset(self._names())

    def palette(self, name: str) -> list[str]:
        """The colours that the style itself gives to something, ``#rrggbb``; may be empty."""
        return self._palette(name)

    def _names(self) -> set[str]:
        return {n for n, part in self._definition["components"].items() if part.get("variants")}

    def _lasting(self) -> Sequence[str]:
        return sorted(self._names() - _PASSING)

    def _colours(self) -> Sequence[str]:
        colours = set(self._definition.get("colors", {})) - _FIXED_COLOURS
        return sorted(name for name in colours if self._palette(name))

    def _palette(self, name: str) -> list[str]:
        return list(self._definition["colors"][name].get("values", []))

    def _variants(self, name: str) -> list[str | None]:
        known: list[str | None] = sorted(self._definition["components"][name]["variants"])
        return [*known, None] if self._has_probability(name) else known

    def _has_probability(self, name: str) -> bool:
        return self._definition["components"][name].get("probability") is not None

    def _variant(self, name: str, rng: Random) -> str | None:
        variants = self._variants(name)
        if variants[-1] is None:  # a beard or a hat on every second head, not on every one
            return None if rng.random() < 0.5 else rng.choice(variants[:-1])
        return rng.choice(variants)

    def _colour(self, name: str, rng: Random) -> str:
        return rng.choice(self._palette(name))
