"""Draws a plan: a pipeline call per pass, every conditioning held for as long as it takes."""

import logging
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from PIL import Image, ImageOps

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.errors import GenerationFailed
from pipeline.domain.geometry import Size
from pipeline.domain.sentinel import Receipt
from pipeline.generation.capabilities import bucket_for
from pipeline.generation.diffusion.abilities import capabilities_of
from pipeline.generation.diffusion.attending import hold_reference_attention
from pipeline.generation.diffusion.cache import WeightCache
from pipeline.generation.diffusion.call import Call, Hold
from pipeline.generation.diffusion.controlnets import hold_controls
from pipeline.generation.diffusion.guarding import GivenUp, Guard, repeated
from pipeline.generation.diffusion.installed import Installed
from pipeline.generation.diffusion.ip_adapters import hold_references
from pipeline.generation.diffusion.loading import Base, load_base
from pipeline.generation.diffusion.memory import (
    Load,
    MemoryPlan,
    in_words,
    plan_memory,
    smaller,
)
from pipeline.generation.diffusion.noise import generators_of, varied_latents
from pipeline.generation.diffusion.options import DiffusersOptions
from pipeline.generation.diffusion.pictures import GROUND, Pictures
from pipeline.generation.diffusion.placing import (
    free_bytes,
    give_back,
    hold_weights,
    is_out_of_memory,
    load_of,
)
from pipeline.generation.diffusion.preview import LatentPreview
from pipeline.generation.diffusion.prompts import hold_prompt
from pipeline.generation.diffusion.regional import hold_regions
from pipeline.generation.diffusion.repair import starting_arguments, steps_of, task_of, unchanged
from pipeline.generation.diffusion.trained import hold_loras, hold_words
from pipeline.generation.diffusion.watch import Watch
from pipeline.generation.modules import ModuleShelf
from pipeline.generation.watched import SentinelPolicy, colours
from pipeline.quality.sentinel import Vector

log = logging.getLogger(__name__)

Drawn = tuple[Sequence[Image.Image | None], tuple[Receipt, ...]]
"""Pictures by alternate, None where the sentinel gave up, and its receipts if there was one."""
_PREVIEWED_SIDE = 512
"""Side in pixels at which a finished picture is encoded to be seen as a preview."""

HOLDS: tuple[Hold, ...] = (
    hold_controls,
    hold_weights,
    hold_loras,
    hold_words,
    hold_prompt,
    hold_references,
    hold_regions,
    hold_reference_attention,
)
"""In the order in which they are put on; they come off in the opposite one. The first one makes
the pipeline."""


class DiffusionEngine:
    """A model that is loaded at the first plan and kept for the next ones."""

    def __init__(self, installed: Installed, options: DiffusersOptions) -> None:
        self._installed = installed
        self._options = options
        self._base: Base | None = None
        self._preview: LatentPreview | None = None
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

    def draw(
        self,
        plan: ConditioningPlan,
        pictures: Pictures,
        watch: Watch,
        sentinel: SentinelPolicy | None = None,
    ) -> Drawn:
        """All alternates of a plan, RGB, at its working size, and the sentinel's receipts.

        Where memory runs out, the job is tried once more in the most frugal way. With a sentinel
        that decides, alternates are drawn one at a time, and one that is given up is None. So is
        a plan with interventions: they are made again, and nothing else is decided.

        Raises:
            Cancelled: the work is no longer wanted.
            MissingReference: a picture that the plan names was not given.
            GenerationFailed: the model could not draw; where memory was short, the text names
                how much is needed.
        """
        if self._base is None:
            watch.say("Loading the model")
        task = task_of(plan, pictures, self._installed)
        if unchanged(plan) and plan.inpaint is not None:
            return [pictures.rgb(plan.inpaint.base_sha256)] * plan.alternates, ()
        size = working_size(plan, self._installed)
        load = load_of(self.base, plan, size)
        if plan.interventions or (sentinel is not None and sentinel.decides):
            load = load.alone()
        memory = self.memory_plan(load)
        while True:
            call = Call(self.base, plan, pictures, size, task, memory, self.cache, self._shelf)
            try:
                return self._draw(call, watch, sentinel)
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                found = smaller(memory, load, **self._offloads())
                if found is None:
                    raise _too_little(memory, free_bytes(self.base, None)) from error
                log.warning("out of memory; one more try with less at once")
                memory = found
            # outside of the handler: the traceback of the first try holds its tensors
            give_back(self.base)

    def memory_plan(self, load: Load) -> MemoryPlan:
        """How a job runs here.

        On a CPU every alternate is a call of its own: a batch gains nothing there, and an
        alternate drawn alone then equals the one among others to the last bit.
        """
        free = free_bytes(self.base, self._options.memory_mib)
        if self.base.device == "cpu":
            load = load.alone()
        return plan_memory(load, free, **self._offloads())

    def _offloads(self) -> dict[str, bool]:
        return {"can_offload": self.base.device.startswith("cuda")}

    def _draw(self, call: Call, watch: Watch, sentinel: SentinelPolicy | None) -> Drawn:
        plan = call.plan
        passes = [
            range(n, min(n + call.memory.at_once, plan.alternates))
            for n in range(0, plan.alternates, call.memory.at_once)
        ]
        watch.begin(len(passes) * steps_of(plan))
        watch.say("Preparing")
        preview = self._learned_preview()
        with ExitStack() as stack:
            call.arguments |= {
                "num_inference_steps": plan.sampling.steps,
                "guidance_scale": plan.sampling.guidance,
                **starting_arguments(call),
            }
            for hold in HOLDS:
                stack.enter_context(hold(call))
            watch.look = preview.look
            if plan.interventions:
                return self._repeated(call, watch), ()
            if sentinel is None:
                return [one for places in passes for one in self._pass(call, places, watch)], ()
            guard = Guard(sentinel, preview)
            drawn = [one for some in passes for one in self._guarded(call, some, watch, guard)]
            return drawn, guard.receipts

    def _guarded(
        self, call: Call, places: Sequence[int], watch: Watch, guard: Guard
    ) -> Sequence[Image.Image | None]:
        """A pass that the sentinel looks at; what it gives up is neither finished nor decoded."""
        unguarded = watch.guard
        try:
            with guard.over(call, len(places)) as watch.guard:
                return self._pass(call, places, watch)
        except GivenUp:
            call.pipe.maybe_free_model_hooks()  # as the pipeline does at its own end
            watch.skip(guard.receipts[-1].saved_steps)
            return [None] * len(places)
        finally:
            watch.guard = unguarded

    def _repeated(self, call: Call, watch: Watch) -> list[Image.Image | None]:
        """Every alternate as it came out when the plan's interventions were made."""
        plan, unguarded = call.plan, watch.guard
        out: list[Image.Image | None] = [None] * plan.alternates
        for alternate in plan.drawn:
            made = [one for one in plan.interventions if one.alternate == alternate]
            try:
                with repeated(call, made) as watch.guard:
                    (out[alternate],) = self._pass(call, [alternate], watch)
            finally:
                watch.guard = unguarded
        return out

    def seen(self, picture: Image.Image) -> Vector:
        """A finished RGB picture in the space of the previews. Not to be asked while a job runs."""
        return colours(self._learned_preview().of_finished(_previewable(picture)))

    def _learned_preview(self) -> LatentPreview:
        if self._preview is None:
            self._preview = LatentPreview(self.base)
            self._preview.learn()
        return self._preview

    def _pass(self, call: Call, places: Sequence[int], watch: Watch) -> list[Image.Image]:
        watch.stop_if_cancelled()
        generators = generators_of(call, places)
        latents = varied_latents(call, generators, places)
        varied = {} if latents is None else {"latents": latents}
        out = call.pipe(
            **call.arguments,
            **varied,
            num_images_per_prompt=len(places),
            generator=generators,
            callback_on_step_end=watch.step_done,
            output_type="pil",
        )
        watch.stop_if_cancelled()
        if any(getattr(out, "nsfw_content_detected", None) or ()):
            raise GenerationFailed(
                "The model's own safety checker held a picture back. Ask with other words."
            )
        return list(out.images)


def working_size(plan: ConditioningPlan, installed: Installed) -> Size:
    """The size at which the model works: the plan's bucket, on the model's grid."""
    step = installed.side_multiple
    wanted = plan.bucket or bucket_for(plan.size, capabilities_of(installed)) or plan.size
    return Size(*(max(step, round(side / step) * step) for side in wanted))


def _previewable(image: Image.Image) -> Image.Image:
    """The whole picture on a square of the ground, as large as previews are made from."""
    side = _PREVIEWED_SIDE
    return ImageOps.pad(image.convert("RGB"), (side, side), color=GROUND)


def _too_little(memory: MemoryPlan, free: int | None) -> GenerationFailed:
    there = f" and {in_words(free)} are there" if free is not None else ""
    return GenerationFailed(
        f"The device ran out of memory: this panel needs about {in_words(memory.needed)}{there}. "
        "Ask for a smaller panel or fewer references, or close what else uses the device."
    )
