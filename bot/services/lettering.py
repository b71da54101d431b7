"""Lettering by hand: other words, other kinds, other places, other languages."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from bot.services.actor import Actor
from bot.services.pages import ComposedPage, PageService
from bot.services.wordlists import require_clean
from pipeline.comics.dialogue import MAX_LINES, check_line, parse_dialogue, read_kind
from pipeline.domain.errors import InvalidInput, NotFound
from pipeline.domain.page import LetteredPage
from pipeline.domain.panel import BalloonKind, DialogueLine, Panel
from storage import cast, lettering
from storage.database import Database

# BCP 47: a language, perhaps a script and a region.
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|\d{3}))?")
_REMOVE = "-"
# How far a nudge moves a balloon, in shares of the frame.
_STEP = 0.06


class Spot(StrEnum):
    """Where in its panel somebody wants a balloon."""

    AUTO = "auto"
    TOP_LEFT = "top-left"
    TOP = "top"
    TOP_RIGHT = "top-right"
    LEFT = "left"
    MIDDLE = "middle"
    RIGHT = "right"
    BOTTOM_LEFT = "bottom-left"
    BOTTOM = "bottom"
    BOTTOM_RIGHT = "bottom-right"


class Nudge(StrEnum):
    """A small step of a balloon."""

    UP = "up"
    DOWN = "down"
    LEFT = "left"
    RIGHT = "right"


_AIMS = {
    Spot.TOP_LEFT: (0.0, 0.0),
    Spot.TOP: (0.5, 0.0),
    Spot.TOP_RIGHT: (1.0, 0.0),
    Spot.LEFT: (0.0, 0.5),
    Spot.MIDDLE: (0.5, 0.5),
    Spot.RIGHT: (1.0, 0.5),
    Spot.BOTTOM_LEFT: (0.0, 1.0),
    Spot.BOTTOM: (0.5, 1.0),
    Spot.BOTTOM_RIGHT: (1.0, 1.0),
}
_STEPS = {
    Nudge.UP: (0.0, -_STEP),
    Nudge.DOWN: (0.0, _STEP),
    Nudge.LEFT: (-_STEP, 0.0),
    Nudge.RIGHT: (_STEP, 0.0),
}


@dataclass(frozen=True, slots=True)
class LetterEdit:
    """What to change; None leaves it as it is.

    ``panel`` and ``line`` count from 1 in reading order; without ``line``, ``text`` holds all
    lines of the panel (lines apart by ``|``), which is how a translation is entered. A ``line``
    one past the last adds ``Name: text``; the text ``-`` removes a line.
    """

    panel: int | None = None
    line: int | None = None
    text: str | None = None
    kind: str | None = None
    spot: Spot | None = None
    nudge: Nudge | None = None

    @property
    def changes(self) -> bool:
        """Whether anything is asked for but to look at the page."""
        return any(v is not None for v in (self.text, self.kind, self.spot, self.nudge))


@dataclass(frozen=True, slots=True)
class SetPanel:
    """The lines of one panel as they are lettered, for a card."""

    panel_id: int
    lines: tuple[DialogueLine, ...]


@dataclass(frozen=True, slots=True)
class Lettered:
    """A page after an edit, in ``language`` (empty: the one it was asked for in)."""

    page: ComposedPage
    language: str
    panels: tuple[SetPanel, ...]


class LetteringService:
    """Edits the lettering of pages; every edit is drawn before it is kept."""

    def __init__(self, db: Database, pages: PageService) -> None:
        self._db = db
        self._pages = pages

    async def letter(
        self, actor: Actor, page: int, edit: LetterEdit, *, language: str = ""
    ) -> Lettered:
        """Change the lettering of a page and draw it anew.

        Raises:
            NotAllowed: the panel is someone else's, and the actor does not moderate.
            NotFound: there is no such page, panel or line.
            InvalidInput: the words or the kind cannot be lettered, or do not fit.
        """
        language = clean_language(language)
        series = await cast.active_series(self._db, actor.guild_id)
        shown = await self._pages.panels_of_page(series, page, language)
        lines = {panel.id: panel.brief.dialogue for panel in shown}
        changed: Panel | None = None
        if edit.changes:
            changed = _panel(shown, edit)
            actor.require_own(changed.requester_id, "letter this panel")
            stands = None
            if edit.nudge is not None:
                stands = await self._pages.preview(series, page, language, lines)
            cast_of = await self._names(actor.guild_id, changed)
            lines[changed.id] = edited(changed, edit, stands, cast_of)
            said = (line.text for line in lines[changed.id])
            await require_clean(self._db, actor.guild_id, *said)
        made = await self._pages.letter(series, page, language, lines, changed)
        panels = tuple(SetPanel(panel.id, lines[panel.id]) for panel in shown)
        return Lettered(made, language, panels)

    async def languages(self, guild_id: int) -> list[str]:
        """The languages that the series was lettered in so far, beside its first."""
        try:
            series = await cast.active_series(self._db, guild_id)
        except NotFound:
            return []
        return await lettering.list_languages(self._db, guild_id, series.id)

    async def _names(self, guild_id: int, panel: Panel) -> list[tuple[str, str]]:
        known = {c.character_id: c.name for c in await cast.list_characters(self._db, guild_id)}
        return [(r.character_id, known.get(r.character_id, "")) for r in panel.brief.cast]


def clean_language(language: str) -> str:
    """A language tag as it is stored.

    Raises:
        InvalidInput: it is none.
    """
    tag = language.strip().replace("_", "-")
    if tag and not _LANGUAGE.fullmatch(tag):
        raise InvalidInput(f"“{tag[:20]}” is no language; write a code such as de, pt-BR or ja.")
    return tag.lower()


def edited(
    panel: Panel,
    edit: LetterEdit,
    page: LetteredPage | None,
    cast_of: Sequence[tuple[str, str]],
) -> tuple[DialogueLine, ...]:
    """The lines of a panel after an edit; ``page`` shows where they stand now (for a nudge).

    Raises:
        NotFound: there is no such line.
        InvalidInput: the words or the kind cannot be lettered.
    """
    lines = list(panel.brief.dialogue)
    if edit.line is None:
        return _all_lines(lines, edit, cast_of)
    if edit.line == len(lines) + 1 and edit.text:
        if len(lines) >= MAX_LINES:
            raise InvalidInput(f"A panel takes at most {MAX_LINES} lines of dialogue.")
        lines += parse_dialogue(edit.text, cast_of)
    elif not 1 <= edit.line <= len(lines):
        raise NotFound(
            f"That panel has {len(lines)} lines of dialogue; choose one of them, or "
            f"line:{len(lines) + 1} with text:“Name: words” to add one."
        )
    elif edit.text is not None and edit.text.strip() == _REMOVE:
        del lines[edit.line - 1]
        return tuple(lines)
    at = edit.line - 1
    added = at >= len(panel.brief.dialogue)
    lines[at] = _changed(lines[at], replace(edit, text=None) if added else edit)
    if edit.spot is not None or edit.nudge is not None:
        where = None if page is None else _standing(page, panel.id, at)
        lines[at] = replace(lines[at], aim=_aim(lines[at], edit, where))
    return tuple(lines)


def _changed(line: DialogueLine, edit: LetterEdit) -> DialogueLine:
    if edit.text is not None:
        line = replace(line, text=check_line(edit.text))
    return line if edit.kind is None else _as_kind(line, read_kind(edit.kind))


def _standing(page: LetteredPage, panel_id: int, order: int) -> tuple[float, float] | None:
    """Where a balloon's middle is, in shares of its frame; None for a line that is new."""
    frame = next(f.box for f in page.frames if f.panel_id == panel_id)
    for balloon in page.balloons_of(panel_id):
        if balloon.order == order:
            x, y = balloon.box.center
            return (x - frame.x0) / frame.width, (y - frame.y0) / frame.height
    return None


def _panel(shown: Sequence[Panel], edit: LetterEdit) -> Panel:
    if edit.panel is None and len(shown) == 1:
        return shown[0]
    if edit.panel is None or not 1 <= edit.panel <= len(shown):
        raise NotFound(
            f"Say which panel of the page: 1 to {len(shown)} in reading order (panel:1)."
        )
    return shown[edit.panel - 1]


def _all_lines(
    lines: Sequence[DialogueLine], edit: LetterEdit, cast_of: Sequence[tuple[str, str]]
) -> tuple[DialogueLine, ...]:
    """New words for every line at once, or a whole new dialogue where names stand before them."""
    if edit.text is None:
        raise InvalidInput("Say which line of the panel: line:1 is the first in reading order.")
    typed = [part.strip() for part in re.split(r"[\n\r|]", edit.text) if part.strip()]
    if len(typed) == len(lines):
        return tuple(
            replace(line, text=check_line(words)) for line, words in zip(lines, typed, strict=True)
        )
    if lines and not all(":" in part or "：" in part for part in typed):
        raise InvalidInput(
            f"That panel has {len(lines)} lines and this has {len(typed)}; write one for each, "
            "with | between them."
        )
    return parse_dialogue(edit.text, cast_of)


def _as_kind(line: DialogueLine, kind: BalloonKind) -> DialogueLine:
    if kind is BalloonKind.DOUBLE_TAIL and line.also is None:
        raise InvalidInput(
            "Two people share such a balloon; replace the line by “Name & Name: words”."
        )
    if kind.has_tail and line.speaker is None and kind is not BalloonKind.OFF_PANEL:
        raise InvalidInput("Nobody says this line; replace it by “Name: words” first.")
    speaker = None if kind is BalloonKind.CAPTION else line.speaker
    return replace(line, kind=kind, speaker=speaker, also=line.also if kind.has_tail else None)


def _aim(
    line: DialogueLine, edit: LetterEdit, stands: tuple[float, float] | None
) -> tuple[float, float] | None:
    """Where the balloon is wanted: a spot, or a step from where it stands."""
    if edit.nudge is None:
        return None if edit.spot is None else _AIMS.get(edit.spot)
    spot = None if edit.spot is None else _AIMS.get(edit.spot)
    x, y = spot or stands or line.aim or (0.5, 0.0)
    dx, dy = _STEPS[edit.nudge]
    return _share(x + dx), _share(y + dy)


def _share(value: float) -> float:
    return round(min(1.0, max(0.0, value)), 3)
