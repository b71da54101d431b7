"""Pictures on their way to a server and back: flat, sized for it, and opened behind the door."""

import io
from collections.abc import Mapping

from PIL import Image, ImageChops, ImageDraw

from pipeline.domain.conditioning import ConditioningPlan, ControlUse
from pipeline.domain.errors import GenerationFailed, InvalidPicture, MissingReference
from pipeline.domain.geometry import Box, Size
from pipeline.domain.panel import Candidate
from pipeline.imaging.decode import PictureDoor, load_canonical, to_png

_PAPER = "white"


def picture_of(sha256: str, pictures: Mapping[str, bytes], what: str) -> Image.Image:
    """A picture that the plan names, RGB, transparent parts on white paper.

    Servers drop an alpha channel and show what lies under it, which is often black.

    Raises:
        MissingReference: it was not given.
        GenerationFailed: it is damaged.
    """
    if sha256 not in pictures:
        raise MissingReference(f"{what} is gone. Add it again, then ask for the panel again.")
    try:
        image = load_canonical(pictures[sha256])
    except InvalidPicture as error:
        raise GenerationFailed(f"{what} is damaged. Register it again.") from error
    if image.mode == "RGB":
        return image
    paper = Image.new("RGBA", image.size, _PAPER)
    return Image.alpha_composite(paper, image).convert("RGB")


def mask_of(sha256: str, pictures: Mapping[str, bytes], size: Size) -> Image.Image:
    """A mask that the plan names: mode L, of ``size``, white where it may be drawn."""
    mask = picture_of(sha256, pictures, "The mask").convert("L")
    return mask if mask.size == tuple(size) else mask.resize(size, Image.Resampling.BILINEAR)


def region_of(box: Box, of: Size, size: Size) -> Image.Image:
    """A box of a picture of size ``of`` as a mask of ``size``: white inside, mode RGB."""
    mask = Image.new("RGB", size, "black")
    wide, high = size.width / of.width, size.height / of.height
    inside = (
        round(box.x0 * wide),
        round(box.y0 * high),
        max(round(box.x0 * wide), round(box.x1 * wide) - 1),
        max(round(box.y0 * high), round(box.y1 * high) - 1),
    )
    ImageDraw.Draw(mask).rectangle(inside, "white")
    return mask


def guide_of(
    use: ControlUse, plan: ConditioningPlan, pictures: Mapping[str, bytes], size: Size
) -> Image.Image:
    """A guide picture as ControlNets take it: RGB, of ``size``, black outside its region."""
    image = picture_of(use.sha256, pictures, f"The guide picture ({use.kind})")
    if image.size != tuple(size):
        image = image.resize(size, Image.Resampling.LANCZOS)
    region = next((m.region for m in plan.cast if m.character_id == use.character_id), None)
    if region is None:
        return image
    return ImageChops.multiply(image, region_of(region, plan.size, size))


def finished(
    data: bytes, plan: ConditioningPlan, pictures: Mapping[str, bytes], door: PictureDoor
) -> Candidate:
    """What a server drew, as a candidate: opaque, of the plan's size.

    With local repair everything outside the mask is the base's own pixels, bit by bit: a server
    draws through its latents and changes all of them a little.

    Raises:
        GenerationFailed: the bytes are no picture.
    """
    try:
        drawn = load_canonical(door.open(data).png).convert("RGB")
    except InvalidPicture as error:
        raise GenerationFailed("The engine sent something that is no picture.") from error
    if drawn.size != tuple(plan.size):
        drawn = drawn.resize(plan.size, Image.Resampling.LANCZOS)
    if plan.inpaint is not None:
        base = picture_of(plan.inpaint.base_sha256, pictures, "The picture to repair")
        mask = mask_of(plan.inpaint.mask_sha256, pictures, plan.size)
        drawn = Image.composite(drawn, base, mask)
    return Candidate(to_png(drawn), plan.size)


def png_of(image: Image.Image) -> bytes:
    """Bytes that depend on the pixels alone."""
    stream = io.BytesIO()
    image.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
