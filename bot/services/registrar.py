"""Takes uploads through the door, recognises copies, makes fingerprints, and stores them all."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from PIL import Image

from bot.services.actor import Actor
from bot.services.registration import Upload
from pipeline.domain.character import Reference, ReferenceKind, ShotType
from pipeline.domain.errors import InvalidPicture
from pipeline.domain.fingerprint import Fingerprint, PictureHashes
from pipeline.domain.geometry import Box, Size
from pipeline.domain.panel import Candidate, PlacedFigure
from pipeline.domain.pose import Pose
from pipeline.domain.quality import Threshold
from pipeline.domain.vocabulary import checked_angle, checked_expression
from pipeline.fingerprints.composite import encoder_set, fingerprint
from pipeline.fingerprints.copies import same_picture
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.fingerprints.hashes import COPY_BITS, near_duplicate, picture_hashes
from pipeline.imaging.colour import palette
from pipeline.imaging.crops import shot_of
from pipeline.imaging.cutout import cut_out
from pipeline.imaging.decode import CanonicalPicture, PictureDoor, load_canonical, to_png
from pipeline.imaging.fit import fit_within
from pipeline.imaging.masks import Figure, find_figure
from pipeline.imaging.network import return_memory
from pipeline.imaging.poses import find_pose
from pipeline.quality.calibration import thresholds_from_references
from pipeline.registry.marks import MarkPrints, mark_prints
from pipeline.registry.suggest import agreed, face_components, suggest_angle, suggest_components
from storage import cast, indexing
from storage.blobs import BlobStore
from storage.database import Transaction
from storage.duplicates import Copy
from storage.poses import put_pose

# Enough for print at the size of a panel; more only costs memory in every run.
REFERENCE_SIDE = 2048
# Where a head looks is told as well by a small copy, in a tenth of the time.
AT_ONCE = 2
"""Pictures of one upload that are studied at the same time: each takes about a tenth of a second of
one core, and other people want to be served too."""
GUESS_SIDE = 512
# Source AF9: ten canonical references per character are a good start.
GOOD_START = 10

Copies = Callable[[PictureHashes], Awaitable[Sequence[Copy]]]
"""Finds the registered pictures of a guild whose hashes are near; nearest first."""


@dataclass(frozen=True, slots=True, eq=False)
class StudiedPicture:
    """A new reference, ready to be stored."""

    png: bytes
    sha256: str
    size: Size
    kind: ReferenceKind
    shot_type: ShotType
    angle: str
    expression: str
    hashes: PictureHashes
    fingerprints: tuple[Fingerprint, ...]
    palette: tuple[str, ...]
    guessed: tuple[str, ...] = ()
    components: Mapping[str, str] = field(default_factory=dict)
    pose: Pose | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Study:
    """What a batch of uploads turned out to be."""

    fresh: tuple[StudiedPicture, ...]
    duplicates: tuple[str, ...]

    @property
    def palette(self) -> tuple[str, ...]:
        """The colours of the picture that shows most of the figure."""
        order = [ShotType.FULL, ShotType.HALF, ShotType.DYNAMIC, ShotType.HEADSHOT]
        best = min(self.fresh, key=lambda p: order.index(p.shot_type), default=None)
        return best.palette if best else ()

    def suggested(self, known: Mapping[str, str]) -> dict[str, str]:
        """Components that most of the pictures show and nobody has named."""
        guesses = agreed([dict(picture.components) for picture in self.fresh])
        return {slot: value for slot, value in guesses.items() if slot not in known}


class Registrar:
    """The desk where pictures become references."""

    def __init__(
        self,
        door: PictureDoor,
        blobs: BlobStore,
        encoders: Sequence[Encoder],
        *,
        drawn_faces: bool = False,
    ) -> None:
        self._door = door
        self._blobs = blobs
        self._encoders = encoders
        self._drawn_faces = drawn_faces

    @property
    def encoders(self) -> str:
        """The encoder set in use, as thresholds and the index name it."""
        return encoder_set(self._encoders)

    def print_of(
        self, png: bytes, shot_type: ShotType
    ) -> tuple[PictureHashes, tuple[Fingerprint, ...]]:
        """Hashes and fingerprints of a stored reference, as at its registration.

        Raises:
            InvalidPicture: the stored file is damaged.
        """
        image = load_canonical(png)
        return picture_hashes(image), fingerprint(image, shot_type, self._encoders)

    @staticmethod
    def pose_of(png: bytes) -> Pose | None:
        """The pose in a stored reference, None where none is found.

        Raises:
            InvalidPicture: the stored file is damaged.
        """
        image = load_canonical(png)
        figure = find_figure(image)
        return None if figure is None else find_pose(image, figure)

    def mark_prints_of(self, png: bytes, box: Box) -> MarkPrints:
        """The fingerprints of a marked region of a stored reference.

        Raises:
            InvalidPicture: the stored file is damaged.
        """
        return mark_prints(load_canonical(png), box, self._encoders)

    async def open(self, data: bytes) -> CanonicalPicture:
        """One upload as a canonical picture.

        Raises:
            InvalidPicture: the bytes are not a picture that we take.
        """
        return await asyncio.to_thread(self._door.open, data)

    async def study(
        self,
        uploads: Sequence[Upload],
        shot_type: ShotType | None,
        copies: Copies,
        guild_id: int,
    ) -> Study:
        """Open, hash and fingerprint uploads; near copies of what is registered are named.

        Args:
            uploads: pictures from outside.
            shot_type: what the person said of all of them, or None to judge by the figure.
            copies: finds what the guild holds already.
            guild_id: whose pictures they will be.

        Raises:
            InvalidPicture: an upload is refused; the text says which. None is kept then.
        """
        fresh: list[StudiedPicture] = []
        duplicates: list[str] = []
        for number, studied in enumerate(await self._study_each(uploads, shot_type), start=1):
            twin = await self._twin_of_upload(studied, fresh) or await self._twin_of_stored(
                studied, await copies(studied.hashes), guild_id
            )
            if twin is None:
                fresh.append(studied)
            else:
                duplicates.append(f"Picture {number} is already registered as {twin}.")
        return Study(tuple(fresh), tuple(duplicates))

    async def study_all(self, uploads: Sequence[Upload]) -> list[StudiedPicture]:
        """Open and fingerprint pictures that belong together, copies or not, in their order.

        Raises:
            InvalidPicture: one is refused; the text says which.
        """
        return await self._study_each(uploads, None)

    async def _study_each(
        self, uploads: Sequence[Upload], shot_type: ShotType | None
    ) -> list[StudiedPicture]:
        """Open and fingerprint pictures, :data:`AT_ONCE` at a time; results in their order.

        Raises:
            InvalidPicture: one is refused; the first of those is named.
        """
        free = asyncio.Semaphore(AT_ONCE)

        async def one(number: int, upload: Upload) -> StudiedPicture:
            async with free:
                try:
                    picture = await self.open(upload.data)
                except InvalidPicture as error:
                    if len(uploads) == 1:
                        raise
                    where = f"Picture {number} ({upload.filename})"
                    raise InvalidPicture(f"{where}: {error}") from error
                return await asyncio.to_thread(self._study_one, picture, upload, shot_type)

        jobs = [one(number, upload) for number, upload in enumerate(uploads, start=1)]
        found = await asyncio.gather(*jobs, return_exceptions=True)
        await asyncio.to_thread(return_memory)  # large pictures in several threads
        for result in found:
            if isinstance(result, BaseException):
                raise result
        return [result for result in found if not isinstance(result, BaseException)]

    async def _twin_of_upload(
        self, studied: StudiedPicture, fresh: Sequence[StudiedPicture]
    ) -> str | None:
        """The same picture earlier in this batch, in words. Hashes propose, pixels decide."""
        for other in fresh:
            if near_duplicate(other.hashes, studied.hashes, COPY_BITS) and await self._same(
                studied.png, other.png
            ):
                return "an earlier picture of this upload"
        return None

    async def _twin_of_stored(
        self, studied: StudiedPicture, copies: Sequence[Copy], guild_id: int
    ) -> str | None:
        """The registered picture that this one is a copy of, in words."""
        for copy in copies:
            stored = await self._blobs.get(guild_id, copy.sha256)
            if await self._same(studied.png, stored):
                return f"reference {copy.reference_id} of {copy.character_id}"
        return None

    @staticmethod
    async def _same(a: bytes, b: bytes) -> bool:
        return await asyncio.to_thread(lambda: same_picture(load_canonical(a), load_canonical(b)))

    def _study_one(
        self, picture: CanonicalPicture, upload: Upload, shot_type: ShotType | None
    ) -> StudiedPicture:
        image = fit_within(load_canonical(picture.png), REFERENCE_SIDE)
        png = to_png(image)
        figure = find_figure(image)
        told = shot_type or upload.shot_type
        shot = told or (shot_of(figure) if figure else ShotType.HALF)
        angle = checked_angle(upload.angle)
        guessed = () if told else ("shot_type",)
        if not angle and figure is not None:
            small = to_png(fit_within(image, GUESS_SIDE))
            angle, guessed = suggest_angle(cut_out(small).facing), (*guessed, "angle")
        return StudiedPicture(
            png=png,
            sha256=hashlib.sha256(png).hexdigest(),
            size=Size(*image.size),
            kind=upload.kind,
            shot_type=shot,
            angle=angle,
            expression=checked_expression(upload.expression),
            hashes=picture_hashes(image),
            fingerprints=fingerprint(image, shot, self._encoders),
            palette=tuple(palette(image, figure.mask)) if figure else (),
            guessed=guessed,
            components=self._suggested(image, figure) if figure else {},
            pose=find_pose(image, figure) if figure else None,
        )

    def _suggested(self, image: Image.Image, figure: Figure) -> dict[str, str]:
        """Guesses from the silhouette, and better ones where a drawn face is seen."""
        guesses = suggest_components(image, figure)
        return guesses | face_components(image, figure) if self._drawn_faces else guesses

    def thresholds(
        self,
        appearance_id: str,
        known: Mapping[int, tuple[Fingerprint, ...]],
        study: Study,
    ) -> tuple[Threshold, ...]:
        """Leave-one-out thresholds over the known references and the studied ones."""
        # New references have no row yet; the numbers only keep them apart.
        new = {-number: p.fingerprints for number, p in enumerate(study.fresh, start=1)}
        return self.thresholds_of(appearance_id, {**known, **new})

    def thresholds_of(
        self, appearance_id: str, fingerprints: Mapping[int, tuple[Fingerprint, ...]]
    ) -> tuple[Threshold, ...]:
        """Leave-one-out thresholds over the canon references of an appearance."""
        return thresholds_from_references(appearance_id, fingerprints, encoder_set(self._encoders))

    def store(
        self,
        tx: Transaction,
        actor: Actor,
        appearance_row: int,
        study: Study,
        thresholds: Sequence[Threshold],
    ) -> dict[str, int]:
        """Write references, fingerprints and thresholds inside the caller's transaction.

        Returns:
            The new references' row ids by the sha256 of their pictures.
        """
        now = datetime.now(UTC)
        rows: dict[str, int] = {}
        for picture in study.fresh:
            reference_id = cast.add_reference(
                tx,
                guild_id=actor.guild_id,
                appearance_row=appearance_row,
                sha256=picture.sha256,
                kind=picture.kind,
                shot_type=picture.shot_type,
                angle=picture.angle,
                expression=picture.expression,
                width=picture.size.width,
                height=picture.size.height,
                canon=True,
                notes="",
                hashes=picture.hashes,
                added_by=actor.member_id,
                now=now,
                guessed=picture.guessed,
            )
            rows[picture.sha256] = reference_id
            cast.add_fingerprints(
                tx,
                guild_id=actor.guild_id,
                reference_id=reference_id,
                fingerprints=picture.fingerprints,
            )
            if picture.pose is not None:
                put_pose(tx, guild_id=actor.guild_id, reference_id=reference_id, pose=picture.pose)
            indexing.mark_indexed(
                tx,
                guild_id=actor.guild_id,
                reference_id=reference_id,
                encoders=self.encoders,
                now=now,
            )
        for threshold in thresholds:
            cast.put_threshold(
                tx,
                guild_id=actor.guild_id,
                appearance_row=appearance_row,
                threshold=threshold,
                now=now,
            )
        return rows

    def readiness(self, references: Sequence[Reference], thresholds: Sequence[Threshold]) -> str:
        """One or two sentences: what the check can judge, and what would help."""
        shots = {r.shot_type for r in references}
        missing = [
            s.value for s in (ShotType.HEADSHOT, ShotType.HALF, ShotType.FULL) if s not in shots
        ]
        judged = sorted({t.key.crop.value for t in thresholds})
        text = (
            f"The check can judge: {', '.join(judged)}."
            if judged
            else "The check cannot judge this appearance yet: it needs more references."
        )
        if len(references) < GOOD_START:
            text += f" {len(references)} references so far; {GOOD_START} make a good start."
        if missing:
            text += f" Missing shots: {', '.join(missing)}."
        return text

    def with_box(self, candidate: Candidate, character_id: str, box: Box) -> Candidate:
        """The candidate with a person's own word on where the figure is."""
        return replace(candidate, figures=(PlacedFigure(character_id, box),))
