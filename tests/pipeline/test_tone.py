"""Colours beside the page: a shift of saturation is told, another scene is not."""

from dataclasses import replace
from io import BytesIO

import pytest
from PIL import Image, ImageDraw, ImageEnhance

from pipeline.domain.geometry import Size
from pipeline.domain.panel import Candidate
from pipeline.domain.quality import (
    CandidateReport,
    JudgedCandidate,
    PageTone,
    ToneFault,
    Verdict,
)
from pipeline.fingerprints.hashes import picture_hashes
from pipeline.prompting.drift import catalogue
from pipeline.quality.tone import (
    BEYOND,
    MODES,
    beside_page,
    mode_beside,
    on_page,
    page_tones,
    tone_of,
    tone_words,
)

GROUNDS = ((226, 214, 190), (196, 214, 228), (208, 224, 204))


def panel(number: int, saturation: float = 1.0) -> Image.Image:
    """A person in a blue coat somewhere in a room of its own; every panel another room."""
    image = Image.new("RGB", (320, 240), GROUNDS[number % 3])
    draw = ImageDraw.Draw(image)
    x = 40 + 60 * (number % 4)
    draw.rectangle((0, 200, 320, 240), fill=(150 - 20 * (number % 3), 120, 96))
    draw.rectangle((x, 110, x + 90, 240), fill=(56, 92, 168))
    draw.ellipse((x + 10, 40, x + 80, 120), fill=(240, 200, 170))
    draw.pieslice((x + 5, 30, x + 85, 120), 180, 360, fill=(96, 56, 30))
    return ImageEnhance.Color(image).enhance(saturation)


PAGE = [tone_of(panel(number)) for number in (1, 2, 3)]


@pytest.mark.parametrize("number", range(4, 10))
def test_another_room_is_no_fault(number):
    found = beside_page(tone_of(panel(number)), PAGE)
    assert found is not None
    assert found.fault is None
    assert tone_words(found) == ""
    assert found.factor == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize(
    ("saturation", "fault"),
    [(2.0, ToneFault.STRONGER), (0.5, ToneFault.PALER), (0.35, ToneFault.PALER)],
)
@pytest.mark.parametrize("panels", [1, 3])
def test_a_shift_of_saturation_is_told_with_its_size(saturation, fault, panels):
    found = beside_page(tone_of(panel(4, saturation)), PAGE[:panels])
    assert found is not None
    assert found.fault is fault
    assert found.factor == pytest.approx(saturation, rel=0.3)
    assert f"{abs(found.shift):.0%}" in tone_words(found)


def test_nothing_is_said_where_nothing_is_shared():
    assert beside_page(tone_of(panel(4)), []) is None
    assert beside_page(tone_of(Image.new("RGB", (64, 64), "red")), PAGE) is None
    assert beside_page(tone_of(panel(4).convert("L")), PAGE) is None
    assert beside_page(tone_of(Image.new("RGBA", (64, 64))), PAGE) is None


def test_each_fault_is_a_drift_mode_whose_words_go_the_other_way():
    modes = catalogue().modes
    assert "oversaturated" in modes[MODES[ToneFault.STRONGER]].fragment
    assert "faded" in modes[MODES[ToneFault.PALER]].fragment
    assert mode_beside(None) == mode_beside(PageTone(1.0, 3)) == ""
    assert mode_beside(PageTone(2 * BEYOND, 3, ToneFault.STRONGER)) == "palette"


def test_a_judged_picture_keeps_its_verdict_and_is_told_of_its_page():
    def png(image: Image.Image) -> bytes:
        out = BytesIO()
        image.save(out, "PNG")
        return out.getvalue()

    pale = panel(4, 0.4)
    report = CandidateReport(Verdict.ON_MODEL, (), margin=0.1)
    judged = JudgedCandidate(Candidate(png(pale), Size(*pale.size)), picture_hashes(pale), report)
    found = on_page(judged, page_tones([png(panel(1)), png(panel(2))]))
    assert found.report.tone is not None
    assert found.report.tone.fault is ToneFault.PALER
    assert replace(found.report, tone=None) == report
    assert on_page(judged, []) is judged
