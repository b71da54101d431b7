"""A small comic with everything that exports care about, in each reading direction."""

from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.comics.export.book import spec_for
from pipeline.comics.framing import heads_of
from pipeline.comics.page import compose_page, render_page
from pipeline.domain.character import ReadingDirection, ShotType
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import BookFormat, BookInfo, BookPage, PageSpec, PanelArt
from pipeline.domain.panel import BalloonKind, CastRole, DialogueLine, PanelBrief, PlacedFigure

SKY = ((205, 224, 240), (240, 226, 205), (214, 232, 214), (228, 214, 236))
LINES = (
    (DialogueLine("Meanwhile, in Łódź…", None, BalloonKind.CAPTION),),
    (DialogueLine("We should not be here & you know it.", "ch_ava"),),
    (
        DialogueLine("RUN!", "ch_ava", BalloonKind.SHOUT),
        DialogueLine("Why <now>?", "ch_ava", BalloonKind.THOUGHT),
    ),
    (),
)
PROMPTS = ("A harbour at dawn", "Ava listens at a door", "Ava runs.", "An empty pier")


@dataclass(frozen=True)
class Comic:
    """A book as the studio composes it, and how it describes itself."""

    pages: list[BookPage]
    info: BookInfo


def _picture(number: int) -> bytes:
    """A person in front of a wall, drawn simply but with enough detail to be compressed."""
    random = np.random.default_rng(number)
    ground = np.full((300, 400, 3), SKY[number % 4], np.int16)
    ground += random.integers(-6, 7, ground.shape, np.int16)
    image = Image.fromarray(ground.clip(0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, 250, 400, 300), fill=(150, 130, 110))
    draw.ellipse((165, 120, 235, 205), fill=(236, 196, 160), outline=(30, 24, 28), width=4)
    draw.rounded_rectangle(
        (150, 205, 250, 330), 30, fill=(70, 96, 150), outline=(30, 24, 28), width=4
    )
    out = BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def _brief(number: int) -> PanelBrief:
    cast = (CastRole("ch_ava", "ava_coat"),) if number % 4 in (1, 2) else ()
    return PanelBrief(PROMPTS[number % 4], cast, ShotType.HALF, dialogue=LINES[number % 4])


@pytest.fixture(scope="session")
def make_comic() -> Callable[..., Comic]:
    """Composes a book: ``make_comic(direction, book_format, pages, width)``."""
    figure = PlacedFigure("ch_ava", Box(150, 120, 250, 300), Box(160, 115, 240, 210))
    made: dict[tuple[object, ...], Comic] = {}

    def make(
        direction: ReadingDirection = ReadingDirection.LTR,
        book_format: BookFormat = BookFormat.CBZ,
        pages: int = 2,
        width: int = 620,
    ) -> Comic:
        key = (direction, spec_for(book_format, PageSpec()), pages, width)
        if key not in made:
            size = Size(width, round(width * 1.414))
            plain = PageSpec(size, width // 20, width // 69, direction, title="The Rain <Door>")
            spec = spec_for(book_format, plain)
            made[key] = Comic([page(spec, n) for n in range(1, pages + 1)], info(direction))
        return made[key]

    def page(spec: PageSpec, number: int) -> BookPage:
        arts = [
            PanelArt(10 * number + i, _picture(i), Size(400, 300), (figure,), LINES[i])
            for i in range(4)
        ]
        lettered = compose_page(arts, spec, number=number)
        heads = tuple(
            frame.to_page(head).intersection(frame.box)
            for frame, art in zip(lettered.frames, arts, strict=True)
            for head in heads_of(art)
        )
        briefs = {10 * number + i: _brief(i) for i in range(4)}
        return BookPage(lettered, render_page(lettered, arts), heads, briefs)

    def info(direction: ReadingDirection) -> BookInfo:
        return BookInfo(
            series="The Rain <Door>",
            title="Nine o’clock",
            number=2,
            reading_direction=direction,
            summary="A door & a key.\x00",
            writers=("Ana", "Bo"),
            artists=("Cy", "Ana"),
            letterers=("Onmodel",),
            characters=("Ava",),
            names={"ch_ava": "Ava"},
        )

    return make
