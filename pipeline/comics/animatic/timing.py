"""How long a panel is shown, and when each of its balloons appears."""

from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.domain.page import Balloon

READING_RATE = 15.0
"""Characters a second; subtitles are set for 12 to 17. Source: Netflix's timed text guide."""
_LEAD, _LEAST_LINE, _AFTER, _SILENT = 0.5, 1.1, 0.6, 2.2


@dataclass(frozen=True, slots=True)
class Cue:
    """A balloon from its appearance to the end of its reading, in seconds of its shot."""

    order: int
    start: float
    end: float
    text: str
    speaker: str | None


@dataclass(frozen=True, slots=True)
class Timing:
    """A shot: how long it takes, and its cues in reading order."""

    seconds: float
    cues: tuple[Cue, ...]

    def shown_at(self, time: float) -> int:
        """How many balloons are there at a time of the shot."""
        return sum(cue.start <= time for cue in self.cues)


def timing_of(balloons: Sequence[Balloon], weight: float = 1.0) -> Timing:
    """One balloon after the other, each as long as it takes to read it.

    Args:
        balloons: of one panel, in reading order.
        weight: the panel's importance; a heavy one lingers.
    """
    linger = max(0.5, weight) ** 0.5
    if not balloons:
        return Timing(round(_SILENT * linger, 3), ())
    time, cues = _LEAD, list[Cue]()
    for balloon in balloons:
        end = time + max(_LEAST_LINE, len(balloon.words) / READING_RATE)
        cues.append(Cue(balloon.order, time, end, balloon.words, balloon.speaker))
        time = end
    return Timing(round(time + _AFTER * linger, 3), tuple(cues))
