"""The command line. Light to import: every command loads what it needs when it runs."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bot.cli_cast import add_actions
from bot.cli_generator import add_bench_conditioning, add_train_generator
from bot.cli_guild import add_guild
from bot.cli_queue import add_queue
from pipeline.domain.errors import InvalidInput, NotFound, OnModelError, SettingsError

EXIT_OK = 0
EXIT_BAD_INPUT = 2
EXIT_OFF_MODEL = 3
EXIT_CANNOT_JUDGE = 4
EXIT_BAD_SETTINGS = 78
_SHOTS = ("headshot", "half", "full", "dynamic")
_VERDICT_CODES = {
    "on_model": EXIT_OK,
    "off_model": EXIT_OFF_MODEL,
    "cannot_judge": EXIT_CANNOT_JUDGE,
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status (see ``onmodel --help``)."""
    arguments = _parser().parse_args(argv)
    command: Callable[[argparse.Namespace], int] = arguments.command
    try:
        return command(arguments)
    except SettingsError as error:
        print(f"onmodel: {error}", file=sys.stderr)
        return EXIT_BAD_SETTINGS
    except (InvalidInput, NotFound) as error:
        print(f"onmodel: {error}", file=sys.stderr)
        return EXIT_BAD_INPUT
    except OnModelError as error:
        print(f"onmodel: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def program_version() -> str:
    """The installed version, or ``dev`` in a checkout that was not installed."""
    try:
        return version("onmodel")
    except PackageNotFoundError:
        return "dev"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="onmodel", description="A Discord studio for comics whose characters stay on-model."
    )
    parser.add_argument("--version", action="version", version=program_version())
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    run = commands.add_parser("run", help="start the Discord bot with its queue and worker")
    run.set_defaults(command=_run)

    demo = commands.add_parser("demo", help="a whole production without Discord")
    demo.add_argument("--out", type=Path, default=Path("demo-out"), metavar="DIR")
    demo.set_defaults(command=_demo)

    doctor = commands.add_parser("doctor", help="check this machine and say how to mend it")
    doctor.add_argument("--json", action="store_true", dest="as_json")
    doctor.set_defaults(command=_doctor)

    check = commands.add_parser("check", help="check one picture against the registry")
    check.add_argument("image", type=Path)
    check.add_argument("--character", required=True, metavar="ID")
    check.add_argument("--appearance", metavar="ID")
    check.add_argument("--shot-type", choices=_SHOTS)
    check.add_argument(
        "--box",
        metavar="L,T,R,B",
        help="where the figure is, in pixels or percent, such as 10%%,5%%,60%%,95%%",
    )
    check.add_argument("--json", action="store_true", dest="as_json")
    check.set_defaults(command=_check)
    _add_guild(check)

    clip = commands.add_parser("check-video", help="check a clip against the registry")
    clip.add_argument("clip", type=Path)
    clip.add_argument("--character", required=True, metavar="ID")
    clip.add_argument("--appearance", metavar="ID")
    clip.add_argument("--json", action="store_true", dest="as_json")
    clip.set_defaults(command=_check_clip)
    _add_guild(clip)

    identify = commands.add_parser("identify", help="say who is drawn in a picture, or nobody")
    identify.add_argument("image", type=Path)
    identify.add_argument("--json", action="store_true", dest="as_json")
    identify.set_defaults(command=_identify)
    _add_guild(identify)

    reindex = commands.add_parser(
        "reindex", help="index references anew whose encoders are not those of the settings"
    )
    reindex.set_defaults(command=_reindex)

    _add_cast(commands.add_parser("cast", help="the registry from a shell"))
    add_guild(commands.add_parser("guild", help="everything of a server: export, import, erase"))
    add_queue(commands.add_parser("queue", help="let no panel begin for a while: pause, resume"))
    _add_bench(commands.add_parser("bench", help="print measured figures"))
    _add_train(commands.add_parser("train", help="train our own models"))
    return parser


def _add_cast(cast: argparse.ArgumentParser) -> None:
    actions = cast.add_subparsers(required=True, metavar="ACTION")
    register = actions.add_parser("register", help="add a character, or references to one")
    register.add_argument("name")
    register.add_argument("images", type=Path, nargs="+", metavar="IMAGE")
    register.add_argument("--appearance", metavar="A")
    register.add_argument("--shot-type", choices=_SHOTS)
    register.set_defaults(command=_cast_register)
    listing = actions.add_parser("list", help="list the cast")
    listing.add_argument("--json", action="store_true", dest="as_json")
    listing.set_defaults(command=_cast_list)
    sheet = actions.add_parser("sheet", help="write a model sheet")
    sheet.add_argument("id")
    sheet.add_argument("--appearance", metavar="A")
    sheet.add_argument("--out", type=Path, required=True, metavar="PNG|PDF")
    sheet.set_defaults(command=_cast_sheet)
    for action in (*add_actions(actions), register, listing, sheet):
        _add_guild(action)


def _add_guild(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--guild",
        type=int,
        metavar="ID",
        help="the guild's id; without it ONMODEL_GUILD_ID, else the shell's own registry",
    )


def _add_bench(bench: argparse.ArgumentParser) -> None:
    suites = bench.add_subparsers(required=True, metavar="SUITE")
    queue = suites.add_parser("queue", help="claims, fairness, waiting times, crashes")
    queue.add_argument("--crashes", type=int, default=20, metavar="N")
    queue.add_argument(
        "--part", choices=("crashes", "claims", "turns", "times"), help="instead of all"
    )
    queue.set_defaults(command=_bench_queue)
    identity = suites.add_parser("identity", help="how well characters are told apart")
    identity.add_argument("--data", type=Path, required=True, metavar="DIR")
    identity.add_argument(
        "--encoder",
        action="append",
        default=[],
        metavar="NAME",
        help="a sum such as palette*0.65+structure*0.35; the first is reported, more are rivals",
    )
    identity.add_argument("--rivals", metavar="A,B", help="instead of phash, lab and lite0")
    identity.add_argument("--part", choices=("pairs", "open-set"), help="instead of both")
    identity.add_argument("--split", action="append", default=[], metavar="NAME")
    identity.add_argument("--crop", choices=("head", "figure"), default="head")
    identity.add_argument("--per-identity", type=int, default=8, metavar="N")
    identity.add_argument("--json", type=Path, metavar="FILE", dest="json_file")
    identity.set_defaults(command=_bench_identity)
    scales = suites.add_parser("scales", help="what each segment should count, and how art strays")
    scales.add_argument("--data", type=Path, required=True, metavar="DIR")
    scales.add_argument("--encoders", metavar="A,B", help="instead of the default ones")
    scales.add_argument("--split", action="append", default=[], metavar="NAME")
    scales.set_defaults(command=_bench_scales)
    figures = suites.add_parser("figures", help="whether figures are found in opaque panels")
    figures.add_argument("--data", type=Path, required=True, metavar="DIR")
    figures.add_argument("--panels", type=int, default=150, metavar="N")
    figures.set_defaults(command=_bench_figures)
    poses = suites.add_parser("poses", help="on which drawings poses are found")
    poses.add_argument("--data", type=Path, required=True, metavar="DIR")
    poses.set_defaults(command=_bench_poses)
    retrieval = suites.add_parser("retrieval", help="vector search and preflight, as ratios")
    retrieval.add_argument("--vectors", type=int, default=100_000, metavar="N")
    retrieval.set_defaults(command=_bench_retrieval)
    hashes = suites.add_parser("hashes", help="copies that are found and missed, and how fast")
    hashes.add_argument(
        "--data", type=Path, metavar="DIR", help="pictures; without it the demo's cast"
    )
    hashes.add_argument("--pictures", type=int, default=300, metavar="N", help="at most so many")
    hashes.set_defaults(command=_bench_hashes)
    lettering, pages = _add_comics_bench(suites)
    generation = suites.add_parser(
        "generation", help="what the diffusers engine adds to diffusers' own call"
    )
    generation.add_argument(
        "--size", choices=("tiny", "sdxl"), help="of the random model; without it what fits"
    )
    generation.add_argument("--rounds", type=int, default=30, metavar="N")
    generation.add_argument("--steps", type=int, default=20, metavar="N")
    generation.set_defaults(command=_bench_generation)
    add_bench_conditioning(suites)
    registration = suites.add_parser("registration", help="what one more reference costs")
    registration.add_argument("--pictures", type=int, default=8, metavar="N")
    registration.set_defaults(command=_bench_registration)
    quality = suites.add_parser("quality", help="false flags and misses of the check")
    quality.add_argument("--encoders", metavar="A,B", help="instead of the embedded ones")
    quality.add_argument(
        "--data", type=Path, metavar="DIR", help="a bench folder with test identities"
    )
    quality.add_argument(
        "--identities", type=int, default=0, metavar="N", help="of it at most so many; 0: all"
    )
    quality.set_defaults(command=_bench_quality)
    for suite in (
        queue,
        _add_interactions_bench(suites),
        _add_taste_bench(suites),
        scales,
        registration,
        figures,
        poses,
        quality,
        retrieval,
        hashes,
        _add_quests_bench(suites),
        lettering,
        pages,
        generation,
    ):
        suite.add_argument("--json", type=Path, metavar="FILE", dest="json_file")


def _add_interactions_bench(
    suites: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> argparse.ArgumentParser:
    interactions = suites.add_parser("interactions", help="how soon a full server is answered")
    interactions.add_argument("--members", type=int, default=200, metavar="N")
    interactions.add_argument("--requests", type=int, default=50, metavar="N")
    interactions.add_argument("--voters", type=int, default=30, metavar="N")
    interactions.add_argument("--repeats", type=int, default=10_000, metavar="N")
    interactions.set_defaults(command=_bench_interactions)
    return interactions


def _add_taste_bench(
    suites: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> argparse.ArgumentParser:
    taste = suites.add_parser("taste", help="what is learned from votes, on simulated communities")
    taste.add_argument("--communities", type=int, default=12, metavar="N")
    taste.set_defaults(command=_bench_taste)
    return taste


def _add_quests_bench(
    suites: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> argparse.ArgumentParser:
    quests = suites.add_parser("quests", help="whether asked-for pictures beat random ones")
    quests.add_argument("--data", type=Path, required=True, metavar="DIR")
    quests.add_argument(
        "--identities", type=int, default=0, metavar="N", help="of a source at most so many; 0: all"
    )
    quests.set_defaults(command=_bench_quests)
    return quests


def _add_comics_bench(
    suites: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    lettering = suites.add_parser("lettering", help="random scripts, and what is wrong with them")
    lettering.add_argument("--scripts", type=int, default=1000, metavar="N")
    lettering.set_defaults(command=_bench_lettering)
    pages = suites.add_parser("pages", help="layout, lettering and drawing: speed and memory")
    pages.add_argument("--pages", type=int, default=60, metavar="N", help="that are timed")
    pages.add_argument("--book", type=int, default=200, metavar="N", help="pages of the books")
    pages.set_defaults(command=_bench_pages)
    return lettering, pages


def _add_train(train: argparse.ArgumentParser) -> None:
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


# --- commands: each imports its room when it is called ----------------------------------------


def _run(_: argparse.Namespace) -> int:
    from bot.serve import run_bot

    return run_bot()


def _demo(arguments: argparse.Namespace) -> int:
    from bot.demo.production import run_demo

    return run_demo(arguments.out)


def _doctor(arguments: argparse.Namespace) -> int:
    from bot.doctor import diagnose, print_report

    report = diagnose()
    if arguments.as_json:
        print(json.dumps(report.as_dict(), indent=2))
    else:
        print_report(report)
    return EXIT_OK if report.usable else 1


def _check(arguments: argparse.Namespace) -> int:
    from bot.shell import check_picture

    result = asyncio.run(check_picture(arguments))
    if arguments.as_json:
        print(json.dumps(result, indent=2))
    else:
        print(f"{result['verdict']}: {result['reason']}")
    return _VERDICT_CODES[result["verdict"]]


def _check_clip(arguments: argparse.Namespace) -> int:
    from bot.shell import check_clip

    result = asyncio.run(check_clip(arguments))
    print(json.dumps(result, indent=2) if arguments.as_json else result["sentence"])
    return _VERDICT_CODES[result["verdict"]]


def _identify(arguments: argparse.Namespace) -> int:
    from bot.shell import identify_picture

    result = asyncio.run(identify_picture(arguments))
    print(json.dumps(result, indent=2) if arguments.as_json else result["sentence"])
    codes = {"known": EXIT_OK, "nobody": EXIT_OFF_MODEL, "cannot_say": EXIT_CANNOT_JUDGE}
    return codes[result["answer"]]


def _reindex(arguments: argparse.Namespace) -> int:
    from bot.shell import reindex

    return _say(reindex, arguments)


def _cast_register(arguments: argparse.Namespace) -> int:
    from bot.shell import register

    return _say(register, arguments)


def _cast_list(arguments: argparse.Namespace) -> int:
    from bot.shell import list_cast

    return _say(list_cast, arguments)


def _cast_sheet(arguments: argparse.Namespace) -> int:
    from bot.shell import write_sheet

    return _say(write_sheet, arguments)


def _say(
    work: Callable[[argparse.Namespace], Awaitable[str]], arguments: argparse.Namespace
) -> int:
    async def run() -> str:
        return await work(arguments)

    print(asyncio.run(run()))
    return EXIT_OK


def _bench_queue(arguments: argparse.Namespace) -> int:
    from bot.bench.queue import bench_queue

    return bench_queue(arguments.crashes, arguments.json_file, part=arguments.part)


def _bench_interactions(arguments: argparse.Namespace) -> int:
    from bot.bench.interactions import InteractionPlan, bench_interactions

    plan = InteractionPlan(
        arguments.members, arguments.requests, arguments.voters, arguments.repeats
    )
    return bench_interactions(plan, arguments.json_file)


def _bench_retrieval(arguments: argparse.Namespace) -> int:
    from bot.bench.retrieval import bench_retrieval

    return bench_retrieval(arguments.vectors, arguments.json_file)


def _bench_poses(arguments: argparse.Namespace) -> int:
    from bot.bench.poses import bench_poses

    return bench_poses(arguments.data, arguments.json_file)


def _bench_hashes(arguments: argparse.Namespace) -> int:
    from bot.bench.hashes import bench_hashes

    return bench_hashes(arguments.data, arguments.pictures, arguments.json_file)


def _bench_quests(arguments: argparse.Namespace) -> int:
    from bot.bench.quests import bench_quests

    return bench_quests(arguments.data, arguments.identities, arguments.json_file)


def _bench_registration(arguments: argparse.Namespace) -> int:
    from bot.bench.registration import bench_registration

    return bench_registration(arguments.pictures, arguments.json_file)


def _bench_quality(arguments: argparse.Namespace) -> int:
    from bot.bench.quality import bench_quality

    return bench_quality(
        arguments.json_file, arguments.encoders, arguments.data, arguments.identities
    )


def _bench_generation(arguments: argparse.Namespace) -> int:
    from bot.bench.generation import GenerationPlan, bench_generation

    plan = GenerationPlan(arguments.size, arguments.rounds, arguments.steps)
    return bench_generation(plan, arguments.json_file)


def _bench_identity(arguments: argparse.Namespace) -> int:
    from bot.bench.identity import BenchPlan, bench_identity
    from pipeline.domain.fingerprint import CropClass

    plan = BenchPlan(
        encoders=tuple(arguments.encoder),
        splits=tuple(arguments.split) or BenchPlan().splits,
        crop=CropClass(arguments.crop),
        per_identity=arguments.per_identity,
        parts=(arguments.part,) if arguments.part else BenchPlan().parts,
        rivals=None if arguments.rivals is None else tuple(arguments.rivals.split(",")),
    )
    return bench_identity(arguments.data, plan, arguments.json_file)


def _bench_scales(arguments: argparse.Namespace) -> int:
    from bot.bench.scales import ScalesPlan, bench_scales

    plan = ScalesPlan()
    if arguments.encoders:
        plan = replace(plan, encoders=tuple(arguments.encoders.split(",")))
    if arguments.split:
        plan = replace(plan, splits=tuple(arguments.split))
    return bench_scales(arguments.data, plan, arguments.json_file)


def _bench_pages(arguments: argparse.Namespace) -> int:
    from bot.bench.pages import bench_pages

    return bench_pages(arguments.pages, arguments.book, arguments.json_file)


def _bench_lettering(arguments: argparse.Namespace) -> int:
    from bot.bench.lettering import bench_lettering

    return bench_lettering(arguments.scripts, arguments.json_file)


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
    return EXIT_OK


def _bench_taste(arguments: argparse.Namespace) -> int:
    from bot.bench.taste import bench_taste

    return bench_taste(arguments.communities, arguments.json_file)


def _bench_figures(arguments: argparse.Namespace) -> int:
    from bot.bench.finding import bench_finding

    return bench_finding(arguments.data, arguments.json_file, panels=arguments.panels)


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
    return EXIT_OK


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
    return EXIT_OK
