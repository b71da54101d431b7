"""Composite fingerprints: every crop class in both colour modes, and similarities fused."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from PIL import Image

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey, Fingerprint
from pipeline.domain.geometry import Box
from pipeline.fingerprints.encoders.base import Encoder, classes_of
from pipeline.fingerprints.scales import Place, scales_of, weight_of
from pipeline.imaging.crops import FigureCrop, crops_of, find_figure

__all__ = [
    "Fused",
    "Segments",
    "encoder_set",
    "fingerprint",
    "fingerprint_crops",
    "fused_similarity",
    "segments_of",
    "weight_of",
]

Segments = Mapping[EncoderKey, Embedding]
"""The vectors of one crop of one picture in one colour mode, by encoder."""


@dataclass(frozen=True, slots=True)
class Fused:
    """A fused cosine in [-1, 1] and each encoder's own, by encoder name."""

    similarity: float
    segments: Mapping[str, float]


def encoder_set(encoders: Iterable[Encoder | EncoderKey]) -> str:
    """The text for :class:`pipeline.domain.quality.ThresholdKey`: keys, sorted, comma-joined."""
    keys = {e if isinstance(e, EncoderKey) else e.key for e in encoders}
    return ",".join(sorted(str(key) for key in keys))


def fused_similarity(a: Segments, b: Segments, place: Place | None = None) -> Fused | None:
    """The scaled mean of the cosines of those encoders that both sides have.

    Args:
        a: one side's vectors.
        b: the other side's, of the same crop class and colour mode.
        place: that class and mode, where the scales may depend on it.

    Returns:
        None where no encoder is on both sides: then nothing is known, which is not the same as
        a low similarity.
    """
    shared = [key for key in a if key in b]
    if not shared:
        return None
    cosines = {key: a[key].similarity(b[key]) for key in shared}
    value = sum(scale * cosines[key] for key, scale in scales_of(shared, place).items())
    return Fused(value, {key.name: cosines[key] for key in sorted(shared, key=str)})


def fingerprint(
    image: Image.Image,
    shot_type: ShotType,
    encoders: Sequence[Encoder],
    box: Box | None = None,
) -> tuple[Fingerprint, ...]:
    """All fingerprints of the one figure of a picture.

    Args:
        image: canonical, RGB or RGBA.
        shot_type: which crop classes the picture shows.
        encoders: each is asked for every class, in colour and in grey.
        box: where the figure is, if known; needed on a busy ground.

    Returns:
        One fingerprint for each encoder, class and colour mode; none if no figure stands out.
    """
    figure = find_figure(image, box)
    if figure is None:
        return ()
    return fingerprint_crops(crops_of(image, figure, shot_type), encoders)


def fingerprint_crops(
    crops: Mapping[CropClass, FigureCrop],
    encoders: Sequence[Encoder],
    modes: Iterable[ColorMode] = tuple(ColorMode),
) -> tuple[Fingerprint, ...]:
    """Fingerprints of crops that are cut already; each encoder sees those it knows as one batch.

    A face encoder has nothing to say about a whole figure: its segment is absent there.
    """
    known = {id(encoder): [c for c in crops if c in classes_of(encoder)] for encoder in encoders}
    return tuple(
        Fingerprint(crop, mode, embedding)
        for mode in modes
        for encoder in encoders
        for crop, embedding in zip(
            known[id(encoder)],
            encoder.encode([crops[c] for c in known[id(encoder)]], mode),
            strict=True,
        )
    )


def segments_of(
    fingerprints: Iterable[Fingerprint], crop: CropClass, color_mode: ColorMode
) -> dict[EncoderKey, Embedding]:
    """The vectors of one class and mode, by encoder."""
    return {
        one.embedding.encoder: one.embedding
        for one in fingerprints
        if one.crop is crop and one.color_mode is color_mode
    }
