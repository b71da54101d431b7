"""The cards of scripts: what was understood, what is wrong by line, what became of it."""

from bot.services.scripts import Produced, ScriptPreview
from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.limits import lines_within, plain
from cogs.ui.verdicts import BAD, GOOD, WAITING
from cogs.ui.words import retell, say, say_n
from pipeline.script.reading import Problem, Severity

_MARKS = {Severity.ERROR: "⛔", Severity.WARNING: "⚠️", Severity.HINT: "💡"}
_PROBLEMS = 3000


def script_card(preview: ScriptPreview) -> Card:
    """A script that was read: pages, panels, problems by line, and what can be done with it."""
    script = preview.script
    errors = sum(problem.severity is Severity.ERROR for problem in preview.problems)
    if script is None:
        card = Card(BAD).heading(say("⛔ This script cannot be read yet"))
        card.text(_problems(preview.problems))
        return card.small(say("Mend these lines and hand it in again with /script import."))
    card = Card(BAD if errors else WAITING if preview.problems else GOOD)
    card.heading(f"📜 {plain(script.title, 80)}")
    words = sum(
        len(line.text.split()) for page in script.pages for p in page.panels for line in p.dialogue
    )
    card.text(
        ", ".join(
            (
                say_n("{n} page", "{n} pages", len(script.pages)),
                say_n("{n} panel", "{n} panels", script.panels),
                say_n("{n} word of dialogue", "{n} words of dialogue", words),
            )
        )
    )
    card.text(_problems(preview.problems) or say("Nothing to mend."))
    if preview.ready:
        assert preview.id is not None
        card.row(
            button(say("Storyboard"), ids.script("storyboard", preview.id), emoji="✏️"),
            button(say("Make panels"), ids.script("produce", preview.id), emoji="🎨"),
        )
        card.small(
            say(
                "Script {script} · the storyboard is drafted within a minute, and its staging "
                "guides the final panels",
                script=preview.id,
            )
        )
    return card


def produced_card(produced: Produced) -> Card:
    """What was asked for, and why not more."""
    count = len(produced.requested)
    card = Card(WAITING if produced.stopped else GOOD)
    card.heading(say_n("🎨 {n} panel asked for", "🎨 {n} panels asked for", count))
    if count:
        numbers = [asked.panel.id for asked in produced.requested]
        card.text(
            say(
                "Panels {first} to {last} are in the queue; see /queue show.",
                first=numbers[0],
                last=numbers[-1],
            )
        )
    if produced.known:
        card.text(
            say_n(
                "{n} panel of this script was asked for before.",
                "{n} panels of this script were asked for before.",
                produced.known,
            )
        )
    if produced.stopped:
        again = say("Press the button again later: it goes on from here.")
        card.text(f"{retell(produced.stopped)} {again}")
    return card


def _problems(problems: tuple[Problem, ...]) -> str:
    order = sorted(problems, key=lambda one: (list(Severity).index(one.severity), one.line))
    lines = (
        f"{_MARKS[p.severity]} **{say('Line {line}', line=p.line)}** {plain(retell(p.text), 300)}"
        for p in order
    )
    return lines_within(lines, _PROBLEMS)
