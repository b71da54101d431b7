"""What people decide: reviews, votes, and the posts that tell them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from pipeline.domain.panel import PanelOrigin
from pipeline.domain.quality import CandidateReport, Flag


class ReviewStatus(StrEnum):
    """OPEN waits for a moderator; the others are decisions."""

    OPEN = "open"
    APPROVED = "approved"
    REJECTED = "rejected"
    RETRIED = "retried"
    WITHDRAWN = "withdrawn"


LOAD_DAYS = 30
"""Days over which the work of moderators is counted."""


@dataclass(frozen=True, slots=True)
class StoredCandidate:
    """A candidate as it is remembered; ``label`` (A–D) is set on those that were shown to all."""

    id: int
    guild_id: int
    panel_id: int
    attempt: int
    label: str | None
    sha256: str
    width: int
    height: int
    report: CandidateReport
    figures: str
    seconds: float

    @property
    def hidden(self) -> bool:
        """Whether it is shown behind a spoiler only."""
        return self.report.rating is not None and self.report.rating.over


@dataclass(frozen=True, slots=True)
class Review:
    """A flagged panel and what became of it.

    ``claimed_by`` is the moderator who took it last; how long that counts is the services' to say.
    """

    id: int
    guild_id: int
    panel_id: int
    candidate_id: int
    flag: Flag
    reason: str
    status: ReviewStatus
    evidence_sha256: str | None
    origin: PanelOrigin
    requester_id: int
    labels: tuple[str, ...]
    decided_by: int | None
    decided_at: datetime | None
    note: str
    thread_id: int | None
    created_at: datetime
    appeal_of: int | None = None
    claimed_by: int | None = None
    claimed_at: datetime | None = None

    @property
    def is_public(self) -> bool:
        """Whether everyone had seen the picture before: it is kept or taken down, never redrawn."""
        return self.flag in (Flag.CONSENT, Flag.REPORT)

    @property
    def is_about_model(self) -> bool:
        """Whether its decision says something about the model sheet, so that the check learns."""
        return self.flag not in (Flag.CONSENT, Flag.REPORT, Flag.UNSAFE)


@dataclass(frozen=True, slots=True)
class Load:
    """What one moderator decided: how many reviews, and after how many seconds in the middle.

    ``member_id`` is None for those who wanted to be forgotten.
    """

    member_id: int | None
    decided: int
    median_seconds: float


@dataclass(frozen=True, slots=True)
class ReviewStats:
    """How a guild's moderators work: what waits, what was decided, how far they agree.

    ``alpha`` is Krippendorff's (1 full agreement, 0 chance) over the ``twice`` reviews that two or
    more people gave an opinion about, ``disputed`` of them with different ones; None where
    nothing can be said. ``coverage`` says in words how much labelled drift the catalogue knows;
    ``proposed`` are kinds of drift that people describe and it lacks. ``median_seconds`` is how
    long a review waits for its decision, half of them longer, and ``loads`` who decided how much
    (the most first), both over the last :data:`LOAD_DAYS` days; None where nothing was decided.
    """

    waiting: int
    decided: int
    twice: int
    disputed: int
    alpha: float | None
    coverage: str
    proposed: tuple[str, ...] = ()
    median_seconds: float | None = None
    loads: tuple[Load, ...] = ()


@dataclass(frozen=True, slots=True)
class Tally:
    """Votes of a panel: candidate row → votes, the leader's first, and who leads."""

    panel_id: int
    counts: Mapping[int, int]
    leader: int | None
    voters: int

    @property
    def tied(self) -> tuple[int, ...]:
        """The candidates that share the most votes, the best judged first; empty without a tie."""
        most = max(self.counts.values(), default=0)
        first = tuple(row for row, count in self.counts.items() if count == most)
        return first if most and len(first) > 1 else ()


class PostKind(StrEnum):
    """What the outbox posts."""

    VOTE_CARD = "vote_card"
    REVIEW_THREAD = "review_thread"
    PANEL_RESULT = "panel_result"
    PANEL_FAILED = "panel_failed"
    REVIEW_DECIDED = "review_decided"
    DRIFT_ALARM = "drift_alarm"
    HELD_PICTURE = "held_picture"
    HELD_DECIDED = "held_decided"
    NOTICE = "notice"
    """Something that people rely on is gone or closed; ``payload`` says what."""
    QUEST = "quest"


@dataclass(frozen=True, slots=True)
class OutboxItem:
    """A post that is owed. It is owed exactly once: ``dedupe_key`` is unique.

    ``tries`` above 0 means that an earlier try may have reached Discord before it was recorded,
    so the poster looks for the post before making another.
    """

    id: int
    guild_id: int
    kind: PostKind
    subject_id: int
    dedupe_key: str
    payload: Mapping[str, Any]
    tries: int


class Loss(StrEnum):
    """What a notice tells people that they have lost."""

    REVIEW_CHANNEL = "review_channel"
    PANEL_CHANNEL = "panel_channel"
    MODERATOR_ROLE = "moderator_role"
    VOTE_ROLE = "vote_role"
    STUCK = "stuck"
    """A post could not be made anywhere; it waits."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Where a post ended up."""

    channel_id: int
    message_id: int
    thread_id: int | None = None


@dataclass(frozen=True, slots=True)
class StandingPost:
    """A post that people still need: the card of an open vote, of an open review or held picture.

    ``row`` is its row in the outbox.
    """

    row: int
    guild_id: int
    kind: PostKind
    subject_id: int
    posted: Posted


@dataclass(frozen=True, slots=True)
class StuckPost:
    """A post that could not be made, and why."""

    kind: PostKind
    subject_id: int
    error: str


@dataclass(frozen=True, slots=True)
class DriftSample:
    """One point of a character's similarity over time."""

    panel_id: int
    character_id: str
    appearance_id: str
    similarity: float
    threshold: float | None
    verdict: str
    at: datetime
    segments: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LoggedSample:
    """One picture of a look's similarity log.

    ``page`` is None where nobody said it, ``copy_score`` (0 to 1, how much its attempt repeats
    the references) where that is not known.
    """

    id: int
    panel_id: int
    page: int | None
    similarity: float
    threshold: float | None
    copy_score: float | None = None


@dataclass(frozen=True, slots=True)
class DriftAlarm:
    """A fall in a look's similarity that was noticed at ``panel_id``.

    ``watcher`` is ``rule`` or ``test`` (:class:`pipeline.quality.drift.Watcher`); ``cause`` says
    what changed in the recipes with it.
    """

    id: int
    guild_id: int
    character_id: str
    appearance_id: str
    sample_id: int
    since_sample: int
    panel_id: int
    watcher: str
    before: float
    after: float
    cause: str
    at: datetime
