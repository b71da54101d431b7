"""An accepted picture made larger: the same picture and verdict, four times as many pixels."""

import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from PIL import Image

from pipeline.domain.conditioning import (
    ConditioningPlan,
    Enlargement,
    ModelFile,
    Step,
    StepTaken,
)
from pipeline.domain.errors import GenerationFailed
from pipeline.domain.geometry import Box, Size
from pipeline.domain.inputs import Enlarging, PanelInputs
from pipeline.domain.panel import Candidate, PlacedFigure
from pipeline.domain.quality import Accept, Attempt, JudgedCandidate, PanelOutcome
from pipeline.fingerprints.hashes import picture_hashes
from pipeline.generation.generators.base import Progress
from pipeline.imaging.decode import load_canonical, to_png
from pipeline.imaging.enlarge import FACTOR, MODEL_SHA256, NETWORK, enlarged

FAITHFUL = 6.0
"""Mean difference of grey levels, of 255, up to which the result made small again counts as the
picture that it came from. Drawn art has less than 1; a network that failed has tens."""


def enlarge_panel(
    inputs: PanelInputs,
    wish: Enlarging,
    *,
    progress: Progress,
    cancelled: Callable[[], bool],
) -> PanelOutcome:
    """Make a picture larger and accept it: people, or the check, have accepted what it shows.

    The report keeps the verdict and leaves the measurements to the picture that was measured, so
    that nothing is counted twice.

    Raises:
        Cancelled: ``cancelled`` said so.
        GenerationFailed: what came out is not the same picture.
    """
    started = time.monotonic()
    source = load_canonical(wish.candidate.image).convert("RGB")
    large = enlarged(source, lambda share: progress(0.95 * share, "enlarging"), cancelled)
    back = large.resize(source.size, Image.Resampling.BOX)
    apart = np.abs(np.asarray(back, np.int16) - np.asarray(source, np.int16)).mean()
    if apart > FAITHFUL:
        raise GenerationFailed("The enlarged picture came out as another one. Ask again.")
    candidate = Candidate(
        to_png(large), Size(*large.size), tuple(map(_scaled, wish.candidate.figures))
    )
    report = replace(wish.report, checks=(), flags=(), duplicate_of=None)
    judged = JudgedCandidate(candidate, picture_hashes(large), report)
    progress(1.0, "enlarged")
    seconds = time.monotonic() - started
    attempt = Attempt(1, _plan(inputs, wish), (judged,), seconds)
    return PanelOutcome((attempt,), Accept(((0, 0),)), None, seconds, inputs.audit.share)


def _plan(inputs: PanelInputs, wish: Enlarging) -> ConditioningPlan | None:
    """The picture's own recipe, and what was done to it."""
    if inputs.base is None:
        return None
    network = ModelFile("enlarging", NETWORK, MODEL_SHA256)
    why = f"a picture of {wish.candidate.size.width} × {wish.candidate.size.height} made larger"
    return replace(
        inputs.base,
        alternates=1,
        enlarge=Enlargement(wish.sha256, FACTOR, network),
        steps=(StepTaken(Step.START, why),),
    )


def _scaled(figure: PlacedFigure) -> PlacedFigure:
    return replace(
        figure,
        box=_times(figure.box),
        head=None if figure.head is None else _times(figure.head),
        mask=None,
        hands=tuple(map(_times, figure.hands)),
    )


def _times(box: Box) -> Box:
    return Box(*(FACTOR * edge for edge in box))
