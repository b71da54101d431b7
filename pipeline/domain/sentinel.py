"""What is known of pictures that were looked at while they were drawn."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class PastRun:
    """An earlier picture: its preview scores by look, and whether it was accepted in the end."""

    scores: Mapping[float, float]
    accepted: bool


@dataclass(frozen=True, slots=True)
class Bounds:
    """At which look a score below which value ends a run; empty where nothing may be given up.

    ``anchor`` holds the medians of accepted runs, for people to compare with.
    ``why_off`` says why the sentinel does nothing, empty where it works.
    """

    abort: Mapping[float, float] = field(default_factory=dict)
    anchor: Mapping[float, float] = field(default_factory=dict)
    why_off: str = ""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What the sentinel saw and did in one run.

    Looks are shares of the steps; ``anchored_after`` and ``ended_after`` are the steps that had
    been sampled when it acted, in this very run. ``saved_steps`` and ``saved_seconds`` are those
    that were not sampled. ``left_alone``: it could not have acted, so that the run shows what
    happens without it.
    """

    scores: Mapping[float, float]
    anchored_at: float | None = None
    aborted_at: float | None = None
    saved_seconds: float = 0.0
    saved_steps: int = 0
    anchored_after: int | None = None
    ended_after: int | None = None
    left_alone: bool = False


@dataclass(frozen=True, slots=True)
class Watched:
    """An attempt's receipts, one an alternate.

    ``look`` names who is drawn (appearance ids, joined by commas), ``kind`` everything else that
    scores depend on (:func:`pipeline.generation.watched.kind_of`): only scores of one look and
    one kind are compared.
    """

    look: str
    kind: str
    receipts: tuple[Receipt, ...]


@dataclass(frozen=True, slots=True)
class Savings:
    """What the sentinel did for a panel: pictures in all, given up and held harder; what it saved.

    ``seconds`` are those of the device, rather too few than too many.
    """

    pictures: int
    ended: int
    anchored: int
    steps: int
    seconds: float
