"""Fitting a book into a number of bytes, page by page, without seeing the pages twice.

Every page may use its even share of what is left; what a simple page saves, later pages may use.
"""

from collections.abc import Callable, Sequence
from math import inf
from typing import TypeVar

from pipeline.domain.errors import LimitReached
from pipeline.domain.page import BookFormat

# For what is written last and around the pages: indexes, tables of contents, fonts.
_RESERVE, _RESERVE_PER_PAGE = 48_000, 2_000

# What a book that is too large as one format may be smaller as.
_BOOKS = (BookFormat.CBZ, BookFormat.PDF, BookFormat.EPUB, BookFormat.WEBTOON)

_Step = TypeVar("_Step")


class TooLarge(LimitReached):
    """The book does not fit into the bytes that it may have, whatever its quality."""

    code = "too_large"


class Budget:
    """The bytes that a book of ``pages`` pages may have; ``limit`` None means any number."""

    def __init__(self, book_format: BookFormat, limit: int | None, pages: int) -> None:
        self._format = book_format
        self._limit = limit
        self.pages = pages
        self._pages_left = pages
        reserve = min(_RESERVE + _RESERVE_PER_PAGE * pages, (limit or 0) // 4)
        self._left = inf if limit is None else limit - reserve
        self._step = 0

    @property
    def share(self) -> float:
        """How many bytes the next page may use."""
        return self._left / max(1, self._pages_left)

    def spend(self, size: int) -> None:
        """Count bytes that were written for a page.

        Raises:
            TooLarge: there were not so many left.
        """
        self._left -= size
        if self._left < 0:
            raise self.too_large()

    def turn(self) -> None:
        """Go on to the next page."""
        self._pages_left -= 1

    def best(
        self, steps: Sequence[_Step], encode: Callable[[_Step], bytes], share: float | None = None
    ) -> tuple[_Step, bytes]:
        """The first of the ``steps`` (best quality first) that fits the share, else the last.

        The search starts one step above where the last page ended: neighbours are alike.
        """
        wanted = self.share if share is None else share
        start = max(0, min(self._step, len(steps)) - 1)
        for index in range(start, len(steps)):
            data = encode(steps[index])
            if len(data) <= wanted or index == len(steps) - 1:
                self._step = index
                return steps[index], data
        raise ValueError("there is no step to encode with")

    def check(self, size: int) -> None:
        """Make sure of the finished file.

        Raises:
            TooLarge: it has more bytes than it may have.
        """
        if self._limit is not None and size > self._limit:
            raise self.too_large()

    def too_large(self) -> TooLarge:
        """The error that says what to do."""
        others = ", ".join(f.value for f in _BOOKS if f is not self._format)
        return TooLarge(
            f"This book does not fit into {(self._limit or 0) / 2**20:.1f} MiB as "
            f"{self._format.value}, not even at the lowest quality. Export fewer pages (one at a "
            f"time with page:…), or choose another format: {others}."
        )
