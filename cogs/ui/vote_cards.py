"""The card of a panel that was drawn: its alternates, the vote on them, what else can be done."""

from collections.abc import Sequence

import discord
from discord import ui

from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.cards import DRAFT_NOTE, PANEL_WORDS, PanelFacts, cast_names, requested_by
from cogs.ui.limits import plain
from cogs.ui.pictures import Picture
from cogs.ui.terms import shot
from cogs.ui.verdicts import BAD, GOOD, NEUTRAL, short
from cogs.ui.words import retell, say, say_n
from pipeline.domain.panel import Panel, PanelOrigin, PanelStatus
from pipeline.domain.review import StoredCandidate, Tally

_OPEN = PanelStatus.VOTING


def vote_card(facts: PanelFacts, pictures: Sequence[Picture]) -> Card:
    """The alternates of a panel with a vote button each, or the winner when voting is over."""
    status = facts.panel.status
    card = Card(GOOD if status is PanelStatus.ACCEPTED else NEUTRAL)
    card.heading(_title(facts)).text(_about(facts))
    card.gallery(*pictures)
    card.text("\n".join(_alternate_line(facts, candidate) for candidate in facts.candidates))
    card.text(_standing(facts))
    card.small(_expected(facts))
    if facts.drafted and facts.panel.origin is PanelOrigin.GENERATED:
        card.small(say(DRAFT_NOTE))
    if facts.notes:
        card.small(plain(say("Left out: {parts}", parts="; ".join(map(retell, facts.notes))), 300))
    if status is _OPEN:
        card.row(*(_vote_button(facts.panel.id, c) for c in facts.candidates))
    card.row(*_again(facts))
    return card.row(*_more(facts))


def taken_down_card(facts: PanelFacts) -> Card:
    """What is left of a card whose panel moderators took down: no picture, the reason, an appeal.

    Who reported it is told to nobody. What was asked for may be what was wrong with it.
    """
    review, panel = facts.review, facts.panel
    assert review is not None  # a panel is taken down by a review
    card = Card(BAD)
    card.heading(say("⛔ Panel {panel}: taken down by moderators", panel=panel.id))
    asked = requested_by(panel.origin, panel.requester_id)
    card.text(f"**{cast_names(panel, facts.names)}** · {asked}")
    if review.note:
        card.text(f"> {plain(review.note, 300)}")
    if review.appeal_of is None:
        card.small(say("Whoever asked for it may appeal once; another moderator looks then."))
        card.row(button(say("Appeal"), ids.review("appeal", review.id), emoji="🙋"))
    return card


def ballot_card(facts: PanelFacts, tally: Tally, candidate_id: int, *, decided: bool) -> Card:
    """What a voter is told in private: their vote, and how it stands."""
    label = {candidate.id: candidate.label or "A" for candidate in facts.candidates}
    said = say("Your vote on panel {panel} is {label}", panel=facts.panel.id,
               label=label[candidate_id])  # fmt: skip
    card = Card(GOOD).heading(f"✅ {said}")
    counts = (
        f"**{candidate.label}** {votes_cast(tally.counts.get(candidate.id, 0))}"
        for candidate in facts.candidates
    )
    card.text(" · ".join(counts))
    if decided:
        winner = label[tally.leader or candidate_id]
        return card.text(say("That decided it: **{label}** wins.", label=winner))
    return card.small(say("You may change it until the vote closes."))


def pick_card(panel: Panel, candidates: Sequence[StoredCandidate]) -> Card:
    """Which of several pictures is to be varied?"""
    card = Card(NEUTRAL).heading(say("🪄 Which one of panel {panel}?", panel=panel.id))
    card.text(say("You get near variations of it: its recipe and its seed stay."))
    return card.row(
        *(
            button(say("Vary {label}", label=candidate.label or "A"),
                   ids.pick(panel.id, candidate.id))
            for candidate in candidates
        )
    )  # fmt: skip


def votes_cast(number: int) -> str:
    """A number of votes in words."""
    return say_n("{n} vote", "{n} votes", number)


def _title(facts: PanelFacts) -> str:
    match facts.panel.status:
        case PanelStatus.VOTING:
            return say("🗳️ Panel {panel}: vote for one", panel=facts.panel.id)
        case PanelStatus.ACCEPTED:
            return say("✅ Panel {panel}: accepted", panel=facts.panel.id)
        case _:
            state = say(PANEL_WORDS[facts.panel.status])
            return say("Panel {panel}: {state}", panel=facts.panel.id, state=state)


def _about(facts: PanelFacts) -> str:
    panel = facts.panel
    told = [f"**{cast_names(panel, facts.names)}**", shot(panel.brief.shot_type)]
    if panel.brief.page is not None:
        told.append(say("page {page}", page=panel.brief.page))
    told.append(requested_by(panel.origin, panel.requester_id))
    lines = [" · ".join(told)]
    if panel.brief.replaces is not None:
        lines.append(say("In place of panel {panel}", panel=panel.brief.replaces))
    if panel.brief.prompt:
        lines.append(f"> {plain(panel.brief.prompt, 400)}")
    return "\n".join(lines)


def _alternate_line(facts: PanelFacts, candidate: StoredCandidate) -> str:
    words = f"**{candidate.label or 'A'}** {short(candidate.report)}"
    # Who sees the counts before voting votes for the leader: they are told in private till the end.
    if facts.tally is not None and facts.tally.voters and facts.panel.status is not _OPEN:
        words += f" · {votes_cast(facts.tally.counts.get(candidate.id, 0))}"
    if candidate.id == facts.panel.chosen_candidate:
        words += " · " + say("**chosen**")
    return words


def _standing(facts: PanelFacts) -> str:
    """How many have voted and when it ends; nothing where no vote is open."""
    if facts.panel.status is not _OPEN:
        return ""
    voters = facts.tally.voters if facts.tally is not None else 0
    if facts.quorum is None:
        so_far = say_n("{n} vote so far", "{n} votes so far", voters)
    else:
        so_far = say("{voters} of {quorum} votes so far", voters=voters, quorum=facts.quorum)
    words = f"🗳️ {so_far}"
    if (closes := facts.panel.voting_closes_at) is not None:
        words += f" · {say('closes {when}', when=discord.utils.format_dt(closes, 'R'))}"
    told = say("Whoever has voted is told how it stands, and may change the vote.")
    return f"{words}\n-# {told}"


def _expected(facts: PanelFacts) -> str:
    """What the series' taste had expected; told only when nobody can follow it any more."""
    if facts.guess is None or facts.panel.status is _OPEN:
        return ""
    label = next((c.label for c in facts.candidates if c.id == facts.guess.candidate_id), None)
    if label is None:
        return ""
    return say(
        "🔮 The taste of this series had expected {label} and was {chance} % sure.",
        label=label,
        chance=min(99, round(100 * facts.guess.chance)),
    )


def _vote_button(panel_id: int, candidate: StoredCandidate) -> ui.Button[ui.LayoutView]:
    return button(
        say("Vote {label}", label=candidate.label or "A"),
        ids.vote(panel_id, candidate.id),
        style=discord.ButtonStyle.primary,
    )


def _again(facts: PanelFacts) -> list[ui.Button[ui.LayoutView]]:
    """What draws once more; nothing for a person's own drawing."""
    panel, post = facts.panel, facts.post
    if panel.origin is PanelOrigin.SUBMITTED:
        return []
    buttons = [
        button(say("Reroll"), ids.panel("reroll", panel.id, post), emoji="🎲"),
        button(say("Remix"), ids.panel("remix", panel.id, post), emoji="✏️"),
    ]
    if facts.varies:
        buttons.append(button(say("Vary this"), ids.panel("vary", panel.id, post), emoji="🪄"))
    return buttons


def _more(facts: PanelFacts) -> list[ui.Button[ui.LayoutView]]:
    panel, post = facts.panel, facts.post
    buttons = []
    drawn = panel.origin is PanelOrigin.GENERATED
    if drawn and facts.enlarges and panel.status is PanelStatus.ACCEPTED:
        buttons.append(button(say("Upscale"), ids.panel("upscale", panel.id, post), emoji="🔍"))
    buttons.append(button(say("Recipe"), ids.panel("recipe", panel.id, post), emoji="📜"))
    if panel.status is PanelStatus.ACCEPTED:
        buttons.append(button(say("Use on page…"), ids.panel("use", panel.id, post), emoji="📄"))
    if panel.status is _OPEN:
        buttons.append(button(say("Finish vote"), ids.panel("finish", panel.id, post), emoji="🏁"))
    return buttons
