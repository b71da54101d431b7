"""What a training run says about itself."""
# pyright: reportMissingImports=false

import json
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from pipeline.training.catalog import Drawing
from pipeline.training.dicebear import STYLES
from pipeline.training.run import Run, TrainingPlan
from pipeline.training.sampling import GeneratedSource, Source


def training_report(
    run: Run,
    plan: TrainingPlan,
    drawings: Sequence[Drawing],
    sources: Sequence[Source],
    weights: Path | None,
) -> dict[str, Any]:
    """Plan, data with licences, examinations, machine; ready for JSON."""
    made = [one for one in sources if isinstance(one, GeneratedSource)]
    names = sorted({one.source for one in drawings})
    return {
        "plan": asdict(plan),
        "started_from": "nothing" if weights is None else weights.name,
        "steps": run.step,
        "seconds": round(run.seconds),
        "best": run.best,
        "examinations": run.history,
        "drawn": {
            name: {
                "identities": len({d.identity for d in drawings if d.source == name}),
                "drawings": sum(d.source == name for d in drawings),
                "licence": next(d.licence for d in drawings if d.source == name),
            }
            for name in names
        },
        "generated": {
            one.style: {
                "identities": 4 * one.drawn,
                "licence": STYLES[one.style],
            }
            for one in made
        },
        "machine": {"processor": platform.processor() or platform.machine(),
                    "threads": torch.get_num_threads(), "torch": torch.__version__},
    }  # fmt: skip


def write_training_report(report: dict[str, Any], path: Path) -> None:
    """Write a report as JSON."""
    path.write_text(json.dumps(report, indent=2) + "\n", encoding="utf-8")
