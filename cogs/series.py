"""``/series``: start a comic and say where its panels and reviews go."""

import discord
from discord import app_commands

from bot.client import OnModelBot
from cogs.entry import Interaction, acknowledge, actor_of, reply
from cogs.permissions import missing_permissions
from cogs.series_rules import SeriesRules
from cogs.ui.notices import series_card
from cogs.ui.words import LANGUAGES, say
from pipeline.comics.formats import FORMATS
from pipeline.domain.character import ColorMode, MissingShot, ReadingDirection
from pipeline.domain.story import LAST_PAGE
from pipeline.quality.conformal import ALPHAS

_READING = [
    app_commands.Choice(name="left to right", value="ltr"),
    app_commands.Choice(name="right to left", value="rtl"),
    app_commands.Choice(name="webtoon, top to bottom", value="webtoon"),
]
_COLOUR = [
    app_commands.Choice(name="colour", value="color"),
    app_commands.Choice(name="black and white with tone", value="grayscale"),
]

_FALSE_FLAGS = [
    app_commands.Choice(name=f"at most {round(100 * share)} %", value=round(100 * share))
    for share in ALPHAS
]
_MISSING = [
    app_commands.Choice(name="warn, and draw from the next best", value="warn"),
    app_commands.Choice(name="refuse the panel", value="block"),
]

_OF_SERVER = "server"
_LANGUAGES = [
    app_commands.Choice(name="that of the server", value=_OF_SERVER),
    *(app_commands.Choice(name=name, value=value) for value, name in LANGUAGES.items()),
]
_SHEETS = [app_commands.Choice(name=sheet.label, value=sheet.name) for sheet in FORMATS.values()]


@app_commands.default_permissions(manage_guild=True)
class SeriesCog(SeriesRules, group_name="series", group_description="The comic of this server"):
    """Commands of people who manage the server; the service checks it again."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    @app_commands.command(description="Start a comic")
    @app_commands.describe(
        name="What it is called",
        style="A few words on how it is drawn",
        reading_direction="How a page is read; left to right unless you say otherwise",
        color_mode="Colour unless you say otherwise",
    )
    @app_commands.choices(reading_direction=_READING, color_mode=_COLOUR)
    async def create(
        self,
        interaction: Interaction,
        name: app_commands.Range[str, 1, 80],
        style: app_commands.Range[str, 1, 200] = "",
        reading_direction: str = "ltr",
        color_mode: str = "color",
    ) -> None:
        """Start a comic; it becomes the one that this server works on."""
        await acknowledge(interaction)
        series = await self.bot.app.series.create(
            await actor_of(interaction),
            name=name,
            style=style,
            reading_direction=ReadingDirection(reading_direction),
            color_mode=ColorMode(color_mode),
        )
        await reply(interaction, series_card(series, say("Series")))

    @app_commands.command(description="Moderators, channels, alternates and quota of the comic")
    @app_commands.describe(
        moderator_role="Whoever has it decides about flagged panels",
        panel_channel="Where results go when the channel of the request is gone",
        review_channel="Where private review threads are opened",
        alternates="How many alternates a panel gets unless its request says otherwise",
        quota="How many panels a member may ask for in 24 hours",
        missing_shot="When nobody has drawn a character the way a panel shows it",
        false_flags="How many of the good panels the check may flag",
        audit="Of 100 panels that pass, how many moderators see all the same, without being told",
        chapter="The chapter that is being drawn; it decides what everybody wears",
        page_size="The sheet that pages are composed for",
        language="What posts for everyone are written in; people are answered in their own",
        sentinel="Give up early what looks poor half drawn, once enough is known of a look",
    )
    @app_commands.choices(missing_shot=_MISSING)
    @app_commands.choices(false_flags=_FALSE_FLAGS)
    @app_commands.choices(page_size=_SHEETS)
    @app_commands.choices(language=_LANGUAGES)
    async def settings(
        self,
        interaction: Interaction,
        moderator_role: discord.Role | None = None,
        panel_channel: discord.TextChannel | None = None,
        review_channel: discord.TextChannel | None = None,
        alternates: app_commands.Range[int, 1, 4] | None = None,
        quota: app_commands.Range[int, 1, 1000] | None = None,
        missing_shot: str | None = None,
        false_flags: int | None = None,
        audit: app_commands.Range[int, 0, 50] | None = None,
        chapter: app_commands.Range[int, 1, LAST_PAGE] | None = None,
        page_size: str | None = None,
        language: str | None = None,
        sentinel: bool | None = None,
    ) -> None:
        """Change what is given; without options, show the settings."""
        await acknowledge(interaction)
        series = await self.bot.app.series.update(
            await actor_of(interaction),
            moderator_role_id=moderator_role.id if moderator_role else None,
            panel_channel_id=panel_channel.id if panel_channel else None,
            review_channel_id=review_channel.id if review_channel else None,
            alternates=alternates,
            quota=quota,
            missing_shot=MissingShot(missing_shot) if missing_shot else None,
            false_flag_percent=false_flags,
            audit_percent=audit,
            chapter=chapter,
            page_format=page_size,
            language="" if language == _OF_SERVER else language,
            sentinel=sentinel,
        )
        card = series_card(series, say("Settings"))
        for channel, private in ((panel_channel, False), (review_channel, True)):
            if channel is not None and (missing := missing_permissions(channel, threads=private)):
                card.text(
                    say(
                        "⚠️ I still need in {channel}: {permissions}.",
                        channel=channel.mention,
                        permissions=", ".join(map(say, missing)),
                    )
                )
        await reply(interaction, card)


async def setup(bot: OnModelBot) -> None:
    """Add the cog."""
    await bot.add_cog(SeriesCog(bot))
