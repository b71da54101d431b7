"""What a picture is like, measured on pictures whose answer is plain."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.domain.character import ColorMode
from pipeline.domain.errors import InvalidPicture
from pipeline.domain.fingerprint import PictureHashes
from pipeline.domain.geometry import Box, Size
from pipeline.domain.panel import Candidate
from pipeline.domain.quality import CandidateReport, CharacterCheck, JudgedCandidate, Verdict
from pipeline.domain.taste import Trait
from pipeline.fingerprints.registry import load_encoders
from pipeline.taste.traits import described, traits_of

ENCODERS = load_encoders(("palette",))
SIZE = (160, 120)
MIDDLE = Box(60, 20, 100, 110)


def judged(colour, box=MIDDLE, verdict=Verdict.ON_MODEL, lines=0, mode="RGB"):
    image = Image.new(mode, SIZE, colour)
    draw = ImageDraw.Draw(image)
    for n in range(lines):
        draw.line((0, n * 6, 160, n * 6), fill="black")
    file = io.BytesIO()
    image.save(file, "PNG")
    check = CharacterCheck("ch_a", "a_x", verdict, "", 0.8, 0.7, box=box)
    report = CandidateReport(verdict, (check,), margin=0.1)
    return JudgedCandidate(
        Candidate(file.getvalue(), Size(*SIZE)), PictureHashes("t", 1, 2, 3), report
    )


def named(*args, **options):
    return traits_of(judged(*args, **options), ENCODERS[0], ColorMode.COLOR).named


@pytest.mark.parametrize(
    ("trait", "more", "less"),
    [
        (Trait.LIGHTNESS, {"colour": "white"}, {"colour": "black"}),
        (Trait.WARMTH, {"colour": "orange"}, {"colour": "steelblue"}),
        (Trait.COLOURFULNESS, {"colour": "red"}, {"colour": "rosybrown"}),
        (Trait.CONTRAST, {"colour": "white", "lines": 10}, {"colour": "white"}),
        (Trait.DETAIL, {"colour": "white", "lines": 20}, {"colour": "white", "lines": 4}),
        (Trait.CLOSENESS, {"colour": "white"}, {"colour": "white", "box": Box(60, 80, 100, 110)}),
        (Trait.CENTRED, {"colour": "white"}, {"colour": "white", "box": Box(0, 20, 40, 110)}),
    ],
)
def test_each_trait_grows_with_what_it_is_named_after(trait, more, less):
    assert named(**more)[trait] > named(**less)[trait] + 0.02


def test_every_trait_has_a_value_and_the_vector_is_the_encoders():
    found = traits_of(judged("teal"), ENCODERS[0], ColorMode.COLOR)
    assert set(found.named) == set(Trait)
    assert found.named[Trait.LIKENESS] == 0.1
    assert found.source == str(ENCODERS[0].key)
    assert found.vector.shape == (ENCODERS[0].dimensions,)
    assert np.linalg.norm(found.vector) == pytest.approx(1, abs=1e-3)


def test_what_is_see_through_is_laid_on_the_usual_ground():
    clear = traits_of(judged((255, 0, 0, 0), mode="RGBA"), ENCODERS[0], ColorMode.COLOR)
    assert clear.named[Trait.COLOURFULNESS] < 0.01


def test_only_what_people_may_vote_on_is_described():
    passed, failed = judged("teal"), judged("teal", verdict=Verdict.OFF_MODEL)
    found = described([passed, failed], ENCODERS, ColorMode.COLOR)
    assert [one.traits is not None for one in found] == [True, False]
    assert described([passed], (), ColorMode.COLOR)[0].traits is None


def test_damaged_bytes_are_refused():
    broken = judged("teal")
    broken = JudgedCandidate(Candidate(b"no picture", Size(8, 8)), broken.hashes, broken.report)
    with pytest.raises(InvalidPicture):
        described([broken], ENCODERS, ColorMode.COLOR)
