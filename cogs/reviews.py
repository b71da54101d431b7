"""``/review`` and the buttons of evidence cards: what moderators decide."""

import re
from typing import Any, Self

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.client import OnModelBot
from bot.services.actor import Actor
from bot.services.claims import CLAIMED_FOR, claimed_until
from bot.services.reviews import MAX_FREE_LABEL, MAX_NOTE
from cogs.entry import Interaction, acknowledge, actor_of, reply, whisper
from cogs.loading import evidence_picture, review_facts
from cogs.threads import join_reviews
from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.cards import evidence_card, second_card
from cogs.ui.care_cards import stuck_lines
from cogs.ui.errors import answered, report
from cogs.ui.limits import clip, plain
from cogs.ui.notices import done, review_stats_card, reviews_card
from cogs.ui.pictures import DEFAULT_LIMIT
from cogs.ui.privacy_cards import log_card
from cogs.ui.verdicts import NEUTRAL
from cogs.ui.words import hear, mark, retell, say, say_n
from pipeline.domain.review import ReviewStatus

OWN_WORDS = "own_words"

_DONE = {
    ReviewStatus.APPROVED: mark("Review {review} is approved; the panel is accepted"),
    ReviewStatus.REJECTED: mark("Review {review} is rejected"),
    ReviewStatus.RETRIED: mark(
        "Review {review} is sent back; it is drawn again with a stronger hold on the references"
    ),
}


class ReviewButton(ui.DynamicItem[ui.Button[Any]], template=ids.REVIEW):
    """Approve, Reject, Retry, Label, Next, Appeal, claims, and the answers of a second opinion."""

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
        asks = self.verb == "why"
        await answered(interaction, (self._ask if asks else self._clicked)(interaction))

    async def _ask(self, interaction: Interaction) -> None:
        """A dialog must be the first answer, so nothing is deferred here."""
        (await actor_of(interaction)).require_moderator("give reasons")
        await interaction.response.send_modal(Reason(self.review_id))

    async def _clicked(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        actor = await actor_of(interaction)
        match self.verb:
            case "label":
                actor.require_moderator("label drift")
                await whisper(interaction, drift_menu(self.review_id, interaction.client))
            case "claim" | "takeover":
                await self._claim(interaction, actor)
            case "release":
                await interaction.client.app.reviews.claims.release(actor, self.review_id)
                await interaction.client.poster.refresh_evidence(actor, self.review_id)
                await whisper(interaction, done(say("Given back"), say("Anybody may take it now.")))
            case "next":
                await show_next(interaction, actor, self.review_id)
            case "appeal":
                fresh = await interaction.client.app.reviews.looks.appeal(actor, self.review_id)
                words = say(
                    "Another moderator looks at the picture again. A panel is appealed once."
                )
                title = say("Appealed; it is review {review} now", review=fresh.id)
                await whisper(interaction, done(title, words))
            case "good" | "bad":
                good = self.verb == "good"
                await interaction.client.app.reviews.looks.opine(actor, self.review_id, good=good)
                words = say("{command} shows the next one.", command="`/review second`")
                await whisper(interaction, done(say("Counted"), words))
            case _:
                await self._decide(interaction, actor)

    async def _decide(self, interaction: Interaction, actor: Actor) -> None:
        reviews = interaction.client.app.reviews
        act = {"approve": reviews.approve, "reject": reviews.reject, "retry": reviews.retry}
        review = await act[self.verb](actor, self.review_id)
        card = done(say(_DONE[review.status], review=review.id))
        if review.status is not ReviewStatus.APPROVED:
            card.text(say("Whoever asked for it would like to know why."))
            card.row(button(say("Say why"), ids.review("why", review.id), emoji="💬"))
        await whisper(interaction, card)

    async def _claim(self, interaction: Interaction, actor: Actor) -> None:
        claims, over = interaction.client.app.reviews.claims, self.verb == "takeover"
        review = await claims.take(actor, self.review_id, over=over)
        await interaction.client.poster.refresh_evidence(actor, review.id)
        minutes = round(CLAIMED_FOR.total_seconds() / 60)
        words = say_n(
            "It is kept for you for {n} minute; others see that on its card.",
            "It is kept for you for {n} minutes; others see that on its card.",
            minutes,
        )
        await whisper(interaction, done(say("Review {review} is yours", review=review.id), words))


async def show_next(interaction: Interaction, actor: Actor, after: int) -> None:
    """Show a moderator the next open review in private, with its buttons, and keep it for them."""
    app = interaction.client.app
    review = await app.reviews.claims.next(actor, after)
    if review is None:
        await whisper(
            interaction, done(say("The queue is empty"), say("Nothing waits for a decision."))
        )
        return
    facts = await review_facts(app, actor, review.id)
    limit = interaction.filesize_limit or DEFAULT_LIMIT
    await whisper(interaction, evidence_card(facts, await evidence_picture(app, facts, limit)))
    await join_reviews(interaction.client, [review], interaction.user)
    await interaction.client.poster.refresh_evidence(actor, review.id)


class Reason(ui.Modal):
    """Why a review was decided as it was, for whoever asked for the panel."""

    def __init__(self, review_id: int) -> None:
        super().__init__(title=say("Why?"))
        self.review_id = review_id
        self.words = ui.TextInput[Self](
            min_length=3, max_length=MAX_NOTE, style=discord.TextStyle.paragraph
        )
        about = say("It stands on the card of the review; the requester can read it.")
        self.add_item(ui.Label(text=say("Your reason"), description=about, component=self.words))

    async def on_submit(self, interaction: Interaction) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - the client is ours
        """Write it down; the cards change through the outbox."""
        await answered(interaction, self._write(interaction))

    async def _write(self, interaction: Interaction) -> None:
        await acknowledge(interaction)
        reviews = interaction.client.app.reviews
        actor = await actor_of(interaction)
        review = await reviews.explain(actor, self.review_id, self.words.value)
        title = say("Review {review} says why", review=review.id)
        await reply(interaction, done(title, plain(review.note, 200)))


class OwnWords(ui.Modal):
    """A kind of drift that no line of the menu names."""

    def __init__(self, review_id: int) -> None:
        super().__init__(title=say("What drifted?"))
        self.review_id = review_id
        self.words: ui.Label[Self] = ui.Label(
            text=say("In a few words"),
            component=ui.TextInput(
                min_length=3, max_length=MAX_FREE_LABEL, placeholder=say("tail lost")
            ),
        )
        self.add_item(self.words)

    async def on_submit(self, interaction: Interaction) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - the client is ours
        """Write it down and show it on the evidence card."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        assert isinstance(self.words.component, ui.TextInput)
        said = self.words.component.value
        review = await interaction.client.app.reviews.describe(actor, self.review_id, said)
        title = say("Review {review} is labelled", review=review.id)
        await reply(interaction, done(title, plain(said, 60)))
        await interaction.client.poster.refresh_evidence(actor, review.id)

    async def on_error(self, interaction: discord.Interaction[Any], error: Exception) -> None:
        """Report as commands do."""
        await report(interaction, error)


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
        if OWN_WORDS in self.item.values:
            hear(interaction)
            await interaction.response.send_modal(OwnWords(self.review_id))
            return
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
        text = ", ".join(retell(words.get(label, label)) for label in review.labels)
        card = done(say("Review {review} is labelled", review=review.id), text)
        await interaction.edit_original_response(view=card.view())
        await interaction.client.poster.refresh_evidence(actor, review.id)


def drift_menu(review_id: int, bot: OnModelBot) -> Card:
    """A private card with the menu of drift modes."""
    options = [
        discord.SelectOption(label=clip(retell(text), 100), value=key)
        for key, text in bot.app.reviews.DRIFT_LABELS[:24]
    ]
    options.append(discord.SelectOption(label=say("Something else …"), value=OWN_WORDS))
    menu = ui.Select[Any](
        custom_id=ids.drift(review_id),
        placeholder=say("What drifted?"),
        min_values=1,
        max_values=min(5, len(options)),
        options=options,
    )
    title = say("🏷️ What drifted in review {review}?", review=review_id)
    return Card(NEUTRAL).heading(title).row(menu)


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
        card = reviews_card(reviews, {r.id for r in reviews if claimed_until(r) is not None})
        if interaction.guild_id is not None:
            card.text(stuck_lines(await self.bot.app.care.stuck(interaction.guild_id)))
        await reply(interaction, card)
        await join_reviews(self.bot, reviews, interaction.user)

    @app_commands.command(name="next", description="Take the next panel that waits for a decision")
    async def next(self, interaction: Interaction) -> None:
        """Show the oldest open review that nobody else has taken."""
        await acknowledge(interaction)
        await show_next(interaction, await actor_of(interaction), 0)

    @app_commands.command(name="second", description="Judge an uncertain decision once more")
    async def second(self, interaction: Interaction) -> None:
        """Ask a second moderator, without telling what the first one said."""
        await acknowledge(interaction)
        actor, app = await actor_of(interaction), self.bot.app
        review = await app.reviews.looks.second(actor)
        if review is None:
            await reply(interaction, done(say("No decision wants a second opinion")))
            return
        facts = await review_facts(app, actor, review.id)
        limit = interaction.filesize_limit or DEFAULT_LIMIT
        await reply(interaction, second_card(facts, await evidence_picture(app, facts, limit)))

    @app_commands.command(name="stats", description="How far moderators agree, and what drifts")
    async def stats(self, interaction: Interaction) -> None:
        """Print the guild's figures."""
        await acknowledge(interaction)
        stats = await self.bot.app.reviews.looks.stats(await actor_of(interaction))
        await reply(interaction, review_stats_card(stats))

    @app_commands.command(name="log", description="Who decided what, and when")
    @app_commands.describe(before="Show what was decided before this number of the log")
    async def log(
        self, interaction: Interaction, before: app_commands.Range[int, 1] | None = None
    ) -> None:
        """Show the newest decisions to moderators."""
        await acknowledge(interaction)
        events = await self.bot.app.privacy.log(await actor_of(interaction), before)
        await reply(interaction, log_card(events))


async def setup(bot: OnModelBot) -> None:
    """Add the buttons and the cog."""
    bot.add_dynamic_items(ReviewButton, DriftMenu)
    await bot.add_cog(ReviewCog(bot))
