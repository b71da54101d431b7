"""The card that asks whose the pictures of a message are."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from discord import SelectOption, ui

from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.limits import clip, plain
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import NEUTRAL
from cogs.ui.words import mark, say
from pipeline.domain.character import Appearance, Character

REFERENCE, CHECK = "reference", "check"
PAGE = 25
"""Options of one menu."""
_LABEL = 100
_ASKED = {
    REFERENCE: mark("Whose pictures are these?"),
    CHECK: mark("Who should this be?"),
}


@dataclass(frozen=True, slots=True)
class Asking:
    """What a card asks about: its verb, the pictures that are meant, and a page of the cast."""

    verb: str
    mask: int
    page: int = 0

    def means(self, count: int) -> list[int]:
        """The numbers of the meant pictures among ``count``."""
        return [n for n in range(count) if self.mask >> n & 1]


def asking_card(
    asking: Asking, pictures: Sequence[Picture], cast: Sequence[Character], author_id: int = 0
) -> Card:
    """The pictures, a menu of them where there are several, and a menu of the cast.

    ``author_id`` is who posted them, where that is not the person who asks.
    """
    card = Card(NEUTRAL).heading(say(_ASKED[asking.verb])).gallery(*pictures)
    if author_id and asking.verb == REFERENCE:
        member = f"<@{author_id}>"
        card.small(say("Posted by {member}: take it only if they agree.", member=member))
    if len(pictures) > 1:
        card.row(_which(asking, len(pictures)))
    first = asking.page * PAGE
    options = [
        SelectOption(label=clip(c.name, _LABEL), value=str(c.id), description=c.character_id)
        for c in cast[first : first + PAGE]
    ]
    whose: ui.Select[Any] = ui.Select(
        custom_id=ids.menu(asking.verb, "whose", asking.mask, asking.page),
        placeholder=say("Choose the character"),
        options=options,
    )
    card.row(whose)
    if len(cast) > PAGE:
        page, last = asking.page, (len(cast) - 1) // PAGE
        back, on = (ids.menu(asking.verb, step, asking.mask, page) for step in ("back", "on"))
        card.row(
            button(say("Back"), back, emoji="◀️", disabled=page == 0),
            button(say("More"), on, emoji="▶️", disabled=page == last),
        )
    return card


def looks_card(
    asking: Asking, pictures: Sequence[Picture], character: Character, looks: Sequence[Appearance]
) -> Card:
    """The same, once the character is known and has several looks."""
    name = plain(character.name, 60)
    card = Card(NEUTRAL).heading(say("In which look is {name}?", name=name)).gallery(*pictures)
    options = [
        SelectOption(label=clip(a.label, _LABEL), value=str(a.id), description=a.appearance_id)
        for a in looks[:PAGE]
    ]
    menu: ui.Select[Any] = ui.Select(
        custom_id=ids.menu(asking.verb, "look", asking.mask, character.id),
        placeholder=say("Choose the look"),
        options=options,
    )
    return card.row(menu)


def _which(asking: Asking, count: int) -> ui.Select[Any]:
    meant = asking.means(count)
    return ui.Select(
        custom_id=ids.menu(asking.verb, "which", asking.mask, asking.page),
        max_values=count if asking.verb == REFERENCE else 1,
        options=[
            SelectOption(label=say("Picture {n}", n=n + 1), value=str(n), default=n in meant)
            for n in range(count)
        ],
    )
