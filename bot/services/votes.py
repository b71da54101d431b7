"""Votes on alternates: one per person and panel, changeable until the vote closes."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.services.actor import Actor
from bot.services.taste import TasteService
from pipeline.domain.errors import LimitReached, NotAllowed, WrongState
from pipeline.domain.panel import Panel, PanelStatus
from pipeline.domain.review import PostKind, Tally
from pipeline.domain.taste import Guess
from pipeline.domain.voting import TieRule, VotingRules
from storage import audit, outbox, panels, series, taste, votes
from storage.database import Database, Transaction

_LONGEST_EXTENSION = 24
"""Hours."""


@dataclass(frozen=True, slots=True)
class Ballot:
    """A vote that was counted: how it stands now, and whether that decided it."""

    tally: Tally
    decided: bool


class VoteService:
    """What creators decide."""

    def __init__(self, db: Database, taste: TasteService) -> None:
        self._db = db
        self._taste = taste

    async def vote(self, actor: Actor, panel_id: int, candidate_id: int) -> Ballot:
        """Cast or change one's vote; the last one that a quorum needs closes it.

        Raises:
            NotFound: no such panel or alternate in this guild.
            WrongState: the vote is closed.
            NotAllowed: the series lets others vote.
            LimitReached: the actor is not in the server long enough.
        """
        panel = await panels.get_panel(self._db, actor.guild_id, panel_id)
        rules = (await series.get_series(self._db, actor.guild_id, panel.series_id)).voting
        now = datetime.now(UTC)
        _check_voter(actor, rules, now)
        guess = await self._taste.guess(panel) if rules.quorum is not None else None

        def work(tx: Transaction) -> Ballot:
            votes.cast_vote(
                tx,
                guild_id=actor.guild_id,
                panel_id=panel_id,
                member_id=actor.member_id,
                candidate_id=candidate_id,
                now=now,
            )
            tally = votes.count_in(tx, panel_id)
            decided = rules.quorum is not None and tally.voters >= rules.quorum and not tally.tied
            if decided:
                _choose(tx, panel, tally.leader, guess, now)
            return Ballot(tally, decided)

        return await self._db.write(work)

    async def close(self, actor: Actor, panel_id: int) -> Panel:
        """Close the vote now; the leader is chosen, a tie is broken at once.

        Raises:
            NotAllowed: the actor neither asked for the panel nor moderates.
            WrongState: the vote is closed, or nobody has voted.
        """
        panel = await panels.get_panel(self._db, actor.guild_id, panel_id)
        actor.require_own(panel.requester_id, "close this vote")
        if panel.status is not PanelStatus.VOTING:
            raise WrongState(f"Panel {panel_id} is {panel.status.value}; its vote is not open.")
        if (await votes.tally(self._db, actor.guild_id, panel_id)).voters == 0:
            raise WrongState("Nobody has voted yet. Vote first, then close.")

        guess = await self._taste.guess(panel)

        def work(tx: Transaction) -> None:
            now = datetime.now(UTC)
            winner = _winner(tx, panel, votes.count_in(tx, panel_id), guess)
            _choose(tx, panel, winner, guess, now, by=actor.member_id)

        await self._db.write(work)
        return await panels.get_panel(self._db, actor.guild_id, panel_id)

    async def close_due(self) -> list[Panel]:
        """Close the votes whose time is over. Without any vote the best-judged one wins.

        Where the series' taste expects one of them, that one counts as the best.

        Returns:
            Those that were closed, or that a tie lets go on.
        """
        return [
            panel
            for panel in await votes.due_votes(self._db, datetime.now(UTC))
            if await self._end(panel)
        ]

    async def _end(self, panel: Panel) -> bool:
        guess = await self._taste.guess(panel)
        return await self._db.write(lambda tx: _end(tx, panel, guess, datetime.now(UTC)))


def _check_voter(actor: Actor, rules: VotingRules, now: datetime) -> None:
    """Let those vote whom the series lets.

    Raises:
        NotAllowed: the actor lacks the role, or nothing tells since when they are here.
        LimitReached: they may vote later.
    """
    if rules.role_id is not None and rules.role_id not in actor.roles:
        raise NotAllowed(f"Votes are for people with the role <@&{rules.role_id}> here.")
    if not rules.member_days:
        return
    if actor.joined_at is None:
        raise NotAllowed("Votes are for members of this server. Vote from inside of it.")
    allowed = actor.joined_at + timedelta(days=rules.member_days)
    if now < allowed:
        days = f"{rules.member_days} day{'' if rules.member_days == 1 else 's'}"
        raise LimitReached(f"Votes are for people who joined at least {days} ago.", allowed)


def _end(tx: Transaction, panel: Panel, guess: Guess | None, now: datetime) -> bool:
    """Close a vote whose time is over, or extend it; False if somebody was faster."""
    rules = series.voting_rules(tx, guild_id=panel.guild_id, panel_id=panel.id)
    if panels.status_in(tx, panel.guild_id, panel.id) is not PanelStatus.VOTING:
        return False
    tally = votes.count_in(tx, panel.id)
    if tally.tied and rules.tie is TieRule.EXTEND:
        closes_at = now + timedelta(hours=min(rules.hours, _LONGEST_EXTENSION))
        if votes.extend(
            tx, guild_id=panel.guild_id, panel_id=panel.id, closes_at=closes_at, now=now
        ):
            _owe_card(tx, panel, "panel_extended", now)
            return True
    _choose(tx, panel, _winner(tx, panel, tally, guess), guess, now)
    return True


def _winner(tx: Transaction, panel: Panel, tally: Tally, guess: Guess | None) -> int | None:
    """The leader; among equals the requester's own vote where the series says so, then taste."""
    rules = series.voting_rules(tx, guild_id=panel.guild_id, panel_id=panel.id)
    if tally.tied and rules.tie is TieRule.REQUESTER:
        own = votes.vote_of(tx, panel.id, panel.requester_id)
        if own in tally.tied:
            return own
    equals = tally.tied if tally.voters else tuple(tally.counts)
    if guess is not None and guess.candidate_id in equals:
        return guess.candidate_id
    return tally.leader


def _choose(
    tx: Transaction,
    panel: Panel,
    winner: int | None,
    guess: Guess | None,
    now: datetime,
    *,
    by: int | None = None,
) -> None:
    """Accept the winner inside the transaction, so that a vote in flight counts or is refused.

    ``by`` is who closed the vote; None where time or a quorum did.
    """
    if winner is None:
        raise WrongState(f"Panel {panel.id} has no alternates to choose from.")
    panels.set_status(
        tx,
        guild_id=panel.guild_id,
        panel_id=panel.id,
        status=PanelStatus.ACCEPTED,
        expected={PanelStatus.VOTING},
        now=now,
    )
    panels.choose_candidate(
        tx, guild_id=panel.guild_id, panel_id=panel.id, candidate_id=winner, now=now
    )
    if guess is not None:
        taste.note_guess(tx, guild_id=panel.guild_id, panel_id=panel.id, guess=guess)
    audit.note(
        tx,
        guild_id=panel.guild_id,
        member_id=by,
        action="vote.closed",
        subject=f"panel {panel.id}",
        detail=f"candidate {winner}",
        now=now,
    )
    _owe_card(tx, panel, "panel_result", now)


def _owe_card(tx: Transaction, panel: Panel, key: str, now: datetime) -> None:
    """Let the outbox bring the vote card up to date."""
    outbox.owe(
        tx,
        guild_id=panel.guild_id,
        kind=PostKind.PANEL_RESULT,
        subject_id=panel.id,
        dedupe_key=f"{key}:{panel.id}",
        now=now,
    )
