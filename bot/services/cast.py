"""The cast: characters and their references, added and removed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from bot.services.access import require_edit
from bot.services.actor import Actor
from bot.services.casting import pick_appearance
from bot.services.consent import require_consent
from bot.services.edits import limited
from bot.services.erasure import Erased, erase_character
from bot.services.locks import GuildLocks
from bot.services.naming import appearance_slug, character_slug, clean_name
from bot.services.registrar import Registrar, Study
from bot.services.registration import (
    DEFAULT_LABEL,
    MAX_NOTES,
    NewCharacter,
    Registration,
    Upload,
    check_uploads,
)
from bot.services.uploads import Intake
from bot.services.wordlists import require_clean
from pipeline.domain.character import (
    Appearance,
    Character,
    EntryKind,
    ShotType,
)
from pipeline.domain.errors import AlreadyExists, InvalidInput, NotFound
from pipeline.domain.vocabulary import checked_components
from storage import cast
from storage.blobs import BlobStore
from storage.database import Database, Transaction

__all__ = [
    "CastEntry",
    "CastService",
    "NewCharacter",
    "Registration",
    "Upload",
]


@dataclass(frozen=True, slots=True)
class CastEntry:
    """A character in a list."""

    character: Character
    appearances: tuple[Appearance, ...]
    references: int


class CastService:
    """Everything about who the characters are."""

    def __init__(
        self,
        db: Database,
        blobs: BlobStore,
        registrar: Registrar,
        locks: GuildLocks,
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._registrar = registrar
        self._intake = Intake(db, blobs, registrar)
        self._locks = locks

    # --- characters -----------------------------------------------------------------------

    async def register(
        self, actor: Actor, new: NewCharacter, uploads: Sequence[Upload]
    ) -> Registration:
        """Add a character with its first references.

        Raises:
            AlreadyExists: the guild has a character of this name.
            InvalidPicture: an upload is not a picture that we take; nothing is registered.
        """
        series = await cast.active_series(self._db, actor.guild_id)
        name = clean_name(new.name)
        limited("notes", new.notes, MAX_NOTES)
        if not 0.05 <= new.height_ratio <= 5:
            raise InvalidInput("The height ratio must be between 0.05 and 5; an adult is 1.")
        check_uploads(uploads, at_least=1)
        character_id = character_slug(new.character_id or name)
        look = clean_name(new.appearance or DEFAULT_LABEL, "appearance")
        label = clean_name(new.label or look, "label")
        components = checked_components(new.components)
        said = (name, new.notes, look, label, *components.values())
        await require_clean(self._db, actor.guild_id, *said)
        await self._require_free(actor.guild_id, character_id)
        async with self._locks.of(actor.guild_id):
            study = await self._intake.study(actor, uploads, new.shot_type)
            appearance_id = appearance_slug(character_id, look)
            thresholds = await self._intake.thresholds(actor.guild_id, appearance_id, None, study)

            def add(tx: Transaction) -> int:
                now = datetime.now(UTC)
                row = cast.create_character(
                    tx,
                    guild_id=actor.guild_id,
                    series_id=series.id,
                    character_id=character_id,
                    name=name,
                    owner_id=actor.member_id,
                    notes=new.notes.strip(),
                    height_ratio=new.height_ratio,
                    now=now,
                    kind=new.kind,
                )
                appearance_row = cast.create_appearance(
                    tx,
                    guild_id=actor.guild_id,
                    character_row=row,
                    appearance_id=appearance_id,
                    label=label,
                    components=components,
                    palette=study.palette,
                    notes="",
                    now=now,
                    suggested=_suggested(new.kind, study, components),
                )
                self._registrar.store(tx, actor, appearance_row, study, thresholds)
                return appearance_row

            appearance_row = await self._db.write(add)
        return await self._registration(actor.guild_id, character_id, appearance_row, study)

    async def check_name(self, actor: Actor, name: str) -> None:
        """Refuse a name that cannot be registered, before anybody looks for pictures.

        Raises:
            NotFound: the guild has no series.
            InvalidInput: it is no name.
            AlreadyExists: the guild has a character of this name.
        """
        await cast.active_series(self._db, actor.guild_id)
        await self._require_free(actor.guild_id, character_slug(clean_name(name)))

    async def add_references(
        self,
        actor: Actor,
        character: str,
        uploads: Sequence[Upload],
        *,
        appearance: str | None = None,
        shot_type: ShotType | None = None,
        label: str = "",
        components: Mapping[str, str] | None = None,
    ) -> Registration:
        """Add pictures to an appearance; an unknown appearance name starts a new one.

        Raises:
            NotFound: no such character.
            NotAllowed: the actor is neither owner nor moderator.
            LimitReached: the appearance has as many references as it can hold.
            ConsentMissing: it shows a real person who does not agree.
        """
        found = await cast.find_character(self._db, actor.guild_id, character)
        await require_edit(self._db, actor, found, "add references to")
        await require_consent(self._db, actor.guild_id, [found.character_id])
        check_uploads(uploads, at_least=1)
        said = (appearance, label, *(components or {}).values())
        await require_clean(self._db, actor.guild_id, *said)
        async with self._locks.of(actor.guild_id):
            target = await self._appearance_for(
                actor, found, appearance, label, checked_components(components or {})
            )
            await self._intake.require_room(target, len(uploads))
            study = await self._intake.study(actor, uploads, shot_type)
            thresholds = await self._intake.thresholds(
                actor.guild_id, target.appearance_id, target.id, study
            )

            def add(tx: Transaction) -> None:
                self._registrar.store(tx, actor, target.id, study, thresholds)
                if not target.palette:
                    cast.update_appearance(
                        tx,
                        guild_id=actor.guild_id,
                        appearance_row=target.id,
                        palette=study.palette,
                        suggested=_suggested(found.kind, study, target.components),
                    )

            await self._db.write(add)
        return await self._registration(actor.guild_id, found.character_id, target.id, study)

    async def entries(self, actor: Actor) -> list[CastEntry]:
        """The guild's cast in the order of registration."""
        guild_id = actor.guild_id
        return [
            await self._entry(character)
            for character in await cast.list_characters(self._db, guild_id)
        ]

    async def delete(self, actor: Actor, character: str) -> Erased:
        """Erase a character: references and their pictures, vectors, thresholds, old backups.

        Raises:
            NotFound: no such character.
            NotAllowed: the actor is neither owner nor moderator.
        """
        found = await cast.find_character(self._db, actor.guild_id, character)
        actor.require_own(found.owner_id, f"delete {found.name}")
        return await erase_character(self._db, self._blobs, self._locks, found, by=actor.member_id)

    # --- inside ---------------------------------------------------------------------------

    async def _require_free(self, guild_id: int, character_id: str) -> None:
        """Refuse a taken name before any picture is looked at."""
        taken = {c.character_id: c for c in await cast.list_characters(self._db, guild_id)}
        if character_id in taken:
            raise AlreadyExists(
                f"{taken[character_id].name} ({character_id}) is registered already. Add pictures "
                "with /character add-reference, or choose another name."
            )

    async def _appearance_for(
        self,
        actor: Actor,
        character: Character,
        wanted: str | None,
        label: str,
        components: Mapping[str, str],
    ) -> Appearance:
        try:
            return await pick_appearance(self._db, character, wanted)
        except NotFound:
            if wanted is None:
                raise
        look = clean_name(wanted, "appearance")
        row = await self._db.write(
            lambda tx: cast.create_appearance(
                tx,
                guild_id=actor.guild_id,
                character_row=character.id,
                appearance_id=appearance_slug(character.character_id, look),
                label=clean_name(label or look, "label"),
                components=dict(components),
                palette=(),
                notes="",
                now=datetime.now(UTC),
            )
        )
        return await self._appearance(actor.guild_id, character, row)

    async def _appearance(self, guild_id: int, character: Character, row: int) -> Appearance:
        looks = await cast.list_appearances(self._db, guild_id, character.id)
        return next(look for look in looks if look.id == row)

    async def _registration(
        self, guild_id: int, character_id: str, appearance_row: int, study: Study
    ) -> Registration:
        character = await cast.find_character(self._db, guild_id, character_id)
        appearance = await self._appearance(guild_id, character, appearance_row)
        references = await cast.list_references(self._db, guild_id, appearance_row)
        fresh = {picture.sha256 for picture in study.fresh}
        return Registration(
            character,
            appearance,
            tuple(r for r in references if r.sha256 in fresh),
            study.duplicates,
            self._registrar.readiness(
                references, await cast.thresholds_of(self._db, guild_id, appearance_row)
            ),
        )

    async def _entry(self, character: Character) -> CastEntry:
        looks = await cast.list_appearances(self._db, character.guild_id, character.id)
        counts = [
            len(await cast.list_references(self._db, character.guild_id, look.id)) for look in looks
        ]
        return CastEntry(character, tuple(looks), sum(counts))


def _suggested(kind: EntryKind, study: Study, known: Mapping[str, str]) -> dict[str, str]:
    """Colours of hair and skin are asked of characters only."""
    return study.suggested(known) if kind is EntryKind.CHARACTER else {}
