"""What changes between two panels of one scene without anybody saying why.

A scene goes on until the script names the next one. A cause is a word in the action or in a
caption of the panel: somebody changes, hands over, crosses, or time passes.
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise

from pipeline.domain.panel import BalloonKind
from pipeline.script.document import PanelScript, Role, Script
from pipeline.script.reading import Problem, Reading, Severity

LookOf = Callable[[Role, int], str]
"""The id of the look that a role wears on a page of the script."""

_TIME = r"later|next (?:day|morning|night|week)|meanwhile|flashback|years? ago|earlier|days? after"
_CLOTHES = re.compile(
    rf"\b(?:chang(?:es|ed|ing)|put(?:s|ting)? (?:\w+ ){{0,3}}on|tak(?:es?|ing) (?:\w+ ){{0,3}}off|"
    rf"dress(?:es|ed)?|undress\w*|slips? into|transforms?|disguise[sd]?|now wears|"
    rf"new clothes|{_TIME})\b",
    re.IGNORECASE,
)
_HANDS = re.compile(
    rf"\b(?:gives?|hands?|handing|takes?|grabs?|throws?|tosses|catches|drops?|picks? up|steals?|"
    rf"snatch(?:es)?|passes|puts? (?:down|away)|lends?|returns?|loses?|finds?|breaks?|swaps?|"
    rf"sets? down|leaves? behind|hides?|draws?|pulls? out|{_TIME})\b",
    re.IGNORECASE,
)
_MOVES = re.compile(
    rf"\b(?:cross(?:es|ing)?|walks? (?:around|past|over|to)|runs? (?:around|past|over|to)|"
    rf"steps? (?:around|past|over)|moves? (?:to|around|past)|circles?|turns? around|"
    rf"revers(?:e|ed) (?:angle|shot|view)|other side|from behind|swap(?:s|ped)? places|"
    rf"switch(?:es)? (?:places|sides)|jumps? over|mirror(?:ed)?|{_TIME})\b",
    re.IGNORECASE,
)


def continuity_problems(reading: Reading, script: Script, look_of: LookOf) -> Iterator[Problem]:
    """Costumes, props and sides that change within a scene without a cause."""
    before: list[PanelScript] = []
    worn: dict[str, str] = {}
    for p, page in enumerate(script.pages):
        for k, panel in enumerate(page.panels):
            if panel.scene is not None:
                before, worn = [], {}
            line = reading.line_of("pages", p, "panels", k, "cast")
            yield from _costumes(line, panel, worn, look_of, page.number)
            if before:
                place = ("pages", p, "panels", k)
                yield from _props(reading.line_of(*place, "props"), before[-1], panel)
                yield from _sides(line, before[-1], panel)
            before.append(panel)


def _costumes(
    line: int, panel: PanelScript, worn: dict[str, str], look_of: LookOf, page: int
) -> Iterator[Problem]:
    for role in panel.cast:
        name, look = role.name.casefold(), look_of(role, page)
        if worn.get(name, look) != look and not _caused(panel, _CLOTHES):
            text = (
                f"{role.name} wore {worn[name]} a moment ago and wears {look} now. Say that they "
                "change, begin a new scene, or keep the look."
            )
            yield Problem(line, "outfit-change", text, Severity.WARNING)
        worn[name] = look


def _props(line: int, before: PanelScript, panel: PanelScript) -> Iterator[Problem]:
    """A prop is somewhere else, or gone, though the one who had it is still there."""
    if not panel.props or _caused(panel, _HANDS):
        return
    here = {role.name.casefold() for role in panel.cast}
    now = {prop.name.casefold(): prop.holder for prop in panel.props}
    for prop in before.props:
        if prop.holder is None or prop.holder.casefold() not in here:
            continue
        holder = now.get(prop.name.casefold(), "")
        if holder == "":
            text = (
                f"{prop.holder} had the {prop.name} a moment ago. Add it to Props, or say where "
                "it went."
            )
            yield Problem(line, "prop-change", text, Severity.WARNING)
        elif holder and holder.casefold() != prop.holder.casefold():
            text = (
                f"The {prop.name} was {prop.holder}’s a moment ago and is {holder}’s now. Say "
                "how it changed hands."
            )
            yield Problem(line, "prop-change", text, Severity.WARNING)


def _sides(line: int, before: PanelScript, panel: PanelScript) -> Iterator[Problem]:
    """Two people change sides: the reader's eye has jumped over the line between them."""
    if _caused(panel, _MOVES):
        return
    was = [role.name.casefold() for role in before.cast]
    now = [role.name for role in panel.cast if role.name.casefold() in was]
    places = [was.index(name.casefold()) for name in now]
    if any(a > b for a, b in pairwise(places)):
        text = (
            f"{' and '.join(now[:2])} have changed sides since the last panel (180° rule). Keep "
            "their order in Cast, or say who crosses."
        )
        yield Problem(line, "sides-change", text, Severity.HINT)


def _caused(panel: PanelScript, words: re.Pattern[str]) -> bool:
    told = [
        line.text
        for line in panel.dialogue
        if line.kind in (BalloonKind.CAPTION, BalloonKind.NARRATION)
    ]
    return any(words.search(text) for text in (*panel.action, *told))
