"""The buttons below a panel, and the windows that two of them open."""

import re
from collections.abc import Awaitable, Callable
from typing import Any, Self

import discord
from discord import ui
from discord.ext import commands

from bot.client import OnModelBot
from bot.services.actor import Actor
from bot.services.briefs import MAX_PROMPT
from bot.services.rerolls import PanelChange
from cogs.entry import Interaction, acknowledge, actor_of, key_of, reply
from cogs.ui import ids
from cogs.ui.errors import answered
from cogs.ui.notices import done, recipe_card
from cogs.ui.vote_cards import pick_card
from cogs.ui.windows import typed, window
from cogs.ui.words import say
from pipeline.domain.errors import InvalidInput
from pipeline.domain.panel import PanelStatus

# Two clicks within this many seconds are one wish.
_DOUBLE_CLICK = 10
_WINDOW = re.compile(ids.WINDOW)


class PanelButton(ui.DynamicItem[ui.Button[Any]], template=ids.PANEL):
    """Reroll, Remix, Vary, Upscale, Use on page, Recipe, Finish vote and Cancel."""

    def __init__(self, item: ui.Button[Any], verb: str, panel_id: int) -> None:
        super().__init__(item)
        self.verb = verb
        self.panel_id = panel_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone."""
        assert isinstance(item, ui.Button)
        return cls(item, match["verb"], int(match["panel"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Do what the button says and answer in private."""
        await answered(interaction, self._clicked(interaction))

    async def _clicked(self, interaction: Interaction) -> None:
        windows = {"remix": self._remix, "use": self._use}
        if self.verb in windows:  # a window cannot follow an acknowledgement
            await windows[self.verb](interaction, await actor_of(interaction))
            return
        await acknowledge(interaction)
        actions: dict[str, Callable[[Interaction, Actor], Awaitable[None]]] = {
            "reroll": self._reroll,
            "vary": self._vary,
            "upscale": self._upscale,
            "recipe": self._recipe,
            "finish": self._finish,
            "cancel": self._cancel,
        }
        await actions[self.verb](interaction, await actor_of(interaction))

    async def _reroll(self, interaction: Interaction, actor: Actor) -> None:
        taken = await interaction.client.app.redraws.reroll(
            actor, self.panel_id, dedupe_key=_one_wish(interaction, f"reroll:{self.panel_id}")
        )
        await interaction.client.board.receipt(interaction, actor, taken)

    async def _vary(self, interaction: Interaction, actor: Actor) -> None:
        """Ask which picture is meant where there are several."""
        view = await interaction.client.app.panels.view(actor, self.panel_id)
        shown = [
            candidate
            for candidate in view.candidates
            if view.panel.chosen_candidate in (None, candidate.id)
        ]
        if len(shown) == 1:
            await vary(interaction, actor, self.panel_id, shown[0].id)
        else:
            await reply(interaction, pick_card(view.panel, view.candidates))

    async def _upscale(self, interaction: Interaction, actor: Actor) -> None:
        taken = await interaction.client.app.redraws.enlarge(
            actor, self.panel_id, dedupe_key=_one_wish(interaction, f"upscale:{self.panel_id}")
        )
        await interaction.client.board.receipt(interaction, actor, taken)

    async def _remix(self, interaction: Interaction, actor: Actor) -> None:
        view = await interaction.client.app.panels.view(actor, self.panel_id)
        words = ui.TextInput[Any](
            custom_id="prompt",
            style=discord.TextStyle.paragraph,
            default=view.panel.brief.prompt or None,
            max_length=MAX_PROMPT,
        )
        about = say("Seed and everything else stay, so that only what you write changes.")
        field = ui.Label[Any](text=say("What happens and where"), description=about,
                              component=words)  # fmt: skip
        title = say("Remix panel {panel}", panel=self.panel_id)
        await interaction.response.send_modal(
            window(title, ids.window("remix", self.panel_id), field)
        )

    async def _use(self, interaction: Interaction, actor: Actor) -> None:
        view = await interaction.client.app.panels.view(actor, self.panel_id)
        page = view.panel.brief.page
        number = ui.TextInput[Any](
            custom_id="page", default=None if page is None else str(page), max_length=4
        )
        field = ui.Label[Any](text=say("Page"), component=number)
        title = say("Use panel {panel} on a page", panel=self.panel_id)
        await interaction.response.send_modal(
            window(title, ids.window("use", self.panel_id), field)
        )

    async def _recipe(self, interaction: Interaction, actor: Actor) -> None:
        text = await interaction.client.app.panels.recipe(actor, self.panel_id)
        await reply(interaction, recipe_card(self.panel_id, text))

    async def _finish(self, interaction: Interaction, actor: Actor) -> None:
        panel = await interaction.client.app.votes.close(actor, self.panel_id)
        view = await interaction.client.app.panels.view(actor, panel.id)
        chosen = (c.label for c in view.candidates if c.id == panel.chosen_candidate)
        title = say(
            "The vote on panel {panel} is over: {label} wins",
            panel=panel.id,
            label=next(chosen, None) or "A",
        )
        await reply(interaction, done(title))

    async def _cancel(self, interaction: Interaction, actor: Actor) -> None:
        stopped = await interaction.client.app.panels.cancel(actor, self.panel_id)
        if stopped.status is PanelStatus.CANCELLED:
            await reply(interaction, done(say("Panel {panel} is cancelled", panel=stopped.id)))
            return
        await reply(
            interaction,
            done(
                say("Panel {panel} will stop", panel=stopped.id),
                say("It is being drawn and ends at its next step."),
            ),
        )


class PickButton(ui.DynamicItem[ui.Button[Any]], template=ids.PICK):
    """Says which picture is to be varied."""

    def __init__(self, item: ui.Button[Any], panel_id: int, candidate_id: int) -> None:
        super().__init__(item)
        self.panel_id = panel_id
        self.candidate_id = candidate_id

    @classmethod
    async def from_custom_id(
        cls, _interaction: discord.Interaction[Any], item: ui.Item[Any], match: re.Match[str], /
    ) -> Self:
        """Rebuild the button from its id alone."""
        assert isinstance(item, ui.Button)
        return cls(item, int(match["panel"]), int(match["candidate"]))

    async def callback(self, interaction: discord.Interaction[Any]) -> None:
        """Vary it."""
        await answered(interaction, self._clicked(interaction))

    async def _clicked(self, interaction: Interaction) -> None:
        await acknowledge(interaction)
        await vary(interaction, await actor_of(interaction), self.panel_id, self.candidate_id)


class PanelWindows(commands.Cog):
    """Takes what people typed into the windows of a panel."""

    @commands.Cog.listener()
    async def on_interaction(self, interaction: discord.Interaction[Any]) -> None:
        """Every interaction comes by here; those of our windows are answered."""
        if interaction.type is not discord.InteractionType.modal_submit:
            return
        match = _WINDOW.fullmatch(str((interaction.data or {}).get("custom_id")))
        if match is not None:
            verb, panel_id = match["verb"], int(match["panel"])
            work = _remixed if verb == "remix" else _used
            await answered(interaction, work(interaction, panel_id, typed(interaction)))


async def vary(interaction: Interaction, actor: Actor, panel_id: int, candidate_id: int) -> None:
    """Ask for near variations of a picture; the interaction is acknowledged."""
    taken = await interaction.client.app.redraws.vary(
        actor, panel_id, candidate_id, dedupe_key=_one_wish(interaction, f"vary:{candidate_id}")
    )
    await interaction.client.board.receipt(interaction, actor, taken)


async def _remixed(interaction: Interaction, panel_id: int, words: dict[str, str]) -> None:
    await acknowledge(interaction)
    actor = await actor_of(interaction)
    taken = await interaction.client.app.redraws.reroll(
        actor,
        panel_id,
        dedupe_key=key_of(interaction),
        change=PanelChange(prompt=words.get("prompt", "")),
    )
    await interaction.client.board.receipt(interaction, actor, taken)


async def _used(interaction: Interaction, panel_id: int, words: dict[str, str]) -> None:
    await acknowledge(interaction)
    page = words.get("page", "").strip()
    if not page.isascii() or not page.isdigit():
        raise InvalidInput("Write the number of a page, like 3.")
    await use_on_page(interaction, await actor_of(interaction), panel_id, int(page))


async def use_on_page(interaction: Interaction, actor: Actor, panel_id: int, page: int) -> None:
    """Move a panel and say how to see it there; the interaction is acknowledged."""
    panel = await interaction.client.app.panels.move(actor, panel_id, page)
    command = f"`/page compose page:{page}`"
    await reply(
        interaction,
        done(
            say("Panel {panel} is on page {page}", panel=panel.id, page=page),
            say("{command} puts it into the layout.", command=command),
        ),
    )


def _one_wish(interaction: Interaction, what: str) -> str:
    """A dedupe key that is the same for two quick clicks of one person."""
    window = int(interaction.created_at.timestamp()) // _DOUBLE_CLICK
    return f"{what}:{interaction.user.id}:{window}"


async def setup(bot: OnModelBot) -> None:
    """Add buttons and windows."""
    bot.add_dynamic_items(PanelButton, PickButton)
    await bot.add_cog(PanelWindows())
