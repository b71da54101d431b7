"""``/animatic``: composed pages as a film."""

from discord import app_commands
from discord.ext import commands

from bot.client import OnModelBot
from cogs.entry import Interaction, acknowledge, actor_of, present
from cogs.suggest import suggest_pages
from cogs.ui.card import Card
from cogs.ui.pictures import DEFAULT_LIMIT, Picture
from cogs.ui.verdicts import GOOD
from pipeline.comics.animatic.encode import FilmFormat

_FORMS = [app_commands.Choice(name=form.value, value=form.value) for form in FilmFormat]
_SHAPES = [app_commands.Choice(name=name, value=name) for name in ("wide", "square", "tall")]
# Captions and form headers beside the film.
_HEADROOM = 64 * 1024


class AnimaticCog(
    commands.GroupCog, group_name="animatic", group_description="Pages that move and speak"
):
    """Films of pages."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    @app_commands.command(description="Make a film of composed pages, with captions")
    @app_commands.describe(
        first="The first page",
        last="The last page; only the first one unless you say otherwise",
        form="Which kind of file",
        shape="Wide for screens, tall for phones",
        language="The language of the lettering, such as de or ja",
    )
    @app_commands.choices(form=_FORMS, shape=_SHAPES)
    @app_commands.autocomplete(first=suggest_pages, last=suggest_pages)
    async def make(
        self,
        interaction: Interaction,
        first: app_commands.Range[int, 1, 9999],
        last: app_commands.Range[int, 1, 9999] | None = None,
        form: str = "mp4",
        shape: str = "wide",
        language: app_commands.Range[str, 2, 20] = "",
    ) -> None:
        """Film pages and hand the film and its captions to everyone in the channel."""
        await acknowledge(interaction)
        made = await self.bot.app.animatics.make(
            await actor_of(interaction),
            first=first,
            last=last,
            form=FilmFormat(form),
            shape=shape,
            language=language,
            limit_bytes=(interaction.filesize_limit or DEFAULT_LIMIT) - _HEADROOM,
        )
        card = Card(GOOD).heading(f"🎬 {made.panels} panels in {made.seconds:.0f} seconds")
        stem = made.filename.rpartition(".")[0]
        picture = Picture(made.filename, f"Animatic of {made.panels} panels", made.data)
        if form == FilmFormat.MP4:
            card.file(picture)
        else:
            card.gallery(picture)
        if made.captions:
            card.file(Picture(f"{stem}.srt", "Captions", made.captions.encode()))
        if made.weakest is not None:
            panel, second, margin = made.weakest
            words = "over" if margin >= 0 else "under"
            card.small(
                f"Weakest likeness: panel {panel} at {second:.1f} s, "
                f"{abs(margin):.2f} {words} its limit"
            )
        await present(interaction, card)


async def setup(bot: OnModelBot) -> None:
    """Add the cog."""
    await bot.add_cog(AnimaticCog(bot))
