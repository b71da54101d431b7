"""Where the weights are while a job runs, and how much room there is."""

from collections.abc import Iterator
from contextlib import contextmanager

from pipeline.domain.conditioning import Adapter, ConditioningPlan
from pipeline.domain.geometry import Size
from pipeline.generation.diffusion.cache import bytes_of
from pipeline.generation.diffusion.call import Call
from pipeline.generation.diffusion.loading import Base
from pipeline.generation.diffusion.memory import Load, MemoryPlan, Offload

_SINGLE = 4


def load_of(base: Base, plan: ConditioningPlan, size: Size) -> Load:
    """What a job brings to the device, counted from loaded weights and the adapters' files."""
    half = base.dtype.itemsize
    config = base.components["vae"].config
    upcast = half < _SINGLE and getattr(config, "force_upcast", False)
    return Load(
        family=base.family.name,
        size=size,
        alternates=plan.alternates,
        weights={name: n for name, part in base.components.items() if (n := bytes_of(part))},
        denoiser=base.family.denoiser,
        beside=_beside(base, plan),
        rows=2 if plan.sampling.guidance > 1 and base.family.regions else 1,
        number_bytes=half,
        decoder_bytes=_SINGLE if upcast else half,
    )


def free_bytes(base: Base, limit_mib: int | None) -> int | None:
    """Bytes that the engine may use on its device, with what it holds there already.

    Returns:
        None where it cannot be known.
    """
    found = _free_on(base)
    limit = limit_mib << 20 if limit_mib is not None else None
    known = [n for n in (found, limit) if n is not None]
    return min(known, default=None)


@contextmanager
def hold_weights(call: Call) -> Iterator[None]:
    """Put the components where the job's memory plan wants them, and set the VAE accordingly."""
    base, plan = call.base, call.memory
    vae = base.components["vae"]
    before = (vae.use_slicing, vae.use_tiling)
    vae.use_slicing, vae.use_tiling = plan.sliced, plan.tiled
    try:
        if base.device != "cpu":
            _place(call, plan)
        yield
    finally:
        vae.use_slicing, vae.use_tiling = before
        if plan.offload is not Offload.NONE:
            call.pipe.remove_all_hooks()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether torch said that memory ran out, on whichever device."""
    import torch

    if isinstance(error, torch.OutOfMemoryError):
        return True
    words = str(error).lower()
    return isinstance(error, RuntimeError) and (
        "not enough memory" in words or "out of memory" in words or "allocate memory" in words
    )


def give_back(base: Base) -> None:
    """Hand memory that torch keeps for later back to the device."""
    import torch

    if base.device.startswith("cuda"):
        torch.cuda.empty_cache()


def _place(call: Call, plan: MemoryPlan) -> None:
    if plan.offload is Offload.NONE:
        for part in call.base.components.values():
            if hasattr(part, "parameters"):
                part.to(call.base.device)
        return
    for part in call.base.components.values():
        if hasattr(part, "parameters"):
            part.to("cpu")
    call.pipe.enable_model_cpu_offload(device=call.base.device)


def _beside(base: Base, plan: ConditioningPlan) -> int:
    """Bytes of the ControlNets and IP-Adapters that stay on the device beside the denoiser."""
    controls = {use.kind for use in plan.controls if use.scale > 0}
    held = {one.adapter for m in plan.cast for use in m.references for one in use.adapters}
    paths = [
        path
        for kind in controls & set(base.installed.controls)
        for path in base.installed.controls[kind].glob("*.safetensors")
    ]
    adapters: set[Adapter] = held & set(base.installed.adapters)
    paths += [base.installed.adapters[adapter].weights for adapter in adapters]
    return sum(path.stat().st_size for path in paths)


def _free_on(base: Base) -> int | None:
    import torch

    if base.device.startswith("cuda"):
        free, _total = torch.cuda.mem_get_info(base.device)
        return free + torch.cuda.memory_reserved(base.device)
    if base.device == "cpu":
        import psutil

        own = sum(bytes_of(part) for part in base.components.values())
        return psutil.virtual_memory().available + own
    return None
