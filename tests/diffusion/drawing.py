"""What the tests of the engine share: plans, cut-outs, and drawing with a tiny model."""

import hashlib
import io
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import ConditioningPlan, Sampling
from pipeline.domain.geometry import Size
from pipeline.domain.panel import Candidate
from pipeline.generation.generators.base import Generator

SIZE = Size(64, 64)

PLAN = ConditioningPlan(
    generator="diffusers",
    generator_version="",
    prompt="a girl under a lamp",
    negative="red hair",
    cast=(),
    shot_type=ShotType.HALF,
    color_mode=ColorMode.COLOR,
    size=SIZE,
    seed=7,
    alternates=1,
    sampling=Sampling("euler", 2, 5.0),
    bucket=SIZE,
)


def draw(
    engine: Generator, plan: ConditioningPlan, pictures: Mapping[str, bytes] | None = None
) -> list[Candidate]:
    """All alternates, with nobody watching."""
    return engine.generate(
        plan, pictures or {}, progress=lambda *_told: None, cancelled=lambda: False
    )


def pixels(candidate: Candidate) -> NDArray[np.int16]:
    """``(height, width, 3)`` of a candidate."""
    with Image.open(io.BytesIO(candidate.image)) as image:
        return np.asarray(image.convert("RGB"), np.int16)


def drawn(
    engine: Generator, pictures: Mapping[str, bytes] | None = None, **changes: Any
) -> NDArray[np.int16]:
    """The pixels of the first alternate of the usual plan, with some fields changed."""
    return pixels(draw(engine, replace(PLAN, **changes), pictures)[0])


def figure(colour: str, size: tuple[int, int] = (48, 64)) -> tuple[str, bytes]:
    """A cut-out with its sha256: a head on a body."""
    image = Image.new("RGBA", size)
    pen = ImageDraw.Draw(image)
    width, height = size
    pen.ellipse((width * 0.3, height * 0.05, width * 0.7, height * 0.4), fill="peachpuff")
    pen.rectangle((width * 0.2, height * 0.4, width * 0.8, height), fill=colour)
    return named(image)


def named(image: Image.Image) -> tuple[str, bytes]:
    """The PNG of a picture and its sha256."""
    out = io.BytesIO()
    image.save(out, "PNG")
    return hashlib.sha256(out.getvalue()).hexdigest(), out.getvalue()
