"""What the art suggests, ready to be confirmed: a menu, two buttons, and a button for pictures."""

from typing import Any

from discord import ButtonStyle, SelectOption, ui

from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.limits import plain
from cogs.ui.words import say
from pipeline.domain.character import Appearance
from pipeline.domain.vocabulary import color_of

_MOST_OPTIONS = 25


def suggested_text(look: Appearance) -> str:
    """What was read from the pictures and nobody has confirmed, in words; empty for nothing."""
    if not look.suggested:
        return ""
    lines = [
        f"{words(slot)}: **{plain(words(value), 60)}**{_code(slot, value)}"
        for slot, value in _found(look)
    ]
    asked = say("🔎 The pictures suggest this. It counts once somebody who knows confirms it.")
    return "\n".join([asked, *lines])


def suggestion_rows(card: Card, look: Appearance) -> Card:
    """Let a person confirm what the pictures suggest; nothing where they suggest nothing."""
    found = _found(look)
    if not found:
        return card
    menu: ui.Select[Any] = ui.Select(
        custom_id=ids.colors("pick", look.id),
        placeholder=say("Choose those that are right"),
        max_values=len(found),
        options=[
            SelectOption(
                label=f"{words(slot)}: {words(value)}"[:100],
                value=slot,
                description=_code(slot, value).strip(" `") or None,
            )
            for slot, value in found
        ],
    )
    every = ids.colors("all", look.id)
    return card.row(menu).row(
        button(say("All are right"), every, style=ButtonStyle.success, emoji="✅"),
        button(say("None of them"), ids.colors("none", look.id), emoji="✖️"),
    )


def pictures_row(card: Card, look: Appearance) -> Card:
    """Offer to add pictures to a look."""
    return card.row(button(say("Add pictures"), ids.add_pictures(look.id), emoji="🖼️"))


def words(slot: str) -> str:
    """A component as people read it: ``hair_color`` → ``hair color``."""
    return slot.replace("_", " ")


def _code(slot: str, value: str) -> str:
    color = color_of(slot, value)
    return f" `{color.hex}`" if color is not None else ""


def _found(look: Appearance) -> list[tuple[str, str]]:
    return sorted(look.suggested.items())[:_MOST_OPTIONS]
