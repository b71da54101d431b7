"""The cards of panels and reviews: what is shown, without knowing where it goes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

import discord
from discord import ui

from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.limits import clip, lines_within, plain
from cogs.ui.pictures import Picture
from cogs.ui.terms import shot
from cogs.ui.verdicts import (
    BAD,
    GOOD,
    NEUTRAL,
    QUIET,
    WAITING,
    beside_page,
    figures,
    is_blind,
    look,
    promises,
    review_look,
    review_reason,
)
from cogs.ui.words import mark, retell, say, say_n
from pipeline.domain.panel import Panel, PanelOrigin, PanelStatus
from pipeline.domain.quality import CharacterCheck
from pipeline.domain.review import Review, ReviewStatus, StoredCandidate, Tally
from pipeline.domain.taste import Guess
from pipeline.quality.audit import blind_words

DRAFT_NOTE = mark(
    "This is a draft: registered art pasted into a panel as a storyboard artist would. "
    "It draws no new poses."
)
PANEL_WORDS = {
    PanelStatus.QUEUED: mark("waiting in the queue"),
    PanelStatus.RUNNING: mark("being drawn"),
    PanelStatus.REVIEW: mark("waiting for a moderator"),
    PanelStatus.VOTING: mark("open for votes"),
    PanelStatus.ACCEPTED: mark("accepted"),
    PanelStatus.REJECTED: mark("rejected"),
    PanelStatus.CANCELLED: mark("cancelled"),
    PanelStatus.FAILED: mark("failed"),
}
_DECISIONS = {
    ReviewStatus.OPEN: ("⏳", mark("waiting for a moderator"), WAITING),
    ReviewStatus.APPROVED: ("✅", mark("approved"), GOOD),
    ReviewStatus.REJECTED: ("⛔", mark("rejected"), BAD),
    ReviewStatus.RETRIED: ("🔁", mark("sent back for another try"), NEUTRAL),
    ReviewStatus.WITHDRAWN: ("▫️", mark("withdrawn"), QUIET),
}


@dataclass(frozen=True, slots=True)
class PanelFacts:
    """What the cards of a panel show beside its pictures.

    ``names`` maps a character id to the name that people know; ``drafted`` says that the embedded
    draft generator made the pictures; ``post`` is the outbox row that owes the message; ``notes``
    name what the engine left out; ``quorum`` is how many votes decide before the time is over;
    ``varies`` says that the engine can vary its pictures, ``enlarges`` that the chosen one can be
    made larger.
    """

    panel: Panel
    names: Mapping[str, str]
    candidates: tuple[StoredCandidate, ...]
    tally: Tally | None = None
    drafted: bool = False
    post: int = 0
    notes: tuple[str, ...] = ()
    quorum: int | None = None
    varies: bool = False
    enlarges: bool = False
    review: Review | None = None
    guess: Guess | None = None

    @property
    def restricted(self) -> bool:
        """Whether it may be shown in age-restricted channels only: no moderator has seen it."""
        seen = self.review is not None and self.review.status is ReviewStatus.APPROVED
        return not seen and any(candidate.hidden for candidate in self.candidates)

    @property
    def taken_down(self) -> bool:
        """Whether everyone saw it before moderators took it away; its pictures go, too."""
        down = self.review is not None and self.review.is_public
        return down and self.panel.status is PanelStatus.REJECTED


@dataclass(frozen=True, slots=True)
class ReviewFacts:
    """What an evidence card shows beside the evidence picture.

    ``reports`` are the reasons of members who reported it, ``shown_at`` is a link to the card that
    everyone sees, ``claimed_until`` is how long the moderator who took it has it for themselves.
    """

    review: Review
    candidate: StoredCandidate
    names: Mapping[str, str]
    labels: Mapping[str, str] = field(default_factory=dict)
    reports: tuple[str, ...] = ()
    shown_at: str = ""
    claimed_until: datetime | None = None


def cast_names(panel: Panel, names: Mapping[str, str]) -> str:
    """The names of a panel's cast in speaking order, made safe to print."""
    return ", ".join(plain(names.get(r.character_id, r.character_id), 40) for r in panel.brief.cast)


def alternate_stem(panel_id: int, candidate: StoredCandidate) -> str:
    """The file name, without its ending, of a candidate's picture on a card."""
    return f"panel-{panel_id}-{(candidate.label or 'A').lower()}-{candidate.id}"


def alternate_alt(facts: PanelFacts, candidate: StoredCandidate) -> str:
    """The picture in words, for people who do not see it."""
    who = ", ".join(facts.names.get(r.character_id, r.character_id) for r in facts.panel.brief.cast)
    said = clip(facts.panel.brief.prompt, 90)
    return say(
        "Alternate {label} of panel {panel}: {who}; {shot}; {prompt}",
        label=candidate.label or "A",
        panel=facts.panel.id,
        who=clip(who, 80),
        shot=shot(facts.panel.brief.shot_type),
        prompt=said,
    )


def requested_by(origin: PanelOrigin, member_id: int) -> str:
    """Who drew it, or asked for it."""
    who = f"<@{member_id}>"
    if origin is PanelOrigin.SUBMITTED:
        return say("drawn by {who}", who=who)
    return say("asked for by {who}", who=who)


def evidence_card(facts: ReviewFacts, picture: Picture | None) -> Card:
    """Why a panel was flagged, with the picture that shows it and the moderators' buttons."""
    review = facts.review
    flag = review_look(review)
    symbol, word, colour = _DECISIONS[review.status]
    is_open = review.status is ReviewStatus.OPEN
    card = Card(flag.colour if is_open else colour)
    which = say("panel {panel}, review {review}", panel=review.panel_id, review=review.id)
    card.heading(f"{flag} · {which}")
    reason = _named(review_reason(review), facts.names)
    by = requested_by(review.origin, review.requester_id)
    card.text(f"{plain(reason, 600)}\n{by[:1].upper()}{by[1:]}")
    if picture is not None:
        card.gallery(picture)
    card.text(lines_within((_check_line(c, facts) for c in facts.candidate.report.checks), 1800))
    card.text(beside_page(facts.candidate.report))
    card.small(promises(facts.candidate.report))
    card.text(_reports(facts))
    if facts.reports and facts.shown_at:
        card.text(f"[{say('The card that everyone sees')}]({facts.shown_at})")
    if review.labels:
        card.text(
            "🏷️ " + ", ".join(plain(retell(facts.labels.get(x, x)), 60) for x in review.labels)
        )
    card.text(_decision(review, symbol, word)).text(_claimed(facts))
    return card.row(*_review_buttons(review)).row(*_claim_buttons(facts))


def evidence_alt(facts: ReviewFacts) -> str:
    """The evidence picture in words."""
    review = facts.review
    reason = clip(_named(review_reason(review), facts.names), 100)
    return say(
        "Evidence for review {review}: the picture of panel {panel} beside the registered "
        "references; {verdict}. {reason}",
        review=review.id,
        panel=review.panel_id,
        verdict=review_look(review).said,
        reason=reason,
    )


def evidence_stem(review_id: int) -> str:
    """The file name, without its ending, of an evidence picture."""
    return f"review-{review_id}-evidence"


def _named(reason: str, names: Mapping[str, str]) -> str:
    """The reason with people's names for the characters in place of their ids."""
    for character_id, name in names.items():
        reason = reason.replace(f"{character_id}:", f"{name}:")
    return reason


def _check_line(check: CharacterCheck, facts: ReviewFacts) -> str:
    """One character's verdict and figures; its reason only if the card does not say it already."""
    name = plain(facts.names.get(check.character_id, check.character_id), 40)
    if is_blind(facts.review):
        return f"🔎 {retell(blind_words(check, f'**{name}**'))}"
    measured = figures(check)
    detail = f" ({measured})" if measured else ""
    said = check.reason in facts.review.reason
    reason = "" if said else f": {plain(retell(check.reason), 220)}"
    return f"{look(check.verdict)} **{name}**{detail}{reason}"


def _reports(facts: ReviewFacts) -> str:
    """What members find wrong; who they are stands nowhere."""
    if not facts.reports:
        return ""
    head = say_n("🚩 {n} member says:", "🚩 {n} members say:", len(facts.reports))
    lines = lines_within((f"> {plain(reason, 300)}" for reason in facts.reports), 900)
    return f"{head}\n{lines}"


def _claimed(facts: ReviewFacts) -> str:
    if facts.claimed_until is None or facts.review.status is not ReviewStatus.OPEN:
        return ""
    until = discord.utils.format_dt(facts.claimed_until, "R")
    who = f"<@{facts.review.claimed_by}>"
    return say("✋ {who} is looking at it; free again {until}.", who=who, until=until)


def _claim_buttons(facts: ReviewFacts) -> list[ui.Button[ui.LayoutView]]:
    """Take it, give it back, take it over; once it is decided, say why."""
    review = facts.review
    if review.status is not ReviewStatus.OPEN:
        return [button(say("Say why"), ids.review("why", review.id), emoji="💬")]
    if facts.claimed_until is None:
        return [button(say("Claim"), ids.review("claim", review.id), emoji="✋")]
    return [
        button(say("Give back"), ids.review("release", review.id), emoji="↩️"),
        button(say("Take over"), ids.review("takeover", review.id), emoji="✋"),
    ]


def _decision(review: Review, symbol: str, word: str) -> str:
    if review.status is ReviewStatus.OPEN and review.is_public:
        return say("**Approve** lets it stay, **Reject** takes it down.")
    if review.status is ReviewStatus.OPEN:
        return say(
            "**Approve** accepts it as it is, **Reject** drops it, **Retry** draws it again."
        )
    said = say(word)
    told = f"**{said[:1].upper()}{said[1:]}**"
    if review.decided_by:
        told = say("{decision} by {who}", decision=told, who=f"<@{review.decided_by}>")
    when = f" {discord.utils.format_dt(review.decided_at, 'R')}" if review.decided_at else ""
    note = f"\n> {plain(review.note, 300)}" if review.note else ""
    return f"{symbol} {told}{when}{note}"


def _review_buttons(review: Review) -> list[ui.Button[ui.LayoutView]]:
    styles = discord.ButtonStyle
    off = review.status is not ReviewStatus.OPEN
    buttons = [
        button(
            say("Approve"),
            ids.review("approve", review.id),
            style=styles.success,
            emoji="✅",
            disabled=off,
        ),
        button(
            say("Reject"),
            ids.review("reject", review.id),
            style=styles.danger,
            emoji="⛔",
            disabled=off,
        ),
        button(say("Label drift"), ids.review("label", review.id), emoji="🏷️"),
    ]
    no_redraw = review.origin is PanelOrigin.SUBMITTED or review.is_public
    buttons.append(
        button(say("Retry"), ids.review("retry", review.id), emoji="🔁", disabled=off or no_redraw)
    )
    if review.status is ReviewStatus.REJECTED and review.appeal_of is None:
        buttons.append(button(say("Appeal"), ids.review("appeal", review.id), emoji="🙋"))
    else:
        buttons.append(button(say("Next"), ids.review("next", review.id), emoji="⏭️"))
    return buttons


def second_card(facts: ReviewFacts, picture: Picture | None) -> Card:
    """A decided picture for another pair of eyes: without what was decided, or by whom."""
    review = facts.review
    card = Card(NEUTRAL).heading(say("🔎 Second opinion · panel {panel}", panel=review.panel_id))
    card.text(
        say("The check was not sure here. Compare it with the model sheet: is this on-model?")
    )
    if picture is not None:
        card.gallery(picture)
    card.small(say("Your answer is counted and changes nothing that was decided."))
    styles = discord.ButtonStyle
    return card.row(
        button(say("Good"), ids.review("good", review.id), style=styles.success, emoji="👍"),
        button(say("Bad"), ids.review("bad", review.id), style=styles.danger, emoji="👎"),
    )
