"""``/panel``: ask for one, hand one in, check a picture, see where it stands."""

import discord
from discord import app_commands
from discord.ext import commands

from bot.client import OnModelBot
from bot.services.panel_search import read_day
from bot.services.panels import PanelRequest
from bot.services.rerolls import PanelChange
from cogs.entry import (
    SHOT_TYPES,
    Interaction,
    acknowledge,
    actor_of,
    channel_of,
    is_restricted,
    key_of,
    picture_for,
    read_picture,
    reply,
    suggest_appearances,
    suggest_cast,
    suggest_characters,
)
from cogs.gallery import page_card
from cogs.loading import checked_card
from cogs.panel_buttons import use_on_page
from cogs.suggest import suggest_pages, suggest_panels, suggest_references
from cogs.ui.lookup import identity_card
from cogs.ui.notices import done, recipe_card, status_card
from cogs.ui.pictures import DEFAULT_LIMIT
from cogs.ui.receipts import allowance_card
from cogs.ui.words import say
from pipeline.domain.character import ShotType
from pipeline.domain.panel import PanelStatus
from pipeline.domain.searching import PanelWish
from pipeline.domain.story import LAST_PAGE

PanelNumber = app_commands.Range[int, 1, 2**53 - 1]
ReferenceNumber = app_commands.Range[int, 1, 2**53 - 1]
Percent = app_commands.Range[int, 0, 100]
Seed = app_commands.Range[int, 0, 2**32 - 1]
PageNumber = app_commands.Range[int, 1, LAST_PAGE]
ChapterNumber = app_commands.Range[int, 1, LAST_PAGE]
Words = app_commands.Range[str, 1, 1000]


class PanelCog(commands.GroupCog, group_name="panel", group_description="Panels and their check"):
    """Everything that members do with panels, except voting."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    @app_commands.command(description="Ask for a panel")
    @app_commands.describe(
        characters="Who is in it, in speaking order, with commas between them",
        prompt="What happens and where",
        appearance="Which look, if not the usual one",
        shot_type="How much of the figures is seen; half figures unless you say otherwise",
        alternates="How many to choose from",
        sketch="Your own layout of the panel",
        page="The page it belongs to",
        chapter="When it plays, if not in the chapter of that page; decides what they wear",
        dialogue="One line each: Name: what they say",
        style_freedom="How far it may leave the style of the references, in percent",
        reference="The picture to draw from first, by its number; its pose is taken, if known",
    )
    @app_commands.choices(shot_type=SHOT_TYPES)
    @app_commands.autocomplete(
        characters=suggest_cast,
        appearance=suggest_appearances,
        reference=suggest_references,
        page=suggest_pages,
    )
    async def request(
        self,
        interaction: Interaction,
        characters: Words,
        prompt: Words,
        appearance: app_commands.Range[str, 1, 400] | None = None,
        shot_type: str | None = None,
        alternates: app_commands.Range[int, 1, 4] | None = None,
        sketch: discord.Attachment | None = None,
        page: PageNumber | None = None,
        dialogue: Words = "",
        style_freedom: app_commands.Range[int, 0, 100] = 0,
        chapter: ChapterNumber | None = None,
        reference: ReferenceNumber | None = None,
    ) -> None:
        """Queue a panel; the result comes as a message of its own."""
        await acknowledge(interaction)
        request = PanelRequest(
            restricted=is_restricted(interaction),
            characters=characters,
            prompt=prompt,
            appearance=appearance,
            shot_type=ShotType(shot_type) if shot_type else None,
            alternates=alternates,
            sketch=await read_picture(sketch) if sketch else None,
            page=page,
            dialogue=dialogue,
            style_freedom=style_freedom / 100,
            chapter=chapter,
            reference=reference,
            home=channel_of(interaction),
        )
        actor = await actor_of(interaction)
        taken = await self.bot.app.panels.request(
            actor, request, channel_id=interaction.channel_id, dedupe_key=key_of(interaction)
        )
        await self.bot.board.receipt(interaction, actor, taken)

    @app_commands.command(description="Hand in your own drawing; it gets the same check")
    @app_commands.describe(
        image="Your drawing",
        characters="Who is in it, from left to right, with commas between them",
        page="The page it belongs to",
        dialogue="One line each: Name: what they say",
        chapter="When it plays, if not in the chapter of that page; decides what they wear",
    )
    @app_commands.autocomplete(characters=suggest_cast, page=suggest_pages)
    async def submit(
        self,
        interaction: Interaction,
        image: discord.Attachment,
        characters: Words,
        page: PageNumber | None = None,
        dialogue: Words = "",
        chapter: ChapterNumber | None = None,
    ) -> None:
        """Queue a person's drawing for the check."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        taken = await self.bot.app.panels.submit(
            actor,
            await read_picture(image),
            characters=characters,
            page=page,
            chapter=chapter,
            restricted=is_restricted(interaction),
            dialogue=dialogue,
            channel_id=interaction.channel_id,
            dedupe_key=key_of(interaction),
        )
        await self.bot.board.receipt(interaction, actor, taken)

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

    @app_commands.command(description="Stop a panel that waits or is being drawn")
    @app_commands.describe(panel="Its number")
    @app_commands.autocomplete(panel=suggest_panels)
    async def cancel(self, interaction: Interaction, panel: PanelNumber) -> None:
        """Cancel; the requester and moderators may."""
        await acknowledge(interaction)
        stopped = await self.bot.app.panels.cancel(await actor_of(interaction), panel)
        if stopped.status is PanelStatus.CANCELLED:
            await reply(interaction, done(say("Panel {panel} is cancelled", panel=panel)))
        else:
            await reply(
                interaction,
                done(
                    say("Panel {panel} will stop", panel=panel),
                    say("It is being drawn and ends at its next step."),
                ),
            )

    @app_commands.command(description="The same panel once more: another seed, or one part changed")
    @app_commands.describe(
        panel="Its number",
        prompt="Other words; the seed stays, so that only this changes",
        seed="This seed (see /panel recipe)",
        shot_type="Another framing; the seed stays",
        alternates="How many to choose from",
        reference="The picture to draw from first, by its number (see /panel recipe)",
        hold="How strongly the references hold, in percent; 60 at a first try",
        style_freedom="How far it may leave the style of the references, in percent",
    )
    @app_commands.choices(shot_type=SHOT_TYPES)
    @app_commands.autocomplete(panel=suggest_panels, reference=suggest_references)
    async def reroll(
        self,
        interaction: Interaction,
        panel: PanelNumber,
        prompt: Words | None = None,
        seed: Seed | None = None,
        shot_type: str | None = None,
        alternates: app_commands.Range[int, 1, 4] | None = None,
        reference: ReferenceNumber | None = None,
        hold: Percent | None = None,
        style_freedom: Percent | None = None,
    ) -> None:
        """Queue the brief again as a new panel, as it was or with one part changed."""
        await acknowledge(interaction)
        change = PanelChange(
            prompt=prompt,
            seed=seed,
            shot_type=ShotType(shot_type) if shot_type else None,
            alternates=alternates,
            reference=reference,
            hold=None if hold is None else hold / 100,
            style_freedom=None if style_freedom is None else style_freedom / 100,
        )
        actor = await actor_of(interaction)
        taken = await self.bot.app.redraws.reroll(
            actor, panel, dedupe_key=key_of(interaction), change=change
        )
        await self.bot.board.receipt(interaction, actor, taken)

    @app_commands.command(description="Use an accepted panel on another page")
    @app_commands.describe(panel="Its number", page="The page; it is composed by /page compose")
    @app_commands.autocomplete(panel=suggest_panels, page=suggest_pages)
    async def use(self, interaction: Interaction, panel: PanelNumber, page: PageNumber) -> None:
        """Move it; the requester and moderators may."""
        await acknowledge(interaction)
        await use_on_page(interaction, await actor_of(interaction), panel, page)

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


async def setup(bot: OnModelBot) -> None:
    """Add the cog."""
    await bot.add_cog(PanelCog(bot))
