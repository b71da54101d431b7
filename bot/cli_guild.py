"""``onmodel guild export · import · erase``: arguments and commands."""

import argparse
import asyncio
import sys
from pathlib import Path

_LARGEST_PASSPHRASE = 4096


def add_guild(guild: argparse.ArgumentParser) -> None:
    """Add the actions to ``onmodel guild``."""
    actions = guild.add_subparsers(required=True, metavar="ACTION")
    export = actions.add_parser("export", help="write everything of a server into one file")
    export.add_argument("id", type=int, metavar="GUILD")
    export.add_argument("--out", type=Path, required=True, metavar="FILE")
    export.set_defaults(command=_export)
    take = actions.add_parser("import", help="add a server from such a file")
    take.add_argument("file", type=Path)
    take.set_defaults(command=_import)
    for action in (export, take):
        action.add_argument(
            "--passphrase-file",
            type=Path,
            metavar="FILE",
            help="its first line seals the export; without it the export can be read by anybody",
        )
    erase = actions.add_parser("erase", help="erase everything of a server, for good")
    erase.add_argument("id", type=int, metavar="GUILD")
    erase.add_argument("--yes", action="store_true", help="do it; without it only say what goes")
    erase.set_defaults(command=_erase)


def _export(arguments: argparse.Namespace) -> int:
    from bot.shell_guild import export_guild

    return _say(asyncio.run(export_guild(arguments.id, arguments.out, _passphrase(arguments))))


def _import(arguments: argparse.Namespace) -> int:
    from bot.shell_guild import import_guild

    return _say(asyncio.run(import_guild(arguments.file, _passphrase(arguments))))


def _erase(arguments: argparse.Namespace) -> int:
    from bot.shell_guild import erase_guild

    if not arguments.yes:
        sys.stderr.write(
            f"onmodel: this erases rows, pictures, vectors and the key of server {arguments.id}, "
            "and all backups of the database. Stop the bot first, then say --yes.\n"
        )
        return 2
    return _say(asyncio.run(erase_guild(arguments.id)))


def _passphrase(arguments: argparse.Namespace) -> str | None:
    if arguments.passphrase_file is None:
        return None
    from bot.shell import read_file

    text = read_file(arguments.passphrase_file, _LARGEST_PASSPHRASE).decode("utf-8", "replace")
    return (text.splitlines() or [""])[0]


def _say(words: str) -> int:
    print(words)
    return 0
