"""Short answers: what became of a command, lists, and news that are not cards of a panel."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from discord import ButtonStyle

from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.cards import cast_names
from cogs.ui.limits import lines_within, plain
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import (
    BAD,
    GOOD,
    NEUTRAL,
    QUIET,
    WAITING,
    figures,
    look,
    promises,
    review_look,
    review_reason,
)
from cogs.ui.words import say
from pipeline.domain.character import (
    Appearance,
    ColorMode,
    MissingShot,
    ReadingDirection,
    Series,
)
from pipeline.domain.job import Job, JobStatus, QueuePlace
from pipeline.domain.panel import Panel, PanelOrigin, PanelStatus
from pipeline.domain.quality import CandidateReport
from pipeline.domain.review import Review, ReviewStats
from pipeline.domain.story import StoryPlace

if TYPE_CHECKING:
    from bot.services.cast import CastEntry
    from bot.services.panel_views import QueueEntry

_LIST = 3200
_STATUS = {
    PanelStatus.QUEUED: ("⏳", "waiting in the queue", WAITING),
    PanelStatus.RUNNING: ("🖌️", "being drawn", NEUTRAL),
    PanelStatus.REVIEW: ("🔎", "waiting for a moderator", WAITING),
    PanelStatus.VOTING: ("🗳️", "open for votes", NEUTRAL),
    PanelStatus.ACCEPTED: ("✅", "accepted", GOOD),
    PanelStatus.REJECTED: ("⛔", "rejected", BAD),
    PanelStatus.CANCELLED: ("▫️", "cancelled", QUIET),
    PanelStatus.FAILED: ("⚠️", "failed", BAD),
}
_READING = {
    ReadingDirection.LTR: "left to right",
    ReadingDirection.RTL: "right to left",
    ReadingDirection.WEBTOON: "top to bottom",
}
_COLOUR = {ColorMode.COLOR: "colour", ColorMode.GRAYSCALE: "black and white"}


def waiting_time(seconds: float | None) -> str:
    """A person's words for a duration; an unknown one says so."""
    if seconds is None:
        return "time not known yet"
    if seconds < 60:
        return "less than a minute"
    minutes = round(seconds / 60)
    if minutes < 90:
        return f"about {minutes} minute{'' if minutes == 1 else 's'}"
    return f"about {round(minutes / 60)} hours"


def done(title: str, words: str = "") -> Card:
    """Something went well."""
    return Card(GOOD).heading(f"✅ {title}").text(words)


_MISSING = {
    MissingShot.WARN: "warn and draw from the next best",
    MissingShot.BLOCK: "refuse the panel",
}


def series_card(series: Series, title: str) -> Card:
    """A series and its settings."""

    def channel(number: int | None) -> str:
        return f"<#{number}>" if number else "where it was asked"

    role = f"<@&{series.moderator_role_id}>" if series.moderator_role_id else "server managers"
    return done(
        f"{title}: {plain(series.name, 80)}",
        f"Reads {_READING[series.reading_direction]}, {_COLOUR[series.color_mode]}"
        + (f", {plain(series.style, 200)}" if series.style else "")
        + f"\nModerators: {role}\nPanels go to: {channel(series.panel_channel_id)}"
        f"\nReviews go to: {channel(series.review_channel_id)}"
        f"\nAlternates: {series.alternates} · panels per member and day: {series.quota}"
        f"\nWithout a reference for the shot: {_MISSING[series.missing_shot]}"
        f"\nFlagged of good panels: at most {series.false_flag_percent} % · seen blindly of what "
        f"passes: {series.audit_percent} %"
        f"\nChapter: {series.chapter or 'not said'}",
    )


def registration_card(
    title: str,
    appearance: Appearance,
    added: int,
    duplicates: Sequence[str],
    readiness: str,
) -> Card:
    """What was registered, what was registered before, and what the check can do with it."""
    card = Card(GOOD if added else WAITING).heading(f"{'✅' if added else '⚠️'} {title}")
    pictures = f"{added} picture{'' if added == 1 else 's'}"
    card.text(f"Appearance `{appearance.appearance_id}` · {pictures} added")
    card.text(lines_within((f"⚠️ {plain(line, 200)}" for line in duplicates), 1200))
    if appearance.palette:
        card.text("Palette: " + " ".join(f"`{colour}`" for colour in appearance.palette[:8]))
    return card.small(plain(readiness, 400))


def check_card(report: CandidateReport, names: Mapping[str, str], picture: Picture) -> Card:
    """The check of any picture: verdict, figures and the evidence."""
    verdict = look(report.verdict)
    card = Card(verdict.colour).heading(str(verdict)).gallery(picture)
    lines = []
    for check in report.checks:
        measured = figures(check)
        name = plain(names.get(check.character_id, check.character_id), 40)
        detail = f" ({measured})" if measured else ""
        lines.append(f"{look(check.verdict)} **{name}**{detail}: {plain(check.reason, 300)}")
    if report.duplicate_of:
        lines.append(f"👯 It looks like {plain(report.duplicate_of, 60)}.")
    return card.text(lines_within(lines, 2000)).small(promises(report))


def request_card(
    panel: Panel, place: QueuePlace | None, names: Mapping[str, str], warnings: Sequence[str] = ()
) -> Card:
    """A request was taken: its number, its place and what to expect."""
    symbol, words, colour = _STATUS[panel.status]
    kind = "submission" if panel.origin is PanelOrigin.SUBMITTED else "panel"
    card = Card(colour).heading(f"{symbol} Your {kind} is number {panel.id}")
    card.text(
        f"**{cast_names(panel, names)}** · {panel.brief.shot_type}{_played(panel)}\n"
        f"{_standing(words, place)}"
    )
    card.text(warning_lines(warnings))
    return card.small(
        "The result comes as a new message in this channel. "
        f"`/panel status panel:{panel.id}` tells where it stands, `/panel cancel` stops it."
    )


def waiting_for_engine(card: Card, trouble: str | None) -> Card:
    """Say on a card why nothing is drawn; what waits is kept and goes on by itself."""
    if trouble is None:
        return card
    return card.text(f"⚠️ Panels wait: {plain(trouble, 300)} They are drawn as soon as it works.")


def warning_lines(warnings: Sequence[str]) -> str:
    """What the person should know, one line each."""
    return lines_within((f"⚠️ {plain(warning, 200)}" for warning in warnings), 1000)


def _played(panel: Panel) -> str:
    """When it plays and what is therefore worn; nothing where no chapter is known."""
    place = str(StoryPlace(panel.brief.chapter, panel.brief.page))
    worn = ", ".join(f"`{role.appearance_id}`" for role in panel.brief.cast)
    return f" · {place}, in {worn}" if place else ""


def status_card(
    panel: Panel,
    names: Mapping[str, str],
    job: Job | None,
    place: QueuePlace | None,
    review: Review | None,
) -> Card:
    """Where a panel stands."""
    symbol, words, colour = _STATUS[panel.status]
    card = Card(colour).heading(f"{symbol} Panel {panel.id}: {words}")
    card.text(
        f"**{cast_names(panel, names)}** · {panel.brief.shot_type}{_played(panel)} · asked for by "
        f"<@{panel.requester_id}>"
    )
    card.text(progress_line(panel, job, place))
    if review is not None and panel.status is PanelStatus.REVIEW:
        thread = f" in <#{review.thread_id}>" if review.thread_id else ""
        card.text(
            f"{review_look(review)}: {plain(review_reason(review), 400)}\n"
            f"Review {review.id}{thread}"
        )
    if panel.failure:
        card.text(f"⚠️ {plain(panel.failure, 400)}")
    return card


def progress_line(panel: Panel, job: Job | None, place: QueuePlace | None) -> str:
    """One line on a job that is not finished, else nothing."""
    if job is not None and job.status is JobStatus.RUNNING:
        filled = max(0, min(10, round(job.progress * 10)))
        note = f" · {plain(job.progress_note, 80)}" if job.progress_note else ""
        return f"`{'█' * filled}{'░' * (10 - filled)}` {round(job.progress * 100)} %{note}"
    if panel.status is PanelStatus.QUEUED:
        return _standing("Waiting in the queue", place)
    return ""


def _standing(words: str, place: QueuePlace | None) -> str:
    if place is None:
        return words.capitalize()
    ahead = "next" if place.position <= 1 else f"place {place.position}"
    return f"{words.capitalize()}: {ahead}, {waiting_time(place.eta_seconds)}"


def queue_card(entries: Sequence["QueueEntry"], names: Mapping[str, str]) -> Card:
    """All jobs of the server that wait or run."""
    if not entries:
        return Card(GOOD).heading("✅ The queue is empty").text("Ask for a panel: `/panel request`")
    card = Card(WAITING).heading(f"⏳ {len(entries)} in the queue")
    return card.text(lines_within((_queue_line(entry, names) for entry in entries), _LIST))


def _queue_line(entry: "QueueEntry", names: Mapping[str, str]) -> str:
    running = entry.job.status is JobStatus.RUNNING
    mark = "🖌️" if running else f"**{entry.place.position}.**"
    when = (
        f"{round(entry.job.progress * 100)} %"
        if running
        else (waiting_time(entry.place.eta_seconds))
    )
    return (
        f"{mark} panel {entry.panel.id} · {cast_names(entry.panel, names)} · "
        f"<@{entry.job.member_id}> · {when}"
    )


def cast_card(entries: Sequence["CastEntry"]) -> Card:
    """The registered cast."""
    if not entries:
        return (
            Card(NEUTRAL)
            .heading("No characters yet")
            .text("Register the first one with `/character register` and one to five pictures.")
        )
    card = Card(NEUTRAL).heading(f"🎭 {len(entries)} character{'' if len(entries) == 1 else 's'}")
    return card.text(lines_within(map(_cast_line, entries), _LIST))


def _cast_line(entry: "CastEntry") -> str:
    looks = ", ".join(f"`{a.appearance_id}`" for a in entry.appearances[:4])
    more = f" and {len(entry.appearances) - 4} more" if len(entry.appearances) > 4 else ""
    pictures = f"{entry.references} picture{'' if entry.references == 1 else 's'}"
    return (
        f"**{plain(entry.character.name, 60)}** `{entry.character.character_id}` · {pictures} · "
        f"{looks}{more} · <@{entry.character.owner_id}>"
    )


def reviews_card(reviews: Sequence[Review]) -> Card:
    """The reviews that wait for a decision."""
    if not reviews:
        return Card(GOOD).heading("✅ Nothing to review")
    card = Card(WAITING).heading(f"🔎 {len(reviews)} waiting for a decision")
    return card.text(lines_within(map(_review_line, reviews), _LIST))


def review_stats_card(stats: ReviewStats) -> Card:
    """How moderators work: what waits, how far they agree, what the catalogue lacks."""
    card = Card(NEUTRAL).heading(f"📊 {stats.waiting} waiting, {stats.decided} decided")
    if stats.twice:
        alpha = "" if stats.alpha is None else f" Krippendorff's α is {stats.alpha:.2f}."
        card.text(
            f"{stats.twice} were looked at twice, {stats.disputed} of them are disputed.{alpha}"
        )
        card.small("α is 1 where all agree and 0 where they agree as often as by chance.")
    else:
        card.text("Nothing was looked at twice yet: `/review second` shows uncertain decisions.")
    card.text(stats.coverage)
    if stats.proposed:
        names = ", ".join(plain(name, 40) for name in stats.proposed[:5])
        card.text(f"People describe kinds of drift that have no name yet: {names}.")
    return card


def _review_line(review: Review) -> str:
    where = f" · <#{review.thread_id}>" if review.thread_id else ""
    return (
        f"**{review.id}** panel {review.panel_id} · {review_look(review)} · "
        f"{plain(review_reason(review), 120)}{where}"
    )


def failed_card(panel: Panel, names: Mapping[str, str], reason: str, post: int = 0) -> Card:
    """A panel could not be made; the person may try again with one click."""
    card = Card(BAD).heading(f"⚠️ Panel {panel.id} could not be made")
    card.text(f"**{cast_names(panel, names)}** · asked for by <@{panel.requester_id}>")
    card.text(plain(reason or "The reason was not recorded.", 800))
    by_hand = panel.origin is PanelOrigin.SUBMITTED
    reroll = ids.panel("reroll", panel.id, post)
    return card.row(
        button("Reroll", reroll, style=ButtonStyle.primary, emoji="🎲", disabled=by_hand)
    )


def recipe_card(panel_id: int, text: str) -> Card:
    """How a panel was made: words here, the whole plan as a file that reproduces it."""
    words, _, plan = text.rpartition("\n")
    card = Card(NEUTRAL).heading(f"📜 Recipe of panel {panel_id}")
    if not plan.startswith("{"):
        return card.text(plain(text, 1500))
    card.text(lines_within((plain(line, 600) for line in words.splitlines()), 2400))
    name = f"panel-{panel_id}-plan.json"
    return card.file(Picture(name, f"The plan of panel {panel_id}", plan.encode()))


def problem_card(words: str, reference: str | None = None) -> Card:
    """Something did not work; ``reference`` finds it in the log."""
    card = Card(BAD).text(f"⚠️ {words}")
    return card.small(say("Reference `{reference}`", reference=reference) if reference else "")
