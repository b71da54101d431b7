"""A training run as it stands, and how it is kept and taken up again."""
# pyright: reportMissingImports=false

from dataclasses import asdict, dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from pipeline.domain.errors import InvalidInput
from pipeline.training.network import IdentityNet


@dataclass(frozen=True, slots=True)
class TrainingPlan:
    """What a run does; with the same plan and data it does the same again.

    Attributes:
        steps: optimiser steps.
        seed: of sampling, drawing and augmentation.
        side: pixels of a view, a multiple of 32.
        frozen: how many of the trunk's 16 blocks keep their weights.
        rate: the peak learning rate of the trunk; the projection's is four times that.
        generated: share of batches of drawn-on-the-fly characters; 0 without the packages.
        every: steps between two examinations.
        start_batches: batches for the starting projection, 0 for a random one.
        minutes: stop after so long, 0 for no limit.
    """

    steps: int = 900
    seed: int = 20
    side: int = 160
    frozen: int = 3
    rate: float = 1.2e-4
    generated: float = 0.5
    every: int = 100
    start_batches: int = 80
    minutes: float = 0.0


@dataclass(slots=True)
class Run:
    """A run as it stands: what a checkpoint holds."""

    network: IdentityNet
    average: IdentityNet
    optimiser: torch.optim.Optimizer
    step: int = 0
    seconds: float = 0.0
    best: float = -1.0
    best_state: dict[str, Tensor] = field(default_factory=dict)
    history: list[dict[str, float]] = field(default_factory=list)


def save_run(run: Run, path: Path, plan: TrainingPlan) -> None:
    """Write a checkpoint; a stop in the middle leaves the older one whole."""
    partial = path.with_name(f"{path.name}.part")
    torch.save(
        {
            "plan": asdict(plan),
            "network": run.network.state_dict(),
            "average": run.average.state_dict(),
            "optimiser": run.optimiser.state_dict(),
            "best_state": run.best_state,
            "best": run.best,
            "step": run.step,
            "seconds": run.seconds,
            "history": run.history,
        },
        partial,
    )
    partial.replace(path)


def resume_run(run: Run, path: Path, plan: TrainingPlan) -> None:
    """Take up the run of a checkpoint.

    Raises:
        InvalidInput: it was made with another seed, side or frozen trunk.
    """
    kept = torch.load(path, weights_only=True)
    changed = [k for k in ("seed", "side", "frozen") if kept["plan"][k] != asdict(plan)[k]]
    if changed:
        raise InvalidInput(
            f"{path} is of a run with another {changed[0]}. Name another file, or delete it."
        )
    run.network.load_state_dict(kept["network"])
    run.average.load_state_dict(kept["average"])
    run.optimiser.load_state_dict(kept["optimiser"])
    run.best_state, run.best = kept["best_state"], kept["best"]
    run.step, run.seconds, run.history = kept["step"], kept["seconds"], kept["history"]


def best_network(path: Path) -> IdentityNet:
    """The network of a checkpoint's best examination."""
    kept = torch.load(path, weights_only=True)
    network = IdentityNet()
    network.load_state_dict(kept["best_state"])
    return network.eval()
