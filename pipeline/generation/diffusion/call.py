"""A pipeline call in the making, which every kind of conditioning adds its part to."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.geometry import Size
from pipeline.generation.diffusion.cache import WeightCache
from pipeline.generation.diffusion.families import Task
from pipeline.generation.diffusion.loading import Base
from pipeline.generation.diffusion.memory import MemoryPlan
from pipeline.generation.diffusion.pictures import Pictures
from pipeline.generation.modules import ModuleShelf


@dataclass(slots=True, eq=False)
class Call:
    """One job's call.

    ``size`` is the working size in pixels. ``pipe`` is made for this job and shares its modules
    with all others. ``arguments`` is what it will be called with; holds add to it. ``vectors``
    are the words that a text encoder learned for this job and how many vectors each stands for.
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

    @property
    def guided(self) -> bool:
        """Whether the denoiser runs with and without the prompt (classifier-free guidance)."""
        return self.plan.sampling.guidance > 1


Hold = Callable[[Call], AbstractContextManager[None]]
"""Puts one kind of conditioning onto the loaded model, adds what the call has to be told, and
takes everything off again, whatever happens in between."""
