"""Builds the prompt: the composition comes from the request, the identity from the registry.

Source: CC5 (the prompt is decomposed, the character part is locked).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import PartKind, PromptPart
from pipeline.domain.inputs import CastInput
from pipeline.domain.vocabulary import COLOR_SLOTS
from pipeline.prompting.claims import Claim, read_claims
from pipeline.prompting.colors import named
from pipeline.prompting.drift import mark_words
from pipeline.prompting.looks import Agreement, compare
from pipeline.prompting.tokens import count_tokens, room_in

_FRAMING = {
    ShotType.HEADSHOT: "close-up, head and shoulders",
    ShotType.HALF: "medium shot, waist up",
    ShotType.FULL: "full-length shot",
    ShotType.DYNAMIC: "dynamic action shot, tilted camera",
}
_ORDER = (
    "hair_color", "hair_style", "eye_color", "skin", "body_color", "marks", "facial_hair", "face",
    "build", "limbs", "outfit", "top", "outerwear", "headwear", "accessory", "bottom", "prop",
    "shoes", "main_color",
)  # fmt: skip
"""Components from the most to the least telling: the last go first when the tokens run out."""
_NOUNS = {"hair_color": "hair", "hair_style": "hair", "eye_color": "eyes", "skin": "skin"}
_HAIR_WORDS = re.compile(r"hair|curls?|locks|braids?|bun|ponytail|twintails|bob|mane|afro|bald")
_PALETTE_WORDS = 4


@dataclass(frozen=True, slots=True)
class BuiltPrompt:
    """A prompt in its parts, and each character's own words, exactly as they stand in it.

    ``notes`` says what was left out for want of room.
    """

    parts: tuple[PromptPart, ...]
    identities: tuple[str, ...]
    notes: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The prompt in one line."""
        return ", ".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True)
class PromptWish:
    """What a prompt is built for. ``token_limit`` counts marks, None is no limit.

    ``clear`` says in words where balloons will stand.
    """

    request: str
    shot_type: ShotType
    color_mode: ColorMode
    style: str = ""
    token_limit: int | None = None
    clear: str = ""


def identity_words(member: CastInput, least: int = 0) -> str:
    """The locked part: name, components, marks and main colours, the most telling first.

    ``least`` drops so many of the least telling words, for a prompt that is too long.
    """
    facts = identity_facts(member)
    kept = facts[: max(0, len(facts) - least)]
    return f"{member.name} ({', '.join(kept)})" if kept else member.name


def identity_facts(member: CastInput) -> list[str]:
    """What the registry says of a look, in words that a text encoder knows."""
    known = {slot: _phrase(slot, value) for slot, value in member.components.items()}
    if member.marks:
        known["marks"] = ", ".join(mark_words(member))
    ranked = [known[slot] for slot in _ORDER if slot in known]
    rest = [known[slot] for slot in sorted(known) if slot not in _ORDER]
    return [*ranked, *rest, *_palette_words(member)]


def build(cast: Sequence[CastInput], wish: PromptWish) -> BuiltPrompt:
    """Framing, what happens, who is there, how it is drawn; within the engine's tokens.

    What the request says again of a locked look is taken out of it. Where the tokens run out, the
    least telling words of the characters go first; the request is never cut.
    """
    scene = without_restated(wish.request, cast)
    built, least = _assemble(cast, wish, scene, 0), 0
    most = max((len(identity_facts(member)) for member in cast), default=0)
    while wish.token_limit is not None and least < most:
        if count_tokens(built.text) <= room_in(wish.token_limit):
            break
        least += 1
        built = _assemble(cast, wish, scene, least)
    return built


def without_restated(request: str, cast: Sequence[CastInput]) -> str:
    """The request without words that only repeat the model sheet, where they come off cleanly.

    "Black-haired Mira waves" → "Mira waves"; "Mira, with black hair, waves" → "Mira waves".
    """
    text = request.strip()
    for claim in reversed(read_claims(text, cast)):
        if not _repeats(claim, cast):
            continue
        before, after = text[: claim.start], text[claim.end :]
        adjective = re.match(r"\s+\w", after) and text[claim.start : claim.end].endswith("ed")
        if adjective:
            text = before + after.lstrip()
        elif phrase := re.search(r",?\s+with\s+(?:(?:her|his|their)\s+)?$", before):
            text = before[: phrase.start()] + re.sub(r"^\s*,", "", after)
    return text[:1].upper() + text[1:] if request[:1].isupper() else text


def _repeats(claim: Claim, cast: Sequence[CastInput]) -> bool:
    if claim.negated or claim.extra or len(claim.who) != 1:
        return False
    return compare(claim, cast[min(claim.who)])[0] is Agreement.SAME


def _assemble(cast: Sequence[CastInput], wish: PromptWish, scene: str, least: int) -> BuiltPrompt:
    gray = wish.color_mode is ColorMode.GRAYSCALE
    ink = "black and white comic panel" if gray else "comic panel"
    identities = tuple(identity_words(member, least) for member in cast)
    repeated = "" if scene == wish.request.strip() else ", less what the model sheets say already"
    parts = [
        PromptPart(_FRAMING[wish.shot_type], f"shot type {wish.shot_type}", PartKind.FRAMING),
        PromptPart(wish.clear, "balloons of the storyboard", PartKind.FRAMING),
        PromptPart(scene, f"as asked{repeated}", PartKind.REQUEST),
        *(
            PromptPart(
                words, f"model sheet of {member.appearance_id}, locked", PartKind.IDENTITY,
                member.character_id,
            )
            for member, words in zip(cast, identities, strict=True)
        ),
        PromptPart(ink, f"series in {wish.color_mode}", PartKind.INK),
        PromptPart(wish.style, "style of the series", PartKind.STYLE),
    ]  # fmt: skip
    notes = tuple(
        f"prompt too long: {member.name} goes without “{fact}”"
        for member in cast
        for fact in _dropped(member, least)
    )
    return BuiltPrompt(tuple(part for part in parts if part.text), identities, notes)


def _dropped(member: CastInput, least: int) -> list[str]:
    facts = identity_facts(member)
    return facts[max(0, len(facts) - least) :]


def _phrase(slot: str, value: str) -> str:
    """``hair_color=navy`` → ``navy hair``; ``prop=katana_v2`` → ``katana``."""
    words = named(slot, value) if slot in COLOR_SLOTS else value.replace("_", " ")
    words = re.sub(r"\s+v\d+$", "", words)
    noun = _NOUNS.get(slot, "")
    if not noun or (slot == "hair_style" and _HAIR_WORDS.search(words.lower())):
        return words
    return f"{words} {noun}"


def _palette_words(member: CastInput) -> list[str]:
    """The main colours of a look by name, if the registry has measured any."""
    names = dict.fromkeys(named("main_color", value) for value in member.palette)
    chosen = list(names)[:_PALETTE_WORDS]
    return [f"palette of {', '.join(chosen)}"] if chosen else []
