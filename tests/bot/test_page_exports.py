"""Exports of a studio's pages: from the database to files, streamed, limited, cancellable."""

import asyncio
import io
import json
import zipfile
from datetime import UTC, datetime

import pytest
from PIL import Image, ImageDraw
from pypdf import PdfReader

from bot.services import pages as pages_service
from bot.services.lettering import LetterEdit
from pipeline.comics.export.book import SINGLE
from pipeline.comics.export.budget import TooLarge
from pipeline.domain.character import ReadingDirection, ShotType
from pipeline.domain.errors import InvalidInput, WrongState
from pipeline.domain.fingerprint import PictureHashes
from pipeline.domain.geometry import Box, Size
from pipeline.domain.job import JobKind
from pipeline.domain.panel import (
    Candidate,
    CastRole,
    DialogueLine,
    PanelBrief,
    PanelOrigin,
    PlacedFigure,
)
from pipeline.domain.quality import Attempt, CandidateReport, JudgedCandidate, Verdict
from storage import attempts, jobs, panels

NOW = datetime(2031, 5, 4, 12, tzinfo=UTC)
SIZE = Size(400, 300)
FIGURE = PlacedFigure("ch_mira", Box(150, 120, 250, 300), Box(160, 120, 240, 210))


def drawing(seed: int) -> bytes:
    image = Image.new("RGB", SIZE, (120 + seed * 7 % 120, 160, 200))
    ImageDraw.Draw(image).ellipse(FIGURE.head, fill=(240, 200, 170), outline=(20, 20, 20), width=4)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


async def accept(app, manager, page: int, number: int) -> int:
    """An accepted drawing, as a finished run leaves it."""
    image = drawing(number)
    sha = await app.blobs.put(manager.guild_id, image)
    series = await pages_service.cast.active_series(app.db, manager.guild_id)
    brief = PanelBrief(
        f"She waits, take {number}",
        (CastRole("ch_mira", "mira_coat"),),
        ShotType.HALF,
        dialogue=(DialogueLine(f"Line {number}, please.", "ch_mira"),),
        page=page,
    )
    report = CandidateReport(Verdict.ON_MODEL, ())
    candidate = JudgedCandidate(
        Candidate(image, SIZE, (FIGURE,)), PictureHashes("1", None, None, None), report
    )

    def write(tx) -> int:
        panel = panels.create_panel(
            tx,
            guild_id=manager.guild_id,
            series_id=series.id,
            requester_id=manager.member_id,
            origin=PanelOrigin.SUBMITTED,
            brief=brief,
            channel_id=None,
            submission_sha256=sha,
            now=NOW,
        )
        job = jobs.enqueue(
            tx,
            guild_id=manager.guild_id,
            member_id=manager.member_id,
            kind=JobKind.SUBMISSION,
            panel_id=panel,
            dedupe_key=f"panel-{panel}",
            now=NOW.timestamp(),
        )
        (made,) = attempts.add_attempt(
            tx,
            guild_id=manager.guild_id,
            panel_id=panel,
            job_id=job,
            attempt=Attempt(1, None, (candidate,), 0.1),
            image_shas=[sha],
            now=NOW,
        )
        panels.choose_candidate(
            tx, guild_id=manager.guild_id, panel_id=panel, candidate_id=made, now=NOW
        )
        return panel

    return await app.db.write(write)


@pytest.fixture
async def studio(app, manager):
    """Two composed pages, of two panels and of one, in a series that is read right to left."""
    await app.series.create(manager, name="Rain Door", reading_direction=ReadingDirection.RTL)
    await app.series.update(manager, audit_percent=0)  # its draw is secret
    for page, number in ((1, 1), (1, 2), (2, 3)):
        await accept(app, manager, page, number)
    for page in (1, 2):
        await app.pages.compose(manager, page)
    return app


def names(exported) -> list[str]:
    with zipfile.ZipFile(io.BytesIO(exported.data)) as archive:
        return archive.namelist()


async def test_every_format_leaves_the_studio_under_its_name(studio, member):
    made = {
        f: await studio.pages.export(member, f) for f in studio.pages.formats() if f not in SINGLE
    }
    assert {f: e.filename for f, e in made.items()} == {
        "cbz": "rain_door.cbz",
        "pdf": "rain_door.pdf",
        "epub": "rain_door.epub",
        "webtoon": "rain_door-webtoon.zip",
        "web": "rain_door-web.zip",
        "print": "rain_door-print.pdf",
    }
    assert {e.pages for e in made.values()} == {2}
    assert names(made["epub"])[0] == "mimetype"
    assert "index.html" in names(made["web"])
    assert len(PdfReader(io.BytesIO(made["pdf"].data)).pages) == 2
    one = await studio.pages.export(member, "epub", page=2)
    assert (one.filename, one.pages) == ("rain_door-002.epub", 1)


async def test_a_book_of_pages_is_set_anew_as_a_strip(studio, member):
    made = await studio.pages.export(member, "webtoon")
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        index = json.loads(archive.read("index.json"))
    assert [panel["panel"] for panel in index["panels"]] == [1, 2, 3]
    assert "She waits, take 2. Mira says: “Line 2, please.”" in index["panels"][1]["alt"]
    assert {entry["width"] for entry in index["slices"]} == {800}
    lefts = {panel["box"][0] for panel in index["panels"]}
    assert len(lefts) == 1  # one below the other
    # The pages themselves stay as they were composed.
    assert {page.layout for page in await pages_of(studio, member)} != {"strip"}


async def pages_of(app, actor):
    series = await pages_service.cast.active_series(app.db, actor.guild_id)
    return await pages_service.pages.list_pages(app.db, actor.guild_id, series.id)


async def test_equal_studios_give_equal_books(studio, member):
    first = await studio.pages.export(member, "epub")
    assert (await studio.pages.export(member, "epub")).data == first.data
    with zipfile.ZipFile(io.BytesIO(first.data)) as book:
        package = book.read("EPUB/package.opf").decode()
    assert 'page-progression-direction="rtl"' in package
    assert "urn:uuid:" in package


async def test_the_limit_is_kept_or_said(studio, member):
    free = await studio.pages.export(member, "cbz")
    limit = len(free.data) // 2
    squeezed = await studio.pages.export(member, "cbz", limit_bytes=limit)
    assert all(len(data) <= limit for _, data in squeezed.files)
    with pytest.raises(TooLarge, match="fewer pages"):
        await studio.pages.export(member, "cbz", limit_bytes=2_000)


async def test_pages_are_drawn_one_after_the_other(studio, member, monkeypatch):
    drawn = []
    real = pages_service._draw
    monkeypatch.setattr(pages_service, "_draw", lambda *a: drawn.append(a[3]) or real(*a))
    seen = []

    def slow_export(name, book, info, **options):
        for page in book:
            seen.append((page.page.number, list(drawn)))
        return [b"book"]

    monkeypatch.setattr(pages_service, "export_parts", slow_export)
    await studio.pages.export(member, "cbz")
    assert seen == [(1, [1]), (2, [1, 2])]


async def test_a_cancelled_export_stops_after_its_page(studio, member, monkeypatch):
    drawn = []
    first = asyncio.Event()
    loop = asyncio.get_running_loop()
    real = pages_service._draw

    def watched(*arguments):
        drawn.append(arguments[3])
        loop.call_soon_threadsafe(first.set)
        return real(*arguments)

    monkeypatch.setattr(pages_service, "_draw", watched)
    task = asyncio.create_task(studio.pages.export(member, "web"))
    await first.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await loop.shutdown_default_executor()  # the thread has ended
    assert drawn == [1]


async def test_unknown_formats_and_empty_books_are_told(studio, app, member, manager):
    with pytest.raises(InvalidInput, match="epub"):
        await studio.pages.export(member, "mobi")
    with pytest.raises(WrongState, match="compose"):
        await studio.pages.export(member, "web", page=9)


async def test_the_web_reader_holds_every_language_that_was_lettered(studio, manager):
    edit = LetterEdit(panel=1, line=1, text="Zeile eins, bitte.")
    await studio.lettering.letter(manager, 1, edit, language="de")
    made = await studio.pages.export(manager, "web")
    listed = names(made)
    assert "pages/page-001.de.webp" in listed
    assert "pages/page-002.de.webp" not in listed  # nobody lettered it in German
    with zipfile.ZipFile(io.BytesIO(made.data)) as archive:
        html = archive.read("index.html").decode()
    assert "Zeile" in html
    assert "Line 1" in html
    assert '<option value="de">' in html
