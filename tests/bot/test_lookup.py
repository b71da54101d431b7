"""Who is this? The registered are found by pictures that nobody registered; strangers are not."""

import asyncio
import io

import numpy as np
import pytest
from PIL import Image

from bot.app import open_app
from bot.bench.drafts import conditioned
from bot.services.actor import Actor
from bot.services.cast import NewCharacter
from bot.settings import Settings
from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.errors import InvalidPicture, NotAllowed, NotFound
from pipeline.domain.geometry import Box, Size
from pipeline.domain.pose import Pose
from pipeline.domain.quality import Verdict
from pipeline.generation.generators.draft import DraftGenerator


@pytest.fixture(scope="module")
def data(tmp_path_factory, material):
    """A data folder with the first three characters of the demo in their first looks."""
    folder = tmp_path_factory.mktemp("who")

    async def register():
        manager = Actor(10, 1, is_moderator=True, can_manage=True)
        async with open_app(Settings(data_dir=folder, _env_file=None)) as app:
            await app.series.create(manager, name="Who")
            for character in material.characters[:3]:
                look = character.appearances[0]
                await app.cast.register(
                    manager,
                    NewCharacter(character.name, character.character_id, look.appearance_id),
                    look.references[:12],
                )

    asyncio.run(register())
    return folder


@pytest.fixture
async def registered(data):
    async with open_app(Settings(data_dir=data, _env_file=None)) as app:
        yield app


def drafted(characters, shot_type, prompt) -> bytes:
    """An opaque panel of art that nobody registered."""
    pictures: dict[str, bytes] = {}
    plan = ConditioningPlan(
        generator="draft",
        generator_version="1",
        prompt=prompt,
        negative="",
        cast=tuple(conditioned(c, c.appearances[0].held_out, pictures) for c in characters),
        shot_type=shot_type,
        color_mode=ColorMode.COLOR,
        size=Size(1024, 768),
        seed=3,
        alternates=1,
    )
    (drawn,) = DraftGenerator().generate(
        plan, pictures, progress=lambda *_: None, cancelled=lambda: False
    )
    return drawn.image


async def test_figures_of_an_opaque_panel_are_found_and_each_gets_an_answer(
    registered, material, manager
):
    hero, other = material.characters[0], material.characters[2]
    panel = drafted([hero, other], ShotType.HALF, "the forest")
    answers = await registered.lookup.identify(manager, panel)
    assert len(answers) == 2
    assert answers[0].box.x0 < answers[1].box.x0
    assert {one.ranking[0].check.character_id for one in answers} == {
        hero.character_id,
        other.character_id,
    }
    assert not [one for one in answers if one.who is None and not one.unsure]
    (boxed,) = await registered.lookup.identify(manager, panel, box=answers[1].box)
    assert boxed.ranking[0].check.character_id == answers[1].ranking[0].check.character_id


async def test_scenery_without_a_figure_is_refused_with_what_to_do(registered, manager):
    site = np.random.default_rng(1).integers(0, 255, (60, 80, 3), np.uint8)
    png = io.BytesIO()
    Image.fromarray(site).resize((640, 480)).save(png, "PNG")
    with pytest.raises(InvalidPicture, match="plain background"):
        await registered.lookup.identify(manager, png.getvalue())


async def test_held_out_art_is_recognised_and_a_stranger_is_nobody(registered, material, member):
    right = total = 0
    for character in material.characters[:3]:
        for upload in character.appearances[0].held_out[:3]:
            (found,) = await registered.lookup.identify(member, upload.data)
            total += 1
            right += found.ranking[0].check.character_id == character.character_id
            if found.who is not None:
                assert found.who is found.ranking[0]
                assert found.sentence.startswith(f"This is {found.who.name}")
            assert found.evidence.startswith(b"\x89PNG")
            ids = [look.check.character_id for look in found.ranking]
            assert len(ids) == len(set(ids))
    assert right >= total - 1
    stranger = material.characters[3].appearances[0].held_out[0]
    (found,) = await registered.lookup.identify(member, stranger.data)
    assert found.who is None
    assert found.sentence.startswith("Nobody I know.")
    assert found.ranking[0].check.verdict is Verdict.OFF_MODEL


async def test_with_too_few_references_it_says_that_it_cannot_say(app, material, manager, member):
    await app.series.create(manager, name="Few")
    hero = material.characters[0]
    await app.cast.register(
        manager, NewCharacter(hero.name, hero.character_id), hero.appearances[0].references[:2]
    )
    (found,) = await app.lookup.identify(member, hero.appearances[0].held_out[0].data)
    assert found.who is None
    assert found.sentence.startswith("I cannot say.")


async def test_nobody_registered_no_figure_and_another_guild(app, material, manager):
    picture = material.characters[0].appearances[0].held_out[0].data
    stranger = type(manager)(77, 1, can_manage=True)
    with pytest.raises(NotFound):
        await app.lookup.identify(stranger, picture)
    await app.series.create(stranger, name="Empty")
    with pytest.raises(NotFound, match="Nobody is registered"):
        await app.lookup.identify(stranger, picture)
    with pytest.raises(InvalidPicture):
        await app.lookup.identify(stranger, b"no picture")


async def test_a_box_is_the_last_word(registered, material, member):
    picture = material.characters[0].appearances[0].held_out[0].data
    (boxed,) = await registered.lookup.identify(member, picture, box=Box(0, 0, 10**4, 10**4))
    assert boxed.ranking[0].check.character_id == material.characters[0].character_id


async def test_a_pose_is_noted_by_managers_only(registered, manager, member):
    pose = Pose(((1.0, 2.0, 1.0),) * 17)
    with pytest.raises(NotAllowed):
        await registered.lookup.set_pose(member, 1, pose)
    await registered.lookup.set_pose(manager, 1, pose)
    with pytest.raises(NotFound):
        await registered.lookup.set_pose(manager, 10**6, pose)
