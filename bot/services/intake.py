"""The door of the queue: a request is let in, written down and queued at once, or not at all."""

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.services.actor import Actor
from bot.services.allowance import require_allowance
from bot.services.wordlists import require_clean
from pipeline.domain.character import Series
from pipeline.domain.job import JobKind, QueuePlace
from pipeline.domain.panel import Panel, PanelBrief, PanelOrigin
from storage import jobs, panels
from storage.database import Database, Transaction


@dataclass(frozen=True, slots=True)
class Order:
    """A panel to be made: what, from whom it comes, and where its outcome is posted.

    ``dedupe_key`` tells this request from every other; ``submission_sha256`` is a person's own
    picture; ``warnings`` are for the receipt; ``batch`` says that it is one of several that were
    asked for at once, between which no cooldown lies; ``engine`` is the name of what draws it.
    """

    brief: PanelBrief
    channel_id: int | None
    dedupe_key: str
    origin: PanelOrigin = PanelOrigin.GENERATED
    submission_sha256: str | None = None
    warnings: tuple[str, ...] = ()
    batch: bool = False
    engine: str = ""


@dataclass(frozen=True, slots=True)
class Requested:
    """The receipt: the panel, its place in the queue, and what the person should know."""

    panel: Panel
    place: QueuePlace | None
    warnings: tuple[str, ...]


async def admit(db: Database, actor: Actor, series: Series, order: Order) -> Requested:
    """Check the member's allowance and write panel and job, in one transaction.

    Raises:
        BlockedWord: the prompt or the dialogue has a word that moderators refuse.
        LimitReached: the allowance is used up.
        AlreadyExists: the same request was made before.
    """
    said = (line.text for line in order.brief.dialogue)
    await require_clean(db, actor.guild_id, order.brief.prompt, *said)
    submitted = order.origin is PanelOrigin.SUBMITTED
    kind = JobKind.SUBMISSION if submitted else JobKind.GENERATE

    def add(tx: Transaction) -> tuple[int, int]:
        now = datetime.now(UTC)
        require_allowance(tx, actor, series.id, now, batch=order.batch)
        panel_id = panels.create_panel(
            tx,
            guild_id=actor.guild_id,
            series_id=series.id,
            requester_id=actor.member_id,
            origin=order.origin,
            brief=order.brief,
            channel_id=order.channel_id,
            submission_sha256=order.submission_sha256,
            now=now,
        )
        job_id = jobs.enqueue(
            tx,
            guild_id=actor.guild_id,
            member_id=actor.member_id,
            kind=kind,
            panel_id=panel_id,
            dedupe_key=order.dedupe_key,
            affinity="" if submitted else order.brief.affinity,
            engine=order.engine,
            work=0.0 if submitted else order.brief.work,
            now=now.timestamp(),
        )
        return panel_id, job_id

    panel_id, job_id = await db.write(add)
    panel = await panels.get_panel(db, actor.guild_id, panel_id)
    place = await jobs.place_of(db, job_id)
    if place is not None and (expected := place.eta_seconds) is not None:
        await db.write(lambda tx: jobs.note_expected(tx, job_id=job_id, seconds=expected))
    return Requested(panel, place, order.warnings)


def seed_of(dedupe_key: str) -> int:
    """A seed that belongs to the request, so that a replay of it draws the same."""
    return zlib.crc32(dedupe_key.encode())
