"""The drift chart: each character's similarity, panel by panel, as points of an SVG."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from pipeline.domain.review import DriftSample

WIDTH = 640
HEIGHT = 140
_PAD = 14


@dataclass(frozen=True, slots=True)
class Dot:
    """One sample in SVG units, with the sentence that hovers over it."""

    x: float
    y: float
    limit_y: float | None
    verdict: str
    words: str


@dataclass(frozen=True, slots=True)
class Chart:
    """One character's line. ``low`` and ``high`` are the cosines at the lower and upper edge."""

    name: str
    dots: tuple[Dot, ...]
    line: str
    low: float
    high: float


def drift_chart(samples: Sequence[DriftSample], names: Mapping[str, str]) -> list[Chart]:
    """A chart per character that was seen at least once, in the order of ``names``."""
    charts = []
    for character_id, name in names.items():
        mine = sorted(
            (s for s in samples if s.character_id == character_id), key=lambda s: (s.panel_id, s.at)
        )
        if mine:
            charts.append(_chart(name, mine))
    return charts


def _chart(name: str, samples: Sequence[DriftSample]) -> Chart:
    values = [s.similarity for s in samples]
    values += [s.threshold for s in samples if s.threshold is not None]
    low, high = min(values), max(values)
    margin = max(0.02, (high - low) * 0.1)
    low, high = low - margin, high + margin

    def y(value: float) -> float:
        return round(HEIGHT - _PAD - (value - low) / (high - low) * (HEIGHT - 2 * _PAD), 1)

    step = (WIDTH - 2 * _PAD) / max(1, len(samples) - 1)
    dots = tuple(
        Dot(
            x=round(_PAD + i * step, 1),
            y=y(s.similarity),
            limit_y=None if s.threshold is None else y(s.threshold),
            verdict=s.verdict,
            words=f"panel {s.panel_id}, {s.appearance_id}: similarity {s.similarity:.3f}"
            + ("" if s.threshold is None else f", limit {s.threshold:.3f}"),
        )
        for i, s in enumerate(samples)
    )
    return Chart(name, dots, " ".join(f"{d.x},{d.y}" for d in dots), low, high)
