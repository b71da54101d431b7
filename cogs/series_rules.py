"""The rest of ``/series``: who votes, what members may use, what a channel draws with."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.entry import Interaction, acknowledge, actor_of, reply
from cogs.ui.series_cards import voting_card
from pipeline.domain.voting import TieRule

if TYPE_CHECKING:
    from bot.client import OnModelBot

_TIES = [
    app_commands.Choice(name="goes on once, then the most on-model wins", value="extend"),
    app_commands.Choice(name="the requester's own vote decides", value="requester"),
    app_commands.Choice(name="the most on-model wins", value="margin"),
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
