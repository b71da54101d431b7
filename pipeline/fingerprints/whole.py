"""A whole picture as one vector: who is in it, its colours, how its lines run.

For finding pictures again, not for judging them: the encoders of figures look at the picture as a
square, and each has the same say.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image

from pipeline.domain.character import ColorMode
from pipeline.domain.fingerprint import FloatVector
from pipeline.fingerprints.encoders.base import Encoder, unit
from pipeline.fingerprints.registry import load_encoders
from pipeline.imaging.crops import CROP_SIDE, FigureCrop

ENCODERS = ("house", "palette", "structure")
"""Embedded ones, the same whatever a host sets, so that vectors stay comparable. Of 60 drafted
panels each found itself first, cut by 10 %, scaled to 65 % and compressed at quality 45; of the
five next ones half showed the same scene and 69 % the same character."""
_SIDE = CROP_SIDE
_VERSION = 1


class WholePrinter:
    """Makes the vectors. Loads the encoders at once; safe to call from several threads."""

    def __init__(self) -> None:
        self._encoders: Sequence[Encoder] = load_encoders(ENCODERS)
        keys = "+".join(str(encoder.key) for encoder in self._encoders)
        self.key = f"whole:{_VERSION}:{keys}"
        """What made a vector; only vectors of the same key are compared."""

    @property
    def dimensions(self) -> int:
        """The length of every vector."""
        return sum(encoder.dimensions for encoder in self._encoders)

    def print_of(self, image: Image.Image) -> FloatVector:
        """A unit float32 vector (d,) of a picture of any size and mode."""
        rgba = image.convert("RGBA")
        ground = Image.new("RGBA", rgba.size, "white")
        ground.alpha_composite(rgba)
        square = ground.convert("RGB").resize((_SIDE, _SIDE), Image.Resampling.LANCZOS)
        crop = FigureCrop(square, np.full((_SIDE, _SIDE), 255, np.uint8))
        parts = [e.encode([crop], ColorMode.COLOR)[0].vector for e in self._encoders]
        return unit(np.concatenate(parts))
