"""The buttons of vote cards, and the clock that closes votes."""

import logging
import re
from collections.abc import Awaitable, Callable
from typing import Any, Self

import discord
from discord import ui
from discord.ext import commands, tasks

from bot.client import OnModelBot
from bot.services.actor import Actor
from cogs.entry import Interaction, actor_of, whisper
from cogs.loading import carried_alternates, panel_facts
from cogs.ui import ids
from cogs.ui.cards import PanelFacts, vote_card
from cogs.ui.errors import answered
from cogs.ui.notices import done, recipe_card, request_card
from pipeline.domain.errors import OnModelError

log = logging.getLogger(__name__)

CLOSE_EVERY = 30.0
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
        """Count the vote, tell the voter in private, show the new counts to all."""
        await answered(interaction, self._clicked(interaction))

    async def _clicked(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        actor = await actor_of(interaction)
        await interaction.client.app.votes.vote(actor, self.panel_id, self.candidate_id)
        facts = await refresh_vote_card(interaction, actor, self.panel_id)
        label = next((c.label for c in facts.candidates if c.id == self.candidate_id), None)
        words = f"Your vote on panel {self.panel_id} is {label}"
        await whisper(interaction, done(words, "You may change it until the vote closes."))


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
        await whisper(interaction, done(f"The vote on panel {panel.id} is over: {label} wins"))


async def refresh_vote_card(interaction: Interaction, actor: Actor, panel_id: int) -> PanelFacts:
    """Show the present counts on the card that was clicked; its pictures stay as they are."""
    message = interaction.message
    assert message is not None  # a button is always on a message
    post = ids.post_of(component.to_dict() for component in message.components)
    async with interaction.client.card_lock(panel_id):
        facts = await panel_facts(interaction.client.app, actor, panel_id, post)
        card = vote_card(facts, carried_alternates(facts, message))
        try:
            await interaction.edit_original_response(view=card.view())
        except discord.HTTPException as lost:  # the vote counts all the same
            log.warning("card of panel %d not refreshed: %s", panel_id, lost)
    return facts


class VoteClock(commands.Cog):
    """Closes the votes whose time is over."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    async def cog_load(self) -> None:
        """Start the clock."""
        self.close_due.start()

    async def cog_unload(self) -> None:
        """Stop the clock."""
        self.close_due.cancel()

    @tasks.loop(seconds=CLOSE_EVERY)
    async def close_due(self) -> None:
        """Close what is due; an error is logged and the clock goes on."""
        try:
            closed = await self.bot.app.votes.close_due()
        except OnModelError as error:
            log.warning("votes could not be closed: %s", error, extra={"action": "vote_clock"})
            return
        for panel in closed:
            log.info("vote on panel %d closed", panel.id, extra={"action": "vote_closed"})
        if closed:
            self.bot.wake()


async def setup(bot: OnModelBot) -> None:
    """Add the buttons and the clock."""
    bot.add_dynamic_items(VoteButton, PanelButton)
    await bot.add_cog(VoteClock(bot))
