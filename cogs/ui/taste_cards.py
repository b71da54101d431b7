"""What a series has learned to like, in words."""

import math
from typing import TYPE_CHECKING

from cogs.ui.card import Card
from cogs.ui.limits import plain
from cogs.ui.verdicts import NEUTRAL, QUIET
from cogs.ui.words import mark, say, say_n
from pipeline.domain.panel import ALTERNATE_LABELS
from pipeline.domain.taste import Lesson, Taste, Trait
from pipeline.domain.voting import TasteUse

if TYPE_CHECKING:
    from bot.services.taste import TasteView

_USES = {
    TasteUse.OFF: mark("It is switched off: nothing is learned from votes."),
    TasteUse.RANK: mark(
        "It decides between alternates with equally many votes, and tells afterwards what it had "
        "expected."
    ),
    TasteUse.SPARE: mark(
        "It decides between alternates with equally many votes, and fewer alternates are drawn "
        "once the winner is clear, but always two."
    ),
}
_MORE_AND_LESS = {
    Trait.LIGHTNESS: (mark("lighter pictures"), mark("darker pictures")),
    Trait.CONTRAST: (mark("more contrast"), mark("less contrast")),
    Trait.COLOURFULNESS: (mark("stronger colours"), mark("paler colours")),
    Trait.WARMTH: (mark("warmer colours"), mark("colder colours")),
    Trait.DETAIL: (mark("busier pictures"), mark("calmer pictures")),
    Trait.CLOSENESS: (mark("closer figures"), mark("figures farther away")),
    Trait.CENTRED: (mark("figures in the middle"), mark("figures at the side")),
    Trait.LIKENESS: (mark("figures closest to the model sheet"), mark("freer figures")),
}


def taste_card(view: "TasteView") -> Card:
    """What was learned, from how much, how often it was right, and what is done with it."""
    taste = view.taste
    card = Card(NEUTRAL if taste is not None and taste.ready else QUIET)
    card.heading(say("🔮 The taste of {series}", series=plain(view.series.name, 80)))
    card.text(say(_USES[view.series.taste]))
    if view.series.taste is TasteUse.OFF:
        return card.small(say("Switch it on with `/series taste switch`."))
    if taste is None:
        panels, ballots = view.least
        return card.text(
            say(
                "It has seen {ballots} votes on {panels} closed panels. It says nothing before "
                "there are {least_ballots} on {least_panels}.",
                ballots=view.ballots,
                panels=view.panels,
                least_ballots=ballots,
                least_panels=panels,
            )
        )
    card.text(_likes(taste)).text(_trust(view, taste)).text(_places(taste))
    return card.small(
        say(
            "It only orders pictures that are on-model already. What is on-model the check and "
            "moderators decide, and what wins people decide. Votes of somebody who is forgotten "
            "are forgotten here, too."
        )
    )


def _likes(taste: Taste) -> str:
    certain = [_lesson(one) for one in taste.lessons if one.low * one.high > 0]
    if not certain:
        return say("**People here choose** nothing that has a name with certainty yet.")
    liked = say("**People here rather choose** {what}.", what=", ".join(certain[:5]))
    told = say("× says how many times as often such a picture is chosen as another of its panel.")
    return f"{liked}\n-# {told}"


def _lesson(lesson: Lesson) -> str:
    more, less = _MORE_AND_LESS[lesson.trait]
    words = say(more) if lesson.weight > 0 else say(less)
    return f"{words} (×{math.exp(abs(lesson.weight)):.1f})"


def _trust(view: "TasteView", taste: Taste) -> str:
    held = taste.held_out
    lines = [
        say(
            "Learned from {ballots} votes of {voters} people on {panels} panels.",
            ballots=taste.ballots,
            voters=taste.voters,
            panels=taste.panels,
        ),
        say(
            "Of panels that it had not learned from it foretold {right} of {panels} winners; "
            "a guess gets {chance}.",
            right=held.right,
            panels=held.panels,
            chance=round(held.by_chance),
        ),
    ]
    if view.record.expected:
        lines.append(
            say(
                "Before votes closed it had expected {right} of {expected} winners.",
                right=view.record.right,
                expected=view.record.expected,
            )
        )
    if taste.doubted:
        lines.append(
            say_n(
                "{n} of these people counts for less than half: who always votes as somebody "
                "else does, or at random.",
                "{n} of these people count for less than half: who always vote as others do, "
                "or at random.",
                taste.doubted,
            )
        )
    if not taste.ready:
        lines.append(say("That is no better than guessing, so nothing is done with it yet."))
    return "\n".join(lines)


def _places(taste: Taste) -> str:
    even = 1 / len(taste.slots)
    odd = [
        say("{label} {share} %", label=label, share=round(100 * slot.share))
        for label, slot in zip(ALTERNATE_LABELS, taste.slots, strict=True)
        if not slot.low <= even <= slot.high
    ]
    if not odd:
        return say("No place on a card gets more votes than another, as far as can be told.")
    return say(
        "Of four equal pictures these places would not get {even} % of the votes but: {shares}. "
        "The order is random, and this is taken into account.",
        even=round(100 * even),
        shares=", ".join(odd),
    )
