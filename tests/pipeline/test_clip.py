"""Clips: planted pulses of colour are found, camera moves and cuts are not."""

import numpy as np
import pytest
from PIL import Image, ImageDraw

from pipeline.domain.quality import CharacterCheck, Verdict
from pipeline.quality.clip import FrameCheck, flicker_scores, frame_colours, report_on


def scene(rng: np.random.Generator) -> Image.Image:
    """A picture wider than a frame, so that a camera can move over it."""
    image = Image.new("RGB", (480, 180), tuple(int(v) for v in rng.integers(60, 250, 3)))
    draw = ImageDraw.Draw(image)
    for _ in range(14):
        x, y, r = (
            int(v) for v in (rng.integers(0, 480), rng.integers(0, 180), rng.integers(8, 60))
        )
        colour = tuple(int(v) for v in rng.integers(0, 255, 3))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=colour)
    return image


def film(rng: np.random.Generator) -> list[Image.Image]:
    """Three shots of twenty frames: a pan, a push, a still; noise in every frame."""
    frames = []
    for number in range(60):
        if number % 20 == 0:
            wide, kind = scene(rng), number // 20
        step = number % 20
        box = {0: (4 * step, 0, 320 + 4 * step, 180), 1: (step, step, 320 - step, 180 - step)}
        frame = wide.crop(box.get(kind, (40, 0, 360, 180))).resize((320, 180))
        noise = rng.normal(0, 3, (180, 320, 3))
        pixels = np.clip(np.asarray(frame) + noise, 0, 255).astype(np.uint8)
        frames.append(Image.fromarray(pixels))
    return frames


def pulse(image: Image.Image, rng: np.random.Generator) -> Image.Image:
    """A shift of colour by a little more than a tenth of its range."""
    shift = rng.choice([-1, 1], 3) * rng.uniform(18, 45, 3)
    return Image.fromarray(np.clip(np.asarray(image) + shift, 0, 255).astype(np.uint8))


def test_planted_pulses_are_told_from_everything_else():
    rng = np.random.default_rng(4)
    planted, other = [], []
    for _ in range(6):
        frames = film(rng)
        marked = set()
        for start in rng.choice([5, 12, 27, 33, 45, 52], 3, replace=False):
            for k in range(int(start), int(start) + int(rng.integers(1, 4))):
                frames[k] = pulse(frames[k], np.random.default_rng(int(start)))
                marked.add(k)
        scores = flicker_scores(np.stack([frame_colours(f) for f in frames]))
        planted += [scores[k] for k in marked]
        other += [score for k, score in enumerate(scores) if k not in marked]
    wins = np.asarray(planted)[:, None] - np.asarray(other)[None, :]
    auc = float((wins > 0).mean() + 0.5 * (wins == 0).mean())
    assert auc >= 0.98


def test_a_steady_clip_does_not_flicker():
    frames = film(np.random.default_rng(9))
    report = report_on([], np.stack([frame_colours(f) for f in frames]), 12, 0.1)
    assert report.flickers == ()
    assert report.verdict is Verdict.CANNOT_JUDGE


@pytest.mark.parametrize(
    ("flagged", "verdict"),
    [(0, Verdict.ON_MODEL), (1, Verdict.ON_MODEL), (2, Verdict.ON_MODEL), (3, Verdict.OFF_MODEL)],
)
def test_a_clip_is_off_model_where_more_is_flagged_than_the_promise_allows(flagged, verdict):
    def frame(n: int) -> FrameCheck:
        off = n < flagged
        kind = Verdict.OFF_MODEL if off else Verdict.ON_MODEL
        check = CharacterCheck("ch_a", "a", kind, "", 0.6 if off else 0.9 - n / 100, 0.7)
        return FrameCheck(float(n), check)

    unsure = FrameCheck(30.0, CharacterCheck("ch_a", "a", Verdict.CANNOT_JUDGE, "tiny figure"))
    frames = [frame(n) for n in range(20)]
    report = report_on([*frames, unsure], np.zeros((3, 9, 16, 3), np.float32), 1, 0.1)
    assert report.verdict is verdict
    assert report.worst is not None
    assert report.worst.second == (0.0 if flagged else 19.0)
