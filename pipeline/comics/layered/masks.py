"""Where a character is seen in a panel: from its run where that is known, else looked for."""

from io import BytesIO

from PIL import Image

from pipeline.comics.rendering import art_on_paper
from pipeline.domain.page import PanelArt
from pipeline.domain.panel import PlacedFigure
from pipeline.imaging.detector import shipped_detector


def figure_mask(art: PanelArt, figure: PlacedFigure) -> Image.Image:
    """The mask of a figure, mode L, of the art's size; its box where nothing stands out in it."""
    if figure.mask is not None:
        with Image.open(BytesIO(figure.mask)) as mask:
            return mask.convert("L")
    found = shipped_detector().detect_in(art_on_paper(art), figure.box)
    if found is not None:
        return Image.fromarray(found.mask)
    mask = Image.new("L", art.size)
    mask.paste(255, figure.box)
    return mask
