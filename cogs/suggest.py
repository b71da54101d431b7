"""Autocomplete of whatever has a name or a number; that of characters is in :mod:`cogs.entry`."""

from collections.abc import Iterable
from typing import Any

from discord.app_commands import Choice

from cogs.entry import Interaction, guild_of, named_cast
from cogs.ui.limits import CHOICE_NAME, CHOICES, clip
from cogs.ui.terms import shot
from cogs.ui.words import hear, retell, say
from pipeline.domain.panel import Panel
from pipeline.domain.vocabulary import COLOR_SLOTS, EXPRESSIONS, FREE_SLOTS


async def suggest_panels(interaction: Interaction, current: str) -> list[Choice[Any]]:
    """Panels by number, cast or prompt, newest first."""
    app = interaction.client.app
    guild_id = guild_of(interaction)
    people = {c.character_id: c.name for c in await app.suggestions.everyone(guild_id)}
    found = await app.suggestions.panels(guild_id, str(current))
    return [Choice(name=_panel(panel, people), value=panel.id) for panel in found]


async def suggest_references(interaction: Interaction, current: str) -> list[Choice[Any]]:
    """References by number or by what they show; of the characters that are named already."""
    hear(interaction)
    found = await interaction.client.app.suggestions.references(
        guild_of(interaction), str(current), named_cast(interaction)
    )
    return [
        Choice(
            name=clip(
                " · ".join(
                    filter(
                        None,
                        (
                            f"#{hint.reference.id}",
                            hint.character.name,
                            hint.look.label,
                            shot(hint.reference.shot_type),
                            retell(hint.reference.angle.replace("_", " ")),
                            hint.reference.expression,
                        ),
                    )
                ),
                CHOICE_NAME,
            ),
            value=hint.reference.id,
        )
        for hint in found
    ]


async def suggest_pages(interaction: Interaction, current: str) -> list[Choice[Any]]:
    """Pages that were composed."""
    hear(interaction)
    found = await interaction.client.app.suggestions.pages(guild_of(interaction), str(current))
    return [
        Choice(
            name=say("Page {page}, panels {panels}", page=p.number, panels=_some(p.panels)),
            value=p.number,
        )
        for p in found
    ]


async def suggest_marks(interaction: Interaction, current: str) -> list[Choice[str]]:
    """The marks that the named character bears already."""
    names = await interaction.client.app.suggestions.marks(
        guild_of(interaction), current, next(iter(named_cast(interaction)), "")
    )
    return [Choice(name=name, value=name) for name in names]


async def suggest_components(_interaction: Interaction, current: str) -> list[Choice[str]]:
    """The last ``slot=value`` of a list: slots first, then the colours that a slot knows."""
    before, comma, last = current.rpartition(",")
    head = f"{before.strip()}, " if comma else ""
    slot, equals, value = last.strip().partition("=")
    if equals:
        known = COLOR_SLOTS.get(slot.strip(), {})
        ends = [f"{slot.strip()}={name}" for name in known if name.startswith(value.strip())]
    else:
        ends = [f"{name}=" for name in (*COLOR_SLOTS, *FREE_SLOTS) if slot.strip() in name]
    return _texts(f"{head}{end}" for end in ends)


async def suggest_expressions(_interaction: Interaction, current: str) -> list[Choice[str]]:
    """Expressions that a model sheet counts."""
    return _texts(word for word in EXPRESSIONS if current.strip().lower() in word)


def _texts(texts: Iterable[str]) -> list[Choice[str]]:
    return [Choice(name=text, value=text) for text in texts if 0 < len(text) <= CHOICE_NAME][
        :CHOICES
    ]


def _panel(panel: Panel, people: dict[str, str]) -> str:
    names = ", ".join(people.get(r.character_id, r.character_id) for r in panel.brief.cast)
    return clip(" · ".join(filter(None, (str(panel.id), names, panel.brief.prompt))), CHOICE_NAME)


def _some(panels: Iterable[int]) -> str:
    shown = list(panels)
    return ", ".join(map(str, shown[:6])) + (" …" if len(shown) > 6 else "")
