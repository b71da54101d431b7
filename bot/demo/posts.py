"""The demo's front end: what the bot would post to Discord is printed instead."""

from rich.console import Console

from bot.app import App
from pipeline.domain.review import OutboxItem, Posted, PostKind

_WORDS = {
    PostKind.VOTE_CARD: "[green]●[/green] panel {subject}: on-model, shown to everyone",
    PostKind.REVIEW_THREAD: "[yellow]▲[/yellow] review {subject}: flagged, moderators look at it",
    PostKind.PANEL_RESULT: "[green]✔[/green] panel {subject}: decided",
    PostKind.PANEL_FAILED: "[red]✘[/red] panel {subject}: failed",
    PostKind.REVIEW_DECIDED: "[cyan]■[/cyan] review {subject}: decided",
}


class PrintingPoster:
    """A poster whose channel is the terminal."""

    def __init__(self, app: App, console: Console) -> None:
        self._app = app
        self._console = console

    async def find(self, item: OutboxItem) -> Posted | None:
        """A terminal does not remember: what was printed before a crash is gone."""
        del item
        return None

    async def post(self, item: OutboxItem) -> Posted:
        """Print one line; the outbox row's id stands for the message."""
        self._console.print(_WORDS[item.kind].format(subject=item.subject_id))
        if item.kind is PostKind.REVIEW_THREAD:
            review = await self._app.reviews.get(item.guild_id, item.subject_id)
            self._console.print(f"  {review.reason}", style="dim")
        return Posted(channel_id=0, message_id=item.id)
