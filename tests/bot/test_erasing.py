"""A character is deleted: what is left of it on the disk, and what stays because it is another's."""

from dataclasses import replace

import pytest
from steps import register, settled, working

from bot.services.actor import Actor
from bot.services.panels import PanelRequest
from pipeline.domain.conditioning import ControlKind, ControlUse, InpaintUse
from pipeline.domain.errors import NotFound
from storage import attempts, cast

ANN = Actor(10, 2)


@pytest.fixture
async def drawn(app, manager, material):
    """Mira and Oskar, and a finished panel of each; returns their panels."""
    await app.series.create(manager, name="Full to the Brim")
    await app.series.update(manager, audit_percent=0)  # its draw is secret
    made = []
    for character in material.characters[:2]:
        await register(app, manager, character, references=3)
        asked = await app.panels.request(
            ANN,
            PanelRequest(character.name, "waits.", alternates=1, seed=3),
            channel_id=7,
            dedupe_key=character.name,
        )
        made.append(asked.panel.id)
    async with working(app):
        for panel_id in made:
            await settled(app, 10, panel_id)
    return made


async def stored_with(app, panel_id, **guides):
    """Note guides in the plan of a panel's first attempt, as an engine does that uses them."""
    candidate, *_ = await attempts.candidates_of(app.db, 10, panel_id)
    plan = await attempts.plan_of(app.db, 10, candidate.id)
    text = replace(plan, **guides).to_json()
    await app.db.write(
        lambda tx: (
            tx.execute("UPDATE attempt SET plan = ? WHERE panel_id = ?", (text, panel_id)).rowcount
        )
    )


async def kept(app, sha256):
    try:
        await app.blobs.get(10, sha256)
    except NotFound:
        return False
    return True


async def test_pictures_masks_and_backups_go_and_what_others_need_stays(
    app, manager, material, drawn
):
    mask, skeleton, common = [
        await app.blobs.put(10, name) for name in (b"mask", b"skeleton", b"common")
    ]
    mira, oskar = [c.character_id for c in material.characters[:2]]

    def guide(sha256, who):
        return ControlUse(ControlKind.POSE, sha256, 0.5, "asked for", character_id=who)

    (candidate, *_) = await attempts.candidates_of(app.db, 10, drawn[0])
    await stored_with(
        app,
        drawn[0],
        controls=(guide(skeleton, mira), guide(common, mira)),
        inpaint=InpaintUse(candidate.sha256, mask, 0.5, "the hair", mira),
    )
    await stored_with(app, drawn[1], controls=(guide(common, oskar),))
    pictures = [r.sha256 for r, who, _ in await cast.reference_hashes(app.db, 10) if who == mira]
    others = [r.sha256 for r, who, _ in await cast.reference_hashes(app.db, 10) if who == oskar]
    backup = app.db.path.with_name(f"{app.db.path.name}.bak-1")
    backup.write_bytes(b"the vectors of an earlier version")

    gone = await app.cast.delete(manager, "Mira")

    assert (gone.references, gone.pictures, gone.backups, gone.clean) == (3, 5, 1, True)
    assert not backup.exists()
    assert [await kept(app, sha) for sha in (*pictures, mask, skeleton)] == [False] * 5
    assert [await kept(app, sha) for sha in (*others, common, candidate.sha256)] == [True] * 5
    with pytest.raises(NotFound):
        await app.cast.delete(manager, "Mira")


async def test_a_reference_that_is_somebodys_sketch_or_panel_stays(app, manager, material, drawn):
    oskar = material.characters[1]
    (first, *_) = [r for r, who, _ in await cast.reference_hashes(app.db, 10) if who != "ch_mira"]
    await app.panels.request(
        ANN,
        PanelRequest("Mira", "waits.", sketch=await app.blobs.get(10, first.sha256)),
        channel_id=7,
        dedupe_key="sketch",
    )
    gone = await app.cast.delete(manager, oskar.name)
    assert (gone.references, gone.pictures, gone.backups) == (3, 2, 0)
    assert await kept(app, first.sha256)
