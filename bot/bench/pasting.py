"""A generator for crash runs: pastes the first reference, takes its time, and may abort.

It is registered as any third party's engine: through an entry point of an installed package, which
:func:`install` writes into a folder for ``PYTHONPATH``.
"""

import io
import os
import time
from collections.abc import Mapping
from pathlib import Path

from PIL import Image

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.errors import Cancelled
from pipeline.domain.geometry import Box, Size
from pipeline.domain.panel import Candidate, PlacedFigure
from pipeline.generation.generators.base import IsCancelled, Progress

NAME = "pasting"
POISON = "ink spill"
"""A prompt with these words aborts the worker, every time."""

_STEPS, _STEP_SECONDS = 6, 0.04


class PastingGenerator:
    """Some steps of nothing, then one pasted reference; see :class:`~.base.Generator`."""

    name = NAME
    version = "1"

    def generate(
        self,
        plan: ConditioningPlan,
        pictures: Mapping[str, bytes],
        *,
        progress: Progress,
        cancelled: IsCancelled,
    ) -> list[Candidate]:
        """Paste the first reference of the first character in the middle.

        Raises:
            Cancelled: between two steps.
        """
        if POISON in plan.prompt:
            os.abort()
        for step in range(_STEPS):
            if cancelled():
                raise Cancelled("The panel was cancelled.")
            progress(step / _STEPS, "pasting")
            time.sleep(_STEP_SECONDS)
        return [_paste(plan, pictures, number) for number in range(plan.alternates)]


def _paste(plan: ConditioningPlan, pictures: Mapping[str, bytes], number: int) -> Candidate:
    member = plan.cast[0]
    figure = Image.open(io.BytesIO(pictures[member.references[0].sha256])).convert("RGBA")
    figure.thumbnail(plan.size)
    shade = (plan.seed + number) % 200
    ground = Image.new("RGB", plan.size, (255 - shade, 200, 55 + shade))
    left, top = (plan.size.width - figure.width) // 2, plan.size.height - figure.height
    ground.paste(figure, (left, top), figure)
    file = io.BytesIO()
    ground.save(file, "PNG", compress_level=1)
    box = Box(left, top, left + figure.width, top + figure.height)
    size = Size(*plan.size)
    return Candidate(file.getvalue(), size, (PlacedFigure(member.character_id, box),))


def install(folder: Path) -> None:
    """Write a package's metadata into ``folder`` that registers the engine."""
    info = folder / "onmodel_pasting-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: onmodel-pasting\nVersion: 1\n", encoding="utf-8"
    )
    (info / "entry_points.txt").write_text(
        f"[onmodel.generators]\n{NAME} = {__name__}:PastingGenerator\n", encoding="utf-8"
    )
