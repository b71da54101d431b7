"""Discord's limits on words, and how text of people is made to fit them.

Source: Discord's documentation (resources/message, components/reference) and its OpenAPI
description; the contract tests hold every request against the latter.
"""

import re
from collections.abc import Iterable

from cogs.ui.words import say

TEXT_PER_MESSAGE = 4000
COMPONENTS_PER_MESSAGE = 40
BUTTONS_PER_ROW = 5
GALLERY_ITEMS = 10
ALT_TEXT = 256
THREAD_NAME = 100
WINDOW_TITLE = 45
BUTTON_LABEL = 80
CUSTOM_ID = 100
CHOICES = 25
CHOICE_NAME = 100
ELLIPSIS = "…"

_ANYWHERE = re.compile(r"([\\*_~`|\[\]<>])")
_AT_START = re.compile(r"^(#|-|\d+\.)")


def clip(text: str, limit: int) -> str:
    """``text`` in one line and at most ``limit`` characters, cut with an ellipsis."""
    line = " ".join(text.split())
    return line if len(line) <= limit else line[: max(0, limit - 1)].rstrip() + ELLIPSIS


def plain(text: str, limit: int = 100) -> str:
    """Words of a person, shown literally: no formatting, no masked links, no mentions.

    Escaping makes a text longer; ``limit`` counts the characters that a reader sees.
    """
    return _AT_START.sub(r"\\\1", _ANYWHERE.sub(r"\\\1", clip(text, limit)))


def lines_within(lines: Iterable[str], limit: int) -> str:
    """As many whole lines as fit into ``limit`` characters, then how many were left out."""
    kept: list[str] = []
    used = 0
    everything = list(lines)
    for index, line in enumerate(everything):
        reserve = 24 if index + 1 < len(everything) else 0
        if used + len(line) + 1 + reserve > limit:
            kept.append(
                say("{ellipsis} and {n} more", ellipsis=ELLIPSIS, n=len(everything) - index)
            )
            break
        kept.append(line)
        used += len(line) + 1
    return "\n".join(kept)
