"""The pictures that a plan names, decoded for the model, and pictures of the right size back."""

import io
from collections.abc import Mapping
from functools import lru_cache

from PIL import Image, ImageOps

from pipeline.domain.errors import GenerationFailed, InvalidPicture, MissingReference
from pipeline.domain.geometry import Size
from pipeline.imaging.decode import load_canonical

GROUND = (255, 255, 255)
"""Cut-outs are put on white: the ground that image encoders saw most beside photographs."""


class Pictures:
    """Canonical PNGs by sha256, decoded once each."""

    def __init__(self, pictures: Mapping[str, bytes]) -> None:
        self._pictures = pictures
        self._read = lru_cache(maxsize=64)(self._decode)

    def rgb(self, sha256: str) -> Image.Image:
        """The picture in RGB, on white where it is transparent.

        Raises:
            MissingReference: the picture was not given.
            GenerationFailed: it is damaged.
        """
        return self._read(sha256)

    def png(self, sha256: str) -> bytes:
        """The bytes themselves.

        Raises:
            MissingReference: the picture was not given.
        """
        if sha256 not in self._pictures:
            raise MissingReference(
                "A picture that the recipe names is gone. Register the reference again, or ask "
                "for the panel again."
            )
        return self._pictures[sha256]

    def mask(self, sha256: str) -> Image.Image:
        """The picture as a mask of mode L, white where it counts.

        Raises:
            MissingReference: the picture was not given.
            GenerationFailed: it is damaged.
        """
        try:
            with Image.open(io.BytesIO(self.png(sha256)), formats=("PNG",)) as image:
                return image.convert("L")
        except (OSError, ValueError, SyntaxError) as error:
            raise GenerationFailed("A mask of the recipe is damaged. Ask again.") from error

    def _decode(self, sha256: str) -> Image.Image:
        try:
            image = load_canonical(self.png(sha256))
        except InvalidPicture as error:
            raise GenerationFailed(
                "A picture that the recipe names is damaged. Register it again."
            ) from error
        return on_ground(image)


def on_ground(image: Image.Image) -> Image.Image:
    """RGB, with the ground where it was transparent."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    flat = Image.new("RGB", image.size, GROUND)
    flat.paste(image.convert("RGB"), mask=image.getchannel("A"))
    return flat


def covering(image: Image.Image, size: Size) -> Image.Image:
    """The picture at exactly ``size``: enlarged or reduced until it covers, the rest cut off."""
    if image.size == tuple(size):
        return image
    return ImageOps.fit(image, size, Image.Resampling.LANCZOS)
