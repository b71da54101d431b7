"""The queue in words: who waits for what, until when, and why."""

from collections.abc import Mapping
from typing import TYPE_CHECKING

from cogs.ui.card import Card
from cogs.ui.cards import cast_names
from cogs.ui.limits import lines_within, plain
from cogs.ui.notices import done_in
from cogs.ui.verdicts import GOOD, QUIET, WAITING
from cogs.ui.words import retell, say, say_n
from pipeline.domain.job import JobStatus

if TYPE_CHECKING:
    from bot.services.queueing import QueueEntry, QueueView

_LIST = 2800


def queue_card(view: "QueueView", names: Mapping[str, str]) -> Card:
    """All jobs of the server that run, wait or are held; why they are, and how sure the times."""
    pauses = _pauses(view)
    if not view.entries:
        card = Card(QUIET if pauses else GOOD).heading(say("✅ The queue is empty")).text(pauses)
        return card.text(say("Ask for a panel: {command}", command="`/panel request`"))
    card = Card(QUIET if pauses else WAITING)
    card.heading(say("⏳ {n} in the queue", n=len(view.entries))).text(pauses)
    card.text(lines_within((_line(entry, names) for entry in view.entries), _LIST))
    if view.yielding:
        card.text(
            say_n(
                "🤝 {n} of your panels waits so that others get their turn.",
                "🤝 {n} of your panels wait so that others get their turn.",
                view.yielding,
            )
        )
    return card.small(_sureness(view))


def _pauses(view: "QueueView") -> str:
    lines = []
    if view.host_paused_for is not None:
        why = f" {plain(view.host_paused_for, 200)}" if view.host_paused_for else ""
        lines.append(say("⏸️ Whoever runs me lets nothing begin at the moment.") + why)
    if view.paused_for is not None:
        why = f" {plain(view.paused_for, 200)}" if view.paused_for else ""
        lines.append(say("⏸️ Moderators let this queue pause. What waits is kept.") + why)
    return "\n".join(lines)


def _line(entry: "QueueEntry", names: Mapping[str, str]) -> str:
    job, place = entry.job, entry.place
    which = say("panel {panel}", panel=entry.panel.id)
    if job.status is JobStatus.RUNNING:
        note = f" · {plain(retell(job.progress_note), 60)}" if job.progress_note else ""
        symbol, when = "🖌️", f"{round(100 * job.progress)} %{note}"
    elif place is None:
        symbol, when = "⏸️", say("held")
    else:
        symbol = f"**{place.position}.**{' ⏫' if job.front else ''}"
        when = "" if place.eta_seconds is None else done_in(place)
    told = [f"{symbol} {which}", cast_names(entry.panel, names), f"<@{job.member_id}>", when]
    return " · ".join(filter(None, told))


def _sureness(view: "QueueView") -> str:
    """How far the times can be trusted, in words."""
    places = [entry.place for entry in view.entries if entry.place is not None]
    if not places:
        return ""
    if all(place.eta_seconds is None for place in places):
        return say("No times yet: too few panels were measured here.")
    if all(place.eta_low is None for place in places):
        return say("Times are rough: too few panels were measured to say how sure they are.")
    return say("Four of five panels are done within the time that is said here.")
