"""``/character``: who the cast is, and the pictures that prove it."""

import discord
from discord import app_commands

from bot.client import OnModelBot
from bot.services.cast import NewCharacter
from cogs.character_desk import CharacterDesk
from cogs.character_owners import CharacterOwners
from cogs.entry import (
    SHOT_TYPES,
    Interaction,
    acknowledge,
    actor_of,
    for_everyone,
    picture_for,
    present,
    read_uploads,
    reply,
    suggest_appearances,
    suggest_characters,
)
from cogs.forms import AddPictures, ColorButton, ColorMenu, RegisterForm, begin, tell_lost
from cogs.quests import QuestButton, QuestCommands, QuestIdeas, QuestList
from cogs.ui.card import Card
from cogs.ui.cast_cards import registered_card, sheet_card, sheet_words
from cogs.ui.limits import plain
from cogs.ui.notices import cast_card, done
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import NEUTRAL
from cogs.ui.words import hear, say, say_n
from pipeline.domain.character import ShotType
from pipeline.quality.sheet_pdf import Paper

Attachment = discord.Attachment


class CharacterCog(
    CharacterDesk,
    CharacterOwners,
    QuestCommands,
    group_name="character",
    group_description="The cast of the comic",
):
    """Registration and the model sheet."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    @app_commands.command(description="Add a character to the cast, with one to five pictures")
    @app_commands.describe(
        name="What the character is called",
        image="A picture of the character alone, best with a transparent or plain ground",
        image2="Another picture",
        image3="Another picture",
        image4="Another picture",
        image5="Another picture",
        appearance="What this look is called, for instance school uniform",
        shot_type="How much of the figure the pictures show",
        notes="What an artist must know: scars, habits, proportions",
    )
    @app_commands.choices(shot_type=SHOT_TYPES)
    async def register(
        self,
        interaction: Interaction,
        name: app_commands.Range[str, 1, 80],
        image: Attachment,
        image2: Attachment | None = None,
        image3: Attachment | None = None,
        image4: Attachment | None = None,
        image5: Attachment | None = None,
        appearance: app_commands.Range[str, 1, 80] | None = None,
        shot_type: str | None = None,
        notes: app_commands.Range[str, 1, 500] = "",
    ) -> None:
        """Register a character; the person who does it owns it."""
        await acknowledge(interaction)
        registration = await self.bot.app.cast.register(
            await actor_of(interaction),
            NewCharacter(
                name,
                appearance=appearance,
                shot_type=ShotType(shot_type) if shot_type else None,
                notes=notes,
            ),
            await read_uploads((image, image2, image3, image4, image5)),
        )
        await reply(interaction, registered_card(registration, new=True))

    @app_commands.command(
        name="register-form", description="Add a character with up to ten pictures, in a window"
    )
    @app_commands.describe(
        name="What the character is called",
        appearance="What this look is called, for instance school uniform",
    )
    async def register_form(
        self,
        interaction: Interaction,
        name: app_commands.Range[str, 1, 80],
        appearance: app_commands.Range[str, 1, 80] | None = None,
    ) -> None:
        """Open the window, unless the name is taken; it must be the first answer."""
        hear(interaction)
        await self.bot.app.cast.check_name(await actor_of(interaction), name)
        await interaction.response.send_modal(RegisterForm(name, appearance))

    @app_commands.command(
        name="add-reference", description="Add pictures to a character; a new look starts so too"
    )
    @app_commands.describe(
        character="Whose pictures these are",
        image="A picture of the character alone",
        image2="Another picture",
        image3="Another picture",
        image4="Another picture",
        image5="Another picture",
        appearance="Which look; a new name starts a new look",
        shot_type="How much of the figure the pictures show",
    )
    @app_commands.choices(shot_type=SHOT_TYPES)
    @app_commands.autocomplete(character=suggest_characters, appearance=suggest_appearances)
    async def add_reference(
        self,
        interaction: Interaction,
        character: str,
        image: Attachment,
        image2: Attachment | None = None,
        image3: Attachment | None = None,
        image4: Attachment | None = None,
        image5: Attachment | None = None,
        appearance: app_commands.Range[str, 1, 80] | None = None,
        shot_type: str | None = None,
    ) -> None:
        """Add references; its owner and moderators may."""
        await acknowledge(interaction)
        registration = await self.bot.app.cast.add_references(
            await actor_of(interaction),
            character,
            await read_uploads((image, image2, image3, image4, image5)),
            appearance=appearance,
            shot_type=ShotType(shot_type) if shot_type else None,
        )
        await reply(interaction, registered_card(registration, new=False))

    @app_commands.command(description="The model sheet of a character as a picture")
    @app_commands.describe(
        character="Whose sheet",
        appearance="Which look",
        paper="A file to print instead of a picture",
    )
    @app_commands.choices(
        paper=[app_commands.Choice(name=f"PDF, {p.value}", value=p.value) for p in Paper]
    )
    @app_commands.autocomplete(character=suggest_characters, appearance=suggest_appearances)
    async def sheet(
        self,
        interaction: Interaction,
        character: str,
        appearance: str | None = None,
        paper: str | None = None,
    ) -> None:
        """Show the model sheet to everyone in the channel."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        sheets = self.bot.app.sheets
        if paper is not None:
            pdf = await sheets.pdf(actor, character, appearance, Paper(paper))
            with await for_everyone(interaction):
                alt = say("Model sheet of {character} to print", character=character)
                card = Card(NEUTRAL).heading(say("📐 Model sheet to print"))
            await present(interaction, card.file(Picture("model-sheet.pdf", alt, pdf)))
            return
        sheet = await sheets.draw(actor, character, appearance)
        with await for_everyone(interaction):
            alt = sheet_words(sheet)
            picture = await picture_for(interaction, "model-sheet", alt, sheet.png)
            card = sheet_card(sheet, picture)
        await present(interaction, card)

    @app_commands.command(name="list", description="Everyone in the cast")
    async def list_all(self, interaction: Interaction) -> None:
        """List the cast."""
        await acknowledge(interaction)
        entries = await self.bot.app.cast.entries(await actor_of(interaction))
        await reply(interaction, cast_card(entries))

    @app_commands.command(description="Remove a character with all its pictures, for good")
    @app_commands.describe(character="Who leaves the cast")
    @app_commands.autocomplete(character=suggest_characters)
    async def delete(self, interaction: Interaction, character: str) -> None:
        """Remove a character; its owner and moderators may."""
        await acknowledge(interaction)
        gone = await self.bot.app.cast.delete(await actor_of(interaction), character)
        name = plain(gone.character.name, 60)
        lines = [
            say_n(
                "{n} picture was removed too, with all that was computed from it.",
                "{n} pictures were removed too, with all that was computed from them.",
                gone.references,
            )
        ]
        if gone.backups:
            lines.append(
                say("Older backups of the database were deleted with them ({n}).", n=gone.backups)
            )
        if not gone.clean:
            lines.append(
                say("Their bytes leave the database file when its other readers let go of it.")
            )
        title = say("{name} has left the cast", name=name)
        await reply(interaction, done(title, "\n".join(lines)))


async def setup(bot: OnModelBot) -> None:
    """Add the buttons and the cog."""
    begin()
    bot.add_listener(tell_lost, "on_interaction")
    bot.add_dynamic_items(AddPictures, ColorButton, ColorMenu, QuestButton, QuestIdeas, QuestList)
    await bot.add_cog(CharacterCog(bot))
