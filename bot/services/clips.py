"""Clips: moving pictures made elsewhere, judged frame by frame against one character."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

from bot.services.actor import Actor
from bot.services.casting import calibrated, cast_input, pick_appearance
from pipeline.domain.character import ColorMode
from pipeline.domain.errors import GenerationFailed, InvalidInput
from pipeline.domain.geometry import Size
from pipeline.domain.inputs import CastInput
from pipeline.domain.panel import Candidate
from pipeline.imaging.decode import to_png
from pipeline.quality.clip import ClipReport, FrameCheck, frame_colours, report_on
from pipeline.quality.judge import Judge
from storage import cast
from storage.blobs import BlobStore
from storage.database import Database

MAX_BYTES = 200 << 20
MAX_SECONDS = 600.0
MAX_SIDE = 4096
MAX_JUDGED = 60
"""Frames that are judged, spread over the clip; colours are compared in every frame."""


class ClipService:
    """Reads clips with PyAV; the file is the host's own, on the host's own machine."""

    def __init__(self, db: Database, blobs: BlobStore, judge: Judge) -> None:
        self._db = db
        self._blobs = blobs
        self._judge = judge

    async def check(
        self, actor: Actor, path: Path, *, character: str, appearance: str | None = None
    ) -> ClipReport:
        """Judge a clip.

        Raises:
            InvalidInput: it is no clip, too large, or too long.
            NotFound: no such character or appearance.
            GenerationFailed: the library that reads clips is not installed.
        """
        found = await cast.find_character(self._db, actor.guild_id, character)
        look = await pick_appearance(self._db, found, appearance)
        comic = await cast.active_series(self._db, actor.guild_id)
        member = await cast_input(self._db, self._blobs, found, look)
        (member,) = await calibrated(self._db, comic, [member])
        allowed = comic.false_flag_percent / 100
        return await asyncio.to_thread(self._judged, path, member, comic.color_mode, allowed)

    def _judged(
        self, path: Path, member: CastInput, color_mode: ColorMode, allowed: float
    ) -> ClipReport:
        fps, count = clip_length(path)
        every = max(1, round(count / MAX_JUDGED))
        frames, colours = [], []
        for number, image in enumerate(clip_frames(path)):
            if number > fps * MAX_SECONDS:  # a header may lie about the length
                raise _too_long()
            colours.append(frame_colours(image))
            if number % every == 0:
                candidate = Candidate(to_png(image), Size(*image.size))
                judged = self._judge.judge(
                    candidate, [member], shot_type=None, color_mode=color_mode, earlier={}
                )
                frames.append(FrameCheck(round(number / fps, 3), judged.report.checks[0]))
        return report_on(frames, np.stack(colours), fps, allowed)


def clip_length(path: Path) -> tuple[float, int]:
    """Frames a second, and how many frames there are about.

    Raises:
        InvalidInput: it is no clip that can be read, too large, or too long.
        GenerationFailed: the library that reads clips is not installed.
    """
    av = _av()
    if not path.is_file():
        raise InvalidInput(f"There is no file {path.name}.")
    if path.stat().st_size > MAX_BYTES:
        raise InvalidInput(f"The clip is larger than {MAX_BYTES >> 20} MiB; send a shorter one.")
    try:
        with av.open(str(path)) as container:
            stream = container.streams.video[0]
            fps = float(stream.average_rate or 24)
            seconds = float(container.duration or 0) / av.time_base
            size = Size(stream.width, stream.height)
    except (av.error.FFmpegError, IndexError) as error:
        raise InvalidInput(f"{path.name} is no clip that can be read; send MP4 or WebM.") from error
    if seconds > MAX_SECONDS:
        raise _too_long()
    if not 16 <= min(size) <= max(size) <= MAX_SIDE:
        raise InvalidInput(f"Clips are 16 to {MAX_SIDE} pixels a side; this is {size}.")
    return fps, max(1, round(seconds * fps))


def clip_frames(path: Path) -> Iterator[Image.Image]:
    """Every frame in turn, RGB."""
    av = _av()
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield frame.to_image()
    except av.error.FFmpegError as error:
        raise InvalidInput(f"{path.name} is damaged; export it again.") from error


def _too_long() -> InvalidInput:
    return InvalidInput(f"The clip is longer than {MAX_SECONDS / 60:.0f} minutes; cut it.")


def _av():
    try:
        import av
        import av.error
    except ImportError as error:
        raise GenerationFailed(
            "Reading clips needs the package “av”. Install the extra: pip install 'onmodel[video]'."
        ) from error
    return av
