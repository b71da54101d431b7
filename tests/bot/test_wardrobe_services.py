"""Requests that play in a chapter: who wears what, and what is refused before it is queued."""

from dataclasses import replace

import pytest
from steps import register

from bot.app import open_app
from bot.services.actor import Actor
from bot.services.cast import Upload
from bot.services.edits import CharacterEdit, LookEdit, parse_range
from bot.services.panels import PanelRequest
from bot.services.rerolls import PanelChange
from bot.settings import Settings
from pipeline.domain.character import MissingShot, ShotType
from pipeline.domain.errors import InvalidInput, MissingReference, PromptConflict
from storage import panels

ASK = PanelRequest("Mira", "Mira waits.", alternates=1, seed=7)
ANN = Actor(10, 2)
MODERATOR = Actor(10, 1, is_moderator=True, can_manage=True)


@pytest.fixture
async def app(tmp_path, material):
    """Mira in her usual clothes up to chapter 2, and in others from chapter 3 on."""
    async with open_app(Settings(data_dir=tmp_path, _env_file=None)) as opened:
        await opened.series.create(MODERATOR, name="Full to the Brim")
        mira = material.characters[0]
        await register(opened, MODERATOR, mira, references=2)
        other = material.characters[1].appearances[0].references[0]
        await opened.cast.add_references(
            MODERATOR, "Mira", [Upload("w.png", other.data, ShotType.HALF)], appearance="winter"
        )
        for look, worn in ((mira.appearances[0].appearance_id, "-2"), ("mira_winter", "3-")):
            change = LookEdit(valid=parse_range(worn))
            await opened.registry.edit(MODERATOR, "Mira", CharacterEdit(), look, change)
        yield opened


async def ask(app, key="k", **said):
    return await app.panels.request(
        ANN, replace(ASK, **said), channel_id=7, dedupe_key=f"{key}{sorted(said.items())}"
    )


def worn(taken):
    return taken.panel.brief.cast[0].appearance_id


async def test_the_chapter_of_a_request_chooses_the_look(app, material):
    usual = material.characters[0].appearances[0].appearance_id
    early, late = await ask(app, chapter=2), await ask(app, chapter=3)
    assert (worn(early), worn(late)) == (usual, "mira_winter")
    assert (early.panel.brief.chapter, late.panel.brief.chapter) == (2, 3)
    assert (await panels.get_panel(app.db, 10, late.panel.id)).brief.chapter == 3


async def test_the_series_says_its_chapter_once_for_all(app):
    unsaid = await ask(app)
    assert unsaid.panel.brief.chapter is None
    assert any("no chapter is known" in warning for warning in unsaid.warnings)
    await app.series.update(MODERATOR, chapter=3)
    told = await ask(app, key="again")
    assert worn(told) == "mira_winter"
    assert not any("chapter" in warning for warning in told.warnings)


async def test_a_page_stays_in_the_chapter_of_its_panels(app):
    await ask(app, page=4, chapter=2)
    await app.series.update(MODERATOR, chapter=3)
    assert (await ask(app, key="again", page=4)).panel.brief.chapter == 2
    assert (await ask(app, page=5)).panel.brief.chapter == 3


async def test_a_look_of_another_chapter_is_refused_and_says_what_to_do(app):
    with pytest.raises(PromptConflict, match=r"worn from chapter 3 to the end.*Choose appearance"):
        await ask(app, chapter=1, appearance="mira_winter")
    assert await panels.list_panels(app.db, 10) == []
    look = await app.registry.look_at(ANN, "Mira", 1, 1)
    assert look is not None
    assert worn(await ask(app, chapter=1, appearance=look.appearance_id)) == look.appearance_id


async def test_a_named_look_without_a_chapter_is_taken_as_it_is(app):
    taken = await ask(app, appearance="mira_winter")
    assert worn(taken) == "mira_winter"
    assert not any("chapter" in warning for warning in taken.warnings)


@pytest.mark.parametrize("chapter", [0, 10_000])
async def test_chapters_have_limits(app, chapter):
    with pytest.raises(InvalidInput, match="9999"):
        await ask(app, chapter=chapter)
    with pytest.raises(InvalidInput, match="9999"):
        await app.series.update(MODERATOR, chapter=chapter)


async def test_a_drawing_is_checked_against_the_look_of_its_chapter(app, material):
    drawing = material.characters[0].appearances[0].references[0].data
    taken = await app.panels.submit(
        ANN, drawing, characters="Mira", chapter=4, channel_id=7, dedupe_key="s"
    )
    assert worn(taken) == "mira_winter"
    assert taken.panel.brief.chapter == 4


async def test_a_reroll_with_another_framing_passes_the_preflight_again(app):
    first = await ask(app, chapter=3)
    change = PanelChange(shot_type=ShotType.FULL)
    again = await app.redraws.reroll(ANN, first.panel.id, dedupe_key="r1", change=change)
    assert any("next best" in warning for warning in again.warnings)
    await app.series.update(MODERATOR, missing_shot=MissingShot.BLOCK)
    with pytest.raises(MissingReference, match="does not draw without one"):
        await app.redraws.reroll(ANN, first.panel.id, dedupe_key="r2", change=change)
