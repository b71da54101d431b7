"""``/panel gallery`` and the buttons that leaf through what it found."""

import re
from dataclasses import replace
from typing import Any, Self

import discord
from discord import ui

from bot.client import OnModelBot
from bot.services.actor import Actor
from bot.services.panel_search import GalleryPage
from cogs.entry import Interaction, actor_of, is_restricted
from cogs.loading import message_link
from cogs.ui import ids
from cogs.ui.card import Card
from cogs.ui.errors import answered
from cogs.ui.gallery_cards import gallery_alt, gallery_card
from cogs.ui.pictures import thumbnail
from pipeline.domain.review import PostKind


class LeafButton(ui.DynamicItem[ui.Button[Any]], template=ids.GALLERY):
    """Shows another page of a search."""

    def __init__(self, item: ui.Button[Any], search_id: int, number: int) -> None:
        super().__init__(item)
        self.search_id = search_id
        self.number = number

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone."""
        assert isinstance(item, ui.Button)
        return cls(item, int(match["search"]), int(match["number"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Put the page in place of the one before."""
        await answered(interaction, self._clicked(interaction))

    async def _clicked(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        actor = await actor_of(interaction)
        service = interaction.client.app.panel_search
        page = await service.page(
            actor, self.search_id, self.number, restricted=is_restricted(interaction)
        )
        card = await page_card(interaction.client, actor, page)
        await interaction.edit_original_response(view=card.view(), attachments=card.files())


async def page_card(bot: OnModelBot, actor: Actor, page: GalleryPage) -> Card:
    """A page with its pictures, small, and links to where the panels were posted."""
    pictures, links = [], {}
    for one in page.shown:
        png = await bot.app.panels.picture(actor.guild_id, one.candidate.sha256)
        alt = gallery_alt(one, page.names)
        shown = await thumbnail(f"gallery-{one.panel.id}", alt, png)
        pictures.append(replace(shown, spoiler=one.candidate.hidden))
        posts = await bot.app.panels.posts(actor.guild_id, PostKind.VOTE_CARD, one.panel.id)
        if posts:
            links[one.panel.id] = message_link(actor.guild_id, posts[-1])
    return gallery_card(page, pictures, links)


async def setup(bot: OnModelBot) -> None:
    """Add the buttons; the command stands with the other ones of ``/panel``."""
    bot.add_dynamic_items(LeafButton)
