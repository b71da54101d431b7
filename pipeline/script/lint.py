"""What a script gets wrong about its cast and its pages, told before anything is drawn.

Each finding names its line and the way out. Continuity is in :mod:`pipeline.script.continuity`.
"""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from pipeline.domain.character import Appearance, ShotType, StoryPoint, appearance_at
from pipeline.domain.panel import BalloonKind
from pipeline.script.continuity import LookOf, continuity_problems
from pipeline.script.document import PageScript, PanelScript, Role
from pipeline.script.reading import Path, Problem, Reading, Severity

WORDS_PER_BALLOON = 25
WORDS_PER_PANEL = 35
WORDS_PER_PAGE = 210
"""The editors' rule of thumb that Alan Moore passes on (*Writing for Comics*, 1985)."""
PANELS_PER_PAGE = 9
"""The nine-panel grid; beyond it, faces get smaller than a thumbnail on a phone."""

HEARD_FROM_AFAR = frozenset({BalloonKind.OFF_PANEL, BalloonKind.RADIO, BalloonKind.NARRATION})
"""Kinds whose speaker need not be seen."""


@dataclass(frozen=True, slots=True)
class KnownCharacter:
    """A character of the registry, as far as a script can be wrong about it.

    ``shots`` says, by the row of a look, which shots it has references for.
    """

    character_id: str
    name: str
    looks: tuple[Appearance, ...]
    shots: Mapping[int, frozenset[ShotType]]

    def look_called(self, word: str) -> Appearance | None:
        """The look of this id or label; the id's end is enough (``everyday``)."""
        wanted = word.casefold().replace(" ", "_")
        for look in self.looks:
            if wanted in (look.appearance_id, look.label.casefold().replace(" ", "_")):
                return look
        ends = [look for look in self.looks if look.appearance_id.endswith(f"_{wanted}")]
        return ends[0] if len(ends) == 1 else None

    def look_at(self, point: StoryPoint) -> Appearance | None:
        """The look that is worn at a place of the story, by the registry's rule."""
        return appearance_at(self.looks, point)


class KnownCast:
    """The registry's characters by any name that a script may use."""

    def __init__(self, characters: Sequence[KnownCharacter]) -> None:
        self._characters = characters

    def find(self, name: str) -> KnownCharacter | None:
        """By id or name in any case, or by a first name that only one of them has."""
        wanted = name.casefold()
        for known in self._characters:
            if wanted in (known.character_id.casefold(), known.name.casefold()):
                return known
        first = [k for k in self._characters if k.name.casefold().split()[:1] == [wanted]]
        return first[0] if len(first) == 1 else None

    def nearest(self, name: str) -> str:
        """Words that help who mistyped a name."""
        names = [known.name for known in self._characters]
        near = difflib.get_close_matches(name, names, n=1, cutoff=0.5)
        if near:
            return f"Did you mean {near[0]}?"
        return f"Register them, or use one of {', '.join(names[:8]) or 'nobody yet'}."


def lint_script(reading: Reading, cast: KnownCast, *, chapter: int = 1) -> tuple[Problem, ...]:
    """Everything that would go wrong, or look wrong, in line order.

    Args:
        reading: what was read; without a script there is nothing to lint.
        cast: the registry.
        chapter: the chapter that a script plays in which names none.

    Returns:
        Errors stop the making of panels (an unknown character), warnings cost quality, hints are
        matters of taste.
    """
    script = reading.script
    if script is None:
        return ()
    found: list[Problem] = []
    for p, page in enumerate(script.pages):
        found += _page_problems(reading, page, p)
        for k, panel in enumerate(page.panels):
            place = ("pages", p, "panels", k)
            point = StoryPoint(script.chapter or chapter, page.number)
            found += _cast_problems(reading, panel, place, cast, point)
            found += _speech_problems(reading, panel, place)
    found += continuity_problems(reading, script, _look_ids(cast, script.chapter or chapter))
    return tuple(sorted(found, key=lambda problem: problem.line))


def _look_ids(cast: KnownCast, chapter: int) -> LookOf:
    """How continuity tells looks apart: by the registry's id where it knows them."""

    def look_of(role: Role, page: int) -> str:
        known = cast.find(role.name)
        if known is None:
            return (role.look or "").casefold()
        look = known.look_called(role.look) if role.look else None
        look = look or known.look_at(StoryPoint(chapter, page))
        return look.appearance_id if look else (role.look or "").casefold()

    return look_of


def _cast_problems(
    reading: Reading, panel: PanelScript, place: Path, cast: KnownCast, point: StoryPoint
) -> Iterator[Problem]:
    line = reading.line_of(*place, "cast")
    for role in panel.cast:
        known = cast.find(role.name)
        if known is None:
            text = f"Nobody is called “{role.name}” here. {cast.nearest(role.name)}"
            yield Problem(line, "unknown-character", text)
        else:
            yield from _look_problems(line, panel.shot, role, known, point)


def _look_problems(
    line: int, shot: ShotType, role: Role, known: KnownCharacter, point: StoryPoint
) -> Iterator[Problem]:
    names = ", ".join(look.appearance_id for look in known.looks)
    look = known.look_called(role.look) if role.look else known.look_at(point)
    if look is None and role.look:
        text = f"{known.name} has no look “{role.look}”; there are {names}."
        yield Problem(line, "unknown-appearance", text)
        return
    if look is None:
        text = f"No look of {known.name} is worn in chapter {point.chapter}; name one of {names}."
        yield Problem(line, "appearance-not-valid", text)
        return
    if not look.worn_at(point):
        worn = known.look_at(point)
        hint = f"use {worn.appearance_id}" if worn else "change where it is valid"
        text = (
            f"{look.appearance_id} is not worn in chapter {point.chapter}, page {point.page}; "
            f"{hint}."
        )
        yield Problem(line, "appearance-not-valid", text, Severity.WARNING)
    if shot not in known.shots.get(look.id, ()):
        text = (
            f"{look.appearance_id} has no {shot} reference; add one with "
            "/character add-reference, or frame the panel otherwise."
        )
        yield Problem(line, "missing-reference", text, Severity.WARNING)


def _speech_problems(reading: Reading, panel: PanelScript, place: Path) -> Iterator[Problem]:
    here = {role.name.casefold() for role in panel.cast}
    for i, said in enumerate(panel.dialogue):
        line = reading.line_of(*place, "dialogue", i)
        absent = [n for n in (said.speaker, said.also) if n and n.casefold() not in here]
        if absent and said.kind not in HEARD_FROM_AFAR:
            text = (
                f"{absent[0]} is not in this panel: add them to Cast, or write "
                f"“{absent[0]} (off): …” for a voice from outside."
            )
            yield Problem(line, "speaker-not-in-panel", text)
        count = len(said.text.split())
        if count > WORDS_PER_BALLOON:
            text = f"{count} words in one balloon; {WORDS_PER_BALLOON} read well. Split it in two."
            yield Problem(line, "long-balloon", text, Severity.WARNING)
    words = _words_in(panel)
    if words > WORDS_PER_PANEL:
        text = (
            f"{words} words in one panel; {WORDS_PER_PANEL} leave room for the picture. Cut some, "
            "or add a panel."
        )
        yield Problem(reading.line_of(*place), "too-much-dialogue", text, Severity.WARNING)


def _page_problems(reading: Reading, page: PageScript, index: int) -> Iterator[Problem]:
    line = reading.line_of("pages", index)
    if len(page.panels) > PANELS_PER_PAGE:
        text = (
            f"Page {page.number} has {len(page.panels)} panels; more than {PANELS_PER_PAGE} are "
            "hard to read. Move some to another page."
        )
        yield Problem(line, "dense-page", text, Severity.WARNING)
    words = sum(map(_words_in, page.panels))
    if words > WORDS_PER_PAGE:
        text = (
            f"Page {page.number} has {words} words; {WORDS_PER_PAGE} are a full page. "
            "Cut some, or spread them over two pages."
        )
        yield Problem(line, "dense-page", text, Severity.WARNING)


def _words_in(panel: PanelScript) -> int:
    return sum(len(line.text.split()) for line in panel.dialogue)
