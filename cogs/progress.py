"""Receipts of what was asked for: shown, and kept up to date while Discord lets us edit them."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from zlib import crc32

import discord
from discord.ext import commands, tasks

from bot.client import OnModelBot
from bot.services.actor import Actor
from bot.services.allowance import Allowance
from bot.services.intake import Requested
from bot.services.panel_views import PanelView
from cogs.entry import Interaction, reply
from cogs.ui.card import Card
from cogs.ui.notices import request_card, waiting_for_engine
from cogs.ui.receipts import cancel_button, progress_card, spent_line
from cogs.ui.words import in_language, language_of
from pipeline.domain.errors import OnModelError
from pipeline.domain.panel import PanelStatus

log = logging.getLogger(__name__)

EDIT_EVERY = 2.0
# An interaction's token lives 15 minutes. Source: Discord, "Receiving and Responding".
_MARGIN = timedelta(seconds=60)
_MOVING = {PanelStatus.QUEUED, PanelStatus.RUNNING}


@dataclass(slots=True)
class _Receipt:
    interaction: Interaction
    actor: Actor
    panel_id: int
    warnings: tuple[str, ...]
    shown: str


class ProgressBoard(commands.Cog):
    """Edits each receipt at most every two seconds, and only if there is news.

    Nothing depends on it: receipts live in memory and are not continued after a restart, though
    their Cancel button is. The result itself comes through the outbox, as a message of its own.
    """

    def __init__(self, bot: OnModelBot) -> None:
        self._bot = bot
        self._receipts: dict[int, _Receipt] = {}

    async def cog_load(self) -> None:
        """Begin to look."""
        self._look.start()

    async def cog_unload(self) -> None:
        """End it."""
        self._look.cancel()

    async def receipt(self, interaction: Interaction, actor: Actor, taken: Requested) -> None:
        """Answer an acknowledged interaction with what was asked for, and keep that up to date."""
        app = self._bot.app
        view = await app.panels.view(actor, taken.panel.id)
        card = request_card(taken.panel, taken.place, view.cast_names, taken.warnings)
        card.small(spent_line(await app.panels.allowance(actor)))
        card.row(cancel_button(taken.panel.id))
        await reply(interaction, card)
        known = _words(progress_card(view, taken.warnings))
        self._receipts[interaction.id] = _Receipt(
            interaction, actor, taken.panel.id, taken.warnings, known
        )

    @tasks.loop(seconds=EDIT_EVERY)
    async def _look(self) -> None:
        for key, receipt in list(self._receipts.items()):
            with in_language(language_of(receipt.interaction.locale)):
                goes_on = await self._refresh(receipt)
            if not goes_on:
                self._receipts.pop(key, None)

    async def _refresh(self, receipt: _Receipt) -> bool:
        """Show the news; False when there will be no more."""
        if discord.utils.utcnow() > receipt.interaction.expires_at - _MARGIN:
            return False
        try:
            view = await self._bot.app.panels.view(receipt.actor, receipt.panel_id)
            card = await self._card(receipt, view)
            if (words := _words(card)) != receipt.shown:
                receipt.shown = words
                await reply(receipt.interaction, card)
        except (OnModelError, discord.HTTPException) as lost:
            log.info("receipt of panel %d given up: %s", receipt.panel_id, lost)
            return False
        return view.panel.status in _MOVING

    async def _card(self, receipt: _Receipt, view: PanelView) -> Card:
        preview, allowance = None, None
        if view.panel.status is PanelStatus.RUNNING:
            preview = self._bot.preview_of(receipt.panel_id)
        if view.panel.status not in _MOVING:
            allowance = await self._allowance(receipt.actor)
        card = progress_card(view, receipt.warnings, preview, allowance)
        if view.panel.status is PanelStatus.QUEUED:
            waiting_for_engine(card, self._bot.trouble())
        return card

    async def _allowance(self, actor: Actor) -> Allowance:
        return await self._bot.app.panels.allowance(actor)


def _words(card: Card) -> str:
    """What tells one card from another: its words and its pictures."""
    pictures = [crc32(picture.data or b"") for picture in card.pictures]
    return f"{card.view().to_components()} {pictures}"


async def setup(bot: OnModelBot) -> None:
    """Give the bot its board."""
    board = ProgressBoard(bot)
    await bot.add_cog(board)
    bot.board = board
