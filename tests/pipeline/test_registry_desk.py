"""Vocabulary, suggestions from art, proposals for splits, marks, printed sheets."""

import io
from datetime import UTC, datetime

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from pypdf import PdfReader

from bot.demo.material import load_material
from bot.services.edits import LookEdit, checked_palette, parse_range
from pipeline.domain import vocabulary
from pipeline.domain.character import (
    Appearance,
    ColorMode,
    Mark,
    ReferenceKind,
    ShotType,
    StoryPoint,
    appearance_at,
)
from pipeline.domain.errors import InvalidInput, MissingReference
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey, Fingerprint
from pipeline.domain.geometry import Box, Size
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.domain.vocabulary import (
    COLOR_SLOTS,
    checked_components,
    color_of,
    parse_components,
    version_of,
)
from pipeline.fingerprints.registry import load_encoders
from pipeline.imaging.color_names import lab_of, nearest_name
from pipeline.imaging.cutout import cut_out
from pipeline.imaging.decode import to_png
from pipeline.imaging.masks import find_figure
from pipeline.quality.sheet import model_sheet
from pipeline.quality.sheet_marks import RING
from pipeline.quality.sheet_pdf import Paper, sheet_pdf
from pipeline.registry.clusters import propose_split
from pipeline.registry.marks import checked_box, mark_prints
from pipeline.registry.suggest import agreed, suggest_angle, suggest_components

NOW = datetime(2031, 1, 1, tzinfo=UTC)


# --- vocabulary ---------------------------------------------------------------------------


def test_components_of_the_source_are_taken_as_they_stand():
    text = "hair_color=navy, eye_color=amber, accessory=ribbon_red, prop=katana_v2"
    given_components = parse_components(text)
    assert given_components == {
        "hair_color": "navy", "eye_color": "amber", "accessory": "ribbon_red", "prop": "katana_v2",
    }  # fmt: skip
    assert checked_components(given_components) == given_components
    assert version_of("katana_v2") == ("katana", 2)
    assert version_of("katana") == ("katana", 1)


def test_words_that_people_use_lead_to_the_one_spelling():
    assert parse_components("Hair colour = Light Blue; eyes=#A0B0C0") == {
        "hair_color": "light_blue", "eye_color": "#a0b0c0",
    }  # fmt: skip
    assert parse_components("accessory=coffee, three curls of steam, top=") == {
        "accessory": "coffee, three curls of steam", "top": "",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "advice"),
    [
        ("hair_colr=navy", "hair_color"),
        ("hair_color=navvy", "navy"),
        ("navy", "slot=value"),
        ("skin=#12", "#rrggbb"),
        (f"top={'x' * 81}", "80 characters"),
    ],
)
def test_what_is_no_word_is_refused_with_the_nearest(text, advice):
    with pytest.raises(InvalidInput, match=advice):
        parse_components(text)


def test_too_many_and_doubled_components_are_refused():
    with pytest.raises(InvalidInput, match="twice"):
        checked_components({"hair": "navy", "hair_color": "black"})
    with pytest.raises(InvalidInput, match="24"):
        checked_components({f"s{n}": "x" for n in range(25)})


def test_every_named_colour_has_a_place_in_lab_and_is_nearest_to_itself():
    for slot, names in COLOR_SLOTS.items():
        for name, code in names.items():
            color = color_of(slot, name)
            assert color is not None
            lightness, a, b = lab_of(color)
            assert 0 <= lightness <= 100.01
            assert max(abs(a), abs(b)) < 128
            nearest, far = nearest_name(slot, code)
            assert nearest == vocabulary.NamedColor(name, code)
            assert far < 1e-3
    assert color_of("top", "navy") is None
    assert color_of("skin", "#ABCDEF") == vocabulary.NamedColor("#abcdef", "#abcdef")


@given(st.dictionaries(st.text(max_size=12), st.text(max_size=12), max_size=4))
def test_what_was_checked_once_stays_as_it_is(components):
    try:
        once = checked_components(components)
    except InvalidInput:
        return
    assert checked_components(once) == once


# --- places of the story ------------------------------------------------------------------


def look(number, start=None, end=None, version=1):
    return Appearance(
        number, 1, 1, f"a_{number}", "x", valid_from=start, valid_to=end, version=version
    )


def test_the_look_of_a_chapter_is_the_one_that_began_last():
    everyday = look(1)
    winter = look(2, StoryPoint(3, 1), StoryPoint(5, 20))
    scene = look(3, StoryPoint(4, 6), StoryPoint(4, 9))
    looks = [everyday, winter, scene]
    at = {
        p: appearance_at(looks, StoryPoint(*p)) for p in [(1, 1), (3, 1), (4, 6), (4, 10), (6, 1)]
    }
    assert [a.id for a in at.values() if a] == [1, 2, 3, 2, 1]
    assert appearance_at([winter], StoryPoint(1, 1)) is None
    assert appearance_at([look(1), look(2, version=2)], StoryPoint(1, 1)) == look(2, version=2)


@pytest.mark.parametrize(
    ("text", "start", "end"),
    [
        ("2-4", (2, 1), (4, 9999)),
        ("2:5-3:1", (2, 5), (3, 1)),
        ("3-", (3, 1), None),
        ("-2", None, (2, 9999)),
        ("4", (4, 1), (4, 9999)),
        ("all", None, None),
    ],
)
def test_ranges_as_people_type_them(text, start, end):
    assert parse_range(text) == (start, end)


@pytest.mark.parametrize("text", ["4-2", "x", "1:0", "0-2", "2:5-2:4", "1-2-3"])
def test_ranges_that_are_none(text):
    with pytest.raises(InvalidInput):
        parse_range(text)


def test_suggestions_become_facts_only_when_a_person_takes_them():
    art = Appearance(1, 1, 1, "a", "A", {"skin": "fair"}, suggested={"skin": "tan", "top": "red"})
    assert LookEdit(notes="n").applied(art).suggested == art.suggested
    taken = LookEdit(take_suggestions=True).applied(art)
    assert taken.components == {"skin": "fair", "top": "red"}
    assert taken.suggested == {}
    dropped = LookEdit(drop_suggestions=True).applied(art)
    assert (dropped.components, dropped.suggested) == ({"skin": "fair"}, {})
    with pytest.raises(InvalidInput):
        checked_palette(["red"])


# --- suggestions --------------------------------------------------------------------------


def figure(hair="#6a4630", skin="#f7dfc8", top="#3a67c8"):
    image = Image.new("RGBA", (300, 700))
    draw = ImageDraw.Draw(image)
    draw.ellipse((80, 20, 220, 180), fill=skin, outline="black", width=4)
    draw.pieslice((76, 14, 224, 150), 180, 360, fill=hair)
    draw.rectangle((70, 185, 230, 420), fill=top, outline="black", width=4)
    draw.rectangle((90, 420, 140, 690), fill="black")
    draw.rectangle((160, 420, 210, 690), fill="black")
    return image


def test_colours_of_hair_skin_and_top_are_read_from_a_figure():
    image = figure()
    found = find_figure(image)
    assert found is not None
    assert suggest_components(image, found) == {
        "hair_color": "brown", "skin": "fair", "top": "blue",
    }  # fmt: skip


def test_registered_art_of_the_demo_says_what_its_people_said():
    """Hair and skin of the people in the demo's cast, within the neighbouring name."""
    near = {"grey": {"grey", "silver"}, "fair": {"fair", "light"}, "tan": {"tan", "olive"}}
    for character in load_material().characters[:4]:
        outfit = character.appearances[0]
        guesses = []
        for upload in outfit.references[:6]:
            image = Image.open(io.BytesIO(upload.data)).convert("RGBA")
            found = find_figure(image)
            assert found is not None
            guesses.append(suggest_components(image, found))
        said = agreed(guesses)
        for slot in ("hair_color", "skin"):
            told = outfit.components[slot]
            assert said[slot] in near.get(told, {told}), (character.name, slot)


def test_without_a_majority_nothing_is_suggested():
    assert agreed([{"skin": "fair"}, {"skin": "tan"}]) == {}
    assert agreed([{"skin": "fair"}, {"skin": "fair"}, {}]) == {"skin": "fair"}
    assert agreed([]) == {}


def test_angles_follow_how_far_a_head_is_turned():
    assert [suggest_angle(f) for f in (0.0, -0.1, 0.3, -0.3, 0.8)] == [
        "front", "front", "three_quarter", "three_quarter", "side",
    ]  # fmt: skip
    assert suggest_angle(cut_out(to_png(figure())).facing) == "front"


# --- splits -------------------------------------------------------------------------------


def fingerprints(direction, seed, crops=tuple(CropClass)):
    rng, base = np.random.default_rng(seed), np.random.default_rng(direction)
    out = []
    for crop in crops:
        v = base.standard_normal(24) + 0.4 * rng.standard_normal(24)
        v = (v / np.linalg.norm(v)).astype(np.float32)
        key = EncoderKey("palette", "aa", 1)
        out.append(Fingerprint(crop, ColorMode.COLOR, Embedding(v, key)))
    return out


@given(st.lists(st.booleans(), min_size=6, max_size=14).filter(lambda s: 2 <= sum(s) <= len(s) - 2))
def test_two_outfits_are_told_apart_however_they_are_mixed(sides):
    known = {n + 1: fingerprints(900 + side, n) for n, side in enumerate(sides)}
    found = propose_split(known, list(known))
    one = {n + 1 for n, side in enumerate(sides) if side}
    assert set(found.go) in (one, set(known) - one)
    assert len(found.stay) >= len(found.go)
    assert found.silhouette > 0.3


def test_pictures_without_a_figure_stay_and_too_few_say_so():
    known = {n: fingerprints(n % 2, n) for n in range(1, 7)}
    found = propose_split(known, [*known, 99])
    assert found.unplaced == (99,)
    with pytest.raises(MissingReference):
        propose_split({1: known[1], 2: known[2]}, [1, 2, 3])


def test_one_outfit_has_no_clear_groups():
    known = {n: fingerprints(5, n) for n in range(1, 9)}
    assert propose_split(known, list(known)).silhouette < 0.25


# --- marks and paper ----------------------------------------------------------------------


def test_a_mark_has_a_fingerprint_of_its_region_only():
    plain, scarred = figure(), figure()
    ImageDraw.Draw(scarred).line((110, 60, 140, 110), fill="red", width=9)
    box, elsewhere = Box(100, 50, 150, 120), Box(90, 300, 140, 350)
    encoders = load_encoders(("palette", "structure"))
    changed = zip(
        mark_prints(plain, box, encoders), mark_prints(scarred, box, encoders), strict=True
    )
    assert min(a.similarity(b) for (_, a), (_, b) in changed) < 0.97
    same = zip(
        mark_prints(plain, elsewhere, encoders), mark_prints(scarred, elsewhere, encoders),
        strict=True,
    )  # fmt: skip
    assert all(a.similarity(b) > 0.9999 for (_, a), (_, b) in same)


@pytest.mark.parametrize("box", [(0, 0, 101, 50), (-1, 0, 50, 50), (5, 5, 6, 60), (9, 9, 3, 3)])
def test_a_region_lies_inside_its_picture(box):
    with pytest.raises(InvalidInput):
        checked_box(Box(*box), Size(100, 100))


def member(marks=()):
    reference = ReferenceInput(
        7, "0" * 64, to_png(figure()), ReferenceKind.POSE, ShotType.FULL, "front", "neutral", True,
        (),
    )  # fmt: skip
    return CastInput(
        "ch_a", "a_x", "Akira", "Everyday", 1.0, {}, ("#3a67c8",), (reference,), marks=tuple(marks)
    )


def test_the_sheet_rings_and_names_marks():
    scar = Mark(1, 1, 7, "scar", "left", Box(110, 60, 150, 110), "thin")
    bare = Image.open(io.BytesIO(model_sheet(member(), "")))
    marked = Image.open(io.BytesIO(model_sheet(member([scar]), "")))
    assert marked.height > bare.height + 200
    assert RING not in set(bare.convert("RGB").get_flattened_data())
    assert RING in set(marked.convert("RGB").get_flattened_data())


@pytest.mark.parametrize("paper", list(Paper))
def test_the_sheet_fits_one_page_of_paper(paper):
    png = model_sheet(member(), "Notes.")
    data = sheet_pdf(png, "Model sheet: Akira", paper)
    reader = PdfReader(io.BytesIO(data))
    (page,) = reader.pages
    sides = sorted(round(float(v) / 72 * 25.4) for v in page.mediabox[2:])
    assert sides == ([210, 297] if paper is Paper.A4 else [297, 420])
    assert reader.metadata is not None
    assert reader.metadata.title == "Model sheet: Akira"
    (image,) = page.images
    sheet = Image.open(io.BytesIO(png))
    assert image.image is not None
    assert image.image.size == sheet.size
    assert sheet_pdf(png, "Model sheet: Akira", paper) == data
