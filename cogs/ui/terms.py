"""The studio's terms for what panels and pictures are, as people read them."""

from cogs.ui.words import mark, say
from pipeline.domain.character import Appearance, ShotType
from pipeline.domain.story import LAST_PAGE, StoryPlace, StoryPoint

_SHOTS = {
    ShotType.HEADSHOT: mark("headshot"),
    ShotType.HALF: mark("half figure"),
    ShotType.FULL: mark("full figure"),
    ShotType.DYNAMIC: mark("dynamic"),
}


def shot(shot_type: ShotType) -> str:
    """How much of the figures is seen."""
    return say(_SHOTS[shot_type])


def place(at: StoryPlace) -> str:
    """``chapter 3, page 5``; empty where no chapter is known."""
    if at.chapter is None:
        return ""
    if at.page is None:
        return say("chapter {chapter}", chapter=at.chapter)
    return say("chapter {chapter}, page {page}", chapter=at.chapter, page=at.page)


def worn(look: Appearance) -> str:
    """Where in the story a look is worn."""
    start, end = look.valid_from, look.valid_to
    if start is None and end is None:
        return say("worn always")
    first = say("the beginning") if start is None else _point(start, whole=start.page == 1)
    last = say("the end") if end is None else _point(end, whole=end.page == LAST_PAGE)
    if first == last:
        return say("worn in {place}", place=first)
    return say("worn from {first} to {last}", first=first, last=last)


def _point(at: StoryPoint, *, whole: bool) -> str:
    return place(StoryPlace(at.chapter, None if whole else at.page))
