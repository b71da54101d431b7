"""Pictures are whole or absent, unreadable without the key, and opened by no other guild."""

import base64
import hashlib
import os
import sqlite3
from pathlib import Path

import pytest

from pipeline.domain.errors import NotFound, SettingsError
from storage.blobs import BlobStore
from storage.database import Database, open_database
from storage.errors import WrongKey
from storage.files import create_durably, write_durably
from storage.keys import KEY_BYTES, Keyring, load_master_key

PICTURE = b"\x89PNG a picture of Akira in the rain " * 50
MASTER = bytes(range(32))


@pytest.fixture
async def blobs(db: Database, tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs", Keyring(db, MASTER))


def files(root: Path) -> list[Path]:
    return [path for path in root.rglob("*") if path.is_file()]


async def test_what_is_put_comes_back(blobs: BlobStore) -> None:
    for data in (b"", b"x", PICTURE, os.urandom(300_000)):
        sha256 = await blobs.put(7, data)
        assert sha256 == hashlib.sha256(data).hexdigest()
        assert await blobs.get(7, sha256) == data


async def test_layout_and_privacy_of_files(blobs: BlobStore) -> None:
    sha256 = await blobs.put(7, PICTURE)
    (path,) = files(blobs.root)
    assert path == blobs.root / "7" / sha256[:2] / sha256
    assert path.stat().st_mode & 0o077 == 0
    assert (blobs.root / "7").stat().st_mode & 0o077 == 0


async def test_nothing_readable_lies_on_the_disk(blobs: BlobStore) -> None:
    await blobs.put(7, PICTURE)
    (path,) = files(blobs.root)
    stored = path.read_bytes()
    for start in range(0, len(PICTURE) - 8, 8):
        assert PICTURE[start : start + 8] not in stored
    key = await blobs._keyring.guild_key(7)
    assert key not in stored


async def test_the_same_bytes_are_written_once(blobs: BlobStore) -> None:
    sha256 = await blobs.put(7, PICTURE)
    (path,) = files(blobs.root)
    before = path.stat()
    assert await blobs.put(7, PICTURE) == sha256
    assert path.stat().st_mtime_ns == before.st_mtime_ns
    assert path.stat().st_ino == before.st_ino


@pytest.mark.parametrize("keep", [0, 3, 10, 24, 40, -1])
async def test_a_truncated_file_is_not_found_and_mended_by_the_next_put(
    blobs: BlobStore, keep: int
) -> None:
    sha256 = await blobs.put(7, PICTURE)
    (path,) = files(blobs.root)
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(NotFound):
        await blobs.get(7, sha256)
    await blobs.put(7, PICTURE)
    assert await blobs.get(7, sha256) == PICTURE


async def test_a_flipped_bit_is_noticed(blobs: BlobStore) -> None:
    sha256 = await blobs.put(7, PICTURE)
    (path,) = files(blobs.root)
    stored = bytearray(path.read_bytes())
    stored[len(stored) // 2] ^= 1
    path.write_bytes(stored)
    with pytest.raises(NotFound):
        await blobs.get(7, sha256)


@pytest.mark.parametrize("name", ["", "../../master.key", "0" * 63, "G" * 64, "0" * 64 + "\n"])
async def test_odd_names_are_not_found(blobs: BlobStore, name: str) -> None:
    with pytest.raises(NotFound):
        await blobs.get(7, name)
    with pytest.raises(NotFound):
        await blobs.delete(7, name)


async def test_guilds_do_not_open_each_others_files(blobs: BlobStore) -> None:
    sha256 = await blobs.put(7, PICTURE)
    with pytest.raises(NotFound):
        await blobs.get(8, sha256)
    (path,) = files(blobs.root)
    moved = blobs.root / "8" / sha256[:2] / sha256
    write_durably(moved, path.read_bytes())
    with pytest.raises(WrongKey):
        await blobs.get(8, sha256)
    # Nor does a file open under another name of the same guild.
    other = await blobs.put(7, b"another picture")
    (blobs.root / "7" / other[:2] / other).write_bytes(path.read_bytes())
    with pytest.raises(NotFound):
        await blobs.get(7, other)


async def test_deleting(blobs: BlobStore) -> None:
    sha256 = await blobs.put(7, PICTURE)
    kept = await blobs.put(8, PICTURE)
    assert await blobs.delete(7, sha256)
    assert not await blobs.delete(7, sha256)
    with pytest.raises(NotFound):
        await blobs.get(7, sha256)
    await blobs.put(7, PICTURE)
    await blobs.delete_guild(7)
    await blobs.delete_guild(7)
    with pytest.raises(NotFound):
        await blobs.get(7, sha256)
    assert await blobs.get(8, kept) == PICTURE


async def test_keys_last_and_differ_by_guild(database_path: Path) -> None:
    async with open_database(database_path) as db:
        first = Keyring(db, MASTER)
        seven, eight = await first.guild_key(7), await first.guild_key(8)
        assert len(seven) == KEY_BYTES
        assert seven != eight
        row = await db.fetch_one("SELECT wrapped_key FROM guild WHERE guild_id = 7")
        assert row is not None
        assert seven not in row["wrapped_key"]
    async with open_database(database_path) as db:
        assert await Keyring(db, MASTER).guild_key(7) == seven
        with pytest.raises(WrongKey, match="ONMODEL_MASTER_KEY"):
            await Keyring(db, bytes(32)).guild_key(7)


async def test_a_wrapped_key_of_another_guild_does_not_open(db: Database) -> None:
    keyring = Keyring(db, MASTER)
    await keyring.guild_key(7)
    await keyring.guild_key(8)
    keyring.forget(8)

    def swap(tx: sqlite3.Connection) -> None:
        tx.execute(
            "UPDATE guild SET wrapped_key = (SELECT wrapped_key FROM guild WHERE guild_id = 7)"
        )

    await db.write(swap)
    with pytest.raises(WrongKey):
        await keyring.guild_key(8)


async def test_two_keyrings_that_start_together_agree(db: Database) -> None:
    one, two = Keyring(db, MASTER), Keyring(db, MASTER)
    fresh = one._wrap(7, bytes(32))
    key = await two.guild_key(7)
    # The slower one wraps a key of its own, and then uses the one that was stored first.
    from storage.guilds import ensure_guild

    stored = await db.write(lambda tx: ensure_guild(tx, 7, fresh))
    assert one._unwrap(7, stored) == key


def test_the_master_key_is_made_once_and_private(tmp_path: Path) -> None:
    data = tmp_path / "new" / "data"
    key = load_master_key(data, None)
    assert len(key) == KEY_BYTES
    assert load_master_key(data, None) == key
    assert (data / "master.key").stat().st_mode & 0o777 == 0o600
    assert files(data) == [data / "master.key"]
    (data / "master.key").chmod(0o644)
    assert load_master_key(data, None) == key
    assert (data / "master.key").stat().st_mode & 0o777 == 0o600


def test_a_configured_master_key_wins(tmp_path: Path) -> None:
    text = base64.b64encode(MASTER).decode()
    assert load_master_key(tmp_path, text) == MASTER
    assert load_master_key(tmp_path, f" {text}\n") == MASTER
    assert files(tmp_path) == []


@pytest.mark.parametrize("bad", ["short", "%%%%", base64.b64encode(b"x" * 31).decode(), "é" * 44])
def test_what_is_no_key_is_refused(tmp_path: Path, bad: str) -> None:
    with pytest.raises(SettingsError, match="ONMODEL_MASTER_KEY must be 32 bytes"):
        load_master_key(tmp_path, bad)
    (tmp_path / "master.key").write_text(bad, encoding="utf-8")
    with pytest.raises(SettingsError, match=r"master\.key must be 32 bytes"):
        load_master_key(tmp_path, None)


def test_a_folder_that_cannot_be_used_is_a_settings_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(SettingsError, match="permissions"):
        load_master_key(tmp_path / "file", None)


def test_creating_never_replaces(tmp_path: Path) -> None:
    path = tmp_path / "once"
    assert create_durably(path, b"first")
    assert not create_durably(path, b"second")
    assert path.read_bytes() == b"first"
    assert files(tmp_path) == [path]
