"""``/review`` and the buttons of evidence cards: what moderators decide."""

import re
from typing import Any, Self

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.client import OnModelBot
from bot.services.actor import Actor
from cogs.entry import Interaction, acknowledge, actor_of, reply, whisper
from cogs.threads import join_reviews
from cogs.ui import ids
from cogs.ui.card import Card
from cogs.ui.errors import answered
from cogs.ui.notices import done, reviews_card
from cogs.ui.verdicts import NEUTRAL
from pipeline.domain.review import ReviewStatus

_DONE = {
    ReviewStatus.APPROVED: "approved; the panel is accepted",
    ReviewStatus.REJECTED: "rejected",
    ReviewStatus.RETRIED: "sent back; it is drawn again with a stronger hold on the references",
}


class ReviewButton(ui.DynamicItem[ui.Button[Any]], template=ids.REVIEW):
    """Approve, Reject, Retry and Label."""

    def __init__(self, item: ui.Button[Any], verb: str, review_id: int) -> None:
        super().__init__(item)
        self.verb = verb
        self.review_id = review_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone; nothing is remembered between clicks."""
        assert isinstance(item, ui.Button)
        return cls(item, match["verb"], int(match["review"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Decide, or show the menu of drift modes; the card itself changes through the outbox."""
        await answered(interaction, self._clicked(interaction))

    async def _clicked(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        actor = await actor_of(interaction)
        if self.verb == "label":
            actor.require_moderator("label drift")
            await whisper(interaction, drift_menu(self.review_id, interaction.client))
            return
        await self._decide(interaction, actor)

    async def _decide(self, interaction: Interaction, actor: Actor) -> None:
        reviews = interaction.client.app.reviews
        act = {"approve": reviews.approve, "reject": reviews.reject, "retry": reviews.retry}
        review = await act[self.verb](actor, self.review_id)
        await whisper(interaction, done(f"Review {review.id} is {_DONE[review.status]}"))


class DriftMenu(ui.DynamicItem[ui.Select[Any]], template=ids.DRIFT):
    """Says what drifted."""

    def __init__(self, item: ui.Select[Any], review_id: int) -> None:
        super().__init__(item)
        self.review_id = review_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from its id alone."""
        assert isinstance(item, ui.Select)
        return cls(item, int(match["review"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Write the labels down and show them on the evidence card."""
        await answered(interaction, self._clicked(interaction))

    async def _clicked(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        actor = await actor_of(interaction)
        review = None
        for value in self.item.values:
            review = await interaction.client.app.reviews.label(actor, self.review_id, value)
        if review is None:
            return
        words: dict[str, str] = dict(interaction.client.app.reviews.DRIFT_LABELS)
        text = ", ".join(words.get(label, label) for label in review.labels)
        card = done(f"Review {review.id} is labelled", text)
        await interaction.edit_original_response(view=card.view())
        await interaction.client.poster.refresh_evidence(actor, review.id)


def drift_menu(review_id: int, bot: OnModelBot) -> Card:
    """A private card with the menu of drift modes."""
    options = [
        discord.SelectOption(label=text, value=key)
        for key, text in bot.app.reviews.DRIFT_LABELS[:25]
    ]
    menu = ui.Select[Any](
        custom_id=ids.drift(review_id),
        placeholder="What drifted?",
        min_values=1,
        max_values=min(5, len(options)),
        options=options,
    )
    return Card(NEUTRAL).heading(f"🏷️ What drifted in review {review_id}?").row(menu)


class ReviewCog(
    commands.GroupCog, group_name="review", group_description="Panels that the check flagged"
):
    """Commands of moderators; the service checks that they are."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    @app_commands.command(name="list", description="What waits for a moderator's decision")
    async def list_open(self, interaction: Interaction) -> None:
        """List the open reviews and let the moderator into their threads."""
        await acknowledge(interaction)
        reviews = await self.bot.app.reviews.open(await actor_of(interaction))
        await reply(interaction, reviews_card(reviews))
        await join_reviews(self.bot, reviews, interaction.user)


async def setup(bot: OnModelBot) -> None:
    """Add the buttons and the cog."""
    bot.add_dynamic_items(ReviewButton, DriftMenu)
    await bot.add_cog(ReviewCog(bot))
