"""The words of the registry: components and their values, angles, expressions, colours.

A component is a slot (``hair_color``) with a value (``navy``). Slots that name a colour take the
colours listed here or ``#rrggbb``; the others take a few words of their own, because no list of
costumes is ever complete. Values may end in a version (``katana_v2``).
"""

import difflib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from pipeline.domain.errors import InvalidInput

MAX_VALUE = 80
MAX_COMPONENTS = 24
ANGLES = ("front", "three_quarter", "side", "back")
SIDES = ("left", "right", "center")
SHOT_FIELDS = ("shot_type", "angle")

_HEX = re.compile(r"#[0-9a-fA-F]{6}")
_VERSIONED = re.compile(r"(.+?)[_ ]v([1-9][0-9]{0,2})")

_HAIR = {
    "black": "#1b1a1c", "dark_brown": "#3b2820", "brown": "#6a4630", "light_brown": "#96704a",
    "auburn": "#7a3320", "red": "#a8321e", "ginger": "#cc6528", "blonde": "#e2c077",
    "platinum": "#efe5c8", "grey": "#8b8b8d", "silver": "#c3c6cb", "white": "#f5f4f2",
    "navy": "#22305f", "blue": "#3a67c8", "light_blue": "#93c4ec", "teal": "#1f8386",
    "green": "#3f8a4a", "purple": "#6c3f98", "violet": "#8f6ac8", "pink": "#e994b8",
    "magenta": "#c2307e", "orange": "#ea8124",
}  # fmt: skip
_EYES = {
    "black": "#1b1a1c", "brown": "#6a4630", "dark_brown": "#3b2820", "hazel": "#8d6f3a",
    "amber": "#c98a1f", "green": "#4a8a4f", "blue": "#3f72c0", "light_blue": "#93c4ec",
    "grey": "#82888f", "violet": "#8f6ac8", "red": "#b02a25", "pink": "#e994b8",
    "gold": "#d9b02f", "white": "#f5f4f2",
}  # fmt: skip
_SKIN = {
    "porcelain": "#fbeee4", "fair": "#f7dfc8", "light": "#efc9a8", "olive": "#cfa97c",
    "tan": "#c68f63", "bronze": "#a96f45", "brown": "#855030", "dark": "#5c3422",
    "ebony": "#38221a", "blue": "#7ea4d8", "green": "#8dbd7a", "grey": "#a5a8ad",
    "red": "#c4554a", "purple": "#9a7cbd", "yellow": "#f3d65c", "white": "#ffffff",
}  # fmt: skip
_ANY = {
    "black": "#1b1a1c", "charcoal": "#3c3f45", "grey": "#8b8b8d", "silver": "#c3c6cb",
    "white": "#fbfbfa", "cream": "#f3e8cf", "beige": "#d9c5a0", "tan": "#c0935f",
    "brown": "#6a4630", "maroon": "#6b1f2a", "red": "#c42b2b", "coral": "#ee7a63",
    "orange": "#ea8124", "gold": "#d9a92f", "yellow": "#f2d53c", "olive": "#6f7434",
    "green": "#3f8a4a", "light_green": "#a5d08a", "dark_green": "#1f4d33", "teal": "#1f8386",
    "turquoise": "#48c2c0", "light_blue": "#a8cdee", "steel_blue": "#5b7fa4", "blue": "#3a67c8",
    "navy": "#22305f",
    "purple": "#6c3f98", "violet": "#8f6ac8", "lavender": "#c9b8e6", "pink": "#f0a6c0",
    "magenta": "#c2307e",
}  # fmt: skip

COLOR_SLOTS: Mapping[str, Mapping[str, str]] = {
    "hair_color": _HAIR,
    "eye_color": _EYES,
    "skin": _SKIN,
    "body_color": _ANY,
    "main_color": _ANY,
}
"""Slots whose value is a colour, with the names that each knows (sRGB hex).

The hex of a name is what it stands for on a model sheet; the art may differ within the name.
"""
FREE_SLOTS = (
    "hair_style", "facial_hair", "face", "headwear", "accessory", "prop", "outfit", "top",
    "bottom", "shoes", "outerwear", "limbs", "build", "outline", "material", "texture", "shape",
    "lighting", "time_of_day", "weather",
)  # fmt: skip
_MEANT = {
    "hair_colour": "hair_color", "hair": "hair_color", "eyes": "eye_color",
    "eye_colour": "eye_color", "skin_color": "skin", "skin_colour": "skin",
    "body_colour": "body_color", "main_colour": "main_color", "trousers": "bottom",
    "pants": "bottom", "skirt": "bottom", "shirt": "top", "hat": "headwear", "glasses": "accessory",
    "weapon": "prop", "gray": "grey", "blond": "blonde", "dark_blue": "navy",
}  # fmt: skip


class Expression(StrEnum):
    """Key expressions that a model sheet needs; every drawn one belongs to a family or to none."""

    NEUTRAL = "neutral"
    JOY = "joy"
    SADNESS = "sadness"
    ANGER = "anger"
    SURPRISE = "surprise"


_FAMILIES = {
    Expression.NEUTRAL: "neutral calm serious plain",
    Expression.JOY: "joy happy smile smiling laugh laughing excited cheering wink winking grin",
    Expression.SADNESS: "sadness sad cry crying worried tired hurt lonely",
    Expression.ANGER: "anger angry rage annoyed irritated shouting shout furious",
    Expression.SURPRISE: "surprise surprised shocked amazed afraid fear startled ooh",
}
_FAMILY_OF = {word: family for family, words in _FAMILIES.items() for word in words.split()}
EXPRESSIONS = tuple(_FAMILY_OF)
"""The words that belong to a key expression, family by family."""


@dataclass(frozen=True, slots=True)
class NamedColor:
    """A colour of the vocabulary: its name (or its hex, for a colour without one) and ``#rrggbb``.

    :func:`pipeline.imaging.color_names.lab_of` gives its place in CIE L*a*b*.
    """

    name: str
    hex: str


def family_of(expression: str) -> Expression | None:
    """The key expression that a word belongs to; None for one that belongs to none."""
    return _FAMILY_OF.get(expression.strip().lower().replace(" ", "_"))


def color_of(slot: str, value: str) -> NamedColor | None:
    """What a component's value looks like; None for a slot or a value that is no colour."""
    names = COLOR_SLOTS.get(slot)
    if names is None:
        return None
    if _HEX.fullmatch(value):
        return NamedColor(value.lower(), value.lower())
    return NamedColor(value, names[value]) if value in names else None


def version_of(value: str) -> tuple[str, int]:
    """``katana_v2`` → ``("katana", 2)``; a value without a version is version 1."""
    match = _VERSIONED.fullmatch(value)
    return (match[1], int(match[2])) if match else (value, 1)


def checked_components(given: Mapping[str, str]) -> dict[str, str]:
    """Components as they are stored: slots and colour names in their one spelling.

    Raises:
        InvalidInput: a slot or a colour that the vocabulary does not know (the text names the
            nearest ones), an empty or too long value, or too many.
    """
    if len(given) > MAX_COMPONENTS:
        raise InvalidInput(f"{len(given)} components; {MAX_COMPONENTS} are allowed.")
    out: dict[str, str] = {}
    for slot, value in given.items():
        known = _slot(slot)
        if known in out:
            raise InvalidInput(f"{known} is given twice. Join the values with a comma.")
        out[known] = _value(known, value)
    return out


def parse_components(text: str) -> dict[str, str]:
    """Read what a person types: ``hair_color=navy, accessory=ribbon_red; prop=katana_v2``.

    Pairs are separated by commas, semicolons or line breaks; a part without ``=`` goes on with
    the value before it. An empty value (``prop=``) is kept: it asks to remove the component.

    Raises:
        InvalidInput: a part is not ``slot=value``, or a slot or colour is unknown.
    """
    pairs: list[tuple[str, str]] = []
    for part in filter(str.strip, re.split(r"[,;\n]", text)):
        slot, equals, value = part.partition("=")
        if equals:
            pairs.append((_slot(slot), value.strip()))
        elif pairs and pairs[-1][0] in FREE_SLOTS:
            pairs[-1] = (pairs[-1][0], f"{pairs[-1][1]}, {part.strip()}")
        else:
            raise InvalidInput(
                f"“{part.strip()[:40]}” is not slot=value. Write for instance hair_color=navy."
            )
    return {slot: _value(slot, value) if value else "" for slot, value in pairs}


def checked_angle(text: str) -> str:
    """An angle in its one spelling; empty stays empty (not known).

    Raises:
        InvalidInput: it is none of :data:`ANGLES`.
    """
    return _one_of("angle", _word(text).replace("3_4", "three_quarter"), ANGLES)


def checked_side(text: str) -> str:
    """The side of a mark; empty stays empty.

    Raises:
        InvalidInput: it is none of :data:`SIDES`.
    """
    return _one_of("side", _word(text).replace("centre", "center"), SIDES)


def checked_expression(text: str) -> str:
    """An expression as one word in lower case; any word is taken.

    Raises:
        InvalidInput: it is longer than 40 characters.
    """
    word = _word(text)
    if len(word) > 40:
        raise InvalidInput("An expression is one word or two, for instance surprised.")
    return word


def _word(text: str) -> str:
    return re.sub(r"[\s/-]+", "_", text.strip().lower())


def _one_of(what: str, word: str, allowed: Iterable[str]) -> str:
    if word and word not in allowed:
        raise InvalidInput(f"“{word[:40]}” is no {what}. Choose {', '.join(allowed)}.")
    return word


def _slot(text: str) -> str:
    word = _word(text)
    word = _MEANT.get(word, word)
    known = (*COLOR_SLOTS, *FREE_SLOTS)
    if word in known:
        return word
    near = difflib.get_close_matches(word, known, n=3, cutoff=0.55)
    advice = f"Did you mean {' or '.join(near)}?" if near else f"There are {', '.join(known)}."
    raise InvalidInput(f"“{word[:40]}” is no component. {advice}")


def _value(slot: str, text: str) -> str:
    value = " ".join(text.split())
    if not value or len(value) > MAX_VALUE:
        raise InvalidInput(f"The value of {slot} must have 1 to {MAX_VALUE} characters.")
    names = COLOR_SLOTS.get(slot)
    if names is None:
        return value
    if _HEX.fullmatch(value):
        return value.lower()
    word = _MEANT.get(_word(value), _word(value))
    if word in names:
        return word
    near = difflib.get_close_matches(word, names, n=3, cutoff=0.5)
    advice = f"Did you mean {' or '.join(near)}?" if near else f"It knows {', '.join(names)}."
    raise InvalidInput(f"{slot} has no colour “{word[:40]}”. {advice} Or give it as #rrggbb.")
