"""The whole check on opaque drafts of the demo's cast: who passes when nobody marks figures."""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from bot.app import App, open_app
from bot.bench.drafts import conditioned
from bot.bench.figures import Figure
from bot.bench.shares import wilson
from bot.demo.material import DemoCharacter, DemoMaterial, load_material
from bot.services.actor import Actor
from bot.services.cast import NewCharacter
from bot.settings import Settings
from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.geometry import Size
from pipeline.domain.quality import Verdict
from pipeline.generation.generators.base import unheard
from pipeline.generation.generators.draft import DraftGenerator

_MANAGER = Actor(1, 1, is_moderator=True, can_manage=True)
_SIZE = Size(1024, 768)
_PANELS = (
    (ShotType.HALF, "the forest"),
    (ShotType.FULL, "a kitchen"),
    (ShotType.HEADSHOT, "the city at night"),
    (ShotType.HALF, "a café"),
)


def opaque_figures(rounds: int) -> list[Figure]:
    """Shares of verdicts over drafts of art that is in no registry, in up to four scenes each.

    Every draft is checked as the character that it shows and as another one.
    """
    own, other = asyncio.run(_verdicts(load_material(), max(1, min(rounds, len(_PANELS)))))
    return [
        _share("own_passed", own, Verdict.ON_MODEL, "higher"),
        _share("own_flagged", own, Verdict.OFF_MODEL, "lower"),
        _share("own_cannot_judge", own, Verdict.CANNOT_JUDGE, "lower"),
        _share("other_passed", other, Verdict.ON_MODEL, "lower"),
        _share("other_flagged", other, Verdict.OFF_MODEL, "higher"),
    ]


async def _verdicts(
    material: DemoMaterial, rounds: int
) -> tuple[Counter[Verdict], Counter[Verdict]]:
    own: Counter[Verdict] = Counter()
    other: Counter[Verdict] = Counter()
    with tempfile.TemporaryDirectory(prefix="onmodel-bench-") as name:
        settings = Settings(data_dir=Path(name), _env_file=None)  # pyright: ignore[reportCallIssue]
        async with open_app(settings) as app:
            await app.series.create(_MANAGER, name="Bench")
            for character in material.characters:
                await _register(app, character)
            for number, character in enumerate(material.characters):
                wrong = material.characters[(number + 1) % len(material.characters)]
                for png in _drafts(character, rounds):
                    own[await _verdict(app, png, character)] += 1
                    other[await _verdict(app, png, wrong)] += 1
    return own, other


async def _register(app: App, character: DemoCharacter) -> None:
    look = character.appearances[0]
    new = NewCharacter(character.name, character.character_id, look.appearance_id)
    await app.cast.register(_MANAGER, new, look.references)


def _drafts(character: DemoCharacter, rounds: int) -> Iterator[bytes]:
    engine = DraftGenerator()
    pictures: dict[str, bytes] = {}
    member = conditioned(character, character.appearances[0].held_out, pictures)
    for seed, (shot, prompt) in enumerate(_PANELS[:rounds]):
        plan = ConditioningPlan(
            generator=engine.name,
            generator_version=engine.version,
            prompt=prompt,
            negative="",
            cast=(member,),
            shot_type=shot,
            color_mode=ColorMode.COLOR,
            size=_SIZE,
            seed=seed,
            alternates=1,
        )
        drawn = engine.generate(plan, pictures, progress=unheard, cancelled=lambda: False)
        yield drawn[0].image


async def _verdict(app: App, png: bytes, character: DemoCharacter) -> Verdict:
    result = await app.checks.check(_MANAGER, png, character=character.character_id)
    return result.judged.report.verdict


def _share(name: str, seen: Counter[Verdict], verdict: Verdict, better: str) -> Figure:
    total = seen.total()
    direction = "higher" if better == "higher" else "lower"
    return Figure(
        f"figures.opaque.{name}", seen[verdict] / total, "share", direction, None, None, total,
        wilson(seen[verdict], total),
    )  # fmt: skip
