"""The pictures that are learned from, drawn by all cores once and kept as arrays on disk."""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from multiprocessing import get_context
from pathlib import Path
from random import Random
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.geometry import Size
from pipeline.training.generator.cast import STYLES, Casting
from pipeline.training.generator.plan import GeneratorPlan
from pipeline.training.generator.scenes import Actor, make_panel, reference_view

Pixels = NDArray[np.uint8]
Tell = Callable[[str], None]

KINDS = ("square", "wide", "tall", "pair")
"""Kinds of panels: one character in three aspects, and two side by side in a wide one."""
_SHARE = {"square": 1.0, "wide": 0.15, "tall": 0.15, "pair": 0.25}
"""Panels for each drawing."""
_TOGETHER = 40
"""Identities that one process draws at a time."""


def size_of(kind: str, side: int) -> Size:
    """The size in pixels of a kind of panel; ``side`` is that of a square one."""
    longer = side * 3 // 2
    sizes = {"square": (side, side), "tall": (side, longer)}
    return Size(*sizes.get(kind, (longer, side)))


@dataclass(frozen=True, slots=True)
class Chapter:
    """The panels of one kind.

    ``pixels`` (n, h, w, 3) uint8; ``drawings`` (n, 1 or 2) are the drawings that each panel shows,
    numbered as the references are; ``prompts`` and ``plain`` (without the looks) have n lines.
    """

    kind: str
    pixels: Pixels
    drawings: NDArray[np.int32]
    prompts: tuple[str, ...]
    plain: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Album:
    """All that is learned from.

    ``references`` (n, side, side, 3) uint8 are the drawings as the image encoder sees them;
    drawing ``i`` is variant ``i % variants`` of identity ``i // variants``. ``looks`` (identities,
    slots) int16 says which variant or colour each identity has, -1 for a slot that its style lacks.
    """

    references: Pixels
    looks: NDArray[np.int16]
    choices: tuple[int, ...]
    variants: int
    chapters: tuple[Chapter, ...]


def open_album(folder: Path, plan: GeneratorPlan, *, workers: int, tell: Tell) -> Album:
    """The album in a folder; it is drawn where it is not there yet.

    Args:
        folder: where the arrays are kept.
        plan: which cast.
        workers: processes that draw. How many there are changes nothing in what is drawn.
        tell: takes lines of progress.
    """
    done = folder / "album.json"
    asked = {k: asdict(plan)[k] for k in ("seed", "side", "styles", "identities", "variants")}
    if not done.is_file() or json.loads(done.read_text())["plan"] != asked:
        folder.mkdir(parents=True, exist_ok=True)
        choices = _draw(folder, plan, workers, tell)
        done.write_text(json.dumps({"plan": asked, "choices": choices}))
    choices = tuple(json.loads(done.read_text())["choices"])
    return Album(
        np.load(folder / "references.npy", mmap_mode="r"),
        np.load(folder / "looks.npy"),
        choices,
        plan.variants,
        tuple(_chapter(folder, kind) for kind in KINDS),
    )


def _chapter(folder: Path, kind: str) -> Chapter:
    text = (folder / f"{kind}.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    return Chapter(
        kind,
        np.load(folder / f"{kind}.npy", mmap_mode="r"),
        np.load(folder / f"{kind}-drawings.npy"),
        tuple(line[0] for line in lines),
        tuple(line[1] for line in lines),
    )


@dataclass(frozen=True, slots=True, eq=False)
class _Sheet:
    """What one process has drawn of a few identities."""

    references: Pixels
    looks: list[dict[str, str]]
    panels: dict[str, list[tuple[Pixels, tuple[int, ...], str, str]]]


def _draw(folder: Path, plan: GeneratorPlan, workers: int, tell: Tell) -> list[int]:
    """Draw everything, write it, return how many choices each slot of ``looks`` has."""
    jobs = [
        (plan, style, first, min(first + _TOGETHER, plan.identities))
        for style in range(plan.styles)
        for first in range(0, plan.identities, _TOGETHER)
    ]
    references: list[Pixels] = []
    looks: list[dict[str, str]] = []
    panels: dict[str, list[Any]] = {kind: [] for kind in KINDS}
    for number, sheet in enumerate(_sheets(jobs, workers), 1):
        start = len(references)
        references.extend(sheet.references)
        looks.extend(sheet.looks)
        for kind, found in sheet.panels.items():
            panels[kind].extend(
                (pixels, [start + d for d in drawings], full, plain)
                for pixels, drawings, full, plain in found
            )
        if number % 20 == 0 or number == len(jobs):
            tell(f"drawn {number}/{len(jobs)} sheets, {len(references)} references")
    np.save(folder / "references.npy", np.stack(references))
    for kind, found in panels.items():
        np.save(folder / f"{kind}.npy", np.stack([one[0] for one in found]))
        np.save(folder / f"{kind}-drawings.npy", np.array([one[1] for one in found], np.int32))
        with (folder / f"{kind}.jsonl").open("w", encoding="utf-8") as stream:
            stream.writelines(json.dumps(one[2:]) + "\n" for one in found)
    table, choices = _numbered(looks)
    np.save(folder / "looks.npy", table)
    return choices


def _sheets(jobs: list[Any], workers: int) -> Iterator[_Sheet]:
    if workers <= 1:
        yield from map(_sheet, jobs)
        return
    with get_context("spawn").Pool(workers) as pool:
        yield from pool.imap(_sheet, jobs)


def _sheet(job: tuple[GeneratorPlan, int, int, int]) -> _Sheet:
    plan, style, first, last = job
    casting = Casting(STYLES[style], plan.seed)
    rng = Random(f"{plan.seed}/{STYLES[style]}/{first}/panels")
    actors: list[Actor] = []
    looks: list[dict[str, str]] = []
    for number in range(first, last):
        identity = casting.identity(number)
        looks.append({f"{style}.{k}": str(v) for k, v in (*identity.parts.items(),)})
        looks[-1] |= {f"{style}.{k}.colour": v for k, v in identity.colours.items()}
        actors += [
            Actor(identity, casting.variant(identity, which, 2 * plan.side))
            for which in range(plan.variants)
        ]
    panels: dict[str, list[Any]] = {}
    for kind in KINDS:
        size, found = size_of(kind, plan.side), panels.setdefault(kind, [])
        for drawing, actor in enumerate(actors):
            if rng.random() >= _SHARE[kind]:
                continue
            shown = [drawing]
            if kind == "pair":
                other = rng.randrange(len(actors))
                if actors[other].identity is actor.identity:
                    continue
                shown.append(other)
            panel = make_panel([actors[d] for d in shown], size, rng)
            pixels = np.asarray(panel.image, np.uint8)
            found.append((pixels, tuple(shown), panel.prompt, panel.plain))
    views = [np.asarray(reference_view(a.variant.image, plan.side), np.uint8) for a in actors]
    return _Sheet(np.stack(views), looks, panels)


def _numbered(looks: list[dict[str, str]]) -> tuple[NDArray[np.int16], list[int]]:
    """Looks as numbers: a column for every slot in which identities differ."""
    slots: dict[str, dict[str, int]] = {}
    for look in looks:
        for slot, value in look.items():
            known = slots.setdefault(slot, {})
            known.setdefault(value, len(known))
    told = [slot for slot, known in slots.items() if len(known) > 1]
    table = np.full((len(looks), len(told)), -1, np.int16)
    for row, look in enumerate(looks):
        for column, slot in enumerate(told):
            if slot in look:
                table[row, column] = slots[slot][look[slot]]
    return table, [len(slots[slot]) for slot in told]
