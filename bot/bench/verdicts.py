"""Everything that the bench says about verdicts beyond the demo's cast, in one run."""

from collections.abc import Sequence
from pathlib import Path

from bot.bench.art import examine
from bot.bench.figures import Figure
from bot.bench.judging import measure_judging
from bot.bench.knowing import measure_knowing
from bot.bench.promises import measure_promises
from bot.bench.watching import measure_watching
from pipeline.fingerprints.encoders.base import Encoder


def measure_verdicts(
    encoders: Sequence[Encoder], data: Path | None, identities: int
) -> list[Figure]:
    """The promise, the audit, abstention, the drift watch and what judging costs."""
    examined = None
    if data is None:
        print(  # noqa: T201 - the output of a command
            "Without --data: skipped are the figures on art (false flags and misses on drawn "
            "identities, abstention, risk and coverage, the drift watch on real scatter)."
        )
    else:
        examined = examine(data, encoders, identities)
    figures = measure_promises(examined)
    if examined:
        figures += measure_knowing(examined)
    return [*figures, *measure_watching(examined), *measure_judging(encoders)]
