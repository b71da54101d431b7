"""``onmodel bench registration``: what one more reference costs, with every embedded lens."""

import asyncio
import io
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from PIL import Image

from bot.app import open_app
from bot.bench.figures import Figure, publish
from bot.demo.material import DemoCharacter, load_material
from bot.services.actor import Actor
from bot.services.cast import NewCharacter
from bot.services.registration import Upload
from bot.settings import Settings
from pipeline.domain.character import ShotType
from pipeline.fingerprints.composite import fingerprint
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.fingerprints.registry import load_encoders
from pipeline.imaging.canonical import canonicalise
from pipeline.imaging.decode import load_canonical

EMBEDDED = ("house", "palette", "structure")
SIDE = 1024
_MANAGER = Actor(1, 1, is_moderator=True, can_manage=True)
_KNOWN, _TARGET = 10, 1.0


@dataclass(frozen=True, slots=True)
class Cost:
    """Seconds of processor time for one reference, and of the clock.

    ``opening`` is the decoding, which the studio does in a process of its own; ``encoding`` is
    the part of ``all`` that the encoders take, crops included.
    """

    all: float
    opening: float
    encoding: float
    wall: float


def bench_registration(pictures: int = 8, json_file: Path | None = None) -> int:
    """Measure, print, write; returns 0.

    Args:
        pictures: how many references of 1024 × 1024 pixels are added one by one, at most 12.
        json_file: where the figures go, or None.
    """
    costs = asyncio.run(_measure(max(2, min(pictures, 12))))
    figures = [
        _figure("all", [cost.all for cost in costs], _TARGET),
        _figure("opening", [cost.opening for cost in costs]),
        _figure("encoding", [cost.encoding for cost in costs]),
        _figure("clock", [cost.wall for cost in costs]),
    ]
    publish(figures, json_file)
    return 0


async def _measure(pictures: int) -> list[Cost]:
    hero = load_material().characters[0]
    uploads = [squared(upload) for upload in _references(hero)[: _KNOWN + pictures]]
    encoders = load_encoders(EMBEDDED)
    with tempfile.TemporaryDirectory(prefix="onmodel-bench-") as name:
        settings = Settings(data_dir=Path(name), encoders=EMBEDDED, _env_file=None)  # pyright: ignore[reportCallIssue] - pydantic-settings' own parameter
        async with open_app(settings) as app:
            await app.series.create(_MANAGER, name="Bench")
            await app.cast.register(
                _MANAGER, NewCharacter(hero.name, hero.character_id), uploads[:_KNOWN]
            )
            costs = []
            for upload in uploads[_KNOWN:]:
                opening, encoding = _parts(upload, encoders)
                wall, spent = time.perf_counter(), time.process_time()
                await app.cast.add_references(_MANAGER, hero.character_id, [upload])
                spent, wall = time.process_time() - spent, time.perf_counter() - wall
                costs.append(Cost(opening + spent, opening, encoding, wall))
    return costs


def _parts(upload: Upload, encoders: Sequence[Encoder]) -> tuple[float, float]:
    """Processor seconds to open a picture, and to cut and encode its figure."""
    start = time.process_time()
    picture = canonicalise(upload.data)
    opened = time.process_time()
    image = load_canonical(picture.png)
    between = time.process_time()
    fingerprint(image, ShotType.FULL, encoders)
    return opened - start, time.process_time() - between


def squared(upload: Upload) -> Upload:
    """The same picture in the middle of a transparent square of SIDE pixels, as PNG."""
    with Image.open(io.BytesIO(upload.data)) as opened:
        image = opened.convert("RGBA")
    image.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    square = Image.new("RGBA", (SIDE, SIDE), (0, 0, 0, 0))
    square.paste(image, ((SIDE - image.width) // 2, (SIDE - image.height) // 2))
    buffer = io.BytesIO()
    square.save(buffer, "PNG")
    return replace(upload, filename="square.png", data=buffer.getvalue())


def _references(character: DemoCharacter) -> list[Upload]:
    """Whole figures first: they show every crop."""
    own = [one for look in character.appearances for one in look.references]
    return sorted(own, key=lambda one: one.shot_type is not ShotType.FULL)


def _figure(name: str, seconds: Sequence[float], target: float | None = None) -> Figure:
    low, high = np.percentile(seconds, (2.5, 97.5))
    return Figure(
        f"registration.{name}", float(np.median(seconds)), "s", "lower", target, None,
        len(seconds), (float(low), float(high)),
    )  # fmt: skip
