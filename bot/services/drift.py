"""Drift: watches every look as panels are settled, and reports on it."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby

from pipeline.domain.calibration import ScorePlace
from pipeline.domain.errors import InvalidInput, NotFound
from pipeline.domain.review import DriftAlarm, LoggedSample, PostKind
from pipeline.quality.conformal import calibrations, promise_words, waiting_words
from pipeline.quality.drift import cause_words, causes, rolling_mean, watch
from pipeline.quality.facets import facets_of
from pipeline.quality.labels import coverage_of
from pipeline.quality.stiffness import STIFF
from storage import cast, drift_log, lessons, outbox, series, verdicts
from storage.database import Database, Transaction

MAX_LAST = 200
_COMPARED = 20
"""Pictures before a change whose recipes are compared with those since."""


def watch_panel(tx: Transaction, guild_id: int, panel_id: int, now: datetime) -> None:
    """Look whether somebody on a panel that was just settled has been drifting; tell it once.

    Part of the write that settles the panel, so that an alarm is neither lost nor told twice.
    """
    for character_id, appearance_id in drift_log.looks_on(tx, guild_id=guild_id, panel_id=panel_id):
        look = {"guild_id": guild_id, "character_id": character_id, "appearance_id": appearance_id}
        since = drift_log.last_alarm_since(tx, **look)
        log = drift_log.log_of(tx, **look, since=since)
        found = watch([sample.similarity for sample in log])
        if not found:
            continue
        first = found[0]
        start = max(0, first.since - _COMPARED)
        recipes = [
            facets_of(
                drift_log.plan_of_sample(tx, guild_id=guild_id, sample_id=sample.id), character_id
            )
            for sample in log[start : first.at + 1]
        ]
        alarm_id = drift_log.add_alarm(
            tx,
            guild_id=guild_id,
            at=log[first.at],
            since=log[first.since],
            watcher=first.watcher,
            before=first.before,
            after=first.after,
            cause=cause_words(causes(recipes, first.since - start)),
            now=now,
        )
        if alarm_id is not None:
            outbox.owe(
                tx,
                guild_id=guild_id,
                kind=PostKind.DRIFT_ALARM,
                subject_id=alarm_id,
                dedupe_key=f"drift_alarm:{alarm_id}",
                now=now,
            )


@dataclass(frozen=True, slots=True)
class LookReport:
    """One look's log: its pictures, their rolling mean, the mean of each page, and the alarms.

    ``copies`` of ``compared`` generated pictures repeat one of their references.
    """

    character_id: str
    appearance_id: str
    name: str
    log: tuple[LoggedSample, ...]
    rolling: tuple[float, ...]
    pages: tuple[tuple[int, float, int], ...]
    alarms: tuple[DriftAlarm, ...]
    promise: str
    copies: int = 0
    compared: int = 0


@dataclass(frozen=True, slots=True)
class DriftReport:
    """Every look's log, the look with the newest alarm or the longest log first.

    ``labels`` counts what moderators named, by drift mode; ``coverage`` says how much of what they
    named the catalogue knows.
    """

    looks: tuple[LookReport, ...]
    labels: tuple[tuple[str, int], ...]
    coverage: str = ""


class DriftService:
    """What the drift watch knows."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def report(
        self, guild_id: int, character: str | None = None, last: int = 60
    ) -> DriftReport:
        """The logs of a character, or of the whole cast.

        Args:
            guild_id: the tenant.
            character: a name or id; None for everybody.
            last: at most so many pictures of each look.

        Raises:
            InvalidInput: ``last`` is not from 1 to 200.
            NotFound: there is no such character, or nothing was drawn yet.
        """
        if not 1 <= last <= MAX_LAST:
            raise InvalidInput(f"A report shows 1 to {MAX_LAST} pictures of a look.")
        wanted = None
        if character is not None:
            wanted = (await cast.find_character(self._db, guild_id, character)).character_id
        looks = [
            (who, look)
            for who, look in await drift_log.logged_looks(self._db, guild_id)
            if wanted in (None, who)
        ]
        found = [await self._look(guild_id, who, look, last) for who, look in looks]
        found = [one for one in found if one.log]
        if not found:
            raise NotFound(
                "There is no log yet: it begins with the first panel that is accepted. Ask for one "
                "with /panel request."
            )
        found.sort(key=lambda one: (-max((a.id for a in one.alarms), default=0), -len(one.log)))
        counts = await lessons.drift_counts(self._db, guild_id)
        named = Counter({mode: count.labelled for mode, count in counts.items() if count.labelled})
        texts = await lessons.free_labels(self._db, guild_id)
        return DriftReport(
            tuple(found), tuple(named.most_common(8)), coverage_of(named, texts).words
        )

    async def alarm(self, guild_id: int, alarm_id: int) -> tuple[DriftAlarm, LookReport]:
        """One alarm and the log that it is about.

        Raises:
            NotFound: the guild has no such alarm.
        """
        alarm = await drift_log.get_alarm(self._db, guild_id, alarm_id)
        look = await self._look(guild_id, alarm.character_id, alarm.appearance_id, 60)
        return alarm, look

    async def _look(
        self, guild_id: int, character_id: str, appearance_id: str, last: int
    ) -> LookReport:
        log = await drift_log.drift_log(self._db, guild_id, character_id, appearance_id, last)
        names = {c.character_id: c.name for c in await cast.list_characters(self._db, guild_id)}
        raised = await drift_log.alarms(self._db, guild_id, character_id)
        known = [sample.copy_score for sample in log if sample.copy_score is not None]
        return LookReport(
            character_id=character_id,
            appearance_id=appearance_id,
            name=names.get(character_id, character_id),
            log=tuple(log),
            rolling=tuple(rolling_mean([sample.similarity for sample in log])),
            pages=_pages(log),
            alarms=tuple(a for a in raised if a.appearance_id == appearance_id),
            promise=await self._promise(guild_id, character_id, appearance_id),
            copies=sum(score >= STIFF for score in known),
            compared=len(known),
        )

    async def _promise(self, guild_id: int, character_id: str, appearance_id: str) -> str:
        comic = await series.active_series(self._db, guild_id)
        alpha = comic.false_flag_percent / 100
        if not comic.audit_percent:
            return (
                "No promise: the blind audit is off, and verdicts on flagged panels alone would "
                "blind the check. Switch it on with /series settings audit."
            )
        said = await verdicts.good_verdicts(self._db, guild_id)
        unseen = await verdicts.unseen_places(self._db, guild_id)
        learned = calibrations(said, character_id, appearance_id, alpha, unseen)
        newest = next((v.place for v in said if _is(v.place, character_id, appearance_id)), None)
        chosen = [c for c in learned if newest is None or c.key == newest.key] or list(learned)
        if chosen:
            return promise_words(chosen[0].promise)
        return waiting_words(len(said), alpha)


def _is(place: ScorePlace, character_id: str, appearance_id: str) -> bool:
    return (place.character_id, place.appearance_id) == (character_id, appearance_id)


def _pages(log: list[LoggedSample]) -> tuple[tuple[int, float, int], ...]:
    """Page, mean similarity and number of pictures, in the order of the log's pages."""
    known = sorted((s for s in log if s.page is not None), key=lambda s: s.page or 0)
    pages = []
    for page, group in groupby(known, key=lambda s: s.page or 0):
        values = [sample.similarity for sample in group]
        pages.append((page, sum(values) / len(values), len(values)))
    return tuple(pages)
