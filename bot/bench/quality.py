"""``onmodel bench quality``: is unused art of a character passed, is everybody else's flagged?

Registers the demo's cast, then checks every held-out picture against every character, as
``/panel check`` does, without telling the check how the picture is framed.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bot.app import App, open_app
from bot.bench.attributing import attribution_figures
from bot.bench.figures import Figure, publish
from bot.bench.sentinel import sentinel_figures
from bot.bench.shares import wilson
from bot.bench.staging_faults import stage_figures
from bot.bench.verdicts import measure_verdicts
from bot.demo.material import DemoCharacter, DemoMaterial, load_material
from bot.services.actor import Actor
from bot.services.cast import NewCharacter
from bot.settings import Settings
from pipeline.domain.character import ColorMode
from pipeline.domain.errors import SettingsError
from pipeline.domain.quality import Verdict
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.fingerprints.registry import load_encoders

_PAIRS, _CASES = 18, 4
"""Pairs of characters on stage, and characters of each style, that are drawn to be judged."""
_MANAGER = Actor(1, 1, is_moderator=True, can_manage=True)


@dataclass(slots=True)
class Rates:
    """Verdicts over pictures of the character itself and over pictures of others."""

    own: Counter[Verdict] = field(default_factory=Counter)
    others: Counter[Verdict] = field(default_factory=Counter)


def bench_quality(
    json_file: Path | None = None,
    encoders: str | None = None,
    data: Path | None = None,
    identities: int = 0,
) -> int:
    """Measure, print, write; returns 0.

    Args:
        json_file: where the figures go, or None.
        encoders: comma-separated names, None for the embedded ones.
        data: a bench folder; without it the figures on its art are left out, and that is said.
        identities: of the bench folder at most so many, 0 for all.
    """
    material = load_material()
    figures: list[Figure] = []
    for mode in ColorMode:
        figures += _figures(mode, asyncio.run(_measure(material, mode, encoders)))
    chosen = {} if encoders is None else {"encoders": encoders}
    names = Settings(_env_file=None, **chosen).encoders  # pyright: ignore[reportCallIssue]
    encoders_used = load_encoders(names)
    figures += measure_verdicts(encoders_used, data, identities)
    figures += sentinel_figures()
    figures += _drawn(encoders_used)
    publish(figures, json_file)
    return 0


def _drawn(encoders: Sequence[Encoder]) -> list[Figure]:
    """Figures on drawn characters; left out, and that is said, where nothing can draw them."""
    try:
        return [*stage_figures(encoders, _PAIRS), *attribution_figures(_CASES)]
    except SettingsError as error:
        print(f"quality.cast and quality.attribution are left out: {error}")  # noqa: T201 - the output of a command
        return []


async def _measure(material: DemoMaterial, mode: ColorMode, encoders: str | None) -> Rates:
    rates = Rates()
    with tempfile.TemporaryDirectory(prefix="onmodel-bench-") as name:
        chosen = {} if encoders is None else {"encoders": encoders}
        settings = Settings(data_dir=Path(name), _env_file=None, **chosen)  # pyright: ignore[reportCallIssue]
        async with open_app(settings) as app:
            await app.series.create(_MANAGER, name="Bench", color_mode=mode)
            for character in material.characters:
                await _register(app, character)
            for character in material.characters:
                for other in material.characters:
                    await _check(app, character, other, rates)
            for drawing in material.off_model:
                verdict = await _verdict(app, drawing.claims, None, drawing.upload.data)
                rates.others[verdict] += 1
    return rates


async def _register(app: App, character: DemoCharacter) -> None:
    first, *rest = character.appearances
    await app.cast.register(
        _MANAGER,
        NewCharacter(character.name, character.character_id, first.appearance_id),
        first.references,
    )
    for look in rest:
        await app.cast.add_references(
            _MANAGER, character.character_id, look.references, appearance=look.appearance_id
        )


async def _check(app: App, claimed: DemoCharacter, drawn: DemoCharacter, rates: Rates) -> None:
    """Every held-out picture of ``drawn``, submitted as ``claimed``."""
    for look in drawn.appearances:
        for upload in look.held_out:
            if claimed is drawn:
                wanted, bucket = look.appearance_id, rates.own
            else:
                wanted, bucket = None, rates.others
            bucket[await _verdict(app, claimed.character_id, wanted, upload.data)] += 1


async def _verdict(app: App, character: str, appearance: str | None, data: bytes) -> Verdict:
    result = await app.checks.check(_MANAGER, data, character=character, appearance=appearance)
    return result.judged.report.verdict


def _figures(mode: ColorMode, rates: Rates) -> list[Figure]:
    own, others = rates.own.total(), rates.others.total()
    flagged = rates.own[Verdict.OFF_MODEL]
    caught = rates.others[Verdict.OFF_MODEL]
    unsure = rates.own[Verdict.CANNOT_JUDGE] + rates.others[Verdict.CANNOT_JUDGE]
    return [
        _share(f"quality.demo.false_flag.{mode}", flagged, own, "lower", 0.10),
        _share(f"quality.demo.detection.{mode}", caught, others, "higher", 0.90),
        _share(f"quality.demo.false_pass.{mode}", rates.others[Verdict.ON_MODEL], others, "lower"),
        _share(f"quality.demo.cannot_judge.{mode}", unsure, own + others, "lower", 0.05),
    ]


def _share(name: str, hits: int, total: int, better: str, target: float | None = None) -> Figure:
    low, high = wilson(hits, total)
    direction = "higher" if better == "higher" else "lower"
    return Figure(name, hits / total, "share", direction, target, None, total, (low, high))
