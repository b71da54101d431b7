r"""Emphasis inside a line, as people type it in chat: ``*italic*``, ``**bold**``, ``***both***``.

A star that opens nothing (``2 * 3``, ``***`` alone) stays a star; ``\*`` is always one.
"""

import re
from collections.abc import Iterable, Sequence
from functools import lru_cache

from pipeline.domain.page import TextRun

_SPAN = re.compile(r"\\\*|(?<![*\w])(\*{1,3})(?=[^\s*])(.+?)(?<=[^\s*])\1(?![*\w])")


@lru_cache(maxsize=4096)
def runs_of(text: str) -> tuple[TextRun, ...]:
    """The runs of a line, neighbours of one emphasis joined; a plain line is one run."""
    found: list[TextRun] = []
    at = 0
    for match in _SPAN.finditer(text):
        found.append(TextRun(text[at : match.start()]))
        stars, words = match[1], match[2]
        if stars is None:
            found.append(TextRun("*"))
        else:
            found.append(TextRun(words, bold=len(stars) > 1, italic=len(stars) != 2))
        at = match.end()
    found.append(TextRun(text[at:]))
    return joined(found)


def plain_text(text: str) -> str:
    """The words of a line without its emphasis."""
    return "".join(run.text for run in runs_of(text))


def joined(runs: Iterable[TextRun]) -> tuple[TextRun, ...]:
    """Runs without empty ones, neighbours of one emphasis made one."""
    found: list[TextRun] = []
    for run in runs:
        if not run.text:
            continue
        if found and (found[-1].bold, found[-1].italic) == (run.bold, run.italic):
            found[-1] = TextRun(found[-1].text + run.text, run.bold, run.italic)
        else:
            found.append(run)
    return tuple(found)


def text_of(runs: Sequence[TextRun]) -> str:
    """The words of some runs."""
    return "".join(run.text for run in runs)
