"""What every engine offers: a name, a version and one pure function from plan to pictures."""

from collections.abc import Callable, Mapping
from typing import Protocol

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.panel import Candidate
from pipeline.generation.capabilities import Capabilities


class Progress(Protocol):
    """Receives the share done, 0 to 1, and a short note for people.

    ``preview`` is a small PNG (some ten kilobytes, longest side about 100 pixels) of what is being
    drawn, from engines that have one; they send one every few seconds at most.
    """

    def __call__(self, fraction: float, note: str, preview: bytes | None = None, /) -> None:
        """Take note; called from the thread that draws."""
        ...


def unheard(_fraction: float, _note: str, _preview: bytes | None = None, /) -> None:
    """A :class:`Progress` that nobody listens to."""


IsCancelled = Callable[[], bool]
"""Says whether the work is no longer wanted; asked between steps."""


class Generator(Protocol):
    """An engine that draws panels.

    ``name`` is the word in settings and plans; ``version`` changes whenever the same plan would
    give other pixels. ``capabilities`` decide what a plan for this engine holds: what it cannot
    do is left out of the plan and said in its notes.
    """

    name: str
    version: str
    capabilities: Capabilities

    def generate(
        self,
        plan: ConditioningPlan,
        pictures: Mapping[str, bytes],
        *,
        progress: Progress,
        cancelled: IsCancelled,
    ) -> list[Candidate]:
        """Draw ``plan.alternates`` pictures, the i-th with seed ``plan.seed + i``.

        Args:
            plan: the complete recipe; nothing else decides about the pixels.
            pictures: canonical PNG bytes (RGB or RGBA) by the sha256 that the plan names.
            progress: called with the share done and a note.
            cancelled: asked between steps.

        Returns:
            One candidate per alternate, each an opaque RGB PNG of ``plan.size``.

        Raises:
            Cancelled: ``cancelled()`` became true.
            MissingReference: a character has no picture to work from.
            GenerationFailed: the engine could not draw; the text says why.
        """
        ...
