"""The rest of ``/series``: who votes, what members may use, what a channel draws with."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.entry import (
    Interaction,
    acknowledge,
    actor_of,
    channel_of,
    for_everyone,
    present,
    reply,
)
from cogs.ui.series_cards import channels_card, quota_card, voting_card
from cogs.ui.taste_cards import taste_card
from pipeline.domain.errors import InvalidInput
from pipeline.domain.panel import PANEL_SIZES, ChannelDefaults
from pipeline.domain.voting import TasteUse, TieRule

if TYPE_CHECKING:
    from bot.client import OnModelBot

_TIES = [
    app_commands.Choice(name="goes on once, then the most on-model wins", value="extend"),
    app_commands.Choice(name="the requester's own vote decides", value="requester"),
    app_commands.Choice(name="the most on-model wins", value="margin"),
]
_TASTES = [
    app_commands.Choice(name="off", value="off"),
    app_commands.Choice(name="break ties, and say what it expected", value="rank"),
    app_commands.Choice(name="beside that, draw fewer when it is clear", value="spare"),
]

_SIZES = [
    app_commands.Choice(name=f"{name}, {size.width} × {size.height}", value=name)
    for name, size in PANEL_SIZES.items()
]


class SeriesRules(commands.GroupCog, group_name="series"):
    """Commands that :class:`cogs.series.SeriesCog` offers beside its own."""

    bot: "OnModelBot"

    @app_commands.command(description="Who votes on alternates, and until when")
    @app_commands.describe(
        hours="After how many hours a vote closes",
        quorum="How many votes decide before that; 0 takes this away",
        role="Only people with this role vote",
        everyone="Everybody votes, whatever their roles",
        member_days="For how many days a voter must have been in the server",
        tie="What happens when several alternates have the most votes",
    )
    @app_commands.choices(tie=_TIES)
    async def voting(
        self,
        interaction: Interaction,
        hours: app_commands.Range[int, 1, 336] | None = None,
        quorum: app_commands.Range[int, 0, 1000] | None = None,
        role: discord.Role | None = None,
        everyone: bool = False,
        member_days: app_commands.Range[int, 0, 3650] | None = None,
        tie: str | None = None,
    ) -> None:
        """Change what is given; without options, show the rules."""
        await acknowledge(interaction)
        series = await self.bot.app.series.update(
            await actor_of(interaction),
            vote_hours=hours,
            vote_quorum=quorum,
            vote_role_id=0 if everyone else role and role.id,
            vote_days=member_days,
            vote_tie=TieRule(tie) if tie else None,
        )
        await reply(interaction, voting_card(series))

    @app_commands.command(description="What members may use of the studio in 24 hours")
    @app_commands.describe(
        role="Say it for members with this role; of several roles the largest counts",
        gpu_seconds="How many seconds the engine draws for a member in 24 hours; 0: no such limit",
        panels="How many panels a member may ask for in 24 hours",
        cooldown="How many seconds lie between two requests of a member",
    )
    async def quota(
        self,
        interaction: Interaction,
        role: discord.Role | None = None,
        gpu_seconds: app_commands.Range[int, 0, 864_000] | None = None,
        panels: app_commands.Range[int, 1, 1000] | None = None,
        cooldown: app_commands.Range[int, 0, 86_400] | None = None,
    ) -> None:
        """Change what is given; without options, show the rules."""
        await acknowledge(interaction)
        actor, service = await actor_of(interaction), self.bot.app.series
        if role is not None:
            if gpu_seconds is None:
                raise InvalidInput("Say how many gpu_seconds people with this role may use.")
            await service.give_role(actor, role.id, gpu_seconds)
            gpu_seconds = None
        series = await service.update(
            actor, gpu_seconds=gpu_seconds, quota=panels, cooldown=cooldown
        )
        await reply(interaction, quota_card(series, await service.roles(actor)))

    @app_commands.command(description="What panels get that are asked for in a channel")
    @app_commands.describe(
        channel="Which one; this one unless you say otherwise",
        generator="The engine that draws them",
        style="A few words on how they are drawn, instead of the comic's own",
        size="Their shape",
        alternates="How many alternates they get",
        clear="Forget what was said before",
    )
    @app_commands.choices(size=_SIZES)
    async def channel(
        self,
        interaction: Interaction,
        channel: discord.TextChannel | None = None,
        generator: app_commands.Range[str, 1, 40] | None = None,
        style: app_commands.Range[str, 1, 200] | None = None,
        size: str | None = None,
        alternates: app_commands.Range[int, 1, 4] | None = None,
        clear: bool = False,
    ) -> None:
        """Change what is given; without options, show what the channels say."""
        await acknowledge(interaction)
        actor, service = await actor_of(interaction), self.bot.app.series
        place = channel.id if channel else channel_of(interaction)
        change = ChannelDefaults(generator, style, PANEL_SIZES[size] if size else None, alternates)
        await service.channel(actor, place, change, clear=clear)
        await reply(interaction, channels_card(await service.channels(actor), place))

    @channel.autocomplete("generator")
    async def _generators(
        self, _interaction: Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        names = self.bot.app.engines.names
        return [app_commands.Choice(name=n, value=n) for n in names if current.lower() in n]

    @app_commands.command(description="What this comic's votes say people like, and what it is for")
    @app_commands.describe(switch="What is done with it; without this, all are shown what it says")
    @app_commands.choices(switch=_TASTES)
    async def taste(self, interaction: Interaction, switch: str | None = None) -> None:
        """Show what was learned to everyone, or switch it."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        if switch is not None:
            await self.bot.app.taste.switch(actor, TasteUse(switch))
            await reply(interaction, taste_card(await self.bot.app.taste.look(actor)))
            return
        view = await self.bot.app.taste.look(actor)
        with await for_everyone(interaction):
            card = taste_card(view)
        await present(interaction, card)
