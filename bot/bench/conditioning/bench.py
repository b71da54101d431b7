"""The bench itself: which parts, on whom, with what."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.bench.conditioning import climbing, holding, learning, pairing, watching
from bot.bench.conditioning.lab import STEPS, Lab
from bot.bench.conditioning.subjects import Subject, Weights
from bot.bench.figures import Figure, publish
from pipeline.domain.errors import InvalidInput
from pipeline.fingerprints.registry import DEFAULT_ENCODERS, load_encoders
from pipeline.generation.diffusion.options import need_libraries
from pipeline.generation.generators.diffusers import DiffusersGenerator

_FEW = 6
"""Characters that a LoRA is trained for, of every part of the cast."""


@dataclass(frozen=True, slots=True)
class ConditioningPlan:
    """What is measured.

    Attributes:
        parts: names of :data:`PARTS`, empty for all.
        learned: characters of styles that were learned.
        new: characters of styles that were not.
        lora_steps: steps of each LoRA.
        sentinel: pictures that its bounds are learned from; half as many are then decided on.
        guidance: small models of flat drawings saturate above 3; at 1 there is none, and so no
            negative prompt either.
    """

    parts: tuple[str, ...] = ()
    learned: int = 12
    new: int = 6
    lora_steps: int = 80
    sentinel: int = 60
    guidance: float = 2.0


def _trained(lab: Lab, cast: Sequence[Subject], plan: ConditioningPlan) -> list[Figure]:
    some = [one for one in cast if one.learned][:_FEW] + [x for x in cast if not x.learned][:_FEW]
    return learning.trained(lab, some, plan.lora_steps)


def _sentinel(lab: Lab, cast: Sequence[Subject], plan: ConditioningPlan) -> list[Figure]:
    return watching.sentinel(lab, cast, plan.sentinel, plan.sentinel // 2)


_Part = Callable[[Lab, Sequence[Subject], ConditioningPlan], list[Figure]]
PARTS: Mapping[str, _Part] = {
    "scale": lambda lab, cast, _: holding.scale(lab, cast),
    "references": lambda lab, cast, _: holding.references(lab, cast),
    "attention": lambda lab, cast, _: holding.attention(lab, cast),
    "negatives": lambda lab, cast, _: holding.negatives(lab, cast),
    "trained": _trained,
    "ladder": lambda lab, cast, _: climbing.ladder(lab, cast),
    "repair": lambda lab, cast, _: holding.repair(lab, cast),
    "pairs": lambda lab, cast, _: pairing.pairs(lab, cast),
    "sentinel": _sentinel,
}


def bench_conditioning(
    data: Path, plan: ConditioningPlan, json_file: Path | None = None, threads: int = 1
) -> int:
    """Measure, print, write; returns 0.

    Args:
        data: a folder of weights: ``model``, ``adapters`` and, if there, ``controls``.
        plan: what is measured.
        json_file: where the figures go, or None.
        threads: cores that draw, without a GPU.

    Raises:
        GeneratorUnavailable: a library or a part of the weights is missing.
        InvalidInput: the folder holds no weights, or a part is not known.
        SettingsError: what draws characters is not installed.
    """
    unknown = [name for name in plan.parts if name not in PARTS]
    if unknown:
        raise InvalidInput(f"There is no part “{unknown[0]}”. Choose of: {', '.join(PARTS)}.")
    weights = Weights.at(data)
    need_libraries()
    import torch

    torch.set_num_threads(threads)
    options = {
        "model": str(data / "model"),
        "adapters": str(data / "adapters"),
        "controls": str(data / "controls") if (data / "controls").is_dir() else "",
        "dtype": "auto" if torch.cuda.is_available() else "float32",
        "sampler": "euler",
        "steps": STEPS,
        "guidance": plan.guidance,
    }
    engine = DiffusersGenerator(options)
    lab = Lab(weights, load_encoders(DEFAULT_ENCODERS), engine, options, plan.guidance)
    cast = lab.troupe.subjects(plan.learned, plan.new)
    figures = [f for name in plan.parts or PARTS for f in PARTS[name](lab, cast, plan)]
    publish(figures, json_file)
    return 0
