"""The negative prompt of a panel: what the cast could turn into, within a token budget.

Source: JY8 (attributes → opposites → one negative prompt per character). What one character must
not become another one may be: such a piece holds in the first one's region only, or not at all.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import log2

from pipeline.domain.character import ColorMode
from pipeline.domain.conditioning import PartKind, PromptPart
from pipeline.domain.evidence import DriftCount
from pipeline.domain.inputs import CastInput
from pipeline.domain.vocabulary import COLOR_SLOTS
from pipeline.prompting.colors import families_of, named
from pipeline.prompting.drift import DriftMode, all_words, catalogue, words_of
from pipeline.prompting.tokens import CHUNK_TOKENS, count_tokens, room_in

NEGATIVE_TOKENS = room_in(CHUNK_TOKENS)
"""A negative prompt gets one chunk: it is paid for at every step."""
_OPPOSITES = 2
"""Opposites taken for one value; the first are the likeliest."""

_RELATED = {
    "hair": ("hair_color", "hair_style", "facial_hair"),
    "face": ("face", "facial_hair", "eye_color"),
    "eyes": ("eye_color", "face"),
    "skin": ("skin", "body_color"),
    "age": ("build", "face"),
    "body": ("build", "limbs", "shape"),
    "outfit": ("outfit", "top", "bottom", "outerwear", "shoes", "headwear", "main_color"),
    "accessory": ("accessory", "headwear", "prop", "hair_style"),
    "mark": ("face", "accessory"),
}
"""Where to look for an owner of what a mode's words deny; a family not listed looks everywhere."""
_PLAIN_TEXT = "hair eyes eye skin body face side the on of a in and top clothes single tone"
_PLAIN = frozenset([*_PLAIN_TEXT.split(), "different"])
"""Words that carry no attribute by themselves."""
_STEM = 4


@dataclass(frozen=True, slots=True)
class Negatives:
    """The chosen pieces: for the whole picture, and for single characters' regions.

    ``left_out`` says of each piece that was not taken why, for tests and logs.
    """

    shared: tuple[PromptPart, ...] = ()
    own: Mapping[str, tuple[PromptPart, ...]] | None = None
    left_out: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """The negative prompt of the whole picture."""
        return ", ".join(part.text for part in self.shared)

    def of(self, character_id: str) -> tuple[PromptPart, ...]:
        """The pieces that hold in one character's region only."""
        return (self.own or {}).get(character_id, ())


@dataclass(frozen=True, slots=True)
class NegativeWish:
    """What the negatives are chosen for.

    ``regions`` says whether the engine can confine words to a character's region; ``weights``
    raises modes (1 is plain), as the ladder does; ``counts`` is the guild's evidence.
    """

    request: str
    color_mode: ColorMode = ColorMode.COLOR
    regions: bool = False
    weights: Mapping[str, float] | None = None
    counts: Mapping[str, DriftCount] | None = None


def choose_negatives(
    cast: Sequence[CastInput], wish: NegativeWish, budget: int = NEGATIVE_TOKENS
) -> Negatives:
    """Choose pieces for a panel, the most needed first.

    Args:
        cast: who is in the panel.
        wish: request, colours, engine, raised modes and evidence.
        budget: tokens for the whole picture, and for each region.

    Returns:
        No piece of ``shared`` denies what anyone in the panel is, or what the request asks for.
    """
    weights, counts = wish.weights or {}, wish.counts or {}
    found = list(_candidates(cast, wish.color_mode, weights))
    found.sort(key=lambda item: -_urgency(item[0], weights, counts))
    asked = words_of(wish.request)
    shared, own, left_out = _Purse(budget), {m.character_id: _Purse(budget) for m in cast}, []
    for mode, part in found:
        reason, purse = "", shared
        owner = _owner(mode, part, cast)
        if _content(part.text) <= asked:
            reason = "the request asks for it"
        elif owner is not None:
            reason = f"{owner} has it"
            if wish.regions and part.character_id not in (None, owner):
                reason, purse = "", own[part.character_id]
        if not reason and not purse.take(part):
            reason = "no room"
        if reason:
            left_out.append((part.text, reason))
    regional = {who: tuple(purse.parts) for who, purse in own.items() if purse.parts}
    return Negatives(tuple(shared.parts), regional, tuple(left_out))


class _Purse:
    """Pieces within a token budget; a text is taken once."""

    def __init__(self, tokens: int) -> None:
        self.left = tokens
        self.parts: list[PromptPart] = []

    def take(self, part: PromptPart) -> bool:
        cost = count_tokens(part.text) + 1  # the comma
        if any(have.text == part.text for have in self.parts):
            return True
        if cost > self.left:
            return False
        self.left -= cost
        self.parts.append(part)
        return True


def _candidates(
    cast: Sequence[CastInput], color_mode: ColorMode, weights: Mapping[str, float]
) -> Iterator[tuple[DriftMode, PromptPart]]:
    """Every piece that some mode has for some character, or for the picture."""
    for mode in catalogue().modes.values():
        if not mode.fragment:
            continue
        weight = weights.get(mode.id, 1.0)
        if not mode.slots:
            if all(mode.applies(member, color_mode) for member in cast):
                yield from _pieces(mode, mode.fragment, mode.name.lower(), None, weight)
            continue
        for member in cast:
            if mode.applies(member, color_mode):
                for text, why in _texts(mode, member):
                    yield from _pieces(mode, text, why, member.character_id, weight)


def _pieces(
    mode: DriftMode, text: str, why: str, character_id: str | None, weight: float
) -> Iterator[tuple[DriftMode, PromptPart]]:
    kind = PartKind.OPPOSITE if character_id else PartKind.QUALITY
    for piece in text.split(", "):
        yield mode, PromptPart(piece, why, kind, character_id, weight, mode.id)


def _texts(mode: DriftMode, member: CastInput) -> Iterator[tuple[str, str]]:
    """The fragments of a mode for a character, each with the attribute that it protects."""
    for slot, value in mode.about(member):
        why = f"{member.name}: {slot.replace('_', ' ')} is {named(slot, value)}"
        if not mode.opposite:
            yield mode.fragment, why
            continue
        for opposite in catalogue().opposites_of(mode, slot, value)[:_OPPOSITES]:
            text = mode.fragment.replace("{}", opposite)
            yield text.replace("[noun]", _noun(value)), why


def _noun(value: str) -> str:
    """The thing that a value names: ``olive jumper with a clock`` → ``jumper``."""
    head = re.split(r"\s+(?:with|of|and|in|on)\s+|,", value.lower().replace("_", " "))[0]
    return head.split()[-1] if head.split() else ""


def _urgency(
    mode: DriftMode, weights: Mapping[str, float], counts: Mapping[str, DriftCount]
) -> float:
    """Who goes first: what the ladder raised, what people name often, what has helped."""
    count = counts.get(mode.id, DriftCount(mode.id))
    helps = (count.helped + 1) / (count.shown + 2) - 0.5
    named_often = min(2.0, log2(1 + count.labelled) / 2)
    return 10 * (weights.get(mode.id, 1.0) - 1) + mode.priority + named_often + 2 * helps


def _owner(mode: DriftMode, part: PromptPart, cast: Sequence[CastInput]) -> str | None:
    """The character that has what the piece denies; others before the one that it is about."""
    ordered = sorted(cast, key=lambda m: m.character_id == part.character_id)
    return next((m.character_id for m in ordered if _owns(m, mode, part)), None)


def _owns(member: CastInput, mode: DriftMode, part: PromptPart) -> bool:
    slots = _RELATED.get(mode.family)
    denied = _content(part.text)
    if mode.opposite == "cloth_color":
        denied = frozenset(w for w in denied if families_of(w))
    if slots is None or not mode.slots:
        return _alike(denied, all_words(member))
    for slot in slots:
        value = member.components.get(slot)
        if value is None:
            continue
        words = words_of(named(slot, value) if slot in COLOR_SLOTS else value)
        if _alike(denied, words) or _same_hue(denied, words, skin=slot == "skin"):
            return True
    return False


def _content(text: str) -> frozenset[str]:
    """The words of a piece that carry its meaning."""
    return words_of(text) - _PLAIN


def _alike(a: frozenset[str], b: frozenset[str]) -> bool:
    """Whether a word of one is, but for its ending, a word of the other."""
    return bool({w[:_STEM] for w in a} & {w[:_STEM] for w in b})


def _same_hue(a: frozenset[str], b: frozenset[str], *, skin: bool) -> bool:
    hues = [frozenset().union(*(families_of(w, skin=skin) for w in words)) for words in (a, b)]
    return bool(hues[0] & hues[1])
