"""A real person's likeness: what a yes allows, by its scope, and what a no takes from the disk."""

import json

import pytest
from steps import register

from bot.app import open_app
from bot.services.actor import Actor
from bot.services.panels import PanelRequest
from bot.settings import Settings
from pipeline.domain.errors import ConsentMissing, InvalidInput
from pipeline.domain.privacy import ConsentScope, ConsentStatus
from storage import jobs
from storage.doomed import doomed_files

GUILD = 10
OWNER = Actor(GUILD, 1, is_moderator=True, can_manage=True)
BOB = Actor(GUILD, 3)


@pytest.fixture
async def app(tmp_path):
    folder = tmp_path / "modules"
    settings = Settings(data_dir=tmp_path / "data", diffusers_modules=str(folder), _env_file=None)
    async with open_app(settings) as app:
        yield app


def lora(path):
    """A file with the head of a LoRA."""
    head = json.dumps({"unet.lora_A.weight": {"dtype": "F16", "shape": [], "data_offsets": [0, 0]}})
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(len(head).to_bytes(8, "little") + head.encode())
    return path


@pytest.fixture
async def drawn(app, tmp_path, material):
    """Mira with a module, a waiting panel of hers, and a second character's module."""
    await app.series.create(OWNER, name="Full to the Brim")
    await app.series.update(OWNER, audit_percent=0)  # its draw is secret
    done = await register(app, OWNER, material.characters[0], references=2)
    look = done.appearance.appearance_id
    mine = lora(tmp_path / "modules" / str(GUILD) / f"{look}.safetensors")
    word = lora(mine.with_name(f"{look}.mira.safetensors"))
    other = lora(mine.with_name("somebody_else.safetensors"))
    asked = await app.panels.request(
        OWNER, PanelRequest("Mira", "waits."), channel_id=7, dedupe_key="a"
    )
    job = await jobs.job_of_panel(app.db, GUILD, asked.panel.id)
    return job, (mine, word), other


async def modules(app, job):
    (member,) = (await app.runs.inputs_for(job)).cast
    return len(member.modules)


async def test_modules_serve_only_where_training_was_agreed_to(app, drawn):
    job, files, other = drawn
    assert await modules(app, job) == 2, "nobody real: no consent is needed"
    asked = await app.consent.ask(OWNER, "Mira", BOB.member_id, ConsentScope.DRAW, 30)
    with pytest.raises(ConsentMissing, match="/privacy consent"):
        await app.runs.inputs_for(job)
    await app.consent.answer(BOB, asked.id, agrees=True)
    assert await modules(app, job) == 0
    wider = await app.consent.ask(OWNER, "Mira", BOB.member_id, ConsentScope.TRAIN, 30)
    assert await modules(app, job) == 0, "the narrower one holds until the wider is answered"
    await app.consent.answer(BOB, wider.id, agrees=True)
    assert await modules(app, job) == 2
    consent, gone = await app.consent.answer(BOB, wider.id, agrees=False)
    assert consent.status is ConsentStatus.REVOKED
    assert (gone.references, gone.jobs) == (2, 1)
    assert [path.exists() for path in files] == [False, False]
    assert other.exists()
    assert await doomed_files(app.db) == []
    assert await app.blobs.names(GUILD) == []


async def test_a_likeness_cannot_be_drawn_again_or_sent_back_without_consent(app, drawn, material):
    job, _, _ = drawn
    await app.consent.ask(OWNER, "Mira", BOB.member_id)
    with pytest.raises(ConsentMissing):
        await app.redraws.reroll(OWNER, job.panel_id, dedupe_key="again")
    with pytest.raises(ConsentMissing):
        await app.panels.submit(
            OWNER, b"never looked at", characters="Mira", channel_id=7, dedupe_key="mine"
        )
    look = material.characters[0].appearances[0]
    with pytest.raises(ConsentMissing):
        await app.cast.add_references(OWNER, "Mira", look.references[2:3])


async def test_a_consent_has_an_end(app, drawn):
    for days in (0, 3 * 365 + 1):
        with pytest.raises(InvalidInput, match="lasts 1 to"):
            await app.consent.ask(OWNER, "Mira", BOB.member_id, days=days)
    asked = await app.consent.ask(OWNER, "Mira", BOB.member_id, days=1)
    await app.consent.answer(BOB, asked.id, agrees=True)
    await app.db.write(
        lambda tx: (
            tx.execute("UPDATE consent SET expires_at = '2020-01-01T00:00:00.000000+00:00'")
            and None
        )
    )
    with pytest.raises(ConsentMissing):
        await app.panels.request(
            OWNER, PanelRequest("Mira", "runs."), channel_id=7, dedupe_key="late"
        )
    assert await app.consent.expire() == 1
    assert await app.consent.expire() == 0, "not looked at again at once"
    assert (await app.consent.get(GUILD, asked.id)).status is ConsentStatus.EXPIRED
