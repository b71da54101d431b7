"""The catalogue of drift modes: how characters go wrong, one vocabulary for the whole studio."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

from pipeline.domain.character import ColorMode
from pipeline.domain.inputs import CastInput
from pipeline.prompting.colors import COLOR_WORDS, named

MENU_LIMIT = 25
"""Lines of a Discord menu."""


@dataclass(frozen=True, slots=True)
class DriftMode:
    """One way to drift; the fields are explained at the top of ``drift_modes.toml``."""

    id: str
    name: str
    family: str
    priority: int
    fragment: str = ""
    opposite: str = ""
    slots: tuple[str, ...] = ()
    when: frozenset[str] = frozenset()
    unless: frozenset[str] = frozenset()
    unless_any: frozenset[str] = frozenset()
    unless_slots: tuple[str, ...] = ()
    color_modes: tuple[str, ...] = tuple(ColorMode)
    crops: tuple[str, ...] = ()
    segments: tuple[str, ...] = ()
    menu: bool = False

    def about(self, member: CastInput) -> list[tuple[str, str]]:
        """The components (slot, value) of a look that this mode can spoil."""
        owned = ((s, member.components[s]) for s in self.slots if s in member.components)
        return [(slot, value) for slot, value in owned if self._fits(value)]

    def applies(self, member: CastInput, color_mode: ColorMode) -> bool:
        """Whether a look can drift this way at all."""
        if color_mode not in self.color_modes:
            return False
        if any(slot in member.components for slot in self.unless_slots):
            return False
        if self.unless_any & all_words(member):
            return False
        return bool(self.about(member)) if self.slots else True

    def _fits(self, value: str) -> bool:
        words = words_of(value)
        return not (self.unless & words) and (not self.when or bool(self.when & words))


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All modes by id, and the tables of opposites by name."""

    modes: Mapping[str, DriftMode]
    opposites: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)

    def opposites_of(self, mode: DriftMode, slot: str, value: str) -> tuple[str, ...]:
        """What a component's value could turn into, the likeliest first; empty if not known."""
        table = self.opposites.get(mode.opposite, {})
        if mode.opposite == slot:  # a colour slot: its value is one name
            return table.get(named(slot, value).replace(" ", "_"), ())
        colours = [word for word in re.findall(r"[\w-]+", value.lower()) if word in table]
        if mode.opposite == "cloth_color":
            colours = [word for word in colours if word in COLOR_WORDS]
        return table[colours[-1]] if colours else ()


@cache
def catalogue() -> Catalogue:
    """The catalogue that ships with the program."""
    text = files("pipeline.prompting").joinpath("drift_modes.toml").read_text(encoding="utf-8")
    return read_catalogue(text)


def read_catalogue(text: str) -> Catalogue:
    """Read a catalogue.

    Raises:
        ValueError: a mode has an unknown field, is there twice, or names a table that is missing;
            or the menu is longer than Discord allows.
    """
    data = tomllib.loads(text)
    opposites = {
        name: {value: tuple(words) for value, words in table.items()}
        for name, table in data.get("opposites", {}).items()
    }
    modes: dict[str, DriftMode] = {}
    for entry in data["mode"]:
        mode = _read_mode(entry)
        if mode.id in modes:
            raise ValueError(f"drift mode {mode.id} is there twice")
        if mode.opposite and mode.opposite not in opposites:
            raise ValueError(f"drift mode {mode.id} names no table: {mode.opposite}")
        modes[mode.id] = mode
    if sum(mode.menu for mode in modes.values()) > MENU_LIMIT:
        raise ValueError(f"a menu holds at most {MENU_LIMIT} drift modes")
    return Catalogue(modes, opposites)


def _read_mode(entry: Mapping[str, object]) -> DriftMode:
    sets = {"when", "unless", "unless_any"}
    try:
        return DriftMode(
            **{
                key: frozenset(value)
                if key in sets and isinstance(value, list)
                else tuple(value)
                if isinstance(value, list)
                else value
                for key, value in entry.items()
            }  # pyright: ignore[reportArgumentType] - TOML has no types; unknown keys raise
        )
    except TypeError as error:
        raise ValueError(f"drift mode {entry.get('id')}: {error}") from error


def menu_labels(first: Iterable[tuple[str, str]] = ()) -> tuple[tuple[str, str], ...]:
    """What moderators choose from: ``first``, then the modes of the menu, as (id, words)."""
    modes = [(mode.id, mode.name) for mode in catalogue().modes.values() if mode.menu]
    return (*first, *modes)[:MENU_LIMIT]


def words_of(value: str) -> frozenset[str]:
    """The words of a component's value, in lower case; hyphened words stay one and split too."""
    text = value.lower().replace("_", " ")
    whole = re.findall(r"[\w-]+", text)
    return frozenset(whole) | frozenset(re.findall(r"\w+", text))


def all_words(member: CastInput) -> frozenset[str]:
    """Every word of a look: its components, its label and its marks."""
    parts = [*member.components.values(), member.label, *mark_words(member)]
    return frozenset().union(*(words_of(part) for part in parts))


def mark_words(member: CastInput) -> list[str]:
    """A look's marks as a prompt names them: "scar on the left side"; each once."""
    sided = (
        f"{mark.name} on the {mark.side} side" if mark.side in ("left", "right") else mark.name
        for mark in member.marks
    )
    return list(dict.fromkeys(sided))
