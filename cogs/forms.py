"""Windows and buttons of registration: many pictures at once, and colours that a person confirms.

A window cannot follow a deferred answer, so whatever opens one answers with it at once, and what
was asked is looked up when it comes back.
"""

import re
import secrets
from typing import Any, ClassVar, Self, cast

import discord
from discord import ui

from bot.services.cast import NewCharacter
from cogs.entry import Interaction, acknowledge, actor_of, read_uploads, reply
from cogs.ui import ids
from cogs.ui.cast_cards import registered_card
from cogs.ui.errors import answered, report
from cogs.ui.limits import clip, plain
from cogs.ui.registry_cards import look_card
from cogs.ui.terms import shot
from cogs.ui.words import hear, retell, say
from pipeline.domain.character import ShotType
from pipeline.domain.errors import WrongState
from pipeline.domain.vocabulary import ANGLES, COLOR_SLOTS

MOST_PICTURES = 10
"""Discord takes so many files in one window."""


class Form(ui.Modal):
    """A window whose answer, and whose errors, are told as those of buttons are.

    What a window asks lives in memory. One that is sent to a later process says so
    (:func:`tell_lost`) instead of failing without a word.
    """

    run: ClassVar[str] = ""
    """Which start of the bot opened a window."""

    def __init__(self, title: str) -> None:
        name = f"{ids.PREFIX}:form:{self.run}:{secrets.token_hex(8)}"
        super().__init__(title=title, custom_id=name)

    async def on_submit(self, interaction: discord.Interaction[Any]) -> None:
        """Do what was asked; errors become words."""
        await answered(interaction, self.sent(interaction))

    async def sent(self, interaction: Interaction) -> None:
        """What a window does with what was filled in."""
        raise NotImplementedError


async def tell_lost(interaction: Interaction) -> None:
    """Answer a window that an earlier start of the bot had opened."""
    data = interaction.data or {}
    match = re.fullmatch(ids.FORM, str(data.get("custom_id", "")))
    sent = interaction.type is discord.InteractionType.modal_submit
    if sent and match is not None and match["run"] != Form.run:
        await report(interaction, _lost())


def _lost() -> WrongState:
    return WrongState(
        "I was started anew while this window was open, so nothing was done. Open it again; I am "
        "sorry for the typing."
    )


def begin() -> None:
    """Windows that are opened from now on belong to this start of the bot."""
    Form.run = secrets.token_hex(4)


class RegisterForm(Form):
    """A new character: up to ten pictures, what they show, and its colours."""

    def __init__(self, name: str, appearance: str | None) -> None:
        super().__init__(title=clip(say("Register {name}", name=name), 45))
        self.name = name
        self.appearance = appearance
        self.pictures = upload(say("Pictures of the character alone"))
        self.shot = shot_menu()
        self.hair = _color_menu(say("Hair colour"), "hair_color")
        self.eyes = _color_menu(say("Eye colour"), "eye_color")
        self.notes: ui.Label[Any] = ui.Label(
            text=say("What an artist must know"),
            description=say("Scars, habits, proportions"),
            component=ui.TextInput(
                style=discord.TextStyle.paragraph, required=False, max_length=500
            ),
        )
        for item in (self.pictures, self.shot, self.hair, self.eyes, self.notes):
            self.add_item(item)

    async def sent(self, interaction: Interaction) -> None:
        """Register; the person who does it owns it."""
        await acknowledge(interaction)
        shot = chosen(self.shot)
        said = {"hair_color": chosen(self.hair), "eye_color": chosen(self.eyes)}
        registration = await interaction.client.app.cast.register(
            await actor_of(interaction),
            NewCharacter(
                self.name,
                appearance=self.appearance,
                shot_type=ShotType(shot) if shot else None,
                notes=cast("ui.TextInput[Any]", self.notes.component).value,
                components={slot: color for slot, color in said.items() if color},
            ),
            await read_uploads(files(self.pictures)),
        )
        await reply(interaction, registered_card(registration, new=True))


class PicturesForm(Form):
    """More pictures of a look: up to ten, all of one kind."""

    def __init__(self, appearance_row: int) -> None:
        super().__init__(title=say("Add pictures"))
        self.appearance_row = appearance_row
        self.pictures = upload(say("Pictures of the character alone"))
        self.shot = shot_menu()
        self.angle = angle_menu()
        self.expression: ui.Label[Any] = ui.Label(
            text=say("Expression"),
            description=say("One word that fits all of them, for instance happy"),
            component=ui.TextInput(required=False, max_length=40),
        )
        for item in (self.pictures, self.shot, self.angle, self.expression):
            self.add_item(item)

    async def sent(self, interaction: Interaction) -> None:
        """Add them; whoever may edit the character may."""
        await acknowledge(interaction)
        app, actor = interaction.client.app, await actor_of(interaction)
        character, look = await app.registry.look_of(actor, self.appearance_row)
        shot = chosen(self.shot)
        registration = await app.cast.add_references(
            actor,
            character.character_id,
            await read_uploads(
                files(self.pictures),
                angle=chosen(self.angle) or "",
                expression=cast("ui.TextInput[Any]", self.expression.component).value,
            ),
            appearance=look.appearance_id,
            shot_type=ShotType(shot) if shot else None,
        )
        await reply(interaction, registered_card(registration, new=False))


class AddPictures(ui.DynamicItem[ui.Button[Any]], template=ids.ADD_PICTURES):
    """Opens the window for more pictures of a look."""

    def __init__(self, item: ui.Button[Any], appearance_row: int) -> None:
        super().__init__(item)
        self.appearance_row = appearance_row

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone."""
        assert isinstance(item, ui.Button)
        return cls(item, int(match["look"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Open the window; who may is asked when it comes back."""
        hear(interaction)
        await interaction.response.send_modal(PicturesForm(self.appearance_row))


class ColorButton(ui.DynamicItem[ui.Button[Any]], template=ids.COLORS):
    """All suggested colours are right, or none."""

    def __init__(self, item: ui.Button[Any], verb: str, appearance_row: int) -> None:
        super().__init__(item)
        self.verb = verb
        self.appearance_row = appearance_row

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone."""
        assert isinstance(item, ui.Button)
        return cls(item, match["verb"], int(match["look"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Write down what holds, and show the look."""
        right = None if self.verb == "all" else ()
        await answered(interaction, _settle(interaction, self.appearance_row, right))


class ColorMenu(ui.DynamicItem[ui.Select[Any]], template=ids.COLOR_MENU):
    """Some suggested colours are right."""

    def __init__(self, item: ui.Select[Any], appearance_row: int) -> None:
        super().__init__(item)
        self.appearance_row = appearance_row

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the menu from its id alone."""
        assert isinstance(item, ui.Select)
        return cls(item, int(match["look"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Write down what holds, and show the look."""
        right = tuple(self.item.values)
        await answered(interaction, _settle(interaction, self.appearance_row, right))


async def _settle(
    interaction: Interaction, appearance_row: int, right: tuple[str, ...] | None
) -> None:
    await interaction.response.defer()
    actor = await actor_of(interaction)
    service = interaction.client.app.registry
    made = await service.settle_suggestions(actor, appearance_row, right)
    marks = await interaction.client.app.marks.all(
        actor, made.character.character_id, made.look.appearance_id
    )
    title = say("{name} is up to date", name=plain(made.character.name, 60))
    await reply(interaction, look_card(title, made.character, made.look, marks))


# --- parts of windows -----------------------------------------------------------------------------


def upload(text: str, most: int = MOST_PICTURES) -> ui.Label[Any]:
    """A field that takes 1 to ``most`` files."""
    return ui.Label(
        text=text,
        description=say("Best with a transparent or plain ground"),
        component=ui.FileUpload(min_values=1, max_values=most),
    )


def shot_menu() -> ui.Label[Any]:
    """How much of the figure the pictures show."""
    options = [discord.SelectOption(label=shot(one), value=one.value) for one in ShotType]
    return _menu(say("How much of the figure"), options)


def angle_menu() -> ui.Label[Any]:
    """From where the pictures show it."""
    options = [discord.SelectOption(label=retell(a.replace("_", " ")), value=a) for a in ANGLES]
    return _menu(say("Seen from"), options)


def chosen(label: ui.Label[Any]) -> str | None:
    """What was chosen in a menu, None where nothing was."""
    values = cast("ui.Select[Any]", label.component).values
    return values[0] if values else None


def files(label: ui.Label[Any]) -> list[discord.Attachment]:
    """What was sent with a window."""
    return cast("ui.FileUpload[Any]", label.component).values


def _color_menu(text: str, slot: str) -> ui.Label[Any]:
    colors = COLOR_SLOTS[slot].items()
    options = [
        discord.SelectOption(label=name.replace("_", " "), value=name, description=code)
        for name, code in colors
    ]
    return _menu(text, options)


def _menu(text: str, options: list[discord.SelectOption]) -> ui.Label[Any]:
    component: ui.Select[Any] = ui.Select(
        options=options, required=False, placeholder=say("The program looks for itself")
    )
    return ui.Label(text=text, component=component)
