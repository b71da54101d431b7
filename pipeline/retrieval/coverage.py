"""What a set of references shows, what it lacks, and how ready it is to draw from.

Source AF8 asks for heads from the front, the side and three quarters, turnarounds of the whole
figure, key expressions, the primary and other outfits; AF9 for ten to twenty references.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipeline.domain.character import Appearance, EntryKind, Reference, ShotType
from pipeline.domain.vocabulary import ANGLES, Expression, family_of

GOAL = 10
"""References that make a good start (source AF9)."""
PLENTY = 20
"""References after which more of them hardly help (source AF9)."""
UNKNOWN = "unknown"
"""The column of pictures whose angle nobody has said."""
COLUMNS = (*ANGLES, UNKNOWN)

_WHOLE = (ShotType.FULL, ShotType.DYNAMIC)
_ANGLE_WORDS = {
    "front": "from the front", "three_quarter": "in three-quarter view",
    "side": "from the side", "back": "from behind",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Need:
    """One thing that a set of references should show.

    ``key`` is stable (``head.front``); ``words`` are for people; a ``required`` one counts twice.
    """

    key: str
    words: str
    required: bool
    have: int
    want: int = 1

    @property
    def met(self) -> bool:
        """Whether there are enough."""
        return self.have >= self.want


@dataclass(frozen=True, slots=True)
class Coverage:
    """The coverage of one look.

    ``grid`` counts canon references by shot type and angle (:data:`COLUMNS`); ``expressions`` by
    key expression. ``guessed`` counts the references whose shot or angle nobody has confirmed.
    """

    appearance_id: str
    label: str
    references: int
    grid: Mapping[tuple[ShotType, str], int]
    expressions: Mapping[Expression, int]
    needs: tuple[Need, ...]
    guessed: int = 0

    @property
    def readiness(self) -> float:
        """The weighted share of needs that are met, each in part, in [0, 1]."""
        weights = [2.0 if need.required else 1.0 for need in self.needs]
        parts = [min(1.0, need.have / need.want) for need in self.needs]
        return sum(w * p for w, p in zip(weights, parts, strict=True)) / sum(weights)

    @property
    def missing(self) -> tuple[Need, ...]:
        """What is not met, required things first."""
        return tuple(sorted((n for n in self.needs if not n.met), key=lambda n: not n.required))

    def as_dict(self) -> dict[str, object]:
        """As plain data for JSON."""
        return {
            "appearance_id": self.appearance_id,
            "label": self.label,
            "references": self.references,
            "guessed": self.guessed,
            "readiness": round(self.readiness, 4),
            "grid": {f"{shot.value}.{angle}": n for (shot, angle), n in self.grid.items() if n},
            "expressions": {family.value: n for family, n in self.expressions.items()},
            "missing": [
                {"key": n.key, "words": n.words, "required": n.required, "have": n.have,
                 "want": n.want}
                for n in self.missing
            ],
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class CharacterCoverage:
    """The coverage of all looks of an entry; the first look is the primary outfit."""

    character_id: str
    name: str
    kind: EntryKind
    looks: tuple[Coverage, ...] = field(default_factory=tuple)

    @property
    def readiness(self) -> float:
        """How ready the primary look is: other outfits are good to have."""
        return self.looks[0].readiness if self.looks else 0.0

    @property
    def advice(self) -> str:
        """One or two sentences on the whole entry."""
        count = sum(look.references for look in self.looks)
        if count < GOAL:
            text = f"{count} references so far; {GOAL} to {PLENTY} are the goal."
        elif max(look.references for look in self.looks) > PLENTY:
            text = f"More than {PLENTY} references in one look: near copies only cost time."
        else:
            text = f"{count} references: a good set."
        if self.kind is EntryKind.CHARACTER and len(self.looks) == 1:
            text += " Only one outfit is registered; others can be added with /appearance add."
        return text

    def as_dict(self) -> dict[str, object]:
        """As plain data for JSON."""
        return {
            "character_id": self.character_id,
            "name": self.name,
            "kind": self.kind.value,
            "readiness": round(self.readiness, 4),
            "advice": self.advice,
            "looks": [look.as_dict() for look in self.looks],
        }


def coverage_of(
    look: Appearance, references: Sequence[Reference], kind: EntryKind = EntryKind.CHARACTER
) -> Coverage:
    """Measure one look. Derived references (accepted panels) do not count."""
    canon = [r for r in references if r.canon]
    grid = {
        (shot, angle): sum(
            r.shot_type is shot and (r.angle if r.angle in ANGLES else UNKNOWN) == angle
            for r in canon
        )
        for shot in ShotType
        for angle in COLUMNS
    }
    families = [family_of(r.expression) for r in canon]
    expressions = {family: families.count(family) for family in Expression}
    needs = _needs(kind, grid, expressions, len(canon))
    guessed = sum(bool(r.guessed) for r in canon)
    return Coverage(look.appearance_id, look.label, len(canon), grid, expressions, needs, guessed)


def _needs(
    kind: EntryKind,
    grid: Mapping[tuple[ShotType, str], int],
    expressions: Mapping[Expression, int],
    count: int,
) -> tuple[Need, ...]:
    goal = Need("references", f"{GOAL} references in all", required=True, have=count, want=GOAL)
    match kind:
        case EntryKind.CHARACTER:
            return (*_figure_needs(grid), *_expression_needs(expressions), goal)
        case EntryKind.PROP:
            return (*_turnaround(grid, tuple(ShotType)), _count(count, 4))
        case EntryKind.LOCATION | EntryKind.STYLE:
            return (_count(count, 5),)


def _figure_needs(grid: Mapping[tuple[ShotType, str], int]) -> tuple[Need, ...]:
    heads = tuple(
        Need(
            f"head.{angle}",
            f"head {_ANGLE_WORDS[angle]}",
            required=True,
            have=grid[ShotType.HEADSHOT, angle],
        )
        for angle in ("front", "three_quarter", "side")
    )
    half = sum(grid[ShotType.HALF, angle] for angle in COLUMNS)
    action = sum(grid[ShotType.DYNAMIC, angle] for angle in COLUMNS)
    return (
        *heads,
        *_turnaround(grid, _WHOLE),
        Need("half", "a picture from the waist up", required=True, have=half),
        Need("dynamic", "a picture in action", required=False, have=action),
    )


def _turnaround(
    grid: Mapping[tuple[ShotType, str], int], shots: Sequence[ShotType]
) -> tuple[Need, ...]:
    return tuple(
        Need(
            f"full.{angle}",
            f"full figure {_ANGLE_WORDS[angle]}",
            required=angle != "back",
            have=sum(grid[shot, angle] for shot in shots),
        )
        for angle in ANGLES
    )


def _expression_needs(expressions: Mapping[Expression, int]) -> tuple[Need, ...]:
    return tuple(
        Need(
            f"expression.{family.value}",
            f"expression: {family.value}",
            required=family is Expression.NEUTRAL,
            have=expressions[family],
        )
        for family in Expression
    )


def _count(have: int, want: int) -> Need:
    return Need("references", f"{want} references in all", required=True, have=have, want=want)
