"""``/animatic``: composed pages as a film."""

from discord import app_commands
from discord.ext import commands

from bot.client import OnModelBot
from bot.services.animatics import Animatic
from cogs.entry import Interaction, acknowledge, actor_of, for_everyone, present
from cogs.suggest import suggest_pages
from cogs.ui.card import Card
from cogs.ui.pictures import DEFAULT_LIMIT, Picture
from cogs.ui.verdicts import GOOD
from cogs.ui.words import say
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
        with await for_everyone(interaction):
            card = _film_card(made, FilmFormat(form))
        await present(interaction, card)


def _film_card(made: Animatic, form: FilmFormat) -> Card:
    card = Card(GOOD).heading(
        say("🎬 {n} panels in {seconds:.0f} seconds", n=made.panels, seconds=made.seconds)
    )
    picture = Picture(made.filename, say("Animatic of {n} panels", n=made.panels), made.data)
    if form is FilmFormat.MP4:
        card.file(picture)
    else:
        card.gallery(picture)
    if made.captions:
        stem = made.filename.rpartition(".")[0]
        card.file(Picture(f"{stem}.srt", say("Captions"), made.captions.encode()))
    if made.weakest is not None:
        panel, second, margin = made.weakest
        words = (
            say(
                "Weakest likeness: panel {panel} at {second:.1f} s, {margin:.2f} over its limit",
                panel=panel,
                second=second,
                margin=margin,
            )
            if margin >= 0
            else say(
                "Weakest likeness: panel {panel} at {second:.1f} s, {margin:.2f} under its limit",
                panel=panel,
                second=second,
                margin=-margin,
            )
        )
        card.small(words)
    return card


async def setup(bot: OnModelBot) -> None:
    """Add the cog."""
    await bot.add_cog(AnimaticCog(bot))
