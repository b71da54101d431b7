"""What was learned from earlier panels: which drift is common, which step of the ladder pays."""

from dataclasses import dataclass

from pipeline.domain.conditioning import Step


@dataclass(frozen=True, slots=True)
class DriftCount:
    """Counters of one drift mode in one guild.

    ``shown``: attempts whose negative prompt held against it; ``helped``: of these, the ones whose
    step against it gained; ``labelled``: times that a moderator named it.
    """

    mode: str
    shown: int = 0
    helped: int = 0
    labelled: int = 0


@dataclass(frozen=True, slots=True)
class StepCount:
    """How often a step was tried against a drift mode on an engine, and how often it gained.

    ``mode`` is empty where nothing said what had drifted. ``gain`` is the sum of the gains in
    margin (a cosine difference) over the tries that could be measured.
    """

    mode: str
    step: Step
    generator: str
    tried: int
    helped: int
    gain: float = 0.0


@dataclass(frozen=True, slots=True)
class AttributeCount:
    """How often the attribution named an attribute first where people labelled, and was right."""

    attribute: str
    named: int
    right: int

    @property
    def trust(self) -> float:
        """The chance that it is right, 0 to 1.

        Starts at three quarters, which is worth four labels: about what the model reaches on
        drawing styles that it has not seen (``docs/models/attribution.md``).
        """
        return (self.right + 3) / (self.named + 4)
