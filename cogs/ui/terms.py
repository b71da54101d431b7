"""The studio's terms for what panels and pictures are, as people read them."""

from cogs.ui.words import mark, say
from pipeline.domain.character import ShotType

_SHOTS = {
    ShotType.HEADSHOT: mark("headshot"),
    ShotType.HALF: mark("half figure"),
    ShotType.FULL: mark("full figure"),
    ShotType.DYNAMIC: mark("dynamic"),
}


def shot(shot_type: ShotType) -> str:
    """How much of the figures is seen."""
    return say(_SHOTS[shot_type])
