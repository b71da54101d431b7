"""The way from ComfyUI's threads to Onmodel's registry.

ComfyUI calls nodes while an event loop of its own runs in the very thread, so each question is
asked from a thread of ours with a loop of its own. The registry is opened for reading only and
closed again, so the bot may run on the same folder.
"""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from bot.services.gallery import Gallery

T = TypeVar("T")

_INSTALL = (
    "Onmodel is not installed in ComfyUI's Python. Install it there: "
    "pip install onmodel (or pip install -e CHECKOUT)."
)


def ask(question: Callable[["Gallery", int], Awaitable[T]], guild: str) -> T:
    """Open the registry, ask, close it.

    Args:
        question: gets the gallery and the guild's id.
        guild: a Discord server's id; empty for ``ONMODEL_GUILD_ID``, else the shell's registry.

    Raises:
        RuntimeError: Onmodel is not installed, or could not answer; the text says what to do.
    """
    try:
        from bot.services.gallery import open_gallery
        from bot.settings import load_settings
        from bot.shell import SHELL_GUILD
        from pipeline.domain.errors import OnModelError
    except ImportError as error:
        raise RuntimeError(_INSTALL) from error

    async def asked() -> T:
        settings = load_settings()
        guild_id = int(guild) if guild.strip() else settings.guild_id or SHELL_GUILD
        async with open_gallery(settings) as gallery:
            return await question(gallery, guild_id)

    if guild.strip() and not guild.strip().isdecimal():
        raise RuntimeError("guild must be the number of a Discord server, or empty.")
    with ThreadPoolExecutor(1, thread_name_prefix="onmodel") as pool:
        try:
            return pool.submit(lambda: asyncio.run(asked())).result()
        except OnModelError as error:
            raise RuntimeError(str(error)) from error
