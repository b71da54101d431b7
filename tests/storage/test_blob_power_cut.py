"""A power cut in the middle of storing a picture leaves it whole or absent.

The calls that reach the disk are recorded. After every prefix of them, each state is built that a
disk may be in: what was not synced may be lost, torn or kept, independently of each other.
"""

import itertools
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from pipeline.domain.errors import NotFound
from storage.blobs import BlobStore
from storage.database import Database
from storage.keys import Keyring

PICTURE = b"a picture " * 400


@dataclass(frozen=True)
class Step:
    """One call: ``mkdir``, ``create``, ``write``, ``rename`` or ``sync``."""

    kind: str
    path: Path
    data: bytes = b""
    target: Path | None = None


class Recorder:
    """Passes file system calls on and writes down those below a folder."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, root: Path, *, blind: bool = False) -> None:
        self.root = root
        self.steps: list[Step] = []
        self._open: dict[int, Path] = {}
        self._real = {name: getattr(os, name) for name in ("open", "write", "fsync", "replace")}
        self._mkdir = os.mkdir
        self._blind = blind  # as if files were never synced
        for name in self._real:
            monkeypatch.setattr(os, name, getattr(self, name))
        monkeypatch.setattr(os, "mkdir", self.mkdir)

    def open(self, path: Any, flags: int, mode: int = 0o777, **more: Any) -> int:
        handle = self._real["open"](path, flags, mode, **more)
        if self.root in Path(path).parents or Path(path) == self.root:
            self._open[handle] = Path(path)
            if flags & os.O_CREAT:
                self.steps.append(Step("create", Path(path)))
        return handle

    def write(self, handle: int, data: Any) -> int:
        count = self._real["write"](handle, data)
        if handle in self._open:
            self.steps.append(Step("write", self._open[handle], bytes(data[:count])))
        return count

    def fsync(self, handle: int) -> None:
        self._real["fsync"](handle)
        path = self._open.get(handle)
        if path is not None and not (self._blind and path.is_file()):
            self.steps.append(Step("sync", path))

    def replace(self, source: Any, target: Any) -> None:
        self._real["replace"](source, target)
        self.steps.append(Step("rename", Path(source), target=Path(target)))

    def mkdir(self, path: Any, mode: int = 0o777) -> None:
        self._mkdir(path, mode)
        if self.root in Path(path).parents:
            self.steps.append(Step("mkdir", Path(path)))


@dataclass
class Disk:
    """What is certain and what is not, after some steps."""

    contents: dict[Path, bytes] = field(default_factory=dict)  # by first name of the file
    synced: dict[Path, bytes] = field(default_factory=dict)
    # Changes of names in order: (folder, kind, name, other name); certain ones first.
    names: list[Step] = field(default_factory=list)
    certain: set[int] = field(default_factory=set)

    def after(self, steps: list[Step]) -> "Disk":
        for step in steps:
            if step.kind == "write":
                self.contents[step.path] = self.contents.get(step.path, b"") + step.data
            elif step.kind == "sync" and step.path in self.contents:
                self.synced[step.path] = self.contents[step.path]
            elif step.kind == "sync":
                self.certain |= {
                    i for i, s in enumerate(self.names) if (s.target or s.path).parent == step.path
                }
            else:
                self.names.append(step)
        return self

    def worlds(self) -> Iterator[dict[Path, bytes]]:
        """Every tree of files that may be found after the cut."""
        open_names = [i for i in range(len(self.names)) if i not in self.certain]
        torn = [p for p in self.contents if self.synced.get(p) != self.contents[p]]
        for kept in itertools.product((False, True), repeat=len(open_names)):
            happened = self.certain | {i for i, k in zip(open_names, kept, strict=True) if k}
            for parts in itertools.product((0.0, 0.5, 1.0), repeat=len(torn)):
                content = dict(self.synced)
                for path, part in zip(torn, parts, strict=True):
                    content[path] = self.contents[path][: int(len(self.contents[path]) * part)]
                yield self._tree(happened, content)

    def _tree(self, happened: set[int], content: dict[Path, bytes]) -> dict[Path, bytes]:
        folders: set[Path] = set()
        tree: dict[Path, bytes] = {}
        first_parent = min((s.path.parent for s in self.names), key=lambda p: len(p.parts))
        folders.add(first_parent)
        for index, step in enumerate(self.names):
            if index not in happened or (step.target or step.path).parent not in folders:
                continue
            if step.kind == "mkdir":
                folders.add(step.path)
            elif step.kind == "create":
                tree[step.path] = content.get(step.path, b"")
            elif step.target is not None:
                # The new name may be on the disk although the old one never was.
                tree.pop(step.path, None)
                tree[step.target] = content.get(step.path, b"")
        return tree


async def outcomes(
    store: BlobStore, steps: list[Step], sha256: str, scratch: Path
) -> list[tuple[int, str]]:
    """For each number of steps done before the cut: was the picture whole, absent or torn?"""
    seen: list[tuple[int, str]] = []
    key = await store._keyring.guild_key(7)
    for done in range(1, len(steps) + 1):
        for number, world in enumerate(Disk().after(steps[:done]).worlds()):
            root = scratch / f"{done}-{number}"
            for path, data in world.items():
                copy = root / path.relative_to(store.root)
                copy.parent.mkdir(parents=True, exist_ok=True)
                copy.write_bytes(data)
            try:
                whole = BlobStore(root, store._keyring)._get(7, key, sha256) == PICTURE
                seen.append((done, "whole" if whole else "torn"))
            except NotFound:
                absent = not (root / "7" / sha256[:2] / sha256).exists()
                seen.append((done, "absent" if absent else "torn"))
    return seen


async def record(
    db: Database, tmp_path: Path, *, blind: bool = False
) -> tuple[BlobStore, list[Step], str]:
    root = tmp_path / "blobs"
    root.mkdir()
    store = BlobStore(root, Keyring(db, bytes(32)))
    await store._keyring.guild_key(7)
    with pytest.MonkeyPatch.context() as patch:
        recorder = Recorder(patch, root, blind=blind)
        sha256 = await store.put(7, PICTURE)
        steps = recorder.steps
    return store, steps, sha256


async def test_whole_or_absent_after_every_cut(db: Database, tmp_path: Path) -> None:
    store, steps, sha256 = await record(db, tmp_path)
    assert [step.kind for step in steps] == [
        *("mkdir", "sync"),  # the guild's folder
        *("mkdir", "sync"),  # the folder of the hash
        *("create", "write", "sync", "rename", "sync"),
    ]
    seen = await outcomes(store, steps, sha256, tmp_path / "worlds")
    assert {outcome for _, outcome in seen} == {"whole", "absent"}
    assert len(seen) > 20
    # What was acknowledged is there in every world.
    assert {outcome for done, outcome in seen if done == len(steps)} == {"whole"}


async def test_the_check_would_notice_a_missing_sync(db: Database, tmp_path: Path) -> None:
    store, steps, sha256 = await record(db, tmp_path, blind=True)
    seen = await outcomes(store, steps, sha256, tmp_path / "worlds")
    assert "torn" in {outcome for _, outcome in seen}
    without_folder_sync = steps[:-1]
    last = [
        o
        for d, o in await outcomes(store, without_folder_sync, sha256, tmp_path / "two")
        if d == len(steps) - 1
    ]
    assert "absent" in last


@pytest.mark.parametrize("broken", ["open", "write", "fsync", "replace"])
async def test_an_error_of_the_disk_leaves_nothing_behind(
    db: Database, tmp_path: Path, broken: str
) -> None:
    store = BlobStore(tmp_path / "blobs", Keyring(db, bytes(32)))
    await store.put(7, b"earlier")
    before = sorted(path for path in store.root.rglob("*") if path.is_file())
    real = getattr(os, broken)

    def fail(first: Any, *rest: Any, **more: Any) -> Any:
        if broken == "open" and not str(first).endswith(".tmp"):
            return real(first, *rest, **more)
        raise OSError(28, "No space left on device")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(os, broken, fail)
        with pytest.raises(OSError, match="No space"):
            await store.put(7, PICTURE)
    assert sorted(path for path in store.root.rglob("*") if path.is_file()) == before
    sha256 = await store.put(7, PICTURE)
    assert await store.get(7, sha256) == PICTURE
