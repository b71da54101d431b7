"""Reference quests: ``/character quests``, and the buttons of their cards."""

import re
from typing import TYPE_CHECKING, Any, Self, cast

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.services.access import may
from cogs.entry import (
    Interaction,
    acknowledge,
    actor_of,
    guild_of,
    read_uploads,
    reply,
    suggest_characters,
    whisper,
)
from cogs.forms import Form, files, upload
from cogs.loading import quest_picture
from cogs.ui import ids
from cogs.ui.errors import answered
from cogs.ui.notices import done
from cogs.ui.pictures import DEFAULT_LIMIT
from cogs.ui.quest_cards import board_card, quest_card, view_words
from cogs.ui.words import hear, say
from pipeline.domain.access import Deed
from pipeline.domain.errors import InvalidInput
from pipeline.domain.quest import View

if TYPE_CHECKING:
    from bot.client import OnModelBot


class QuestCommands(commands.GroupCog, group_name="character"):
    """Commands that :class:`cogs.characters.CharacterCog` offers beside its own."""

    bot: "OnModelBot"

    @app_commands.command(description="Pictures that artists are asked for, and what would help")
    @app_commands.describe(character="One character: also what would help most, and the credits")
    @app_commands.autocomplete(character=suggest_characters)
    async def quests(self, interaction: Interaction, character: str | None = None) -> None:
        """Show the board; whoever may edit the character posts quests from it."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        app = self.bot.app
        board = await app.quests.board(actor, character)
        editable = board.character is not None and may(
            actor, (await app.access.show(actor, board.character.character_id)).access, Deed.EDIT
        )
        await reply(interaction, board_card(board, editable))


class QuestIdeas(ui.DynamicItem[ui.Select[Any]], template=ids.QUEST_IDEAS):
    """Posts a quest in the channel."""

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], _match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from its id alone."""
        assert isinstance(item, ui.Select)
        return cls(item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Ask for the chosen picture."""
        await answered(interaction, self._chosen(interaction))

    async def _chosen(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        key, _, look = self.item.values[0].partition("@")
        try:
            view = View.of(key)
        except ValueError as error:
            raise InvalidInput(
                "That picture is not known. Open /character quests again."
            ) from error
        quest = await interaction.client.app.quests.post(
            await actor_of(interaction), look, view, interaction.channel_id
        )
        words = say("The card comes as a new message in this channel.")
        title = say("Quest {n} is posted: {view}", n=quest.id, view=view_words(view))
        await whisper(interaction, done(title, words))


class QuestList(ui.DynamicItem[ui.Select[Any]], template=ids.QUEST_LIST):
    """Shows one quest of the board in private, with its buttons, wherever its own card went."""

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], _match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from its id alone."""
        assert isinstance(item, ui.Select)
        return cls(item)

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Show the chosen quest."""
        await answered(interaction, self._chosen(interaction))

    async def _chosen(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        app = interaction.client.app
        quest = await app.quests.get(guild_of(interaction), int(self.item.values[0]))
        picture = await quest_picture(app, quest, interaction.filesize_limit or DEFAULT_LIMIT)
        await whisper(interaction, quest_card(quest, picture=picture))


class DeliverForm(Form):
    """The picture of a quest."""

    def __init__(self, quest_id: int) -> None:
        super().__init__(title=say("Deliver a picture"))
        self.quest_id = quest_id
        self.picture = upload(say("The picture"), 1)
        self.add_item(self.picture)

    async def sent(self, interaction: Interaction) -> None:
        """Hand it in."""
        await acknowledge(interaction)
        (picture,) = await read_uploads(files(self.picture))
        service = interaction.client.app.quests
        quest = await service.deliver(await actor_of(interaction), self.quest_id, picture)
        words = say("Its owner accepts it or says what should be different.")
        await reply(interaction, done(say("Quest {n} is delivered", n=quest.id), words))


class SendBackForm(Form):
    """What should be different."""

    def __init__(self, quest_id: int) -> None:
        super().__init__(title=say("Send a picture back"))
        self.quest_id = quest_id
        self.note: ui.Label[Any] = ui.Label(
            text=say("What should be different"),
            component=ui.TextInput(style=discord.TextStyle.paragraph, min_length=3, max_length=300),
        )
        self.add_item(self.note)

    async def sent(self, interaction: Interaction) -> None:
        """Give the quest back to its artist."""
        await acknowledge(interaction)
        note = cast("ui.TextInput[Any]", self.note.component).value
        service = interaction.client.app.quests
        quest = await service.send_back(await actor_of(interaction), self.quest_id, note)
        await reply(interaction, done(say("Quest {n} goes back to its artist", n=quest.id)))


class QuestButton(ui.DynamicItem[ui.Button[Any]], template=ids.QUEST):
    """Take, Deliver, Give back, Close, Accept, Send back; the service knows who may."""

    def __init__(self, item: ui.Button[Any], verb: str, quest_id: int) -> None:
        super().__init__(item)
        self.verb = verb
        self.quest_id = quest_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone."""
        assert isinstance(item, ui.Button)
        return cls(item, match["verb"], int(match["quest"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Open a window, or do it; the card itself changes through the outbox."""
        if self.verb in ("deliver", "back"):
            hear(interaction)
            form = DeliverForm if self.verb == "deliver" else SendBackForm
            await interaction.response.send_modal(form(self.quest_id))
            return
        await answered(interaction, self._clicked(interaction))

    async def _clicked(self, interaction: Interaction) -> None:
        await interaction.response.defer()
        actor, service = await actor_of(interaction), interaction.client.app.quests
        match self.verb:
            case "take":
                await service.take(actor, self.quest_id)
                title = say("Quest {n} is yours", n=self.quest_id)
                words = say("You have two weeks. Deliver with the button on its card.")
            case "return":
                await service.give_back(actor, self.quest_id)
                title, words = say("Quest {n} is open again", n=self.quest_id), ""
            case "close":
                await service.close(actor, self.quest_id)
                title, words = say("Quest {n} is closed", n=self.quest_id), ""
            case _:
                quest = await service.accept(actor, self.quest_id)
                title = say("Quest {n} is done", n=quest.id)
                words = say("The picture is reference {n} now.", n=quest.reference_id)
        await whisper(interaction, done(title, words))
