"""Pictures on their way into a look: studied, compared with what is there, given limits."""

import asyncio
from collections.abc import Sequence

from bot.services.actor import Actor
from bot.services.registrar import Registrar, Study
from bot.services.registration import MAX_REFERENCES, Upload
from bot.services.safety import Safety
from pipeline.domain.character import Appearance, ShotType
from pipeline.domain.errors import LimitReached
from pipeline.domain.fingerprint import Fingerprint, PictureHashes
from pipeline.domain.quality import Threshold
from pipeline.fingerprints.hashes import COPY_BITS
from storage import cast
from storage.blobs import BlobStore
from storage.database import Database
from storage.duplicates import Copy, copies_of


class Intake:
    """What everybody does who adds pictures to a look, before the one write that adds them."""

    def __init__(self, db: Database, blobs: BlobStore, registrar: Registrar) -> None:
        self._db = db
        self._blobs = blobs
        self._registrar = registrar
        self._safety = Safety(db, blobs)

    async def study(
        self, actor: Actor, uploads: Sequence[Upload], shot_type: ShotType | None
    ) -> Study:
        """Study uploads and keep the pictures of those that are new.

        Raises:
            InvalidPicture: an upload is refused; the text says which. None is kept then.
            UnsafePicture: a moderator has to look at one first.
        """
        guild_id = actor.guild_id

        async def copies(hashes: PictureHashes) -> Sequence[Copy]:
            return await copies_of(self._db, guild_id, hashes, within=COPY_BITS)

        study = await self._registrar.study(uploads, shot_type, copies, guild_id)
        await self._safety.admit(actor, [picture.png for picture in study.fresh])
        for picture in study.fresh:
            await self._blobs.put(guild_id, picture.png)
        return study

    async def require_room(self, look: Appearance, more: int) -> None:
        """Refuse pictures beyond what a look can hold.

        Raises:
            LimitReached: it is full.
        """
        held = await cast.list_references(self._db, look.guild_id, look.id)
        if len(held) + more > MAX_REFERENCES:
            raise LimitReached(
                f"{look.appearance_id} has {len(held)} references; {MAX_REFERENCES} is the "
                "most. Start another appearance."
            )

    async def thresholds(
        self, guild_id: int, appearance_id: str, row: int | None, study: Study
    ) -> tuple[Threshold, ...]:
        """Thresholds from the canon references held already and those about to be added.

        They are written in the same transaction as the references, so that no crash leaves a
        threshold that belongs to other references.
        """
        known: dict[int, tuple[Fingerprint, ...]] = {}
        if row is not None:
            references = await cast.list_references(self._db, guild_id, row)
            held = await cast.fingerprints_of(self._db, guild_id, row)
            known = {r.id: held[r.id] for r in references if r.canon and r.id in held}
        return await asyncio.to_thread(self._registrar.thresholds, appearance_id, known, study)
