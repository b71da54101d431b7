"""Pages that come back: only what changed is checked, everything else stays to the bit."""

import io
import zipfile
from xml.etree import ElementTree

import pytest
from PIL import Image, ImageDraw
from test_page_exports import FIGURE, NOW, accept, drawing

from bot.services.actor import Actor
from bot.services.pages import cast
from pipeline.domain.character import ReadingDirection
from pipeline.domain.errors import InvalidInput, InvalidPicture, NotAllowed, WrongState
from pipeline.domain.fingerprint import PictureHashes
from pipeline.domain.geometry import Size
from pipeline.domain.panel import Candidate, PanelStatus
from pipeline.domain.quality import Attempt, CandidateReport, JudgedCandidate, Verdict
from storage import attempts, panels


@pytest.fixture
async def studio(app, manager):
    """One composed page of two panels."""
    await app.series.create(manager, name="Rain Door", reading_direction=ReadingDirection.RTL)
    await app.series.update(manager, audit_percent=0)  # its draw is secret
    for number in (1, 2):
        await accept(app, manager, 1, number)
    await app.pages.compose(manager, 1)
    return app


def changed(ora: bytes, *, paint: str = "", words: tuple[str, str] | None = None) -> bytes:
    """The file as an artist saves it: a stroke on a layer, another name for words."""
    with zipfile.ZipFile(io.BytesIO(ora)) as archive:
        files = {name: archive.read(name) for name in archive.namelist()}
    stack = ElementTree.fromstring(files["stack.xml"])
    for entry in stack.iter("layer"):
        name = entry.get("name", "")
        if paint and name == paint:
            image = Image.open(io.BytesIO(files[entry.get("src", "")]))
            ImageDraw.Draw(image).rectangle((10, 10, 80, 60), fill=(200, 30, 30, 255))
            out = io.BytesIO()
            image.save(out, "PNG")
            files[entry.get("src", "")] = out.getvalue()
        if words and name.startswith(f"{words[0]}:"):
            entry.set("name", f"{words[0]}: {words[1]}")
    files["stack.xml"] = ElementTree.tostring(stack)
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return out.getvalue()


async def submit(app, actor, data, page=None, key="k"):
    return await app.submissions.submit(actor, data, page=page, channel_id=None, dedupe_key=key)


async def chosen(app, actor, panel_id):
    panel = await panels.get_panel(app.db, actor.guild_id, panel_id)
    return (await attempts.get_candidate(app.db, actor.guild_id, panel.chosen_candidate)).sha256


async def accepted_now(app, actor, panel):
    """The submission passes, as the check and a moderator leave it."""
    sha = await panels.submission_of(app.db, actor.guild_id, panel.id)
    old = await panels.get_panel(app.db, actor.guild_id, panel.brief.replaces)
    was = await attempts.get_candidate(app.db, actor.guild_id, old.chosen_candidate)
    row = await app.db.fetch_one("SELECT id FROM job WHERE panel_id = ?", (panel.id,))

    def write(tx):
        judged = JudgedCandidate(
            Candidate(drawing(9), Size(was.width, was.height), (FIGURE,)),
            PictureHashes("1", None, None, None),
            CandidateReport(Verdict.ON_MODEL, ()),
        )
        (made,) = attempts.add_attempt(
            tx,
            guild_id=actor.guild_id,
            panel_id=panel.id,
            job_id=row["id"],
            attempt=Attempt(1, None, (judged,), 0.1),
            image_shas=[sha],
            now=NOW,
        )
        panels.choose_candidate(
            tx, guild_id=actor.guild_id, panel_id=panel.id, candidate_id=made, now=NOW
        )

    await app.db.write(write)
    return sha


async def test_a_repainted_panel_is_checked_and_takes_its_place_when_accepted(studio, manager):
    ora = (await studio.pages.export(manager, "ora", page=1)).data
    kept = await chosen(studio, manager, 1)
    done = await submit(studio, manager, changed(ora, paint="art 2"))
    (taken,) = done.repainted
    assert (done.number, done.kept, done.notes, done.lettered) == (1, 1, (), ())
    panel = taken.panel
    assert (panel.brief.replaces, panel.status) == (2, PanelStatus.QUEUED)
    assert [line.text for line in panel.brief.dialogue] == ["Line 2, please."]
    # Until it is accepted the page is as it was.
    series = await cast.active_series(studio.db, manager.guild_id)
    assert [p.id for p in await studio.pages.panels_of_page(series, 1, "")] == [1, 2]
    sha = await accepted_now(studio, manager, panel)
    assert [p.id for p in await studio.pages.panels_of_page(series, 1, "")] == [1, panel.id]
    made = await studio.pages.compose(manager, 1)
    assert made.panels == (1, panel.id)
    assert await chosen(studio, manager, 1) == kept
    assert await chosen(studio, manager, panel.id) == sha != await chosen(studio, manager, 2)
    # The file that was exported before is of another state now.
    with pytest.raises(WrongState, match="changed here since"):
        await submit(studio, manager, changed(ora, paint="art 2"), key="late")


async def test_new_words_become_lettering_and_stay_with_a_new_picture(studio, manager):
    ora = (await studio.pages.export(manager, "ora", page=1)).data
    done = await submit(
        studio, manager, changed(ora, paint="art 1", words=("words 1.0", "A new line."))
    )
    assert done.lettered == ("A new line.",)
    series = await cast.active_series(studio.db, manager.guild_id)
    await accepted_now(studio, manager, done.repainted[0].panel)
    first = (await studio.pages.panels_of_page(series, 1, ""))[0]
    assert first.id == done.repainted[0].panel.id
    assert [line.text for line in first.brief.dialogue] == ["A new line."]


async def test_an_own_page_is_cut_and_every_panel_checked(studio, manager):
    page = (await studio.pages.export(manager, "png", page=1)).data
    done = await submit(studio, manager, page, page=1)
    assert [taken.panel.brief.replaces for taken in done.repainted] == [1, 2]
    assert done.kept == 0
    with pytest.raises(InvalidInput, match="which page"):
        await submit(studio, manager, page, key="b")


async def test_what_cannot_be_taken_is_told(studio, manager, member):
    ora = (await studio.pages.export(manager, "ora", page=1)).data
    with pytest.raises(InvalidInput, match="Nothing in that file"):
        await submit(studio, manager, ora)
    with pytest.raises(InvalidInput, match="is page 1, not page 2"):
        await submit(studio, manager, ora, page=2)
    stranger = Actor(member.guild_id, 987_654)
    with pytest.raises(NotAllowed):
        await submit(studio, stranger, changed(ora, paint="art 1"))
    with pytest.raises(InvalidPicture):
        await submit(studio, manager, b"PK\x03\x04nonsense")
