"""Who is who: the figures that were found in a panel, shared out among the expected cast."""

import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from pipeline.domain.geometry import Box
from pipeline.domain.quality import CastFault, CastFinding, CharacterCheck, Stage
from pipeline.quality.differences import PartColor

_Way = tuple[int, float, tuple[int | None, ...]]
"""How many members got a figure, the sum of their margins, and who got which."""


def share_out(checks: Sequence[Sequence[CharacterCheck]]) -> list[int | None]:
    """Give every member of the cast at most one figure, so that all fit best together.

    Args:
        checks: of every member (first index) against every figure (second), equally many each.

    Returns:
        For each member the index of its figure, None where there are too few. As many as
        possible get one; among those ways the one with the largest sum of similarity minus
        limit is taken, exactly, over all subsets of figures (which are few).
    """
    figures = len(checks[0]) if checks else 0

    @cache
    def best(member: int, taken: int) -> _Way:
        if member == len(checks):
            return 0, 0.0, ()
        count, total, rest = best(member + 1, taken)
        ways: list[_Way] = [(count, total, (None, *rest))]
        for k in range(figures):
            if not taken >> k & 1:
                count, total, rest = best(member + 1, taken | 1 << k)
                ways.append((count + 1, total + _margin(checks[member][k]), (k, *rest)))
        return max(ways, key=lambda way: way[:2])

    return list(best(0, 0)[2])


def _margin(check: CharacterCheck) -> float:
    """How far a check is over its limit; far under all limits where nothing was compared."""
    if check.similarity is None or check.threshold is None:
        return -2.0
    return check.similarity - check.threshold


_APART = 20.0
"""Colours nearer than this (CIE76) cannot tell whose they are."""
_EPSILON = 1e-6
FULL_MARKS = 100.0


LIMITS: Mapping[CastFault, float] = {
    CastFault.MISSING: 0.06,
    CastFault.EXTRA: 0.5,
    CastFault.SWAP: 0.0,
    CastFault.BLEED: 0.5,
    CastFault.DOUBLE: 0.0,
}
"""Scores above which a fault is told.

Priors: a figure that falls further short than a rough cut may (the judge's margin for scenes), any
figure too many, two members that fit better the other way round, a colour that is nearer to the
other one's than to its own, a bystander who would pass as the hero.
"""


def occm(found: int, expected: int) -> float:
    """The on-stage-count score: 100 for as many figures as expected, less for fewer and more.

    Source: OCCM of ViStoryBench, 100 · exp(-|D - E| / (ε + E)), D detected, E expected.
    """
    return FULL_MARKS * math.exp(-abs(found - expected) / (_EPSILON + expected))


def stage_findings(
    checks: Sequence[Sequence[CharacterCheck]], boxes: Sequence[Box]
) -> list[CastFinding]:
    """Who is missing, who is too many, and who looks like somebody of the cast.

    Args:
        checks: of every expected member (first index) against every found figure (second).
        boxes: of the found figures.

    Returns:
        Every suspicion with its score, whether above its limit or not.
    """
    chosen = share_out(checks)
    out: list[CastFinding] = []
    for row, pick in zip(checks, chosen, strict=True):
        short = 2.0 if pick is None else -_margin(row[pick])
        if row:
            out.append(CastFinding(CastFault.MISSING, row[0].character_id, short))
    left = [k for k in range(len(boxes)) if k not in chosen]
    out.append(CastFinding(CastFault.EXTRA, None, float(len(boxes) - len(checks))))
    for k in left:
        best = max(checks, key=lambda row: _margin(row[k]), default=None)
        if best is not None:
            margin = _margin(best[k])
            who = best[k].character_id
            out.append(CastFinding(CastFault.DOUBLE, who, margin, box=boxes[k]))
    return out


def swap_findings(checks: Sequence[Sequence[CharacterCheck]]) -> list[CastFinding]:
    """Members that stand where others were meant to stand.

    Args:
        checks: square; entry (a, b) compares member a with the figure that is marked as member b.

    Returns:
        For every pair how much better they fit the other way round, in similarity.
    """
    out: list[CastFinding] = []
    for a in range(len(checks)):
        for b in range(a):
            crossed = _margin(checks[a][b]) + _margin(checks[b][a])
            straight = _margin(checks[a][a]) + _margin(checks[b][b])
            out.append(
                CastFinding(
                    CastFault.SWAP,
                    checks[a][a].character_id,
                    (crossed - straight) / 2,
                    checks[b][b].character_id,
                    checks[a][a].box,
                )
            )
    return out


def bleed_findings(
    character_id: str, mine: Mapping[str, PartColor], others: Mapping[str, Mapping[str, PartColor]]
) -> list[CastFinding]:
    """Colours of others that a figure wears.

    Args:
        character_id: whose figure it is.
        mine: the figure's parts (hair, skin, clothes): the usual colour and the one seen.
        others: the parts of the other members, by character id.

    Returns:
        For every part and other member how far its colour went from its own to theirs: 0 still
        its own, 1 theirs. Parts whose colours the two share say nothing.
    """
    out: list[CastFinding] = []
    for part, color in mine.items():
        for other_id, theirs in others.items():
            if part not in theirs:
                continue
            way = theirs[part].usual - color.usual
            length = float(np.linalg.norm(way))
            if length < _APART:
                continue
            moved = color.seen - color.usual
            along = float(moved @ way) / length
            astray = float(np.linalg.norm(moved - way * (along / length)))
            score = (along - astray) / length
            out.append(CastFinding(CastFault.BLEED, character_id, score, other_id, part=part))
    return out


def stage_of(expected: int, found: int, findings: Sequence[CastFinding]) -> Stage:
    """The score of the stage, and the findings above their limits."""
    return Stage(expected, found, occm(found, expected), tuple(told(findings)))


def told(findings: Sequence[CastFinding]) -> list[CastFinding]:
    """The findings above their limits, the strongest of each kind and member first."""
    over = [one for one in findings if one.score > LIMITS[one.fault]]
    return sorted(over, key=lambda one: -one.score)


def finding_words(finding: CastFinding, names: Mapping[str, str]) -> str:
    """A finding as a sentence."""
    who = names.get(finding.character_id or "", finding.character_id or "Somebody")
    other = names.get(finding.other_id or "", finding.other_id or "somebody else")
    match finding.fault:
        case CastFault.MISSING:
            return f"{who} is not to be seen, or not to be recognised."
        case CastFault.EXTRA:
            return f"There are {round(finding.score)} more figures than expected."
        case CastFault.SWAP:
            return f"{who} and {other} seem to have changed places."
        case CastFault.BLEED:
            return f"The {finding.part} of {who} has the colour of {other}'s."
        case CastFault.DOUBLE:
            return f"A bystander looks like {who}."
