"""``onmodel bench``: which figures there are, and with which options they are measured."""

import argparse
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from bot.cli_generator import add_bench_conditioning

if TYPE_CHECKING:
    Suites = argparse._SubParsersAction[argparse.ArgumentParser]


def add_bench(bench: argparse.ArgumentParser) -> None:
    """Add every suite; each imports its room when it is called."""
    suites = bench.add_subparsers(required=True, metavar="SUITE")
    _add_studio(suites)
    _add_check(suites)
    _add_registry(suites)
    _add_comics(suites)
    _add_engines(suites)


def _add_studio(suites: "Suites") -> None:
    queue = _suite(suites, "queue", "claims, fairness, waiting times, crashes", _bench_queue)
    queue.add_argument("--crashes", type=int, default=20, metavar="N")
    queue.add_argument(
        "--part", choices=("crashes", "claims", "turns", "times"), help="instead of all"
    )
    interactions = _suite(
        suites, "interactions", "how soon a full server is answered", _bench_interactions
    )
    interactions.add_argument("--members", type=int, default=200, metavar="N")
    interactions.add_argument("--requests", type=int, default=50, metavar="N")
    interactions.add_argument("--voters", type=int, default=30, metavar="N")
    interactions.add_argument("--repeats", type=int, default=10_000, metavar="N")
    taste = _suite(
        suites, "taste", "what is learned from votes, on simulated communities", _bench_taste
    )
    taste.add_argument("--communities", type=int, default=12, metavar="N")


def _add_check(suites: "Suites") -> None:
    identity = _suite(suites, "identity", "how well characters are told apart", _bench_identity)
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
    scales = _suite(
        suites, "scales", "what each segment should count, and how art strays", _bench_scales
    )
    scales.add_argument("--data", type=Path, required=True, metavar="DIR")
    scales.add_argument("--encoders", metavar="A,B", help="instead of the default ones")
    scales.add_argument("--split", action="append", default=[], metavar="NAME")
    quality = _suite(suites, "quality", "false flags and misses of the check", _bench_quality)
    quality.add_argument("--encoders", metavar="A,B", help="instead of the embedded ones")
    quality.add_argument(
        "--data", type=Path, metavar="DIR", help="a bench folder with test identities"
    )
    quality.add_argument(
        "--identities", type=int, default=0, metavar="N", help="of it at most so many; 0: all"
    )
    figures = _suite(
        suites, "figures", "whether figures are found in opaque panels", _bench_figures
    )
    figures.add_argument("--data", type=Path, required=True, metavar="DIR")
    figures.add_argument("--panels", type=int, default=150, metavar="N")
    poses = _suite(suites, "poses", "on which drawings poses are found", _bench_poses)
    poses.add_argument("--data", type=Path, required=True, metavar="DIR")


def _add_registry(suites: "Suites") -> None:
    retrieval = _suite(
        suites, "retrieval", "vector search and preflight, as ratios", _bench_retrieval
    )
    retrieval.add_argument("--vectors", type=int, default=100_000, metavar="N")
    hashes = _suite(
        suites, "hashes", "copies that are found and missed, and how fast", _bench_hashes
    )
    hashes.add_argument(
        "--data", type=Path, metavar="DIR", help="pictures; without it the demo's cast"
    )
    hashes.add_argument("--pictures", type=int, default=300, metavar="N", help="at most so many")
    registration = _suite(
        suites, "registration", "what one more reference costs", _bench_registration
    )
    registration.add_argument("--pictures", type=int, default=8, metavar="N")
    quests = _suite(suites, "quests", "whether asked-for pictures beat random ones", _bench_quests)
    quests.add_argument("--data", type=Path, required=True, metavar="DIR")
    quests.add_argument(
        "--identities", type=int, default=0, metavar="N", help="of a source at most so many; 0: all"
    )


def _add_comics(suites: "Suites") -> None:
    lettering = _suite(
        suites, "lettering", "random scripts, and what is wrong with them", _bench_lettering
    )
    lettering.add_argument("--scripts", type=int, default=1000, metavar="N")
    pages = _suite(suites, "pages", "layout, lettering and drawing: speed and memory", _bench_pages)
    pages.add_argument("--pages", type=int, default=60, metavar="N", help="that are timed")
    pages.add_argument("--book", type=int, default=200, metavar="N", help="pages of the books")


def _add_engines(suites: "Suites") -> None:
    generation = _suite(
        suites,
        "generation",
        "what the diffusers engine adds to diffusers' own call",
        _bench_generation,
    )
    generation.add_argument(
        "--size", choices=("tiny", "sdxl"), help="of the random model; without it what fits"
    )
    generation.add_argument("--rounds", type=int, default=30, metavar="N")
    generation.add_argument("--steps", type=int, default=20, metavar="N")
    add_bench_conditioning(suites)


def _suite(
    suites: "Suites",
    name: str,
    words: str,
    command: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    suite = suites.add_parser(name, help=words)
    suite.add_argument("--json", type=Path, metavar="FILE", dest="json_file")
    suite.set_defaults(command=command)
    return suite


# --- commands -------------------------------------------------------------------------------------


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


def _bench_taste(arguments: argparse.Namespace) -> int:
    from bot.bench.taste import bench_taste

    return bench_taste(arguments.communities, arguments.json_file)


def _bench_figures(arguments: argparse.Namespace) -> int:
    from bot.bench.finding import bench_finding

    return bench_finding(arguments.data, arguments.json_file, panels=arguments.panels)
