"""Any picture against one character of the registry; nothing is stored."""

import asyncio
from dataclasses import dataclass

from bot.services.actor import Actor
from bot.services.boxes import read_box
from bot.services.casting import calibrated, cast_input, pick_appearance
from bot.services.registrar import Registrar
from pipeline.domain.character import ShotType
from pipeline.domain.geometry import Box
from pipeline.domain.panel import Candidate
from pipeline.domain.quality import JudgedCandidate
from pipeline.quality.evidence import evidence_card
from pipeline.quality.judge import Judge
from storage import cast
from storage.blobs import BlobStore
from storage.database import Database


@dataclass(frozen=True, slots=True)
class CheckResult:
    """A judged picture and its evidence card (PNG)."""

    judged: JudgedCandidate
    evidence: bytes


class CheckService:
    """The check that anyone may ask for."""

    def __init__(self, db: Database, blobs: BlobStore, registrar: Registrar, judge: Judge) -> None:
        self._db = db
        self._blobs = blobs
        self._registrar = registrar
        self._judge = judge

    async def check(
        self,
        actor: Actor,
        image: bytes,
        *,
        character: str,
        appearance: str | None = None,
        shot_type: ShotType | None = None,
        box: Box | str | None = None,
    ) -> CheckResult:
        """Judge any picture against one character of the registry. Nothing is stored.

        ``box`` says where the character is, as a box or as a person types one, see
        :func:`bot.services.boxes.read_box`.

        Raises:
            InvalidInput: the typed box is none, or lies outside the picture.
            NotFound: no such character or appearance.
            InvalidPicture: the bytes are not a picture that we take.
        """
        found = await cast.find_character(self._db, actor.guild_id, character)
        look = await pick_appearance(self._db, found, appearance)
        series = await cast.active_series(self._db, actor.guild_id)
        picture = await self._registrar.open(image)
        member = await cast_input(self._db, self._blobs, found, look)
        (member,) = await calibrated(self._db, series, [member])
        candidate = Candidate(picture.png, picture.size)
        if box is not None:
            where = read_box(box, picture.size) if isinstance(box, str) else box
            candidate = self._registrar.with_box(candidate, found.character_id, where)

        def work() -> CheckResult:
            judged = self._judge.judge(
                candidate, [member], shot_type=shot_type, color_mode=series.color_mode, earlier={}
            )
            return CheckResult(judged, evidence_card(judged, [member], title="Check"))

        return await asyncio.to_thread(work)
