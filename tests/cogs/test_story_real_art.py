"""One story with nothing scripted: real art, the draft engine and the check in a worker process."""

import io
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader
from studio import Studio, answer, labels_of, text_of
from vote_history import vote_history

from pipeline.domain.taste import Trait, Traits
from storage import taste

EXPORTS = (
    ("cbz", zipfile.ZipFile),
    ("pdf", PdfReader),
    ("png", Image.open),
    ("epub", zipfile.ZipFile),
    ("webtoon", zipfile.ZipFile),
    ("web", zipfile.ZipFile),
)

CAST = Path(__file__).parents[2] / "examples" / "cast"


def art(folder: str) -> list[tuple[str, bytes]]:
    return [(p.name, p.read_bytes()) for p in sorted((CAST / folder).glob("*.webp"))]


async def enrol(studio: Studio, name: str, pictures: list[tuple[str, bytes]]) -> None:
    def images(five):
        return {"image" if n == 0 else f"image{n + 1}": p for n, p in enumerate(five)}

    made = await studio.ann.slash(
        studio.channel, "character register", name=name, **images(pictures[:5])
    )
    assert "is in the cast" in answer(made)
    for start in range(5, len(pictures), 5):
        more = await studio.ann.slash(
            studio.channel, "character add-reference", character=name,
            **images(pictures[start : start + 5]),
        )  # fmt: skip
        assert "has new pictures" in answer(more)


async def taste_in_the_worker(studio: Studio) -> None:
    """What the worker saw of the pictures is kept; a taste travels there and draws in portions."""
    guild = studio.guild.id
    seen = list((await taste.traits_of_alternates(studio.app.db, guild, 1)).values())
    assert len(seen) == 2
    (slate,) = await taste.closed_slates(studio.app.db, guild, 1)
    assert len(slate.ballots) == 1

    def like(warmth: float) -> Traits:
        return replace(seen[0], named={**seen[0].named, Trait.WARMTH: warmth})

    await studio.app.db.write(lambda tx: vote_history(tx, guild, traits=like))
    await studio.boss.slash(studio.channel, "series taste", switch="spare")
    comic = await studio.app.series.active(guild)
    panel = 2 + 40
    while await studio.app.taste.for_run(comic, panel) is None:  # one in ten is drawn in full
        await studio.request(characters="Mira", prompt="Mira waits.", alternates=1)
        panel += 1
    await studio.request(characters="Mira", prompt="Mira waits in a café.", alternates=4)
    await studio.quiet()
    rows = await studio.app.db.fetch_all(
        "SELECT json_extract(a.plan, '$.alternates') AS planned, count(*) AS drawn, "
        "instr(a.plan, 'finds the winner clear') > 0 AS told FROM attempt AS a "
        "JOIN candidate AS c ON c.attempt_id = a.id WHERE a.panel_id = ? GROUP BY a.id",
        (panel,),
    )
    assert all(row["planned"] == row["drawn"] for row in rows)
    assert sum(row["drawn"] for row in rows) >= 2
    assert any(row["told"] for row in rows) == (rows[0]["drawn"] < 4)


@pytest.mark.slow
@pytest.mark.timeout(300)
@pytest.mark.studio(real_worker=True)
async def test_from_registered_art_to_an_exported_page(studio: Studio):
    mira = next(p.name for p in sorted((CAST / "mira").iterdir()) if p.is_dir())
    oskar = next(p.name for p in sorted((CAST / "oskar").iterdir()) if p.is_dir())
    await enrol(studio, "Mira", art(f"mira/{mira}"))
    stranger = art(f"oskar/{oskar}")[0]

    own = await studio.bob.slash(
        studio.channel, "panel check", image=art(f"mira/{mira}")[0], character="Mira"
    )
    assert "on-model" in answer(own)
    other = await studio.bob.slash(studio.channel, "panel check", image=stranger, character="Mira")
    assert "off-model" in answer(other)

    await studio.request(
        characters="Mira", prompt="Mira waits in the street at night.", page=1, alternates=2,
        dialogue="Mira: Where is everybody?",
    )  # fmt: skip
    await studio.quiet()
    card = studio.card()
    assert "draws no new poses" in text_of(card)
    assert labels_of(card)[:2] == ["Vote A", "Vote B"]
    await studio.bob.click(card, label="Vote A")
    await studio.ann.click(studio.card(), label="Finish vote")
    await studio.quiet()
    assert "accepted" in text_of(studio.card())
    await taste_in_the_worker(studio)

    await studio.bob.slash(
        studio.channel, "panel submit", image=stranger, characters="Mira", page=1
    )
    await studio.quiet()
    evidence = studio.reviews.threads[-1].last_message
    assert "is this on-model?" in text_of(evidence)
    await studio.mod.click(evidence, label="Reject")
    await studio.quiet()

    composed = await studio.ann.slash(studio.channel, "page compose", page=1)
    page = composed.followups[0]
    assert not page.ephemeral
    shown = Image.open(io.BytesIO(await page.attachments[0].read()))
    assert min(shown.size) >= 600
    for kind, opened in EXPORTS:
        exported = await studio.ann.slash(studio.channel, "page export", format=kind)
        (file,) = exported.followups[0].attachments
        assert file.filename.endswith((f".{kind}", f"-{kind}.zip"))
        opened(io.BytesIO(await file.read()))
