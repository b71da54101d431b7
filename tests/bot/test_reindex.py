"""The encoders of the settings change: everything is indexed anew, and checks work meanwhile."""

import asyncio
from contextlib import asynccontextmanager

import pytest

from bot.app import App, open_app
from bot.doctor import diagnose
from bot.services.cast import NewCharacter
from bot.settings import Settings
from pipeline.domain.pose import Pose
from pipeline.domain.quality import Verdict
from pipeline.fingerprints.hashes import HASH_VERSION
from pipeline.fingerprints.registry import DEFAULT_ENCODERS
from storage import cast, indexing
from storage.poses import poses_of

REFERENCES = 5


@asynccontextmanager
async def studio(folder, *encoders: str):
    settings = Settings(data_dir=folder, encoders=encoders, _env_file=None)
    async with open_app(settings) as app:
        yield app


@pytest.fixture
async def folder(tmp_path, material, manager):
    """A data folder with two characters of five references, indexed with two encoders."""
    async with studio(tmp_path, "palette", "structure") as app:
        await app.series.create(manager, name="Index")
        for character in material.characters[:2]:
            await app.cast.register(
                manager,
                NewCharacter(character.name, character.character_id),
                _heads(character),
            )
        assert (await app.reindex.state()).done
    return tmp_path


def _heads(character):
    return [u for u in character.appearances[0].references if u.shot_type == "headshot"][
        :REFERENCES
    ] or character.appearances[0].references[:REFERENCES]


async def _verdict(app: App, manager, material) -> Verdict:
    hero = material.characters[0]
    picture = hero.appearances[0].references[0].data
    result = await app.checks.check(manager, picture, character=hero.character_id)
    return result.judged.report.verdict


async def test_old_vectors_serve_until_all_is_indexed_anew(folder, manager, material):
    async with studio(folder, "palette") as app:
        before = await app.reindex.state()
        assert before.stale == before.references > 0
        assert await _verdict(app, manager, material) is Verdict.ON_MODEL
        seen = []
        done = await app.reindex.once(on_progress=seen.append)
        assert (done.appearances, done.failed) == (2, 0)
        assert [state.stale for state in seen] == sorted({s.stale for s in seen}, reverse=True)
        assert seen[-1].done
        assert await _verdict(app, manager, material) is Verdict.ON_MODEL
        (encoder,) = await indexing.stored_encoders(app.db)
        assert encoder.startswith("palette:")
        for look in await cast.list_appearances(app.db, manager.guild_id):
            limits = await cast.thresholds_of(app.db, manager.guild_id, look.id)
            assert limits
            assert {limit.key.encoders for limit in limits} == {encoder}
    async with studio(folder, "palette") as app:
        assert (await app.reindex.state()).done
        assert app.workshop_spec.encoders == ("palette",)


async def test_a_studio_of_the_former_default_goes_over_to_the_house_encoder(
    folder, manager, material
):
    settings = Settings(data_dir=folder, _env_file=None)
    assert settings.encoders == DEFAULT_ENCODERS == ("house", "palette")
    async with open_app(settings) as app:
        assert app.workshop_spec.encoders == ("house", "palette", "structure")
        assert not (await app.reindex.state()).done
        old = await _segments(app, manager, material)
        assert old == {"palette", "structure"}  # what both sides have, with the limit for it
        stop = asyncio.Event()
        await app.reindex.once(stop, on_progress=lambda _: stop.set())
        assert not (await app.reindex.state()).done
        assert await _segments(app, manager, material) <= {"house", "palette", "structure"}
        await app.reindex.once()
        assert await _segments(app, manager, material) == {"house", "palette"}
        names = {key.partition(":")[0] for key in await indexing.stored_encoders(app.db)}
        assert names == {"house", "palette"}
    async with open_app(settings) as app:
        assert app.workshop_spec.encoders == DEFAULT_ENCODERS


async def _segments(app: App, manager, material) -> set[str]:
    """Whose cosines a check of the hero's own art rests on; it has to pass."""
    hero = material.characters[0]
    picture = hero.appearances[0].references[0].data
    result = await app.checks.check(manager, picture, character=hero.character_id)
    (check,) = result.judged.report.checks
    assert check.verdict is Verdict.ON_MODEL
    return set(check.segments)


async def test_a_stop_loses_nothing_and_the_next_start_goes_on(folder):
    stop = asyncio.Event()
    async with studio(folder, "structure") as app:
        assert app.workshop_spec.encoders == ("structure", "palette")
        await app.reindex.once(stop, on_progress=lambda _: stop.set())
        left = await app.reindex.state()
        assert 0 < left.stale < left.references
    async with studio(folder, "structure") as app:
        assert await app.reindex.state() == left
        done = await app.reindex.once()
        assert done.appearances == 1
        assert (await app.reindex.state()).done


async def test_the_task_beside_the_queue_indexes_and_ends_with_the_studio(folder):
    stop = asyncio.Event()
    async with studio(folder, "structure") as app:
        task = asyncio.create_task(app.reindex.run(stop))
        for _ in range(1200):
            if (await app.reindex.state()).done:
                break
            await asyncio.sleep(0.05)
        assert (await app.reindex.state()).done
        stop.set()
        await asyncio.wait_for(task, 20)


async def test_hashes_of_another_version_are_made_anew(folder, manager):
    async with studio(folder, "palette", "structure") as app:
        before = await cast.reference_hashes(app.db, manager.guild_id)
        await app.db.write(
            lambda tx: (
                tx.execute("UPDATE reference SET hash_version = 'old', phash = NULL").rowcount
            )
        )
        assert not (await app.reindex.state()).done
        await app.reindex.once()
        after = await cast.reference_hashes(app.db, manager.guild_id)
        assert [h for _, _, h in after] == [h for _, _, h in before]
        assert {h.version for _, _, h in after} == {HASH_VERSION}


async def test_marks_are_fingerprinted_anew_with_their_references(folder, manager, material):
    async with studio(folder, "palette", "structure") as app:
        name = material.characters[0].name
        look, *_ = await cast.list_appearances(app.db, manager.guild_id)
        reference, *_ = await cast.list_references(app.db, manager.guild_id, look.id)
        await app.marks.add(manager, name, reference.id, name="Scar", region="30%,30%,40%,40%")
        before = await cast.mark_prints(app.db, manager.guild_id, look.id)
        assert (await app.reindex.state()).done
        # As a version left it that knew nothing of marks: old vectors on a fresh reference.
        await app.db.write(
            lambda tx: (
                tx.execute("UPDATE mark_fingerprint SET encoder = 'old:0:1'||encoder").rowcount
            )
        )
        assert (await app.reindex.state()).stale == 1
        await app.reindex.once()
        after = await cast.mark_prints(app.db, manager.guild_id, look.id)
        assert _keys(after) == _keys(before)
    async with studio(folder, "palette") as app:
        await app.reindex.once()
        prints = await cast.mark_prints(app.db, manager.guild_id, look.id)
        assert {key.name for _, key in _keys(prints)} == {"palette"}
        assert len(_keys(prints)) == 2, "in colour and in grey"
        assert (await app.reindex.state()).done


def _keys(prints):
    return {(mode, e.encoder) for (held,) in [prints.values()] for mode, e in held}


async def test_poses_are_found_for_what_has_none_and_what_a_person_noted_stays(
    tmp_path, manager, material
):
    async with studio(tmp_path, "palette") as app:
        await app.series.create(manager, name="Poses")
        hero = material.characters[1]
        await app.cast.register(
            manager,
            NewCharacter(hero.name, hero.character_id),
            [u for u in hero.appearances[0].references if u.shot_type == "full"][:2],
        )
        look, *_ = await cast.list_appearances(app.db, manager.guild_id)
        found = await poses_of(app.db, manager.guild_id, look.id)
        first, second = found
        noted = Pose(((1.0, 2.0, 1.0),) * 17)
        await app.lookup.set_pose(manager, first, noted)

        def age(tx):
            tx.execute("DELETE FROM reference_pose WHERE reference_id = ?", (second,))
            tx.execute("UPDATE reference SET hash_version = 'old'")

        await app.db.write(age)
        await app.reindex.once()
        after = await poses_of(app.db, manager.guild_id, look.id)
        assert after == {first: noted, second: found[second]}


async def test_a_damaged_picture_holds_up_only_its_own_appearance(folder, manager):
    async with studio(folder, "palette") as app:
        look, *_ = await cast.list_appearances(app.db, manager.guild_id)
        (first, *_) = await cast.list_references(app.db, manager.guild_id, look.id)
        await app.db.write(
            lambda tx: (
                tx.execute(
                    "UPDATE reference SET sha256 = ? WHERE id = ?", ("0" * 64, first.id)
                ).rowcount
            )
        )
        done = await app.reindex.once()
        assert (done.appearances, done.failed) == (1, 1)


async def test_references_that_change_meanwhile_are_left_for_the_next_pass(
    folder, manager, monkeypatch
):
    async with studio(folder, "palette") as app:
        read = app.blobs.get
        gone = []

        async def and_one_goes(guild_id, sha256):
            png = await read(guild_id, sha256)
            if not gone:
                gone.append(sha256)
                await app.db.write(
                    lambda tx: tx.execute("DELETE FROM reference WHERE sha256 = ?", gone).rowcount
                )
            return png

        monkeypatch.setattr(app.blobs, "get", and_one_goes)
        first = await app.reindex.once()
        assert not (await app.reindex.state()).done
        assert first.references < (await app.reindex.state()).references
        await app.reindex.once()
        assert (await app.reindex.state()).done


async def test_the_doctor_says_what_waits(folder, monkeypatch):
    monkeypatch.setenv("ONMODEL_DATA_DIR", str(folder))
    monkeypatch.setenv("ONMODEL_ENCODERS", "palette,structure")
    lines = {line.name: line for line in diagnose(None).lines}
    assert "all up to date" in lines["index"].found
    monkeypatch.setenv("ONMODEL_ENCODERS", "palette")
    lines = {line.name: line for line in diagnose(None).lines}
    assert "indexed with other encoders" in lines["index"].found
    assert "background" in lines["index"].mend
    assert diagnose(None).usable
