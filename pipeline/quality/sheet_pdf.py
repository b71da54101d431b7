"""The model sheet on paper: one page, as large as it fits."""

import io
from enum import StrEnum

from pipeline.imaging.decode import load_canonical


class Paper(StrEnum):
    """Paper sizes of ISO 216."""

    A4 = "A4"
    A3 = "A3"


_MARGIN_MM = 8.0
_SHORT_MM = {Paper.A4: 210.0, Paper.A3: 297.0}
_LONG_MM = {Paper.A4: 297.0, Paper.A3: 420.0}
_POINTS_PER_MM = 72 / 25.4


def sheet_pdf(png: bytes, title: str, paper: Paper = Paper.A4) -> bytes:
    """Put a model sheet on one page, upright or across, whichever shows it larger.

    Args:
        png: the sheet as :func:`pipeline.quality.sheet.model_sheet` draws it.
        title: the document's title, for readers' window bars.
        paper: the size of the page.

    Returns:
        A PDF of one page; the same sheet gives the same bytes.

    Raises:
        InvalidPicture: the PNG is damaged.
    """
    from reportlab.lib.utils import ImageReader
    from reportlab.pdfgen.canvas import Canvas

    image = load_canonical(png).convert("RGB")
    short, long = (mm[paper] * _POINTS_PER_MM for mm in (_SHORT_MM, _LONG_MM))
    margin = 2 * _MARGIN_MM * _POINTS_PER_MM
    pages = [(short, long), (long, short)]
    width, height = max(
        pages, key=lambda p: min((p[0] - margin) / image.width, (p[1] - margin) / image.height)
    )
    scale = min((width - margin) / image.width, (height - margin) / image.height)
    drawn = image.width * scale, image.height * scale
    out = io.BytesIO()
    canvas = Canvas(out, pagesize=(width, height), invariant=1)
    canvas.setTitle(title)
    canvas.setCreator("Onmodel")
    left, bottom = (width - drawn[0]) / 2, (height - drawn[1]) / 2
    canvas.drawImage(ImageReader(image), left, bottom, *drawn)
    canvas.showPage()
    canvas.save()
    return out.getvalue()
