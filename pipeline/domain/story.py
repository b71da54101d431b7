"""Places in the story, what a cast wears there, and how both are said."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.domain.character import Appearance, StoryPoint, appearance_at

LAST_PAGE = 9999
"""Pages and chapters go from 1 to this."""


@dataclass(frozen=True, slots=True)
class StoryPlace:
    """Where in the story a panel plays, as far as anybody said; None is not said."""

    chapter: int | None = None
    page: int | None = None

    def __str__(self) -> str:
        """``chapter 3, page 5``; empty where no chapter is known."""
        if self.chapter is None:
            return ""
        return f"chapter {self.chapter}" + ("" if self.page is None else f", page {self.page}")


def worn_in(look: Appearance, place: StoryPlace) -> bool:
    """Whether a look is valid on a page of a chapter; without a page, anywhere in the chapter.

    Without a chapter every look is.
    """
    if place.chapter is None:
        return True
    first = StoryPoint(place.chapter, place.page or 1)
    last = StoryPoint(place.chapter, place.page or LAST_PAGE)
    return (look.valid_from is None or look.valid_from <= last) and (
        look.valid_to is None or first <= look.valid_to
    )


def look_in(looks: Sequence[Appearance], place: StoryPlace) -> Appearance | None:
    """The look that a character usually wears at a place; None where none is valid.

    Without a chapter that is the first look. Without a page it is the look in which the chapter
    opens, or else the one that begins first in it.
    """
    if place.chapter is None:
        return looks[0] if looks else None
    usual = appearance_at(looks, StoryPoint(place.chapter, place.page or 1))
    if usual is not None:
        return usual
    later = [look for look in looks if worn_in(look, place)]
    return min(later, key=lambda look: look.valid_from or StoryPoint(0, 0), default=None)


def range_words(start: StoryPoint | None, end: StoryPoint | None) -> str:
    """``always``, ``from chapter 2 to the end``, with pages where chapters are not whole."""
    if start is None and end is None:
        return "always"
    first = "the beginning" if start is None else _words(start, whole=start.page == 1)
    last = "the end" if end is None else _words(end, whole=end.page == LAST_PAGE)
    return f"in {first}" if first == last else f"from {first} to {last}"


def _words(point: StoryPoint, *, whole: bool) -> str:
    return f"chapter {point.chapter}" + ("" if whole else f" page {point.page}")
