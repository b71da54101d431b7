"""What a run leaves in the tables: each of these writes belongs into one transaction."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from bot.services.acceptance import accept
from bot.services.drift import watch_panel
from pipeline.domain.job import Job, JobStatus
from pipeline.domain.panel import PanelStatus
from pipeline.domain.quality import Accept, Flag, FlagForReview, JudgedCandidate, PanelOutcome
from pipeline.domain.review import PostKind
from storage import attempts, drift, jobs, outbox, panels, reviews
from storage.database import Transaction


class _Seen(NamedTuple):
    """With which chance moderators see a picture, and whether it is the best of its run."""

    probability: float
    best: bool = True


def follow(tx: Transaction, job: Job, status: JobStatus, error: str, now: datetime) -> None:
    """Let the panel follow its job, which waits again, was cancelled, or is given up."""
    if status is JobStatus.DEAD:
        _set_status(tx, job, PanelStatus.FAILED, now, failure=error)
        _owe(tx, job, PostKind.PANEL_FAILED, job.panel_id, now)
        return
    follows = PanelStatus.CANCELLED if status is JobStatus.CANCELLED else PanelStatus.QUEUED
    _set_status(tx, job, follows, now)


def fail(tx: Transaction, job: Job, error: str) -> None:
    """Give the job up and say why on the panel's card.

    Raises:
        LeaseLost: another worker owns the job by now.
    """
    now = datetime.now(UTC)
    jobs.finish(
        tx,
        job_id=job.id,
        fence=job.fence,
        status=JobStatus.DEAD,
        error=error,
        now=now.timestamp(),
    )
    follow(tx, job, JobStatus.DEAD, error, now)


def cancel(tx: Transaction, job: Job) -> None:
    """The job stopped because somebody cancelled it; what it took counts.

    Raises:
        LeaseLost: another worker owns the job by now.
    """
    now = datetime.now(UTC)
    spent = None if job.started_at is None else (now - job.started_at).total_seconds()
    jobs.finish(
        tx,
        job_id=job.id,
        fence=job.fence,
        status=JobStatus.CANCELLED,
        seconds=spent,
        now=now.timestamp(),
    )
    follow(tx, job, JobStatus.CANCELLED, "", now)


def record(
    tx: Transaction,
    job: Job,
    outcome: PanelOutcome,
    shas: Sequence[Sequence[str]],
    evidence: str | None,
) -> None:
    """Write every attempt, its samples, and what the decision leads to.

    Args:
        tx: the transaction.
        job: whose run it was.
        outcome: what the run came to.
        shas: of the pictures, attempt by attempt; they are among the blobs already.
        evidence: the evidence card's sha256, if there is one.

    Raises:
        LeaseLost: another worker owns the job by now.
    """
    now = datetime.now(UTC)
    # First, because it raises when the job belongs to somebody else by now.
    jobs.finish(
        tx,
        job_id=job.id,
        fence=job.fence,
        status=JobStatus.DONE,
        seconds=outcome.seconds,
        now=now.timestamp(),
    )
    rows = [
        attempts.add_attempt(
            tx,
            guild_id=job.guild_id,
            panel_id=job.panel_id,
            job_id=job.id,
            attempt=attempt,
            image_shas=attempt_shas,
            now=now,
        )
        for attempt, attempt_shas in zip(outcome.attempts, shas, strict=True)
    ]
    match outcome.decision:
        case Accept(picks):
            chosen = [rows[a][c] for a, c in picks]
            for place, ((a, c), row) in enumerate(zip(picks, chosen, strict=True)):
                # A panel counts once: by its best picture, which is the one that an audit shows.
                seen = _Seen(0.0, best=False) if place else _Seen(outcome.audit)
                _sample(tx, job, row, outcome.attempts[a].candidates[c], now, seen)
            accept(tx, job.guild_id, job.panel_id, chosen, now)
            watch_panel(tx, job.guild_id, job.panel_id, now)
            _owe(tx, job, PostKind.VOTE_CARD, job.panel_id, now)
        case FlagForReview((a, c), flag, reason):
            seen = _Seen(outcome.audit if flag is Flag.AUDIT else 1.0)
            _sample(tx, job, rows[a][c], outcome.attempts[a].candidates[c], now, seen)
            _set_status(tx, job, PanelStatus.REVIEW, now)
            review_id = reviews.open_review(
                tx,
                guild_id=job.guild_id,
                panel_id=job.panel_id,
                candidate_id=rows[a][c],
                flag=flag,
                reason=reason,
                evidence_sha256=evidence,
                now=now,
            )
            _owe(tx, job, PostKind.REVIEW_THREAD, review_id, now)


def _sample(
    tx: Transaction,
    job: Job,
    candidate_id: int,
    judged: JudgedCandidate,
    now: datetime,
    seen: _Seen,
) -> None:
    for check in judged.report.checks:
        if check.similarity is not None:
            drift.add_sample(
                tx,
                guild_id=job.guild_id,
                panel_id=job.panel_id,
                candidate_id=candidate_id,
                check=check,
                now=now,
                probability=seen.probability,
                best=seen.best,
            )


def _set_status(
    tx: Transaction, job: Job, status: PanelStatus, now: datetime, failure: str | None = None
) -> None:
    panels.set_status(
        tx,
        guild_id=job.guild_id,
        panel_id=job.panel_id,
        status=status,
        failure=failure,
        now=now,
    )


def _owe(tx: Transaction, job: Job, kind: PostKind, subject_id: int, now: datetime) -> None:
    outbox.owe(
        tx,
        guild_id=job.guild_id,
        kind=kind,
        subject_id=subject_id,
        dedupe_key=f"{kind.value}:{subject_id}:{job.id}",
        now=now,
    )
