"""Votes that were closed before a story begins, so that there is something to learn from."""

from collections.abc import Callable
from datetime import UTC, datetime
from random import Random

from studio import picture, warm

from pipeline.domain.character import ShotType
from pipeline.domain.fingerprint import PictureHashes
from pipeline.domain.geometry import Size
from pipeline.domain.job import JobKind, JobStatus
from pipeline.domain.panel import Candidate, PanelBrief, PanelOrigin
from pipeline.domain.quality import Attempt, CandidateReport, JudgedCandidate, Verdict
from pipeline.domain.taste import Traits
from storage import attempts, jobs, panels, votes

FIRST_VOTER = 900_000_000_000_000_000
NOW = datetime.now(UTC)


def vote_history(
    tx, guild_id: int, closed: int = 40, voters: int = 6, traits: Callable[[float], Traits] = warm
) -> None:
    """Closed votes of a series whose people like warm pictures."""
    rng = Random(1)
    for number in range(closed):
        panel = panels.create_panel(
            tx, guild_id=guild_id, series_id=1, requester_id=FIRST_VOTER,
            origin=PanelOrigin.GENERATED, brief=PanelBrief("x", (), ShotType.HALF), channel_id=None,
            submission_sha256=None, now=NOW,
        )  # fmt: skip
        job = jobs.enqueue(
            tx, guild_id=guild_id, member_id=FIRST_VOTER, kind=JobKind.GENERATE, panel_id=panel,
            dedupe_key=f"history {number}", now=NOW.timestamp(),
        )  # fmt: skip
        tx.execute("UPDATE job SET status = ? WHERE id = ?", (JobStatus.CANCELLED, job))
        warmth = [rng.random() * 3 for _ in range(3)]
        judged = tuple(
            JudgedCandidate(
                Candidate(picture(), Size(96, 128)), PictureHashes("test", None, None, None),
                CandidateReport(Verdict.ON_MODEL, (), margin=0.1), traits(w),
            )
            for w in warmth
        )  # fmt: skip
        made = attempts.add_attempt(
            tx, guild_id=guild_id, panel_id=panel, job_id=job, attempt=Attempt(1, None, judged, 1),
            image_shas=[f"{number * 10 + n:064x}" for n in range(3)], now=NOW,
        )  # fmt: skip
        attempts.label_candidates(tx, guild_id=guild_id, panel_id=panel, candidate_ids=made)
        panels.open_voting(tx, guild_id=guild_id, panel_id=panel, closes_at=NOW, now=NOW)
        for voter in range(voters):
            choice = max(range(3), key=lambda n: warmth[n] + rng.gauss(0, 0.4))
            votes.cast_vote(
                tx, guild_id=guild_id, panel_id=panel, member_id=FIRST_VOTER + voter,
                candidate_id=made[choice], now=NOW,
            )  # fmt: skip
        panels.choose_candidate(
            tx, guild_id=guild_id, panel_id=panel, candidate_id=made[0], now=NOW
        )
