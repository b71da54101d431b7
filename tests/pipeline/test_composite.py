"""Composite fingerprints, fused similarities and clusters."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.errors import EncoderMismatch
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey
from pipeline.domain.geometry import Box
from pipeline.fingerprints.cluster import Cluster, Member
from pipeline.fingerprints.composite import (
    Segments,
    encoder_set,
    fingerprint,
    fused_similarity,
    segments_of,
    weight_of,
)
from pipeline.fingerprints.registry import load_encoders

PALETTE = EncoderKey("palette", "aaa", 1)
STRUCTURE = EncoderKey("structure", "bbb", 1)
TRAINED = EncoderKey("house", "ccc", 3)


def at(degrees: float, key: EncoderKey = PALETTE) -> Embedding:
    angle = np.deg2rad(degrees)
    return Embedding(np.array([np.cos(angle), np.sin(angle), 0], np.float32), key)


def seen(palette: float, structure: float | None = None) -> Segments:
    segments = {PALETTE: at(palette)}
    if structure is not None:
        segments[STRUCTURE] = at(structure, STRUCTURE)
    return segments


def person() -> Image.Image:
    image = Image.new("RGBA", (320, 400), (0, 0, 0, 0))
    draw = ImageDraw.Draw(image)
    draw.rounded_rectangle((120, 95, 200, 380), 14, fill="navy")
    draw.ellipse((130, 40, 190, 100), fill="peachpuff", outline="black", width=3)
    return image


def test_every_class_mode_and_encoder_gets_a_fingerprint() -> None:
    encoders = load_encoders()
    prints = fingerprint(person(), ShotType.FULL, encoders)
    kinds = {(p.crop, p.color_mode, p.embedding.encoder.name) for p in prints}
    assert len(prints) == len(kinds) == 3 * 2 * 2
    assert {p.crop for p in fingerprint(person(), ShotType.HEADSHOT, encoders)} == {CropClass.HEAD}


def test_a_bust_that_calls_itself_full_has_no_upper_half() -> None:
    bust = person().crop((0, 0, 320, 130))
    shown = {p.crop for p in fingerprint(bust, ShotType.FULL, load_encoders())}
    assert CropClass.HALF not in shown


def test_without_a_figure_there_is_no_fingerprint_unless_a_box_says_where() -> None:
    rng = np.random.default_rng(1)
    busy = Image.fromarray(rng.integers(0, 255, (200, 160, 3), np.uint8))
    encoders = load_encoders()
    assert fingerprint(busy, ShotType.FULL, encoders) == ()
    assert fingerprint(busy, ShotType.FULL, encoders, Box(20, 20, 90, 180)) != ()


def test_the_encoder_set_is_sorted_and_each_counts_once() -> None:
    assert encoder_set([STRUCTURE, PALETTE, STRUCTURE]) == "palette:aaa:1,structure:bbb:1"
    encoders = load_encoders()
    assert encoder_set(encoders) == encoder_set(list(reversed(encoders)))


def test_fused_is_the_weighted_mean_of_cosines() -> None:
    fused = fused_similarity(seen(0, 0), seen(60, 90))
    assert fused is not None
    assert fused.segments == pytest.approx({"palette": 0.5, "structure": 0.0}, abs=1e-6)
    total = weight_of(PALETTE) + weight_of(STRUCTURE)
    assert fused.similarity == pytest.approx(0.5 * weight_of(PALETTE) / total)


def test_only_what_both_have_counts_and_nothing_shared_is_not_zero() -> None:
    fused = fused_similarity(seen(0, 0), seen(60))
    assert fused is not None
    assert fused.similarity == pytest.approx(0.5)
    assert fused_similarity(seen(0), {TRAINED: at(0, TRAINED)}) is None


def test_vectors_of_two_versions_do_not_meet() -> None:
    newer = EncoderKey("palette", "aaa", 2)
    assert fused_similarity(seen(0), {newer: at(0, newer)}) is None
    with pytest.raises(EncoderMismatch):
        at(0).similarity(at(0, newer))


def test_segments_are_of_one_class_and_mode() -> None:
    encoders = load_encoders()
    prints = fingerprint(person(), ShotType.FULL, encoders)
    segments = segments_of(prints, CropClass.HEAD, ColorMode.GRAYSCALE)
    assert set(segments) == {encoder.key for encoder in encoders}
    assert segments_of(prints[:0], CropClass.HEAD, ColorMode.GRAYSCALE) == {}


def test_a_cluster_names_the_nearest_and_weighs_it_with_the_centroid() -> None:
    cluster = Cluster([Member(1, True, seen(0)), Member(2, True, seen(40))], [PALETTE])
    match = cluster.match(seen(40))
    assert match is not None
    assert match.nearest_reference == 2
    assert match.similarity == pytest.approx(0.6 + 0.4 * np.cos(np.deg2rad(20)), abs=1e-6)
    assert match.segments == pytest.approx({"palette": match.similarity}, abs=1e-6)


def test_one_stray_reference_does_not_move_the_centroid() -> None:
    together = [Member(i, True, seen(i)) for i in range(5)]
    stray = Member(99, True, seen(90))
    with_stray = Cluster([*together, stray], [PALETTE]).match(seen(2))
    without = Cluster(together, [PALETTE]).match(seen(2))
    assert with_stray is not None
    assert without is not None
    assert with_stray.similarity == pytest.approx(without.similarity, abs=2e-3)


def test_derived_references_are_never_nearest_and_pull_only_a_little() -> None:
    canon = [Member(i, True, seen(i)) for i in range(4)]
    drifted = [Member(100 + i, False, seen(60)) for i in range(50)]
    match = Cluster([*canon, *drifted], [PALETTE]).match(seen(60))
    plain = Cluster(canon, [PALETTE]).match(seen(60))
    assert match is not None
    assert plain is not None
    assert match.nearest_reference in range(4)
    assert plain.similarity < match.similarity < plain.similarity + 0.08


def test_derived_references_alone_are_no_cluster() -> None:
    with pytest.raises(ValueError, match="canon"):
        Cluster([Member(1, False, seen(0))], [PALETTE])


def test_members_and_pictures_without_a_vector_are_left_out() -> None:
    cluster = Cluster([Member(1, True, seen(0, 0)), Member(2, True, seen(0))], [PALETTE, STRUCTURE])
    assert len(cluster) == 1
    assert cluster.match(seen(0)) is None


def test_leaving_one_out_never_meets_itself() -> None:
    same = Cluster([Member(i, True, seen(30)) for i in range(5)], [PALETTE])
    assert same.leave_one_out() == pytest.approx(np.ones(5), abs=1e-6)
    apart = Cluster([Member(1, True, seen(0)), Member(2, True, seen(90))], [PALETTE])
    assert apart.leave_one_out() == pytest.approx(np.zeros(2), abs=1e-6)
    with pytest.raises(ValueError, match="two"):
        Cluster([Member(1, True, seen(0))], [PALETTE]).leave_one_out()


def test_leaving_one_out_is_a_match_against_the_others() -> None:
    rng = np.random.default_rng(2)
    members = [
        Member(i, i < 12, seen(float(rng.normal(0, 25)), float(rng.normal(0, 25))))
        for i in range(15)
    ]
    whole = Cluster(members, [PALETTE, STRUCTURE]).leave_one_out()
    canon = [m for m in members if m.canon]
    for i, member in enumerate(canon):
        rest = [m for m in canon if m is not member]
        match = Cluster(rest, [PALETTE, STRUCTURE]).match(member.segments)
        assert match is not None
        assert whole[i] == pytest.approx(match.similarity)
