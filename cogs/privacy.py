"""``/privacy``: what a person may ask about themselves, and consents to a real likeness."""

import logging
import re
from typing import Any, Self

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.client import OnModelBot
from cogs.entry import (
    Interaction,
    acknowledge,
    actor_of,
    for_everyone,
    present,
    reply,
    suggest_characters,
    whisper,
)
from cogs.ui import ids
from cogs.ui.errors import answered
from cogs.ui.notices import done
from cogs.ui.pictures import DEFAULT_LIMIT, Picture
from cogs.ui.privacy_cards import (
    consent_card,
    consents_card,
    export_card,
    foretold_card,
    proof_card,
)
from cogs.ui.words import say
from pipeline.domain.errors import InvalidInput, NotAllowed
from pipeline.domain.privacy import ConsentScope

log = logging.getLogger(__name__)

# Old messages beyond these stay: Discord lets a bot delete a few per second only.
_MOST_MESSAGES = 50
_LONGEST = 3 * 365
_SCOPES = [
    app_commands.Choice(name="be drawn in this server", value="draw"),
    app_commands.Choice(name="be drawn, and a model may be trained", value="train"),
]


class ForgetButton(ui.DynamicItem[ui.Button[Any]], template=ids.FORGET):
    """Forgets the person who asked, and nobody else."""

    def __init__(self, item: ui.Button[Any], member_id: int, *, references: bool) -> None:
        super().__init__(item)
        self.member_id = member_id
        self.references = references

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone."""
        assert isinstance(item, ui.Button)
        return cls(item, int(match["member"]), references=match["references"] == "1")

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Erase, then show the proof in place of the question."""
        await answered(interaction, self._clicked(interaction))

    async def _clicked(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        actor = await actor_of(interaction)
        if actor.member_id != self.member_id:
            raise NotAllowed("Only the person who asked can confirm this. Use /privacy delete.")
        proof = await interaction.client.app.privacy.forget(actor, references=self.references)
        posts = proof.forgotten.posts
        unreachable = await remove_messages(interaction.client, actor.guild_id, posts)
        card = proof_card(proof, unreachable)
        await interaction.edit_original_response(view=card.view())


class ConsentButton(ui.DynamicItem[ui.Button[Any]], template=ids.CONSENT):
    """Agree, Refuse and Withdraw; the service lets only the person who is shown answer."""

    def __init__(self, item: ui.Button[Any], verb: str, consent_id: int) -> None:
        super().__init__(item)
        self.verb = verb
        self.consent_id = consent_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone."""
        assert isinstance(item, ui.Button)
        return cls(item, match["verb"], int(match["consent"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Write the answer down and show it on the card."""
        await answered(interaction, self._clicked(interaction))

    async def _clicked(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        actor = await actor_of(interaction)
        agrees = self.verb == "agree"
        app = interaction.client.app
        consent, gone = await app.consent.answer(actor, self.consent_id, agrees=agrees)
        with await for_everyone(interaction):
            card = consent_card(consent)
        await interaction.edit_original_response(view=card.view())
        if agrees:
            words = say("You can withdraw it at any time: /privacy consent.")
        else:
            words = say(
                "References erased, with all that was computed from them: {references}. Jobs "
                "stopped: {jobs}. Accepted panels of which the moderators decide whether they may "
                "stay: {panels}.",
                references=gone.references,
                jobs=gone.jobs,
                panels=len(gone.panels),
            )
        await whisper(interaction, done(say("Written down"), words))


async def remove_messages(
    bot: OnModelBot, guild_id: int, posts: tuple[tuple[int, int], ...]
) -> int:
    """Delete our own messages about what was erased; returns how many could not be."""
    chosen = list(dict.fromkeys(posts))
    left = len(chosen[_MOST_MESSAGES:])
    for channel_id, message_id in chosen[:_MOST_MESSAGES]:
        channel = bot.get_partial_messageable(channel_id, guild_id=guild_id)
        try:
            await channel.get_partial_message(message_id).delete()
        except discord.NotFound:
            continue  # somebody was quicker
        except discord.HTTPException as kept:
            log.info("message %d stays: %s", message_id, kept, extra={"action": "erase"})
            left += 1
    return left


class PrivacyCog(
    commands.GroupCog, group_name="privacy", group_description="What is kept about you here"
):
    """Commands of everybody about themselves."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    @app_commands.command(description="Everything about you in this server, as a file for you")
    async def export(self, interaction: Interaction) -> None:
        """Send the person's data in private, in as many parts as uploads need."""
        await acknowledge(interaction)
        limit = interaction.filesize_limit or DEFAULT_LIMIT
        export = await self.bot.app.privacy.export(await actor_of(interaction), limit)
        for number, (name, data) in enumerate(export.parts, start=1):
            card = export_card(export, number, Picture(name, say("Your data"), data))
            if number == 1:
                await reply(interaction, card)
            else:
                await whisper(interaction, card)

    @app_commands.command(description="Be forgotten in this server; shows first what that means")
    async def delete(self, interaction: Interaction) -> None:
        """Show what would go and what stays; a button does it."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        told = await self.bot.app.privacy.foretell(actor)
        await reply(interaction, foretold_card(told, actor.member_id))

    @app_commands.command(description="Consents to a real person's likeness: yours, or ask for one")
    @app_commands.describe(
        character="The character that shows a real person",
        person="Whose likeness it is; only they can answer",
        scope="What you ask for; to be drawn in this server unless you say otherwise",
        days="For how long; a year unless you say otherwise",
    )
    @app_commands.autocomplete(character=suggest_characters)
    @app_commands.choices(scope=_SCOPES)
    async def consent(
        self,
        interaction: Interaction,
        character: str | None = None,
        person: discord.Member | None = None,
        scope: str = "draw",
        days: app_commands.Range[int, 1, _LONGEST] = 365,
    ) -> None:
        """Ask a person, or without options list one's own consents."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        if character is None and person is None:
            mine = await self.bot.app.consent.mine(actor)
            await reply(interaction, consents_card(mine, actor.member_id))
            return
        if character is None or person is None:
            raise InvalidInput("Say both: the character, and the person whose likeness it is.")
        if person.bot:
            raise InvalidInput("A bot is no person; choose whose likeness it is.")
        asked = await self.bot.app.consent.ask(
            actor, character, person.id, ConsentScope(scope), days
        )
        with await for_everyone(interaction):
            card = consent_card(asked)
        await present(interaction, card)


async def setup(bot: OnModelBot) -> None:
    """Add the buttons and the cog."""
    bot.add_dynamic_items(ForgetButton, ConsentButton)
    await bot.add_cog(PrivacyCog(bot))
