"""Not knowing: what cannot be seen, what other references might have said, and the words for it."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from bot.bench.spoiled import KINDS, spoil
from pipeline.domain.character import ReferenceKind, ShotType
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.domain.quality import CharacterCheck, Verdict
from pipeline.fingerprints.cluster import Cluster, Member
from pipeline.imaging.crops import find_figure
from pipeline.quality.certainty import certainty_of
from pipeline.quality.sight import doubtful, sight_of

A, B = EncoderKey("palette", "a", 3), EncoderKey("structure", "b", 3)


def person() -> Image.Image:
    image = Image.new("RGBA", (300, 460))
    draw = ImageDraw.Draw(image)
    draw.rectangle((85, 200, 215, 450), fill="navy")
    draw.ellipse((70, 30, 230, 220), fill=(250, 214, 180))
    draw.pieslice((64, 20, 236, 200), 180, 360, fill=(60, 30, 20))
    for eye in (115, 165):
        draw.ellipse((eye, 118, eye + 22, 140), fill="black")
        draw.line((eye - 4, 106, eye + 26, 102), fill="black", width=5)
    draw.line((150, 140, 143, 165, 153, 167), fill=(150, 90, 60), width=4)
    draw.arc((115, 150, 185, 195), 20, 160, fill=(150, 40, 40), width=7)
    return image


def member(angle: str = "front") -> CastInput:
    reference = ReferenceInput(
        1, "0" * 64, b"", ReferenceKind.POSE, ShotType.HALF, angle, "", True, ()
    )
    return CastInput("ch_a", "a_1", "Akira", "school", 1.0, {}, (), (reference,))


def check(verdict: Verdict = Verdict.OFF_MODEL, similarity: float = 0.4) -> CharacterCheck:
    return CharacterCheck(
        "ch_a", "a_1", verdict, "measured", similarity, 0.7, CropClass.HEAD, interval=(0.35, 0.45)
    )


def seen(image: Image.Image, verdict: Verdict = Verdict.OFF_MODEL, angle: str = "front"):
    figure = find_figure(image)
    assert figure is not None
    return doubtful(check(verdict), member(angle), image, figure)


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "tiny"])
def test_what_does_not_show_is_not_judged(kind):
    spoiled = spoil(person(), kind)
    assert spoiled is not None
    found = seen(spoiled)
    assert found.verdict is Verdict.CANNOT_JUDGE
    assert "Akira" in found.reason
    assert "let a person decide" in found.reason.lower()


def test_what_shows_is_judged_as_before():
    for verdict in (Verdict.ON_MODEL, Verdict.OFF_MODEL):
        assert seen(person(), verdict).verdict is verdict


def test_a_back_is_judged_where_a_reference_shows_the_back():
    behind = spoil(person(), "from_behind")
    assert behind is not None
    assert "Add a reference of this angle (back)" in seen(behind).reason
    assert seen(behind, angle="back").verdict is Verdict.OFF_MODEL
    assert seen(behind, Verdict.ON_MODEL).verdict is Verdict.CANNOT_JUDGE, "never a pass"


def test_a_close_up_that_fits_may_be_cut():
    image = person().crop((0, 60, 300, 460))
    assert seen(image, Verdict.ON_MODEL).verdict is Verdict.ON_MODEL
    assert "cuts Akira's head off" in seen(image).reason


def test_what_was_not_compared_stays_as_it_is():
    unknown = CharacterCheck("ch_a", "a_1", Verdict.CANNOT_JUDGE, "No limit.")
    figure = find_figure(person())
    assert figure is not None
    assert doubtful(unknown, member(), person(), figure) is unknown


def test_a_hidden_half_of_the_head_widens_the_interval():
    image = person()
    figure = find_figure(image)
    assert figure is not None
    whole = doubtful(check(), member(), image, figure).interval
    assert whole is not None
    sight = sight_of(image, figure)
    assert 0.8 < sight.visible <= 1.0
    assert whole[0] <= 0.35
    assert whole[1] >= 0.45


# --- certainty ------------------------------------------------------------------------------------


def near(base: int, away: float, key: EncoderKey, rng: np.random.Generator) -> Embedding:
    vector = np.zeros(12)
    vector[base] = 1.0
    vector = vector + away * rng.normal(size=12)
    return Embedding((vector / np.linalg.norm(vector)).astype(np.float32), key)


def cluster(rng: np.random.Generator, count: int, away: float) -> Cluster:
    members = [
        Member(n, True, {A: near(0, away, A, rng), B: near(1, away, B, rng)}) for n in range(count)
    ]
    return Cluster(members, [A, B])


def test_scattered_references_make_less_certain_than_even_ones():
    rng = np.random.default_rng(2)
    picture = {A: near(0, 0.05, A, rng), B: near(1, 0.05, B, rng)}
    even = certainty_of(cluster(rng, 8, 0.03), picture)
    scattered = certainty_of(cluster(rng, 8, 0.25), picture)
    assert even.spread < scattered.spread
    low, high = scattered.interval(0.8)
    assert low < 0.8 < high
    assert high - low == pytest.approx(2 * 1.645 * scattered.spread)


def test_encoders_that_disagree_make_less_certain():
    rng = np.random.default_rng(3)
    known = cluster(rng, 8, 0.1)
    agreed = certainty_of(known, {A: near(0, 0.1, A, rng), B: near(1, 0.1, B, rng)})
    torn = certainty_of(known, {A: near(0, 0.1, A, rng), B: near(5, 0.1, B, rng)})
    assert torn.conflict > 3 > agreed.conflict
    assert torn.spread > agreed.spread


def test_a_picture_is_judged_the_same_every_time():
    rng = np.random.default_rng(4)
    known = cluster(rng, 5, 0.1)
    picture = {A: near(0, 0.1, A, rng), B: near(1, 0.1, B, rng)}
    assert certainty_of(known, picture) == certainty_of(known, picture)


def test_an_interval_ends_where_cosines_end():
    rng = np.random.default_rng(5)
    known = cluster(rng, 4, 0.5)
    found = certainty_of(known, {A: near(9, 0.5, A, rng), B: near(8, 0.5, B, rng)})
    assert found.interval(0.999)[1] == 1.0
