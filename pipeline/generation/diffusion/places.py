"""Where characters may be drawn: regions of a plan as masks of the working size."""

from PIL import Image, ImageDraw

from pipeline.domain.geometry import Box, Size


def region_picture(region: Box | None, plan_size: Size, size: Size) -> Image.Image:
    """A mask of mode L and of the working size, white inside the region.

    Args:
        region: in pixels of the plan's size; None for the whole picture.
        plan_size: the size that the plan's boxes are in.
        size: the working size.
    """
    if region is None:
        return Image.new("L", size, 255)
    mask = Image.new("L", size, 0)
    across, down = size.width / plan_size.width, size.height / plan_size.height
    x0, x1 = round(region.x0 * across), round(region.x1 * across)
    y0, y1 = round(region.y0 * down), round(region.y1 * down)
    if x1 > x0 and y1 > y0:
        ImageDraw.Draw(mask).rectangle((x0, y0, x1 - 1, y1 - 1), 255)
    return mask
