"""Which step of the ladder pays for which drift: Beta posteriors over what was recorded."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pipeline.domain.conditioning import Step
from pipeline.domain.evidence import StepCount

ENOUGH = 8
"""Tries of a drift mode on an engine (over all steps) from which they decide the order."""
_PRIOR_WEIGHT = 4.0
"""Tries that the engine's experience with other modes counts for, at most."""


@dataclass(frozen=True, slots=True)
class Beta:
    """A Beta distribution over the chance that a step gains; Beta(1, 1) knows nothing."""

    a: float = 1.0
    b: float = 1.0

    @property
    def mean(self) -> float:
        """The expected chance, 0 to 1."""
        return self.a / (self.a + self.b)

    @property
    def variance(self) -> float:
        """How unsure it is."""
        total = self.a + self.b
        return self.a * self.b / (total * total * (total + 1))


def posterior(counts: Iterable[StepCount], step: Step, mode: str, generator: str) -> Beta:
    """The chance that a step gains against a mode on an engine.

    What the same engine showed against other modes is the prior, worth a few tries at most, so
    that a mode seen for the first time does not start from nothing.
    """
    here = [c for c in counts if c.generator == generator and c.step is step]
    exact = [c for c in here if c.mode == mode]
    other = [c for c in here if c.mode != mode]
    tried, helped = sum(c.tried for c in other), sum(c.helped for c in other)
    share = min(1.0, _PRIOR_WEIGHT / tried) if tried else 0.0
    return Beta(
        1 + share * helped + sum(c.helped for c in exact),
        1 + share * (tried - helped) + sum(c.tried - c.helped for c in exact),
    )


def order_steps(
    steps: Sequence[Step], counts: Sequence[StepCount], mode: str, generator: str
) -> list[Step]:
    """Steps from the most to the least promising.

    Args:
        steps: in the order that holds as long as nothing is known.
        counts: the guild's records.
        mode: what seems to have drifted, empty if nothing says.
        generator: the engine's name.

    Returns:
        The same steps; by posterior mean once the mode was met often enough on this engine, with
        the given order among equals.
    """
    known = sum(
        c.tried for c in counts if c.mode == mode and c.generator == generator and c.step in steps
    )
    if known < ENOUGH:
        return list(steps)
    chance = {step: posterior(counts, step, mode, generator).mean for step in steps}
    return sorted(steps, key=lambda step: -chance[step])
