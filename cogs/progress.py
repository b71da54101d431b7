"""Keeps the receipts of waiting panels up to date while Discord lets us edit them."""

import logging
from dataclasses import dataclass
from datetime import timedelta
from zlib import crc32

import discord
from discord.ext import tasks

from bot.client import OnModelBot
from bot.services.actor import Actor
from bot.services.panel_views import PanelView
from cogs.entry import Interaction, reply
from cogs.ui.card import Card
from cogs.ui.notices import status_card, waiting_for_engine, warning_lines
from cogs.ui.pictures import Picture
from cogs.ui.words import in_language, language_of, say
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


class ProgressBoard:
    """Edits each receipt at most every two seconds, and only if there is news.

    Nothing depends on it: receipts live in memory and are not continued after a restart. The
    result itself comes through the outbox, as a message of its own.
    """

    def __init__(self, bot: OnModelBot) -> None:
        self._bot = bot
        self._receipts: dict[int, _Receipt] = {}

    def watch(
        self, interaction: Interaction, actor: Actor, view: PanelView, warnings: tuple[str, ...]
    ) -> None:
        """Keep the answer of ``interaction`` up to date until the panel is made."""
        self._receipts[interaction.id] = _Receipt(
            interaction, actor, view.panel.id, warnings, _words(_card(view, warnings))
        )

    def start(self) -> None:
        """Begin to look; call once."""
        self._look.start()

    def stop(self) -> None:
        """End it."""
        self._look.cancel()

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
            preview = None
            if view.panel.status is PanelStatus.RUNNING:
                preview = self._bot.preview_of(receipt.panel_id)
            card = _card(view, receipt.warnings, preview)
            if view.panel.status is PanelStatus.QUEUED:
                waiting_for_engine(card, self._bot.trouble())
            if (words := _words(card)) != receipt.shown:
                receipt.shown = words
                await reply(receipt.interaction, card)
        except (OnModelError, discord.HTTPException) as lost:
            log.info("receipt of panel %d given up: %s", receipt.panel_id, lost)
            return False
        return view.panel.status in _MOVING


def _card(view: PanelView, warnings: tuple[str, ...], preview: bytes | None = None) -> Card:
    card = status_card(view.panel, view.cast_names, view.job, view.place, view.review, view.saved)
    if preview is not None:
        alt = say("Panel {panel}, half drawn", panel=view.panel.id)
        card.gallery(Picture("preview.png", alt, preview))
    return card.text(warning_lines(warnings))


def _words(card: Card) -> str:
    """What tells one card from another: its words and its pictures."""
    pictures = [crc32(picture.data or b"") for picture in card.pictures]
    return f"{card.view().to_components()} {pictures}"
