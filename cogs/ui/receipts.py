"""What a person sees in private of what they asked for: progress, cost, what is left of the day."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import discord
from discord import ui

from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.notices import status_card, warning_lines
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import NEUTRAL
from cogs.ui.words import say
from pipeline.domain.job import JobStatus
from pipeline.domain.panel import PanelStatus

if TYPE_CHECKING:
    from bot.services.allowance import Allowance
    from bot.services.panel_views import PanelView

_MOVING = {PanelStatus.QUEUED, PanelStatus.RUNNING}


def cancel_button(panel_id: int) -> ui.Button[Any]:
    """Stops a panel that waits or is being drawn."""
    return button(
        say("Cancel"),
        ids.panel("cancel", panel_id, 0),
        style=discord.ButtonStyle.danger,
        emoji="✋",
    )


def progress_card(
    view: "PanelView",
    warnings: Sequence[str],
    preview: bytes | None = None,
    allowance: "Allowance | None" = None,
) -> Card:
    """Where a panel stands, half drawn if the engine shows it; at the end, what it took."""
    panel = view.panel
    card = status_card(panel, view.cast_names, view.job, view.place, view.review, view.saved)
    if preview is not None:
        alt = say("Panel {panel}, half drawn", panel=panel.id)
        card.gallery(Picture("preview.png", alt, preview))
    card.text(warning_lines(warnings))
    if panel.status in _MOVING:
        return card.row(cancel_button(panel.id))
    return card.small(took_line(view, allowance))


def took_line(view: "PanelView", allowance: "Allowance | None") -> str:
    """How long the engine worked at a panel, of what its requester may use; else nothing."""
    job = view.job
    settled = job is not None and job.status in (JobStatus.DONE, JobStatus.CANCELLED)
    if job is None or not settled or not job.seconds:
        return ""
    took = f"{job.seconds:.1f}"
    if allowance is None or allowance.seconds is None:
        return say("This panel took {took} s of drawing.", took=took)
    told = say("This panel took {took} s of your {budget} s in 24 hours.", took=took,
               budget=f"{allowance.seconds:.0f}")  # fmt: skip
    return f"{told} {spent_line(allowance)}".rstrip()


def spent_line(allowance: "Allowance") -> str:
    """What is used of the engine's time, where there is a limit; else nothing."""
    if allowance.seconds is None:
        return ""
    return say(
        "{used} of your {budget} s of drawing in 24 hours are used or waiting.",
        used=f"{allowance.used:.1f}",
        budget=f"{allowance.seconds:.0f}",
    )


def allowance_card(allowance: "Allowance") -> Card:
    """What a member may use in 24 hours, and what of it is used."""
    card = Card(NEUTRAL).heading(say("🎟️ What you may use in 24 hours"))
    card.text(
        say(
            "Panels: {asked} of {panels} asked for.", asked=allowance.asked, panels=allowance.panels
        )
    )
    card.text(spent_line(allowance) or say("Drawing takes as long as it takes: there is no limit."))
    if allowance.next_at is not None:
        when = discord.utils.format_dt(allowance.next_at, "R")
        card.text(say("You can ask for the next panel {when}.", when=when))
    return card.small(say("Further tries that a moderator asks for cost you nothing."))
