"""The power goes at random moments; nothing that was acknowledged is lost.

SQLite runs over a file system layer that knows what has been synced. A cut leaves the synced
bytes, and of the rest any part that the disk happened to have written. The schema, the pragmas,
the group commit and the write functions are the product's own; only the connection is another
build of SQLite, the one that lets a test stand below it.
"""

import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import apsw
import sqlite_vec

from pipeline.domain.job import JobKind, JobStatus
from storage import cast, jobs, panels, votes
from storage.connections import configure_writer
from storage.database import open_database
from storage.migrate import migrate
from storage.writer import commit_together

CUTS = 60


@dataclass
class File:
    """The bytes that are certain, and the writes since the last sync: (offset, data or size)."""

    synced: bytearray = field(default_factory=bytearray)
    pending: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        apply(self.synced, self.pending)
        self.pending.clear()

    def after_cut(self, rng: random.Random) -> bytes:
        """What may be found: all pending writes lost, some of them kept, the last one torn."""
        image = bytearray(self.synced)
        match rng.randrange(3):
            case 0:
                kept = []
            case 1:
                kept = [write for write in self.pending if rng.random() < 0.5]
            case _:
                kept = self.pending[: rng.randint(0, len(self.pending))]
        if kept and kept[-1][1] and rng.random() < 0.5:
            offset, data = kept[-1]
            kept = [*kept[:-1], (offset, data[: rng.randint(0, len(data))])]
        apply(image, kept)
        return bytes(image)


def apply(image: bytearray, writes: Sequence[tuple[int, bytes | None]]) -> None:
    for offset, data in writes:
        if data is None:
            del image[offset:]
            continue
        image.extend(bytes(max(0, offset - len(image))))
        image[offset : offset + len(data)] = data


class Disk(apsw.VFS):
    """A file system that can be asked, at any call, what a power cut would leave."""

    def __init__(self, at_call: Callable[[], None]) -> None:
        self.files: dict[str, File] = {}
        self.at_call = at_call
        super().__init__("power-cut", "")

    def xOpen(self, name: Any, flags: list[int]) -> "DiskFile":  # noqa: N802 - SQLite's name
        return DiskFile(self, name, flags)

    def xDelete(self, name: str, sync_folder: bool) -> None:  # noqa: N802 - SQLite's name
        self.files.pop(Path(name).name, None)
        super().xDelete(name, sync_folder)

    def image(self, folder: Path, rng: random.Random) -> None:
        folder.mkdir()
        for name, file in self.files.items():
            (folder / name).write_bytes(file.after_cut(rng))


class DiskFile(apsw.VFSFile):
    def __init__(self, disk: Disk, name: Any, flags: list[int]) -> None:
        path = name.filename() if isinstance(name, apsw.URIFilename) else name
        self._disk = disk
        self._file = disk.files.setdefault(Path(path).name, File())
        super().__init__("", name, flags)

    def xWrite(self, data: bytes, offset: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.at_call()
        super().xWrite(data, offset)
        self._file.pending.append((offset, bytes(data)))

    def xTruncate(self, size: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.at_call()
        super().xTruncate(size)
        self._file.pending.append((size, None))

    def xSync(self, flags: int) -> None:  # noqa: N802 - SQLite's name
        self._disk.at_call()
        super().xSync(flags)
        self._file.sync()


class Row(tuple):
    """A row by position and by name, like :class:`sqlite3.Row`."""

    names: tuple[str, ...]

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.names.index(key) if isinstance(key, str) else key)


class Cursor(apsw.Cursor):
    """Counts changed rows as :class:`sqlite3.Cursor` does."""

    @property
    def rowcount(self) -> int:
        return self.connection.changes()


class Bridge:
    """The part of :class:`sqlite3.Connection` that write functions use, over apsw."""

    has_vec0 = True

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection
        connection.cursor_factory = Cursor
        connection.row_trace = self._row
        connection.enable_load_extension(True)
        connection.load_extension(sqlite_vec.loadable_path())

    @staticmethod
    def _row(cursor: apsw.Cursor, values: tuple[Any, ...]) -> Row:
        row = Row(values)
        row.names = tuple(column[0] for column in cursor.get_description())
        return row

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    def execute(self, sql: str, params: Any = ()) -> apsw.Cursor:
        return self._connection.execute(sql, params)

    def executemany(self, sql: str, params: Any) -> apsw.Cursor:
        return self._connection.executemany(sql, params)

    def set_authorizer(self, callback: Any) -> None:
        self._connection.authorizer = callback


@contextmanager
def studio_on(disk: Disk, path: Path, synchronous: str) -> Iterator[Any]:
    """A migrated connection over the disk, configured as the writer's."""
    connection = apsw.Connection(str(path), vfs="power-cut")
    try:
        bridge: Any = Bridge(connection)
        configure_writer(bridge)
        assert connection.pragma("synchronous") == 2  # what the product sets
        migrate(bridge, path)
        connection.pragma("synchronous", synchronous)
        connection.pragma("wal_autocheckpoint", 200)  # so that cuts hit checkpoints as well
        yield bridge
    finally:
        connection.close()
        disk.unregister()


class Promises:
    """What was acknowledged, as queries that must find a row after the cut."""

    def __init__(self) -> None:
        self.made: list[tuple[str, tuple[Any, ...]]] = []

    def broken(self, connection: sqlite3.Connection, count: int) -> list[tuple[Any, ...]]:
        return [
            (query, params)
            for query, params in self.made[:count]
            if connection.execute(query, params).fetchone() is None
        ]


class Workload:
    """Random votes, jobs and registrations, several to a commit."""

    def __init__(self, bridge: Any, build: Any, rng: random.Random, promises: Promises) -> None:
        self._tx, self._build, self._rng, self._promises = bridge, build, rng, promises
        self._member = 100
        self._name = 0
        (outcome,) = commit_together(bridge, [lambda tx: build.everything(tx, 1)])
        assert outcome.error is None, outcome.error
        self._made = outcome.value
        bridge.execute("PRAGMA wal_checkpoint(TRUNCATE)")  # the start is safe in any mode

    def step(self) -> None:
        """One commit of one to four requests; their promises are made when it returned."""
        works = [self._rng.choice((self.vote, self.job, self.register))() for _ in range(4)]
        works = works[: self._rng.randint(1, 4)]
        outcomes = commit_together(self._tx, [work for work, _ in works])
        for outcome, (_, promise) in zip(outcomes, works, strict=True):
            assert outcome.error is None, outcome.error
            self._promises.made.append(promise(outcome.value))

    def vote(self) -> Any:
        self._member += 1
        member, choice = self._member, self._rng.choice(self._made.candidate_ids[:2])
        where = {"guild_id": 1, "panel_id": self._made.panel_id}
        return (
            lambda tx: votes.cast_vote(
                tx, member_id=member, candidate_id=choice, now=self._build.now, **where
            ),
            lambda _: (
                "SELECT 1 FROM vote WHERE member_id = ? AND candidate_id = ?",
                (member, choice),
            ),
        )

    def job(self) -> Any:
        def work(tx: Any) -> tuple[int, str]:
            if self._rng.random() < 0.5:
                panel = self._build.panel(tx, 1, self._made.series_id)
                made = jobs.enqueue(
                    tx,
                    guild_id=1,
                    member_id=self._rng.randint(1, 4),
                    kind=JobKind.GENERATE,
                    panel_id=panel,
                    dedupe_key=f"of {panel}",
                    now=1.0,
                )
                return made, "queued"
            job = jobs.claim(tx, owner="w", lease_seconds=9, now=1.0)
            if job is None:
                return self._made.job_id, "running"
            jobs.finish(tx, job_id=job.id, fence=job.fence, status=JobStatus.DONE, now=2.0)
            panels.set_status(
                tx,
                guild_id=1,
                panel_id=job.panel_id,
                status=panels.PanelStatus.ACCEPTED,
                now=self._build.now,
            )
            return job.id, "done"

        return work, lambda made: (
            # A job that was seen done stays done; one that was queued is at least there.
            "SELECT 1 FROM job WHERE id = ? AND (?2 <> 'done' OR status = 'done')",
            made,
        )

    def register(self) -> Any:
        self._name += 1
        name = f"Extra{self._name}"

        def work(tx: Any) -> int:
            _, look = self._build.character(tx, 1, self._made.series_id, name)
            reference = self._build.reference(tx, 1, look, 7000 + self._name)
            cast.add_fingerprints(
                tx,
                guild_id=1,
                reference_id=reference,
                fingerprints=[self._build.fingerprint(reference)],
            )
            return reference

        return work, lambda reference: (
            "SELECT 1 FROM character AS c JOIN appearance AS a ON a.character_row = c.id "
            "JOIN reference AS r ON r.appearance_row = a.id "
            "JOIN fingerprint AS f ON f.reference_id = r.id WHERE c.name = ? AND r.id = ?",
            (name, reference),
        )


def run(tmp_path: Path, build: Any, synchronous: str) -> tuple[Promises, list[tuple[Path, int]]]:
    """Work until there were enough cuts; returns each image with the promises made before it."""
    rng = random.Random(20310504)
    promises, cuts = Promises(), []

    def at_call() -> None:
        if promises.made and len(cuts) < CUTS and rng.random() < 0.02:
            folder = tmp_path / f"cut{len(cuts)}"
            disk.image(folder, rng)
            cuts.append((folder, len(promises.made)))

    disk = Disk(at_call)
    with studio_on(disk, tmp_path / "onmodel.db", synchronous) as bridge:
        workload = Workload(bridge, build, rng, promises)
        while len(cuts) < CUTS:
            workload.step()
    return promises, cuts


async def recover(folder: Path, promises: Promises, count: int) -> list[tuple[Any, ...]]:
    """Open the image as the bot would after the outage; returns the broken promises."""
    path = folder / "onmodel.db"
    async with open_database(path) as db:
        assert await db.write(lambda tx: tx.execute("PRAGMA foreign_key_check").fetchall()) == []
        stored = await db.fetch_one("SELECT count(*) AS n FROM fingerprint")
        assert stored is not None
        row = await db.fetch_one("SELECT name FROM vector_mirror")
        assert row is not None
        mirrored = await db.fetch_one(f"SELECT count(*) AS n FROM {row['name']}")
        assert mirrored is not None
        assert mirrored["n"] == stored["n"]
    with closing(sqlite3.connect(path)) as check:
        assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        broken = promises.broken(check, count)
    shutil.rmtree(folder)
    return broken


async def test_nothing_acknowledged_is_lost(tmp_path: Path, build: Any) -> None:
    promises, cuts = run(tmp_path, build, "FULL")
    assert len(cuts) == CUTS
    assert len(promises.made) > 100
    kinds = {query.split(" FROM ")[1].split()[0] for query, _ in promises.made}
    assert kinds == {"vote", "job", "character"}
    for folder, count in cuts:
        assert await recover(folder, promises, count) == []


async def test_the_simulation_notices_a_writer_that_does_not_sync(
    tmp_path: Path, build: Any
) -> None:
    promises, cuts = run(tmp_path, build, "NORMAL")
    losses = 0
    for folder, count in cuts:
        losses += bool(await recover(folder, promises, count))  # never damaged, but forgetful
    assert losses >= CUTS // 4
