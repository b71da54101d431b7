"""Cards of the drift watch: a look's chart, what it means, and an alarm."""

from collections.abc import Mapping, Sequence

from bot.services.drift import DriftReport, LookReport
from cogs.ui.card import Card
from cogs.ui.limits import lines_within, plain
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import BAD, NEUTRAL
from pipeline.domain.review import DriftAlarm
from pipeline.quality.drift import DROP, PATIENCE, WARM_UP, WINDOW

_WATCHERS = {
    "test": f"the sequential test (at most one false alarm in {PATIENCE} panels)",
    "rule": f"the rule of {100 * DROP:.0f} % under the start",
}
CHARTS = 4


def chart_stem(look: LookReport) -> str:
    """The file name, without its ending, of a look's chart."""
    return f"drift-{look.appearance_id}"


def chart_alt(look: LookReport) -> str:
    """A look's chart in words."""
    return (
        f"Similarity of {look.name} in {look.appearance_id} over {len(look.log)} panels, from "
        f"{look.rolling[0]:.2f} to {look.rolling[-1]:.2f}; {len(look.alarms)} alarms."
    )


def drift_card(report: DriftReport, pictures: Sequence[Picture], labels: Mapping[str, str]) -> Card:
    """The charts of the looks and what they say."""
    fallen = any(look.alarms for look in report.looks)
    card = Card(BAD if fallen else NEUTRAL).heading("📉 Drift report")
    card.gallery(*pictures)
    card.text(lines_within((_look_line(look) for look in report.looks), 2200))
    if report.labels:
        named = ", ".join(f"{plain(labels.get(mode, mode), 40)} {n}×" for mode, n in report.labels)
        card.text(f"🏷️ Named by moderators: {named}\n{report.coverage}")
    return card.small(
        f"The line is the mean of {WINDOW} panels. The first {WARM_UP} panels of a look are its "
        "start; docs/quality.md explains the rest."
    )


def alarm_card(alarm: DriftAlarm, look: LookReport, picture: Picture) -> Card:
    """A fall that was noticed, told once."""
    card = Card(BAD).heading(f"📉 {plain(look.name, 60)} is drifting")
    card.text(
        f"Since about panel {_since(alarm, look)} `{look.appearance_id}` comes out at "
        f"{alarm.after:.2f} instead of {alarm.before:.2f}.\n{plain(alarm.cause, 600)}"
    )
    card.gallery(picture)
    return card.small(
        f"{alarm_mark(alarm)}, noticed by {_WATCHERS[alarm.watcher]}. "
        "/drift report shows the whole cast."
    )


def alarm_mark(alarm: DriftAlarm) -> str:
    """The words by which a posted alarm is found again."""
    return f"Drift alarm {alarm.id} at panel {alarm.panel_id}"


def _since(alarm: DriftAlarm, look: LookReport) -> int:
    known = [sample.panel_id for sample in look.log if sample.id == alarm.since_sample]
    return known[0] if known else alarm.panel_id


def _look_line(look: LookReport) -> str:
    lines = [
        f"**{plain(look.name, 40)}** · `{look.appearance_id}` · {len(look.log)} panels · "
        f"now {look.rolling[-1]:.2f}, at the start "
        f"{look.rolling[min(len(look.rolling), WARM_UP) - 1]:.2f}"
    ]
    if len(look.pages) > 1:
        pages = " · ".join(f"p. {page} {mean:.2f}" for page, mean, _ in look.pages[-6:])
        lines.append(f"By page: {pages}")
    if look.alarms:
        last = look.alarms[-1]
        lines.append(
            f"⚠️ {last.before:.2f} → {last.after:.2f}, noticed at panel {last.panel_id} by "
            f"{_WATCHERS[last.watcher]}. {plain(last.cause, 300)}"
        )
    lines.append(f"-# {look.promise}")
    return "\n".join(lines)
