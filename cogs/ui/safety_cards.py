"""The cards of content safety."""

from collections.abc import Sequence

from cogs.ui.card import Card
from cogs.ui.limits import lines_within, plain
from cogs.ui.verdicts import NEUTRAL
from cogs.ui.words import say, say_n

_LIST = 3200


def words_card(words: Sequence[str]) -> Card:
    """The word list, each word hidden until somebody wants to read it."""
    if not words:
        card = Card(NEUTRAL).heading(say("The word list is empty"))
        return card.text(say("Add words: `/safety words add`"))
    title = say_n("🚫 {n} word is refused", "🚫 {n} words are refused", len(words))
    card = Card(NEUTRAL).heading(title)
    return card.text(lines_within((f"||{plain(word, 60)}||" for word in words), _LIST))
