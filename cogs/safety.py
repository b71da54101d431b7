"""``/safety``: what a server does not want, and who looks at it."""

import re
from typing import Any, Self

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.client import OnModelBot
from bot.services.safety import LEAST_PERCENT
from cogs.entry import Interaction, acknowledge, actor_of, reply, whisper
from cogs.ui import ids
from cogs.ui.errors import answered
from cogs.ui.limits import CHOICES
from cogs.ui.notices import done
from cogs.ui.safety_cards import safety_card, words_card
from cogs.ui.words import say, say_n
from pipeline.domain.safety import Restricted

_RESTRICTED = [
    app_commands.Choice(name="a moderator looks first, as anywhere", value="review"),
    app_commands.Choice(name="post them there, behind a spoiler", value="allow"),
]


class HeldButton(ui.DynamicItem[ui.Button[Any]], template=ids.HELD):
    """Allow and Refuse, on the card of a picture that waits."""

    def __init__(self, item: ui.Button[Any], verb: str, held_id: int) -> None:
        super().__init__(item)
        self.verb = verb
        self.held_id = held_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone."""
        assert isinstance(item, ui.Button)
        return cls(item, match["verb"], int(match["held"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Decide; the card changes through the outbox."""
        await answered(interaction, self._clicked(interaction))

    async def _clicked(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        actor, allow = await actor_of(interaction), self.verb == "allow"
        await interaction.client.app.safety.decide(actor, self.held_id, allow=allow)
        words = say("The picture is allowed") if allow else say("The picture is refused")
        await whisper(interaction, done(words))


class SafetyCog(
    commands.GroupCog, group_name="safety", group_description="What this server does not want"
):
    """Commands of moderators; the service checks that they are."""

    words = app_commands.Group(name="words", description="Words that this server does not want")

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    @app_commands.command(name="settings", description="What is flagged, and what looks at it")
    @app_commands.describe(
        flag_from="From how many percent a picture waits for a moderator; 80 unless you say so",
        restricted_channels="What happens with such pictures in age-restricted channels",
    )
    @app_commands.choices(restricted_channels=_RESTRICTED)
    async def settings(
        self,
        interaction: Interaction,
        flag_from: app_commands.Range[int, LEAST_PERCENT, 100] | None = None,
        restricted_channels: str | None = None,
    ) -> None:
        """Change what is given; without options, show what holds."""
        await acknowledge(interaction)
        actor, app = await actor_of(interaction), self.bot.app
        actor.require_moderator("see what is flagged")
        rules = await app.safety.rules(actor.guild_id)
        if flag_from is not None or restricted_channels is not None:
            chosen = Restricted(restricted_channels) if restricted_channels else None
            rules = await app.safety.change(actor, flag_percent=flag_from, restricted=chosen)
        words = len(await app.words.words(actor))
        await reply(interaction, safety_card(rules, app.safety.sees, words))

    @words.command(name="add", description="Refuse words in prompts, names, notes and dialogue")
    @app_commands.describe(words="With commas between them; * at an end also finds it inside words")
    async def add(self, interaction: Interaction, words: app_commands.Range[str, 1, 1000]) -> None:
        """Add words to the list."""
        await acknowledge(interaction)
        count = await self.bot.app.words.add(await actor_of(interaction), words)
        title = say_n("{n} word is on the list now", "{n} words are on the list now", count)
        about = say(
            "They are found in any writing: capitals, marks, digits for letters and signs between "
            "letters do not hide them. What was written before stays."
        )
        await reply(interaction, done(title, about))

    @words.command(name="remove", description="Allow a word again")
    @app_commands.describe(word="The word as it stands on the list")
    async def remove(self, interaction: Interaction, word: app_commands.Range[str, 1, 60]) -> None:
        """Take a word off the list."""
        await acknowledge(interaction)
        await self.bot.app.words.remove(await actor_of(interaction), word)
        await reply(interaction, done(say("The word is off the list")))

    @remove.autocomplete("word")
    async def suggest_words(
        self, interaction: Interaction, current: str
    ) -> list[app_commands.Choice[str]]:
        """Suggest words of the list, to moderators only."""
        actor = await actor_of(interaction)
        listed = await self.bot.app.words.words(actor) if actor.moderates else []
        near = [word for word in listed if current.casefold() in word.casefold()]
        return [app_commands.Choice(name=word, value=word) for word in near[:CHOICES]]

    @words.command(name="list", description="The words that are refused, for moderators only")
    async def list_words(self, interaction: Interaction) -> None:
        """Show the list behind spoiler marks."""
        await acknowledge(interaction)
        words = await self.bot.app.words.words(await actor_of(interaction))
        await reply(interaction, words_card(words))


async def setup(bot: OnModelBot) -> None:
    """Add the buttons and the cog."""
    bot.add_dynamic_items(HeldButton)
    await bot.add_cog(SafetyCog(bot))
