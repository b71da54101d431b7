"""``onmodel cast coverage · export · import``: arguments and commands."""

import argparse
import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path


def add_actions(
    actions: "argparse._SubParsersAction[argparse.ArgumentParser]",
) -> tuple[argparse.ArgumentParser, ...]:
    """Add the actions to ``onmodel cast``; returns their parsers."""
    coverage = actions.add_parser("coverage", help="say what references show and what is missing")
    coverage.add_argument("id")
    coverage.add_argument("--out", type=Path, metavar="PNG", help="write the heat map")
    coverage.add_argument("--json", action="store_true", dest="as_json")
    coverage.set_defaults(command=_coverage)
    export = actions.add_parser("export", help="write a character package")
    export.add_argument("id")
    export.add_argument("--out", type=Path, metavar="FILE", help="else ID.onmodel")
    export.set_defaults(command=_export)
    take = actions.add_parser("import", help="add a character from a package")
    take.add_argument("file", type=Path)
    take.add_argument("--name", metavar="NAME", help="another name for the character here")
    take.set_defaults(command=_import)
    return coverage, export, take


def _coverage(arguments: argparse.Namespace) -> int:
    from bot.shell_cast import show_coverage

    return _say(show_coverage, arguments)


def _export(arguments: argparse.Namespace) -> int:
    from bot.shell_cast import export_character

    return _say(export_character, arguments)


def _import(arguments: argparse.Namespace) -> int:
    from bot.shell_cast import import_character

    return _say(import_character, arguments)


def _say(
    work: Callable[[argparse.Namespace], Awaitable[str]], arguments: argparse.Namespace
) -> int:
    async def run() -> str:
        return await work(arguments)

    print(asyncio.run(run()))
    return 0
