"""One page as a picture."""

from collections.abc import Iterable
from typing import BinaryIO

from pipeline.comics.export.budget import Budget
from pipeline.domain.errors import InvalidInput
from pipeline.domain.page import BookInfo, BookPage


def write_png(pages: Iterable[BookPage], info: BookInfo, out: BinaryIO, budget: Budget) -> None:
    """The PNG of a single page, as it was rendered.

    Raises:
        InvalidInput: there are several pages.
    """
    if budget.pages != 1:
        raise InvalidInput(
            f"A PNG holds one page and “{info.series}” has {budget.pages} here; "
            "name one page, or choose cbz or pdf."
        )
    for page in pages:
        out.write(page.png)
