"""A whole server: out into a file, into another installation, or away for good."""

import io
import json
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from steps import register, settled, working

from bot.app import open_app
from bot.cli import main
from bot.services.actor import Actor
from bot.services.panels import PanelRequest
from bot.settings import Settings
from pipeline.domain.errors import InvalidInput, WrongState
from storage import guild_rows
from storage.doomed import DoomedKind, doom, doomed_files
from storage.errors import WrongKey
from storage.sealed import SealedReader, SealedWriter

GUILD = 600_000_000_000_000_010
OTHER = 600_000_000_000_000_011
BOSS = Actor(GUILD, 700_000_000_000_000_001, is_moderator=True, can_manage=True)
ANN = Actor(GUILD, 700_000_000_000_000_002)
PHRASE = "a long enough passphrase"


@pytest.fixture
async def produced(app, material):
    """A server with a character and an accepted panel; another one with a character."""
    await app.series.create(BOSS, name="Full to the Brim")
    await app.series.update(BOSS, audit_percent=0)  # its draw is secret
    await register(app, BOSS, material.characters[0], references=2)
    asked = await app.panels.request(
        ANN, PanelRequest("Mira", "waits.", alternates=1, seed=3), channel_id=7, dedupe_key="a"
    )
    async with working(app):
        await settled(app, GUILD, asked.panel.id)
    other = Actor(OTHER, 5, is_moderator=True, can_manage=True)
    await app.series.create(other, name="Elsewhere")
    await register(app, other, material.characters[1], references=1)
    return app


@pytest.fixture
async def fresh(tmp_path):
    async with open_app(Settings(data_dir=tmp_path / "fresh", _env_file=None)) as app:
        yield app


async def left_at(app, guild_id):
    row = await app.db.fetch_one("SELECT left_at FROM guild WHERE guild_id = ?", (guild_id,))
    return row["left_at"]


def contents(path):
    with zipfile.ZipFile(path) as made:
        return {name: made.read(name) for name in made.namelist()}


async def test_what_is_exported_imported_and_exported_again_is_the_same(produced, fresh, tmp_path):
    first, second = tmp_path / "one.zip", tmp_path / "two.zip"
    done = await produced.guilds.export(GUILD, first)
    assert done.pictures >= 3
    loaded = await fresh.guilds.load(first)
    assert loaded == done
    await fresh.guilds.export(GUILD, second)
    assert contents(first) == contents(second)
    assert b"wrapped_key" not in contents(first)["rows.jsonl"]
    assert str(OTHER).encode() not in contents(first)["rows.jsonl"]
    # It works there: the references are found and judged by their vectors.
    sheet = (await fresh.sheets.draw(BOSS, "Mira")).png
    checked = await fresh.checks.check(ANN, sheet, character="Mira")
    assert checked.evidence
    with pytest.raises(WrongState, match="known here"):
        await fresh.guilds.load(first)


async def test_a_sealed_export_opens_with_its_passphrase_only(produced, fresh, tmp_path):
    plain, sealed = tmp_path / "plain.zip", tmp_path / "sealed"
    with pytest.raises(InvalidInput, match="12 characters"):
        await produced.guilds.export(GUILD, sealed, "short")
    await produced.guilds.export(GUILD, sealed, PHRASE)
    await produced.guilds.export(GUILD, plain)
    assert b"Mira" not in sealed.read_bytes()
    assert b"PK" not in sealed.read_bytes()[:64]
    with pytest.raises(InvalidInput, match="passphrase-file"):
        await fresh.guilds.load(sealed)
    with pytest.raises(WrongKey):
        await fresh.guilds.load(sealed, "another passphrase")
    cut = tmp_path / "cut"
    cut.write_bytes(sealed.read_bytes()[:-40])
    with pytest.raises(WrongKey):
        await fresh.guilds.load(cut, PHRASE)
    assert (await fresh.guilds.load(sealed, PHRASE)).guild_id == GUILD
    again = tmp_path / "again.zip"
    await fresh.guilds.export(GUILD, again)
    assert contents(again) == contents(plain)


async def test_numbers_that_are_taken_or_a_damaged_file_change_nothing(
    produced, fresh, tmp_path, material
):
    here = Actor(OTHER, 5, is_moderator=True, can_manage=True)
    await fresh.series.create(here, name="Taken")
    path = tmp_path / "one.zip"
    await produced.guilds.export(GUILD, path)
    with pytest.raises(WrongState, match="data folder of its own"):
        await fresh.guilds.load(path)
    assert await guild_rows.knows_guild(fresh.db, GUILD) is False
    files = contents(path)
    for name, data, why in (
        ("rows.jsonl", b'["setting", {"guild_id": 1}]\n', "not of this server"),
        ("rows.jsonl", b"nonsense", "rows cannot be read"),
        ("manifest.json", b"{}", "no export"),
        ("manifest.json", json.dumps({"format": 1, "schema": 1, "guild_id": 9}).encode(), "version"),
    ):  # fmt: skip
        bad = tmp_path / "bad.zip"
        with zipfile.ZipFile(bad, "w") as made:
            for other, content in {**files, name: data}.items():
                made.writestr(other, content)
        with pytest.raises(InvalidInput, match=why):
            await fresh.guilds.load(bad)
    swapped = tmp_path / "swapped.zip"
    with zipfile.ZipFile(swapped, "w") as made:
        for other, content in files.items():
            made.writestr(other, b"!" if other.startswith("blobs/") else content)
    with pytest.raises(InvalidInput, match="not what it says"):
        await fresh.guilds.load(swapped)


async def test_an_erased_server_leaves_nothing_and_the_other_keeps_all(produced, tmp_path):
    before = tmp_path / "before.zip"
    await produced.guilds.export(OTHER, before)
    backup = produced.db.path.with_name(f"{produced.db.path.name}.bak-1")
    backup.write_bytes(b"an earlier version")
    done = await produced.guilds.erase(GUILD)
    assert done.traces == ()
    assert done.rows > 20
    assert done.swept.clean
    assert done.swept.backups == 1
    assert not backup.exists()
    assert not (produced.blobs.root / str(GUILD)).exists()
    stored = b"".join(p.read_bytes() for p in produced.db.path.parent.iterdir() if p.is_file())
    assert b"Full to the Brim" not in stored
    assert b"Elsewhere" in stored
    after = tmp_path / "after.zip"
    await produced.guilds.export(OTHER, after)
    assert contents(before) == contents(after)


async def test_thirty_days_after_the_bot_left_unless_it_came_back(produced):
    now = datetime.now(UTC)
    await produced.guilds.left(GUILD)
    await produced.guilds.left(OTHER)
    assert await produced.guilds.erase_due(now + timedelta(days=29)) == 0
    await produced.guilds.returned(OTHER)
    assert await produced.guilds.erase_due(now + timedelta(days=31)) == 1
    assert await guild_rows.knows_guild(produced.db, GUILD) is False
    assert await guild_rows.knows_guild(produced.db, OTHER)


async def test_being_away_is_noticed_at_the_next_start_and_counts_once(produced):
    await produced.series.create(Actor(1, 1, can_manage=True), name="The shell's own")
    await produced.guilds.present([OTHER])
    since = await left_at(produced, GUILD)
    await produced.guilds.present([OTHER])
    assert await left_at(produced, GUILD) == since
    assert since is not None
    assert await left_at(produced, OTHER) is None
    assert await left_at(produced, 1) is None, "a shell's registry is no server"
    await produced.guilds.present([GUILD, OTHER])
    assert await left_at(produced, GUILD) is None


async def test_what_a_crash_left_is_swept_at_the_next_start(tmp_path):
    settings = Settings(data_dir=tmp_path / "data", _env_file=None)
    async with open_app(settings) as app:
        sha256 = await app.blobs.put(GUILD, b"a picture")
        await app.db.write(
            lambda tx: doom(tx, guild_id=GUILD, kind=DoomedKind.PICTURE, names=[sha256])
        )
    async with open_app(settings) as app:
        await app.sweeper.chore()
        assert await app.blobs.names(GUILD) == []
        assert await doomed_files(app.db) == []


def test_a_sealed_file_is_read_from_any_place(tmp_path):
    text = bytes(range(256)) * 12_000  # three chunks
    path = tmp_path / "sealed"
    with path.open("wb") as out, SealedWriter(out, PHRASE) as sealed:
        for start in range(0, len(text), 77_777):
            sealed.write(text[start : start + 77_777])
    with path.open("rb") as source:
        found = io.BufferedReader(SealedReader(source, PHRASE))
        assert found.read() == text
        for place in (0, 1_048_570, 2_097_152, len(text) - 3):
            found.seek(place)
            assert found.read(9) == text[place : place + 9]
        found.close()
    moved = bytearray(path.read_bytes())
    chunk = 1_048_576 + 16
    moved[27 : 27 + chunk], moved[27 + chunk : 27 + 2 * chunk] = (
        moved[27 + chunk : 27 + 2 * chunk], moved[27 : 27 + chunk],
    )  # fmt: skip
    path.write_bytes(moved)
    with path.open("rb") as source, pytest.raises(WrongKey):
        SealedReader(source, PHRASE).read()


def test_from_a_shell_and_back(tmp_path, monkeypatch, capsys, material):
    drawing = tmp_path / "mira.png"
    drawing.write_bytes(material.characters[0].appearances[0].references[0].data)
    phrase = tmp_path / "phrase"
    phrase.write_text(f"{PHRASE}\nnot this line\n")
    out = tmp_path / "server.onmodel"
    sealed = ["--passphrase-file", str(phrase)]
    monkeypatch.setenv("ONMODEL_DATA_DIR", str(tmp_path / "data"))
    assert main(["cast", "register", "Mira", str(drawing), "--guild", str(GUILD)]) == 0
    assert main(["guild", "export", str(GUILD), "--out", str(out), *sealed]) == 0
    assert "NOT encrypted" not in capsys.readouterr().out
    assert main(["guild", "export", str(GUILD), "--out", str(tmp_path / "plain.zip")]) == 0
    assert "NOT encrypted" in capsys.readouterr().out
    assert main(["guild", "erase", str(GUILD), "--yes"]) == 0
    assert "found nothing" in capsys.readouterr().out
    assert main(["guild", "import", str(out), *sealed]) == 0
    assert main(["cast", "list", "--guild", str(GUILD)]) == 0
    assert "ch_mira" in capsys.readouterr().out


def test_a_shell_is_told_what_is_wrong(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("ONMODEL_DATA_DIR", str(tmp_path / "data"))
    assert main(["guild", "export", "77", "--out", str(tmp_path / "x.zip")]) == 2
    assert "Nothing is kept" in capsys.readouterr().err
    assert main(["guild", "erase", "77"]) == 2
    assert "--yes" in capsys.readouterr().err
    assert main(["guild", "erase", "77", "--yes"]) == 0
    assert "found nothing" in capsys.readouterr().out
    (tmp_path / "no.zip").write_bytes(b"no")
    assert main(["guild", "import", str(tmp_path / "no.zip")]) == 2
