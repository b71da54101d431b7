"""A job of the queue: claimed under a lease, fenced by a token that only grows."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class JobKind(StrEnum):
    """What the worker has to do."""

    GENERATE = "generate"
    SUBMISSION = "submission"


class JobStatus(StrEnum):
    """QUEUED and RUNNING are live; the others are final."""

    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    CANCELLED = "cancelled"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Job:
    """A row of the ledger. ``fence`` grows with every claim and is never reset.

    ``crashes`` counts the workers that died holding it; ``progress`` is 0 to 1. ``affinity`` says
    what it needs loaded: a worker that has just done the same is ready for it. It is ``held`` while
    its series pauses; ``front`` above 0 says that moderators let it go first. ``work`` is what
    ``engine`` has to draw: alternates times megapixels.
    """

    id: int
    guild_id: int
    member_id: int
    kind: JobKind
    panel_id: int
    status: JobStatus
    priority: int
    fence: int
    crashes: int
    cancel_requested: bool
    strength: int
    progress: float
    progress_note: str
    error: str | None
    seconds: float | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None
    affinity: str = ""
    held: bool = False
    front: int = 0
    engine: str = ""
    work: float = 0.0


@dataclass(frozen=True, slots=True)
class QueuePlace:
    """Where a waiting job stands: 1 is next.

    ``eta_seconds`` is when it will be done, from now; None until jobs were measured. With 80 % it
    lies between ``eta_low`` and ``eta_high``; None until it is known how far such words were off.
    """

    job_id: int
    position: int
    ahead: int
    eta_seconds: float | None
    eta_low: float | None = None
    eta_high: float | None = None
