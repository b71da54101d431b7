"""A sketch becomes what the one character of a panel should look like."""

from dataclasses import replace

import pytest
from PIL import Image, ImageDraw

from pipeline.domain.character import ShotType
from pipeline.domain.inputs import CastInput, PanelInputs
from pipeline.domain.panel import CastRole, PanelBrief
from pipeline.fingerprints.registry import load_encoders
from pipeline.imaging.decode import to_png
from pipeline.retrieval.sketch import with_sketch


def sketched(draws: bool = True) -> bytes:
    image = Image.new("RGB", (400, 600), "white")
    if draws:
        draw = ImageDraw.Draw(image)
        draw.ellipse((140, 60, 260, 200), outline="black", width=6, fill=(230, 230, 230))
        draw.rectangle((120, 200, 280, 560), outline="black", width=6, fill=(200, 200, 200))
    return to_png(image)


def inputs(png: bytes | None, cast: int = 1) -> PanelInputs:
    roles = tuple(CastRole(f"ch_{n}", f"{n}_s1") for n in range(cast))
    brief = PanelBrief("She runs.", roles, ShotType.FULL, sketch_sha256="s" if png else None)
    members = tuple(
        CastInput(r.character_id, r.appearance_id, "A", "s1", 1.0, {}, (), ()) for r in roles
    )
    return PanelInputs(1, brief, members, pictures={"s": png} if png else {})


def test_the_figure_of_the_sketch_is_seen() -> None:
    asked = with_sketch(inputs(sketched()), load_encoders())
    assert {p.embedding.encoder.name for p in asked.cast[0].seen} == {"house", "palette"}


@pytest.mark.parametrize(
    "given", [inputs(None), inputs(sketched(), 2), inputs(sketched(draws=False))]
)
def test_without_one_clear_figure_nothing_changes(given: PanelInputs) -> None:
    assert with_sketch(given, load_encoders()) is given
    assert with_sketch(replace(given, pictures={}), load_encoders()).cast[0].seen == ()
