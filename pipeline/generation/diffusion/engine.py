"""Draws a plan: a pipeline call per pass, every conditioning held for as long as it takes."""

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from PIL import Image

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.geometry import Size
from pipeline.generation.capabilities import bucket_for
from pipeline.generation.diffusion.abilities import capabilities_of
from pipeline.generation.diffusion.cache import WeightCache
from pipeline.generation.diffusion.call import Call, Hold
from pipeline.generation.diffusion.controlnets import hold_controls
from pipeline.generation.diffusion.families import Task
from pipeline.generation.diffusion.installed import Installed
from pipeline.generation.diffusion.ip_adapters import hold_references
from pipeline.generation.diffusion.loading import Base, load_base
from pipeline.generation.diffusion.options import DiffusersOptions
from pipeline.generation.diffusion.pictures import Pictures
from pipeline.generation.diffusion.prompts import prompt_arguments
from pipeline.generation.diffusion.trained import hold_loras, hold_words
from pipeline.generation.diffusion.watch import Watch
from pipeline.generation.modules import ModuleShelf

HOLDS: tuple[Hold, ...] = (hold_controls, hold_loras, hold_words, hold_references)
"""In the order in which they are put on; they come off in the opposite one. The first one makes
the pipeline."""


class DiffusionEngine:
    """A model that is loaded at the first plan and kept for the next ones."""

    def __init__(self, installed: Installed, options: DiffusersOptions) -> None:
        self._installed = installed
        self._options = options
        self._base: Base | None = None
        self.cache = WeightCache(options.cache_mib << 20)
        self._shelf = ModuleShelf(Path(options.modules).expanduser() if options.modules else None)

    @property
    def base(self) -> Base:
        """The loaded model; the first look loads it.

        Raises:
            GenerationFailed: it cannot be loaded.
            SettingsError: device or precision are not usable here.
        """
        if self._base is None:
            self._base = load_base(self._installed, self._options)
        return self._base

    def draw(self, plan: ConditioningPlan, pictures: Pictures, watch: Watch) -> list[Image.Image]:
        """All alternates of a plan, RGB, at its working size.

        Raises:
            Cancelled: the work is no longer wanted.
            MissingReference: a picture that the plan names was not given.
            GenerationFailed: the model could not draw.
        """
        if self._base is None:
            watch.say("Loading the model")
        base = self.base
        drawn: list[Image.Image] = []
        with ExitStack() as stack:
            call = self._call(base, plan, pictures)
            watch.say("Preparing")
            for hold in HOLDS:
                stack.enter_context(hold(call))
            call.arguments |= prompt_arguments(call)
            for seeds in self._passes(plan):
                drawn += self._pass(call, seeds, watch)
        return drawn

    def _call(self, base: Base, plan: ConditioningPlan, pictures: Pictures) -> Call:
        size = working_size(plan, self._installed)
        call = Call(base, plan, pictures, size, Task.TEXT, self.cache, self._shelf)
        call.arguments |= {
            "width": size.width,
            "height": size.height,
            "num_inference_steps": plan.sampling.steps,
            "guidance_scale": plan.sampling.guidance,
        }
        return call

    def _passes(self, plan: ConditioningPlan) -> list[list[int]]:
        """The seeds of each pipeline call.

        On a CPU every alternate is a call of its own: a batch gains nothing there, and an
        alternate drawn alone then equals the one among others to the last bit.
        """
        seeds = [plan.seed + n for n in range(plan.alternates)]
        at_once = 1 if self.base.device == "cpu" else len(seeds)
        return [seeds[n : n + at_once] for n in range(0, len(seeds), at_once)]

    def _pass(self, call: Call, seeds: Sequence[int], watch: Watch) -> list[Image.Image]:
        import torch

        watch.stop_if_cancelled()
        # noise from the CPU's generator, so that a seed means the same on every device
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        out = call.pipe(
            **call.arguments,
            num_images_per_prompt=len(seeds),
            generator=generators,
            callback_on_step_end=watch.step_done,
            output_type="pil",
        )
        watch.stop_if_cancelled()
        return list(out.images)


def working_size(plan: ConditioningPlan, installed: Installed) -> Size:
    """The size at which the model works: the plan's bucket, on the model's grid."""
    step = installed.side_multiple
    wanted = plan.bucket or bucket_for(plan.size, capabilities_of(installed)) or plan.size
    return Size(*(max(step, round(side / step) * step) for side in wanted))
