"""Whether what the cast of a panel wears is worn at that place of the story.

Source: AF7 (costumes and props enforced per scene), AF32 (looks per chapter).
"""

from collections.abc import Sequence

from pipeline.domain.character import Appearance
from pipeline.domain.story import StoryPlace, range_words, worn_in
from pipeline.prompting.linter import Finding, Severity

_NAMED = 4
"""Looks that a finding names; more make it unreadable."""


def lint_wardrobe(
    name: str, look: Appearance, looks: Sequence[Appearance], place: StoryPlace
) -> Finding | None:
    """Refuse a look that is not worn at the panel's place in the story.

    Args:
        name: what the character is called.
        look: what it would wear.
        looks: everything that it has, ``look`` included.
        place: where the panel plays; nothing is found where no chapter is known.

    Returns:
        A blocking finding ``not_worn`` that says what to do, or None.
    """
    if worn_in(look, place):
        return None
    worn = f"is worn {range_words(look.valid_from, look.valid_to)}, not in {place}"
    fitting = [other for other in looks if worn_in(other, place)]
    if fitting:
        names = ", ".join(other.appearance_id for other in fitting[:_NAMED])
        advice = f"Choose appearance {names}, or say the chapter in which this scene plays."
    else:
        advice = (
            f"{name} has no look for {place}: add one with /appearance add, or let this one reach "
            "there with /character edit and its option valid."
        )
    text = f"{name}'s {look.appearance_id} {worn}. {advice}"
    return Finding(Severity.BLOCK, "not_worn", text)


def lint_unplaced(name: str, look: Appearance, looks: Sequence[Appearance]) -> Finding | None:
    """Warn that a character's looks change with the story while nobody said the chapter."""
    if all(one.valid_from is None and one.valid_to is None for one in looks):
        return None
    return Finding(
        Severity.WARN,
        "no_chapter",
        f"{name} changes clothes during the story and no chapter is known, so {look.appearance_id} "
        "is used. Say the chapter, or set it once with /series settings.",
    )
