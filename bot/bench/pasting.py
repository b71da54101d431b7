"""A generator for crash runs: pastes the first reference, takes its time, and may abort.

It is registered as any third party's engine: through an entry point of an installed package, which
:func:`install` writes into a folder for ``PYTHONPATH``.
"""

import io
import os
import random
import time
from collections.abc import Mapping
from pathlib import Path

from PIL import Image, ImageDraw, ImageOps

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.errors import Cancelled
from pipeline.domain.geometry import Box, Size
from pipeline.domain.panel import Candidate, PlacedFigure
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.generators.base import IsCancelled, Progress

NAME = "pasting"
POISON = "ink spill"
"""A prompt with these words aborts the worker, every time."""
STRANGER = "a stranger"
"""A prompt with these words pastes a figure that nobody takes for the reference."""

_STEPS, _STEP_SECONDS = 5, 0.03


class PastingGenerator:
    """Some steps of nothing, then one pasted reference; see :class:`~.base.Generator`."""

    name = NAME
    version = "1"
    capabilities = Capabilities(references=1, pastes_references=True)

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
    if STRANGER in plan.prompt:
        alpha = figure.getchannel("A")
        figure = ImageOps.invert(figure.convert("RGB")).rotate(180)
        figure.putalpha(alpha)
    ground = _ground(plan.size, plan.seed + number)
    left, top = (plan.size.width - figure.width) // 2, plan.size.height - figure.height
    ground.paste(figure, (left, top), figure)
    mask = Image.new("L", plan.size)
    mask.paste(figure.getchannel("A"), (left, top))
    box = Box(left, top, left + figure.width, top + figure.height)
    placed = PlacedFigure(member.character_id, box, mask=_png(mask))
    return Candidate(_png(ground), Size(*plan.size), (placed,))


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.save(file, "PNG", compress_level=1)
    return file.getvalue()


def _ground(size: Size, seed: int) -> Image.Image:
    """Some blocks of colour, so that two panels are not copies of each other."""
    chance = random.Random(seed)
    ground = Image.new("RGB", size, "white")
    draw = ImageDraw.Draw(ground)
    for _ in range(12):
        x, y = chance.randrange(size.width), chance.randrange(size.height)
        shade = tuple(chance.randrange(256) for _ in range(3))
        draw.rectangle((x, y, x + size.width // 3, y + size.height // 3), fill=shade)
    return ground


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
