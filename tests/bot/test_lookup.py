"""Who is this? The registered are found by pictures that nobody registered; strangers are not."""

import pytest

from bot.services.cast import NewCharacter
from pipeline.domain.errors import InvalidPicture, NotAllowed, NotFound
from pipeline.domain.geometry import Box
from pipeline.domain.pose import Pose
from pipeline.domain.quality import Verdict


@pytest.fixture
async def registered(app, material, manager):
    """The first three characters of the demo with their first looks."""
    await app.cast.create_series(manager, name="Who")
    for character in material.characters[:3]:
        look = character.appearances[0]
        await app.cast.register(
            manager,
            NewCharacter(character.name, character.character_id, look.appearance_id),
            look.references,
        )
    return app


async def test_held_out_art_is_recognised_and_a_stranger_is_nobody(registered, material, member):
    right = total = 0
    for character in material.characters[:3]:
        for upload in character.appearances[0].held_out[:3]:
            found = await registered.lookup.identify(member, upload.data)
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
    found = await registered.lookup.identify(member, stranger.data)
    assert found.who is None
    assert found.sentence.startswith("Nobody I know.")
    assert found.ranking[0].check.verdict is Verdict.OFF_MODEL


async def test_with_too_few_references_it_says_that_it_cannot_say(app, material, manager, member):
    await app.cast.create_series(manager, name="Few")
    hero = material.characters[0]
    await app.cast.register(
        manager, NewCharacter(hero.name, hero.character_id), hero.appearances[0].references[:2]
    )
    found = await app.lookup.identify(member, hero.appearances[0].held_out[0].data)
    assert found.who is None
    assert found.sentence.startswith("I cannot say.")


async def test_nobody_registered_no_figure_and_another_guild(app, registered, material, manager):
    picture = material.characters[0].appearances[0].held_out[0].data
    stranger = type(manager)(77, 1, can_manage=True)
    with pytest.raises(NotFound):
        await app.lookup.identify(stranger, picture)
    await app.cast.create_series(stranger, name="Empty")
    with pytest.raises(NotFound, match="Nobody is registered"):
        await app.lookup.identify(stranger, picture)
    with pytest.raises(InvalidPicture):
        await app.lookup.identify(manager, b"no picture")
    boxed = await app.lookup.identify(manager, picture, box=Box(0, 0, 10**4, 10**4))
    assert boxed.ranking


async def test_a_pose_is_noted_by_managers_only(registered, manager, member):
    pose = Pose(((1.0, 2.0, 1.0),) * 17)
    with pytest.raises(NotAllowed):
        await registered.lookup.set_pose(member, 1, pose)
    await registered.lookup.set_pose(manager, 1, pose)
    with pytest.raises(NotFound):
        await registered.lookup.set_pose(manager, 10**6, pose)
