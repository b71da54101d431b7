"""How many planted contradictions the script lints find, and how many of their findings are real.

Scripts are generated with causes and without: a costume that changes because somebody changes is
no contradiction. The sentences are our own, so the figures bound what the rules miss by design,
not what writers will come up with.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass

from bot.bench.figures import Figure
from pipeline.domain.character import Appearance, ShotType, StoryPoint
from pipeline.domain.panel import BalloonKind
from pipeline.script.document import Line, PageScript, PanelScript, Prop, Role, Script
from pipeline.script.lint import KnownCast, KnownCharacter, lint_script
from pipeline.script.reading import read_script
from pipeline.script.writing import write_plain

_ALL = frozenset(ShotType)
_LOOKS = {
    "coat": (None, StoryPoint(4, 9999), _ALL),
    "gown": (None, None, frozenset({ShotType.FULL})),
    "armour": (StoryPoint(5, 1), None, _ALL),
}
"""Everybody's looks: from and to where they are worn, and the shots that they have."""


def _known(name: str) -> KnownCharacter:
    looks = tuple(
        Appearance(row, 1, 1, f"{name.lower()}_{look}", look.capitalize(), valid_from=a, valid_to=b)
        for row, (look, (a, b, _)) in enumerate(_LOOKS.items())
    )
    shots = {row: shown for row, (_, _, shown) in enumerate(_LOOKS.values())}
    return KnownCharacter(f"ch_{name.lower()}", name, looks, shots)


CAST = KnownCast([_known(name) for name in ("Mira", "Oskar", "Basil", "Odette")])
_ACTIONS = (
    "{a} looks out of the window while {b} reads the map.",
    "{a} laughs and {b} shakes a fist at the rain.",
    "Rain on the glass. {a} waits, arms folded; {b} hums.",
    "{a} kneels beside the well. Far behind, {b} keeps watch.",
    "Close on their faces: {a} doubts it, {b} does not.",
)
_SAID = (
    "You said nobody would follow us.",
    "I counted the doors twice, and there was one less each time!",
    "Hush. Listen.",
    "What would your grandmother say?",
)
_CHANGES = ("{a} changes behind the curtain.", "Later that night. {a} is tired.")
_HANDOVERS = ("{a} hands the lantern to {b}.", "{b} takes the lantern from {a}.")
_CROSSINGS = ("{a} crosses in front of {b}.", "Reverse angle: {a} and {b} from behind.")


@dataclass(frozen=True, slots=True)
class Planted:
    """A script and what is wrong with it: codes with the panel that they stand in."""

    text: str
    faults: frozenset[tuple[str, int, int]]


Fault = Callable[[list[PanelScript], int], tuple[str, int]]


def planted_script(seed: int) -> Planted:
    """A script of three pages with one fault on most of them, and harmless changes on others."""
    rng = random.Random(seed)
    pages, faults = [], set()
    for number in range(1, 4):
        panels = _clean_page(rng)
        if rng.random() < 0.75:
            code, index = rng.choice(FAULTS)(panels, rng.randrange(1, len(panels)))
            faults.add((code, number, index))
        pages.append(PageScript(number=number, panels=tuple(panels)))
    script = Script(title=f"Story {seed}", chapter=3, pages=tuple(pages))
    return Planted(write_plain(script), frozenset(faults))


def lint_figures(scripts: int = 300) -> list[Figure]:
    """Recall of planted faults and precision of findings over generated scripts."""
    found, planted, right = 0, 0, 0
    for seed in range(scripts):
        one = planted_script(seed)
        told = findings(one.text)
        found, planted = found + len(told), planted + len(one.faults)
        right += len(told & one.faults)
    return [
        Figure("pages.script.lint.recall", right / planted, "share", "higher", 0.95, n=planted),
        Figure("pages.script.lint.precision", right / found, "share", "higher", 0.9, n=found),
    ]


def findings(text: str) -> frozenset[tuple[str, int, int]]:
    """What the lints say of a script: code, page number and index of the panel (-1: the page)."""
    reading = read_script(text)
    assert reading.script is not None, reading.problems
    starts = sorted(
        (line, reading.script.pages[int(path[1])].number, int(path[3]) if len(path) == 4 else -1)
        for path, line in reading.lines.items()
        if path[0] == "pages" and len(path) in (2, 4)
    )
    told = set()
    for problem in lint_script(reading, CAST):
        _, page, index = max(start for start in starts if start[0] <= problem.line)
        told.add((problem.code, page, index))
    return frozenset(told)


def _clean_page(rng: random.Random) -> list[PanelScript]:
    """Panels of one scene without a fault; some have a change with its cause."""
    a, b = rng.sample(["Mira", "Oskar", "Basil", "Odette"], 2)
    order, look, holder = [a, b], "coat", a
    panels = []
    for index in range(rng.randint(3, 6)):
        action = [rng.choice(_ACTIONS).format(a=a, b=b)]
        turn = rng.random() if index else 1.0
        if turn < 0.12:
            action.append(rng.choice(_CHANGES).format(a=a))
            look = "gown" if look == "coat" else "coat"
        elif turn < 0.24:
            action.append(rng.choice(_HANDOVERS).format(a=holder, b=_other(holder, a, b)))
            holder = _other(holder, a, b)
        elif turn < 0.36:
            action.append(rng.choice(_CROSSINGS).format(a=a, b=b))
            order = order[::-1]
        panels.append(
            PanelScript(
                number=index + 1,
                shot=ShotType.FULL,
                scene="INT. HALL - NIGHT" if index == 0 else None,
                cast=tuple(Role(name=n, look=look if n == a else "coat") for n in order),
                props=(Prop(name="lantern", holder=holder),),
                action=tuple(action),
                dialogue=(
                    Line(text=rng.choice(_SAID), speaker=rng.choice([a, b])),
                    Line(text="Past midnight.", kind=BalloonKind.CAPTION),
                ),
            )
        )
    return panels


def _other(name: str, a: str, b: str) -> str:
    return b if name == a else a


def _change(panels: list[PanelScript], index: int, **fields: object) -> None:
    panels[index] = panels[index].model_copy(update=fields)


def _plain(panels: list[PanelScript], index: int) -> None:
    """From here on nothing is explained, and all is as it was in the panel before."""
    before = panels[index - 1]
    del panels[index + 1 :]
    _change(panels, index, action=panels[index].action[:1], cast=before.cast, props=before.props)


def _unknown_character(panels: list[PanelScript], index: int) -> tuple[str, int]:
    stranger = Role(name="Grimble")
    _change(panels, index, cast=(*panels[index].cast, stranger))
    return "unknown-character", index


def _unknown_look(panels: list[PanelScript], index: int) -> tuple[str, int]:
    _plain(panels, index)
    first, second = panels[index].cast
    _change(panels, index, cast=(first.model_copy(update={"look": "pyjamas"}), second))
    _change(panels, index, action=(*panels[index].action, f"{first.name} changes."))
    return "unknown-appearance", index


def _look_of_later(panels: list[PanelScript], index: int) -> tuple[str, int]:
    _plain(panels, index)
    first, second = panels[index].cast
    _change(panels, index, cast=(first.model_copy(update={"look": "armour"}), second))
    _change(panels, index, action=(*panels[index].action, f"{first.name} puts on the armour."))
    return "appearance-not-valid", index


def _missing_shot(panels: list[PanelScript], index: int) -> tuple[str, int]:
    _plain(panels, index)
    first, second = panels[index].cast
    roles = (first.model_copy(update={"look": "gown"}), second)
    told = (*panels[index].action, f"{first.name} slips into the gown.")
    _change(panels, index, cast=roles, shot=ShotType.HEADSHOT, action=told)
    return "missing-reference", index


def _stranger_speaks(panels: list[PanelScript], index: int) -> tuple[str, int]:
    here = {role.name for role in panels[index].cast}
    absent = next(n for n in ("Mira", "Oskar", "Basil", "Odette") if n not in here)
    _change(panels, index, dialogue=(Line(text="And me?", speaker=absent),))
    return "speaker-not-in-panel", index


def _wall_of_text(panels: list[PanelScript], index: int) -> tuple[str, int]:
    who = panels[index].cast[0].name
    lines = tuple(Line(text=" ".join(["word"] * 13), speaker=who) for _ in range(3))
    _change(panels, index, dialogue=lines)
    return "too-much-dialogue", index


def _outfit(panels: list[PanelScript], index: int) -> tuple[str, int]:
    _plain(panels, index)
    first, second = panels[index].cast
    look = "coat" if first.look == "gown" else "gown"
    _change(panels, index, cast=(first.model_copy(update={"look": look}), second))
    return "outfit-change", index


def _prop(panels: list[PanelScript], index: int) -> tuple[str, int]:
    _plain(panels, index)
    was = panels[index - 1].props[0].holder or ""
    a, b = (role.name for role in panels[index].cast)
    _change(panels, index, props=(Prop(name="lantern", holder=_other(was, a, b)),))
    return "prop-change", index


def _sides(panels: list[PanelScript], index: int) -> tuple[str, int]:
    _plain(panels, index)
    _change(panels, index, cast=panels[index].cast[::-1])
    return "sides-change", index


def _crowded(panels: list[PanelScript], index: int) -> tuple[str, int]:
    _plain(panels, index)
    last = panels[index]
    panels += [last.model_copy(update={"number": n}) for n in range(index + 2, 11)]
    return "dense-page", -1


FAULTS: tuple[Fault, ...] = (
    *(_unknown_character, _unknown_look, _look_of_later, _missing_shot, _stranger_speaks),
    *(_wall_of_text, _outfit, _prop, _sides, _crowded),
)
