"""A pipeline call in the making, which every kind of conditioning adds its part to."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.geometry import Box, Size
from pipeline.generation.diffusion.cache import WeightCache
from pipeline.generation.diffusion.families import Task
from pipeline.generation.diffusion.loading import Base
from pipeline.generation.diffusion.memory import MemoryPlan
from pipeline.generation.diffusion.pictures import Pictures
from pipeline.generation.modules import ModuleShelf


@dataclass(frozen=True, slots=True)
class Span:
    """So many tokens of the text, and the region (pixels of the plan's size) that reads them.

    ``region`` is None for what is read everywhere.
    """

    tokens: int
    region: Box | None = None


@dataclass(slots=True, eq=False)
class Call:
    """One job's call.

    ``size`` is the working size in pixels. ``pipe`` is made for this job and shares its modules
    with all others. ``arguments`` is what it will be called with; holds add to it. ``vectors``
    are the words that a text encoder learned for this job and how many vectors each stands for;
    ``spans`` says which part of the text is whose. While ``reader`` is set, every place reads the
    shared words and those of that region, whichever it lies in: so it is for a picture that shows
    one character alone.
    """

    base: Base
    plan: ConditioningPlan
    pictures: Pictures
    size: Size
    task: Task
    memory: MemoryPlan
    cache: WeightCache
    shelf: ModuleShelf
    pipe: Any = None
    arguments: dict[str, Any] = field(default_factory=dict)
    vectors: Mapping[str, int] = field(default_factory=dict)
    spans: tuple[Span, ...] = ()
    reader: Box | None = None

    @property
    def guided(self) -> bool:
        """Whether the denoiser runs with and without the prompt (classifier-free guidance)."""
        return self.plan.sampling.guidance > 1


Hold = Callable[[Call], AbstractContextManager[None]]
"""Puts one kind of conditioning onto the loaded model, adds what the call has to be told, and
takes everything off again, whatever happens in between."""
