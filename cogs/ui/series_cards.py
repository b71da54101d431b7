"""The rules of a series in words: who votes, what members may use, what channels draw with."""

from cogs.ui.card import Card
from cogs.ui.limits import plain
from cogs.ui.notices import done
from cogs.ui.words import mark, say, say_n
from pipeline.domain.character import Series
from pipeline.domain.voting import TieRule, VotingRules

_TIES = {
    TieRule.EXTEND: mark("A tie goes on once; then the one that is most clearly on-model wins."),
    TieRule.REQUESTER: mark("A tie goes to the one that whoever asked for the panel voted for."),
    TieRule.MARGIN: mark("A tie goes to the one that is most clearly on-model."),
}


def voting_card(series: Series) -> Card:
    """Who votes on alternates, until when, and what a tie does."""
    rules = series.voting
    card = done(say("Voting: {series}", series=plain(series.name, 80)))
    card.text("\n".join([*_voters(rules), _until(rules), say(_TIES[rules.tie])]))
    return card.small(say("What changed is for votes that are opened or cast from now on."))


def _voters(rules: VotingRules) -> list[str]:
    role = f"<@&{rules.role_id}>"
    who = say("Only people with {role} vote.", role=role) if rules.role_id else ""
    lines = [who or say("Everybody votes.")]
    if rules.member_days:
        lines.append(
            say_n(
                "They have been here for at least {n} day.",
                "They have been here for at least {n} days.",
                rules.member_days,
            )
        )
    return lines


def _until(rules: VotingRules) -> str:
    if rules.quorum is None:
        return say_n("A vote closes after {n} hour.", "A vote closes after {n} hours.", rules.hours)
    return say_n(
        "A vote closes after {n} hour, or as soon as {quorum} have voted and one leads.",
        "A vote closes after {n} hours, or as soon as {quorum} have voted and one leads.",
        rules.hours,
        quorum=rules.quorum,
    )
