"""Short answers: what became of a command, lists, and news that are not cards of a panel."""

from collections.abc import Container, Mapping, Sequence
from typing import TYPE_CHECKING

from discord import ButtonStyle

from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.cards import PANEL_WORDS, cast_names, requested_by
from cogs.ui.limits import lines_within, plain
from cogs.ui.pictures import Picture
from cogs.ui.terms import place, shot
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
from cogs.ui.words import LANGUAGES, mark, retell, say, say_n
from pipeline.domain.character import (
    ColorMode,
    MissingShot,
    ReadingDirection,
    Series,
)
from pipeline.domain.job import Job, JobStatus, QueuePlace
from pipeline.domain.panel import Panel, PanelOrigin, PanelStatus
from pipeline.domain.quality import CandidateReport
from pipeline.domain.review import LOAD_DAYS, Load, Review, ReviewStats
from pipeline.domain.sentinel import Savings
from pipeline.domain.story import StoryPlace

if TYPE_CHECKING:
    from bot.services.cast import CastEntry

_LIST = 3200
_STATUS = {
    PanelStatus.QUEUED: ("⏳", WAITING),
    PanelStatus.RUNNING: ("🖌️", NEUTRAL),
    PanelStatus.REVIEW: ("🔎", WAITING),
    PanelStatus.VOTING: ("🗳️", NEUTRAL),
    PanelStatus.ACCEPTED: ("✅", GOOD),
    PanelStatus.REJECTED: ("⛔", BAD),
    PanelStatus.CANCELLED: ("▫️", QUIET),
    PanelStatus.FAILED: ("⚠️", BAD),
}
_READING = {
    ReadingDirection.LTR: mark("left to right"),
    ReadingDirection.RTL: mark("right to left"),
    ReadingDirection.WEBTOON: mark("top to bottom"),
}
_COLOUR = {ColorMode.COLOR: mark("colour"), ColorMode.GRAYSCALE: mark("black and white")}


def waiting_time(seconds: float | None) -> str:
    """A person's words for a duration; an unknown one says so."""
    if seconds is None:
        return say("time not known yet")
    if seconds < 60:
        return say("less than a minute")
    minutes = round(seconds / 60)
    if minutes < 90:
        return say_n("about {n} minute", "about {n} minutes", minutes)
    return say_n("about {n} hour", "about {n} hours", round(minutes / 60))


def done_in(place: QueuePlace) -> str:
    """When a waiting panel will be done: from when to when, where that is known."""
    if place.eta_low is None or place.eta_high is None:
        return waiting_time(place.eta_seconds)
    low, high = round(place.eta_low / 60), max(1, round(place.eta_high / 60))
    if high >= 90:
        low, high = round(low / 60), round(high / 60)
        if low < high:
            return say("{low} to {high} hours", low=low, high=high)
        return say_n("about {n} hour", "about {n} hours", high)
    if low < high:
        return say("{low} to {high} minutes", low=low, high=high)
    return say_n("about {n} minute", "about {n} minutes", high)


def done(title: str, words: str = "") -> Card:
    """Something went well."""
    return Card(GOOD).heading(f"✅ {title}").text(words)


_MISSING = {
    MissingShot.WARN: mark("warn and draw from the next best"),
    MissingShot.BLOCK: mark("refuse the panel"),
}


def series_card(series: Series, title: str) -> Card:
    """A series and its settings."""

    def channel(number: int | None) -> str:
        return f"<#{number}>" if number else say("where it was asked")

    role = series.moderator_role_id
    looks = [say(_READING[series.reading_direction]), say(_COLOUR[series.color_mode])]
    if series.style:
        looks.append(plain(series.style, 200))
    lines = [
        say("Reads {how}", how=", ".join(looks)),
        say("Moderators: {who}", who=f"<@&{role}>" if role else say("server managers")),
        say("Panels go to: {channel}", channel=channel(series.panel_channel_id)),
        say("Reviews go to: {channel}", channel=channel(series.review_channel_id)),
        say(
            "Alternates: {alternates} · panels per member and day: {quota}",
            alternates=series.alternates,
            quota=series.quota,
        ),
        say("Without a reference for the shot: {what}", what=say(_MISSING[series.missing_shot])),
        say(
            "Flagged of good panels: at most {flagged} % · seen blindly of what passes: {seen} %",
            flagged=series.false_flag_percent,
            seen=series.audit_percent,
        ),
        say("Pictures that look poor half drawn: given up, once enough is known")
        if series.sentinel
        else say("Pictures that look poor half drawn: always finished"),
        say("Chapter: {chapter}", chapter=series.chapter or say("not said")),
        say(
            "Posts are in: {language}",
            language=LANGUAGES.get(series.language) or say("the language of the server"),
        ),
    ]
    return done(f"{title}: {plain(series.name, 80)}", "\n".join(lines))


def check_card(report: CandidateReport, names: Mapping[str, str], picture: Picture) -> Card:
    """The check of any picture: verdict, figures and the evidence."""
    verdict = look(report.verdict)
    card = Card(verdict.colour).heading(str(verdict)).gallery(picture)
    lines = []
    for check in report.checks:
        measured = figures(check)
        name = plain(names.get(check.character_id, check.character_id), 40)
        detail = f" ({measured})" if measured else ""
        lines.append(
            f"{look(check.verdict)} **{name}**{detail}: {plain(retell(check.reason), 300)}"
        )
    if report.duplicate_of:
        lines.append(
            "👯 " + say("It looks like {picture}.", picture=plain(report.duplicate_of, 60))
        )
    return card.text(lines_within(lines, 2000)).small(promises(report))


def request_card(
    panel: Panel, place: QueuePlace | None, names: Mapping[str, str], warnings: Sequence[str] = ()
) -> Card:
    """A request was taken: its number, its place and what to expect."""
    symbol, colour = _STATUS[panel.status]
    if panel.origin is PanelOrigin.SUBMITTED:
        title = say("Your submission is number {panel}", panel=panel.id)
    else:
        title = say("Your panel is number {panel}", panel=panel.id)
    card = Card(colour).heading(f"{symbol} {title}")
    card.text(f"{_subject(panel, names)}\n{_standing(say(PANEL_WORDS[panel.status]), place)}")
    card.text(warning_lines(warnings))
    return card.small(
        say(
            "The result comes as a new message in this channel. {status} tells where it stands, "
            "{cancel} stops it.",
            status=f"`/panel status panel:{panel.id}`",
            cancel="`/panel cancel`",
        )
    )


def waiting_for_engine(card: Card, trouble: str | None) -> Card:
    """Say on a card why nothing is drawn; what waits is kept and goes on by itself."""
    if trouble is None:
        return card
    return card.text(
        say(
            "⚠️ Panels wait: {trouble} They are drawn as soon as it works.",
            trouble=plain(retell(trouble), 300),
        )
    )


def warning_lines(warnings: Sequence[str]) -> str:
    """What the person should know, one line each."""
    return lines_within((f"⚠️ {plain(retell(warning), 200)}" for warning in warnings), 1000)


def _subject(panel: Panel, names: Mapping[str, str]) -> str:
    """Who is in it, how it is framed; when it plays and what is worn, where a chapter is known."""
    told = [f"**{cast_names(panel, names)}**", shot(panel.brief.shot_type)]
    if where := place(StoryPlace(panel.brief.chapter, panel.brief.page)):
        worn = ", ".join(f"`{role.appearance_id}`" for role in panel.brief.cast)
        told.append(say("{place}, in {looks}", place=where, looks=worn))
    return " · ".join(told)


def status_card(
    panel: Panel,
    names: Mapping[str, str],
    job: Job | None,
    place: QueuePlace | None,
    review: Review | None,
    saved: Savings | None = None,
) -> Card:
    """Where a panel stands."""
    symbol, colour = _STATUS[panel.status]
    state = say("Panel {panel}: {state}", panel=panel.id, state=say(PANEL_WORDS[panel.status]))
    card = Card(colour).heading(f"{symbol} {state}")
    card.text(f"{_subject(panel, names)} · {requested_by(panel.origin, panel.requester_id)}")
    card.text(progress_line(panel, job, place))
    if review is not None and panel.status is PanelStatus.REVIEW:
        where = say("Review {review}", review=review.id)
        if review.thread_id:
            thread = f"<#{review.thread_id}>"
            where = say("Review {review} in {thread}", review=review.id, thread=thread)
        card.text(f"{review_look(review)}: {plain(review_reason(review), 400)}\n{where}")
    if review is not None and review.note and panel.status is PanelStatus.REJECTED:
        card.text(say("The moderators say: {note}", note=plain(review.note, 400)))
    if panel.failure:
        card.text(f"⚠️ {plain(retell(panel.failure), 400)}")
    return card.small("" if saved is None else savings_words(saved))


def savings_words(saved: Savings) -> str:
    """What was given up or held harder while it was drawn, and what that saved."""
    lines = []
    if saved.ended:
        lines.append(
            say(
                "Given up half drawn: {ended} of {pictures} pictures. That saved {steps} steps, at "
                "least {seconds} s of drawing.",
                ended=saved.ended,
                pictures=saved.pictures,
                steps=saved.steps,
                seconds=f"{saved.seconds:.1f}",
            )
        )
    if saved.anchored:
        lines.append(
            say(
                "Held harder on the references half way: {anchored} of {pictures} pictures.",
                anchored=saved.anchored,
                pictures=saved.pictures,
            )
        )
    return "\n".join(lines)


def progress_line(panel: Panel, job: Job | None, place: QueuePlace | None) -> str:
    """One line on a job that is not finished, else nothing."""
    if job is not None and job.status is JobStatus.RUNNING:
        filled = max(0, min(10, round(job.progress * 10)))
        note = f" · {plain(retell(job.progress_note), 80)}" if job.progress_note else ""
        return f"`{'█' * filled}{'░' * (10 - filled)}` {round(job.progress * 100)} %{note}"
    if panel.status is PanelStatus.QUEUED:
        return _standing(say("waiting in the queue"), place)
    return ""


def _standing(words: str, place: QueuePlace | None) -> str:
    words = words[:1].upper() + words[1:]
    if place is None:
        return words
    when = done_in(place)
    if place.position <= 1:
        return say("{state}: next, {when}", state=words, when=when)
    return say("{state}: place {n}, {when}", state=words, n=place.position, when=when)


def cast_card(entries: Sequence["CastEntry"]) -> Card:
    """The registered cast."""
    if not entries:
        return (
            Card(NEUTRAL)
            .heading(say("No characters yet"))
            .text(
                say(
                    "Register the first one with {command} and one to five pictures.",
                    command="`/character register`",
                )
            )
        )
    card = Card(NEUTRAL).heading(say_n("🎭 {n} character", "🎭 {n} characters", len(entries)))
    return card.text(lines_within(map(_cast_line, entries), _LIST))


def _cast_line(entry: "CastEntry") -> str:
    looks = ", ".join(f"`{a.appearance_id}`" for a in entry.appearances[:4])
    if len(entry.appearances) > 4:
        looks = say("{some} and {n} more", some=looks, n=len(entry.appearances) - 4)
    pictures = say_n("{n} picture", "{n} pictures", entry.references)
    return (
        f"**{plain(entry.character.name, 60)}** `{entry.character.character_id}` · {pictures} · "
        f"{looks} · <@{entry.character.owner_id}>"
    )


def reviews_card(reviews: Sequence[Review], taken: Container[int] = ()) -> Card:
    """The reviews that wait for a decision; of those that are ``taken`` (by id), who has them."""
    if not reviews:
        return Card(GOOD).heading(say("✅ Nothing to review"))
    card = Card(WAITING).heading(say("🔎 {n} waiting for a decision", n=len(reviews)))
    return card.text(lines_within((_review_line(r, r.id in taken) for r in reviews), _LIST))


def review_stats_card(stats: ReviewStats) -> Card:
    """How moderators work: what waits, how far they agree, what the catalogue lacks."""
    card = Card(NEUTRAL).heading(
        say("📊 {waiting} waiting, {decided} decided", waiting=stats.waiting, decided=stats.decided)
    )
    if stats.median_seconds is not None:
        card.text(
            say(
                "Half of the reviews of the last {days} days were decided within {time}.",
                days=LOAD_DAYS,
                time=lasted(stats.median_seconds),
            )
        )
        card.text(lines_within(map(_load_line, stats.loads), 900))
    if stats.twice:
        words = say(
            "{twice} were looked at twice, {disputed} of them are disputed.",
            twice=stats.twice,
            disputed=stats.disputed,
        )
        if stats.alpha is not None:
            words += " " + say("Krippendorff's α is {alpha:.2f}.", alpha=stats.alpha)
        card.text(words)
        card.small(say("α is 1 where all agree and 0 where they agree as often as by chance."))
    else:
        card.text(
            say(
                "Nothing was looked at twice yet: {command} shows uncertain decisions.",
                command="`/review second`",
            )
        )
    card.text(retell(stats.coverage))
    if stats.proposed:
        names = ", ".join(plain(name, 40) for name in stats.proposed[:5])
        card.text(
            say("People describe kinds of drift that have no name yet: {names}.", names=names)
        )
    return card


def lasted(seconds: float) -> str:
    """A time that has passed: ``40 s``, ``12 min``, ``5 h`` or ``3 d``."""
    for limit, length, unit in ((90, 1, "s"), (5400, 60, "min"), (129_600, 3600, "h")):
        if seconds < limit:
            return f"{round(seconds / length)} {unit}"
    return f"{round(seconds / 86_400)} d"


def _load_line(load: Load) -> str:
    return say_n(
        "{who}: {n} decision, in the middle after {time}",
        "{who}: {n} decisions, in the middle after {time}",
        load.decided,
        who=f"<@{load.member_id}>" if load.member_id else say("somebody who was forgotten"),
        time=lasted(load.median_seconds),
    )


def _review_line(review: Review, taken: bool) -> str:
    where = f" · <#{review.thread_id}>" if review.thread_id else ""
    where += f" · ✋ <@{review.claimed_by}>" if taken else ""
    which = say("panel {panel}", panel=review.panel_id)
    return (
        f"**{review.id}** {which} · {review_look(review)} · "
        f"{plain(review_reason(review), 120)}{where}"
    )


def failed_card(panel: Panel, names: Mapping[str, str], reason: str, post: int = 0) -> Card:
    """A panel could not be made; the person may try again with one click."""
    card = Card(BAD).heading(say("⚠️ Panel {panel} could not be made", panel=panel.id))
    who = requested_by(panel.origin, panel.requester_id)
    card.text(f"**{cast_names(panel, names)}** · {who}")
    card.text(plain(retell(reason) or say("The reason was not recorded."), 800))
    by_hand = panel.origin is PanelOrigin.SUBMITTED
    reroll = ids.panel("reroll", panel.id, post)
    return card.row(
        button(say("Reroll"), reroll, style=ButtonStyle.primary, emoji="🎲", disabled=by_hand)
    )


def recipe_card(panel_id: int, text: str) -> Card:
    """How a panel was made: words here, the whole plan as a file that reproduces it."""
    words, _, plan = text.rpartition("\n")
    card = Card(NEUTRAL).heading(say("📜 Recipe of panel {panel}", panel=panel_id))
    if not plan.startswith("{"):
        return card.text(plain(retell(text), 1500))
    card.text(lines_within((plain(retell(line), 600) for line in words.splitlines()), 2400))
    name = f"panel-{panel_id}-plan.json"
    alt = say("The plan of panel {panel}", panel=panel_id)
    return card.file(Picture(name, alt, plan.encode()))


def problem_card(words: str, reference: str) -> Card:
    """Something did not work; ``reference`` finds it in the log."""
    card = Card(BAD).text(f"⚠️ {words}")
    return card.small(say("Reference `{reference}`", reference=reference))
