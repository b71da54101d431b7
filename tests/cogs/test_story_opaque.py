"""Finished panels, opaque from edge to edge: nobody says where the figure is, and it is judged."""

import io

import numpy as np
import pytest
from PIL import Image
from studio import Studio, answer, text_of

from bot.bench.drafts import conditioned
from bot.demo.material import DemoCharacter, load_material
from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.geometry import Size
from pipeline.generation.draft.scene import Place
from pipeline.generation.generators.base import unheard
from pipeline.generation.generators.draft import DraftGenerator
from pipeline.imaging.decode import to_png
from pipeline.training.scenery import scenery


def draft(character: DemoCharacter) -> tuple[str, bytes]:
    """A panel in the forest, drawn from art of the character that is in no registry."""
    pictures: dict[str, bytes] = {}
    member = conditioned(character, character.appearances[0].held_out, pictures)
    plan = ConditioningPlan(
        generator="draft", generator_version=DraftGenerator.version, prompt="the forest",
        negative="", cast=(member,), shot_type=ShotType.HALF, color_mode=ColorMode.COLOR,
        size=Size(1024, 768), seed=0, alternates=1,
    )  # fmt: skip
    drawn = DraftGenerator().generate(plan, pictures, progress=unheard, cancelled=lambda: False)
    assert Image.open(io.BytesIO(drawn[0].image)).mode == "RGB"
    return f"{character.character_id}.png", drawn[0].image


async def enrol(studio: Studio, character: DemoCharacter) -> None:
    uploads = [(u.filename, u.data) for u in character.appearances[0].references]
    for start in range(0, len(uploads), 5):
        five = uploads[start : start + 5]
        images = {"image" if n == 0 else f"image{n + 1}": p for n, p in enumerate(five)}
        if start == 0:
            await studio.ann.slash(
                studio.channel, "character register", name=character.name, **images
            )
        else:
            await studio.ann.slash(
                studio.channel, "character add-reference", character=character.name, **images
            )


@pytest.mark.slow
@pytest.mark.studio(real_worker=True)
async def test_an_opaque_panel_is_judged_by_the_figure_in_it(studio: Studio):
    mira, oskar = load_material().characters[:2]
    await enrol(studio, mira)
    own, other = draft(mira), draft(oskar)

    async def check(picture: tuple[str, bytes], **options: str) -> str:
        return answer(
            await studio.bob.slash(
                studio.channel, "panel check", image=picture, character="Mira", **options
            )
        )

    assert "on-model" in await check(own)
    assert "off-model" in await check(other)
    ground = scenery(np.random.default_rng(1), Size(640, 480), (Place.FOREST,))
    empty = ("forest.png", to_png(ground))
    said = await check(empty)
    assert "annot" in said
    assert "background" in said
    assert "on-model" in await check(own, box="5%,2%,95%,100%")
    assert "10%,5%,60%,95%" in await check(own, box="somewhere")

    for picture, verdict in ((other, "is this on-model?"), (empty, "annot")):
        await studio.bob.slash(studio.channel, "panel submit", image=picture, characters="Mira")
        await studio.quiet()
        assert verdict in text_of(studio.reviews.threads[-1].last_message)
    threads = len(studio.reviews.threads)
    await studio.bob.slash(studio.channel, "panel submit", image=own, characters="Mira")
    await studio.quiet()
    assert len(studio.reviews.threads) == threads, "nobody has to look at it"
