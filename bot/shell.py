"""The registry from a shell: the same services as behind Discord, on the same data folder."""

import argparse
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from bot.app import App, open_app
from bot.services.actor import Actor
from bot.services.cast import NewCharacter, Upload
from bot.services.lookup import Identified
from bot.services.naming import character_slug
from bot.settings import load_settings
from pipeline.domain.character import ShotType
from pipeline.domain.errors import InvalidInput, NotFound
from pipeline.imaging.decode import MAX_BYTES

# The registry of the person at the shell, beside those of Discord's guilds (snowflakes are large).
SHELL_GUILD = 1
SHELL_MEMBER = 1
_ANSWERS = ("known", "cannot_say", "nobody")


@asynccontextmanager
async def studio(guild: int | None) -> AsyncIterator[tuple[App, Actor]]:
    """The services, and the person at the shell, who may do everything."""
    settings = load_settings()
    guild_id = guild or settings.guild_id or SHELL_GUILD
    actor = Actor(guild_id, SHELL_MEMBER, is_moderator=True, can_manage=True)
    async with open_app(settings) as app:
        yield app, actor


def read_file(path: Path, most: int = MAX_BYTES) -> bytes:
    """The bytes of a file that a person named, at most ``most``.

    Raises:
        InvalidInput: it is not there, not a file, or too large.
    """
    try:
        if path.stat().st_size > most:
            raise InvalidInput(f"{path.name} is larger than {most // 2**20} MiB.")
        return path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}.") from error


def write_file(path: Path, data: bytes) -> None:
    """Write a file that a person named.

    Raises:
        InvalidInput: it cannot be written.
    """
    try:
        path.write_bytes(data)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.") from error


async def ensure_series(app: App, actor: Actor) -> None:
    """Start a series where there is none yet."""
    try:
        await app.series.active(actor.guild_id)
    except NotFound:
        await app.series.create(actor, name="My comic")


async def register(arguments: argparse.Namespace) -> str:
    """Add a character, or references to one that exists already."""
    uploads = [Upload(path.name, read_file(path)) for path in arguments.images]
    shot = ShotType(arguments.shot_type) if arguments.shot_type else None
    async with studio(arguments.guild) as (app, actor):
        await ensure_series(app, actor)
        known = {entry.character.character_id for entry in await app.cast.entries(actor)}
        if character_slug(arguments.name) in known:
            done = await app.cast.add_references(
                actor,
                character_slug(arguments.name),
                uploads,
                appearance=arguments.appearance,
                shot_type=shot,
            )
        else:
            new = NewCharacter(arguments.name, appearance=arguments.appearance, shot_type=shot)
            done = await app.cast.register(actor, new, uploads)
    lines = [
        f"{done.character.name} ({done.character.character_id}), appearance "
        f"{done.appearance.appearance_id}: {len(done.added)} references added.",
        *done.duplicates,
        done.readiness,
    ]
    return "\n".join(lines)


async def list_cast(arguments: argparse.Namespace) -> str:
    """The cast, one line a character, or JSON."""
    async with studio(arguments.guild) as (app, actor):
        entries = await app.cast.entries(actor)
    if arguments.as_json:
        return json.dumps(
            [
                {
                    "character_id": e.character.character_id,
                    "name": e.character.name,
                    "appearances": [a.appearance_id for a in e.appearances],
                    "references": e.references,
                }
                for e in entries
            ],
            indent=2,
        )
    if not entries:
        return "The cast is empty. Add somebody: onmodel cast register NAME IMAGE…"
    return "\n".join(
        f"{e.character.character_id}  {e.character.name}  {e.references} references in "
        f"{', '.join(a.appearance_id for a in e.appearances)}"
        for e in entries
    )


async def write_sheet(arguments: argparse.Namespace) -> str:
    """Write a character's model sheet as PNG, or as PDF where the file's name ends so."""
    async with studio(arguments.guild) as (app, actor):
        if arguments.out.suffix.lower() == ".pdf":
            data = await app.sheets.pdf(actor, arguments.id, arguments.appearance)
        else:
            data = (await app.sheets.draw(actor, arguments.id, arguments.appearance)).png
    write_file(arguments.out, data)
    return f"Wrote {arguments.out}."


async def identify_picture(arguments: argparse.Namespace) -> dict[str, Any]:
    """Who is drawn in one picture; the result as plain data.

    The answer of a picture with several figures is the best of theirs: somebody is known, or
    something cannot be said, or nobody is known.
    """
    data = read_file(arguments.image)
    async with studio(arguments.guild) as (app, actor):
        figures = [_identified(one) for one in await app.lookup.identify(actor, data)]
    best = min(figures, key=lambda one: _ANSWERS.index(one["answer"]))
    said = "\n".join(one["sentence"] for one in figures)
    return {**best, "sentence": said, "figures": figures}


def _identified(found: Identified) -> dict[str, Any]:
    return {
        "answer": "known" if found.who else "cannot_say" if found.unsure else "nobody",
        "box": list(found.box),
        "character": found.who.check.character_id if found.who else None,
        "appearance": found.who.check.appearance_id if found.who else None,
        "sentence": found.sentence,
        "ranking": [
            {
                "character": look.check.character_id,
                "appearance": look.check.appearance_id,
                "similarity": look.check.similarity,
                "threshold": look.check.threshold,
                "verdict": look.check.verdict.value,
            }
            for look in found.ranking
        ],
    }


async def reindex(_: argparse.Namespace) -> str:
    """Index everything anew that was indexed with other encoders, with a progress bar."""
    from rich.progress import Progress

    async with studio(None) as (app, _actor):
        start = await app.reindex.state()
        with Progress() as bar:
            task = bar.add_task("Indexing", total=start.stale)
            done = await app.reindex.once(
                on_progress=lambda state: bar.update(task, completed=start.stale - state.stale)
            )
        left = await app.reindex.state()
    failed = f" {done.failed} could not be indexed; see the log." if done.failed else ""
    return (
        f"{done.references} references of {done.appearances} appearances were indexed; "
        f"{left.stale} of {left.references} wait.{failed}"
    )


async def check_clip(arguments: argparse.Namespace) -> dict[str, Any]:
    """Judge a clip frame by frame; the result as plain data and in a sentence."""
    async with studio(arguments.guild) as (app, actor):
        report = await app.clips.check(
            actor,
            arguments.clip,
            character=arguments.character,
            appearance=arguments.appearance,
        )
    worst = report.worst
    words = {"on_model": "on-model", "off_model": "off-model", "cannot_judge": "cannot judge"}
    sentence = f"{words[report.verdict.value]}: {len(report.frames)} frames judged"
    if worst is not None:
        sentence += f", the weakest at {worst.second:.1f} s. {worst.check.reason}"
    if report.flickers:
        seconds = ", ".join(f"{second:.2f}" for second, _ in report.flickers[:8])
        sentence += f" Colours flicker at {seconds} s."
    return {
        "verdict": report.verdict.value,
        "sentence": sentence,
        "frames": [
            {
                "second": one.second,
                "verdict": one.check.verdict.value,
                "similarity": one.check.similarity,
                "threshold": one.check.threshold,
            }
            for one in report.frames
        ],
        "worst": None if worst is None else worst.second,
        "flickers": [{"second": second, "score": score} for second, score in report.flickers],
    }


async def check_picture(arguments: argparse.Namespace) -> dict[str, Any]:
    """Judge one picture; the result as plain data."""
    data = read_file(arguments.image)
    shot = ShotType(arguments.shot_type) if arguments.shot_type else None
    async with studio(arguments.guild) as (app, actor):
        result = await app.checks.check(
            actor,
            data,
            character=arguments.character,
            appearance=arguments.appearance,
            shot_type=shot,
            box=arguments.box,
        )
    check = result.judged.report.checks[0]
    return {
        "verdict": check.verdict.value,
        "reason": check.reason,
        "character": check.character_id,
        "appearance": check.appearance_id,
        "similarity": check.similarity,
        "threshold": check.threshold,
        "crop": check.crop.value if check.crop else None,
        "box": list(check.box) if check.box else None,
        "segments": dict(check.segments),
    }
