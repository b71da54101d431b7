"""Reviews: what moderators decide about panels that the check flagged."""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from bot.services.acceptance import accept
from bot.services.actor import Actor
from bot.services.claims import Claims
from bot.services.drift import watch_panel
from bot.services.reports import Reports
from bot.services.second_looks import SecondLooks
from pipeline.domain.errors import InvalidInput, NotAllowed, WrongState
from pipeline.domain.job import JobKind
from pipeline.domain.panel import PanelOrigin, PanelStatus
from pipeline.domain.quality import Flag
from pipeline.domain.review import PostKind, Review, ReviewStatus, StoredCandidate
from pipeline.prompting.drift import catalogue, menu_labels
from storage import attempts, jobs, lessons, opinions, outbox, panels, reviews, verdicts
from storage.database import Database, Transaction

MAX_NOTE = 500
MAX_FREE_LABEL = 60

_Then = Callable[[Transaction, Review, datetime], None]

_BESIDE_DRIFT = (
    ("other_character", "Another character"),
    ("copy", "Copy of an earlier picture"),
    ("nothing", "Nothing: the check was wrong"),
)
DRIFT_LABELS = menu_labels(_BESIDE_DRIFT)
"""What a moderator can say drifted: the catalogue's words, so that labels teach the prompts."""


class ReviewService:
    """What moderators decide."""

    DRIFT_LABELS = DRIFT_LABELS

    def __init__(self, db: Database) -> None:
        self._db = db
        self.looks = SecondLooks(db)
        self.claims = Claims(db)
        self.reports = Reports(db)

    async def open(self, actor: Actor) -> list[Review]:
        """Everything that waits for a decision, oldest first.

        Raises:
            NotAllowed: the actor does not moderate.
        """
        actor.require_moderator("see the review list")
        return await reviews.open_reviews(self._db, actor.guild_id)

    async def get(self, guild_id: int, review_id: int) -> Review:
        """One review.

        Raises:
            NotFound: the guild has no such review.
        """
        return await reviews.get_review(self._db, guild_id, review_id)

    async def candidate(self, guild_id: int, review: Review) -> StoredCandidate:
        """The picture that the review is about."""
        return await attempts.get_candidate(self._db, guild_id, review.candidate_id)

    async def approve(self, actor: Actor, review_id: int, note: str = "") -> Review:
        """The picture is good: the panel is accepted with it.

        Of a panel that had passed and was only audited, the other alternates come back, too. One
        that everyone sees (a report) just stays as it is.

        Raises:
            NotAllowed: the actor does not moderate.
            WrongState: somebody decided already.
        """
        held = await self._held_back(actor, review_id)

        def then(tx: Transaction, review: Review, now: datetime) -> None:
            if review.flag is Flag.REPORT and _is_shown(tx, review):
                return
            if len(held) > 1:
                accept(tx, review.guild_id, review.panel_id, held, now)
            else:
                accept(tx, review.guild_id, review.panel_id, [review.candidate_id], now)
            watch_panel(tx, review.guild_id, review.panel_id, now)
            kind = PostKind.VOTE_CARD if len(held) > 1 else PostKind.PANEL_RESULT
            outbox.owe(
                tx,
                guild_id=review.guild_id,
                kind=kind,
                subject_id=review.panel_id,
                dedupe_key=f"{kind.value}:{review.panel_id}:{review.id}",
                now=now,
            )

        return await self._decide(actor, review_id, ReviewStatus.APPROVED, note, then)

    async def reject(self, actor: Actor, review_id: int, note: str = "") -> Review:
        """The picture is not good enough: the panel ends here; one that everyone saw is taken down.

        Raises:
            NotAllowed: the actor does not moderate.
            WrongState: somebody decided already.
        """

        def then(tx: Transaction, review: Review, now: datetime) -> None:
            panels.set_status(
                tx,
                guild_id=review.guild_id,
                panel_id=review.panel_id,
                status=PanelStatus.REJECTED,
                now=now,
            )
            if review.is_public:
                outbox.owe(
                    tx,
                    guild_id=review.guild_id,
                    kind=PostKind.PANEL_RESULT,
                    subject_id=review.panel_id,
                    dedupe_key=f"taken_down:{review.panel_id}:{review.id}",
                    now=now,
                )

        return await self._decide(actor, review_id, ReviewStatus.REJECTED, note, then)

    async def retry(self, actor: Actor, review_id: int, note: str = "") -> Review:
        """Draw again from a stronger rung than the last one.

        Raises:
            NotAllowed: the actor does not moderate.
            WrongState: somebody decided already, a person drew it, or everyone has seen it.
        """
        review = await self.get(actor.guild_id, review_id)
        if review.origin is PanelOrigin.SUBMITTED:
            raise WrongState(
                "A person drew this; it cannot be drawn again. Approve or reject it, and ask for "
                "a new submission."
            )
        if review.is_public:
            raise WrongState(
                "Everyone has seen this panel. Approve keeps it, Reject takes it down; whoever "
                "asked for it can reroll it."
            )
        panel = await panels.get_panel(self._db, actor.guild_id, review.panel_id)
        plan = await attempts.plan_of(self._db, actor.guild_id, review.candidate_id)
        strength = plan.strength + 1 if plan else 1

        def then(tx: Transaction, review: Review, now: datetime) -> None:
            panels.set_status(
                tx,
                guild_id=review.guild_id,
                panel_id=review.panel_id,
                status=PanelStatus.QUEUED,
                now=now,
            )
            jobs.enqueue(
                tx,
                guild_id=review.guild_id,
                member_id=panel.requester_id,
                kind=JobKind.GENERATE,
                panel_id=review.panel_id,
                dedupe_key=f"retry:{review.id}",
                strength=strength,
                affinity=panel.brief.affinity,
                engine=plan.generator if plan else "",
                work=panel.brief.work,
                now=now.timestamp(),
            )

        return await self._decide(actor, review_id, ReviewStatus.RETRIED, note, then)

    async def explain(self, actor: Actor, review_id: int, note: str) -> Review:
        """Say why one decided so; the card tells it to whoever asked for the panel.

        Raises:
            NotAllowed: somebody else decided, and the actor does not manage the server.
            InvalidInput: nothing is said, or too much.
            WrongState: it is not decided yet.
        """
        actor.require_moderator("give reasons")
        text = " ".join(note.split())
        if not 3 <= len(text) <= MAX_NOTE:
            raise InvalidInput(f"Give a reason of 3 to {MAX_NOTE} characters.")
        review = await self.get(actor.guild_id, review_id)
        if actor.member_id != review.decided_by and not actor.can_manage:
            raise NotAllowed("Only whoever decided says why.")
        digest = hashlib.sha256(text.encode()).hexdigest()[:16]

        def work(tx: Transaction) -> None:
            now = datetime.now(UTC)
            reviews.set_note(tx, guild_id=actor.guild_id, review_id=review_id, note=text, now=now)
            keys = {PostKind.REVIEW_DECIDED: review_id}
            if review.is_public and review.status is ReviewStatus.REJECTED:
                keys[PostKind.PANEL_RESULT] = review.panel_id
            for kind, subject in keys.items():
                outbox.owe(
                    tx,
                    guild_id=actor.guild_id,
                    kind=kind,
                    subject_id=subject,
                    dedupe_key=f"{kind.value}:{subject}:why:{digest}",
                    now=now,
                )

        await self._db.write(work)
        return await self.get(actor.guild_id, review_id)

    async def label(self, actor: Actor, review_id: int, label: str) -> Review:
        """Say what drifted. Labels may be added after the decision, too.

        Raises:
            NotAllowed: the actor does not moderate.
            InvalidInput: the label is not one of :data:`DRIFT_LABELS`.
        """
        actor.require_moderator("label drift")
        listed = label in dict(DRIFT_LABELS) or label in catalogue().modes
        if not listed and not label.startswith(lessons.FREE_LABEL):
            raise InvalidInput("Choose one of the listed kinds of drift.")
        review = await self.get(actor.guild_id, review_id)

        def work(tx: Transaction) -> None:
            reviews.add_label(
                tx,
                guild_id=actor.guild_id,
                review_id=review_id,
                label=label,
                member_id=actor.member_id,
                now=datetime.now(UTC),
            )
            if listed and label not in review.labels:
                lessons.count_label(tx, guild_id=actor.guild_id, mode=label)

        await self._db.write(work)
        return await self.get(actor.guild_id, review_id)

    async def describe(self, actor: Actor, review_id: int, words: str) -> Review:
        """Say in one's own words what drifted, where no listed kind fits.

        Raises:
            NotAllowed: the actor does not moderate.
            InvalidInput: nothing was said, or too much.
        """
        text = " ".join(words.split())
        if not 3 <= len(text) <= MAX_FREE_LABEL:
            raise InvalidInput(f"Say what drifted in 3 to {MAX_FREE_LABEL} characters.")
        return await self.label(actor, review_id, lessons.FREE_LABEL + text)

    async def _held_back(self, actor: Actor, review_id: int) -> list[int]:
        """The candidates of an audited run that had passed, the reviewed one first."""
        review = await self.get(actor.guild_id, review_id)
        if review.flag is not Flag.AUDIT:
            return []
        panel = await panels.get_panel(self._db, actor.guild_id, review.panel_id)
        found = await attempts.passed_beside(self._db, actor.guild_id, review.candidate_id)
        others = sorted(
            (c for c in found if c.id != review.candidate_id),
            key=lambda c: c.report.margin or 0.0,
            reverse=True,
        )
        return [review.candidate_id, *(c.id for c in others)][: panel.brief.alternates]

    async def thread_opened(self, guild_id: int, review_id: int, thread_id: int) -> None:
        """Remember where the moderators talk about it."""
        await self._db.write(
            lambda tx: reviews.set_thread(
                tx, guild_id=guild_id, review_id=review_id, thread_id=thread_id
            )
        )

    async def _decide(
        self, actor: Actor, review_id: int, status: ReviewStatus, note: str, then: _Then
    ) -> Review:
        actor.require_moderator("decide about flagged panels")
        if len(note) > MAX_NOTE:
            raise InvalidInput(f"The note has {len(note)} characters; {MAX_NOTE} are allowed.")
        review = await self.get(actor.guild_id, review_id)
        await self.claims.require_free(actor, review)

        def work(tx: Transaction) -> None:
            now = datetime.now(UTC)
            reviews.decide(
                tx,
                guild_id=actor.guild_id,
                review_id=review_id,
                status=status,
                decided_by=actor.member_id,
                note=note,
                now=now,
            )
            then(tx, review, now)
            if review.is_about_model:
                _teach(tx, actor, review_id, good=status is ReviewStatus.APPROVED, now=now)
            outbox.owe(
                tx,
                guild_id=actor.guild_id,
                kind=PostKind.REVIEW_DECIDED,
                subject_id=review_id,
                dedupe_key=f"review_decided:{review_id}",
                now=now,
            )

        await self._db.write(work)
        return await self.get(actor.guild_id, review_id)


def _teach(tx: Transaction, actor: Actor, review_id: int, *, good: bool, now: datetime) -> None:
    """Count the decision as an opinion, and as a label of what the check measured."""
    opinions.give_opinion(
        tx,
        guild_id=actor.guild_id,
        review_id=review_id,
        member_id=actor.member_id,
        good=good,
        now=now,
    )
    verdicts.label_samples(
        tx,
        guild_id=actor.guild_id,
        review_id=review_id,
        good=good,
        member_id=actor.member_id,
        now=now,
    )


def _is_shown(tx: Transaction, review: Review) -> bool:
    """Whether everyone can see the panel at this moment."""
    status = panels.status_in(tx, review.guild_id, review.panel_id)
    return status in (PanelStatus.VOTING, PanelStatus.ACCEPTED)
