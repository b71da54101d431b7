"""What a member may use of the studio in a day, and when to come back."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.services.actor import Actor
from pipeline.domain.errors import LimitReached
from storage import allowance, series
from storage.allowance import Rules, Use
from storage.database import Database, Transaction

WINDOW = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What one member may use in 24 hours and what of it is used.

    ``seconds`` is of the engine, None for no limit; ``used`` counts what waits or runs by what
    panels usually take. ``next_at`` is when a cooldown is over, None if it is.
    """

    panels: int
    asked: int
    seconds: float | None
    used: float
    next_at: datetime | None = None


async def allowance_of(db: Database, actor: Actor) -> Allowance:
    """What the actor may still use.

    Raises:
        NotFound: the guild has no series.
    """
    comic = await series.active_series(db, actor.guild_id)
    now = datetime.now(UTC)

    def read(tx: Transaction) -> tuple[Rules, Use]:
        return _read(tx, actor, comic.id, now)

    rules, use = await db.write(read)
    next_at = _cooled(rules, use)
    return Allowance(
        rules.panels,
        len(use.requests),
        rules.seconds,
        use.seconds,
        next_at if next_at is not None and next_at > now else None,
    )


def require_allowance(
    tx: Transaction, actor: Actor, series_id: int, now: datetime, *, batch: bool = False
) -> None:
    """Let a request pass that the member may still make; inside the write that makes it.

    So two requests at the same moment never use the same rest of a quota. Between those of a
    ``batch`` lies no cooldown.

    Raises:
        LimitReached: panels or seconds of the day are used up, or the cooldown is not over; it
            says when to come back.
    """
    rules, use = _read(tx, actor, series_id, now)
    cooled = _cooled(rules, use)
    if cooled is not None and cooled > now and not batch:
        raise LimitReached(
            f"Between two requests of yours lie {rules.cooldown} seconds here.", cooled
        )
    if len(use.requests) >= rules.panels:
        oldest = use.requests[len(use.requests) - rules.panels]
        raise LimitReached(
            f"You asked for {len(use.requests)} panels in the last 24 hours and {rules.panels} "
            "are allowed. Come back later, or ask a manager to raise the quota.",
            oldest + WINDOW,
        )
    if rules.seconds is not None and use.seconds >= rules.seconds:
        raise LimitReached(
            f"Your panels took {use.seconds:.0f} of your {rules.seconds:.0f} seconds of drawing in "
            "the last 24 hours, with what is waiting. Come back later, or ask a manager to raise "
            "the quota.",
            _seconds_free(rules.seconds, use),
        )


def _read(tx: Transaction, actor: Actor, series_id: int, now: datetime) -> tuple[Rules, Use]:
    rules = allowance.rules_in(tx, guild_id=actor.guild_id, series_id=series_id, roles=actor.roles)
    use = allowance.use_in(
        tx, guild_id=actor.guild_id, member_id=actor.member_id, since=now - WINDOW
    )
    return rules, use


def _cooled(rules: Rules, use: Use) -> datetime | None:
    if not rules.cooldown or not use.requests:
        return None
    return use.requests[-1] + timedelta(seconds=rules.cooldown)


def _seconds_free(budget: float, use: Use) -> datetime | None:
    """When enough of what was drawn is a day old; None while what waits alone is too much."""
    left = use.seconds
    for finished, seconds in use.drawn:
        left -= seconds
        if left < budget:
            return finished + WINDOW
    return None
