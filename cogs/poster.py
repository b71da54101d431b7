"""Posts what the outbox owes, each thing once, where people will find it."""

import logging
from collections.abc import Awaitable, Callable

import discord

from bot.client import OnModelBot
from bot.services.actor import Actor
from cogs.drift import chart_of
from cogs.entry import server_language
from cogs.loading import (
    alternate_pictures,
    carried_alternates,
    carried_evidence,
    evidence_picture,
    quest_picture,
    review_facts,
)
from cogs.posting import Posting, distinct, nonce_of
from cogs.threads import (
    find_thread,
    held_thread_name,
    let_in,
    let_moderators_in,
    named_thread,
    thread_name,
)
from cogs.ui import ids
from cogs.ui.cards import ReviewFacts, cast_names, evidence_card
from cogs.ui.care_cards import notice_card, notice_mark
from cogs.ui.drift_cards import alarm_card, alarm_mark
from cogs.ui.notices import failed_card
from cogs.ui.pictures import fitted
from cogs.ui.quest_cards import quest_card
from cogs.ui.safety_cards import held_alt, held_card
from cogs.ui.vote_cards import taken_down_card, vote_card
from cogs.ui.words import in_language
from pipeline.domain.errors import NotFound
from pipeline.domain.quest import Quest
from pipeline.domain.review import DriftAlarm, Loss, OutboxItem, Posted, PostKind, ReviewStatus

log = logging.getLogger(__name__)

# Events of a quest that are worth a message of their own; others change the cards.
FRESH = {"posted", "delivered"}
# An edit does not take the client's default along.
NOBODY = discord.AllowedMentions.none()


class DiscordPoster(Posting):
    """The outbox's hands on Discord.

    A post carries the number of its outbox row in a custom id: however late a second try comes,
    :meth:`find` recognises the post that was made.
    """

    async def find(self, item: OutboxItem) -> Posted | None:
        """A post that an earlier try made but did not live to record."""
        await self.bot.wait_until_ready()
        match item.kind:
            case PostKind.REVIEW_THREAD:
                return await self._find_evidence(item)
            case PostKind.VOTE_CARD | PostKind.PANEL_FAILED | PostKind.PANEL_RESULT:
                return await self._find_message(item)
            case PostKind.DRIFT_ALARM:
                return await self._find_alarm(item)
            case PostKind.HELD_PICTURE:
                return await self._find_held(item)
            case PostKind.NOTICE:
                return await self._find_notice(item)
            case PostKind.QUEST:
                return await self._find_quest(item)
            case PostKind.REVIEW_DECIDED | PostKind.HELD_DECIDED:
                return None  # an edit: doing it again changes nothing

    async def post(self, item: OutboxItem) -> Posted:
        """Make the post.

        Raises:
            PostRefused: no channel takes it.
            discord.HTTPException: Discord refused it or is not there.
        """
        await self.bot.wait_until_ready()
        makers: dict[PostKind, Callable[[OutboxItem], Awaitable[Posted]]] = {
            PostKind.VOTE_CARD: self._post_vote_card,
            PostKind.REVIEW_THREAD: self._post_evidence,
            PostKind.PANEL_RESULT: self._post_result,
            PostKind.PANEL_FAILED: self._post_failure,
            PostKind.REVIEW_DECIDED: self._post_decision,
            PostKind.DRIFT_ALARM: self._post_alarm,
            PostKind.NOTICE: self._post_notice,
            PostKind.HELD_PICTURE: self._post_held,
            PostKind.HELD_DECIDED: self._post_held_decided,
            PostKind.QUEST: self._post_quest,
        }
        with in_language(await server_language(self.bot, item.guild_id)):
            return await makers[item.kind](item)

    async def refresh_evidence(self, actor: Actor, review_id: int) -> None:
        """Show on a posted evidence card what is known now, if the card can still be edited."""
        facts = await review_facts(self.bot.app, actor, review_id)
        with in_language(await server_language(self.bot, actor.guild_id)):
            await self._refresh(facts)

    async def _refresh(self, facts: ReviewFacts) -> None:
        review_id = facts.review.id
        for posted in await self._posts(facts.review.guild_id, PostKind.REVIEW_THREAD, review_id):
            try:
                await self._edit_evidence(facts, posted)
            except discord.HTTPException as lost:  # an archived thread takes no edits
                log.info("evidence card of review %d stays as it is: %s", review_id, lost)

    # --- panels ---------------------------------------------------------------------------

    async def _post_vote_card(self, item: OutboxItem) -> Posted:
        facts = await self._panel(item)
        pictures = await alternate_pictures(self.bot.app, facts, self._guild(item).filesize_limit)
        places = await self._places(facts)
        return await self._send(item, vote_card(facts, pictures), places, facts.restricted)

    async def _post_failure(self, item: OutboxItem) -> Posted:
        facts = await self._panel(item)
        card = failed_card(facts.panel, facts.names, facts.panel.failure or "", item.id)
        return await self._send(item, card, await self._places(facts))

    async def _post_result(self, item: OutboxItem) -> Posted:
        """The winner on the vote card; a card of its own where there was none or it is gone.

        A panel that was taken down loses its pictures there, and gets no new card.
        """
        for posted in reversed(
            await self._posts(item.guild_id, PostKind.VOTE_CARD, item.subject_id)
        ):
            async with self.bot.card_lock(item.subject_id):
                if await self._edit_vote_card(item, posted):
                    return posted
        if (await self._panel(item)).taken_down:
            return Posted(0, 0)
        return await self._post_vote_card(item)

    async def _edit_vote_card(self, item: OutboxItem, posted: Posted) -> bool:
        message = await self._message(item.guild_id, posted)
        if message is None:
            return False
        facts = await self._panel(item, ids.post_of(c.to_dict() for c in message.components))
        if facts.taken_down:
            view = taken_down_card(facts).view()
            await message.edit(view=view, attachments=[], allowed_mentions=NOBODY)
            return True
        pictures = carried_alternates(facts, message)
        if len(pictures) == len(facts.candidates):
            await message.edit(view=vote_card(facts, pictures).view(), allowed_mentions=NOBODY)
            return True
        # It was taken down and came back: the pictures are not there any more.
        limit = self._guild(item).filesize_limit
        card = vote_card(facts, await alternate_pictures(self.bot.app, facts, limit))
        await message.edit(view=card.view(), attachments=card.files(), allowed_mentions=NOBODY)
        return True

    async def _find_message(self, item: OutboxItem) -> Posted | None:
        facts = await self._panel(item)
        return await self._look_back(
            item,
            await self._places(facts),
            lambda message: ids.carries_post((c.to_dict() for c in message.components), item.id),
        )

    # --- reviews --------------------------------------------------------------------------

    async def _post_evidence(self, item: OutboxItem) -> Posted:
        facts = await review_facts(self.bot.app, self._actor(item), item.subject_id)
        guild = self._guild(item)
        known = item.tries or facts.review.thread_id is not None
        thread = await find_thread(guild, facts.review) if known else None
        if thread is None:
            thread = await self._open(item, facts)
        await self.bot.app.reviews.thread_opened(item.guild_id, facts.review.id, thread.id)
        await let_in(self.bot, thread, facts.review, await self._moderators(item.guild_id))
        picture = await evidence_picture(self.bot.app, facts, guild.filesize_limit)
        card = evidence_card(facts, picture)
        message = await thread.send(view=card.view(), files=card.files(), nonce=nonce_of(item))
        return Posted(thread.id, message.id, thread.id)

    async def _open(self, item: OutboxItem, facts: ReviewFacts) -> discord.Thread:
        panel = await self._panel(item, panel_id=facts.review.panel_id)
        name = thread_name(facts.review.id, panel.panel.id, cast_names(panel.panel, panel.names))
        return await self._private_thread(item, name, await self._places(panel, review=True))

    async def _find_evidence(self, item: OutboxItem) -> Posted | None:
        review = await self.bot.app.reviews.get(item.guild_id, item.subject_id)
        thread = await find_thread(self._guild(item), review)
        if thread is None:
            return None
        async for message in self._own_messages(thread):
            if ids.carries_review((c.to_dict() for c in message.components), review.id):
                return Posted(thread.id, message.id, thread.id)
        return None

    async def _post_decision(self, item: OutboxItem) -> Posted:
        """What is known now, on the evidence card; once it is decided, the thread is archived.

        Where no card was posted yet there is nothing to do: it will show the decision itself.
        """
        facts = await review_facts(self.bot.app, self._actor(item), item.subject_id)
        posts = await self._posts(item.guild_id, PostKind.REVIEW_THREAD, item.subject_id)
        thread = await find_thread(self._guild(item), facts.review) if posts else None
        if thread is not None and thread.archived:  # it takes edits only while it is open
            thread = await thread.edit(archived=False)
        for posted in posts:
            await self._edit_evidence(facts, posted)
        if thread is not None and facts.review.status is not ReviewStatus.OPEN:
            await thread.edit(archived=True)
        return posts[-1] if posts else Posted(facts.review.thread_id or 0, 0)

    async def _edit_evidence(self, facts: ReviewFacts, posted: Posted) -> None:
        message = await self._message(facts.review.guild_id, posted)
        if message is not None:
            card = evidence_card(facts, carried_evidence(facts, message))
            await message.edit(view=card.view(), allowed_mentions=NOBODY)

    # --- drift ----------------------------------------------------------------------------

    async def _post_alarm(self, item: OutboxItem) -> Posted:
        alarm, look = await self.bot.app.drift.alarm(item.guild_id, item.subject_id)
        card = alarm_card(alarm, look, await chart_of(look))
        return await self._send(item, card, await self._alarm_places(item, alarm))

    async def _find_alarm(self, item: OutboxItem) -> Posted | None:
        alarm, _ = await self.bot.app.drift.alarm(item.guild_id, item.subject_id)
        return await self._look_back(
            item, await self._alarm_places(item, alarm), _marked(alarm_mark(alarm))
        )

    async def _alarm_places(self, item: OutboxItem, alarm: DriftAlarm) -> list[int]:
        return await self._places(await self._panel(item, panel_id=alarm.panel_id), review=True)

    # --- pictures that wait -----------------------------------------------------------------

    async def _post_held(self, item: OutboxItem) -> Posted:
        """In a private thread of moderators, behind a spoiler; its owner is not let in."""
        held = await self.bot.app.safety.held(item.guild_id, item.subject_id)
        guild, name = self._guild(item), held_thread_name(held.id)
        thread = await named_thread(guild, name)
        if thread is None:
            thread = await self._private_thread(item, name, await self._common(item))
        await let_moderators_in(self.bot, thread, await self._moderators(item.guild_id))
        picture = None
        if held.sha256 is not None:
            png = await self.bot.app.safety.picture(held)
            picture = await fitted(f"picture-{held.id}", held_alt(held), png, guild.filesize_limit)
        card = held_card(held, picture)
        message = await thread.send(view=card.view(), files=card.files(), nonce=nonce_of(item))
        return Posted(thread.id, message.id, thread.id)

    async def _find_held(self, item: OutboxItem) -> Posted | None:
        thread = await named_thread(self._guild(item), held_thread_name(item.subject_id))
        if thread is None:
            return None
        async for message in self._own_messages(thread):
            if ids.carries_held((c.to_dict() for c in message.components), item.subject_id):
                return Posted(thread.id, message.id, thread.id)
        return None

    async def _post_held_decided(self, item: OutboxItem) -> Posted:
        """What was decided, in place of the picture; then the thread is archived."""
        held = await self.bot.app.safety.held(item.guild_id, item.subject_id)
        posts = await self._posts(item.guild_id, PostKind.HELD_PICTURE, held.id)
        for posted in posts:
            message = await self._message(item.guild_id, posted)
            if message is not None:
                view = held_card(held, None).view()
                await message.edit(view=view, attachments=[], allowed_mentions=NOBODY)
                thread = await self._guild(item).fetch_channel(posted.channel_id)
                if isinstance(thread, discord.Thread):
                    await thread.edit(archived=True)
        return posts[-1] if posts else Posted(0, 0)

    # --- notices --------------------------------------------------------------------------

    async def _post_notice(self, item: OutboxItem) -> Posted:
        loss, words = Loss(item.payload["loss"]), str(item.payload["words"])
        return await self._send(item, notice_card(loss, words, item.id), await self._common(item))

    async def _find_notice(self, item: OutboxItem) -> Posted | None:
        return await self._look_back(item, await self._common(item), _marked(notice_mark(item.id)))

    # --- quests ---------------------------------------------------------------------------

    async def _post_quest(self, item: OutboxItem) -> Posted:
        """A new card when a quest is posted or a picture delivered; else the cards are edited."""
        try:
            quest = await self.bot.app.quests.get(item.guild_id, item.subject_id)
        except NotFound:  # its character left meanwhile, and there is nothing to say any more
            return Posted(0, 0)
        posts = await self._posts(item.guild_id, PostKind.QUEST, quest.id)
        for posted in dict.fromkeys(posts):
            await self._edit_quest(quest, posted)
        if posts and item.payload.get("event") not in FRESH:
            return posts[-1]
        picture = await quest_picture(self.bot.app, quest, self._guild(item).filesize_limit)
        card = quest_card(quest, item.id, picture)
        return await self._send(item, card, await self._quest_places(quest))

    async def _edit_quest(self, quest: Quest, posted: Posted) -> None:
        message = await self._message(quest.guild_id, posted)
        if message is not None:
            post = ids.quest_post_of(c.to_dict() for c in message.components)
            view = quest_card(quest, post).view()
            await message.edit(view=view, attachments=[], allowed_mentions=NOBODY)

    async def _find_quest(self, item: OutboxItem) -> Posted | None:
        quest = await self.bot.app.quests.get(item.guild_id, item.subject_id)
        return await self._look_back(
            item,
            await self._quest_places(quest),
            lambda message: ids.quest_post_of(c.to_dict() for c in message.components) == item.id,
        )

    async def _quest_places(self, quest: Quest) -> list[int]:
        series = await self.bot.app.series.active(quest.guild_id)
        return distinct((quest.channel_id, series.panel_channel_id))


def _marked(mark: str) -> Callable[[discord.Message], bool]:
    """Whether a message's card carries a mark."""
    return lambda message: any(mark in str(c.to_dict()) for c in message.components)


async def setup(bot: OnModelBot) -> None:
    """Give the bot its hands."""
    bot.poster = DiscordPoster(bot)
