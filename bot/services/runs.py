"""What workers do with panels: read everything, run, write everything in one transaction."""

import asyncio
from collections.abc import Container, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from bot.services import outcomes
from bot.services.casting import calibrated, cast_input, resolve_role
from bot.services.consent import may_train, require_consent
from bot.services.rerolls import base_of, enlarging_of, pictures_for
from bot.services.taste import TasteService
from pipeline.domain.character import ColorMode
from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.errors import OnModelError
from pipeline.domain.geometry import Size
from pipeline.domain.inputs import Audit, CastInput, LadderPolicy, PanelInputs
from pipeline.domain.job import Job, JobStatus
from pipeline.domain.panel import Candidate, Panel, PanelStatus
from pipeline.domain.quality import PanelOutcome
from pipeline.domain.safety import SafetyRules
from pipeline.domain.sentinel import Bounds
from pipeline.generation.modules import ModuleShelf
from pipeline.generation.watched import look_of
from pipeline.imaging.decode import load_canonical
from pipeline.prompting.drift import catalogue
from pipeline.quality.attributes import MODES
from pipeline.quality.audit import draw
from pipeline.quality.sentinel import learn_bounds
from pipeline.quality.tone import MOST_BESIDE
from storage import (
    attempts,
    jobs,
    lessons,
    panels,
    previews,
    reviews,
    safety,
    series,
)
from storage.blobs import BlobStore
from storage.database import Database, Transaction
from storage.keys import Keyring

MAX_CRASHES = 3
_POLICY = LadderPolicy()


class RunService:
    """The dispatcher's side of a panel.

    Without a keyring nothing is audited: the draw needs a secret.
    """

    def __init__(
        self,
        db: Database,
        blobs: BlobStore,
        policy: LadderPolicy = _POLICY,
        keyring: Keyring | None = None,
        shelf: ModuleShelf | None = None,
        taste: TasteService | None = None,
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._policy = policy
        self._keyring = keyring
        self._shelf = shelf or ModuleShelf(None)
        self._taste = taste or TasteService(db)

    async def inputs_for(self, job: Job) -> PanelInputs:
        """Everything that the run needs, in one value.

        Raises:
            ConsentMissing: a character shows a real person who no longer agrees.
            NotFound: a character or an appearance was deleted meanwhile.
        """
        guild_id = job.guild_id
        panel = await panels.get_panel(self._db, guild_id, job.panel_id)
        names = [role.character_id for role in panel.brief.cast]
        await require_consent(self._db, guild_id, names)
        comic = await series.get_series(self._db, guild_id, panel.series_id)
        rules = await safety.safety_rules(self._db, guild_id) or SafetyRules()
        members = []
        for role in panel.brief.cast:
            character, appearance = await resolve_role(self._db, guild_id, role)
            members.append(await cast_input(self._db, self._blobs, character, appearance))
        members = await calibrated(self._db, comic, members)
        trained = await may_train(self._db, guild_id, names)
        members = await asyncio.to_thread(self._with_modules, guild_id, members, trained)
        base = await base_of(self._db, guild_id, panel.brief)
        kin = {panel.id, panel.brief.replaces}
        if panel.brief.revision is not None:  # a variation is near to what it varies
            kin.add(panel.brief.revision.panel_id)
        earlier = await attempts.panel_hashes(self._db, guild_id, except_panels=kin - {None})
        await self._db.write(
            lambda tx: panels.set_status(
                tx,
                guild_id=guild_id,
                panel_id=panel.id,
                status=PanelStatus.RUNNING,
                # a claim that was slow to get here must not reopen what another one finished
                expected={PanelStatus.QUEUED, PanelStatus.RUNNING},
                now=datetime.now(UTC),
            )
        )
        return PanelInputs(
            panel_id=panel.id,
            brief=panel.brief,
            cast=tuple(members),
            style=panel.brief.style or comic.style,
            earlier=earlier,
            policy=self._policy,
            start_strength=job.strength,
            submission=await self._submission(guild_id, panel.id),
            enlarging=await enlarging_of(self._db, self._blobs, guild_id, panel.brief),
            pictures=await pictures_for(self._blobs, guild_id, panel.brief, base),
            base=base,
            hints=await self._hints(guild_id, panel.id) if job.strength else (),
            drift_counts=await lessons.drift_counts(self._db, guild_id),
            step_counts=await lessons.step_counts(self._db, guild_id),
            audit=await self._audit(job, comic.audit_percent),
            attribute_counts=await lessons.attribute_counts(self._db, guild_id, modes=MODES),
            last_good=await self._last_good(guild_id, panel),
            sentinel=await self._bounds(guild_id, members) if comic.sentinel else None,
            beside=await self._beside(guild_id, panel),
            taste=await self._taste.for_run(comic, panel.id),
            safety=rules.policy(restricted_channel=panel.brief.restricted),
        )

    async def _beside(self, guild_id: int, panel: Panel) -> tuple[bytes, ...]:
        """Accepted panels of the same page, to compare colours with."""
        page = panel.brief.page
        if page is None or panel.brief.color_mode is not ColorMode.COLOR:
            return ()
        done = await panels.list_panels(
            self._db,
            guild_id,
            page=page,
            status=PanelStatus.ACCEPTED,
            series_id=panel.series_id,
            limit=MOST_BESIDE + 1,
        )
        chosen = [p.chosen_candidate for p in done if p.id != panel.id and p.chosen_candidate]
        shown = [await attempts.get_candidate(self._db, guild_id, one) for one in chosen]
        pictures = [await self._blobs.get(guild_id, one.sha256) for one in shown[-MOST_BESIDE:]]
        return tuple(pictures)

    async def _bounds(self, guild_id: int, members: Sequence[CastInput]) -> dict[str, Bounds]:
        """The sentinel's bounds for a cast, by kind of picture: what became of earlier ones."""
        past = await previews.past_runs(self._db, guild_id, look_of(members))
        return {kind: learn_bounds(runs) for kind, runs in past.items()}

    async def _last_good(self, guild_id: int, panel: Panel) -> dict[str, ConditioningPlan]:
        """The recipes of the latest accepted pictures of the panel's looks."""
        found: dict[str, ConditioningPlan] = {}
        for role in panel.brief.cast:
            plan = await attempts.last_good_plan(
                self._db, guild_id, role.appearance_id, except_panel=panel.id
            )
            if plan is not None:
                found[role.appearance_id] = plan
        return found

    def _with_modules(
        self, guild_id: int, members: Sequence[CastInput], trained: Container[str]
    ) -> list[CastInput]:
        """The members with what was trained for their looks and may be used; reads files."""
        return [
            replace(member, modules=self._shelf.of(guild_id, member.appearance_id))
            if member.character_id in trained
            else member
            for member in members
        ]

    async def _audit(self, job: Job, percent: int) -> Audit:
        if self._keyring is None:
            return Audit()
        key = await self._keyring.guild_key(job.guild_id)
        return draw(key, job.panel_id, job.id, percent)

    async def _hints(self, guild_id: int, panel_id: int) -> tuple[str, ...]:
        """The drift that moderators named when they sent the panel back."""
        review = await reviews.review_of_panel(self._db, guild_id, panel_id)
        labels = review.labels if review is not None else ()
        return tuple(label for label in labels if label in catalogue().modes)

    async def _submission(self, guild_id: int, panel_id: int) -> Candidate | None:
        sha256 = await panels.submission_of(self._db, guild_id, panel_id)
        if sha256 is None:
            return None
        png = await self._blobs.get(guild_id, sha256)
        size = await asyncio.to_thread(lambda: load_canonical(png).size)
        return Candidate(png, Size(*size))

    async def complete(self, job: Job, outcome: PanelOutcome) -> None:
        """Keep the pictures, then write the outcome in one transaction.

        A crash before the transaction re-queues the job (its blobs are found again by their
        content); a crash after it finds the owed post in the outbox.

        Raises:
            LeaseLost: another worker owns the job by now; nothing was written.
        """
        shas = [
            [await self._blobs.put(job.guild_id, j.candidate.image) for j in attempt.candidates]
            for attempt in outcome.attempts
        ]
        for attempt in outcome.attempts:
            for picture in attempt.material.values():  # so that the stored plan can be repeated
                await self._blobs.put(job.guild_id, picture)
        evidence = None
        if outcome.evidence is not None:
            evidence = await self._blobs.put(job.guild_id, outcome.evidence)
        await self._db.write(lambda tx: outcomes.record(tx, job, outcome, shas, evidence))

    async def fail(self, job: Job, error: OnModelError) -> None:
        """The job is over without a picture, and its requester is told why.

        Raises:
            LeaseLost: another worker owns the job by now; nothing was written.
        """
        await self._db.write(lambda tx: outcomes.fail(tx, job, str(error)))

    async def cancelled(self, job: Job) -> None:
        """The job stopped because somebody cancelled it.

        Raises:
            LeaseLost: another worker owns the job by now; nothing was written.
        """
        await self._db.write(lambda tx: outcomes.cancel(tx, job))

    async def release_crashed(self, job: Job, error: str) -> JobStatus:
        """The worker died with the job: back to the queue, or dead after too many times.

        Raises:
            LeaseLost: another worker owns the job by now; nothing was written.
        """

        def work(tx: Transaction) -> JobStatus:
            now = datetime.now(UTC)
            status = jobs.release_crashed(
                tx,
                job_id=job.id,
                fence=job.fence,
                max_crashes=MAX_CRASHES,
                error=error,
                now=now.timestamp(),
            )
            outcomes.follow(tx, job, status, error, now)
            return status

        return await self._db.write(work)

    async def requeue(self, job: Job) -> None:
        """A graceful stop: the job waits again and no crash is counted.

        Raises:
            LeaseLost: another worker owns the job by now; nothing was written.
        """

        def work(tx: Transaction) -> None:
            now = datetime.now(UTC)
            status = jobs.requeue(tx, job_id=job.id, fence=job.fence, now=now.timestamp())
            outcomes.follow(tx, job, status, "", now)

        await self._db.write(work)

    async def recover_expired(self) -> Sequence[Job]:
        """Take back the jobs whose lease ran out: their worker or its bot is gone."""

        def work(tx: Transaction) -> list[Job]:
            now = datetime.now(UTC)
            expired = jobs.requeue_expired(tx, now=now.timestamp(), max_crashes=MAX_CRASHES)
            for job in expired:
                outcomes.follow(tx, job, job.status, job.error or "The worker died.", now)
            return expired

        return await self._db.write(work)
