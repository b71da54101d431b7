"""The one place where an error becomes words for a person."""

import logging
import secrets
from collections.abc import Awaitable
from datetime import datetime
from typing import TYPE_CHECKING, Any

import discord
from discord import app_commands

from cogs.ui.limits import clip
from cogs.ui.notices import problem_card
from cogs.ui.words import hear, retell, say, say_n
from pipeline.domain.errors import LimitReached, OnModelError

if TYPE_CHECKING:
    from bot.client import OnModelBot

log = logging.getLogger(__name__)

UNKNOWN_INTERACTION = 10062
ALREADY_ANSWERED = 40060
_GONE = {UNKNOWN_INTERACTION, ALREADY_ANSWERED, 10008, 10015, 50027}

AnyInteraction = discord.Interaction[Any]


async def answered(interaction: AnyInteraction, work: Awaitable[None]) -> None:
    """Let a button's work speak the person's language and report its errors as commands do.

    discord.py logs what a dynamic item raises and tells nobody.
    """
    hear(interaction)
    try:
        await work
    except Exception as error:  # noqa: BLE001 - this is the boundary that reports them all
        await report(interaction, error)
    else:
        interaction.client.wake()


async def report(interaction: AnyInteraction, error: Exception) -> None:
    """Tell the person what went wrong and log what they need not know. Never raises."""
    hear(interaction)
    cause = _cause(error)
    if isinstance(cause, discord.NotFound) and cause.code == UNKNOWN_INTERACTION:
        log.warning("answered too late: %s", _where(interaction), extra={"action": "late"})
        return
    reference = secrets.token_hex(4)
    if (words := _words(cause)) is not None:
        log.info(
            "refused %s in %s: %s", reference, _where(interaction), cause,
            extra={"action": "refused"},
        )  # fmt: skip
        await _tell(interaction, words, reference)
        return
    log.error(
        "error %s in %s", reference, _where(interaction), exc_info=cause, extra={"action": "error"}
    )
    sorry = say("Sorry, that went wrong on our side. Please try again.")
    await _tell(interaction, sorry, reference)


def _cause(error: Exception) -> Exception:
    while isinstance(error, app_commands.CommandInvokeError | app_commands.TransformerError):
        inner = error.__cause__ if isinstance(error, app_commands.TransformerError) else None
        inner = error.original if isinstance(error, app_commands.CommandInvokeError) else inner
        if not isinstance(inner, Exception):
            break
        error = inner
    return error


def _words(error: Exception) -> str | None:
    """The error's own text when it is meant for people, else None."""
    match error:
        case LimitReached(until=datetime() as until):
            when = discord.utils.format_dt(until, "R")
            problem = clip(retell(str(error)), 1800)
            return say("{problem} You can come back {when}.", problem=problem, when=when)
        case OnModelError():
            return clip(retell(str(error)), 1800)
        case app_commands.NoPrivateMessage():
            return say("This works in a server only.")
        case app_commands.CommandOnCooldown():
            return say_n(
                "Not so fast: try again in {n} second.",
                "Not so fast: try again in {n} seconds.",
                max(1, round(error.retry_after)),
            )
        case app_commands.TransformerError():
            return say("I do not understand “{words}”.", words=clip(str(error.value), 80))
        case app_commands.CommandNotFound() | app_commands.CommandSignatureMismatch():
            return say("This command has just changed. Please type it again in a moment.")
        case app_commands.CheckFailure():
            return say("You may not use this command here.")
        case discord.Forbidden():
            return say(
                "I lack a permission for that in this channel. Ask a server manager to let me "
                "view it, send messages and attach files."
            )
    return None


async def _tell(interaction: AnyInteraction, words: str, reference: str) -> None:
    view = problem_card(words, reference).view()
    try:
        if not interaction.response.is_done():
            await interaction.response.send_message(view=view, ephemeral=True)
            return
        await interaction.followup.send(view=view, ephemeral=True)
    except discord.HTTPException as lost:
        level = logging.INFO if lost.code in _GONE else logging.WARNING
        log.log(level, "could not tell the person: %s", lost, extra={"action": "untold"})


def _where(interaction: AnyInteraction) -> str:
    if interaction.command is not None:
        return f"/{interaction.command.qualified_name}"
    data = interaction.data or {}
    return str(data.get("custom_id", interaction.type))


async def setup(bot: "OnModelBot") -> None:
    """Make :func:`report` the command tree's error handler."""

    async def on_error(
        interaction: discord.Interaction["OnModelBot"], error: app_commands.AppCommandError
    ) -> None:
        await report(interaction, error)

    bot.tree.error(on_error)
