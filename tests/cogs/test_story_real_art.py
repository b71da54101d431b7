"""One story with nothing scripted: real art, the draft engine and the check in a worker process."""

import io
import zipfile
from pathlib import Path

import pytest
from PIL import Image
from pypdf import PdfReader
from studio import Studio, answer, labels_of, text_of

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


@pytest.mark.slow
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
