"""Coverage and character packages from a shell."""

import argparse
import json
from pathlib import Path

from bot.shell import ensure_series, read_file, studio, write_file
from pipeline.registry.package import MAX_PACKAGE_BYTES


async def show_coverage(arguments: argparse.Namespace) -> str:
    """What a character's references show, as text or JSON, and as a picture if asked for."""
    async with studio(arguments.guild) as (app, actor):
        coverage = await app.registry.coverage(actor, arguments.id)
        png = await app.registry.coverage_sheet(actor, arguments.id) if arguments.out else b""
    if arguments.out:
        write_file(arguments.out, png)
    if arguments.as_json:
        return json.dumps(coverage.as_dict(), indent=2)
    lines = [f"{coverage.name}: {coverage.readiness:.0%} ready. {coverage.advice}"]
    for look in coverage.looks:
        needs = "; ".join(need.words for need in look.missing) or "nothing"
        lines.append(f"{look.appearance_id}: {look.readiness:.0%}, missing {needs}")
    return "\n".join(lines)


async def export_character(arguments: argparse.Namespace) -> str:
    """Write a character package."""
    async with studio(arguments.guild) as (app, actor):
        name, data = await app.packages.export(actor, arguments.id)
    out = arguments.out or Path(name)
    write_file(out, data)
    return f"Wrote {out}."


async def import_character(arguments: argparse.Namespace) -> str:
    """Register the character of a package."""
    data = read_file(arguments.file, MAX_PACKAGE_BYTES)
    async with studio(arguments.guild) as (app, actor):
        await ensure_series(app, actor)
        done = await app.packages.load(actor, data, arguments.name)
    return (
        f"{done.character.name} ({done.character.character_id}): {done.references} references in "
        f"{', '.join(done.looks)}. Fingerprints: {done.prints.value}."
    )
