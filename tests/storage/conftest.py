"""A real database per test, and a builder that fills a guild with one of everything."""

import sqlite3
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.domain.access import AccessRule, Circle, Deed
from pipeline.domain.calibration import ScoreKey
from pipeline.domain.character import ColorMode, ReadingDirection, ReferenceKind, ShotType
from pipeline.domain.conditioning import (
    ConditioningPlan,
    PartKind,
    PromptPart,
    Step,
    StepTaken,
)
from pipeline.domain.fingerprint import (
    CropClass,
    Embedding,
    EncoderKey,
    Fingerprint,
    PictureHashes,
)
from pipeline.domain.geometry import Box, Size
from pipeline.domain.history import RegistryAction
from pipeline.domain.job import JobKind, JobStatus
from pipeline.domain.panel import (
    Candidate,
    CastRole,
    ChannelDefaults,
    DialogueLine,
    PanelBrief,
    PanelOrigin,
    PlacedFigure,
    Staging,
)
from pipeline.domain.pose import Pose
from pipeline.domain.privacy import ConsentScope
from pipeline.domain.quality import (
    Attempt,
    CandidateReport,
    CharacterCheck,
    Drift,
    Flag,
    JudgedCandidate,
    Threshold,
    ThresholdKey,
    Verdict,
)
from pipeline.domain.quest import View
from pipeline.domain.review import Posted, PostKind, ReviewStatus
from pipeline.domain.safety import Rating, SafetyRules
from pipeline.domain.searching import Hit, PanelWish
from pipeline.domain.sentinel import Receipt, Watched
from pipeline.domain.taste import Guess, Trait, Traits
from storage import (
    access,
    allowance,
    cast,
    channels,
    claims,
    consent,
    drift,
    drift_log,
    guilds,
    history,
    jobs,
    lettering,
    opinions,
    outbox,
    pages,
    panels,
    poses,
    quests,
    reports,
    reviews,
    safety,
    scripts,
    searching,
    taste,
    verdicts,
    votes,
    wordlists,
)
from storage.connections import StudioConnection, configure_writer
from storage.database import Database, open_database
from storage.migrate import migrate

NOW = datetime(2031, 5, 4, 12, tzinfo=UTC)
ENCODER = EncoderKey("palette", "0123abcd", 1)
DIMENSIONS = 24


@pytest.fixture
def now() -> datetime:
    return NOW


@pytest.fixture
def database_path(tmp_path: Path) -> Path:
    return tmp_path / "data" / "onmodel.db"


@pytest.fixture
async def db(database_path: Path) -> AsyncIterator[Database]:
    async with open_database(database_path) as database:
        yield database


@pytest.fixture
def tx(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """A bare migrated connection in autocommit mode, for write functions without the writer."""
    path = tmp_path / "bare.db"
    with closing(sqlite3.connect(path, isolation_level=None, factory=StudioConnection)) as made:
        made.row_factory = sqlite3.Row
        configure_writer(made)
        made.execute("PRAGMA synchronous = OFF")  # tests of logic need no disk
        migrate(made, path)
        yield made


@dataclass(frozen=True)
class Made:
    """The row ids of a filled guild."""

    guild_id: int
    series_id: int
    character_row: int
    appearance_row: int
    reference_id: int
    panel_id: int
    reviewed_panel: int
    queued_panel: int
    job_id: int
    queued_job: int
    candidate_ids: tuple[int, ...]
    review_id: int
    alarm_id: int
    vector: np.ndarray
    script_id: int
    consent_id: int
    quest_id: int
    held_id: int
    accepted_panel: int = 0
    search_id: int = 0


class Builder:
    """Fills guilds; every guild gets the same names and different pictures."""

    encoder = ENCODER
    look = "akira_s1_school"
    now = NOW

    def unit(self, seed: int, dimensions: int = DIMENSIONS) -> np.ndarray:
        raw = np.random.default_rng(seed).standard_normal(dimensions).astype(np.float32)
        return raw / np.linalg.norm(raw)

    def sha(self, number: int) -> str:
        return f"{number:064x}"

    def hashes(self, number: int) -> PictureHashes:
        return PictureHashes("test-1", (1 << 63) | number, number, None)

    def fingerprint(
        self,
        seed: int,
        crop: CropClass = CropClass.HEAD,
        color_mode: ColorMode = ColorMode.COLOR,
        encoder: EncoderKey = ENCODER,
    ) -> Fingerprint:
        return Fingerprint(crop, color_mode, Embedding(self.unit(seed), encoder))

    def brief(self, page: int | None = 1) -> PanelBrief:
        return PanelBrief(
            prompt="Akira waits in the rain",
            cast=(CastRole("ch_akira", "akira_s1_school"),),
            shot_type=ShotType.HALF,
            page=page,
            chapter=2,
        )

    def guild(self, tx: sqlite3.Connection, guild_id: int) -> int:
        """A guild with a series, nothing else; returns the series."""
        guilds.ensure_guild(tx, guild_id, b"wrapped", NOW)
        return cast.create_series(
            tx,
            guild_id=guild_id,
            name="Rain City",
            style="ink",
            reading_direction=ReadingDirection.LTR,
            color_mode=ColorMode.COLOR,
            created_by=1,
            now=NOW,
        )

    def character(
        self, tx: sqlite3.Connection, guild_id: int, series_id: int, name: str = "Akira"
    ) -> tuple[int, int]:
        """A character with one appearance; returns both rows."""
        slug = name.lower()
        row = cast.create_character(
            tx,
            guild_id=guild_id,
            series_id=series_id,
            character_id=f"ch_{slug}",
            name=name,
            owner_id=11,
            notes="",
            height_ratio=1.0,
            now=NOW,
        )
        appearance = cast.create_appearance(
            tx,
            guild_id=guild_id,
            character_row=row,
            appearance_id=f"{slug}_s1_school",
            label="School",
            components={"hair_color": "navy"},
            palette=["#102030"],
            notes="",
            now=NOW,
        )
        return row, appearance

    def reference(
        self, tx: sqlite3.Connection, guild_id: int, appearance_row: int, number: int
    ) -> int:
        return cast.add_reference(
            tx,
            guild_id=guild_id,
            appearance_row=appearance_row,
            sha256=self.sha(number),
            kind=ReferenceKind.POSE,
            shot_type=ShotType.HALF,
            angle="front",
            expression="calm",
            width=100,
            height=200,
            canon=True,
            notes="",
            hashes=self.hashes(number),
            added_by=11,
            now=NOW,
        )

    def panel(
        self,
        tx: sqlite3.Connection,
        guild_id: int,
        series_id: int,
        page: int | None = 1,
        submission: str | None = None,
    ) -> int:
        return panels.create_panel(
            tx,
            guild_id=guild_id,
            series_id=series_id,
            requester_id=21,
            origin=PanelOrigin.GENERATED,
            brief=self.brief(page),
            channel_id=31,
            submission_sha256=submission,
            now=NOW,
        )

    def job(
        self, tx: sqlite3.Connection, guild_id: int, panel_id: int, key: str, member_id: int = 21
    ) -> int:
        return jobs.enqueue(
            tx,
            guild_id=guild_id,
            member_id=member_id,
            kind=JobKind.GENERATE,
            panel_id=panel_id,
            dedupe_key=key,
            now=NOW.timestamp(),
        )

    def check(self, similarity: float | None = 0.9) -> CharacterCheck:
        return CharacterCheck(
            character_id="ch_akira",
            appearance_id="akira_s1_school",
            verdict=Verdict.ON_MODEL,
            reason="looks like the sheet",
            similarity=similarity,
            threshold=0.8,
            crop=CropClass.HEAD,
            box=Box(1, 2, 3, 4),
            nearest_reference=1,
            segments={"palette": 0.9},
            score=None if similarity is None else similarity - 0.8,
            basis=ScoreKey("palette:1", (CropClass.HEAD,), ColorMode.COLOR),
            drift=(Drift("hair_color", 0.8, 0.6, 0.9, Box(1, 2, 3, 4)),),
        )

    def audited(
        self, tx: sqlite3.Connection, guild_id: int, panel_id: int, candidate_id: int
    ) -> int:
        """A picture that passed, was drawn for the blind audit, and was approved."""
        drift.add_sample(
            tx,
            guild_id=guild_id,
            panel_id=panel_id,
            candidate_id=candidate_id,
            check=replace(self.check(), character_id="ch_cleo"),
            now=NOW,
            probability=0.1,
        )
        review = reviews.open_review(
            tx,
            guild_id=guild_id,
            panel_id=panel_id,
            candidate_id=candidate_id,
            flag=Flag.AUDIT,
            reason="Please decide.",
            evidence_sha256=None,
            now=NOW,
        )
        reviews.decide(
            tx,
            guild_id=guild_id,
            review_id=review,
            status=ReviewStatus.APPROVED,
            decided_by=51,
            note="",
            now=NOW,
        )
        verdicts.label_samples(
            tx, guild_id=guild_id, review_id=review, good=True, member_id=51, now=NOW
        )
        opinions.give_opinion(
            tx, guild_id=guild_id, review_id=review, member_id=51, good=True, now=NOW
        )
        return review

    def attempt(self, margins: tuple[float | None, ...] = (0.1, 0.2), number: int = 1) -> Attempt:
        plan = ConditioningPlan(
            generator="draft",
            generator_version="1",
            prompt="p",
            negative="",
            cast=(),
            shot_type=ShotType.HALF,
            color_mode=ColorMode.COLOR,
            size=Size(64, 48),
            seed=5,
            alternates=len(margins),
            negative_parts=(
                PromptPart(
                    "red hair", "it is navy", PartKind.OPPOSITE, "ch_akira", 1.3, "hair_color"
                ),
            ),
            steps=(StepTaken(Step.RAISE_NEGATIVE, "the hair drifted", "hair_color", "ch_akira"),),
        )
        judged = tuple(
            JudgedCandidate(
                candidate=Candidate(
                    b"png", Size(64, 48), (PlacedFigure("ch_akira", Box(0, 0, 9, 9)),)
                ),
                hashes=self.hashes(100 + index),
                report=CandidateReport(Verdict.ON_MODEL, (self.check(),), margin=margin),
                traits=self.traits(index),
            )
            for index, margin in enumerate(margins)
        )
        receipts = tuple(Receipt({0.25: 0.5, 0.5: 0.6}, left_alone=True) for _ in margins)
        watched = Watched(self.look, "kind", receipts)
        return Attempt(number, plan, judged, 2.5, gain=0.1, copy_score=0.4, watched=watched)

    def traits(self, index: int) -> Traits:
        return Traits(
            {Trait.WARMTH: 0.1 * index}, self.fingerprint(index).embedding.vector, "e:1:1"
        )

    def closed_vote(self, tx: sqlite3.Connection, guild_id: int, series_id: int) -> None:
        """A panel that people decided about as its series' taste had expected."""
        panel = self.panel(tx, guild_id, series_id)
        job = self.job(tx, guild_id, panel, f"closed:{panel}")
        tx.execute("UPDATE job SET status = 'cancelled' WHERE id = ?", (job,))
        made = self.candidates(tx, guild_id, panel, job, guild_id * 1000 + 300)
        panels.open_voting(tx, guild_id=guild_id, panel_id=panel, closes_at=NOW, now=NOW)
        votes.cast_vote(
            tx, guild_id=guild_id, panel_id=panel, member_id=41, candidate_id=made[0], now=NOW
        )
        panels.choose_candidate(
            tx, guild_id=guild_id, panel_id=panel, candidate_id=made[0], now=NOW
        )
        taste.note_guess(tx, guild_id=guild_id, panel_id=panel, guess=Guess(made[0], 0.6))

    def candidates(
        self, tx: sqlite3.Connection, guild_id: int, panel_id: int, job_id: int, first_sha: int
    ) -> tuple[int, ...]:
        made = panels.add_attempt(
            tx,
            guild_id=guild_id,
            panel_id=panel_id,
            job_id=job_id,
            attempt=self.attempt(),
            image_shas=[self.sha(first_sha), self.sha(first_sha + 1)],
            now=NOW,
        )
        panels.label_candidates(tx, guild_id=guild_id, panel_id=panel_id, candidate_ids=made)
        return tuple(made)

    def quest(self, tx: sqlite3.Connection, guild_id: int, look: tuple[int, int], base: int) -> int:
        """A picture that waits for a decision, and one that was accepted; returns the first."""
        made = [
            quests.add_quest(
                tx,
                guild_id=guild_id,
                appearance_row=look[0],
                view=View(ShotType.FULL, angle),
                saving=3.5,
                basis={"asked": 4},
                posted_by=11,
                channel_id=None,
                now=NOW,
            )
            for angle in ("back", "side")
        ]
        for number, quest_id in enumerate(made):
            told = {"guild_id": guild_id, "quest_id": quest_id, "now": NOW}
            sha256 = self.sha(base + 95 + number)
            quests.take_quest(tx, artist_id=21, due_at=NOW, **told)
            quests.deliver_quest(tx, artist_id=21, sha256=sha256, **told)
        quests.accept_quest(
            tx,
            guild_id=guild_id,
            quest_id=made[1],
            reference_id=look[1],
            decided_by=11,
            sha256=self.sha(base + 96),
            now=NOW,
        )
        return made[0]

    def everything(self, tx: sqlite3.Connection, guild_id: int) -> Made:
        """One row in every table that carries a guild, and one state of each kind."""
        seconds, base = NOW.timestamp(), guild_id * 1000
        series = self.guild(tx, guild_id)
        character, appearance = self.character(tx, guild_id, series)
        reference = self.reference(tx, guild_id, appearance, base)
        poses.put_pose(
            tx, guild_id=guild_id, reference_id=reference, pose=Pose(((1.0, 2.0, 0.5),) * 17)
        )
        cast.add_fingerprints(
            tx,
            guild_id=guild_id,
            reference_id=reference,
            fingerprints=[self.fingerprint(base)],
        )
        cast.put_threshold(
            tx,
            guild_id=guild_id,
            appearance_row=appearance,
            threshold=Threshold(
                ThresholdKey("akira_s1_school", str(ENCODER), CropClass.HEAD, ColorMode.COLOR),
                0.7,
                "leave-one-out",
                5,
            ),
            now=NOW,
        )
        summer = cast.create_appearance(
            tx,
            guild_id=guild_id,
            character_row=character,
            appearance_id="akira_summer",
            label="Summer",
            components={},
            palette=[],
            notes="",
            now=NOW,
        )
        cast.retire_appearance(tx, guild_id=guild_id, appearance_row=summer, into=appearance)
        cast.add_mark(
            tx,
            guild_id=guild_id,
            reference_id=reference,
            name="scar",
            side="left",
            box=Box(1, 2, 30, 40),
            notes="",
            prints=[(ColorMode.COLOR, self.fingerprint(base).embedding)],
            now=NOW,
        )
        history.add_event(
            tx,
            guild_id=guild_id,
            character_row=character,
            action=RegistryAction.EDIT,
            summary="hair",
            before=history.state_of(tx, guild_id, character, frozenset({"akira_s1_school"})),
            after=history.state_of(tx, guild_id, character, frozenset({"akira_s1_school"})),
            member_id=11,
            now=NOW,
        )
        access.add_co_owner(tx, guild_id=guild_id, character_row=character, member_id=11, now=NOW)
        access.put_rule(
            tx,
            guild_id=guild_id,
            character_row=character,
            deed=Deed.REQUEST,
            rule=AccessRule(Circle.OWNERS),
        )
        quest = self.quest(tx, guild_id, (appearance, reference), base)
        script = scripts.add_script(
            tx,
            guild_id=guild_id,
            series_id=series,
            title="One",
            sha256=self.sha(base + 98),
            imported_by=11,
            now=NOW,
        )
        staging = Staging((("ch_akira", Box(1, 2, 3, 4)),), (Box(5, 6, 7, 8),))
        scripts.put_stagings(
            tx,
            guild_id=guild_id,
            script_id=script,
            stagings={(1, 1): (self.sha(base + 97), staging)},
        )
        voted = self.panel(tx, guild_id, series, submission=self.sha(base + 99))
        flagged, waiting = (self.panel(tx, guild_id, series) for _ in range(2))
        made: list[int] = []
        done = 0
        for number, panel in enumerate((voted, flagged)):
            done = self.job(tx, guild_id, panel, f"panel:{number}")
            # Started by hand: the fair order would give the first turn to another test guild.
            tx.execute(
                "UPDATE job SET status = 'running', fence = 1, lease_until = ? WHERE id = ?",
                (seconds + 60, done),
            )
            made += self.candidates(tx, guild_id, panel, done, base + 200 + 10 * number)
            if panel == voted:
                jobs.finish(
                    tx, job_id=done, fence=1, status=JobStatus.DONE, seconds=4.0, now=seconds
                )
        queued = self.job(tx, guild_id, waiting, "panel:2")
        panels.open_voting(
            tx, guild_id=guild_id, panel_id=voted, closes_at=NOW - timedelta(hours=1), now=NOW
        )
        votes.cast_vote(
            tx, guild_id=guild_id, panel_id=voted, member_id=41, candidate_id=made[0], now=NOW
        )
        taste.note_guess(tx, guild_id=guild_id, panel_id=voted, guess=Guess(made[1], 0.4))
        self.audited(tx, guild_id, flagged, made[3])
        review = reviews.open_review(
            tx,
            guild_id=guild_id,
            panel_id=flagged,
            candidate_id=made[2],
            flag=Flag.OFF_MODEL,
            reason="hair",
            evidence_sha256=None,
            now=NOW,
        )
        reviews.add_label(
            tx, guild_id=guild_id, review_id=review, label="hair", member_id=51, now=NOW
        )
        claims.claim_next(tx, guild_id=guild_id, member_id=21, after=0, stale=NOW, now=NOW)
        opinions.give_opinion(
            tx, guild_id=guild_id, review_id=review, member_id=52, good=True, now=NOW
        )
        reviews.add_label(
            tx, guild_id=guild_id, review_id=review, label="other: hat", member_id=51, now=NOW
        )
        rating = Rating(0.9, "drawings", over=True)
        safety.put_ratings(tx, guild_id=guild_id, ratings={"f" * 64: rating}, now=NOW)
        held = safety.hold_picture(
            tx, guild_id=guild_id, sha256="f" * 64, member_id=21, rating=rating, now=NOW
        )
        assert held is not None
        safety.put_rules(tx, guild_id=guild_id, rules=SafetyRules(60), member_id=21, now=NOW)
        wordlists.add_words(tx, guild_id=guild_id, words={"bad": "Bad"}, member_id=21, now=NOW)
        reports.report_panel(
            tx, guild_id=guild_id, panel_id=flagged, reporter_id=21, reason="bad words", now=NOW
        )
        allowance.put_role_quota(
            tx, guild_id=guild_id, series_id=series, role_id=base + 5, gpu_seconds=600
        )
        channels.put_channel_defaults(
            tx,
            guild_id=guild_id,
            channel_id=base + 6,
            defaults=ChannelDefaults("draft", "ink", Size(640, 480), 3),
        )
        pages.put_page(
            tx,
            guild_id=guild_id,
            series_id=series,
            number=1,
            layout="two",
            panels=[voted],
            sha256=None,
            now=NOW,
        )
        lettering.put_lettering(
            tx,
            guild_id=guild_id,
            panel_id=voted,
            language="de",
            lines=[DialogueLine("Hallo.", "ch_akira", aim=(0.25, 0.5))],
            now=NOW,
        )
        drift.add_sample(
            tx,
            guild_id=guild_id,
            panel_id=voted,
            candidate_id=made[0],
            check=self.check(),
            now=NOW,
            probability=0.1,
        )
        (logged,) = drift_log.log_of(
            tx, guild_id=guild_id, character_id="ch_akira", appearance_id="akira_s1_school"
        )
        alarm = drift_log.add_alarm(
            tx,
            guild_id=guild_id,
            at=logged,
            since=logged,
            watcher="test",
            before=0.9,
            after=0.8,
            cause="The lamp.",
            now=NOW,
        )
        assert alarm is not None
        for kind, subject in ((PostKind.VOTE_CARD, voted), (PostKind.REVIEW_THREAD, review)):
            outbox.owe(
                tx,
                guild_id=guild_id,
                kind=kind,
                subject_id=subject,
                dedupe_key=f"{kind}:1",
                now=NOW,
            )
        taken = outbox.take_due(tx, now=seconds, limit=50)
        mine = next(i for i in taken if i.guild_id == guild_id and i.kind is PostKind.VOTE_CARD)
        outbox.mark_posted(tx, item_id=mine.id, posted=Posted(31, base), now=NOW)
        dead = outbox.owe(
            tx, guild_id=guild_id, kind=PostKind.PANEL_FAILED, subject_id=voted,
            dedupe_key="dead:1", now=NOW,
        )  # fmt: skip
        assert dead
        tx.execute(
            "UPDATE outbox SET status = 'dead', error = 'closed' "
            "WHERE guild_id = ? AND dedupe_key = 'dead:1'",
            (guild_id,),
        )
        consented = consent.ask_consent(
            tx,
            guild_id=guild_id,
            character_row=character,
            holder_id=11,
            person_id=21,
            scope=ConsentScope.DRAW,
            expires_at=NOW + timedelta(days=90),
            now=NOW,
        )
        consent.answer_consent(
            tx, guild_id=guild_id, consent_id=consented, person_id=21, agrees=True, now=NOW
        )
        return Made(
            consent_id=consented,
            guild_id=guild_id,
            series_id=series,
            character_row=character,
            appearance_row=appearance,
            reference_id=reference,
            panel_id=voted,
            reviewed_panel=flagged,
            queued_panel=waiting,
            job_id=done,
            queued_job=queued,
            candidate_ids=tuple(made),
            review_id=review,
            alarm_id=alarm,
            vector=self.unit(base),
            script_id=script,
            quest_id=quest,
            held_id=held,
        )

    def accepted(self, tx: sqlite3.Connection, made: Made) -> Made:
        """An accepted panel in a filled guild, and a search that found it."""
        guild_id = made.guild_id
        accepted = self.panel(tx, guild_id, made.series_id)
        later = self.job(tx, guild_id, accepted, "panel:3")
        tx.execute("UPDATE job SET status = 'running', fence = 1 WHERE id = ?", (later,))
        pictures = self.candidates(tx, guild_id, accepted, later, (guild_id * 1000) + 300)
        jobs.finish(
            tx, job_id=later, fence=1, status=JobStatus.DONE, seconds=2.0, now=NOW.timestamp()
        )
        panels.choose_candidate(
            tx, guild_id=guild_id, panel_id=accepted, candidate_id=pictures[0], now=NOW
        )
        searching.put_print(
            tx, guild_id=guild_id, candidate_id=pictures[0], encoder="whole:1",
            vector=self.unit(guild_id * 1000),
        )  # fmt: skip
        search = searching.add_search(
            tx, guild_id=guild_id, member_id=21, wish=PanelWish(words="x", first=NOW.date()),
            hits=[Hit(accepted, 0.5)], now=NOW,
        )  # fmt: skip
        return replace(made, accepted_panel=accepted, search_id=search)


@pytest.fixture
def build() -> Builder:
    return Builder()


@pytest.fixture
def threads() -> Callable[[], set[str]]:
    """Names of the threads that a database starts."""
    import threading

    return lambda: {
        t.name
        for t in threading.enumerate()
        if t.name == "onmodel-writer" or "_connection_worker_thread" in t.name
    }
