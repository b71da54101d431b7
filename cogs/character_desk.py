"""The rest of ``/character``: coverage, edits, and characters that travel."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from bot.services.edits import CharacterEdit, LookEdit, parse_range
from bot.services.registry import ReferenceEdit
from cogs.entry import (
    SHOT_TYPES,
    Interaction,
    acknowledge,
    actor_of,
    picture_for,
    reply,
    suggest_appearances,
    suggest_characters,
)
from cogs.suggest import suggest_components, suggest_expressions, suggest_references
from cogs.ui.card import Card
from cogs.ui.limits import clip, plain
from cogs.ui.pictures import DEFAULT_LIMIT, Picture
from cogs.ui.quest_cards import heat_words
from cogs.ui.registry_cards import coverage_card, imported_card, look_card
from cogs.ui.suggested import suggestion_rows
from cogs.ui.verdicts import GOOD
from cogs.ui.words import say
from pipeline.domain.character import EntryKind, ShotType
from pipeline.domain.errors import InvalidInput, LimitReached
from pipeline.domain.vocabulary import ANGLES, parse_components
from pipeline.registry.package import MAX_PACKAGE_BYTES, SUFFIX

if TYPE_CHECKING:
    from bot.client import OnModelBot

_KINDS = [app_commands.Choice(name=kind.value, value=kind.value) for kind in EntryKind]
_ANGLES = [app_commands.Choice(name=a.replace("_", " "), value=a) for a in ANGLES]
_SUGGESTIONS = [
    app_commands.Choice(name="accept them", value="accept"),
    app_commands.Choice(name="drop them", value="drop"),
]
_HEADROOM = 64 * 1024


class CharacterDesk(commands.GroupCog, group_name="character"):
    """Commands that :class:`cogs.characters.CharacterCog` offers beside its own."""

    bot: "OnModelBot"

    @app_commands.command(description="What the references show, and what is still needed")
    @app_commands.describe(character="Whose references")
    @app_commands.autocomplete(character=suggest_characters)
    async def coverage(self, interaction: Interaction, character: str) -> None:
        """Show readiness, the heat map and what is missing."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        service = self.bot.app.registry
        coverage = await service.coverage(actor, character)
        png = await service.coverage_sheet(actor, coverage.character_id)
        alt = say("References of {name} by shot type, angle and expression", name=coverage.name)
        picture = await picture_for(interaction, "coverage", alt, png)
        heat = await self.bot.app.quests.heat(actor, coverage.character_id)
        told = heat_words(coverage.name, heat)
        warmth = await picture_for(interaction, "coverage-heat", told, heat.png)
        await reply(interaction, coverage_card(coverage, picture, warmth))

    @app_commands.command(description="Describe a character, one of its looks or a reference")
    @app_commands.describe(
        character="Who is described",
        appearance="Which look; without it the first one",
        components="hair_color=navy, accessory=ribbon_red; an empty value removes: prop=",
        suggestions="What to do with what the pictures suggested",
        valid="Where the look is worn: 2-4 for chapters, 2:5-3:1 for pages, all for always",
        version="Version of the costume or prop",
        colorway="The colour variant of the look",
        notes="What an artist must know of the character",
        name="A new name",
        kind="Character, prop, location or style",
        height="Height relative to an adult, who is 1",
        credits="Whose art it is",
        license="What others may do with it, for instance CC BY 4.0",
        reference="Number of a picture to describe",
        shot_type="How much of the figure that picture shows",
        angle="From where that picture shows it",
        expression="The expression in that picture",
    )
    @app_commands.choices(
        suggestions=_SUGGESTIONS, kind=_KINDS, shot_type=SHOT_TYPES, angle=_ANGLES
    )
    @app_commands.autocomplete(
        character=suggest_characters,
        appearance=suggest_appearances,
        components=suggest_components,
        reference=suggest_references,
        expression=suggest_expressions,
    )
    async def edit(
        self,
        interaction: Interaction,
        character: str,
        appearance: str | None = None,
        components: app_commands.Range[str, 1, 500] | None = None,
        suggestions: str | None = None,
        valid: app_commands.Range[str, 1, 40] | None = None,
        version: app_commands.Range[int, 1, 999] | None = None,
        colorway: app_commands.Range[str, 0, 80] | None = None,
        notes: app_commands.Range[str, 0, 500] | None = None,
        name: app_commands.Range[str, 1, 80] | None = None,
        kind: str | None = None,
        height: app_commands.Range[float, 0.05, 5.0] | None = None,
        credits: app_commands.Range[str, 0, 500] | None = None,  # noqa: A002 - the option's name
        license: app_commands.Range[str, 0, 120] | None = None,  # noqa: A002 - the option's name
        reference: app_commands.Range[int, 1] | None = None,
        shot_type: str | None = None,
        angle: str | None = None,
        expression: app_commands.Range[str, 1, 40] | None = None,
    ) -> None:
        """Change what is said of a character; its owner and moderators may."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        service = self.bot.app.registry
        of_picture = _reference_edit(shot_type, angle, expression)
        if of_picture is not None and reference is None:
            raise InvalidInput("Say which picture: reference:12. Numbers are in /appearance split.")
        look_edit = LookEdit(
            components=parse_components(components) if components else None,
            valid=parse_range(valid) if valid else None,
            version=version,
            colorway=colorway,
            take_suggestions=suggestions == "accept",
            drop_suggestions=suggestions == "drop",
        )
        change = CharacterEdit(
            name, notes, EntryKind(kind) if kind else None, height, credits, license
        )
        if reference is not None:
            await service.describe_reference(
                actor, character, reference, of_picture or ReferenceEdit()
            )
        made = await service.edit(actor, character, change, appearance, look_edit)
        marks = await self.bot.app.marks.all(
            actor, made.character.character_id, made.look.appearance_id
        )
        title = say("{name} is up to date", name=plain(made.character.name, 60))
        card = look_card(title, made.character, made.look, marks)
        await reply(interaction, suggestion_rows(card, made.look))

    @app_commands.command(description="A character as a file for another server or studio")
    @app_commands.describe(character="Who travels")
    @app_commands.autocomplete(character=suggest_characters)
    async def export(self, interaction: Interaction, character: str) -> None:
        """Send the package to its owner or a moderator, in private."""
        await acknowledge(interaction)
        name, data = await self.bot.app.packages.export(await actor_of(interaction), character)
        limit = (interaction.filesize_limit or DEFAULT_LIMIT) - _HEADROOM
        if len(data) > limit:
            raise LimitReached(
                f"The package has {len(data) / 2**20:.1f} MiB, more than this server takes. "
                "Export it from a shell: onmodel cast export."
            )
        file = Picture(name, say("Character package of {character}", character=character), data)
        card = Card(GOOD).heading(f"📦 {plain(name, 80)}").file(file)
        await reply(interaction, card.small(say("Add it elsewhere with /character import.")))

    @app_commands.command(name="import", description="Add a character from a package")
    @app_commands.describe(
        file="A file that /character export made", name="Another name for the character here"
    )
    async def import_package(
        self,
        interaction: Interaction,
        file: discord.Attachment,
        name: app_commands.Range[str, 1, 80] | None = None,
    ) -> None:
        """Register the character of a package; who imports it owns it here."""
        await acknowledge(interaction)
        data = await _read_package(file)
        done = await self.bot.app.packages.load(await actor_of(interaction), data, name)
        await reply(interaction, imported_card(done))


def _reference_edit(
    shot_type: str | None, angle: str | None, expression: str | None
) -> ReferenceEdit | None:
    if shot_type is None and angle is None and expression is None:
        return None
    return ReferenceEdit(ShotType(shot_type) if shot_type else None, angle, expression)


async def _read_package(attachment: discord.Attachment) -> bytes:
    """The bytes of a package.

    Raises:
        InvalidInput: it is called otherwise, or gone.
        LimitReached: it is too large (told by Discord, so nothing is downloaded).
    """
    shown = clip(attachment.filename, 60)
    if not attachment.filename.lower().endswith(SUFFIX):
        raise InvalidInput(f"{shown} is no character package; those end in {SUFFIX}.")
    if attachment.size > MAX_PACKAGE_BYTES:
        raise LimitReached(f"{shown} is larger than {MAX_PACKAGE_BYTES // 2**20} MiB.")
    try:
        return await attachment.read()
    except discord.NotFound as error:
        raise InvalidInput(f"Discord no longer has {shown}. Send it again.") from error
