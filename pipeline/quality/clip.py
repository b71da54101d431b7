"""Moving pictures: the worst frame of a character, and frames whose colours jump and come back."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipeline.domain.quality import CharacterCheck, Verdict
from pipeline.imaging.colour import to_lab

GRID = (9, 16)
"""Rows and columns of the mean colours by which two frames are compared."""
PULSE = 3
"""Frames that a flicker lasts at most; what stays longer is a change of scene."""
JUST_SEEN = 2.3
"""CIE76 difference that people just notice. Source: Mahy et al., 1994."""


@dataclass(frozen=True, slots=True)
class FrameCheck:
    """One judged frame and its second."""

    second: float
    check: CharacterCheck


@dataclass(frozen=True, slots=True)
class ClipReport:
    """What a clip is like: judged frames, seconds of flicker, and the verdict of the whole."""

    frames: tuple[FrameCheck, ...]
    flickers: tuple[tuple[float, float], ...]
    verdict: Verdict

    @property
    def worst(self) -> FrameCheck | None:
        """The judged frame that lies furthest under its limit."""
        return min(self._judged(), key=_margin, default=None)

    def _judged(self) -> list[FrameCheck]:
        return [one for one in self.frames if one.check.verdict is not Verdict.CANNOT_JUDGE]


def _margin(frame: FrameCheck) -> float:
    check = frame.check
    if check.similarity is None or check.threshold is None:
        return 0.0
    return check.similarity - check.threshold


def report_on(
    frames: Sequence[FrameCheck], colours: NDArray[np.float32], fps: float, allowed: float
) -> ClipReport:
    """Put a clip's frames together.

    Args:
        frames: those that were judged, in order.
        colours: (n, rows, columns, 3) of every frame, see :func:`frame_colours`.
        fps: of ``colours``.
        allowed: the share of good pictures that the check may flag. A clip is off-model where
            more of its judged frames are flagged, and more than one.
    """
    scores = flicker_scores(colours)
    flickers = [(i / fps, float(scores[i])) for i in np.flatnonzero(scores > JUST_SEEN)]
    judged = [one for one in frames if one.check.verdict is not Verdict.CANNOT_JUDGE]
    flagged = sum(one.check.verdict is Verdict.OFF_MODEL for one in judged)
    verdict = Verdict.ON_MODEL
    if not judged:
        verdict = Verdict.CANNOT_JUDGE
    elif flagged > max(1.0, allowed * len(judged)):
        verdict = Verdict.OFF_MODEL
    return ClipReport(tuple(frames), tuple(flickers), verdict)


def frame_colours(image: Image.Image) -> NDArray[np.float32]:
    """Mean Lab colours of a frame over a grid, (rows, columns, 3)."""
    rows, columns = GRID
    small = image.convert("RGB").resize((columns * 4, rows * 4), Image.Resampling.BOX)
    lab = to_lab(np.asarray(small)).reshape(rows, 4, columns, 4, 3)
    return lab.mean((1, 3)).astype(np.float32)


def flicker_scores(colours: NDArray[np.float32]) -> NDArray[np.float32]:
    """How far each frame's colours jump away and come back, mean CIE76 over the grid, (n,).

    A cut goes away and stays, a camera move goes on: neither scores. A pulse of up to
    :data:`PULSE` frames differs from before and from after while those two are alike.
    """
    count = len(colours)
    scores = np.zeros(count, np.float32)
    for length in range(1, PULSE + 1):
        for last in range(length, count - 1):
            before, after = colours[last - length], colours[last + 1]
            there = [colours[k] for k in range(last - length + 1, last + 1)]
            away = min(min(_apart(one, before), _apart(one, after)) for one in there)
            score = away - _apart(before, after)
            for k in range(last - length + 1, last + 1):
                scores[k] = max(scores[k], score)
    return np.maximum(scores, 0)


def _apart(a: NDArray[np.float32], b: NDArray[np.float32]) -> float:
    return float(np.sqrt(((a - b) ** 2).sum(-1)).mean())
