"""The model sheet shows all that is registered, at one scale, whatever the mix."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.domain.character import ReferenceKind, ShotType
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.imaging.decode import load_canonical, to_png
from pipeline.imaging.typeset import TextStyle, parse_color, shortened, width_of, wrapped
from pipeline.quality.lineup import line_up
from pipeline.quality.sheet import WIDTH, model_sheet

COAT = (120, 60, 160)


def person(shot: ShotType, scale: float = 1.0) -> bytes:
    image = Image.new("RGBA", (240, 760), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.ellipse((65, 5, 175, 125), fill=(235, 190, 160))
    draw.rectangle((105, 115, 135, 150), fill=(235, 190, 160))
    draw.rounded_rectangle((40, 145, 200, 430), 40, fill=COAT)
    draw.rectangle((60, 410, 110, 740), fill=(40, 40, 60))
    draw.rectangle((130, 410, 180, 740), fill=(40, 40, 60))
    draw.ellipse((45, 725, 112, 758), fill=(30, 20, 20))
    draw.ellipse((128, 725, 195, 758), fill=(30, 20, 20))
    below = {ShotType.HEADSHOT: 220, ShotType.HALF: 400}.get(shot, 760)
    image = image.crop((0, 0, 240, below))
    return to_png(image.resize((round(240 * scale), round(below * scale))))


def reference(number: int, shot: ShotType, scale: float = 1.0) -> ReferenceInput:
    return ReferenceInput(
        number, f"{number:064d}", person(shot, scale), ReferenceKind.POSE, shot, "front",
        f"mood {number}", True, (),
    )  # fmt: skip


def cast(*references: ReferenceInput) -> CastInput:
    return CastInput(
        "ch_ada", "ada_work", "Ada", "Work coat", 1.0, {"coat": "violet", "hair_color": "none"},
        ("#783ca0", "#28283c", "#ebbea0"), references,
    )  # fmt: skip


def sheet(
    item: CastInput, notes: str = "", heights: tuple[tuple[str, float], ...] = ()
) -> np.ndarray:
    return np.asarray(load_canonical(model_sheet(item, notes, heights))).astype(int)


def columns_of(picture: np.ndarray, color: tuple[int, int, int]) -> np.ndarray:
    return np.abs(picture - np.array(color)).max(axis=2) <= 5


def runs(flags: np.ndarray) -> int:
    return int(flags[0]) + int((np.diff(flags.astype(int)) == 1).sum())


@pytest.mark.parametrize("count", [0, 1, 2, 7, 20])
@pytest.mark.parametrize("mix", ["full", "head", "all"])
def test_any_number_and_mix(count: int, mix: str) -> None:
    shots = {"full": [ShotType.FULL], "head": [ShotType.HEADSHOT], "all": list(ShotType)}[mix]
    item = cast(*(reference(k, shots[k % len(shots)]) for k in range(count)))
    picture = sheet(item)
    assert picture.shape[1] == WIDTH
    if count:
        assert columns_of(picture, COAT).sum() > 3000 * count


def test_every_full_figure_is_there_at_one_scale_on_one_ground() -> None:
    item = cast(*(reference(k, ShotType.FULL, scale) for k, scale in enumerate((1.0, 0.5, 2.0))))
    item = replace(item, palette=())
    coats = columns_of(sheet(item), COAT)
    columns = coats.any(axis=0)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], columns.astype(int), [0]])))
    spans = edges.reshape(-1, 2)
    assert len(spans) == 3
    heights = [int(np.ptp(np.flatnonzero(coats[:, a:b].any(axis=1)))) for a, b in spans]
    assert max(heights) - min(heights) <= 0.05 * max(heights)
    bottoms = [int(np.flatnonzero(coats[:, a:b].any(axis=1)).max()) for a, b in spans]
    assert max(bottoms) - min(bottoms) <= 8


def test_palette_swatches_show_the_registered_colours() -> None:
    item = replace(cast(), palette=("#12c8a0", "#f0e010", "not a colour"))
    picture = sheet(item)
    for color in ((0x12, 0xC8, 0xA0), (0xF0, 0xE0, 0x10)):
        assert columns_of(picture, color).sum() > 10_000


def test_missing_palette_components_and_notes_are_said() -> None:
    bare = replace(cast(), palette=(), components={})
    assert sheet(bare).shape[0] < 900
    assert (sheet(bare) != 252).any()


def test_long_words_stay_inside_the_frame() -> None:
    item = replace(
        cast(reference(0, ShotType.FULL)),
        name="Wolfeschlegelsteinhausenbergerdorff the Younger of Upper Lower Saxony " * 2,
        label="L" * 300,
        character_id="ch_" + "x" * 200,
        components={"k" * 90: "v" * 300},
    )
    picture = sheet(item, notes="w" * 2000)
    right = picture[20:-20, WIDTH - 50 : WIDTH - 20]
    assert (right == right[0, 0]).all()


def test_heights_appear_only_for_more_than_one() -> None:
    item = cast(reference(0, ShotType.FULL))
    alone, two = (
        sheet(item, heights=(("Ada", 1.0),)),
        sheet(item, heights=(("Ada", 1), ("Bo", 0.5))),
    )
    assert two.shape[0] > alone.shape[0] + 300


def test_the_line_up_is_sorted_short_and_holds_the_own_character() -> None:
    many = [(f"C{k}", 0.5 + k / 40) for k in range(40)]
    shown = line_up("C17", [*many, ("broken", 0.0)])
    assert len(shown) <= 12
    assert ("C17", 0.5 + 17 / 40) in shown
    assert shown == sorted(shown, key=lambda item: item[1])


def test_same_sheet_same_bytes() -> None:
    item = cast(reference(0, ShotType.HALF))
    assert model_sheet(item, "x") == model_sheet(item, "x")


def test_text_fits_what_it_was_given() -> None:
    style = TextStyle(30)
    lines = wrapped("a few words and " + "x" * 200 + " end", style, 300)
    assert all(width_of(line, style) <= 300 for line in lines)
    assert wrapped("one two three four five six", style, 120, most=2)[-1].endswith("…")
    assert shortened("short", style, 300) == "short"
    assert wrapped("", style, 100) == []


@pytest.mark.parametrize(
    ("text", "color"), [("#0a1Bff", (10, 27, 255)), ("#fff", None), ("#gggggg", None), ("", None)]
)
def test_colours_are_read_or_refused(text: str, color: tuple[int, int, int] | None) -> None:
    assert parse_color(text) == color
