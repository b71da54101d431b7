"""Previews that a server sends while it draws, made small and passed on now and then."""

import logging
import time

from PIL import Image

from pipeline.domain.errors import InvalidPicture
from pipeline.generation.generators.base import Progress
from pipeline.generation.remote.pictures import png_of
from pipeline.imaging.decode import PictureDoor, load_canonical

SIDE = 100
"""Longest side in pixels."""
EVERY = 2.0
"""Seconds between two previews."""

log = logging.getLogger(__name__)


class Reporter:
    """A progress that remembers where it is, so that a preview can be passed on with it."""

    def __init__(self, progress: Progress, door: PictureDoor, *, every: float = EVERY) -> None:
        """``door`` opens the previews: they are bytes from outside like any other."""
        self._progress = progress
        self._door = door
        self._every = every
        self._last = (0.0, "")
        self._shown = float("-inf")

    def __call__(self, fraction: float, note: str, preview: bytes | None = None, /) -> None:
        """Pass a step on."""
        self._last = (fraction, note)
        if preview is None:
            self._progress(fraction, note)
        else:
            self._progress(fraction, note, preview)

    def show(self, data: bytes) -> None:
        """Pass a preview on, unless one was a moment ago; one that is no picture is left out."""
        if time.monotonic() - self._shown < self._every:
            return
        self._shown = time.monotonic()
        try:
            image = load_canonical(self._door.open(data).png).convert("RGB")
        except InvalidPicture as error:
            log.info("a preview is no picture: %s", error)
            return
        image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR)
        self._progress(*self._last, png_of(image))
