"""``onmodel queue pause · resume``: whoever runs the bot lets nothing begin, in any server."""

import argparse
import asyncio
import sys

_LONGEST = 200


def add_queue(queue: argparse.ArgumentParser) -> None:
    """Add the actions to ``onmodel queue``."""
    actions = queue.add_subparsers(required=True, metavar="ACTION")
    pause = actions.add_parser("pause", help="let no panel begin; what is being drawn is finished")
    pause.add_argument("--reason", default="", help="what people read in /queue show")
    pause.set_defaults(command=_pause)
    resume = actions.add_parser("resume", help="let panels begin again")
    resume.set_defaults(command=_resume)


def _pause(arguments: argparse.Namespace) -> int:
    reason = " ".join(arguments.reason.split())
    if len(reason) > _LONGEST:
        sys.stderr.write(f"onmodel: give a reason of at most {_LONGEST} characters.\n")
        return 2
    asyncio.run(_write(reason))
    return _say("No panel begins until onmodel queue resume. What waits is kept, also by restarts.")


def _resume(_: argparse.Namespace) -> int:
    paused = asyncio.run(_write(None))
    return _say("Panels begin again." if paused else "Nothing was paused.")


async def _write(reason: str | None) -> bool:
    """Pause for a reason, or (None) resume; whether anything was paused."""
    from bot.app import DATABASE_NAME
    from bot.settings import load_settings
    from storage import steering
    from storage.database import open_database

    folder = load_settings().data_dir
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    async with open_database(folder / DATABASE_NAME) as db:
        if reason is None:
            return await db.write(steering.resume_host)
        await db.write(lambda tx: steering.pause_host(tx, reason))
        return True


def _say(words: str) -> int:
    sys.stdout.write(f"{words}\n")
    return 0
