"""Makes pictures smaller, never larger."""

from PIL import Image


def fit_within(image: Image.Image, side: int) -> Image.Image:
    """The picture itself, or a copy scaled so that its longer side is ``side`` pixels."""
    if max(image.size) <= side:
        return image
    factor = side / max(image.size)
    size = (max(1, round(image.width * factor)), max(1, round(image.height * factor)))
    return image.resize(size, Image.Resampling.LANCZOS)
