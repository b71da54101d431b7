"""The cards of scripts: what was understood, what is wrong by line, what became of it."""

from bot.services.scripts import Produced, ScriptPreview
from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.limits import lines_within, plain
from cogs.ui.verdicts import BAD, GOOD, WAITING
from pipeline.script.reading import Problem, Severity

_MARKS = {Severity.ERROR: "⛔", Severity.WARNING: "⚠️", Severity.HINT: "💡"}
_PROBLEMS = 3000


def script_card(preview: ScriptPreview) -> Card:
    """A script that was read: pages, panels, problems by line, and what can be done with it."""
    script = preview.script
    errors = sum(problem.severity is Severity.ERROR for problem in preview.problems)
    if script is None:
        card = Card(BAD).heading("⛔ This script cannot be read yet")
        card.text(_problems(preview.problems))
        return card.small("Mend these lines and hand it in again with /script import.")
    card = Card(BAD if errors else WAITING if preview.problems else GOOD)
    card.heading(f"📜 {plain(script.title, 80)}")
    words = sum(
        len(line.text.split()) for page in script.pages for p in page.panels for line in p.dialogue
    )
    card.text(
        f"{_count(len(script.pages), 'page')}, {_count(script.panels, 'panel')}, "
        f"{_count(words, 'word')} of dialogue"
    )
    card.text(_problems(preview.problems) or "Nothing to mend.")
    if preview.ready:
        assert preview.id is not None
        card.row(
            button("Storyboard", ids.script("storyboard", preview.id), emoji="✏️"),
            button("Make panels", ids.script("produce", preview.id), emoji="🎨"),
        )
        card.small(
            f"Script {preview.id} · the storyboard is drafted within a minute, and its staging "
            "guides the final panels"
        )
    return card


def produced_card(produced: Produced) -> Card:
    """What was asked for, and why not more."""
    count = len(produced.requested)
    card = Card(WAITING if produced.stopped else GOOD)
    card.heading(f"🎨 {_count(count, 'panel')} asked for")
    if count:
        numbers = [asked.panel.id for asked in produced.requested]
        card.text(f"Panels {numbers[0]} to {numbers[-1]} are in the queue; see /queue show.")
    if produced.known:
        card.text(f"{_count(produced.known, 'panel')} of this script were asked for before.")
    if produced.stopped:
        card.text(f"{produced.stopped} Press the button again later: it goes on from here.")
    return card


def _problems(problems: tuple[Problem, ...]) -> str:
    order = sorted(problems, key=lambda one: (list(Severity).index(one.severity), one.line))
    lines = (f"{_MARKS[p.severity]} **Line {p.line}** {plain(p.text, 300)}" for p in order)
    return lines_within(lines, _PROBLEMS)


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
