"""Panels of the embedded engine with the demo's cast; its own masks are the truth."""

import hashlib
import io
from collections.abc import Iterator, Sequence
from random import Random

import numpy as np
from PIL import Image

from bot.demo.material import DemoCharacter, load_material
from bot.services.cast import Upload
from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import CastConditioning, ConditioningPlan, ReferenceUse
from pipeline.domain.geometry import Box, Size
from pipeline.domain.panel import Candidate
from pipeline.generation.generators.base import unheard
from pipeline.generation.generators.draft import DraftGenerator
from pipeline.imaging.canonical import canonicalise
from pipeline.training.panels import Panel, Truth

_PLACES = ("a kitchen", "a café", "the city at night", "the forest", "a café in the rain")
"""Where the drafts play: places that training leaves out."""
_SIZE = Size(800, 600)


def draft_panels(count: int, seed: int) -> Iterator[Panel]:
    """Drafts of one to three members of the demo's cast, one in four in black and white."""
    chance = Random(seed)
    pictures: dict[str, bytes] = {}
    cast = [
        conditioned(one, one.appearances[0].references, pictures)
        for one in load_material().characters
    ]
    engine = DraftGenerator()
    for number in range(count):
        plan = ConditioningPlan(
            generator=engine.name,
            generator_version=engine.version,
            prompt=chance.choice(_PLACES),
            negative="",
            cast=tuple(chance.sample(cast, chance.choice((1, 1, 2, 2, 3)))),
            shot_type=chance.choice((ShotType.HEADSHOT, ShotType.HALF, ShotType.FULL)),
            color_mode=ColorMode.GRAYSCALE if number % 4 == 3 else ColorMode.COLOR,
            size=_SIZE,
            seed=seed + number,
            alternates=1,
        )
        drawn = engine.generate(plan, pictures, progress=unheard, cancelled=lambda: False)
        yield panel_of(drawn[0])


def panel_of(candidate: Candidate) -> Panel:
    """A drawn candidate with its engine's masks as the truth."""
    pixels = np.asarray(Image.open(io.BytesIO(candidate.image)).convert("RGB"))
    truths: list[Truth] = []
    for number, placed in enumerate(candidate.figures):
        if placed.mask is None or not placed.box.area:
            continue
        mask = np.asarray(Image.open(io.BytesIO(placed.mask)).convert("L")) > 127
        truths.append(Truth(Box(*placed.box), placed.head, mask, number))
    return Panel(pixels, tuple(truths))


def conditioned(
    character: DemoCharacter, uploads: Sequence[Upload], pictures: dict[str, bytes]
) -> CastConditioning:
    """A character to draft, in its first look, from ``uploads``; puts them into ``pictures``."""
    look = character.appearances[0]
    uses: list[ReferenceUse] = []
    for number, upload in enumerate(uploads):
        png = canonicalise(upload.data).png
        sha256 = hashlib.sha256(png).hexdigest()
        pictures[sha256] = png
        uses.append(ReferenceUse(sha256, number, 0.6 * 0.97**number, ""))
    return CastConditioning(
        character.character_id,
        look.appearance_id,
        character.name,
        tuple(Random(character.name).sample(uses, len(uses))),
        character.height_ratio,
    )
