"""``/queue``: what waits and what runs, and how it is steered."""

from discord import app_commands
from discord.ext import commands

from bot.client import OnModelBot
from cogs.entry import Interaction, acknowledge, actor_of, reply
from cogs.ui.limits import CHOICE_NAME, CHOICES, clip
from cogs.ui.notices import done, done_in, waiting_for_engine
from cogs.ui.queue_cards import queue_card
from cogs.ui.words import say, say_n
from pipeline.domain.panel import PanelStatus

PanelNumber = app_commands.Range[int, 1, 2**53 - 1]
_WHERE = [
    app_commands.Choice(name="before all others of this server", value="first"),
    app_commands.Choice(name="back to its fair turn", value="turn"),
]


class QueueCog(commands.GroupCog, group_name="queue", group_description="The queue of panels"):
    """The queue of this server."""

    def __init__(self, bot: OnModelBot) -> None:
        self.bot = bot

    @app_commands.command(description="What waits and what is being drawn")
    async def show(self, interaction: Interaction) -> None:
        """Show the queue."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        view = await self.bot.app.queue.look(actor)
        cast = await self.bot.app.cast.entries(actor)
        names = {entry.character.character_id: entry.character.name for entry in cast}
        await reply(interaction, waiting_for_engine(queue_card(view, names), self.bot.trouble()))

    @app_commands.command(description="Let no panel of this comic begin; for moderators")
    @app_commands.describe(reason="Why; everyone who looks at the queue reads it")
    async def pause(
        self, interaction: Interaction, reason: app_commands.Range[str, 1, 200] = ""
    ) -> None:
        """Hold what waits; what is being drawn is finished."""
        await acknowledge(interaction)
        held = await self.bot.app.queue.pause(await actor_of(interaction), reason)
        card = done(
            say("The queue pauses"),
            say_n("{n} panel is held and nothing is lost.", "{n} panels are held and nothing is "
                  "lost.", held),
        )  # fmt: skip
        await reply(
            interaction,
            card.small(
                say(
                    "What is being drawn is finished. {command} goes on.", command="`/queue resume`"
                )
            ),
        )

    @app_commands.command(description="Let the panels of this comic go on; for moderators")
    async def resume(self, interaction: Interaction) -> None:
        """Let what is held wait for its turn again."""
        await acknowledge(interaction)
        waiting = await self.bot.app.queue.resume(await actor_of(interaction))
        self.bot.wake()
        words = say_n("{n} panel waits for its turn.", "{n} panels wait for their turns.", waiting)
        await reply(interaction, done(say("The queue goes on"), words))

    @app_commands.command(description="Let a waiting panel go first; for moderators")
    @app_commands.describe(
        panel="Its number", where="Where to; before all others unless you say so"
    )
    @app_commands.choices(where=_WHERE)
    async def move(
        self, interaction: Interaction, panel: PanelNumber, where: str = "first"
    ) -> None:
        """Move; the member whose panel it is pays with their share all the same."""
        await acknowledge(interaction)
        actor = await actor_of(interaction)
        place = await self.bot.app.queue.move(actor, panel, first=where == "first")
        if place is None:
            words = say("It is held, and moves once the queue goes on.")
        else:
            words = say("It stands at place {n}: {when}.", n=place.position, when=done_in(place))
        await reply(interaction, done(say("Panel {panel} is moved", panel=panel), words))

    @app_commands.command(description="Stop a panel of yours; moderators stop any")
    @app_commands.describe(panel="Its number")
    async def cancel(self, interaction: Interaction, panel: PanelNumber) -> None:
        """Stop what waits at once, what runs at its next step."""
        await acknowledge(interaction)
        stopped = await self.bot.app.panels.cancel(await actor_of(interaction), panel)
        self.bot.wake()
        if stopped.status is PanelStatus.CANCELLED:
            title, words = say("Panel {panel} is cancelled", panel=panel), ""
        else:
            title = say("Panel {panel} will stop", panel=panel)
            words = say("It is being drawn and ends at its next step.")
        await reply(interaction, done(title, words))

    @move.autocomplete("panel")
    @cancel.autocomplete("panel")
    async def _live(self, interaction: Interaction, current: str) -> list[app_commands.Choice[int]]:
        """What waits or runs: everybody's for moderators, else one's own."""
        actor = await actor_of(interaction)
        found = await self.bot.app.queue.live(actor, any_member=True)
        return [
            app_commands.Choice(name=clip(f"{p.id} · {p.brief.prompt}", CHOICE_NAME), value=p.id)
            for p in found
            if str(p.id).startswith(current.strip()) or current.lower() in p.brief.prompt.lower()
        ][:CHOICES]


async def setup(bot: OnModelBot) -> None:
    """Add the cog."""
    await bot.add_cog(QueueCog(bot))
