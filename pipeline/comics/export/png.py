"""One page as a picture."""

from collections.abc import Sequence

from pipeline.domain.errors import InvalidInput
from pipeline.domain.page import BookInfo, BookPage


def export_png(pages: Sequence[BookPage], info: BookInfo) -> bytes:
    """The PNG of a single page, as it was rendered.

    Raises:
        InvalidInput: there are several pages.
    """
    if len(pages) != 1:
        raise InvalidInput(
            f"A PNG holds one page and “{info.series}” has {len(pages)} here; "
            "name one page, or choose cbz or pdf."
        )
    return pages[0].png
