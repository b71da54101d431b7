"""``/setup``: the first five minutes of a server, and what has come loose since."""

import re
from typing import Any, Self

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.client import OnModelBot
from bot.services.samples import register_sample
from cogs.entry import Interaction, acknowledge, actor_of, reply
from cogs.forms import Form
from cogs.permissions import can_read, full_permissions, missing_permissions
from cogs.ui import ids
from cogs.ui.card import Card
from cogs.ui.care_cards import stuck_lines
from cogs.ui.errors import answered
from cogs.ui.setup_card import ChannelState, SetupFacts, setup_card
from cogs.ui.words import hear, say
from pipeline.domain.character import ColorMode, ReadingDirection, Series
from pipeline.domain.errors import NotAllowed, NotFound


async def setup_facts(interaction: Interaction) -> SetupFacts:
    """What is there and what is missing, as Discord and the database say at this moment.

    Raises:
        NotAllowed: the person may not manage the server.
    """
    actor = await actor_of(interaction)
    actor.require_manager("set up Onmodel")
    guild = interaction.guild
    if guild is None:
        raise NotFound("This works in a server only.")
    app = interaction.client.app
    try:
        series = await app.series.active(guild.id)
    except NotFound:
        series = None
    role = guild.get_role(series.moderator_role_id or 0) if series else None
    cast = [entry.character.name for entry in await app.cast.entries(actor)] if series else []
    stuck = stuck_lines(await app.care.stuck(guild.id))
    await app.care.try_again(guild.id)  # whoever looks here may have mended something
    return SetupFacts(
        stuck=stuck,
        series=series,
        role_found=role is not None,
        panels=_state(guild, series.panel_channel_id if series else None, None, threads=False),
        reviews=_state(guild, series.review_channel_id if series else None, role, threads=True),
        cast=cast,
        trouble=interaction.client.trouble(),
        may_make_channels=guild.me.guild_permissions.manage_channels,
    )


def _state(
    guild: discord.Guild, number: int | None, readers: discord.Role | None, *, threads: bool
) -> ChannelState:
    channel = guild.get_channel(number) if number is not None else None
    if not isinstance(channel, discord.TextChannel):
        return ChannelState(number)
    missing = missing_permissions(channel, threads=threads)
    readable = readers is None or can_read(channel, readers)
    return ChannelState(number, True, tuple(missing), readable)


async def _show(interaction: Interaction) -> None:
    card = setup_card(await setup_facts(interaction))
    await interaction.edit_original_response(view=card.view())


class FirstComic(Form):
    """Name, style and reading of a new comic."""

    def __init__(self) -> None:
        super().__init__(say("Start a comic"))
        self.name = ui.TextInput[Self](custom_id="name", max_length=80)
        self.style = ui.TextInput[Self](custom_id="style", max_length=200, required=False)
        self.reading = ui.Select[Self](
            custom_id="reading",
            options=[
                discord.SelectOption(label=say("left to right"), value="ltr", default=True),
                discord.SelectOption(label=say("right to left"), value="rtl"),
                discord.SelectOption(label=say("webtoon, top to bottom"), value="webtoon"),
            ],
        )
        self.colour = ui.Select[Self](
            custom_id="colour",
            options=[
                discord.SelectOption(label=say("colour"), value="color", default=True),
                discord.SelectOption(label=say("black and white with tone"), value="grayscale"),
            ],
        )
        style_help = say("A few words on how it is drawn")
        self.add_item(ui.Label(text=say("What it is called"), component=self.name))
        self.add_item(ui.Label(text=say("Style"), description=style_help, component=self.style))
        self.add_item(ui.Label(text=say("How a page is read"), component=self.reading))
        self.add_item(ui.Label(text=say("Colour"), component=self.colour))

    async def sent(self, interaction: Interaction) -> None:
        """Start the comic and show what comes next."""
        await interaction.response.defer()
        await interaction.client.app.series.create(
            await actor_of(interaction),
            name=self.name.value,
            style=self.style.value,
            reading_direction=ReadingDirection(self.reading.values[0]),
            color_mode=ColorMode(self.colour.values[0]),
        )
        await _show(interaction)


class SetupButton(ui.DynamicItem[ui.Button[Any]], template=ids.SETUP_BUTTON):
    """Start a comic, make the channels, add the sample, check again."""

    def __init__(self, item: ui.Button[Any], verb: str) -> None:
        super().__init__(item)
        self.verb = verb

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone."""
        assert isinstance(item, ui.Button)
        return cls(item, match["verb"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do it, and show how far the server is now."""
        if self.verb == "comic":
            hear(interaction)
            await interaction.response.send_modal(FirstComic())
            return
        await answered(interaction, self._clicked(interaction))

    async def _clicked(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        if self.verb == "make":
            await make_channels(interaction)
        elif self.verb == "sample":
            await register_sample(interaction.client.app.cast, await actor_of(interaction))
        await _show(interaction)


class SetupRole(ui.DynamicItem[ui.RoleSelect[Any]], template=ids.SETUP_ROLE):
    """Who moderates."""

    def __init__(self, item: ui.RoleSelect[Any]) -> None:
        super().__init__(item)

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], _match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from its id alone."""
        assert isinstance(item, ui.RoleSelect)
        return cls(item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Keep the choice."""
        await answered(interaction, self._chosen(interaction))

    async def _chosen(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        await _keep(interaction, moderator_role_id=self.item.values[0].id)
        await _show(interaction)


class SetupChannel(ui.DynamicItem[ui.ChannelSelect[Any]], template=ids.SETUP_CHANNEL):
    """Where panels or reviews go."""

    def __init__(self, item: ui.ChannelSelect[Any], which: str) -> None:
        super().__init__(item)
        self.which = which

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from its id alone."""
        assert isinstance(item, ui.ChannelSelect)
        return cls(item, match["which"])

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Keep the choice."""
        await answered(interaction, self._chosen(interaction))

    async def _chosen(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        setting = "panel_channel_id" if self.which == "panels" else "review_channel_id"
        await _keep(interaction, **{setting: self.item.values[0].id})
        await _show(interaction)


async def _keep(interaction: Interaction, **settings: int) -> Series:
    return await interaction.client.app.series.update(await actor_of(interaction), **settings)


async def make_channels(interaction: Interaction) -> None:
    """Make what is missing: a channel for panels, and one for reviews that only moderators see.

    Each is kept in the settings as soon as it is there, so that a second press makes nothing twice.

    Raises:
        NotAllowed: the person may not manage the server, or the bot may not make channels.
    """
    facts = await setup_facts(interaction)
    guild, series = interaction.guild, facts.series
    if guild is None or series is None:
        raise NotFound("Start a comic first.")
    if not facts.may_make_channels:
        raise NotAllowed("I may not make channels here. Give me Manage Channels, or make them.")
    if not facts.panels.found:
        made = await guild.create_text_channel(
            "panels",
            topic=say("Panels of the comic, and votes on them"),
            overwrites={guild.me: full_permissions(threads=False)},
        )
        await _keep(interaction, panel_channel_id=made.id)
    if not facts.reviews.found:
        unseen = discord.PermissionOverwrite(view_channel=False)
        readers = discord.PermissionOverwrite(
            view_channel=True, read_message_history=True, send_messages_in_threads=True
        )
        role = guild.get_role(series.moderator_role_id or 0)
        made = await guild.create_text_channel(
            "reviews",
            topic=say("Flagged panels, for moderators"),
            overwrites={
                guild.default_role: unseen,
                guild.me: full_permissions(threads=True),
                **({role: readers} if role else {}),
            },
        )
        await _keep(interaction, review_channel_id=made.id)


class SetupCog(commands.Cog):
    """The guided start."""

    @app_commands.command(name="setup", description="Set Onmodel up here, step by step")
    @app_commands.default_permissions(manage_guild=True)
    async def setup(self, interaction: Interaction) -> None:
        """Show what is done, what is missing, and menus to mend it."""
        await acknowledge(interaction)
        card: Card = setup_card(await setup_facts(interaction))
        await reply(interaction, card)


async def setup(bot: OnModelBot) -> None:
    """Add the buttons, the menus and the cog."""
    bot.add_dynamic_items(SetupButton, SetupRole, SetupChannel)
    await bot.add_cog(SetupCog())
