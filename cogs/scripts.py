"""``/script``: a writer's text is looked through, drafted, and made into panels."""

import re
from typing import Any, Self

import discord
from discord import app_commands, ui
from discord.ext import commands

from bot.client import OnModelBot
from bot.services.actor import Actor
from bot.services.scripts import ScriptForm
from cogs.entry import (
    Interaction,
    acknowledge,
    actor_of,
    for_everyone,
    picture_for,
    present,
    reply,
    whisper,
)
from cogs.ui import ids
from cogs.ui.card import Card
from cogs.ui.errors import answered, report
from cogs.ui.limits import CHOICE_NAME, CHOICES, GALLERY_ITEMS, clip
from cogs.ui.pictures import Picture
from cogs.ui.script_cards import produced_card, script_card
from cogs.ui.verdicts import GOOD, NEUTRAL
from cogs.ui.words import hear, say, say_n
from pipeline.domain.errors import InvalidInput
from pipeline.script.reading import MAX_BYTES

_FORMS = [app_commands.Choice(name=form.value, value=form.value) for form in ScriptForm]
_TYPED = 4000
_EXAMPLE = "Title: …\n\nPAGE 1\n\nPANEL 1 (wide)\nCast: Mira, Oskar\nThey wait.\nMIRA: Well?"


class ScriptButton(ui.DynamicItem[ui.Button[Any]], template=ids.SCRIPT):
    """Storyboard and Make panels."""

    def __init__(self, item: ui.Button[Any], verb: str, script_id: int) -> None:
        super().__init__(item)
        self.verb = verb
        self.script_id = script_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone."""
        assert isinstance(item, ui.Button)
        return cls(item, match["verb"], int(match["script"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do what the button says."""
        await answered(interaction, self._clicked(interaction))

    async def _clicked(self, interaction: Interaction) -> None:
        await interaction.response.defer(ephemeral=True, thinking=True)
        actor = await actor_of(interaction)
        if self.verb == "storyboard":
            await self._storyboard(interaction, actor)
            return
        made = await interaction.client.app.scripts.produce(
            actor, self.script_id, channel_id=interaction.channel_id
        )
        await whisper(interaction, produced_card(made))

    async def _storyboard(self, interaction: Interaction, actor: Actor) -> None:
        pages = await interaction.client.app.scripts.storyboard(actor, self.script_id)
        for start in range(0, len(pages), GALLERY_ITEMS):
            some = pages[start : start + GALLERY_ITEMS]
            with await for_everyone(interaction):
                pictures = [
                    await picture_for(
                        interaction,
                        f"storyboard-{page.number:03d}",
                        say_n(
                            "Storyboard of page {page}: {n} drafted panel",
                            "Storyboard of page {page}: {n} drafted panels",
                            len(page.stagings),
                            page=page.number,
                        ),
                        page.png,
                    )
                    for page in some
                ]
                title = say("✏️ Storyboard, page {page}", page=some[0].number)
                if len(some) > 1:
                    title = say(
                        "✏️ Storyboard, pages {first} to {last}",
                        first=some[0].number,
                        last=some[-1].number,
                    )
                note = say(
                    "Drafts from registered art: where figures and balloons go, not the drawing"
                )
            card = Card(NEUTRAL).heading(title).gallery(*pictures).small(note)
            await present(interaction, card)


class TypedScript(ui.Modal):
    """A script that is typed into a window instead of being attached."""

    def __init__(self) -> None:
        super().__init__(title=say("A short script"))
        self.text: ui.Label[Self] = ui.Label(
            text=say("Script"),
            description=say("Pages, panels, who is in them, what is said"),
            component=ui.TextInput(
                style=discord.TextStyle.paragraph,
                max_length=_TYPED,
                placeholder=clip(_EXAMPLE, 100),
            ),
        )
        self.add_item(self.text)

    async def on_submit(self, interaction: Interaction) -> None:  # pyright: ignore[reportIncompatibleMethodOverride] - the client is ours
        """Read what was typed."""
        await acknowledge(interaction)
        assert isinstance(self.text.component, ui.TextInput)
        await _taken(interaction, self.text.component.value.encode())

    async def on_error(self, interaction: discord.Interaction[Any], error: Exception) -> None:
        """Report as commands do."""
        await report(interaction, error)


class ScriptCog(commands.GroupCog, group_name="script", group_description="From script to panels"):
    """Scripts in and out."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    @app_commands.command(name="import", description="Hand in a script: text, YAML or JSON")
    @app_commands.describe(file="The script; leave it out to type a short one")
    async def import_(
        self, interaction: Interaction, file: discord.Attachment | None = None
    ) -> None:
        """Look a script through; nothing is made before somebody presses a button."""
        if file is None:
            hear(interaction)
            await interaction.response.send_modal(TypedScript())
            return
        await acknowledge(interaction)
        if file.size > MAX_BYTES:
            raise InvalidInput("The script is larger than 1 MiB; split it into several.")
        try:
            data = await file.read()
        except discord.NotFound as error:
            raise InvalidInput("Discord no longer has that file. Send it again.") from error
        await _taken(interaction, data)

    @app_commands.command(name="export", description="Have a script back, in any of its forms")
    @app_commands.describe(script="Which script", form="Plain text, YAML or JSON")
    @app_commands.choices(form=_FORMS)
    async def export(self, interaction: Interaction, script: int, form: str = "plain") -> None:
        """Hand the script out as a file."""
        await acknowledge(interaction)
        name, data = await self.bot.app.scripts.export(
            await actor_of(interaction), script, ScriptForm(form)
        )
        with await for_everyone(interaction):
            title = say("📜 Script {script} as {form}", script=script, form=form)
            alt = say("Script {script}", script=script)
        await present(interaction, Card(GOOD).heading(title).file(Picture(name, alt, data)))

    @export.autocomplete("script")
    async def _scripts(
        self, interaction: Interaction, current: str
    ) -> list[app_commands.Choice[int]]:
        found = await self.bot.app.scripts.known(await actor_of(interaction))
        wanted = current.casefold()
        return [
            app_commands.Choice(name=clip(f"{one.id} · {one.title}", CHOICE_NAME), value=one.id)
            for one in found
            if wanted in one.title.casefold() or wanted == str(one.id)
        ][:CHOICES]


async def _taken(interaction: Interaction, data: bytes) -> None:
    preview = await interaction.client.app.scripts.take(await actor_of(interaction), data)
    if preview.ready:
        with await for_everyone(interaction):
            card = script_card(preview)
        await present(interaction, card)
    else:
        await reply(interaction, script_card(preview))


async def setup(bot: OnModelBot) -> None:
    """Add the buttons and the cog."""
    bot.add_dynamic_items(ScriptButton)
    await bot.add_cog(ScriptCog(bot))
