"""Which new picture of a look would save the most tries, told from what was drawn so far.

A panel asks to see something: its shot, and the angle and expression that its words name. Either a
canon reference showed that when it was drawn, or none did. Panels of the second kind fail more
often; by how much is estimated for each wish, and multiplied with how often it will be wished for.

Both are rates of few events, so each is drawn towards the mean of its kind as far as the data
cannot tell it from that mean. Source: the global empirical Bayes estimator of R. J. Marshall,
“Mapping disease and mortality rates using empirical Bayes estimators”, Applied Statistics 40 (2),
1991. Without that the best-looking quest would promise too much: it is the luckiest one as well.

It is an estimate of what *would* happen and no experiment: panels without a fitting reference may
also be the harder ones to draw.
"""

from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from pipeline.domain.character import Reference, ShotType
from pipeline.domain.quest import QuestIdea, Saving, View
from pipeline.domain.vocabulary import ANGLES, Expression, family_of
from pipeline.retrieval.coverage import Need
from pipeline.retrieval.words import asks_for, tokens

_STANDS_IN = {ShotType.DYNAMIC: frozenset({ShotType.DYNAMIC, ShotType.FULL})}
_ANGLE_WORDS = {"front": "frontal", "three_quarter": "quarter", "side": "side", "back": "back"}
_NEEDS = {
    "head": ShotType.HEADSHOT,
    "full": ShotType.FULL,
    "half": ShotType.HALF,
    "dynamic": ShotType.DYNAMIC,
}
K = TypeVar("K", bound=Hashable)

LEAST = 0.5
"""Tries from which a saving is worth a quest of its own."""


@dataclass(frozen=True, slots=True)
class PastPanel:
    """One look in one panel: what it asked to see, the tries that failed, and whether it was shown.

    ``failed`` counts tries of which no alternate was on-model for this look: off-model, or such
    that the check could not judge it. ``shown`` says that a canon reference of the look showed what
    was wanted when the panel was asked for.
    """

    appearance_id: str
    wish: View
    failed: int
    shown: bool


def wish_of(shot_type: ShotType, prompt: str) -> View:
    """What a panel asks to see: its shot, and what its words say of angle and expression."""
    words = tokens(prompt)
    angle = next((a for a in ANGLES if asks_for(_ANGLE_WORDS[a], words)), "")
    expression = next((e for e in Expression if asks_for(e.value, words)), None)
    return View(shot_type, angle, expression)


def view_of(reference: Reference) -> View:
    """What a reference shows."""
    return View(reference.shot_type, reference.angle, family_of(reference.expression))


def shows(view: View, wish: View) -> bool:
    """Whether a picture of a view shows what is wished for."""
    shots = _STANDS_IN.get(wish.shot_type, frozenset({wish.shot_type}))
    return (
        view.shot_type in shots
        and wish.angle in ("", view.angle)
        and wish.expression in (None, view.expression)
    )


def savings(
    past: Sequence[PastPanel], appearance_id: str, held: Sequence[View]
) -> dict[View, Saving]:
    """What a picture of each view that is lacking would save of one look.

    Args:
        past: panels of all looks of the guild: what one look cannot tell is borrowed from them.
        appearance_id: the look.
        held: what its canon references show now.

    Returns:
        Every wish that is not met now, with its saving for as many panels as ``past`` has of the
        look.
    """
    panels = Counter(one.appearance_id for one in past)
    lacking = {
        one.wish
        for one in past
        if one.appearance_id == appearance_id and not any(shows(view, one.wish) for view in held)
    }
    asked = {wish: _asked(past, panels, wish) for wish in lacking}
    without = _failed(p for p in past if not p.shown)
    shown = _failed(PastPanel(p.appearance_id, _ANY, p.failed, True) for p in past if p.shown)
    usual = shown.get((appearance_id, _ANY), _mean(p.failed for p in past if p.shown))
    average = _mean(p.failed for p in past if not p.shown)
    found = {}
    for view in lacking:
        met = [wish for wish in lacking if shows(view, wish)]
        tries, weight = 0.0, 0.0
        for wish in met:
            wanted = asked[wish].get(appearance_id, 0.0) * panels[appearance_id]
            failed = without.get((appearance_id, wish), average)
            tries += wanted * max(0.0, failed - usual)
            weight += wanted * failed
        wanted = sum(asked[wish].get(appearance_id, 0.0) for wish in met) * panels[appearance_id]
        count = sum(
            p.appearance_id == appearance_id and not p.shown and p.wish in met for p in past
        )
        rate = weight / wanted if wanted else 0.0
        found[view] = Saving(tries, count, panels[appearance_id], rate, usual)
    return found


def quest_ideas(
    past: Sequence[PastPanel], appearance_id: str, held: Sequence[View], missing: Sequence[Need]
) -> list[QuestIdea]:
    """Pictures worth asking for, the most saving first; then what the model sheet lacks."""
    saved = savings(past, appearance_id, held)
    ranked = sorted(saved.items(), key=lambda item: -item[1].tries)
    ideas = [QuestIdea(appearance_id, view, s) for view, s in ranked if s.tries >= LEAST]
    known = [idea.view for idea in ideas]
    for need in missing:
        view = _view_for(need)
        if view is not None and not any(shows(other, view) for other in (*known, *held)):
            ideas.append(QuestIdea(appearance_id, view))
            known.append(view)
    return ideas


def smoothed(counts: Mapping[K, float], exposures: Mapping[K, float]) -> dict[K, float]:
    """Rates of several kinds, each drawn towards their common mean as far as chance explains it.

    Args:
        counts: events by kind, ≥ 0.
        exposures: how often each could have happened, > 0, for the same kinds.
    """
    whole = sum(exposures.values())
    if not whole:
        return {}
    mean = sum(counts.values()) / whole
    rates = {kind: counts[kind] / exposures[kind] for kind in counts}
    spread = sum(exposures[k] * (rates[k] - mean) ** 2 for k in rates) / whole
    between = max(0.0, spread - mean / (whole / len(exposures)))
    if not between:
        return dict.fromkeys(rates, mean)
    return {
        kind: mean + (rate - mean) * between / (between + mean / exposures[kind])
        for kind, rate in rates.items()
    }


_ANY = View(ShotType.FULL, "any")


def _asked(past: Sequence[PastPanel], panels: Mapping[str, int], wish: View) -> dict[str, float]:
    """How often a wish comes up per panel of each look."""
    counts = Counter(one.appearance_id for one in past if one.wish == wish)
    return smoothed({look: counts[look] for look in panels}, panels)


def _failed(past: Iterable[PastPanel]) -> dict[tuple[str, View], float]:
    """Failed tries per panel, by look and wish."""
    counts: dict[tuple[str, View], float] = defaultdict(float)
    exposures: dict[tuple[str, View], float] = defaultdict(float)
    for one in past:
        counts[one.appearance_id, one.wish] += one.failed
        exposures[one.appearance_id, one.wish] += 1
    return smoothed(counts, exposures)


def _mean(numbers: Iterable[int]) -> float:
    known = list(numbers)
    return sum(known) / len(known) if known else 0.0


def _view_for(need: Need) -> View | None:
    part, _, rest = need.key.partition(".")
    if part == "expression":
        return View(ShotType.HEADSHOT, "", Expression(rest))
    shot = _NEEDS.get(part)
    return None if shot is None else View(shot, rest if rest in ANGLES else "")
