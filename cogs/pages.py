"""``/page``: from accepted panels to a page, and from pages to a book."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import OnModelBot
from bot.services.lettering import LetterEdit, Nudge, Spot, clean_language
from bot.services.pages import ComposedPage, PageEdit
from cogs.entry import (
    Interaction,
    acknowledge,
    actor_of,
    for_everyone,
    key_of,
    picture_for,
    present,
    present_more,
    read_drawing,
    reply,
)
from cogs.suggest import suggest_pages
from cogs.ui.card import Card
from cogs.ui.lettering_cards import lettered_card, lettered_picture
from cogs.ui.limits import CHOICES
from cogs.ui.page_cards import submitted_card
from cogs.ui.pictures import DEFAULT_LIMIT, Picture
from cogs.ui.verdicts import GOOD
from cogs.ui.words import say, say_n
from pipeline.domain.page import BookFormat
from pipeline.domain.panel import BalloonKind

_EDITS = [
    app_commands.Choice(name="swap two panels", value="swap"),
    app_commands.Choice(name="make the panel larger", value="larger"),
    app_commands.Choice(name="make the panel smaller", value="smaller"),
    app_commands.Choice(name="join its tier to the one above", value="merge"),
    app_commands.Choice(name="begin a new tier with it", value="split"),
]
_KINDS = [app_commands.Choice(name=kind.value, value=kind.value) for kind in BalloonKind]
_SPOTS = [app_commands.Choice(name=spot.value, value=spot.value) for spot in Spot]
_NUDGES = [app_commands.Choice(name=nudge.value, value=nudge.value) for nudge in Nudge]
_FORMATS = [app_commands.Choice(name=name.value, value=name.value) for name in BookFormat]
# Form headers around the file.
_HEADROOM = 4096
_PICTURES = (".png", ".webp", ".jpg")


class PageCog(commands.GroupCog, group_name="page", group_description="Pages and exports"):
    """Composition and export."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    @app_commands.command(description="Put the accepted panels of a page together and letter them")
    @app_commands.describe(page="The number of the page", layout="Which template")
    @app_commands.autocomplete(page=suggest_pages)
    async def compose(
        self,
        interaction: Interaction,
        page: app_commands.Range[int, 1, 9999],
        layout: str | None = None,
    ) -> None:
        """Compose a page and show it to everyone in the channel."""
        await acknowledge(interaction)
        made = await self.bot.app.pages.compose(await actor_of(interaction), page, layout=layout)
        await self._show(interaction, made)

    async def _show(self, interaction: Interaction, made: ComposedPage) -> None:
        panels = ", ".join(map(str, made.panels))
        with await for_everyone(interaction):
            alt = say(
                "Page {page}, layout {layout}: panels {panels} in reading order",
                page=made.number,
                layout=made.layout,
                panels=panels,
            )
            title = say("📖 Page {page}", page=made.number)
            made_of = say("Layout {layout} · panels {panels}", layout=made.layout, panels=panels)
        picture = await picture_for(interaction, f"page-{made.number:03d}", alt, made.png)
        await present(interaction, Card(GOOD).heading(title).gallery(picture).small(made_of))

    @compose.autocomplete("layout")
    async def _layouts(
        self, _interaction: Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        wanted = current.lower()
        names = [name for name in self.bot.app.pages.layouts() if wanted in name.lower()]
        return [app_commands.Choice(name=name, value=name) for name in names[:CHOICES]]

    @app_commands.command(description="Change the layout of a page: panels and tiers")
    @app_commands.rename(other="with")
    @app_commands.describe(
        page="The number of the page",
        change="What to do",
        panel="The panel's place on the page, 1 is the first in reading order",
        other="Only for a swap: the place of the other panel",
    )
    @app_commands.choices(change=_EDITS)
    @app_commands.autocomplete(page=suggest_pages)
    async def edit(
        self,
        interaction: Interaction,
        page: app_commands.Range[int, 1, 9999],
        change: str,
        panel: app_commands.Range[int, 1, 12],
        other: app_commands.Range[int, 1, 12] | None = None,
    ) -> None:
        """Change a page and show it to everyone in the channel."""
        await acknowledge(interaction)
        made = await self.bot.app.pages.edit(
            await actor_of(interaction), page, PageEdit(change), panel, other
        )
        await self._show(interaction, made)

    @app_commands.command(description="Change the lettering of a page: words, kinds, places")
    @app_commands.rename(spot="place")
    @app_commands.describe(
        page="The number of the page",
        panel="Which panel of the page, 1 is the first in reading order",
        line="Which balloon of the panel; one past the last adds “Name: words”",
        text="New words, - removes the balloon; without a line: all lines, with | between them",
        kind="Which kind of balloon",
        spot="Where the balloon should go",
        nudge="Move the balloon a little",
        language="The language that these words are in, such as de or ja",
    )
    @app_commands.choices(kind=_KINDS, spot=_SPOTS, nudge=_NUDGES)
    @app_commands.autocomplete(page=suggest_pages)
    async def letter(
        self,
        interaction: Interaction,
        page: app_commands.Range[int, 1, 9999],
        panel: app_commands.Range[int, 1, 40] | None = None,
        line: app_commands.Range[int, 1, 9] | None = None,
        text: app_commands.Range[str, 1, 1800] | None = None,
        kind: str | None = None,
        spot: str | None = None,
        nudge: str | None = None,
        language: app_commands.Range[str, 2, 20] | None = None,
    ) -> None:
        """Edit, draw the page anew and show it with its lines; without an edit just show it."""
        await acknowledge(interaction)
        edit = LetterEdit(
            panel=panel,
            line=line,
            text=text,
            kind=kind,
            spot=None if spot is None else Spot(spot),
            nudge=None if nudge is None else Nudge(nudge),
        )
        done = await self.bot.app.lettering.letter(
            await actor_of(interaction), page, edit, language=language or ""
        )
        with await for_everyone(interaction):
            picture = await picture_for(interaction, *lettered_picture(done), done.page.png)
            card = lettered_card(done, picture)
        await present(interaction, card)

    @letter.autocomplete("language")
    async def _languages(
        self, interaction: Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        known = await self.bot.app.lettering.languages(interaction.guild_id or 0)
        names = [name for name in known if name.startswith(current.lower())]
        return [app_commands.Choice(name=name, value=name) for name in names[:CHOICES]]

    @app_commands.command(description="Export one page or the whole book")
    @app_commands.describe(
        format="Which kind of file",
        page="Only this page",
        language="Whose lettering: a language that /page letter was used for",
    )
    @app_commands.choices(format=_FORMATS)
    @app_commands.autocomplete(page=suggest_pages)
    async def export(
        self,
        interaction: Interaction,
        format: str,  # noqa: A002 - the option's public name
        page: app_commands.Range[int, 1, 9999] | None = None,
        language: app_commands.Range[str, 2, 20] | None = None,
    ) -> None:
        """Export and hand the file to everyone in the channel."""
        await acknowledge(interaction)
        limit = (interaction.filesize_limit or DEFAULT_LIMIT) - _HEADROOM
        made = await self.bot.app.pages.export(
            await actor_of(interaction),
            format,
            page=page,
            limit_bytes=None if format == BookFormat.PNG else limit,  # squeezed below, if need be
            language=clean_language(language or ""),
        )
        for number, (name, data) in enumerate(made.files, start=1):
            with await for_everyone(interaction):
                title = say_n("{n} page as {form}", "{n} pages as {form}", made.pages, form=format)
                if len(made.files) > 1:
                    title = say(
                        "{what}, part {part} of {parts}",
                        what=title,
                        part=number,
                        parts=len(made.files),
                    )
            card = Card(GOOD).heading(f"📚 {title}")
            if name.endswith(_PICTURES):
                stem = name.rpartition(".")[0]
                card.gallery(await picture_for(interaction, stem, title, data))
            else:
                card.file(Picture(name, title, data))
            await (present if number == 1 else present_more)(interaction, card)

    @app_commands.command(description="Hand a page back that you painted on, or one of your own")
    @app_commands.describe(
        file="An .ora or .psd from /page export, changed; or your own page as one picture",
        page="Only for a picture: which page it is. Draw it without words",
    )
    @app_commands.autocomplete(page=suggest_pages)
    async def submit(
        self,
        interaction: Interaction,
        file: discord.Attachment,
        page: app_commands.Range[int, 1, 9999] | None = None,
    ) -> None:
        """Compare the file with the page; what changed is checked like every drawing."""
        await acknowledge(interaction)
        done = await self.bot.app.submissions.submit(
            await actor_of(interaction),
            await read_drawing(file),
            page=page,
            channel_id=interaction.channel_id,
            dedupe_key=key_of(interaction),
        )
        await reply(interaction, submitted_card(done))


async def setup(bot: OnModelBot) -> None:
    """Add the cog."""
    await bot.add_cog(PageCog(bot))
