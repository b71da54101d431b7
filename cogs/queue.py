"""``/queue``: what waits and what runs."""

from discord import app_commands
from discord.ext import commands

from bot.client import OnModelBot
from cogs.entry import Interaction, acknowledge, actor_of, reply
from cogs.ui.notices import queue_card, waiting_for_engine


class QueueCog(commands.GroupCog, group_name="queue", group_description="The queue of panels"):
    """The queue of this server."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    @app_commands.command(description="What waits and what is being drawn")
    async def show(self, interaction: Interaction) -> None:
        """Show the queue."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        entries = await self.bot.app.panels.queue(actor)
        cast = await self.bot.app.cast.entries(actor)
        names = {entry.character.character_id: entry.character.name for entry in cast}
        card = queue_card(entries, names)
        await reply(interaction, waiting_for_engine(card, self.bot.trouble()))


async def setup(bot: OnModelBot) -> None:
    """Add the cog."""
    await bot.add_cog(QueueCog(bot))
