"""What happens when pictures of a panel are accepted, by the check or by a moderator."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random

from storage import attempts, panels, series
from storage.database import Transaction


def accept(
    tx: Transaction, guild_id: int, panel_id: int, candidate_ids: Sequence[int], now: datetime
) -> None:
    """One candidate is the panel at once; several go to a vote.

    Their order on the card is random: what stands first gets more votes, and only where that has
    nothing to do with the pictures can it be told from them (:mod:`pipeline.taste`). The labels
    A to D are the record of it.

    Raises:
        NotFound: one is not a candidate of this panel of the guild.
    """
    order = sorted(candidate_ids)
    Random(f"places of {guild_id} {panel_id}").shuffle(order)
    attempts.label_candidates(tx, guild_id=guild_id, panel_id=panel_id, candidate_ids=order)
    if len(candidate_ids) == 1:
        panels.choose_candidate(
            tx, guild_id=guild_id, panel_id=panel_id, candidate_id=candidate_ids[0], now=now
        )
    else:
        rules = series.voting_rules(tx, guild_id=guild_id, panel_id=panel_id)
        closes_at = now + timedelta(hours=rules.hours)
        panels.open_voting(tx, guild_id=guild_id, panel_id=panel_id, closes_at=closes_at, now=now)
