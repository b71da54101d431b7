"""The card of ``/setup``: what is done, what is missing, and the next thing to press."""

from collections.abc import Sequence
from dataclasses import dataclass

import discord
from discord import ui

from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.limits import clip, plain
from cogs.ui.verdicts import GOOD, WAITING
from cogs.ui.words import say
from pipeline.domain.character import Series

_DONE, _TODO, _WRONG = "✅", "⬜", "⚠️"
_MENU_TEXT = 150


@dataclass(frozen=True, slots=True)
class ChannelState:
    """A channel of the settings: None for ``id`` means none was chosen; ``missing`` names rights.

    ``found`` is False if the chosen channel is no longer there; ``open_to_moderators`` tells if the
    moderators' role can read it.
    """

    id: int | None
    found: bool = False
    missing: tuple[str, ...] = ()
    open_to_moderators: bool = True


@dataclass(frozen=True, slots=True)
class SetupFacts:
    """How far a server is.

    ``trouble`` says why nothing can be drawn at the moment, ``stuck`` what could not be posted.
    """

    series: Series | None
    role_found: bool
    panels: ChannelState
    reviews: ChannelState
    cast: Sequence[str]
    trouble: str | None
    may_make_channels: bool
    stuck: str = ""

    @property
    def complete(self) -> bool:
        """Whether panels can be asked for, flagged and decided."""
        return (
            self.series is not None
            and self.role_found
            and all(c.found and not c.missing for c in (self.panels, self.reviews))
            and self.reviews.open_to_moderators
            and bool(self.cast)
            and self.trouble is None
        )


def setup_card(facts: SetupFacts) -> Card:
    """The list, the menus of what is open, and what to try once everything is there."""
    card = Card(GOOD if facts.complete else WAITING)
    title = say("Onmodel is ready") if facts.complete else say("Setting up Onmodel")
    card.heading(f"{_DONE if facts.complete else '🧰'} {title}")
    card.text("\n".join(_lines(facts))).text(facts.stuck)
    if facts.complete:
        card.text(_try_it(facts.cast[0]))
    if facts.series is None:
        start = button(say("Start a comic"), ids.guided("comic"), style=discord.ButtonStyle.primary)
        return card.row(start, _again())
    card.row(_role_menu(facts.series))
    card.row(_channel_menu("panels", say("Where panels are posted"), facts.panels))
    card.row(_channel_menu("reviews", say("Where reviews are opened"), facts.reviews))
    return card.row(*_buttons(facts))


def _lines(facts: SetupFacts) -> list[str]:
    series = facts.series
    if series is None:
        return [
            f"{_TODO} {say('No comic yet. Start one: everything else belongs to it.')}",
            f"-# {say('Only people who may manage this server can do this.')}",
        ]
    comic = say("Comic: {name}", name=plain(series.name, 80))
    return [
        f"{_DONE} {comic}",
        _role_line(facts),
        *_channel_lines(
            facts.panels,
            say("Panels go to"),
            say("No channel for panels: they appear where they were asked for."),
        ),
        *_channel_lines(
            facts.reviews,
            say("Reviews go to"),
            say("No channel for reviews: flagged panels have nowhere to go."),
        ),
        _cast_line(facts.cast),
        *([f"{_WRONG} {plain(facts.trouble, 300)}"] if facts.trouble else []),
    ]


def _role_line(facts: SetupFacts) -> str:
    assert facts.series is not None
    role = facts.series.moderator_role_id
    if role is None:
        return f"{_TODO} {say('No role for moderators: only server managers decide.')}"
    if not facts.role_found:
        return f"{_WRONG} {say('The role of the moderators was deleted. Choose another.')}"
    return f"{_DONE} {say('Moderators: {role}', role=f'<@&{role}>')}"


def _channel_lines(channel: ChannelState, where: str, none: str) -> list[str]:
    if channel.id is None:
        return [f"{_TODO} {none}"]
    if not channel.found:
        return [f"{_WRONG} {where}: {say('that channel was deleted. Choose another.')}"]
    lines = [f"{_WRONG if channel.missing else _DONE} {where}: <#{channel.id}>"]
    if channel.missing:
        needed = ", ".join(map(say, channel.missing))
        lines.append(f"-# {say('There I still need: {permissions}', permissions=needed)}")
    if not channel.open_to_moderators:
        lines.append(f"{_WRONG} {say('Moderators cannot read that channel.')}")
    return lines


def _cast_line(cast: Sequence[str]) -> str:
    if not cast:
        words = say("No characters yet: `/character register`, or take the sample to try.")
        return f"{_TODO} {words}"
    names = clip(", ".join(plain(name, 40) for name in cast), 200)
    return f"{_DONE} {say('Cast: {names}', names=names)}"


def _try_it(name: str) -> str:
    command = f"`/panel request characters:{plain(name, 40)} prompt:…`"
    return say("Try it: {command}", command=command)


def _role_menu(series: Series) -> ui.RoleSelect[ui.LayoutView]:
    chosen = series.moderator_role_id
    return ui.RoleSelect(
        custom_id=ids.guided("role"),
        placeholder=clip(say("Who moderates"), _MENU_TEXT),
        default_values=[discord.SelectDefaultValue(id=chosen, type=_ROLE)] if chosen else [],
    )


def _channel_menu(
    verb: str, placeholder: str, channel: ChannelState
) -> ui.ChannelSelect[ui.LayoutView]:
    known = channel.id is not None and channel.found
    return ui.ChannelSelect(
        custom_id=ids.guided(verb),
        channel_types=[discord.ChannelType.text],
        placeholder=clip(placeholder, _MENU_TEXT),
        default_values=[discord.SelectDefaultValue(id=channel.id or 0, type=_CHANNEL)]
        if known
        else [],
    )


_ROLE = discord.SelectDefaultValueType.role
_CHANNEL = discord.SelectDefaultValueType.channel


def _buttons(facts: SetupFacts) -> list[ui.Button[ui.LayoutView]]:
    buttons = []
    if not (facts.panels.found and facts.reviews.found) and facts.may_make_channels:
        buttons.append(button(say("Make the channels"), ids.guided("make")))
    if not facts.cast:
        buttons.append(button(say("Add a sample character"), ids.guided("sample")))
    return [*buttons, _again()]


def _again() -> ui.Button[ui.LayoutView]:
    return button(say("Check again"), ids.guided("again"))
