"""Stories of "who is this?" and of a preflight that warns or refuses."""

import pytest
from studio import Studio, answer, picture


@pytest.fixture
def art(pytestconfig):
    """Pictures of the demo's cast as attachments, by folder and pattern."""
    cast = pytestconfig.rootpath / "examples"

    def find(where: str, pattern: str, most: int = 5):
        return [(p.name, p.read_bytes()) for p in sorted((cast / where).glob(pattern))[:most]]

    return find


async def _register(studio: Studio, name: str, files) -> None:
    names = ["image", "image2", "image3", "image4", "image5"]
    done = await studio.ann.slash(
        studio.channel, "character register", name=name, **dict(zip(names, files, strict=False))
    )
    assert name in answer(done)


async def test_who_is_this_names_the_registered_and_admits_strangers(studio: Studio, art):
    await _register(studio, "Mira", art("cast/mira/everyday", "*headshot*"))
    found = await studio.bob.slash(
        studio.channel, "panel identify", image=art("cast/mira/everyday", "*headshot*")[0]
    )
    assert found.ephemeral
    assert "This is Mira" in answer(found)
    assert found.response is not None
    assert found.response.attachments[0].filename == "who-evidence.png"
    stranger = await studio.bob.slash(
        studio.channel, "panel identify", image=art("cast/oskar/everyday", "*headshot*")[0]
    )
    assert "Nobody I know" in answer(stranger)
    assert "Mira" in answer(stranger), "who comes nearest is told"
    assert studio.public() == []


async def test_who_is_this_with_nobody_registered_says_what_to_do(studio: Studio, art):
    asked = await studio.bob.slash(
        studio.channel, "panel identify", image=art("cast/mira/everyday", "*headshot*")[0]
    )
    assert "/character register" in answer(asked)


async def test_a_missing_shot_is_warned_of_by_name_before_anything_is_queued(studio: Studio):
    await studio.register(shot_type="headshot")
    asked = await studio.request(shot_type="full")
    assert "no full reference" in answer(asked)
    assert "the next best is reference 1 (headshot" in answer(asked)
    assert "number 1" in answer(asked)


async def test_a_strict_series_refuses_and_queues_nothing(studio: Studio):
    await studio.register(shot_type="headshot")
    told = await studio.boss.slash(studio.channel, "series settings", missing_shot="block")
    assert "refuse the panel" in answer(told)
    refused = await studio.request(shot_type="full")
    assert "does not draw without one" in answer(refused)
    assert "empty" in answer(await studio.bob.slash(studio.channel, "queue show"))
    await studio.boss.slash(studio.channel, "series settings", missing_shot="warn")
    assert "number 1" in answer(await studio.request(shot_type="full"))


async def test_a_copy_that_was_cropped_and_saved_again_is_recognised(studio: Studio):
    await studio.register()
    again = await studio.ann.slash(
        studio.channel, "character add-reference", character="Akira", image=("b.png", picture())
    )
    assert "already registered as reference 1" in answer(again)
