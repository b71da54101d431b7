"""Reads through the services what a card shows, and the pictures that belong on it."""

from collections.abc import Sequence
from dataclasses import replace

import discord

from bot.app import App
from bot.services.actor import Actor
from bot.services.checks import CheckResult
from bot.services.claims import claimed_until
from bot.services.engines import DRAFT
from cogs.ui.card import Card
from cogs.ui.cards import (
    PanelFacts,
    ReviewFacts,
    alternate_alt,
    alternate_stem,
    evidence_alt,
    evidence_stem,
)
from cogs.ui.notices import check_card
from cogs.ui.pictures import SPOILER, Picture, fitted
from cogs.ui.words import say
from pipeline.domain.quality import Flag
from pipeline.domain.quest import Quest
from pipeline.domain.review import Posted, PostKind


async def panel_facts(app: App, actor: Actor, panel_id: int, post: int = 0) -> PanelFacts:
    """A panel as its card shows it now.

    Raises:
        NotFound: the actor's guild has no such panel.
    """
    view = await app.panels.view(actor, panel_id)
    return PanelFacts(
        panel=view.panel,
        names=view.cast_names,
        candidates=view.candidates,
        tally=view.tally,
        drafted=app.engines.drawing(view.panel.brief.generator).name == DRAFT,
        post=post,
        notes=view.notes,
        quorum=view.voting.quorum,
        enlarges=any(
            candidate.id == view.panel.chosen_candidate and app.engines.enlarges(candidate)
            for candidate in view.candidates
        ),
        varies=app.engines.drawing(view.panel.brief.generator).variations > 0,
        review=view.review,
        guess=view.guess,
    )


async def alternate_pictures(app: App, facts: PanelFacts, limit: int) -> list[Picture]:
    """The alternates with their bytes, each at most ``limit`` bytes."""
    return [
        replace(
            await fitted(
                alternate_stem(facts.panel.id, candidate),
                alternate_alt(facts, candidate),
                await app.panels.picture(facts.panel.guild_id, candidate.sha256),
                limit,
            ),
            spoiler=candidate.hidden,
        )
        for candidate in facts.candidates
    ]


def carried_alternates(facts: PanelFacts, message: discord.Message) -> list[Picture]:
    """The alternates as ``message`` carries them already, so that an edit uploads nothing."""
    stems = [alternate_stem(facts.panel.id, candidate) for candidate in facts.candidates]
    alts = [alternate_alt(facts, candidate) for candidate in facts.candidates]
    return carried(message, stems, alts)


def carried(message: discord.Message, stems: Sequence[str], alts: Sequence[str]) -> list[Picture]:
    """Pictures of a message by the stem of their file names; the ending depends on the upload."""
    names = {
        a.filename.removeprefix(SPOILER).rpartition(".")[0]: a.filename for a in message.attachments
    }
    return [
        Picture(names[stem].removeprefix(SPOILER), alt, spoiler=names[stem].startswith(SPOILER))
        for stem, alt in zip(stems, alts, strict=True)
        if stem in names
    ]


async def checked_card(app: App, actor: Actor, result: CheckResult, who: str, limit: int) -> Card:
    """The answer to a check of any picture against ``who``, with its evidence."""
    alt = say("The picture beside the registered references of {name}", name=who)
    shown = await fitted("check-evidence", alt, result.evidence, limit)
    everyone = await app.suggestions.everyone(actor.guild_id)
    names = {character.character_id: character.name for character in everyone}
    return check_card(result.judged.report, names, shown)


async def quest_picture(app: App, quest: Quest, limit: int) -> Picture | None:
    """The picture of a quest that waits for a decision, at most ``limit`` bytes."""
    png = await app.quests.picture(quest)
    if png is None:
        return None
    alt = say("The delivered picture of {name}", name=quest.character_name)
    return await fitted(f"quest-{quest.id}", alt, png, limit)


async def review_facts(app: App, actor: Actor, review_id: int) -> ReviewFacts:
    """A review as its evidence card shows it now.

    Raises:
        NotFound: the actor's guild has no such review.
    """
    review = await app.reviews.get(actor.guild_id, review_id)
    view = await app.panels.view(actor, review.panel_id)
    cards = await app.panels.posts(actor.guild_id, PostKind.VOTE_CARD, review.panel_id)
    return ReviewFacts(
        review=review,
        candidate=await app.reviews.candidate(actor.guild_id, review),
        names=view.cast_names,
        labels=dict(app.reviews.DRIFT_LABELS),
        reports=tuple(await app.reviews.reports.reasons(actor.guild_id, review.id)),
        shown_at=message_link(actor.guild_id, cards[-1]) if cards else "",
        claimed_until=claimed_until(review),
    )


def message_link(guild_id: int, posted: Posted) -> str:
    """Where a message is found; Discord's own clients open such links in place."""
    return f"https://discord.com/channels/{guild_id}/{posted.channel_id}/{posted.message_id}"


async def evidence_picture(app: App, facts: ReviewFacts, limit: int) -> Picture:
    """The evidence; where none was drawn, the candidate itself."""
    review = facts.review
    sha256 = review.evidence_sha256 or facts.candidate.sha256
    png = await app.panels.picture(review.guild_id, sha256)
    shown = await fitted(evidence_stem(review.id), evidence_alt(facts), png, limit)
    return replace(shown, spoiler=facts.candidate.hidden or review.flag is Flag.REPORT)


def carried_evidence(facts: ReviewFacts, message: discord.Message) -> Picture | None:
    """The evidence picture as ``message`` carries it already."""
    found = carried(message, [evidence_stem(facts.review.id)], [evidence_alt(facts)])
    return found[0] if found else None
