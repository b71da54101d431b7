"""The registry for other programs, to look only: the best references of somebody, and the check.

For image tools that run beside the bot, on the same data folder; nothing is written there.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bot.app import DATABASE_NAME
from bot.services.casting import calibrated, cast_input, pick_appearance
from bot.services.reindex import serving_encoders
from bot.settings import Settings
from pipeline.domain.character import Series, ShotType
from pipeline.domain.errors import LimitReached, SettingsError
from pipeline.domain.geometry import Size
from pipeline.domain.inputs import CastInput
from pipeline.domain.panel import Candidate
from pipeline.domain.quality import CandidateReport
from pipeline.fingerprints.registry import load_encoders
from pipeline.imaging.decode import load_canonical
from pipeline.prompting.builder import identity_words
from pipeline.quality.judge import Judge
from pipeline.retrieval.rank import Ranked, rank_references
from storage import cast
from storage.blobs import BlobStore
from storage.database import Database
from storage.keys import Keyring, load_master_key
from storage.reading import open_for_reading

MOST_REFERENCES = 10
MOST_PICTURES = 64


@dataclass(frozen=True, slots=True, eq=False)
class Picked:
    """References in the order in which to use them, and the words that the registry locks."""

    ranked: tuple[Ranked, ...]
    identity: str


class Gallery:
    """What :func:`open_gallery` yields."""

    def __init__(self, db: Database, blobs: BlobStore, judge: Judge) -> None:
        self._db = db
        self._blobs = blobs
        self._judge = judge

    async def references(
        self,
        guild_id: int,
        character: str,
        *,
        appearance: str | None = None,
        shot_type: ShotType = ShotType.HALF,
        words: str = "",
        count: int = 4,
    ) -> Picked:
        """The best references of a character for a shot, as panels are planned with them.

        Raises:
            NotFound: the guild has no such character or look.
            MissingReference: it has no reference.
        """
        member, _ = await self._member(guild_id, character, appearance)
        k = min(max(1, count), MOST_REFERENCES)
        ranked = rank_references(member, shot_type=shot_type, words=words, k=k)
        return Picked(tuple(ranked), identity_words(member))

    async def check(
        self,
        guild_id: int,
        character: str,
        pngs: Sequence[bytes],
        *,
        appearance: str | None = None,
        shot_type: ShotType | None = None,
    ) -> list[CandidateReport]:
        """The check of canonical PNGs against a character, one report for each.

        Raises:
            NotFound: the guild has no such character or look.
            LimitReached: there are too many pictures.
            InvalidPicture: one is damaged.
        """
        if len(pngs) > MOST_PICTURES:
            raise LimitReached(f"At most {MOST_PICTURES} pictures are checked at once.")
        member, series = await self._member(guild_id, character, appearance)
        (member,) = await calibrated(self._db, series, [member])

        def judged(png: bytes) -> CandidateReport:
            size = Size(*load_canonical(png).size)
            return self._judge.judge(
                Candidate(png, size), [member], shot_type=shot_type,
                color_mode=series.color_mode, earlier={},
            ).report  # fmt: skip

        return [await asyncio.to_thread(judged, png) for png in pngs]

    async def state_of(self, guild_id: int, character: str, appearance: str | None) -> str:
        """A line that changes whenever the references of a look do.

        Raises:
            NotFound: the guild has no such character or look.
        """
        found = await cast.find_character(self._db, guild_id, character)
        look = await pick_appearance(self._db, found, appearance)
        references = await cast.list_references(self._db, guild_id, look.id)
        return " ".join(f"{r.id}:{r.sha256[:12]}:{r.shot_type}" for r in references)

    async def _member(
        self, guild_id: int, character: str, appearance: str | None
    ) -> tuple[CastInput, Series]:
        series = await cast.active_series(self._db, guild_id)
        found = await cast.find_character(self._db, guild_id, character)
        look = await pick_appearance(self._db, found, appearance)
        return await cast_input(self._db, self._blobs, found, look), series


@asynccontextmanager
async def open_gallery(settings: Settings) -> AsyncIterator[Gallery]:
    """Open the registry of a data folder for reading; the bot may run on it meanwhile.

    Raises:
        DatabaseError: there is no registry, or one of another version.
        SettingsError: an encoder or the master key is not usable.
    """
    encoders = load_encoders(settings.encoders)
    async with open_for_reading(settings.data_dir / DATABASE_NAME) as db:
        configured = settings.master_key.get_secret_value() if settings.master_key else None
        if configured is None and not (settings.data_dir / "master.key").exists():
            raise SettingsError(
                "The registry's key is not here. Set ONMODEL_MASTER_KEY as it is for the bot."
            )
        keyring = Keyring(db, load_master_key(settings.data_dir, configured))
        serving = await serving_encoders(db, settings.encoders, encoders)
        blobs = BlobStore(settings.data_dir / "blobs", keyring)
        yield Gallery(db, blobs, Judge(load_encoders(serving)))
