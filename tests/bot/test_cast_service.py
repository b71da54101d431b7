import pytest
from steps import register

from bot.services.actor import Actor
from bot.services.cast import NewCharacter, Upload
from pipeline.domain.character import ShotType
from pipeline.domain.errors import (
    AlreadyExists,
    InvalidInput,
    InvalidPicture,
    NotAllowed,
    NotFound,
)
from pipeline.domain.quality import Verdict
from storage import cast
from storage.poses import poses_of


@pytest.fixture
async def studio(app, manager):
    await app.series.create(manager, name="Full to the Brim")
    return app


async def test_a_registered_character_has_references_prints_and_limits(studio, manager, material):
    mira = material.characters[0]
    done = await register(studio, manager, mira, references=12)
    assert done.character.character_id == "ch_mira"
    assert done.appearance.appearance_id == "mira_everyday"
    assert len(done.added) == 12
    assert done.duplicates == ()
    assert "can judge" in done.readiness
    assert done.appearance.palette
    limits = await cast.thresholds_of(studio.db, manager.guild_id, done.appearance.id)
    assert limits
    assert {t.key.appearance_id for t in limits} == {"mira_everyday"}


async def test_a_near_copy_is_recognised(studio, manager, material):
    mira = material.characters[0]
    await register(studio, manager, mira, references=4)
    again = await studio.cast.add_references(manager, "Mira", [mira.appearances[0].references[2]])
    assert again.added == ()
    assert "already registered as" in again.duplicates[0]


async def test_a_bad_picture_registers_nothing(studio, manager, material):
    good = material.characters[0].appearances[0].references[0]
    with pytest.raises(InvalidPicture, match="Picture 2"):
        await studio.cast.register(
            manager, NewCharacter("Mira"), [good, Upload("notes.png", b"not a picture")]
        )
    assert await studio.cast.entries(manager) == []


async def test_names_are_unique_and_ownership_counts(studio, manager, member, material):
    mira = material.characters[0]
    await register(studio, manager, mira, references=4)
    with pytest.raises(AlreadyExists, match="add-reference"):
        await register(studio, member, mira, references=1)
    with pytest.raises(NotAllowed):
        await studio.cast.add_references(member, "Mira", [mira.appearances[0].held_out[0]])
    with pytest.raises(NotAllowed):
        await studio.cast.delete(member, "Mira")
    deleted = await studio.cast.delete(manager, "ch_mira")
    assert deleted.references == 4
    with pytest.raises(NotFound):
        await studio.sheets.draw(manager, "Mira")


async def test_an_unknown_appearance_name_starts_a_new_one(studio, manager, material):
    odette = next(c for c in material.characters if len(c.appearances) == 2)
    await register(studio, manager, odette, references=4)
    second = odette.appearances[1]
    done = await studio.cast.add_references(
        manager,
        odette.name,
        second.references[:4],
        appearance=second.appearance_id,
        label=second.label,
    )
    assert done.appearance.appearance_id == second.appearance_id
    entry = (await studio.cast.entries(manager))[0]
    assert len(entry.appearances) == 2
    assert entry.references == 8


@pytest.mark.parametrize(
    "new",
    [
        NewCharacter(""),
        NewCharacter("x" * 81),
        NewCharacter("Mira", notes="x" * 501),
        NewCharacter("Mira", height_ratio=0.0),
    ],
)
async def test_limits_of_a_registration(studio, manager, material, new):
    picture = material.characters[0].appearances[0].references[0]
    with pytest.raises(InvalidInput):
        await studio.cast.register(manager, new, [picture])


async def test_a_check_tells_a_character_from_another(studio, manager, material):
    mira, oskar = material.characters[:2]
    await register(studio, manager, mira, references=16)
    own = await studio.checks.check(manager, mira.appearances[0].held_out[0].data, character="Mira")
    other = await studio.checks.check(
        manager, oskar.appearances[0].held_out[0].data, character="Mira"
    )
    assert own.judged.report.verdict is Verdict.ON_MODEL
    assert other.judged.report.verdict is Verdict.OFF_MODEL
    assert other.evidence.startswith(b"\x89PNG")


async def test_too_few_references_cannot_be_judged(studio, manager, material):
    mira = material.characters[0]
    await register(studio, manager, mira, references=2)
    result = await studio.checks.check(
        manager, mira.appearances[0].held_out[0].data, character="Mira"
    )
    assert result.judged.report.verdict is Verdict.CANNOT_JUDGE
    assert "reference" in result.judged.report.checks[0].reason


async def test_a_series_is_for_managers(app, member):
    with pytest.raises(NotAllowed):
        await app.series.create(member, name="Mine")
    with pytest.raises(NotFound, match="/series create"):
        await app.series.active(member.guild_id)


async def test_settings_keep_what_is_not_given(studio, manager):
    await studio.series.update(manager, review_channel_id=5, alternates=3)
    series = await studio.series.update(manager, quota=7)
    assert (series.review_channel_id, series.alternates, series.quota) == (5, 3, 7)


async def test_the_model_sheet_is_a_picture(studio, manager, material):
    await register(studio, manager, material.characters[0], references=6)
    assert ((await studio.sheets.draw(manager, "Mira")).png).startswith(b"\x89PNG")


async def test_suggestions_know_their_guild(studio, manager, material):
    await register(studio, manager, material.characters[0], references=1)
    assert [c.name for c in await studio.suggestions.characters(manager.guild_id, "mi")] == ["Mira"]
    assert await studio.suggestions.characters(Actor(11, 1).guild_id, "mi") == []
    looks = await studio.suggestions.looks(manager.guild_id, "every")
    assert [a.appearance_id for a in looks] == ["mira_everyday"]


async def test_whole_figures_are_registered_with_their_poses(studio, manager, material):
    mira = material.characters[0]
    await register(studio, manager, mira, references=18)
    look, *_ = await cast.list_appearances(studio.db, manager.guild_id)
    references = await cast.list_references(studio.db, manager.guild_id, look.id)
    posed = await poses_of(studio.db, manager.guild_id, look.id)
    shots = {shot: {r.id for r in references if r.shot_type is shot} for shot in ShotType}
    assert shots[ShotType.FULL] <= set(posed)
    assert not shots[ShotType.HEADSHOT] & set(posed)
