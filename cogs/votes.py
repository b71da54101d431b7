"""The buttons of vote cards."""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, Self

import discord
from discord import ui

from bot.client import OnModelBot
from bot.services.actor import Actor
from cogs.entry import Interaction, actor_of, for_everyone, whisper
from cogs.loading import carried_alternates, panel_facts
from cogs.ui import ids
from cogs.ui.errors import answered
from cogs.ui.notices import done, recipe_card, request_card
from cogs.ui.vote_cards import ballot_card, vote_card
from cogs.ui.words import say

log = logging.getLogger(__name__)

# Two clicks within this many seconds are one wish.
_DOUBLE_CLICK = 10


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


class PanelButton(ui.DynamicItem[ui.Button[Any]], template=ids.PANEL):
    """Reroll, Recipe and Finish vote."""

    def __init__(self, item: ui.Button[Any], verb: str, panel_id: int) -> None:
        super().__init__(item)
        self.verb = verb
        self.panel_id = panel_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone."""
        assert isinstance(item, ui.Button)
        return cls(item, match["verb"], int(match["panel"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do what the button says and answer in private."""
        await answered(interaction, self._clicked(interaction))

    async def _clicked(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        actor = await actor_of(interaction)
        actions: dict[str, Callable[[Interaction, Actor], Awaitable[None]]] = {
            "reroll": self._reroll,
            "recipe": self._recipe,
            "finish": self._finish,
        }
        await actions[self.verb](interaction, actor)

    async def _reroll(self, interaction: Interaction, actor: Actor) -> None:
        window = int(interaction.created_at.timestamp()) // _DOUBLE_CLICK
        taken = await interaction.client.app.panels.reroll(
            actor, self.panel_id, dedupe_key=f"reroll:{self.panel_id}:{actor.member_id}:{window}"
        )
        view = await interaction.client.app.panels.view(actor, taken.panel.id)
        card = request_card(taken.panel, taken.place, view.cast_names, taken.warnings)
        await whisper(interaction, card)

    async def _recipe(self, interaction: Interaction, actor: Actor) -> None:
        text = await interaction.client.app.panels.recipe(actor, self.panel_id)
        await whisper(interaction, recipe_card(self.panel_id, text))

    async def _finish(self, interaction: Interaction, actor: Actor) -> None:
        panel = await interaction.client.app.votes.close(actor, self.panel_id)
        view = await interaction.client.app.panels.view(actor, panel.id)
        chosen = (c.label for c in view.candidates if c.id == panel.chosen_candidate)
        label = next(chosen, None)
        await whisper(
            interaction,
            done(
                say("The vote on panel {panel} is over: {label} wins", panel=panel.id, label=label)
            ),
        )


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
    bot.add_dynamic_items(VoteButton, PanelButton)
