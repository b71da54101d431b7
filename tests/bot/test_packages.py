"""Characters that travel: what comes out goes in again, and what is no package stays out."""

import dataclasses
import io
import json
import struct
import zipfile

import numpy as np
import pytest
from steps import register

from bot.services.actor import Actor
from bot.services.edits import CharacterEdit, LookEdit, parse_range
from bot.services.registry import ReferenceEdit
from pipeline.domain.character import Appearance, Character, EntryKind, Mark, Reference
from pipeline.domain.errors import InvalidInput, InvalidPicture, LimitReached, NotAllowed
from pipeline.domain.fingerprint import Embedding
from pipeline.registry import package as package_module
from pipeline.registry.package import read_package, write_package
from storage import cast

ELSEWHERE = Actor(11, 5, can_manage=True)
OF_ROWS = {
    "id", "guild_id", "series_id", "character_row", "appearance_row", "reference_id", "owner_id",
    "added_by", "created_at",
}  # fmt: skip


@pytest.fixture
async def studio(app, manager, material):
    """Mira with everything that the registry can say of a character."""
    await app.series.create(manager, name="S")
    await app.series.create(ELSEWHERE, name="T")
    await register(app, manager, material.characters[0], references=5)
    await app.registry.edit(
        manager, "Mira",
        CharacterEdit("Mira", "Left-handed.", EntryKind.CHARACTER, 0.97, "Ink & Co.", "CC0 1.0"),
        "mira_everyday",
        LookEdit(
            "Everyday", {"prop": "katana_v2", "hair_color": "navy"}, ("#102030",), "No jewels.",
            "night", 2, parse_range("2:5-3"),
        ),
    )  # fmt: skip
    first = (await app.registry.entry(manager, "Mira")).references["mira_everyday"][0]
    await app.registry.describe_reference(
        manager, "Mira", first.id, ReferenceEdit(angle="side", expression="very angry")
    )
    await app.marks.add(
        manager, "Mira", first.id, name="scar", region="40%,5%,60%,20%", side="left", notes="thin"
    )
    return app


@pytest.fixture
async def packed(studio, manager):
    name, data = await studio.packages.export(manager, "Mira")
    assert name == "ch_mira.onmodel"
    return data


def said(value):
    """The fields of a dataclass that people say, all of them."""
    return {
        f.name: getattr(value, f.name)
        for f in dataclasses.fields(value)
        if f.name not in OF_ROWS
    }  # fmt: skip


async def whole(app, actor, character):
    entry = await app.registry.entry(actor, character)
    marks = [
        m for look in entry.looks for m in await cast.list_marks(app.db, actor.guild_id, look.id)
    ]
    return entry, marks


async def test_every_field_travels(studio, manager, packed):
    done = await studio.packages.load(ELSEWHERE, packed)
    assert (done.renamed, done.references, done.prints.value) == (False, 5, "confirmed")
    (here, marks), (there, theirs) = (
        await whole(studio, manager, "Mira"), await whole(studio, ELSEWHERE, "Mira"),
    )  # fmt: skip
    assert said(here.character) == said(there.character)
    assert [said(a) for a in here.looks] == [said(a) for a in there.looks]
    assert [said(m) for m in marks] == [said(m) for m in theirs]
    pairs = zip(here.references["mira_everyday"], there.references["mira_everyday"], strict=True)
    for mine, yours in pairs:
        assert said(mine) == said(yours)
    # None of it is a default, so that nothing could have been lost unseen.
    assert there.character.credits == "Ink & Co."
    assert there.looks[0].valid_from == (2, 5)
    assert there.references["mira_everyday"][0].expression == "very_angry"
    assert theirs[0].side == "left"
    for kind in (Character, Appearance, Reference, Mark):
        assert {f.name for f in dataclasses.fields(kind)} >= {"id", "guild_id"}


async def test_the_canonical_export_of_both_is_byte_equal(studio, manager, packed):
    await studio.packages.load(ELSEWHERE, packed)
    assert await studio.packages.canonical(ELSEWHERE, "Mira") == await studio.packages.canonical(
        manager, "Mira"
    )
    assert (await studio.packages.export(ELSEWHERE, "Mira"))[1] == packed
    text = await studio.packages.canonical(manager, "Mira")
    assert json.loads(text)["schema"] == "onmodel.character"
    assert str(manager.member_id) not in [str(v) for v in json.loads(text)["character"].values()]


async def test_a_taken_id_gets_a_number(studio, manager, packed):
    done = await studio.packages.load(manager, packed)
    assert (done.character.character_id, done.renamed) == ("ch_mira_2", True)
    assert done.looks == ("mira_2_everyday",)
    named = await studio.packages.load(manager, packed, "Mirabel")
    assert (named.character.character_id, named.character.name) == ("ch_mirabel", "Mirabel")
    assert named.looks == ("mirabel_everyday",)


async def test_vectors_that_do_not_belong_to_the_pictures_are_not_believed(studio, packed):
    content = read_package(packed)
    forged = {}
    for sha256, several in content.prints.items():
        forged[sha256] = tuple(
            dataclasses.replace(
                one, embedding=Embedding(np.roll(one.embedding.vector, 7), one.embedding.encoder)
            )
            for one in several
        )
    data = write_package(dataclasses.replace(content, prints=forged))
    done = await studio.packages.load(ELSEWHERE, data)
    assert done.prints.value == "different"
    look = (await studio.registry.entry(ELSEWHERE, "Mira")).looks[0]
    stored = await cast.fingerprints_of(studio.db, ELSEWHERE.guild_id, look.id)
    first = next(iter(content.prints.values()))[0].embedding
    kept = [p.embedding for several in stored.values() for p in several]
    assert any(
        e.encoder == first.encoder and e.vector.shape == first.vector.shape
        and e.similarity(first) > 0.999
        for e in kept
    )  # fmt: skip


async def test_vectors_of_other_encoders_are_made_anew(studio, packed):
    data = write_package(dataclasses.replace(read_package(packed), prints={}))
    assert (await studio.packages.load(ELSEWHERE, data)).prints.value == "other encoders"


async def test_only_owner_and_moderators_export(studio, member):
    with pytest.raises(NotAllowed):
        await studio.packages.export(member, "Mira")


def repack(data, change):
    """The package with some members changed: name → bytes, None removes."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(data)) as old, zipfile.ZipFile(out, "w") as new:
        members = {i.filename: old.read(i) for i in old.infolist()}
        members.update(change(members))
        for name, content in members.items():
            if content is not None:
                new.writestr(name, content, zipfile.ZIP_DEFLATED)
    return out.getvalue()


def with_record(data, change):
    def edit(members):
        record = json.loads(members["character.json"])
        change(record)
        return {"character.json": json.dumps(record).encode()}

    return repack(data, edit)


def picture_of(members):
    return next(name for name in members if name.startswith("references/"))


TRAPS = {
    "path traversal": lambda d: repack(d, lambda m: {"../../etc/passwd": b"x"}),
    "absolute path": lambda d: repack(d, lambda m: {"/etc/x": b"x"}),
    "a script": lambda d: repack(d, lambda m: {"run.py": b"x"}),
    "a folder out of a picture's name": lambda d: repack(d, lambda m: {"references/../x.png": b"x"}),
    "no description": lambda d: repack(d, lambda m: {"character.json": None}),
    "a missing picture": lambda d: repack(d, lambda m: {picture_of(m): None}),
    "a picture too many": lambda d: repack(d, lambda m: {f"references/{'0' * 64}.png": b"x"}),
    "broken json": lambda d: repack(d, lambda m: {"character.json": b"{"}),
    "deep json": lambda d: repack(d, lambda m: {"character.json": b"[" * 200_000}),
    "no utf-8": lambda d: repack(d, lambda m: {"character.json": b"\xff\xfe\x00"}),
    "another schema": lambda d: with_record(d, lambda r: r.update(schema="other")),
    "a later version": lambda d: with_record(d, lambda r: r.update(schema_version=99)),
    "a kind that is none": lambda d: with_record(d, lambda r: r["character"].update(kind="god")),
    "a height of nan": lambda d: with_record(d, lambda r: r["character"].update(height_ratio=float("nan"))),
    "a long name": lambda d: with_record(d, lambda r: r["character"].update(name="x" * 999)),
    "a list as name": lambda d: with_record(d, lambda r: r["character"].update(name=["x"])),
    "components that are none": lambda d: with_record(
        d, lambda r: r["appearances"][0]["components"].update(hair_color="sudo")),
    "a palette that is none": lambda d: with_record(
        d, lambda r: r["appearances"][0].update(palette=["red"])),
    "a range of a point": lambda d: with_record(
        d, lambda r: r["appearances"][0].update(valid_from=[1])),
    "no looks": lambda d: with_record(d, lambda r: r.update(appearances=[])),
    "not a zip": lambda d: b"PK\x03\x04 nothing",
    "half a zip": lambda d: d[: len(d) // 2],
    "a picture in a zip's clothes": lambda d: b"\x89PNG\r\n\x1a\n" + d[8:],
    "damaged vectors": lambda d: repack(
        d, lambda m: {"fingerprints.json": b'{"a": [{"vector": "!"}]}'}),
}  # fmt: skip


@pytest.mark.parametrize("trap", TRAPS)
async def test_traps_are_refused_with_words_and_leave_nothing(studio, packed, trap):
    with pytest.raises((InvalidInput, LimitReached)) as caught:
        await studio.packages.load(ELSEWHERE, TRAPS[trap](packed))
    assert len(str(caught.value)) > 20
    assert "Traceback" not in str(caught.value)
    assert await studio.cast.entries(ELSEWHERE) == []


async def test_a_mark_outside_its_picture_is_refused(studio, packed):
    data = with_record(
        packed,
        lambda r: next(
            ref for ref in r["appearances"][0]["references"] if ref["marks"]
        )["marks"][0].update(box=[0, 0, 99999, 99999]),
    )  # fmt: skip
    with pytest.raises(InvalidInput, match="inside the reference"):
        await studio.packages.load(ELSEWHERE, data)


async def test_a_picture_that_is_none_is_stopped_at_the_door(studio, packed):
    data = repack(packed, lambda m: {picture_of(m): b"\x89PNG\r\n\x1a\n broken"})
    with pytest.raises(InvalidPicture, match="Picture"):
        await studio.packages.load(ELSEWHERE, data)
    assert await studio.cast.entries(ELSEWHERE) == []


async def test_a_zip_bomb_is_read_no_further_than_its_limit(studio, packed):
    bomb = repack(packed, lambda m: {picture_of(m): bytes(40 * 2**20)})
    assert len(bomb) < len(packed) + 100_000
    with pytest.raises(LimitReached, match="unpacked"):
        await studio.packages.load(ELSEWHERE, bomb)


async def test_a_header_that_lies_about_the_size_is_refused(studio, packed):
    bomb = bytearray(repack(packed, lambda m: {"CREDITS.txt": bytes(30 * 2**20)}))
    at = bomb.rfind(b"PK\x01\x02", 0, bomb.rfind(b"CREDITS.txt"))
    bomb[at + 24 : at + 28] = struct.pack("<I", 100)  # its uncompressed size in the directory
    with pytest.raises((InvalidInput, LimitReached)):
        await studio.packages.load(ELSEWHERE, bytes(bomb))


async def test_too_many_files_and_too_many_bytes(studio, packed, monkeypatch):
    many = repack(
        packed, lambda m: {f"references/{n:064x}.png": b"x" for n in range(package_module.MAX_PICTURES + 1)}
    )  # fmt: skip
    with pytest.raises(LimitReached, match="files"):
        await studio.packages.load(ELSEWHERE, many)
    monkeypatch.setattr(package_module, "MAX_PACKAGE_BYTES", 1000)
    with pytest.raises(LimitReached, match="MiB"):
        await studio.packages.load(ELSEWHERE, packed)


def test_methods_that_unpack_without_a_limit_are_refused():
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("character.json", b"{}", zipfile.ZIP_LZMA)
    with pytest.raises(InvalidInput, match="packed"):
        read_package(out.getvalue())
