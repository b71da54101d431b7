"""The rest of ``/panel``: looking at pictures and panels, finding old ones, what is left."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from bot.services.panel_search import read_day
from cogs.entry import (
    Interaction,
    acknowledge,
    actor_of,
    is_restricted,
    picture_for,
    read_picture,
    reply,
    suggest_appearances,
    suggest_characters,
)
from cogs.gallery import page_card
from cogs.loading import checked_card
from cogs.suggest import suggest_pages, suggest_panels
from cogs.ui.lookup import identity_card
from cogs.ui.notices import recipe_card, status_card
from cogs.ui.pictures import DEFAULT_LIMIT
from cogs.ui.receipts import allowance_card
from cogs.ui.words import say
from pipeline.domain.searching import PanelWish
from pipeline.domain.story import LAST_PAGE

if TYPE_CHECKING:
    from bot.client import OnModelBot

PanelNumber = app_commands.Range[int, 1, 2**53 - 1]
PageNumber = app_commands.Range[int, 1, LAST_PAGE]
ChapterNumber = app_commands.Range[int, 1, LAST_PAGE]
Words = app_commands.Range[str, 1, 1000]


class PanelDesk(commands.GroupCog, group_name="panel"):
    """Commands that :class:`cogs.panels.PanelCog` offers beside its own."""

    bot: "OnModelBot"

    @app_commands.command(description="Check any picture against a character; nothing is kept")
    @app_commands.describe(
        image="The picture",
        character="Who it should be",
        appearance="In which look",
        box="Where they are: left, top, right, bottom, in pixels or percent: 10%,5%,60%,95%",
    )
    @app_commands.autocomplete(character=suggest_characters, appearance=suggest_appearances)
    async def check(
        self,
        interaction: Interaction,
        image: discord.Attachment,
        character: str,
        appearance: str | None = None,
        box: app_commands.Range[str, 1, 60] | None = None,
    ) -> None:
        """Judge a picture and show the evidence."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        picture = await read_picture(image)
        result = await self.bot.app.checks.check(
            actor, picture, character=character, appearance=appearance, box=box
        )
        limit = interaction.filesize_limit or DEFAULT_LIMIT
        card = await checked_card(self.bot.app, actor, result, character, limit)
        await reply(interaction, card)

    @app_commands.command(description="Who is drawn in a picture? Nothing is kept")
    @app_commands.describe(image="The picture; its figures are looked for")
    async def identify(self, interaction: Interaction, image: discord.Attachment) -> None:
        """Say of each figure who it is, or that nobody is known, with the evidence."""
        await acknowledge(interaction)
        found = await self.bot.app.lookup.identify(
            await actor_of(interaction), await read_picture(image)
        )
        alt = say("The picture beside the references of whoever comes nearest")
        shown = [
            await picture_for(interaction, f"who-evidence{number or ''}", alt, one.evidence)
            for number, one in enumerate(found)
        ]
        await reply(interaction, identity_card(found, shown))

    @app_commands.command(description="Where a panel stands")
    @app_commands.describe(panel="Its number")
    @app_commands.autocomplete(panel=suggest_panels)
    async def status(self, interaction: Interaction, panel: PanelNumber) -> None:
        """Show where a panel stands."""
        await acknowledge(interaction)
        view = await self.bot.app.panels.view(await actor_of(interaction), panel)
        await reply(
            interaction,
            status_card(view.panel, view.cast_names, view.job, view.place, view.review, view.saved),
        )

    @app_commands.command(description="Find accepted panels again")
    @app_commands.describe(
        character="Who is in it",
        words="What its prompt or its dialogue says",
        image="A picture; the panels that are most like it come first; it is not kept",
        page="On which page",
        chapter="In which chapter",
        since="Asked for on this day or later, like 2026-11-29",
        until="Asked for on this day or earlier",
        member="Who asked for it",
    )
    @app_commands.autocomplete(character=suggest_characters, page=suggest_pages)
    async def gallery(
        self,
        interaction: Interaction,
        character: Words | None = None,
        words: app_commands.Range[str, 1, 200] | None = None,
        image: discord.Attachment | None = None,
        page: PageNumber | None = None,
        chapter: ChapterNumber | None = None,
        since: app_commands.Range[str, 10, 10] | None = None,
        until: app_commands.Range[str, 10, 10] | None = None,
        member: discord.Member | None = None,
    ) -> None:
        """Show what fits, four at a time."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        wish = PanelWish(
            words=words or "",
            page=page,
            chapter=chapter,
            first=read_day(since),
            last=read_day(until),
            requester_id=member.id if member else None,
        )
        like = await read_picture(image) if image else None
        found = await self.bot.app.panel_search.search(
            actor, wish, character, like, restricted=is_restricted(interaction)
        )
        await reply(interaction, await page_card(self.bot, actor, found))

    @app_commands.command(description="What you may use of the studio, and what of it is used")
    async def allowance(self, interaction: Interaction) -> None:
        """Show panels and seconds of the last 24 hours."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        await reply(interaction, allowance_card(await self.bot.app.panels.allowance(actor)))

    @app_commands.command(description="How a panel was made")
    @app_commands.describe(panel="Its number")
    @app_commands.autocomplete(panel=suggest_panels)
    async def recipe(self, interaction: Interaction, panel: PanelNumber) -> None:
        """Show the recipe; its plan reproduces the picture."""
        await acknowledge(interaction)
        text = await self.bot.app.panels.recipe(await actor_of(interaction), panel)
        await reply(interaction, recipe_card(panel, text))
