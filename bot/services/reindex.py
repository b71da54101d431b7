"""Indexes references anew, in the background, when the encoders of the settings have changed.

The unit is an appearance: its vectors, those of its marks, its hashes and thresholds change in one
transaction. Until then the old ones serve, because pictures are described with the old encoders as
well wherever these can still be loaded. What is done is on record, so a crash costs one appearance
at most.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.queue.waiting import first_of
from bot.services.locks import GuildLocks
from bot.services.registrar import Registrar
from pipeline.domain.errors import OnModelError
from pipeline.domain.fingerprint import EncoderKey, Fingerprint, PictureHashes
from pipeline.domain.pose import Pose
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.fingerprints.hashes import HASH_VERSION
from pipeline.fingerprints.registry import available_encoders, load_encoders
from pipeline.registry.marks import MarkPrints
from storage import cast, indexing
from storage.blobs import BlobStore
from storage.database import Database, Transaction
from storage.indexing import IndexState, StaleAppearance
from storage.poses import poses_of, put_pose

log = logging.getLogger(__name__)

_LOOK_AGAIN = 60.0
"""Seconds between looks for references that another process registered with other encoders."""

Printed = dict[int, tuple[PictureHashes, tuple[Fingerprint, ...]]]
Progress = Callable[[IndexState], None]


@dataclass(frozen=True, slots=True)
class Round:
    """What one pass over the stale appearances did."""

    appearances: int
    references: int
    failed: int


class ReindexService:
    """Brings what is stored in line with the encoders in use."""

    def __init__(
        self, db: Database, blobs: BlobStore, registrar: Registrar, locks: GuildLocks
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._registrar = registrar
        self._locks = locks

    async def state(self) -> IndexState:
        """How many references there are and how many wait."""
        return await indexing.index_state(self._db, self._registrar.encoders, HASH_VERSION)

    async def run(self, stop: asyncio.Event) -> None:
        """Index whatever is stale, now and whenever something becomes so, until ``stop``."""
        while not stop.is_set():
            try:
                state = await self.state()
                if not state.done:
                    log.warning(
                        "%d of %d references were indexed with other encoders; indexing them anew",
                        state.stale, state.references, extra={"action": "reindex"},
                    )  # fmt: skip
                    await self.once(stop)
            except Exception:  # panels matter more than the index: the studio goes on
                log.exception("the references could not be indexed", extra={"action": "reindex"})
            await first_of(_LOOK_AGAIN, stop)

    async def once(
        self, stop: asyncio.Event | None = None, on_progress: Progress | None = None
    ) -> Round:
        """One pass over everything that is stale; what fails is logged and left for the next."""
        appearances = references = failed = 0
        for stale in await indexing.stale_appearances(
            self._db, self._registrar.encoders, HASH_VERSION
        ):
            if stop is not None and stop.is_set():
                break
            try:
                references += await self._appearance(stale)
                appearances += 1
            except OnModelError as error:
                failed += 1
                log.warning(
                    "%s could not be indexed: %s", stale.appearance_id, error,
                    extra={"action": "reindex"},
                )  # fmt: skip
            state = await self.state()
            log.info(
                "indexed %s; %d of %d references left", stale.appearance_id, state.stale,
                state.references, extra={"action": "reindex"},
            )  # fmt: skip
            if on_progress is not None:
                on_progress(state)
        return Round(appearances, references, failed)

    async def _appearance(self, stale: StaleAppearance) -> int:
        """Index one appearance; returns how many references it has.

        References that come or go meanwhile are noticed before anything is written: then it stays
        stale, and the next pass takes it.
        """
        guild_id = stale.guild_id
        references = await cast.list_references(self._db, guild_id, stale.appearance_row)
        marks = await cast.list_marks(self._db, guild_id, stale.appearance_row)
        posed = await poses_of(self._db, guild_id, stale.appearance_row)
        printed: Printed = {}
        marked: dict[int, MarkPrints] = {}
        new_poses: dict[int, Pose] = {}
        for reference in references:
            png = await self._blobs.get(guild_id, reference.sha256)
            printed[reference.id] = await asyncio.to_thread(
                self._registrar.print_of, png, reference.shot_type
            )
            if reference.id not in posed:
                found = await asyncio.to_thread(self._registrar.pose_of, png)
                new_poses |= {reference.id: found} if found is not None else {}
            for mark in marks:
                if mark.reference_id == reference.id:
                    marked[mark.id] = await asyncio.to_thread(
                        self._registrar.mark_prints_of, png, mark.box
                    )
        async with self._locks.of(guild_id):
            canon = {r.id: printed[r.id][1] for r in references if r.canon and printed[r.id][1]}
            limits = await asyncio.to_thread(
                self._registrar.thresholds_of, stale.appearance_id, canon
            )

            def write(tx: Transaction) -> int:
                now = datetime.now(UTC)
                held = indexing.reference_ids(
                    tx, guild_id=guild_id, appearance_row=stale.appearance_row
                )
                if held != set(printed):
                    return 0
                for reference_id, (hashes, prints) in printed.items():
                    indexing.replace_index(
                        tx, guild_id=guild_id, reference_id=reference_id,
                        hashes=hashes, fingerprints=prints,
                    )  # fmt: skip
                    indexing.mark_indexed(
                        tx, guild_id=guild_id, reference_id=reference_id,
                        encoders=self._registrar.encoders, now=now,
                    )  # fmt: skip
                for reference_id, pose in new_poses.items():
                    put_pose(tx, guild_id=guild_id, reference_id=reference_id, pose=pose)
                for mark_id, prints in marked.items():
                    cast.replace_mark_prints(tx, guild_id=guild_id, mark_id=mark_id, prints=prints)
                cast.replace_thresholds(
                    tx, guild_id=guild_id, appearance_row=stale.appearance_row,
                    thresholds=limits, now=now,
                )  # fmt: skip
                return len(printed)

            return await self._db.write(write)


async def serving_encoders(
    db: Database, names: Sequence[str], configured: Sequence[Encoder]
) -> tuple[str, ...]:
    """The names to judge with: the configured ones, and old ones whose vectors still serve.

    An old encoder serves if it can be made without a file of the host's and is the very same:
    same weights, same preprocessing.
    """
    known = {encoder.key for encoder in configured}
    stored = {EncoderKey.parse(text) for text in await indexing.stored_encoders(db)}
    old = sorted({k.name for k in stored - known} & set(available_encoders()) - set(names))
    kept = [e.key.name for e in load_encoders(old) if e.key in stored] if old else []
    lost = sorted(str(key) for key in stored - known if key.name not in kept)
    if lost:
        log.warning(
            "vectors of %s cannot serve any more; their references cannot be judged before they "
            "are indexed anew", ", ".join(lost), extra={"action": "reindex"},
        )  # fmt: skip
    return (*names, *kept)
