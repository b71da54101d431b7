"""``onmodel bench generation``: what our engine adds to diffusers' own pipeline call.

Both run in turn in one process on the same modules with the same steps, so a round of the one
stands beside a round of the other. The bare call has its IP-Adapter and ControlNet loaded before
its clock starts; ours puts them on and takes them off within each job, which is part of what it
adds. Weights are random: they decide about the pixels and not about the time.

Compiled figures are of words alone: an IP-Adapter changes the UNet for each job, and a compiled
UNet answers that by compiling anew.
"""

import hashlib
import io
import resource
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

from bot.bench.bare_diffusers import Bare
from bot.bench.figures import Figure, publish
from bot.bench.random_models import FULL, LAYOUTS, TINY, Layout, write_models
from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import (
    Adapter,
    AdapterScale,
    CastConditioning,
    ConditioningPlan,
    ControlKind,
    ControlUse,
    ReferenceUse,
    Sampling,
)
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Size
from pipeline.generation.diffusion.options import need_libraries
from pipeline.generation.generators.diffusers import DiffusersGenerator
from pipeline.torch_mends import mend_torchvision

BATCH = 4
_PEER = "diffusers"
_WARM = 2
_TARGET = 0.02
"""What we may add at the full size on a GPU, as a share of the bare call."""


@dataclass(frozen=True, slots=True)
class GenerationPlan:
    """What is measured: ``size`` is a name of LAYOUTS (None: what fits the device)."""

    size: str | None = None
    rounds: int = 30
    steps: int = 20


@dataclass(frozen=True, slots=True)
class _Case:
    """One kind of job: what conditions it, how many pictures, and whether the UNet is compiled."""

    name: str
    plan: ConditioningPlan
    compiled: bool = False


def bench_generation(plan: GenerationPlan, json_file: Path | None = None) -> int:
    """Measure, print, write; returns 0.

    Without a GPU the tiny model is measured, and a line says that the full size was not.

    Raises:
        GeneratorUnavailable: torch or diffusers are not installed.
        InvalidInput: no layout has that name, or the full size is asked for without a GPU.
    """
    need_libraries()
    mend_torchvision()
    import torch

    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        torch.set_num_threads(1)  # the tiny model is too small to be shared out
    layout = _layout(plan.size, device)
    if layout is not FULL:
        why = "not asked for" if device == "cuda" else "there is no GPU here"
        print(  # noqa: T201 - the output of a command
            f"The full size was not measured ({why}); these are figures of the {layout.name} "
            f"model on: {device}."
        )
    with tempfile.TemporaryDirectory() as folder:
        dtype = torch.bfloat16 if device == "cuda" else torch.float32
        options = write_models(Path(folder), layout, device=device, dtype=dtype)
        word = str(dtype).removeprefix("torch.")
        generator = DiffusersGenerator({**options, "device": device, "dtype": word})
        figures = _measured(generator, layout, plan, device)
    publish(figures, json_file)
    return 0


def _layout(name: str | None, device: str) -> Layout:
    layout = LAYOUTS.get(name) if name else (FULL if device == "cuda" else TINY)
    if layout is None:
        raise InvalidInput(f"There is no size “{name}”. Choose one of: {', '.join(LAYOUTS)}.")
    if layout is FULL and device == "cpu":
        raise InvalidInput("The full size needs a GPU. Leave --size out to measure what fits.")
    return layout


def _measured(
    generator: DiffusersGenerator, layout: Layout, plan: GenerationPlan, device: str
) -> list[Figure]:
    pictures, conditioned = _conditioned(layout, plan.steps)
    plain = replace(conditioned, cast=(), controls=())
    cases = [
        _Case("plain", plain),
        _Case("conditioned", conditioned),
        _Case(f"plain.batch_{BATCH}", replace(plain, alternates=BATCH)),
        _Case(f"conditioned.batch_{BATCH}", replace(conditioned, alternates=BATCH)),
    ]
    if device == "cuda":  # last: nothing undoes it
        words = (cases[0], cases[2])
        cases += [replace(case, name=f"{case.name}.compiled", compiled=True) for case in words]
    figures: list[Figure] = []
    bare = Bare(generator._engine.base, pictures)
    for case in cases:
        if case.compiled:
            generator._engine.base.denoiser.compile()  # in place: the same module for both
        figures += _compare(
            generator, bare, case, pictures, plan.rounds, f"generation.{layout.name}"
        )
    return [*figures, *_memory(layout)]


def _compare(
    generator: DiffusersGenerator,
    bare: Bare,
    case: _Case,
    pictures: dict[str, bytes],
    rounds: int,
    stem: str,
) -> list[Figure]:
    """Both in turn, so that a busy minute of the machine hits both."""
    ours, theirs = [], []
    peaks = [0.0, 0.0]
    with bare.ready(case.plan) as call:
        for number in range(_WARM + rounds):
            bare.put_on()
            seconds = _timed(call)
            peaks[1] = max(peaks[1], _peak_of_device())
            bare.take_off()
            mine = _timed(lambda: _draw(generator, case.plan, pictures))
            peaks[0] = max(peaks[0], _peak_of_device())
            if number >= _WARM:
                theirs.append(seconds)
                ours.append(mine)
    return list(_figures(f"{stem}.{case.name}", ours, theirs, case.plan.alternates, peaks))


def _figures(
    stem: str, ours: Sequence[float], theirs: Sequence[float], images: int, peaks: Sequence[float]
) -> Iterator[Figure]:
    """The first tenth of the rounds is compared: those that nobody disturbed."""
    mine, peer = (float(np.quantile(values, 0.1)) for values in (ours, theirs))
    n, full = len(ours), ".sdxl." in stem
    yield Figure(
        f"{stem}.overhead", mine / peer - 1, "share", "lower", _TARGET if full else None, _PEER, n
    )
    yield Figure(f"{stem}.overhead_ms", 1000 * (mine - peer), "ms", "lower", peer=_PEER, n=n)
    yield Figure(f"{stem}.images_per_second", images / mine, "1/s", "higher", n=n)
    yield Figure(f"{stem}.bare_images_per_second", images / peer, "1/s", "higher", n=n)
    if peaks[1]:
        yield Figure(f"{stem}.device_memory", peaks[0], "MiB", "lower", n=n)
        yield Figure(
            f"{stem}.device_memory_ratio", peaks[0] / peaks[1], "ratio", "lower", peer=_PEER, n=n
        )


def _memory(layout: Layout) -> list[Figure]:
    """The most that this process ever had in main memory, both contestants together."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return [Figure(f"generation.{layout.name}.process_memory", peak, "MiB", "lower")]


def _timed(work: Callable[[], object]) -> float:
    import torch

    on_gpu = torch.cuda.is_available()
    if on_gpu:
        torch.cuda.synchronize()
        torch.cuda.reset_peak_memory_stats()
    started = time.perf_counter()
    work()
    if on_gpu:
        torch.cuda.synchronize()
    return time.perf_counter() - started


def _peak_of_device() -> float:
    import torch

    return torch.cuda.max_memory_allocated() / 2**20 if torch.cuda.is_available() else 0.0


def _draw(generator: DiffusersGenerator, plan: ConditioningPlan, pictures: dict[str, bytes]) -> Any:
    return generator.generate(plan, pictures, progress=lambda *_told: None, cancelled=lambda: False)


def _conditioned(layout: Layout, steps: int) -> tuple[dict[str, bytes], ConditioningPlan]:
    """A plan with one reference by IP-Adapter and one guide, and their pictures."""
    size = Size(layout.side, layout.side)
    figure = _png(Image.new("RGBA", size), "navy")
    guide = _png(Image.new("RGB", size), "white")
    names = [hashlib.sha256(png).hexdigest() for png in (figure, guide)]
    reference = ReferenceUse(names[0], 1, 0.6, "", adapters=(AdapterScale(Adapter.IP_WHOLE, 0.6),))
    plan = ConditioningPlan(
        generator="diffusers",
        generator_version="",
        prompt="a girl waits under a lamp",
        negative="red hair",
        cast=(CastConditioning("ch_a", "a_x", "a girl with navy hair", (reference,)),),
        shot_type=ShotType.HALF,
        color_mode=ColorMode.COLOR,
        size=size,
        seed=7,
        alternates=1,
        controls=(ControlUse(ControlKind.EDGES, names[1], 0.7, ""),),
        sampling=Sampling("euler", steps, 6.0),
        bucket=size,
    )
    return dict(zip(names, (figure, guide), strict=True)), plan


def _png(image: Image.Image, colour: str) -> bytes:
    width, height = image.size
    box = (width // 4, height // 8, 3 * width // 4, height - 1)
    ImageDraw.Draw(image).rounded_rectangle(box, width // 6, outline=colour, width=width // 16)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()
