"""The cast that the house generator learns from: seeded, apart from what is measured, in words."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from random import Random

import numpy as np
import pytest

pytest.importorskip("dicebear", reason="nothing here draws characters")

from pipeline.domain.geometry import Size
from pipeline.domain.vocabulary import COLOR_SLOTS, FREE_SLOTS, checked_components
from pipeline.training.dicebear import STYLES as LICENSED
from pipeline.training.generator.album import KINDS, open_album, size_of
from pipeline.training.generator.cast import (
    HELD_OUT_FROM,
    HELD_OUT_STYLES,
    STYLES,
    Casting,
)
from pipeline.training.generator.plan import CPU, GPU, TOY
from pipeline.training.generator.scenes import Actor, make_panel, reference_view

SMALL = replace(TOY, identities=6)


def test_identities_are_decided_by_seed_and_number() -> None:
    one, two = (Casting("adventurer", 7).identity(3) for _ in range(2))
    assert one == two
    assert one != Casting("adventurer", 8).identity(3)
    pictures = [
        np.asarray(Casting("adventurer", 7).variant(one, which, 64).image) for which in (0, 0, 1)
    ]
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[0] != pictures[2]).any()


@pytest.mark.parametrize("style", ["big-smile", "personas"])
def test_held_out_identities_look_like_nobody_that_is_learned(style: str) -> None:
    """Styles with few parts, in which two numbers could easily be one person."""
    casting = Casting(style, TOY.seed)
    learned = {casting.identity(n).key for n in range(400)}
    held = {casting.identity(HELD_OUT_FROM + n).key for n in range(100)}
    assert not learned & held
    assert len(held) > 90


def test_held_out_styles_are_in_no_plan() -> None:
    assert not set(STYLES) & set(HELD_OUT_STYLES)
    assert len(HELD_OUT_STYLES) == 2
    for plan in (TOY, CPU, GPU):
        assert 1 <= plan.styles <= len(STYLES)
    assert all(LICENSED[style].startswith("CC") for style in STYLES)


@pytest.mark.parametrize("style", STYLES)
def test_words_are_those_of_the_registry(style: str) -> None:
    casting = Casting(style, 1)
    for number in range(6):
        variant = casting.variant(casting.identity(number), 1, 32)
        assert checked_components(variant.components) == variant.components
        for slot, value in variant.components.items():
            if slot in COLOR_SLOTS:
                assert value in COLOR_SLOTS[slot]
            else:
                assert slot in FREE_SLOTS


def test_a_lookalike_differs_in_exactly_one_thing() -> None:
    casting = Casting("adventurer", 1)
    kinds = Counter()
    for number in range(30):
        identity = casting.identity(number)
        other = casting.lookalike(identity, Random(number))
        shapes = [n for n in identity.parts if identity.parts[n] != other.parts[n]]
        hues = [n for n in identity.colours if identity.colours[n] != other.colours[n]]
        assert len(shapes) + len(hues) == 1
        kinds["shape" if shapes else "hue"] += 1
    assert len(kinds) == 2


def test_prompts_are_the_products_own_and_plain_ones_tell_no_looks() -> None:
    casting = Casting("personas", 5)
    identity = casting.identity(2)
    variant = casting.variant(identity, 1, 64)
    panel = make_panel([Actor(identity, variant)], Size(32, 32), Random(3))
    assert "comic panel" in panel.prompt
    assert f"{identity.name} (" in panel.prompt
    assert f"{identity.name} (" not in panel.plain
    colour = variant.components["hair_color"].replace("_", " ")
    assert f"{colour} hair" in panel.prompt
    assert f"{colour} hair" not in panel.plain
    assert panel.image.size == (32, 32)


def test_a_pair_stands_side_by_side() -> None:
    casting = Casting("open-peeps", 5)
    cast = [casting.identity(n) for n in (1, 2)]
    actors = [Actor(one, casting.variant(one, 0, 64)) for one in cast]
    both = np.asarray(make_panel(actors, Size(48, 32), Random(1), ground="yellow").image)
    swapped = np.asarray(make_panel(actors[::-1], Size(48, 32), Random(1), ground="yellow").image)
    assert (both[:, :24] != swapped[:, :24]).any()
    assert (both.max(axis=2).min(axis=0) < 128)[4:20].any()
    assert (both.max(axis=2).min(axis=0) < 128)[28:44].any()


def test_a_reference_is_cut_tight_on_white() -> None:
    casting = Casting("open-peeps", 5)
    view = reference_view(casting.variant(casting.identity(1), 0, 128).image, 64)
    pixels = np.asarray(view)
    dark = pixels.min(axis=2) < 200
    assert view.size == (64, 64)
    assert dark.any(axis=1).sum() >= 60 or dark.any(axis=0).sum() >= 60
    assert (pixels[0, 0] > 250).all()


def test_the_album_is_the_same_however_many_draw_it(tmp_path: Path) -> None:
    albums = [
        open_album(tmp_path / str(workers), SMALL, workers=workers, tell=lambda _line: None)
        for workers in (1, 2)
    ]
    one, two = albums
    assert (np.asarray(one.references) == np.asarray(two.references)).all()
    assert (one.looks == two.looks).all()
    for mine, theirs in zip(one.chapters, two.chapters, strict=True):
        assert mine.prompts == theirs.prompts
        assert (np.asarray(mine.pixels) == np.asarray(theirs.pixels)).all()
        assert (mine.drawings == theirs.drawings).all()


def test_an_album_of_another_plan_is_drawn_anew(tmp_path: Path) -> None:
    told: list[str] = []
    open_album(tmp_path, SMALL, workers=1, tell=told.append)
    first = len(told)
    open_album(tmp_path, SMALL, workers=1, tell=told.append)
    assert len(told) == first
    album = open_album(tmp_path, replace(SMALL, seed=21), workers=1, tell=told.append)
    assert len(told) > first
    assert json.loads((tmp_path / "album.json").read_text())["plan"]["seed"] == 21
    drawings = SMALL.styles * SMALL.identities * SMALL.variants
    assert len(album.references) == drawings
    square = album.chapters[0]
    assert square.kind == "square"
    assert len(square.pixels) == drawings
    pair = album.chapters[KINDS.index("pair")]
    who = pair.drawings // SMALL.variants
    assert (who[:, 0] != who[:, 1]).all()


@pytest.mark.parametrize("side", [32, 64, 128])
def test_sizes_suit_three_levels_of_a_grid_of_four_pixels(side: int) -> None:
    for kind in KINDS:
        assert all(edge % 16 == 0 for edge in size_of(kind, side))
