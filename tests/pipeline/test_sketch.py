"""A sketch becomes what the one character of a panel should look like."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.domain.character import ColorMode, ReferenceKind, ShotType
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey, Fingerprint
from pipeline.domain.inputs import CastInput, PanelInputs, ReferenceInput
from pipeline.domain.panel import CastRole, PanelBrief
from pipeline.fingerprints.registry import load_encoders
from pipeline.imaging.decode import to_png
from pipeline.retrieval.rank import rank_references
from pipeline.retrieval.sketch import with_shown, with_sketch


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


def turned(number: int, angle: float) -> ReferenceInput:
    vector = np.array([np.cos(angle), np.sin(angle)], np.float32)
    one = Embedding(vector, EncoderKey("structure", "aaa", 1))
    return ReferenceInput(
        number, f"{number}", b"", ReferenceKind.POSE, ShotType.FULL, "", f"{number}", True,
        (Fingerprint(CropClass.FIGURE, ColorMode.GRAYSCALE, one),),
    )  # fmt: skip


def test_a_chosen_reference_asks_for_those_that_look_like_it() -> None:
    given = inputs(None)
    references = (turned(1, 0.0), turned(2, 1.5), turned(3, 0.3))
    member = replace(given.cast[0], references=references)
    given = replace(given, cast=(member,), brief=replace(given.brief, lead=(9, 2)))
    asked = with_shown(given, []).cast[0]
    ranked = rank_references(asked, shot_type=ShotType.FULL)
    assert [r.reference.reference_id for r in ranked] == [2, 3, 1]
    assert "nearest to reference 2 (1.00)" in ranked[0].why
    assert "reference 2 0.36" in ranked[1].why


def test_a_sketch_counts_before_a_chosen_reference_and_nobody_elses_choice_counts() -> None:
    given = inputs(sketched())
    member = replace(given.cast[0], references=(turned(1, 0.0),))
    given = replace(given, cast=(member,), brief=replace(given.brief, lead=(1,)))
    assert with_shown(given, load_encoders()).cast[0].seen != member.references[0].fingerprints
    other = replace(given, pictures={}, brief=replace(given.brief, lead=(7,)))
    assert with_shown(other, []).cast == other.cast
