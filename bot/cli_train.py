"""``onmodel train``: our own models."""

import argparse
import sys
from pathlib import Path

from bot.cli_generator import add_train_generator
from pipeline.domain.errors import SettingsError


def add_train(train: argparse.ArgumentParser) -> None:
    """Add every model; each imports its room when it is called."""
    models = train.add_subparsers(required=True, metavar="MODEL")
    identity = models.add_parser("identity", help="the encoder that tells characters apart")
    identity.add_argument("--data", type=Path, required=True, metavar="DIR")
    identity.add_argument("--out", type=Path, required=True, metavar="FILE")
    identity.add_argument("--steps", type=int, metavar="N")
    identity.add_argument("--minutes", type=float, metavar="M", help="stop after so long")
    identity.add_argument("--seed", type=int, metavar="N")
    identity.add_argument("--side", type=int, metavar="PIXELS")
    identity.add_argument("--generated", type=float, metavar="SHARE")
    identity.add_argument("--threads", type=int, default=1, metavar="N")
    identity.set_defaults(command=_train_identity)
    figures = models.add_parser("figures", help="the detector that finds figures in panels")
    figures.add_argument("--data", type=Path, required=True, metavar="DIR")
    figures.add_argument("--out", type=Path, required=True, metavar="FILE")
    figures.add_argument("--steps", type=int, metavar="N")
    figures.add_argument("--seed", type=int, metavar="N")
    figures.set_defaults(command=_train_figures)
    add_train_generator(models.add_parser("generator", help="the house generator"))
    drift = models.add_parser("attribution", help="the model that says what drifted")
    drift.add_argument("--out", type=Path, required=True, metavar="FILE")
    drift.add_argument("--cases", type=int, metavar="N", help="characters of each style")
    drift.add_argument("--seed", metavar="WORD")
    drift.set_defaults(command=_train_attribution)


def _train_identity(arguments: argparse.Namespace) -> int:
    try:
        from pipeline.training.identity import TrainingPlan, train_to_file
    except ImportError as error:
        raise SettingsError(
            f"Training needs {error.name}, which is not installed. Install the extra “train”."
        ) from error

    names = ("steps", "minutes", "seed", "side", "generated")
    asked = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    report = train_to_file(
        arguments.data,
        arguments.out,
        TrainingPlan(**asked),
        threads=arguments.threads,
        tell=lambda line: print(line, file=sys.stderr),
    )
    print(f"{arguments.out}: {report['bytes'] / 1e6:.1f} MB, score {report['best']:.3f}")
    return 0


def _train_figures(arguments: argparse.Namespace) -> int:
    from pipeline.training.figures import Plan, train_figures

    asked = {
        name: value for name in ("steps", "seed") if (value := getattr(arguments, name)) is not None
    }
    try:
        done = train_figures(
            arguments.data,
            arguments.out,
            Plan(**asked),
            lambda line: print(line, file=sys.stderr),
        )
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"Training needs {error.name}, which is not installed. Install the extra “train”."
        ) from error
    print(f"{done.file}: {done.parameters} weights, sha256 {done.sha256}, {done.seconds:.0f} s")
    return 0


def _train_attribution(arguments: argparse.Namespace) -> int:
    from pipeline.training.attribution import Plan, train_to_file

    asked = {k: v for k in ("cases", "seed") if (v := getattr(arguments, k)) is not None}
    try:
        done = train_to_file(
            arguments.out, Plan(**asked), lambda line: print(line, file=sys.stderr)
        )
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"Training needs {error.name}, which is not installed. Install the extra “train”."
        ) from error
    print(f"{arguments.out}: {done.trees} trees of {done.pictures} pictures, sha256 {done.sha256}")
    return 0
