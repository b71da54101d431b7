"""``/drift report``: how alike the characters come out, over time."""

import asyncio

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import OnModelBot
from bot.services.drift import LookReport
from cogs.entry import Interaction, acknowledge, actor_of, reply, suggest_characters
from cogs.ui.drift_cards import CHARTS, chart_alt, chart_stem, drift_card
from cogs.ui.pictures import Picture
from cogs.ui.words import say
from pipeline.quality.drift_chart import ChartPoint, drift_chart


async def chart_of(look: LookReport) -> Picture:
    """A look's chart as an upload."""
    points = [
        ChartPoint(
            s.similarity, s.threshold, say("p. {page}", page=s.page) if s.page else f"#{s.panel_id}"
        )
        for s in look.log
    ]
    places = {sample.id: place for place, sample in enumerate(look.log)}
    changes = [places[a.since_sample] for a in look.alarms if a.since_sample in places]
    title = f"{look.name} · {look.appearance_id}"
    png = await asyncio.to_thread(drift_chart, title, points, look.rolling, changes)
    return Picture(f"{chart_stem(look)}.png", chart_alt(look), png)


class DriftCog(
    commands.GroupCog, group_name="drift", group_description="How alike the characters come out"
):
    """The drift watch."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    @app_commands.command(description="Similarity over time, what fell, and what changed with it")
    @app_commands.describe(
        character="One character; the whole cast unless you say",
        last="How many panels of each look at most",
    )
    @app_commands.autocomplete(character=suggest_characters)
    async def report(
        self,
        interaction: Interaction,
        character: str | None = None,
        last: app_commands.Range[int, 1, 200] = 60,
    ) -> None:
        """Show charts, alarms and promises."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        report = await self.bot.app.drift.report(actor.guild_id, character, last)
        pictures = [await chart_of(look) for look in report.looks[:CHARTS]]
        labels = dict(self.bot.app.reviews.DRIFT_LABELS)
        await reply(interaction, drift_card(report, pictures, labels))

    @report.autocomplete("character")
    async def _characters(
        self, interaction: discord.Interaction[OnModelBot], current: str
    ) -> list[app_commands.Choice[str]]:
        return await suggest_characters(interaction, current)


async def setup(bot: OnModelBot) -> None:
    """Add the cog."""
    await bot.add_cog(DriftCog(bot))
