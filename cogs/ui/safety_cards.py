"""The cards of content safety."""

from collections.abc import Sequence
from dataclasses import replace

from discord import ButtonStyle

from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.limits import lines_within, plain
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import BAD, GOOD, NEUTRAL, WAITING
from cogs.ui.words import mark, retell, say, say_n
from pipeline.domain.safety import HeldPicture, HeldStatus, Restricted, SafetyRules
from pipeline.safety.raters import rating_words

_LIST = 3200


def words_card(words: Sequence[str]) -> Card:
    """The word list, each word hidden until somebody wants to read it."""
    if not words:
        card = Card(NEUTRAL).heading(say("The word list is empty"))
        return card.text(say("Add words: `/safety words add`"))
    title = say_n("🚫 {n} word is refused", "🚫 {n} words are refused", len(words))
    card = Card(NEUTRAL).heading(title)
    return card.text(lines_within((f"||{plain(word, 60)}||" for word in words), _LIST))


_SEES = {
    "drawings": mark("🟢 Drawings: a classifier looks at everything that is drawn or handed in."),
    "photos": mark("🟢 Photographs: a classifier looks at everything that is drawn or handed in."),
}
_BLIND = {
    "photos": mark("⚪ Photographs: nothing looks at them; whoever runs the bot can install it."),
}
_RESTRICTED = {
    Restricted.REVIEW: mark("Age-restricted channels are treated like all others."),
    Restricted.ALLOW: mark(
        "In age-restricted channels such pictures are posted at once, behind a spoiler."
    ),
}


def safety_card(rules: SafetyRules, sees: Sequence[str], words: int) -> Card:
    """What is looked at, from where on moderators are asked, and what nothing looks at."""
    card = Card(NEUTRAL).heading(f"🔞 {say('Content safety')}")
    lines = [say(text) for name, text in _SEES.items() if name in sees]
    lines += [say(text) for name, text in _BLIND.items() if name not in sees]
    card.text("\n".join(lines))
    flagged = say("Flagged from {percent} %.", percent=rules.flag_percent)
    waits = say("What is flagged waits for a moderator, behind a spoiler, before anybody sees it.")
    card.text(f"{flagged} {waits}\n{say(_RESTRICTED[rules.restricted])}")
    card.text(say_n("{n} word is refused: `/safety words list`",
                    "{n} words are refused: `/safety words list`", words))  # fmt: skip
    return card.small(say("Classifiers err both ways. What they miss, members can report."))


def held_card(held: HeldPicture, picture: Picture | None) -> Card:
    """A picture that somebody handed in, behind a spoiler, until a moderator has decided."""
    who = f"<@{held.member_id}>"
    if held.status is not HeldStatus.OPEN:
        allowed = held.status is HeldStatus.ALLOWED
        card = Card(GOOD if allowed else BAD)
        title = say("✅ Allowed") if allowed else say("⛔ Refused")
        by = say("by {who}", who=f"<@{held.decided_by}>")
        card.heading(title).text(f"{say('A picture of {who}', who=who)} · {by}")
        return card.small(say("Its file is gone. If it is allowed, it can be sent again."))
    card = Card(WAITING).heading(f"🔞 {say('Perhaps not for everyone')}")
    card.text(say("{who} wants to use this picture.", who=who) + f"\n{retell(words_of(held))}")
    if picture is not None:
        card.gallery(replace(picture, spoiler=True))
    return card.row(
        button(say("Allow"), ids.held("allow", held.id), style=ButtonStyle.success, emoji="✅"),
        button(say("Refuse"), ids.held("refuse", held.id), style=ButtonStyle.danger, emoji="⛔"),
    )


def words_of(held: HeldPicture) -> str:
    """What the classifier says of it."""
    return rating_words(held.rating)


def held_alt(held: HeldPicture) -> str:
    """The picture in words: nothing is known but that it waits."""
    return say("Picture {picture} that waits for a moderator", picture=held.id)
