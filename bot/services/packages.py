"""Characters that travel: export to a package, import from one, checked like any upload."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

import numpy as np

from bot.services.access import require_ownership
from bot.services.actor import Actor
from bot.services.edits import checked_palette
from bot.services.locks import GuildLocks
from bot.services.naming import appearance_slug, character_slug, clean_name
from bot.services.registrar import Registrar, StudiedPicture, Study
from bot.services.registration import MAX_REFERENCES, Upload
from bot.services.registry import create_look
from bot.services.safety import Safety
from bot.services.wordlists import require_clean
from pipeline.domain.character import Appearance, Character, ColorMode, Mark
from pipeline.domain.errors import InvalidInput, LimitReached, NotFound
from pipeline.domain.fingerprint import Embedding, Fingerprint
from pipeline.domain.geometry import Box
from pipeline.domain.quality import Threshold
from pipeline.domain.vocabulary import checked_components, checked_side
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.imaging.decode import load_canonical
from pipeline.registry.marks import checked_box, mark_prints
from pipeline.registry.package import Package, Prints, read_package, write_package
from pipeline.registry.record import (
    CharacterRecord,
    LookRecord,
    ReferenceRecord,
    canonical_text,
)
from storage import cast
from storage.blobs import BlobStore
from storage.database import Database, Transaction

MAX_LOOKS = 24
_SAME_VECTOR = 0.999
"""Cosine from which a packed vector counts as the one that this program makes."""


class PackedPrints(StrEnum):
    """What became of the fingerprints in a package: they are always made anew from the pictures."""

    CONFIRMED = "confirmed"
    OTHER_ENCODERS = "other encoders"
    DIFFERENT = "different"


@dataclass(frozen=True, slots=True)
class Imported:
    """A character from a package. ``renamed`` tells that its id was taken here."""

    character: Character
    looks: tuple[str, ...]
    references: int
    renamed: bool
    prints: PackedPrints


MarkPrints = tuple[tuple[ColorMode, Embedding], ...]


@dataclass(frozen=True, slots=True, eq=False)
class _NewLook:
    """A look of a package after its pictures went through the door."""

    look: Appearance
    study: Study
    thresholds: tuple[Threshold, ...]
    marks: tuple[tuple[str, Mark, MarkPrints], ...]


class PackageService:
    """Export and import of characters."""

    def __init__(
        self,
        db: Database,
        blobs: BlobStore,
        registrar: Registrar,
        encoders: Sequence[Encoder],
        locks: GuildLocks,
    ) -> None:
        self._db = db
        self._safety = Safety(db, blobs)
        self._blobs = blobs
        self._registrar = registrar
        self._encoders = tuple(encoders)
        self._locks = locks

    # --- out ------------------------------------------------------------------------------

    async def record(self, actor: Actor, character: str) -> CharacterRecord:
        """Everything that is registered of a character, without pictures.

        Raises:
            NotFound: no such character.
        """
        found = await cast.find_character(self._db, actor.guild_id, character)
        looks = await cast.list_appearances(self._db, actor.guild_id, found.id)
        return CharacterRecord(found, tuple([await self._look_record(look) for look in looks]))

    async def canonical(self, actor: Actor, character: str) -> str:
        """The canonical export: equal registries give equal text.

        Raises:
            NotFound: no such character.
        """
        return canonical_text(await self.record(actor, character))

    async def export(self, actor: Actor, character: str) -> tuple[str, bytes]:
        """A package: its file name and its bytes.

        Raises:
            NotFound: no such character.
            NotAllowed: the actor is neither owner nor moderator: it holds the owner's originals.
        """
        found = await cast.find_character(self._db, actor.guild_id, character)
        await require_ownership(self._db, actor, found, "export")
        record = await self.record(actor, found.character_id)
        pictures: dict[str, bytes] = {}
        prints: dict[str, tuple[Fingerprint, ...]] = {}
        for one in record.looks:
            stored = await cast.fingerprints_of(self._db, actor.guild_id, one.look.id)
            for reference in (r.reference for r in one.references):
                pictures[reference.sha256] = await self._blobs.get(actor.guild_id, reference.sha256)
                prints[reference.sha256] = stored.get(reference.id, ())
        data = await asyncio.to_thread(write_package, Package(record, pictures, prints))
        return f"{found.character_id}.onmodel", data

    # --- in -------------------------------------------------------------------------------

    async def load(self, actor: Actor, data: bytes, name: str | None = None) -> Imported:
        """Register the character of a package; the actor owns it here.

        Ids that are taken get a number. Pictures go through the door like any upload, and their
        fingerprints are made anew: a package cannot claim what its pictures do not show.

        Raises:
            NotFound: the guild has no series.
            InvalidInput: no package, a damaged one, or values out of their limits.
            InvalidPicture: one of its pictures is refused.
            LimitReached: it is too large.
        """
        series = await cast.active_series(self._db, actor.guild_id)
        package = await asyncio.to_thread(read_package, data)
        _check_size(package.record)
        given = package.record.character
        shown = clean_name(name or given.name)
        await require_clean(self._db, actor.guild_id, shown, *_said(package.record))
        async with self._locks.of(actor.guild_id):
            wanted = character_slug(name or given.character_id)
            character_id = await self._free_id(actor.guild_id, wanted)
            old_stem, stem = (i.removeprefix("ch_") for i in (given.character_id, character_id))
            looks = [
                await self._new_look(actor, package, one, (old_stem, stem))
                for one in package.record.looks
            ]

            def write(tx: Transaction) -> None:
                row = cast.create_character(
                    tx,
                    guild_id=actor.guild_id,
                    series_id=series.id,
                    character_id=character_id,
                    name=shown,
                    owner_id=actor.member_id,
                    notes=given.notes,
                    height_ratio=given.height_ratio,
                    now=datetime.now(UTC),
                )
                here = {"id": row, "guild_id": actor.guild_id, "name": shown}
                cast.put_character(tx, replace(given, **here))
                for look in looks:
                    self._store(tx, actor, row, look)

            await self._db.write(write)
        character = await cast.find_character(self._db, actor.guild_id, character_id)
        return Imported(
            character,
            tuple(one.look.appearance_id for one in looks),
            sum(len(one.study.fresh) for one in looks),
            character_id != wanted,
            _compared(package.prints, [p for one in looks for p in one.study.fresh]),
        )

    # --- inside ---------------------------------------------------------------------------

    async def _look_record(self, look: Appearance) -> LookRecord:
        references = await cast.list_references(self._db, look.guild_id, look.id)
        marks = await cast.list_marks(self._db, look.guild_id, look.id)
        return LookRecord(
            look,
            tuple(
                ReferenceRecord(r, tuple(m for m in marks if m.reference_id == r.id))
                for r in references
            ),
            await cast.thresholds_of(self._db, look.guild_id, look.id),
        )

    async def _free_id(self, guild_id: int, wanted: str) -> str:
        """``ch_akira``, else ``ch_akira_2`` and so on."""
        taken = {c.character_id for c in await cast.list_characters(self._db, guild_id)}
        return _free(wanted, taken)

    async def _new_look(
        self, actor: Actor, package: Package, one: LookRecord, stems: tuple[str, str]
    ) -> _NewLook:
        """Check a look's words, open its pictures, make its fingerprints."""
        look = await self._rekeyed(actor, one.look, stems)
        order = [r for r in one.references if r.reference.canon]
        uploads = [
            Upload(
                f"{r.reference.sha256[:12]}.png",
                package.pictures[r.reference.sha256],
                r.reference.shot_type,
                r.reference.kind,
                r.reference.angle,
                r.reference.expression,
            )
            for r in order
        ]
        studied = await self._registrar.study_all(uploads)
        fresh = tuple(
            replace(picture, guessed=r.reference.guessed)
            for picture, r in zip(studied, order, strict=True)
        )
        study = Study(_distinct(fresh), ())
        await self._safety.admit(actor, [picture.png for picture in study.fresh])
        for picture in study.fresh:
            await self._blobs.put(actor.guild_id, picture.png)
        thresholds = await asyncio.to_thread(
            self._registrar.thresholds, look.appearance_id, {}, study
        )
        marks = [
            (picture.sha256, *await asyncio.to_thread(self._mark, picture, r, mark))
            for picture, r in zip(fresh, order, strict=True)
            for mark in r.marks
        ]
        return _NewLook(look, study, thresholds, tuple(marks))

    async def _rekeyed(self, actor: Actor, look: Appearance, stems: tuple[str, str]) -> Appearance:
        """The look under an id that is free here, its words checked."""
        old, new = stems
        words = look.appearance_id.removeprefix(f"{old}_")
        wanted = appearance_slug(f"ch_{new}", words)
        return replace(
            look,
            appearance_id=await self._free_look(actor.guild_id, wanted),
            label=clean_name(look.label, "label"),
            components=checked_components(look.components),
            suggested=checked_components(look.suggested),
            palette=checked_palette(look.palette),
        )

    async def _free_look(self, guild_id: int, wanted: str) -> str:
        rows = await cast.appearance_ids(self._db, guild_id)
        return _free(wanted, set(rows))

    def _mark(
        self, picture: StudiedPicture, record: ReferenceRecord, mark: Mark
    ) -> tuple[Mark, MarkPrints]:
        """A mark on a picture as it came through the door, which may have another size."""
        scale = picture.size.width / record.reference.width
        box = checked_box(Box(*mark.box).scaled(scale), picture.size)
        named = replace(
            mark, name=clean_name(mark.name, "name of a mark"), side=checked_side(mark.side),
            box=box,
        )  # fmt: skip
        return named, mark_prints(load_canonical(picture.png), box, self._encoders)

    def _store(self, tx: Transaction, actor: Actor, character_row: int, new: _NewLook) -> None:
        look = replace(new.look, guild_id=actor.guild_id, character_row=character_row)
        row = create_look(tx, look)
        by_sha = self._registrar.store(tx, actor, row, new.study, new.thresholds)
        for sha256, mark, prints in new.marks:
            if sha256 not in by_sha:
                continue  # its picture was there twice, and the other copy carries the marks
            cast.add_mark(
                tx,
                guild_id=actor.guild_id,
                reference_id=by_sha[sha256],
                name=mark.name,
                side=mark.side,
                box=mark.box,
                notes=mark.notes,
                prints=prints,
                now=datetime.now(UTC),
            )


def _check_size(record: CharacterRecord) -> None:
    if not record.looks:
        raise InvalidInput("The package holds no appearance. Export the character again.")
    if len(record.looks) > MAX_LOOKS:
        raise LimitReached(f"The package holds more than {MAX_LOOKS} appearances.")
    for one in record.looks:
        if len(one.references) > MAX_REFERENCES:
            raise LimitReached(
                f"{one.look.appearance_id} has more than {MAX_REFERENCES} references."
            )


def _free(wanted: str, taken: set[str]) -> str:
    if wanted not in taken:
        return wanted
    for number in range(2, len(taken) + 3):
        made = f"{wanted[:60]}_{number}"
        if made not in taken:
            return made
    raise NotFound("No free id was found.")


def _distinct(pictures: Sequence[StudiedPicture]) -> tuple[StudiedPicture, ...]:
    """Each picture once: two files of a package may become the same canonical picture."""
    return tuple({picture.sha256: picture for picture in pictures}.values())


def _compared(packed: Prints, studied: Sequence[StudiedPicture]) -> PackedPrints:
    """Whether the packed vectors are those that the pictures give here."""
    known = 0
    for picture in studied:
        own = _keyed(picture.fingerprints)
        theirs = _keyed(packed.get(picture.sha256, ()))
        for key in own.keys() & theirs.keys():
            if own[key].shape != theirs[key].shape or own[key] @ theirs[key] < _SAME_VECTOR:
                return PackedPrints.DIFFERENT
            known += 1
        if own and not own.keys() <= theirs.keys():
            return PackedPrints.OTHER_ENCODERS
    return PackedPrints.CONFIRMED if known else PackedPrints.OTHER_ENCODERS


def _keyed(prints: Sequence[Fingerprint]) -> Mapping[tuple[str, str, str], np.ndarray]:
    return {(str(p.embedding.encoder), p.crop, p.color_mode): p.embedding.vector for p in prints}


def _said(record: CharacterRecord) -> Iterator[str]:
    """What people wrote in a package."""
    character = record.character
    yield from (character.notes, character.credits, character.license)
    for one in record.looks:
        look = one.look
        yield from (look.label, look.notes, look.colorway, *look.components.values())
