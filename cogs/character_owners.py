"""Whose a character is: ``/character owners``, ``transfer`` and ``access``."""

from typing import TYPE_CHECKING

import discord
from discord import app_commands
from discord.ext import commands

from cogs.entry import (
    Interaction,
    acknowledge,
    actor_of,
    for_everyone,
    present,
    reply,
    suggest_characters,
)
from cogs.ui.access_cards import ownership_card
from cogs.ui.limits import plain
from cogs.ui.words import say
from pipeline.domain.access import AccessRule, Circle, Deed
from pipeline.domain.errors import InvalidInput

if TYPE_CHECKING:
    from bot.client import OnModelBot

_OPEN = [
    app_commands.Choice(name="everyone", value="everyone"),
    app_commands.Choice(name="members with a role", value="role"),
    app_commands.Choice(name="owner, co-owners and moderators", value="owners"),
]
_OPEN_OR_SHUT = [*_OPEN, app_commands.Choice(name="nobody", value="nobody")]
_TRAIN = [
    app_commands.Choice(name="allowed", value="owners"),
    app_commands.Choice(name="not allowed", value="nobody"),
]


class CharacterOwners(commands.GroupCog, group_name="character"):
    """Commands that :class:`cogs.characters.CharacterCog` offers beside its own."""

    bot: "OnModelBot"

    @app_commands.command(description="Whose a character is, and who may do what with it")
    @app_commands.describe(
        character="Whose owners",
        add="A member who shall own it too: edit, export, ask for it",
        remove="A co-owner who shall not any more; you may remove yourself",
    )
    @app_commands.autocomplete(character=suggest_characters)
    async def owners(
        self,
        interaction: Interaction,
        character: str,
        add: discord.Member | None = None,
        remove: discord.Member | discord.User | None = None,
    ) -> None:
        """Show the owners; its owner and moderators add and remove co-owners."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        service = self.bot.app.access
        if add is not None and remove is not None:
            raise InvalidInput("Add one member or remove one, not both at once.")
        if add is not None:
            held = await service.share(actor, character, _person(add))
        elif remove is not None:
            held = await service.unshare(actor, character, remove.id)
        else:
            held = await service.show(actor, character)
        await reply(interaction, ownership_card(held))

    @app_commands.command(description="Give a character to another member; you stay a co-owner")
    @app_commands.describe(character="Which character", member="Who owns it from now on")
    @app_commands.autocomplete(character=suggest_characters)
    async def transfer(
        self, interaction: Interaction, character: str, member: discord.Member
    ) -> None:
        """Give it away, and tell the channel; its owner and moderators may."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        held = await self.bot.app.access.transfer(actor, character, _person(member))
        name = plain(held.character.name, 60)
        with await for_everyone(interaction):
            card = ownership_card(held, say("{name} has a new owner", name=name))
        await present(interaction, card)

    @app_commands.command(description="Who may ask for panels of a character, edit it, train on it")
    @app_commands.describe(
        character="Which character",
        request="Who may ask for panels of it and hand them in",
        edit="Who may add pictures to it and describe it",
        train="Whether a model may learn it",
        role="The role, where you chose members with a role",
    )
    @app_commands.choices(request=_OPEN_OR_SHUT, edit=_OPEN, train=_TRAIN)
    @app_commands.autocomplete(character=suggest_characters)
    async def access(
        self,
        interaction: Interaction,
        character: str,
        request: str | None = None,
        edit: str | None = None,
        train: str | None = None,
        role: discord.Role | None = None,
    ) -> None:
        """Open or keep a character; its owner and moderators may."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        service = self.bot.app.access
        said = {Deed.REQUEST: request, Deed.EDIT: edit, Deed.TRAIN: train}
        rules = {
            deed: AccessRule(
                Circle(word), role.id if role and Circle(word) is Circle.ROLE else None
            )
            for deed, word in said.items()
            if word is not None
        }
        if role is not None and not any(r.circle is Circle.ROLE for r in rules.values()):
            raise InvalidInput("Say what the role is for: request or edit, “members with a role”.")
        held = await service.open_to(actor, character, rules)
        await reply(interaction, ownership_card(held))


def _person(member: discord.Member) -> int:
    """The id of a member who is no bot.

    Raises:
        InvalidInput: it is one.
    """
    if member.bot:
        raise InvalidInput("A bot owns nothing; choose a member.")
    return member.id
