"""The command line. Light to import: every command loads what it needs when it runs."""

import argparse
import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from bot.cli_bench import add_bench
from bot.cli_cast import add_actions
from bot.cli_guild import add_guild
from bot.cli_queue import add_queue
from bot.cli_train import add_train
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
    add_bench(commands.add_parser("bench", help="print measured figures"))
    add_train(commands.add_parser("train", help="train our own models"))
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
