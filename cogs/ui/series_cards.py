"""The rules of a series in words: who votes, what members may use, what channels draw with."""

from collections.abc import Sequence

from cogs.ui.card import Card
from cogs.ui.limits import lines_within, plain
from cogs.ui.notices import done
from cogs.ui.words import mark, say, say_n
from pipeline.domain.character import Series
from pipeline.domain.panel import ChannelDefaults
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
                "They must have been here for at least {n} day.",
                "They must have been here for at least {n} days.",
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


def quota_card(series: Series, roles: Sequence[tuple[int, int]]) -> Card:
    """What members may use in 24 hours, and which roles may use more or less."""
    card = done(say("Quotas: {series}", series=plain(series.name, 80)))
    lines = [
        say_n("{n} panel for a member in 24 hours", "{n} panels for a member in 24 hours",
              series.quota)
    ]  # fmt: skip
    if series.gpu_seconds is None:
        lines.append(say("Drawing takes as long as it takes: there is no limit."))
    else:
        lines.append(say("{seconds} s of drawing in 24 hours", seconds=series.gpu_seconds))
    lines += [f"<@&{role}>: {say('{seconds} s', seconds=seconds)}" for role, seconds in roles]
    if series.cooldown:
        lines.append(
            say_n("{n} second between two requests", "{n} seconds between two requests",
                  series.cooldown)
        )  # fmt: skip
    card.text(lines_within(lines, 2000))
    return card.small(say("Of several roles of a member the one that gives most counts."))


def channels_card(told: Sequence[tuple[int, ChannelDefaults]], here: int) -> Card:
    """What panels get by the channel in which they are asked for; first the one that is meant."""
    if not told:
        return done(say("Every channel draws what the comic says"))
    ordered = sorted(told, key=lambda one: one[0] != here)
    card = done(say("What panels get by channel"))
    return card.text(lines_within((_channel_line(*one) for one in ordered), 3000))


def _channel_line(channel_id: int, defaults: ChannelDefaults) -> str:
    said = []
    if defaults.generator:
        said.append(say("engine {name}", name=f"`{defaults.generator}`"))
    if defaults.size:
        said.append(f"{defaults.size.width} × {defaults.size.height}")
    if defaults.alternates:
        said.append(say_n("{n} alternate", "{n} alternates", defaults.alternates))
    if defaults.style:
        said.append(f"“{plain(defaults.style, 200)}”")
    return f"<#{channel_id}>: {' · '.join(said)}"
