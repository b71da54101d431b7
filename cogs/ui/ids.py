"""The custom ids of buttons: a verb and row ids, nothing else, so that they outlive a restart.

The guild never stands in an id. It comes from the interaction, and the service filters by it, so
that an id carried to another server finds nothing there.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

PREFIX = "om"
VOTE = rf"{PREFIX}:vote:(?P<panel>[0-9]{{1,19}}):(?P<candidate>[0-9]{{1,19}})"
PANEL = (
    rf"{PREFIX}:(?P<verb>reroll|remix|vary|upscale|use|recipe|finish|cancel)"
    rf":(?P<panel>[0-9]{{1,19}}):(?P<post>[0-9]{{1,19}})"
)
PICK = rf"{PREFIX}:pick:(?P<panel>[0-9]{{1,19}}):(?P<candidate>[0-9]{{1,19}})"
GALLERY = rf"{PREFIX}:gallery:(?P<search>[0-9]{{1,19}}):(?P<number>[0-9]{{1,4}})"
WINDOW = rf"{PREFIX}:window:(?P<verb>remix|use):(?P<panel>[0-9]{{1,19}})"
REVIEW = (
    rf"{PREFIX}:(?P<verb>approve|reject|label|retry|next|appeal|good|bad|claim|release|takeover|why)"
    r":(?P<review>[0-9]{1,19})"
)
HELD = rf"{PREFIX}:(?P<verb>allow|refuse):held:(?P<held>[0-9]{{1,19}})"
DRIFT = rf"{PREFIX}:drift:(?P<review>[0-9]{{1,19}})"
SCRIPT = rf"{PREFIX}:(?P<verb>storyboard|produce):(?P<script>[0-9]{{1,19}})"
FORGET = rf"{PREFIX}:forget:(?P<member>[0-9]{{1,19}}):(?P<references>[01])"
FORM = rf"{PREFIX}:form:(?P<run>[0-9a-f]*):[0-9a-f]+"
ADD_PICTURES = rf"{PREFIX}:add:(?P<look>[0-9]{{1,19}})"
COLORS = rf"{PREFIX}:colors:(?P<verb>all|none):(?P<look>[0-9]{{1,19}})"
COLOR_MENU = rf"{PREFIX}:colors:pick:(?P<look>[0-9]{{1,19}})"
MENU = (
    rf"{PREFIX}:menu:(?P<verb>reference|check):(?P<step>which|whose|look)"
    r":(?P<mask>[0-9]{1,4}):(?P<at>[0-9]{1,19})"
)
MENU_PAGE = (
    rf"{PREFIX}:menu:(?P<verb>reference|check):(?P<step>back|on)"
    r":(?P<mask>[0-9]{1,4}):(?P<at>[0-9]{1,19})"
)
QUEST = (
    rf"{PREFIX}:quest:(?P<verb>take|return|deliver|accept|back|close)"
    r":(?P<quest>[0-9]{1,19}):(?P<post>[0-9]{1,19})"
)
QUEST_LIST = rf"{PREFIX}:quests"
QUEST_IDEAS = rf"{PREFIX}:ideas:(?P<character>[0-9]{{1,19}})"
CONSENT = rf"{PREFIX}:(?P<verb>agree|refuse|withdraw):(?P<consent>[0-9]{{1,19}})"

SETUP_BUTTON = rf"{PREFIX}:setup:(?P<verb>comic|make|sample|again)"
SETUP_ROLE = rf"{PREFIX}:setup:role"
SETUP_CHANNEL = rf"{PREFIX}:setup:(?P<which>panels|reviews)"

_POST_MARK = re.compile(PANEL)
_REVIEW_MARK = re.compile(REVIEW)
_QUEST_MARK = re.compile(QUEST)


def vote(panel_id: int, candidate_id: int) -> str:
    """The button that votes for a candidate."""
    return f"{PREFIX}:vote:{panel_id}:{candidate_id}"


def panel(verb: str, panel_id: int, post: int) -> str:
    """A button about a panel; ``post`` is the outbox row that owes the message (0: none)."""
    return f"{PREFIX}:{verb}:{panel_id}:{post}"


def pick(panel_id: int, candidate_id: int) -> str:
    """The button that varies a candidate."""
    return f"{PREFIX}:pick:{panel_id}:{candidate_id}"


def gallery(search_id: int, number: int) -> str:
    """The button that leads to a page of a search, counted from 0."""
    return f"{PREFIX}:gallery:{search_id}:{number}"


def window(verb: str, panel_id: int) -> str:
    """A window about a panel."""
    return f"{PREFIX}:window:{verb}:{panel_id}"


def review(verb: str, review_id: int) -> str:
    """A button of an evidence card."""
    return f"{PREFIX}:{verb}:{review_id}"


def held(verb: str, held_id: int) -> str:
    """A button about a picture that waits for a moderator."""
    return f"{PREFIX}:{verb}:held:{held_id}"


def drift(review_id: int) -> str:
    """The menu of drift modes."""
    return f"{PREFIX}:drift:{review_id}"


def script(verb: str, script_id: int) -> str:
    """A button of a script's card."""
    return f"{PREFIX}:{verb}:{script_id}"


def forget(member_id: int, *, references: bool) -> str:
    """The button by which a person, and nobody else, is forgotten."""
    return f"{PREFIX}:forget:{member_id}:{int(references)}"


def consent(verb: str, consent_id: int) -> str:
    """A button by which a person answers about their likeness."""
    return f"{PREFIX}:{verb}:{consent_id}"


def colors(verb: str, appearance_row: int) -> str:
    """A button, or the menu (``pick``), that confirms colours read from the art."""
    return f"{PREFIX}:colors:{verb}:{appearance_row}"


def add_pictures(appearance_row: int) -> str:
    """The button that asks for more pictures of a look."""
    return f"{PREFIX}:add:{appearance_row}"


def guided(verb: str) -> str:
    """A button or menu of the guided start."""
    return f"{PREFIX}:setup:{verb}"


def menu(verb: str, step: str, mask: int, at: int = 0) -> str:
    """A part of the card that asks whose pictures those of a message are.

    Args:
        verb: what is done with them, ``reference`` or ``check``.
        step: what is asked: ``which`` picture, ``whose``, which ``look``; ``back`` and ``on`` turn
            the pages of the cast.
        mask: the pictures of the card that are meant, a bit each.
        at: the page of the cast; for a look the row of its character.
    """
    return f"{PREFIX}:menu:{verb}:{step}:{mask}:{at}"


def quest(verb: str, quest_id: int, post: int = 0) -> str:
    """A button of a quest; ``post`` is the outbox row that owes the message (0: none)."""
    return f"{PREFIX}:quest:{verb}:{quest_id}:{post}"


def quest_list() -> str:
    """The menu of quests on the board."""
    return f"{PREFIX}:quests"


def quest_ideas(character_row: int) -> str:
    """The menu of pictures that could be asked for."""
    return f"{PREFIX}:ideas:{character_row}"


def custom_ids(components: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    """All custom ids of a message's components as Discord sends them, however deep."""
    for component in components:
        if isinstance(found := component.get("custom_id"), str):
            yield found
        yield from custom_ids(component.get("components") or ())


def carries_post(components: Iterable[Mapping[str, Any]], post: int) -> bool:
    """Whether a message was made for the outbox row ``post``."""
    matches = map(_POST_MARK.fullmatch, custom_ids(components))
    return any(match is not None and int(match["post"]) == post for match in matches)


def post_of(components: Iterable[Mapping[str, Any]]) -> int:
    """The outbox row that a message was made for, 0 if it does not say."""
    matches = map(_POST_MARK.fullmatch, custom_ids(components))
    return next((int(match["post"]) for match in matches if match is not None), 0)


def panel_of(components: Iterable[Mapping[str, Any]]) -> int | None:
    """The panel that a message's buttons are about, None if they are about none."""
    matches = map(_POST_MARK.fullmatch, custom_ids(components))
    return next((int(match["panel"]) for match in matches if match is not None), None)


def quest_post_of(components: Iterable[Mapping[str, Any]]) -> int:
    """The outbox row that the message of a quest was made for, 0 if it does not say."""
    matches = map(_QUEST_MARK.fullmatch, custom_ids(components))
    return next((int(match["post"]) for match in matches if match is not None), 0)


def carries_review(components: Iterable[Mapping[str, Any]], review_id: int) -> bool:
    """Whether a message is the evidence card of ``review_id``."""
    matches = map(_REVIEW_MARK.fullmatch, custom_ids(components))
    return any(match is not None and int(match["review"]) == review_id for match in matches)


def carries_held(components: Iterable[Mapping[str, Any]], held_id: int) -> bool:
    """Whether a message is the card of the picture ``held_id``."""
    return held("allow", held_id) in custom_ids(components)
