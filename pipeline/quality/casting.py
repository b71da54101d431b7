"""Who is who: the figures that were found in a panel, shared out among the expected cast."""

import math
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np

from pipeline.domain.geometry import Box
from pipeline.domain.quality import CastFault, CastFinding, CharacterCheck, Stage
from pipeline.imaging.detector import Sighting
from pipeline.quality.part_colours import PartColor
from pipeline.quality.plates import Floats

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
_ALIKE = 12.0
"""A colour of others that is nearer than this to any of one's own is one's own as well."""
_EVEN = 0.4
"""Share of a part that must have one colour for it to be that part's."""
_EPSILON = 1e-6
FULL_MARKS = 100.0


LIMITS: Mapping[CastFault, float] = {
    CastFault.MISSING: 0.35,
    CastFault.EXTRA: 0.55,
    CastFault.SWAP: 0.0,
    CastFault.BLEED: 0.5,
    CastFault.DOUBLE: 0.0,
}
"""Scores above which a fault is told.

Priors: two members that fit better the other way round, a colour that is nearer to the other one's
than to its own, a bystander who would pass as the hero. Missing and extra: of 40 composed panels in
eight drawing styles with everybody on stage 3 and 2 are over them, of as many with somebody missing
or too many all are.
"""
_BY_SCORE, _BY_HEAD, _BY_DETAIL, _NO_FIGURE = 10.0, 1.5, 6.0, -4.7
"""Log-odds that what the detector saw is a figure: for each point of its score, where both see one
head, and for each share of the face in which something is drawn. Source: logistic regression on 382
sightings in the same panels, whose grounds hold balls with faces; AUC 0.96 in styles left out."""
_LIKELY = 0.5
"""The chance from which somebody may be said to have the face of the cast."""


def chance_of(sighting: Sighting, detail: float) -> float:
    """The chance that something that was seen is a figure, 0 to 1.

    Args:
        sighting: what the detector saw.
        detail: the share of its face in which something is drawn (:class:`Sight`).
    """
    odds = _BY_SCORE * sighting.score + _BY_HEAD * sighting.heads_agree + _BY_DETAIL * detail
    return 1 / (1 + math.exp(-odds - _NO_FIGURE))


def occm(found: int, expected: int) -> float:
    """The on-stage-count score: 100 for as many figures as expected, less for fewer and more.

    Source: OCCM of ViStoryBench, 100 · exp(-|D - E| / (ε + E)), D detected, E expected.
    """
    return FULL_MARKS * math.exp(-abs(found - expected) / (_EPSILON + expected))


def stage_findings(
    checks: Sequence[Sequence[CharacterCheck]], boxes: Sequence[Box], chances: Sequence[float]
) -> list[CastFinding]:
    """Who is missing, who is too many, and who looks like somebody of the cast.

    Args:
        checks: of every expected member (first index) against everything that may be a figure
            (second). Somebody who was seen badly is not missing.
        boxes: of what may be figures.
        chances: that they are.

    Returns:
        Every suspicion with its score, whether above its limit or not.
    """
    chosen = share_out(checks)
    out: list[CastFinding] = []
    for row, pick in zip(checks, chosen, strict=True):
        short = 2.0 if pick is None else -_margin(row[pick])
        if row:
            out.append(CastFinding(CastFault.MISSING, row[0].character_id, short))
    left = [k for k in range(len(boxes)) if k not in chosen and chances[k] >= _LIKELY]
    out.append(CastFinding(CastFault.EXTRA, None, sum(chances) - len(checks)))
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
    character_id: str, mine: Sequence[PartColor], others: Mapping[str, Sequence[PartColor]]
) -> list[CastFinding]:
    """Colours of others that a figure wears.

    Args:
        character_id: whose figure it is.
        mine: the colours of the figure's parts (hair, skin, clothes): usual, and seen.
        others: those of the other members, by character id.

    Returns:
        For every part and other member how far its colour went from its own to theirs: 0 still
        its own, 1 theirs. A colour that is among one's own, too, says nothing, nor does a part
        that has no one colour any more.
    """
    own = [color.usual for color in mine]
    out: list[CastFinding] = []
    for other_id, theirs in others.items():
        strange = [o.usual for o in theirs if all(_apart(o.usual, usual) > _ALIKE for usual in own)]
        for color in mine:
            far = [usual for usual in strange if _apart(usual, color.usual) > _APART]
            scores = [_gone_over(color, usual) for usual in far]
            if scores and color.share >= _EVEN:
                out.append(
                    CastFinding(
                        CastFault.BLEED, character_id, max(scores), other_id, part=color.part
                    )
                )
    return out


def _gone_over(color: PartColor, theirs: Floats) -> float:
    """How far a colour went to another one: 0 still its own, 1 there."""
    way = theirs - color.usual
    length = _apart(theirs, color.usual)
    shift = color.seen - color.usual
    along = float(shift @ way) / length
    astray = float(np.linalg.norm(shift - way * (along / length)))
    return (along - astray) / length


def _apart(first: Floats, second: Floats) -> float:
    return float(np.linalg.norm(first - second))


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
            more = max(1, round(finding.score))
            return f"Figures that nobody expected: {more}."
        case CastFault.SWAP:
            return f"{who} and {other} seem to have changed places."
        case CastFault.BLEED:
            return f"The {finding.part} of {who} has the colour of {other}'s."
        case CastFault.DOUBLE:
            return f"A bystander looks like {who}."
