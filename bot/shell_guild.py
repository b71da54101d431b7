"""Whole servers from a shell."""

from pathlib import Path

from bot.app import open_app
from bot.settings import load_settings
from pipeline.domain.errors import InvalidInput


async def export_guild(guild_id: int, out: Path, passphrase: str | None) -> str:
    """Write everything of a server into one file."""
    async with open_app(load_settings()) as app:
        try:
            done = await app.guilds.export(guild_id, out, passphrase)
        except OSError as error:
            raise InvalidInput(f"{out} cannot be written: {error.strerror}.") from error
    said = f"Wrote {out}: {done.rows} rows and {done.pictures} pictures."
    if passphrase is None:
        said += "\nIt is NOT encrypted: whoever has the file sees every picture and name in it."
    return said


async def import_guild(source: Path, passphrase: str | None) -> str:
    """Add a server from a file."""
    async with open_app(load_settings()) as app:
        done = await app.guilds.load(source, passphrase)
    return f"Server {done.guild_id}: {done.rows} rows and {done.pictures} pictures."


async def erase_guild(guild_id: int) -> str:
    """Erase everything of a server."""
    async with open_app(load_settings()) as app:
        done = await app.guilds.erase(guild_id)
    said = (
        f"Erased {done.rows} rows, {done.swept.pictures} pictures, {done.swept.modules} trained "
        f"modules and {done.swept.backups} backups of the database. "
    )
    if done.traces:
        return said + f"Something is left in: {', '.join(done.traces)}. Report this."
    if not done.swept.clean:
        return said + "Another process reads the database; stop it and erase once more."
    return said + "A look through every table found nothing of it any more."
