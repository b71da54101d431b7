"""``onmodel train generator`` and ``onmodel bench conditioning``: arguments and commands."""

import argparse
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.domain.errors import InvalidInput, SettingsError

if TYPE_CHECKING:
    from pipeline.training.generator.plan import GeneratorPlan

PARTS = (
    "follow", "scale", "references", "attention", "negatives", "trained", "ladder", "repair",
    "stiffness", "pairs", "sentinel",
)  # fmt: skip
"""What the bench of conditioning measures, each part by itself."""


def add_train_generator(train: argparse.ArgumentParser) -> None:
    """Add the arguments of ``onmodel train generator``."""
    train.add_argument("--size", choices=("toy", "cpu", "gpu"), required=True)
    train.add_argument("--out", type=Path, required=True, metavar="DIR")
    train.add_argument("--seed", type=int, metavar="N")
    train.add_argument("--styles", type=int, metavar="N", help="learn only the first so many")
    train.add_argument("--identities", type=int, metavar="N", help="of each style")
    train.add_argument(
        "--minutes", type=float, metavar="M", help="in all; stages share them as the plan does"
    )
    train.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="that draw the cast"
    )
    train.add_argument("--threads", type=int, default=2, metavar="N", help="without a GPU")
    train.set_defaults(command=_train)


def _train(arguments: argparse.Namespace) -> int:
    plan = _plan(arguments)
    try:
        from pipeline.training.generator.train import train_generator

        done = train_generator(
            arguments.out,
            plan,
            workers=arguments.workers,
            threads=arguments.threads,
            tell=_tell,
        )
    except ModuleNotFoundError as error:
        raise SettingsError(
            f"Training needs {error.name}, which is not installed. Install the extras “train” "
            "and “gpu”."
        ) from error
    print(  # noqa: T201 - the command's output
        f"{arguments.out}: {done.bytes / 1e6:.1f} MB in {done.seconds:.0f} s; error at high "
        f"noise {done.own:.4f} with the own reference, {done.other:.4f} with another's"
    )
    return 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201 - progress, apart from the output


def _plan(arguments: argparse.Namespace) -> "GeneratorPlan":
    from pipeline.training.generator.plan import plan_of, within

    plan = plan_of(arguments.size)
    for name, least in (("seed", 0), ("styles", 1), ("identities", 4)):
        if (value := getattr(arguments, name)) is None:
            continue
        most = plan.styles if name == "styles" else 1_000_000 - 1
        if not least <= value <= most:
            raise InvalidInput(f"--{name} is a number from {least} to {most}.")
        plan = replace(plan, **{name: value})
    if arguments.minutes is not None:
        if arguments.minutes <= 0:
            raise InvalidInput("--minutes is a number above 0.")
        plan = within(plan, arguments.minutes)
    return plan
