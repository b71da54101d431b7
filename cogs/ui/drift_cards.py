"""Cards of the drift watch: a look's chart, what it means, and an alarm."""

from collections.abc import Mapping, Sequence

from bot.services.drift import DriftReport, LookReport
from cogs.ui.card import Card
from cogs.ui.limits import lines_within, plain
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import BAD, NEUTRAL
from cogs.ui.words import mark, retell, say, say_n
from pipeline.domain.review import DriftAlarm
from pipeline.quality.drift import DROP, PATIENCE, WARM_UP, WINDOW

_WATCHERS = {
    "test": mark("the sequential test (at most one false alarm in {patience} panels)"),
    "rule": mark("the rule of {drop:.0f} % under the start"),
}
CHARTS = 4


def chart_stem(look: LookReport) -> str:
    """The file name, without its ending, of a look's chart."""
    return f"drift-{look.appearance_id}"


def chart_alt(look: LookReport) -> str:
    """A look's chart in words."""
    return say(
        "Similarity of {name} in {appearance} over {panels} panels, from {first:.2f} to "
        "{last:.2f}; alarms: {alarms}.",
        name=look.name,
        appearance=look.appearance_id,
        panels=len(look.log),
        first=look.rolling[0],
        last=look.rolling[-1],
        alarms=len(look.alarms),
    )


def drift_card(report: DriftReport, pictures: Sequence[Picture], labels: Mapping[str, str]) -> Card:
    """The charts of the looks and what they say."""
    fallen = any(look.alarms for look in report.looks)
    card = Card(BAD if fallen else NEUTRAL).heading(say("📉 Drift report"))
    card.gallery(*pictures)
    card.text(lines_within((_look_line(look) for look in report.looks), 2200))
    if report.labels:
        named = ", ".join(
            f"{plain(retell(labels.get(mode, mode)), 40)} {n}×" for mode, n in report.labels
        )
        told = say("🏷️ Named by moderators: {kinds}", kinds=named)
        card.text(f"{told}\n{retell(report.coverage)}")
    return card.small(
        say(
            "The line is the mean of {window} panels. The first {first} panels of a look are its "
            "start; docs/quality.md explains the rest.",
            window=WINDOW,
            first=WARM_UP,
        )
    )


def alarm_card(alarm: DriftAlarm, look: LookReport, picture: Picture) -> Card:
    """A fall that was noticed, told once."""
    card = Card(BAD).heading(say("📉 {name} is drifting", name=plain(look.name, 60)))
    told = say(
        "Since about panel {panel} {appearance} comes out at {after:.2f} instead of {before:.2f}.",
        panel=_since(alarm, look),
        appearance=f"`{look.appearance_id}`",
        after=alarm.after,
        before=alarm.before,
    )
    card.text(f"{told}\n{plain(retell(alarm.cause), 600)}")
    card.gallery(picture)
    return card.small(
        say(
            "{alarm}, noticed by {watcher}. /drift report shows the whole cast.",
            alarm=alarm_mark(alarm),
            watcher=_watcher(alarm),
        )
    )


def _watcher(alarm: DriftAlarm) -> str:
    return say(_WATCHERS[alarm.watcher], patience=PATIENCE, drop=100 * DROP)


def alarm_mark(alarm: DriftAlarm) -> str:
    """The words by which a posted alarm is found again; they are the same in every language."""
    return f"Drift alarm {alarm.id} at panel {alarm.panel_id}"


def _since(alarm: DriftAlarm, look: LookReport) -> int:
    known = [sample.panel_id for sample in look.log if sample.id == alarm.since_sample]
    return known[0] if known else alarm.panel_id


def _look_line(look: LookReport) -> str:
    panels = say_n("{n} panel", "{n} panels", len(look.log))
    then_and_now = say(
        "now {now:.2f}, at the start {start:.2f}",
        now=look.rolling[-1],
        start=look.rolling[min(len(look.rolling), WARM_UP) - 1],
    )
    lines = [f"**{plain(look.name, 40)}** · `{look.appearance_id}` · {panels} · {then_and_now}"]
    if len(look.pages) > 1:
        pages = " · ".join(
            say("p. {page} {mean:.2f}", page=page, mean=mean) for page, mean, _ in look.pages[-6:]
        )
        lines.append(say("By page: {pages}", pages=pages))
    if look.compared:
        lines.append(
            say(
                "Stiff (repeats a reference): {copies} of {compared}, {percent} %",
                copies=look.copies,
                compared=look.compared,
                percent=round(100 * look.copies / look.compared),
            )
        )
    if look.alarms:
        last = look.alarms[-1]
        noticed = say(
            "⚠️ {before:.2f} → {after:.2f}, noticed at panel {panel} by {watcher}.",
            before=last.before,
            after=last.after,
            panel=last.panel_id,
            watcher=_watcher(last),
        )
        lines.append(f"{noticed} {plain(retell(last.cause), 300)}")
    lines.append(f"-# {retell(look.promise)}")
    return "\n".join(lines)
