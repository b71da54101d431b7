"""The scripted people of the demo: everything here stands in for somebody's own judgement."""

from bot.app import App
from bot.services.actor import Actor
from pipeline.domain.panel import PanelOrigin, PanelStatus
from pipeline.domain.quality import Flag
from storage import attempts, panels

VOTERS = (201, 202, 203, 204, 205)
FAITHFUL = VOTERS[:3]


async def judge_reviews(app: App, moderator: Actor) -> int:
    """Decide about every flagged panel; returns how many.

    The scripted moderator looks at what a person would see at once: somebody else's drawing under
    a cast member's name is labelled and rejected; a draft can only paste registered art, so what
    the check flags or cannot judge of it is approved.
    """
    open_reviews = await app.reviews.open(moderator)
    for review in open_reviews:
        if review.origin is PanelOrigin.SUBMITTED and review.flag is Flag.OFF_MODEL:
            await app.reviews.label(moderator, review.id, "other_character")
            await app.reviews.reject(moderator, review.id, "Nice drawing, but that is not her.")
        else:
            await app.reviews.approve(moderator, review.id, "Looks right to me.")
    return len(open_reviews)


async def vote_on(app: App, requester: Actor, panel_ids: list[int]) -> int:
    """Vote on every open panel and close it; returns the number of votes that were cast.

    Most scripted voters like the alternate that was drawn first, because it was composed from the
    reference that fits the request best; the others like the last one.
    """
    cast = 0
    for panel_id in panel_ids:
        panel = await panels.get_panel(app.db, requester.guild_id, panel_id)
        if panel.status is not PanelStatus.VOTING:
            continue
        shown = await attempts.candidates_of(
            app.db, requester.guild_id, panel_id, labelled_only=True
        )
        for voter in VOTERS:
            drawn = sorted(shown, key=lambda candidate: candidate.id)
            favourite = drawn[0] if voter in FAITHFUL else drawn[-1]
            await app.votes.vote(Actor(requester.guild_id, voter), panel_id, favourite.id)
            cast += 1
        await app.votes.close(requester, panel_id)
    return cast
