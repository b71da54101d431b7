"""Windows that outlive a restart: what was typed into one reaches us by its custom id alone.

A window is built, sent and forgotten; discord.py keeps nothing of it. Its fields come back in the
interaction as Discord sends them.
"""

from collections.abc import Iterator, Mapping
from typing import Any

import discord
from discord import ui

from cogs.ui.limits import WINDOW_TITLE, clip


def window(title: str, custom_id: str, *fields: ui.Label[Any]) -> ui.Modal:
    """A window with these fields; each field's component has its name as custom id."""
    made = ui.Modal(title=clip(title, WINDOW_TITLE), custom_id=custom_id, timeout=None)
    for field in fields:
        made.add_item(field)
    made.stop()  # nothing waits for it in memory
    return made


def typed(interaction: discord.Interaction[Any]) -> dict[str, str]:
    """What a person wrote into the fields of a window, by the names of the fields."""
    data: Any = interaction.data or {}
    return dict(_values(data.get("components") or ()))


def _values(components: Any) -> Iterator[tuple[str, str]]:
    for one in components:
        if not isinstance(one, Mapping):
            continue
        if isinstance(one.get("custom_id"), str) and isinstance(one.get("value"), str):
            yield one["custom_id"], one["value"]
        yield from _values(one.get("components") or ())
        yield from _values([one["component"]] if "component" in one else ())
