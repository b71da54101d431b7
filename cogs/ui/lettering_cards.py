"""The card of a page whose lettering was shown or changed."""

from bot.services.lettering import Lettered, SetPanel
from cogs.ui.card import Card
from cogs.ui.limits import clip
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import GOOD
from cogs.ui.words import say
from pipeline.domain.panel import BalloonKind, DialogueLine

_LINE = 90


def lettered_picture(done: Lettered) -> tuple[str, str]:
    """File stem and description of the page's picture."""
    suffix = f"-{done.language}" if done.language else ""
    panels = ", ".join(map(str, done.page.panels))
    alt = say(
        "Page {page}, lettered anew: panels {panels} in reading order",
        page=done.page.number,
        panels=panels,
    )
    return f"page-{done.page.number:03d}{suffix}", alt


def lettered_card(done: Lettered, picture: Picture) -> Card:
    """The page, and under it every line with the numbers that ``/page letter`` takes."""
    heading = say("✒️ Page {page}", page=done.page.number)
    if done.language:
        heading += f" · {done.language}"
    card = Card(GOOD).heading(heading).gallery(picture)
    for number, panel in enumerate(done.panels, start=1):
        title = say("Panel {panel}", panel=number)
        card.text(f"**{title}**\n{_lines(panel)}")
    return card.small(say("Change it with {command}", command="/page letter page: panel: line: …"))


def _lines(panel: SetPanel) -> str:
    if not panel.lines:
        return say("no dialogue")
    return "\n".join(f"{i}. {_line(line)}" for i, line in enumerate(panel.lines, start=1))


def _line(line: DialogueLine) -> str:
    kind = "" if line.kind is BalloonKind.SPEECH else f" ({line.kind})"
    who = " & ".join(name for name in (line.speaker, line.also) if name)
    head = f"{who}{kind}".strip() or str(line.kind)
    return f"`{head}` {clip(line.text, _LINE)}"
