"""What judging costs: one panel with two characters, beyond the encoders' own time."""

import io
import time
from collections.abc import Sequence

import numpy as np
from PIL import Image

from bot.bench.figures import Figure
from bot.demo.material import DemoCharacter, load_material
from pipeline.domain.character import ColorMode, ReferenceKind, ShotType
from pipeline.domain.fingerprint import Embedding, EncoderKey
from pipeline.domain.geometry import Box, Size
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.domain.panel import Candidate, PlacedFigure
from pipeline.fingerprints.composite import encoder_set, fingerprint
from pipeline.fingerprints.encoders.base import Encoder, classes_of
from pipeline.imaging.crops import FigureCrop, find_figure, shot_of
from pipeline.imaging.decode import to_png
from pipeline.quality.calibration import thresholds_from_references
from pipeline.quality.judge import Judge

_SIZE = (1024, 768)
_ROUNDS = 9
_GENERATION_SECONDS = 10.0


class _Timed:
    """An encoder that counts its own seconds."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder
        self.classes = classes_of(encoder)
        self.seconds = 0.0

    @property
    def key(self) -> EncoderKey:
        return self._encoder.key

    @property
    def dimensions(self) -> int:
        return self._encoder.dimensions

    def encode(self, crops: Sequence[FigureCrop], color_mode: ColorMode) -> list[Embedding]:
        began = time.thread_time()
        try:
            return self._encoder.encode(crops, color_mode)
        finally:
            self.seconds += time.thread_time() - began


def measure_judging(encoders: Sequence[Encoder]) -> list[Figure]:
    """Median milliseconds of one core for a judgement, and for its parts outside the encoders.

    The processor time of the judging thread is counted, so that a busy machine changes little.
    """
    timed = [_Timed(encoder) for encoder in encoders]
    pair = load_material().characters[:2]
    cast = [_member(character, encoders) for character in pair]
    candidate = _panel(pair)
    judge = Judge(timed)
    whole, beyond = [], []
    for _ in range(_ROUNDS):
        for encoder in timed:
            encoder.seconds = 0.0
        began = time.thread_time()
        judge.judge(
            candidate, cast, shot_type=ShotType.HALF, color_mode=ColorMode.COLOR, earlier={}
        )
        whole.append(time.thread_time() - began)
        beyond.append(whole[-1] - sum(encoder.seconds for encoder in timed))
    spent, extra = float(np.median(whole)), float(np.median(beyond))
    return [
        Figure("quality.judge.ms", 1000 * spent, "ms", "lower", None, None, _ROUNDS),
        Figure("quality.judge.beyond_encoders_ms", 1000 * extra, "ms", "lower", 250, None, _ROUNDS),
        Figure(
            "quality.judge.share_of_10_s",
            spent / _GENERATION_SECONDS,
            "share",
            "lower",
            None,
            "a generation of 10 s",
            _ROUNDS,
        ),
    ]


def _pictures(character: DemoCharacter) -> tuple[list[Image.Image], Image.Image]:
    look = character.appearances[0]
    opened = [_opened(upload.data) for upload in (*look.references, *look.held_out[:1])]
    return opened[:-1], opened[-1]


def _opened(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data)).convert("RGBA")


def _member(character: DemoCharacter, encoders: Sequence[Encoder]) -> CastInput:
    references = []
    for number, image in enumerate(_pictures(character)[0], 1):
        figure = find_figure(image)
        if figure is None:
            continue
        shot = shot_of(figure)
        prints = fingerprint(image, shot, encoders)
        references.append(
            ReferenceInput(
                number, f"{number:064d}", to_png(image), ReferenceKind.POSE, shot, "", "", True,
                prints,
            )
        )  # fmt: skip
    name = character.character_id
    limits = thresholds_from_references(
        name, {r.reference_id: r.fingerprints for r in references}, encoder_set(encoders)
    )
    return CastInput(name, name, character.name, "", 1.0, {}, (), tuple(references), limits)


def _panel(pair: Sequence[DemoCharacter]) -> Candidate:
    """The two, unused pictures of them, side by side, with their figures marked."""
    canvas = Image.new("RGB", _SIZE, (214, 226, 236))
    figures = []
    for number, character in enumerate(pair):
        image = _pictures(character)[1]
        image.thumbnail((_SIZE[0] // 2, _SIZE[1]))
        left, top = number * _SIZE[0] // 2, _SIZE[1] - image.height
        canvas.paste(image, (left, top), image)
        mask = Image.new("L", _SIZE)
        mask.paste(image.getchannel("A"), (left, top))
        box = Box(left, top, left + image.width, top + image.height)
        figures.append(PlacedFigure(character.character_id, box, mask=to_png(mask)))
    return Candidate(to_png(canvas), Size(*_SIZE), tuple(figures))
