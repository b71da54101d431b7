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
    "scale", "references", "attention", "negatives", "trained", "ladder", "repair", "pairs",
    "sentinel",
)  # fmt: skip
"""What the bench of conditioning measures, each part by itself."""


def add_train_generator(train: argparse.ArgumentParser) -> None:
    """Add the arguments of ``onmodel train generator``."""
    train.add_argument("--size", choices=("toy", "cpu", "gpu"), required=True)
    train.add_argument("--out", type=Path, required=True, metavar="DIR")
    train.add_argument("--seed", type=int, metavar="N")
    train.add_argument("--side", type=int, metavar="PIXELS", help="of a square picture")
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


def add_bench_conditioning(
    suites: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> None:
    """Add ``onmodel bench conditioning``."""
    bench = suites.add_parser("conditioning", help="what each way to hold a character is worth")
    bench.add_argument("--data", type=Path, required=True, metavar="DIR", help="with the weights")
    bench.add_argument(
        "--part", action="append", default=[], choices=PARTS, help="instead of all; repeatable"
    )
    bench.add_argument("--learned", type=int, metavar="N", help="characters of learned styles")
    bench.add_argument("--new", type=int, metavar="N", help="characters of styles that are new")
    bench.add_argument("--lora-steps", type=int, metavar="N", help="of each LoRA")
    bench.add_argument("--sentinel", type=int, metavar="N", help="pictures to learn bounds from")
    bench.add_argument("--guidance", type=float, metavar="G", help="1 or more, 2 by itself")
    bench.add_argument("--threads", type=int, default=1, metavar="N", help="without a GPU")
    bench.add_argument("--json", type=Path, metavar="FILE", dest="json_file")
    bench.set_defaults(command=_bench)


def _bench(arguments: argparse.Namespace) -> int:
    from bot.bench.conditioning.bench import ConditioningPlan, bench_conditioning

    names = ("learned", "new", "lora_steps", "sentinel", "guidance")
    asked = {name: value for name in names if (value := getattr(arguments, name)) is not None}
    if any(value < 0 for value in asked.values()) or not any(asked.get(n, 1) for n in names[:2]):
        raise InvalidInput("Numbers are 0 or more, and somebody has to be drawn.")
    plan = ConditioningPlan(parts=tuple(arguments.part), **asked)
    return bench_conditioning(arguments.data, plan, arguments.json_file, arguments.threads)


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
    print(
        f"{arguments.out}: {done.bytes / 1e6:.1f} MB in {done.seconds:.0f} s; error at high "
        f"noise {done.explained.own:.4f} with the own reference, {done.explained.other:.4f} with "
        f"another's; the own one explains {done.explained.share:.0%} of pictures better"
    )
    return 0


def _tell(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def _plan(arguments: argparse.Namespace) -> "GeneratorPlan":
    from pipeline.training.generator.cast import HELD_OUT_FROM, STYLES
    from pipeline.training.generator.plan import plan_of, within

    plan = plan_of(arguments.size)
    limits = {
        "seed": (0, 1_000_000), "side": (32, 256), "styles": (1, len(STYLES)),
        "identities": (4, HELD_OUT_FROM - 1),
    }  # fmt: skip
    for name, (least, most) in limits.items():
        if (value := getattr(arguments, name)) is None:
            continue
        if not least <= value <= most or (name == "side" and value % 32):
            step = ", a multiple of 32" if name == "side" else ""
            raise InvalidInput(f"--{name} is a number from {least} to {most}{step}.")
        plan = replace(plan, **{name: value})
    if arguments.minutes is not None:
        if arguments.minutes <= 0:
            raise InvalidInput("--minutes is a number above 0.")
        plan = within(plan, arguments.minutes)
    return plan
