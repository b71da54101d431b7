"""The vote buttons of a panel's card."""

import logging
import re
from typing import Any, Self

import discord
from discord import ui

from bot.client import OnModelBot
from bot.services.actor import Actor
from cogs.entry import Interaction, actor_of, for_everyone, whisper
from cogs.loading import carried_alternates, panel_facts
from cogs.ui import ids
from cogs.ui.errors import answered
from cogs.ui.vote_cards import ballot_card, vote_card

log = logging.getLogger(__name__)


class VoteButton(ui.DynamicItem[ui.Button[Any]], template=ids.VOTE):
    """Votes for one alternate, or changes a vote to it."""

    def __init__(self, item: ui.Button[Any], panel_id: int, candidate_id: int) -> None:
        super().__init__(item)
        self.panel_id = panel_id
        self.candidate_id = candidate_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone; nothing is remembered between clicks."""
        assert isinstance(item, ui.Button)
        return cls(item, int(match["panel"]), int(match["candidate"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Count the vote, tell the voter how it stands, show all how many have voted."""
        await answered(interaction, self._clicked(interaction))

    async def _clicked(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        actor = await actor_of(interaction)
        app = interaction.client.app
        ballot = await app.votes.vote(actor, self.panel_id, self.candidate_id)
        facts = await panel_facts(app, actor, self.panel_id)
        card = ballot_card(facts, ballot.tally, self.candidate_id, decided=ballot.decided)
        await whisper(interaction, card)
        if not ballot.decided:  # else the outbox shows the result
            await refresh_vote_card(interaction, actor, self.panel_id)


async def refresh_vote_card(interaction: Interaction, actor: Actor, panel_id: int) -> None:
    """Show how many have voted on the card that was clicked; its pictures stay as they are.

    Of many who vote at once only one waits for its turn to edit: it will show all their votes.
    """
    message = interaction.message
    assert message is not None  # a button is always on a message
    waiting = interaction.client.cards_waiting
    if panel_id in waiting:
        return
    post = ids.post_of(component.to_dict() for component in message.components)
    waiting.add(panel_id)
    async with interaction.client.card_lock(panel_id):
        waiting.discard(panel_id)
        facts = await panel_facts(interaction.client.app, actor, panel_id, post)
        with await for_everyone(interaction):
            card = vote_card(facts, carried_alternates(facts, message))
        try:
            await interaction.edit_original_response(view=card.view())
        except discord.HTTPException as lost:  # the vote counts all the same
            log.warning("card of panel %d not refreshed: %s", panel_id, lost)


async def setup(bot: OnModelBot) -> None:
    """Add the buttons; votes whose time is over are closed by a chore of the queue."""
    bot.add_dynamic_items(VoteButton)
