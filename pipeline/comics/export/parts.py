"""Books in parts: where one file cannot hold a book at a quality that people want to read.

Pages are drawn once. They wait in a temporary file, so that a long book needs no more memory in
parts than whole.
"""

import pickle
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import IO
from uuid import NAMESPACE_URL, uuid5

from pipeline.comics.export.book import export_book
from pipeline.comics.export.budget import TooLarge
from pipeline.comics.export.pictures import JPEG_STEPS, Step, encoded
from pipeline.domain.page import BookFormat, BookInfo, BookPage

MAX_PARTS = 20
DIVIDED = frozenset(
    {BookFormat.CBZ, BookFormat.PDF, BookFormat.EPUB, BookFormat.WEBTOON, BookFormat.PRINT}
)
"""Formats whose books may come in parts."""

# Below this pictures are soft on a phone: rather another file than a worse one.
_ACCEPTABLE = JPEG_STEPS[2]
_PRINTED = Step("JPEG", 84)
# Pictures fill so much of a file, less what indexes and fonts take, but half of it in any case.
_FILLED, _AROUND = 0.9, 130_000
# What a format makes of a picture's bytes: PDFs are written as text.
_GROWS = {BookFormat.PDF: 1.25, BookFormat.PRINT: 1.25}


def export_parts(
    book_format: BookFormat | str,
    pages: Iterable[BookPage],
    info: BookInfo,
    *,
    total: int,
    limit_bytes: int | None,
) -> list[bytes]:
    """Bind pages into one file, or into several where one would be too coarse.

    Args:
        book_format: as in :func:`pipeline.comics.export.book.export_book`.
        pages: the pages in reading order; taken one at a time.
        info: what the book says about itself; parts say which they are.
        total: how many pages come.
        limit_bytes: no file may be larger.

    Raises:
        TooLarge: one page alone does not fit, or there would be more than ``MAX_PARTS`` files.
    """
    known = BookFormat(book_format)
    if limit_bytes is None or known not in DIVIDED or total == 1:
        whole = export_book(known, pages, info, total=total, limit_bytes=limit_bytes)
        return [whole]
    with tempfile.TemporaryFile() as file:
        spool = _Spool(file)
        sizes = [_size(known, page) for page in spool.keeping(pages)]
        runs = _runs(sizes, limit_bytes)
        if len(runs) > MAX_PARTS:
            raise _too_many(known, limit_bytes, len(runs))
        made: list[bytes] = []
        for number, run in enumerate(runs, start=1):
            about = info if len(runs) == 1 else part_of(info, number, len(runs))
            book = spool.pages(run)
            made.append(export_book(known, book, about, total=len(run), limit_bytes=limit_bytes))
        return made


def part_name(filename: str, number: int, count: int) -> str:
    """The name of a part: ``rain_door-part-1-of-3.cbz``; the name itself where there is one."""
    if count == 1:
        return filename
    stem, dot, ending = filename.partition(".")
    return f"{stem}-part-{number}-of-{count}{dot}{ending}"


def part_of(info: BookInfo, number: int, count: int) -> BookInfo:
    """What a part says about itself: its own title and identity."""
    title = f"{info.title}, part {number} of {count}" if info.title else f"Part {number} of {count}"
    whole = f"{info.identifier}/{number}"
    identifier = info.identifier and f"urn:uuid:{uuid5(NAMESPACE_URL, whole)}"
    return replace(info, title=title, identifier=identifier)


def _size(book_format: BookFormat, page: BookPage) -> float:
    """About how many bytes a page takes at the least quality that is acceptable."""
    step = _PRINTED if book_format is BookFormat.PRINT else _ACCEPTABLE
    return len(encoded(page, step)) * _GROWS.get(book_format, 1.0)


def _runs(sizes: Sequence[float], limit: int) -> list[range]:
    """Runs of pages whose sizes fit a limit, as even as that allows."""
    room = max(limit / 2, _FILLED * limit - _AROUND)
    least = max(1, -int(-sum(sizes) // room))
    for count in range(least, len(sizes) + 1):
        runs = _even(sizes, count)
        if all(sum(sizes[i] for i in run) <= room or len(run) == 1 for run in runs):
            return runs
    return [range(i, i + 1) for i in range(len(sizes))]


def _even(sizes: Sequence[float], count: int) -> list[range]:
    """``count`` runs in order, each ending where its share of the whole is reached."""
    whole, done, start = sum(sizes), 0.0, 0
    runs: list[range] = []
    for index, size in enumerate(sizes):
        done += size
        left = len(sizes) - index - 1
        wanted = count - len(runs) - 1
        if wanted and (done >= whole * (len(runs) + 1) / count or left == wanted):
            runs.append(range(start, index + 1))
            start = index + 1
    return [*runs, range(start, len(sizes))]


def _too_many(book_format: BookFormat, limit: int, count: int) -> TooLarge:
    return TooLarge(
        f"This book would take {count} files of {limit / 2**20:.1f} MiB as {book_format.value}, "
        f"and {MAX_PARTS} are the most. Export some of its pages, or one page with page:…"
    )


class _Spool:
    """Pages that wait in a file of our own making."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._starts: list[int] = []

    def keeping(self, pages: Iterable[BookPage]) -> Iterator[BookPage]:
        """The pages as they come, each written down."""
        for page in pages:
            self._starts.append(self._file.seek(0, 2))
            pickle.dump(page, self._file, pickle.HIGHEST_PROTOCOL)
            yield page

    def pages(self, run: range) -> Iterator[BookPage]:
        """Some of them once more."""
        for index in run:
            self._file.seek(self._starts[index])
            yield pickle.load(self._file)  # noqa: S301 - written above, by this process
