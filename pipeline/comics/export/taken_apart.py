"""One page in layers, to be painted on: OpenRaster or PSD."""

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import BinaryIO

from pipeline.comics.export.budget import Budget
from pipeline.comics.layered.drawing import Drawing, finest, layered_page
from pipeline.domain.errors import InvalidInput
from pipeline.domain.page import BookInfo, BookPage


def write_layers(
    write: Callable[[Drawing, BinaryIO], None],
    pages: Iterable[BookPage],
    info: BookInfo,
    out: BinaryIO,
    budget: Budget,
) -> None:
    """The page twice as fine as it was composed where that fits, else as it was composed.

    Raises:
        InvalidInput: there are several pages, or the page came without its panels.
    """
    if budget.pages != 1:
        raise InvalidInput("Layers are exported page by page; name one with page:…")
    for page in pages:
        if len(page.arts) != len(page.page.frames):
            raise InvalidInput("That page came without its panels; compose it again.")
        best = finest(page.page)
        factors = (best,) if best == 1 else (best, 1)

        def encode(factor: int, page: BookPage = page) -> bytes:
            drawing = layered_page(
                page.page, page.arts, info.names, factor=factor, language=page.language
            )
            layers = BytesIO()
            write(drawing, layers)
            return layers.getvalue()

        _, data = budget.best(factors, encode)
        out.write(data)
