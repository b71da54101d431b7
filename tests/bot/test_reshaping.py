"""Merge, split, edit and undo: whatever people do, taking it back leaves the same registry."""

import asyncio
import tempfile
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.app import open_app
from bot.services.actor import Actor
from bot.services.edits import CharacterEdit, LookEdit
from bot.settings import Settings
from pipeline.domain.character import ColorMode, ReferenceKind, ShotType
from pipeline.domain.errors import (
    AlreadyExists,
    InvalidInput,
    MissingReference,
    NotAllowed,
    NotFound,
    WrongState,
)
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey, Fingerprint, PictureHashes
from storage import cast

GUILD = 10
OWNER, STRANGER = Actor(GUILD, 1, can_manage=True), Actor(GUILD, 2)
NOW = datetime(2031, 1, 1, tzinfo=UTC)


def prints(registrar, seed, outfit):
    """Vectors of the encoders in use: those of one outfit point the same way."""
    keys = [EncoderKey.parse(text) for text in registrar.encoders.split(",")]
    rng, base = np.random.default_rng(seed), np.random.default_rng(1000 + outfit)
    made = []
    for key in keys:
        for crop in CropClass:
            for mode in ColorMode:
                v = base.standard_normal(16) + 0.3 * rng.standard_normal(16)
                v = (v / np.linalg.norm(v)).astype(np.float32)
                made.append(Fingerprint(crop, mode, Embedding(v, key)))
    return made


def add_reference(tx, registrar, row, number, outfit):
    reference = cast.add_reference(
        tx, guild_id=GUILD, appearance_row=row, sha256=f"{number:064x}", kind=ReferenceKind.POSE,
        shot_type=ShotType.FULL, angle="front", expression="calm", width=64, height=64, canon=True,
        notes="", hashes=PictureHashes("t", None, None, None), added_by=1, now=NOW,
    )  # fmt: skip
    cast.add_fingerprints(
        tx, guild_id=GUILD, reference_id=reference, fingerprints=prints(registrar, number, outfit)
    )
    return reference


@asynccontextmanager
async def studio(folder, looks=("everyday", "sunday", "armour"), each=5):
    """A character whose looks hold made-up references with real thresholds."""
    async with open_app(Settings(data_dir=folder, _env_file=None)) as app:
        series = await app.series.create(OWNER, name="S")
        registrar = app.reshaping._registrar

        def fill(tx):
            row = cast.create_character(
                tx, guild_id=GUILD, series_id=series.id, character_id="ch_akira", name="Akira",
                owner_id=1, notes="", height_ratio=1.0, now=NOW,
            )  # fmt: skip
            for outfit, name in enumerate(looks):
                slug = f"akira_{name}"
                look = cast.create_appearance(
                    tx, guild_id=GUILD, character_row=row, appearance_id=slug, label=name,
                    components={"top": name}, palette=["#102030"], notes="", now=NOW,
                )  # fmt: skip
                ids = [
                    add_reference(tx, registrar, look, outfit * 100 + n, outfit)
                    for n in range(each)
                ]
                known = {
                    i: tuple(prints(registrar, outfit * 100 + n, outfit)) for n, i in enumerate(ids)
                }
                cast.replace_thresholds(
                    tx, guild_id=GUILD, appearance_row=look,
                    thresholds=registrar.thresholds_of(slug, known), now=NOW,
                )  # fmt: skip

        await app.db.write(fill)
        yield app


async def export(app):
    return await app.packages.canonical(OWNER, "Akira")


async def slugs(app):
    return [look.appearance_id for look in (await app.registry.entry(OWNER, "Akira")).looks]


operations = st.lists(
    st.tuples(
        st.sampled_from(["merge", "split", "edit", "add"]), st.integers(0, 9), st.integers(0, 9)
    ),
    min_size=1,
    max_size=5,
)


async def perform(app, operation, number):
    """One change; False where it was refused."""
    kind, a, b = operation
    looks = await slugs(app)
    try:
        match kind:
            case "merge":
                await app.reshaping.merge(
                    OWNER, "Akira", looks[a % len(looks)], looks[b % len(looks)]
                )
            case "split":
                look = looks[a % len(looks)]
                entry = await app.registry.entry(OWNER, "Akira")
                held = [r.id for r in entry.references[look]]
                await app.reshaping.split(OWNER, "Akira", look, f"part {b % 3}", held[: 1 + b % 4])
            case "edit":
                await app.registry.edit(
                    OWNER, "Akira", CharacterEdit(), looks[a % len(looks)],
                    LookEdit(components={"hair_color": "navy" if b % 2 else ""}, version=1 + b),
                )  # fmt: skip
            case "add":
                like = looks[a % len(looks)] if b % 2 else None
                await app.registry.add_look(OWNER, "Akira", f"new {b % 3}", like, LookEdit())
    except (InvalidInput, AlreadyExists, MissingReference):
        return False
    return True


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(operations)
def test_taking_everything_back_leaves_a_byte_equal_export(sequence):
    async def story():
        with tempfile.TemporaryDirectory() as folder:
            async with studio(Path(folder)) as app:
                states = [await export(app)]
                for number, operation in enumerate(sequence):
                    if await perform(app, operation, number):
                        states.append(await export(app))
                # An edit that changed nothing is no event.
                while len(states) > 1:
                    if states[-1] == states[-2]:
                        states.pop()
                        continue
                    await app.reshaping.undo(OWNER, "Akira")
                    states.pop()
                    assert await export(app) == states[-1]
                with pytest.raises(WrongState):
                    await app.reshaping.undo(OWNER, "Akira")

    asyncio.run(story())


async def test_merge_moves_references_and_renews_thresholds(tmp_path):
    async with studio(tmp_path) as app:
        preview = await app.registry.entry(OWNER, "Akira")
        going = {r.id for r in preview.references["akira_sunday"]}
        done = await app.reshaping.merge(OWNER, "Akira", "akira_sunday", "akira_everyday")
        assert done.moved == 5
        entry = await app.registry.entry(OWNER, "Akira")
        assert list(entry.references) == ["akira_everyday", "akira_armour"]
        assert going <= {r.id for r in entry.references["akira_everyday"]}
        limits = await cast.thresholds_of(app.db, GUILD, entry.looks[0].id)
        assert {t.references for t in limits} == {10}
        # Whoever still names the merged look is sent on.
        assert (await cast.find_appearance(app.db, GUILD, "akira_sunday")).label == "everyday"
        event, *_ = await app.registry.history(OWNER, "Akira")
        assert (event.action, event.undone_by) == ("merge", None)
        assert set(event.before.looks) == {"akira_sunday", "akira_everyday"}
        assert set(event.after.looks) == {"akira_everyday"}


async def test_split_proposes_the_two_outfits_of_a_mixed_look(tmp_path):
    async with studio(tmp_path, looks=("everyday", "sunday")) as app:
        before = await export(app)
        sunday = (await app.registry.entry(OWNER, "Akira")).references["akira_sunday"]
        await app.reshaping.merge(OWNER, "Akira", "akira_sunday", "akira_everyday")
        done = await app.reshaping.split(OWNER, "Akira", "akira_everyday", "formal")
        entry = await app.registry.entry(OWNER, "Akira")
        assert done.moved == 5
        parts = [{r.id for r in references} for references in entry.references.values()]
        assert {r.id for r in sunday} in parts
        event = await app.reshaping.undo(OWNER, "Akira")
        assert event.action == "split"
        await app.reshaping.undo(OWNER, "Akira")
        assert await export(app) == before
        actions = [e.action for e in await app.registry.history(OWNER, "Akira")]
        assert actions == ["undo", "undo", "split", "merge"]


async def test_pictures_that_came_later_stay_when_a_merge_is_taken_back(tmp_path):
    async with studio(tmp_path) as app:
        await app.reshaping.merge(OWNER, "Akira", "akira_sunday", "akira_everyday")
        row = (await cast.find_appearance(app.db, GUILD, "akira_everyday")).id
        registrar = app.reshaping._registrar
        late = await app.db.write(lambda tx: add_reference(tx, registrar, row, 900, 0))
        await app.reshaping.undo(OWNER, "Akira")
        entry = await app.registry.entry(OWNER, "Akira")
        assert late in {r.id for r in entry.references["akira_everyday"]}
        assert len(entry.references["akira_sunday"]) == 5


async def test_a_split_whose_look_got_pictures_since_is_not_taken_back(tmp_path):
    async with studio(tmp_path) as app:
        held = (await app.registry.entry(OWNER, "Akira")).references["akira_everyday"]
        await app.reshaping.split(OWNER, "Akira", "akira_everyday", "rain", [held[0].id])
        row = (await cast.find_appearance(app.db, GUILD, "akira_rain")).id
        registrar = app.reshaping._registrar
        await app.db.write(lambda tx: add_reference(tx, registrar, row, 901, 0))
        before = await export(app)
        with pytest.raises(WrongState, match="further pictures"):
            await app.reshaping.undo(OWNER, "Akira")
        assert await export(app) == before


async def test_a_picture_that_both_hold_stays_out_of_sight_and_comes_back(tmp_path):
    async with studio(tmp_path) as app:
        row = (await cast.find_appearance(app.db, GUILD, "akira_sunday")).id
        registrar = app.reshaping._registrar
        await app.db.write(
            lambda tx: add_reference(tx, registrar, row, 0, 1)
        )  # as everyday's first
        await app.reshaping.merge(OWNER, "Akira", "akira_armour", "akira_sunday")
        before = await export(app)
        done = await app.reshaping.merge(OWNER, "Akira", "akira_sunday", "akira_everyday")
        assert done.moved == 10
        await app.reshaping.undo(OWNER, "Akira")
        after = await export(app)
        assert after == before


async def test_who_may_and_what_is_refused(tmp_path):
    async with studio(tmp_path) as app:
        held = (await app.registry.entry(OWNER, "Akira")).references["akira_everyday"]
        for work in (
            app.reshaping.merge(STRANGER, "Akira", "akira_sunday", "akira_everyday"),
            app.reshaping.split(STRANGER, "Akira", "akira_everyday", "x", [held[0].id]),
            app.reshaping.undo(STRANGER, "Akira"),
            app.registry.add_look(STRANGER, "Akira", "x", None, LookEdit()),
            app.registry.edit(STRANGER, "Akira", CharacterEdit(notes="x")),
        ):
            with pytest.raises(NotAllowed):
                await work
        with pytest.raises(InvalidInput, match="itself"):
            await app.reshaping.merge(OWNER, "Akira", "akira_sunday", "akira_sunday")
        with pytest.raises(InvalidInput, match="no reference #999"):
            await app.reshaping.split(OWNER, "Akira", "akira_sunday", "x", [999])
        with pytest.raises(InvalidInput, match="leaves some"):
            await app.reshaping.split(OWNER, "Akira", None, "x", [r.id for r in held])
        with pytest.raises(NotFound, match="akira_everyday"):
            await app.reshaping.merge(OWNER, "Akira", "nothing", "akira_sunday")
        with pytest.raises(AlreadyExists):
            await app.reshaping.split(OWNER, "Akira", None, "sunday", [held[0].id])
        with pytest.raises(WrongState):
            await app.reshaping.undo(OWNER, "Akira")


async def test_too_few_pictures_give_no_proposal(tmp_path):
    async with studio(tmp_path, each=3) as app:
        with pytest.raises(MissingReference, match="Name the references"):
            await app.reshaping.split(OWNER, "Akira", "akira_everyday", "x")
