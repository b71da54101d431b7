"""``/safety``: what a server does not want, and who looks at it."""

from discord import app_commands
from discord.ext import commands

from bot.client import OnModelBot
from cogs.entry import Interaction, acknowledge, actor_of, reply
from cogs.ui.limits import CHOICES
from cogs.ui.notices import done
from cogs.ui.safety_cards import words_card
from cogs.ui.words import say, say_n


class SafetyCog(
    commands.GroupCog, group_name="safety", group_description="What this server does not want"
):
    """Commands of moderators; the service checks that they are."""

    words = app_commands.Group(name="words", description="Words that this server does not want")

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

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
    """Add the cog."""
    await bot.add_cog(SafetyCog(bot))
