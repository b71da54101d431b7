"""The menu entry "Report" on panel cards: members tell the moderators, and nobody else."""

from typing import Self

import discord
from discord import app_commands, ui

from bot.client import OnModelBot
from bot.services.reports import MAX_REASON, MIN_REASON
from cogs.entry import Interaction, acknowledge, actor_of, reply
from cogs.ui import ids
from cogs.ui.errors import answered
from cogs.ui.notices import done
from cogs.ui.words import hear, say
from pipeline.domain.errors import InvalidInput


class ReportDialog(ui.Modal):
    """What is wrong with a panel."""

    def __init__(self, panel_id: int) -> None:
        super().__init__(title=say("Report a panel"))
        self.panel_id = panel_id
        self.words = ui.TextInput[Self](
            min_length=MIN_REASON, max_length=MAX_REASON, style=discord.TextStyle.paragraph
        )
        question = say("What is wrong with it?")
        about = say("Only moderators read this. Nobody is told who reported.")
        self.add_item(ui.Label(text=question, description=about, component=self.words))

    async def on_submit(self, interaction: Interaction) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - the client is ours
        """Write it down; the review opens through the outbox."""
        await answered(interaction, self._write(interaction))

    async def _write(self, interaction: Interaction) -> None:
        await acknowledge(interaction)
        reports = interaction.client.app.reviews.reports
        await reports.report(await actor_of(interaction), self.panel_id, self.words.value)
        words = say("The moderators will look at it. Nobody is told who reported.")
        await reply(interaction, done(say("Thank you"), words))


@app_commands.context_menu(name="Report")
@app_commands.guild_only()
async def report_message(interaction: Interaction, message: discord.Message) -> None:
    """Ask what is wrong with the panel on this card."""
    hear(interaction)
    panel_id = None
    if interaction.client.user is not None and message.author.id == interaction.client.user.id:
        panel_id = ids.panel_of(component.to_dict() for component in message.components)
    if panel_id is None:
        raise InvalidInput(
            "Only panel cards of this bot can be reported here. For anything else, speak to a "
            "moderator of this server."
        )
    await interaction.response.send_modal(ReportDialog(panel_id))


async def setup(bot: OnModelBot) -> None:
    """Add the menu entry."""
    bot.tree.add_command(report_message)
