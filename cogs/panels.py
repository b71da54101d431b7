"""``/panel``: ask for one, hand one in, stop it, draw it again, use it."""

import discord
from discord import app_commands

from bot.client import OnModelBot
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
    read_picture,
    reply,
    suggest_appearances,
    suggest_cast,
)
from cogs.panel_buttons import use_on_page
from cogs.panel_desk import ChapterNumber, PageNumber, PanelDesk, PanelNumber, Words
from cogs.suggest import suggest_pages, suggest_panels, suggest_references
from cogs.ui.notices import done
from cogs.ui.words import say
from pipeline.domain.character import ShotType
from pipeline.domain.panel import PanelStatus

ReferenceNumber = app_commands.Range[int, 1, 2**53 - 1]
Percent = app_commands.Range[int, 0, 100]
Seed = app_commands.Range[int, 0, 2**32 - 1]


class PanelCog(PanelDesk, group_name="panel", group_description="Panels and their check"):
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


async def setup(bot: OnModelBot) -> None:
    """Add the cog."""
    await bot.add_cog(PanelCog(bot))
