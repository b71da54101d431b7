"""How a job fits into memory, computed before it starts: what stays loaded, what is cut up."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from pipeline.domain.geometry import Size

SAFE_SHARE = 0.92
"""Of what is free: the rest is for what is not counted here (workspaces of kernels, fragments)."""
DENOISER_ACTIVATION = {"sd15": 16_700, "sdxl": 10_200, "flux": 23_400}
"""Bytes of activations per latent cell and row at two bytes a number, rounded up.

Source: ``python benchmarks/diffusion_memory.py`` runs the published architectures on torch's meta
device and follows every tensor: 16 648, 10 088 and 23 330. Attention is counted without its table
of scores, which torch's kernels do not keep.
"""
DECODER_ACTIVATION = 1_540
"""Bytes of activations per pixel while a VAE decodes, at two bytes a number. Source: as above,
1 538 for the VAE of SD 1.5 and SDXL; the others have the same decoder."""
TILE = 512
"""Pixels along a side of what a tiling VAE decodes at once."""
_CELL = 8 * 8
_GIB = 1 << 30


class Offload(StrEnum):
    """What stays on the device: everything, or each component only while it works."""

    NONE = "none"
    COMPONENTS = "components"


@dataclass(frozen=True, slots=True)
class Load:
    """What a job brings: bytes of weights by component, and the size of its tensors.

    ``rows`` is how many rows the denoiser sees per picture: 2 with guidance, 1 without.
    ``number_bytes`` is 2 in half precision and 4 in single; ``decoder_bytes`` likewise for the
    VAE, some of which compute in single precision always.
    """

    family: str
    size: Size
    alternates: int
    weights: Mapping[str, int] = field(default_factory=dict)
    denoiser: str = "unet"
    beside: int = 0
    rows: int = 2
    number_bytes: int = 2
    decoder_bytes: int = 2

    def alone(self) -> "Load":
        """The same job with one picture at a time."""
        return replace(self, alternates=1)


@dataclass(frozen=True, slots=True)
class MemoryPlan:
    """How a job runs. ``needed`` is the computed peak in bytes.

    ``at_once`` pictures are drawn in one call; ``sliced`` decodes them one by one, ``tiled``
    decodes one picture in tiles; ``retried`` says that memory ran out once already.
    """

    at_once: int
    offload: Offload = Offload.NONE
    sliced: bool = False
    tiled: bool = False
    needed: int = 0
    retried: bool = False


def plan_memory(load: Load, free: int | None, *, can_offload: bool = True) -> MemoryPlan:
    """Choose the fastest way of running that fits.

    Args:
        load: what the job brings.
        free: bytes that it may use, its weights included; None where nobody knows: then it runs
            as if there were enough.
        can_offload: whether there is another memory to put weights into.

    Returns:
        The first of the possible ways, from fastest to most frugal, whose computed peak fits; the
        most frugal one if none does, since the count is an estimate.
    """
    plan = MemoryPlan(load.alternates)
    for plan in _ways(load, can_offload):
        if free is None or plan.needed <= SAFE_SHARE * free:
            return plan
    return plan


def smaller(plan: MemoryPlan, load: Load, *, can_offload: bool) -> MemoryPlan | None:
    """The way for one more try after memory ran out: the most frugal one; None if it was that."""
    *_, last = _ways(load, can_offload)
    return None if plan.retried or last == plan else replace(last, retried=True)


def peak_of(plan: MemoryPlan, load: Load) -> int:
    """The largest number of bytes that a way of running has on the device at one moment."""
    denoising = plan.at_once * denoising_bytes(load)
    pictures = 1 if plan.sliced or plan.tiled else plan.at_once
    decoding = pictures * decoding_bytes(load, tiled=plan.tiled)
    if plan.offload is Offload.NONE:
        return sum(load.weights.values()) + load.beside + max(denoising, decoding)
    others = [n for name, n in load.weights.items() if name not in (load.denoiser, "vae")]
    return max(
        max(others, default=0),
        load.weights.get(load.denoiser, 0) + load.beside + denoising,
        load.weights.get("vae", 0) + decoding,
    )


def denoising_bytes(load: Load) -> int:
    """Activations of one step for one picture."""
    cells = load.size.width * load.size.height // _CELL
    per_cell = DENOISER_ACTIVATION[load.family] * load.number_bytes // 2
    return cells * load.rows * per_cell


def decoding_bytes(load: Load, *, tiled: bool = False) -> int:
    """Activations of the VAE for one picture."""
    pixels = load.size.width * load.size.height
    if tiled:
        pixels = min(pixels, TILE * TILE)
    return pixels * DECODER_ACTIVATION * load.decoder_bytes // 2


def in_words(count: int) -> str:
    """Bytes for people: ``9.3 GiB``."""
    return f"{count / _GIB:.1f} GiB"


def _ways(load: Load, can_offload: bool) -> Iterator[MemoryPlan]:
    """Every way of running, the fastest first."""
    offloads = [Offload.NONE, Offload.COMPONENTS] if can_offload else [Offload.NONE]
    for offload in offloads:
        at_once = load.alternates
        yield _counted(MemoryPlan(at_once, offload), load)
        while True:
            yield _counted(MemoryPlan(at_once, offload, sliced=True), load)
            yield _counted(MemoryPlan(at_once, offload, sliced=True, tiled=True), load)
            if at_once == 1:
                break
            at_once = (at_once + 1) // 2


def _counted(plan: MemoryPlan, load: Load) -> MemoryPlan:
    return replace(plan, needed=peak_of(plan, load))
