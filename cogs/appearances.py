"""``/appearance``: the looks of the cast, and how references are sorted into them."""

import re

from discord import app_commands
from discord.ext import commands

from bot.client import OnModelBot
from bot.services.edits import LookEdit, parse_range
from cogs.entry import (
    Interaction,
    acknowledge,
    actor_of,
    picture_for,
    reply,
    suggest_appearances,
    suggest_characters,
)
from cogs.suggest import suggest_components, suggest_marks, suggest_pages, suggest_references
from cogs.ui.limits import plain
from cogs.ui.notices import done
from cogs.ui.registry_cards import (
    history_card,
    look_card,
    preview_card,
    reshaped_card,
    wardrobe_card,
)
from cogs.ui.words import mark, retell, say
from pipeline.domain.errors import InvalidInput
from pipeline.domain.story import LAST_PAGE
from pipeline.domain.vocabulary import parse_components

StoryNumber = app_commands.Range[int, 1, LAST_PAGE]
_SIDES = [app_commands.Choice(name=side, value=side) for side in ("left", "right", "center")]
_AGAIN = mark("Repeat the command with confirm:True to do it. It can be taken back afterwards.")


class AppearanceCog(
    commands.GroupCog, group_name="appearance", group_description="The looks of the cast"
):
    """Adding, merging and splitting looks; marks; history."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    @app_commands.command(description="Start a look: an outfit, a season, a new version")
    @app_commands.describe(
        character="Whose look it is",
        name="What the look is called, for instance winter coat",
        like="A look whose description it begins with; it counts as the next version",
        components="What differs: hair_color=navy, accessory=ribbon_red, prop=katana_v2",
        valid="Where it is worn: 2-4 for chapters, 2:5-3:1 for pages, 3- for from there on",
        colorway="The colour variant, for instance night",
        notes="What an artist must know",
    )
    @app_commands.autocomplete(
        character=suggest_characters, like=suggest_appearances, components=suggest_components
    )
    async def add(
        self,
        interaction: Interaction,
        character: str,
        name: app_commands.Range[str, 1, 80],
        like: str | None = None,
        components: app_commands.Range[str, 1, 500] | None = None,
        valid: app_commands.Range[str, 1, 40] | None = None,
        colorway: app_commands.Range[str, 1, 80] | None = None,
        notes: app_commands.Range[str, 1, 500] | None = None,
    ) -> None:
        """Start a look without pictures; its owner and moderators may."""
        await acknowledge(interaction)
        made = await self.bot.app.registry.add_look(
            await actor_of(interaction),
            character,
            name,
            like,
            LookEdit(
                components=parse_components(components) if components else None,
                valid=parse_range(valid) if valid else None,
                colorway=colorway,
                notes=notes,
            ),
        )
        card = look_card(
            say("{look} is there", look=plain(made.look.label, 60)), made.character, made.look, ()
        )
        await reply(interaction, card.small(say("Add pictures with /character add-reference.")))

    @app_commands.command(description="Move some references of a look into a new one")
    @app_commands.describe(
        character="Whose look it is",
        appearance="The look that holds too much",
        name="What the new look is called",
        references="Numbers of the references to move; without them the pictures are grouped",
        confirm="Without it you see what would move, and nothing is done",
    )
    @app_commands.autocomplete(character=suggest_characters, appearance=suggest_appearances)
    async def split(
        self,
        interaction: Interaction,
        character: str,
        appearance: str,
        name: app_commands.Range[str, 1, 80],
        references: app_commands.Range[str, 1, 400] | None = None,
        confirm: bool = False,
    ) -> None:
        """Split a look; its owner and moderators may."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        service = self.bot.app.reshaping
        chosen = read_numbers(references or "")
        if confirm:
            split = await service.split(actor, character, appearance, name, chosen)
            title = say("{look} was split", look=split.source)
            await reply(interaction, reshaped_card(title, split))
            return
        preview = await service.preview_split(actor, character, appearance, chosen)
        alt = say(
            "References of {look}: those that stay, and those that would move", look=preview.source
        )
        picture = await picture_for(interaction, "split-preview", alt, preview.picture)
        numbers = ", ".join(map(str, preview.go))
        others = say("To move others, name them: {command}", command=f"references:{numbers}")
        how = f"{say(_AGAIN)} {others}"
        title = say("Splitting {look}", look=preview.source)
        await reply(interaction, preview_card(title, preview, picture, how))

    @app_commands.command(description="Put all references of one look under another")
    @app_commands.describe(
        character="Whose looks they are",
        source="The look that goes; its name leads to the other from then on",
        target="The look that takes its references and keeps its own description",
        confirm="Without it you see what would move, and nothing is done",
    )
    @app_commands.autocomplete(
        character=suggest_characters, source=suggest_appearances, target=suggest_appearances
    )
    async def merge(
        self,
        interaction: Interaction,
        character: str,
        source: str,
        target: str,
        confirm: bool = False,
    ) -> None:
        """Merge two looks; their owner and moderators may."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        service = self.bot.app.reshaping
        if confirm:
            merged = await service.merge(actor, character, source, target)
            title = say("{source} is part of {target}", source=merged.source, target=merged.target)
            await reply(interaction, reshaped_card(title, merged))
            return
        preview = await service.preview_merge(actor, character, source, target)
        alt = say(
            "References of {target}, and those of {source} that would join them",
            target=preview.target,
            source=preview.source,
        )
        picture = await picture_for(interaction, "merge-preview", alt, preview.picture)
        title = say("Merging {source} into {target}", source=preview.source, target=preview.target)
        await reply(interaction, preview_card(title, preview, picture, say(_AGAIN)))

    @app_commands.command(description="Who wears what in a chapter")
    @app_commands.describe(
        chapter="Which; the one that is being drawn unless you say otherwise",
        page="Which page of it; clothes may change within a chapter",
    )
    @app_commands.autocomplete(page=suggest_pages)
    async def wardrobe(
        self,
        interaction: Interaction,
        chapter: StoryNumber | None = None,
        page: StoryNumber | None = None,
    ) -> None:
        """Show the whole cast and its looks at a place of the story."""
        await acknowledge(interaction)
        worn = await self.bot.app.registry.wardrobe(await actor_of(interaction), chapter, page)
        await reply(interaction, wardrobe_card(worn))

    @app_commands.command(description="What was changed, and taking the last change back")
    @app_commands.describe(
        character="Whose looks", undo="Take back the newest change that still stands"
    )
    @app_commands.autocomplete(character=suggest_characters)
    async def history(self, interaction: Interaction, character: str, undo: bool = False) -> None:
        """Show the history; with ``undo`` the owner and moderators take the last change back."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        if undo:
            event = await self.bot.app.reshaping.undo(actor, character)
            await reply(interaction, done(say("Taken back"), plain(retell(event.summary), 200)))
            return
        events = await self.bot.app.registry.history(actor, character)
        await reply(interaction, history_card(character, events))

    @app_commands.command(description="Name something that must never be lost: a scar, an emblem")
    @app_commands.describe(
        character="Who bears it",
        name="What it is, for instance scar over the brow",
        reference="Number of the reference that shows it best; 0 forgets the mark",
        region="Left, top, right, bottom in pixels of the reference, or percent: 40%,10%,60%,20%",
        side="On which side of the body",
    )
    @app_commands.choices(side=_SIDES)
    @app_commands.autocomplete(
        character=suggest_characters, name=suggest_marks, reference=suggest_references
    )
    async def mark(
        self,
        interaction: Interaction,
        character: str,
        name: app_commands.Range[str, 1, 80],
        reference: app_commands.Range[int, 0] = 0,
        region: app_commands.Range[str, 1, 60] | None = None,
        side: str = "",
    ) -> None:
        """Add or forget a mark; its owner and moderators may."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        service = self.bot.app.marks
        if not reference:
            gone = await service.remove(actor, character, name)
            await reply(interaction, done(say("Mark forgotten"), plain(gone[0].name, 80)))
            return
        if region is None:
            raise InvalidInput("Say where the mark is: region:40%,10%,60%,20%.")
        made = await service.add(actor, character, reference, name=name, region=region, side=side)
        words = say(
            "On reference {reference}, pixels {box}.",
            reference=f"#{made.reference_id}",
            box=", ".join(map(str, made.box)),
        )
        await reply(interaction, done(say("{mark} is kept", mark=plain(made.name, 60)), words))


def read_numbers(text: str) -> list[int]:
    """Reference numbers as people type them: ``12, #15 18``.

    Raises:
        InvalidInput: something else is among them.
    """
    words = re.split(r"[\s,;]+", text.strip()) if text.strip() else []
    numbers = [word.removeprefix("#") for word in words if word]
    if not all(re.fullmatch(r"[0-9]{1,15}", number) for number in numbers):
        raise InvalidInput("References are numbers with commas between them: 12, 15, 18.")
    return [int(number) for number in numbers]


async def setup(bot: OnModelBot) -> None:
    """Add the cog."""
    await bot.add_cog(AppearanceCog(bot))
