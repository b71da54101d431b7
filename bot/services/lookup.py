"""Who is this? A picture against everybody whom a guild has registered."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from PIL import Image

from bot.services.actor import Actor
from bot.services.casting import cast_input, reference_input
from pipeline.domain.character import Appearance, Character, ColorMode
from pipeline.domain.errors import InvalidPicture, NotFound
from pipeline.domain.fingerprint import CropClass, Fingerprint
from pipeline.domain.geometry import Box
from pipeline.domain.inputs import CastInput
from pipeline.domain.panel import Candidate
from pipeline.domain.pose import Pose
from pipeline.domain.quality import CandidateReport, CharacterCheck, JudgedCandidate, Verdict
from pipeline.fingerprints.composite import fingerprint_crops
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.fingerprints.hashes import picture_hashes
from pipeline.imaging.crops import Figure, crops_of, find_figure, shot_of
from pipeline.imaging.decode import CanonicalPicture, PictureDoor, load_canonical
from pipeline.imaging.detector import everyone_in, figure_in
from pipeline.quality.evidence import evidence_card
from pipeline.quality.judge import cautious
from pipeline.quality.looks import check_figure
from pipeline.quality.sight import too_small
from storage import cast, vectors
from storage.blobs import BlobStore
from storage.database import Database, Transaction
from storage.poses import put_pose

_NEIGHBOURS = 24
"""References asked of each segment; enough for the three nearest characters of a large cast."""
_MOST_LOOKS = 6
"""Appearances that are compared in full."""
MOST_FIGURES = 4
"""Figures of one picture that are looked up."""
_ORDER = {Verdict.ON_MODEL: 0, Verdict.CANNOT_JUDGE: 1, Verdict.OFF_MODEL: 2}


@dataclass(frozen=True, slots=True)
class Likeness:
    """One registered look and what the check says of the picture against it."""

    name: str
    label: str
    check: CharacterCheck

    @property
    def margin(self) -> float:
        """Similarity minus limit; -2 where there is no limit."""
        if self.check.similarity is None or self.check.threshold is None:
            return -2.0
        return self.check.similarity - self.check.threshold


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """A figure of the picture: its fingerprints, its box, and whether it is cut out of a scene."""

    prints: tuple[Fingerprint, ...]
    box: Box
    rough: bool


@dataclass(frozen=True, slots=True)
class Identified:
    """Who one figure is, or nobody; ``ranking`` has one entry a character, nearest first.

    ``sentence`` says it in words; ``evidence`` is a PNG beside the references of the nearest;
    ``box`` is where the figure is, in pixels of the picture as it was taken in.
    """

    who: Likeness | None
    ranking: tuple[Likeness, ...]
    sentence: str
    evidence: bytes
    box: Box

    @property
    def unsure(self) -> bool:
        """Whether neither a name nor “nobody” can be said."""
        return self.ranking[0].check.verdict is Verdict.CANNOT_JUDGE


class LookupService:
    """Looks pictures up in the registry. Nothing is stored."""

    def __init__(
        self, db: Database, blobs: BlobStore, door: PictureDoor, encoders: Sequence[Encoder]
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._door = door
        self._encoders = encoders

    async def identify(
        self, actor: Actor, image: bytes, *, box: Box | None = None
    ) -> tuple[Identified, ...]:
        """Who is drawn here, among everybody that the guild knows.

        Figures are found as for a check: by alpha or a plain ground, else by the detector; a box
        that a person drew is the last word. The nearest references of every segment name a few
        looks; each is compared as by a check, and only a look whose learned limits the figure
        reaches is an answer. So a stranger is nobody, however near somebody comes.

        Returns:
            One answer for each figure, from left to right, at most MOST_FIGURES.

        Raises:
            NotFound: the guild has no series, or nobody is registered.
            InvalidPicture: the bytes are not a picture that we take, or show no figure.
        """
        series = await cast.active_series(self._db, actor.guild_id)
        picture = await asyncio.to_thread(self._door.open, image)
        everyone = await asyncio.to_thread(self._see, picture, box)
        return tuple(
            [await self._who(actor.guild_id, series.color_mode, picture, one) for one in everyone]
        )

    async def _who(
        self, guild_id: int, color_mode: ColorMode, picture: CanonicalPicture, seen: Seen
    ) -> Identified:
        looks = await self._nearest_looks(guild_id, seen.prints, color_mode)
        if not looks:
            raise NotFound("Nobody is registered here yet. Add somebody: /character register.")
        checks = [await self._compare(*look, seen, color_mode) for look in looks]
        ranking = _one_each(sorted(checks, key=lambda c: (_ORDER[c.check.verdict], -c.margin)))
        who = ranking[0] if ranking[0].check.verdict is Verdict.ON_MODEL else None
        shown = await self._evidence(picture, ranking[0], looks)
        return Identified(who, ranking, _sentence(who, ranking), shown, seen.box)

    async def set_pose(self, actor: Actor, reference_id: int, pose: Pose) -> None:
        """Note the pose of a reference, so that retrieval can match poses.

        Raises:
            NotAllowed: the actor may not change the registry.
            NotFound: the guild has no such reference.
        """
        actor.require_manager("change references")

        def write(tx: Transaction) -> None:
            put_pose(tx, guild_id=actor.guild_id, reference_id=reference_id, pose=pose)

        await self._db.write(write)

    def _see(self, picture: CanonicalPicture, box: Box | None) -> list[Seen]:
        """Everybody in the picture, or the one in the box."""
        image = load_canonical(picture.png)
        if box is None:
            figures = everyone_in(image, MOST_FIGURES)
        else:
            figures = [figure] if (figure := figure_in(image, box)) is not None else []
        if not figures:
            raise InvalidPicture(
                "No figure can be told from the background of this picture. Send it on a "
                "transparent or plain background, or cut out the figure that you mean."
            )
        large = [figure for figure in figures if not too_small(figure, image.height)]
        if not large:
            raise InvalidPicture(
                f"The figure is too small to be compared ({figures[0].box.height} pixels high). "
                "Send it larger, or cut it out."
            )
        rough = box is None and find_figure(image) is None
        return [self._seen(image, figure, rough) for figure in large]

    def _seen(self, image: Image.Image, figure: Figure, rough: bool) -> Seen:
        crops = crops_of(image, figure, shot_of(figure))
        return Seen(fingerprint_crops(crops, self._encoders), figure.box, rough)

    async def _nearest_looks(
        self, guild_id: int, prints: Sequence[Fingerprint], color_mode: ColorMode
    ) -> list[tuple[Character, Appearance]]:
        """The looks with the nearest references, by the sum of their best cosines."""
        best: dict[int, dict[tuple[str, CropClass], float]] = {}
        for one in prints:
            if one.color_mode is not color_mode:
                continue
            hits = await vectors.nearest(
                self._db, guild_id, one.embedding.encoder, one.crop, color_mode,
                one.embedding.vector, _NEIGHBOURS,
            )  # fmt: skip
            segment = (str(one.embedding.encoder), one.crop)
            for reference_id, cosine in hits:
                known = best.setdefault(reference_id, {})
                known[segment] = max(cosine, known.get(segment, -1.0))
        rows: dict[int, float] = {}
        for reference_id, cosines in best.items():
            row = (await cast.get_reference(self._db, guild_id, reference_id)).appearance_row
            rows[row] = max(rows.get(row, 0.0), sum(cosines.values()))
        chosen = sorted(rows, key=lambda row: -rows[row])[:_MOST_LOOKS]
        by_row = {a.id: a for a in await cast.list_appearances(self._db, guild_id)}
        people = {c.id: c for c in await cast.list_characters(self._db, guild_id)}
        return [(people[by_row[row].character_row], by_row[row]) for row in chosen if row in by_row]

    async def _compare(
        self,
        character: Character,
        look: Appearance,
        seen: Seen,
        color_mode: ColorMode,
    ) -> Likeness:
        references, held, limits = await asyncio.gather(
            cast.list_references(self._db, character.guild_id, look.id),
            cast.fingerprints_of(self._db, character.guild_id, look.id),
            cast.thresholds_of(self._db, character.guild_id, look.id),
        )
        member = CastInput(
            character_id=character.character_id,
            appearance_id=look.appearance_id,
            name=character.name,
            label=look.label,
            height_ratio=character.height_ratio,
            components=look.components,
            palette=look.palette,
            references=tuple(reference_input(r, b"", held.get(r.id, ())) for r in references),
            thresholds=limits,
        )
        check = check_figure(member, seen.prints, color_mode, seen.box)
        if seen.rough:
            check = cautious(member, check, 1)
        return Likeness(character.name, look.label, check)

    async def _evidence(
        self,
        picture: CanonicalPicture,
        nearest: Likeness,
        looks: Sequence[tuple[Character, Appearance]],
    ) -> bytes:
        character, look = next(
            (c, a) for c, a in looks if a.appearance_id == nearest.check.appearance_id
        )
        member = await cast_input(self._db, self._blobs, character, look)

        def draw() -> bytes:
            report = CandidateReport(nearest.check.verdict, (nearest.check,))
            judged = JudgedCandidate(
                Candidate(picture.png, picture.size),
                picture_hashes(load_canonical(picture.png)),
                report,
            )
            return evidence_card(judged, [member], title="Who is this?")

        return await asyncio.to_thread(draw)


def _one_each(looks: Sequence[Likeness]) -> tuple[Likeness, ...]:
    """The best look of each character, in order."""
    seen: dict[str, Likeness] = {}
    for look in looks:
        seen.setdefault(look.check.character_id, look)
    return tuple(seen.values())


def _sentence(who: Likeness | None, ranking: Sequence[Likeness]) -> str:
    if who is not None:
        return f"This is {who.name} ({who.label}). {who.check.reason}"
    nearest = ranking[0]
    if nearest.check.verdict is Verdict.CANNOT_JUDGE:
        return (
            f"I cannot say. It looks most like {nearest.name} ({nearest.label}), but: "
            f"{nearest.check.reason}"
        )
    return f"Nobody I know. {nearest.name} ({nearest.label}) comes nearest: {nearest.check.reason}"
