"""What a request says about looks: "blonde", "with green eyes", "no beard", and of whom."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.domain.inputs import CastInput
from pipeline.prompting.colors import COLOR_WORDS, SKIN_WORDS
from pipeline.prompting.sentences import bearers, mentions, sentences_of, without_quotes

_COLOR = "|".join(sorted(map(re.escape, COLOR_WORDS), key=len, reverse=True))
_SKIN = "|".join(sorted(map(re.escape, SKIN_WORDS), key=len, reverse=True))
_SHADE = r"(?:(?:dark|light|bright|deep|pale|jet|dirty|strawberry|ash|icy|vivid)[ -])?"
_STYLE = (
    r"(?:(?:long|short|curly|wavy|straight|messy|wild|spiky|tousled|flowing|tight|neat|soft|shiny|"
    r"wet|thick|thin|loose|braided|tied|big|wide|large|small|sharp|kind|tired|bright|and)[ ,-]+)"
)
_BECAME = (
    r"(?:\s+(?:is|are|was|were|looks?|turns?|turned|has\s+turned|has\s+gone|went|gone|dyed))"
    r"(?:\s+(?:a|an|now|very|not|no\s+longer|never|bright|suddenly))*\s+"
)
_GARMENT = (
    r"t-shirt|tee|shirt|blouse|dress|jumper|sweater|pullover|hoodie|jacket|coat|raincoat|skirt|"
    r"trousers|pants|jeans|shorts|suit|uniform|cloak|cape|scarf|hat|cap|shoes|boots|gloves|tie|"
    r"vest|cardigan|kimono|robe|apron|hood"
)
_PERSON = (
    r"woman|man|girl|boy|stranger|child|kid|lady|guy|person|people|crowd|doll|statue|mannequin|cat|"
    r"dog|horse|customer|twins?|knight|prince|princess|teacher|tourist|actor|actress|model|baby|"
    r"waiter|waitress|neighbour|neighbor|friend|portrait|puppet|fairy|elf|princess"
)
_LENGTH = r"waist-length|shoulder-length|long|short|cropped|shaved"
_SHADED = rf"{_SHADE}(?:{_COLOR})"
_HUE = rf"(?P<v>{_SHADED})"
_CLOTHING = rf"(?P<v>{_SHADE}(?:{_COLOR})[ -](?:\w+[ -])?(?:{_GARMENT}))\b"
_HAIR = r"(?:hair(?:ed)?|curls|locks|ponytail|braids?|bangs|bob|mane)\b"
_BEARD = r"clean-shaven|beardless|beard(?:ed)?|goatee|moustached?|mustached?|stubble"
_WORN = r"(?:wearing|wears|wore|dressed\s+in|clad\s+in|in)\s+(?:an?|her|his|their|the)?\s*"
_PATTERNS: tuple[tuple[str, str], ...] = (
    ("hair_color", rf"\b{_HUE}[ -]{_STYLE}{{0,2}}{_HAIR}"),
    ("hair_color", rf"\bhair(?:'s)?{_BECAME}{_HUE}\b"),
    ("hair_color", rf"\bhair\s+{_HUE}(?=\s*(?:[,.;!?]|$|and\b|as\b))"),
    ("hair_color", r"\bhair\s+dyed\s+(?P<v>(?:bright\s+)?[a-z]+)\b"),
    ("hair_color", r"\b(?P<v>blonde?|brunette|redhead(?:ed)?)\b(?![ -]hair|[ -]ed)"),
    ("eye_color", rf"\b{_HUE}[ -]{_STYLE}{{0,2}}(?:eyes|eyed|irises)\b"),
    ("eye_color", rf"\beyes{_BECAME}{_HUE}\b"),
    ("skin", rf"\b(?P<v>(?:very )?(?:{_SKIN}))[ -](?:skin(?:ned)?|complexion)\b"),
    ("skin", rf"\bskin{_BECAME}(?P<v>{_SKIN})\b"),
    ("hair_length", rf"\b(?P<v>{_LENGTH})[ -](?:{_STYLE}|{_SHADED}[ -]){{0,2}}hair(?:ed)?\b"),
    ("hair_length", rf"\bhair{_BECAME}(?P<v>{_LENGTH})\b"),
    ("hair_length", r"\b(?P<v>bald)\b(?! eagle)"),
    ("hair_texture", r"\b(?P<v>curly|straight)[ -](?:\w+[ -])?hair(?:ed)?\b"),
    ("facial_hair", rf"\b(?P<v>{_BEARD})\b"),
    ("accessory", r"\b(?P<v>glasses|spectacles|eyepatch|monocle)\b"),
    ("garment", rf"\b{_WORN}{_CLOTHING}"),
    ("garment", rf"\b(?:her|his|their)\s+{_CLOTHING}"),
)
_COMPILED = tuple((slot, re.compile(pattern)) for slot, pattern in _PATTERNS)
_NOT = re.compile(
    r"(?:\b(?:not|no|never|without|non|nor|neither|instead\s+of|rather\s+than|anything\s+but|"
    r"hardly|cannot)\b|n['’]t\b)(?!\s+only)[^,.;:!?]{0,24}$"
)
_BUT = re.compile(r"\b(?:but|and|yet|while|though)\b(?!\s+(?:not|no|never|without)\b)")
_PASSING = re.compile(
    r"\s*(?:wig|ale|beer|wood|roast|extensions|toupee|fake|paint|with\s+(?:snow|dust|flour|paint|"
    r"mud|ash|frost|envy|soot|cold|rage|blood)|from\b|in\s+the\s+(?:moon|sun|fire|lamp|neon)?light|"
    r"(?:of|as)\s+(?:water|beer|milk|wine))"
)
_NOT_WORN = re.compile(
    r"\b(?:of|two|three|full|beer|wine|empty|raises?|fills?|clinks?|with(?=\s+the\s+glasses))"
    r"\s+(?:\w+\s+)?$"
)
_DETERMINER = re.compile(
    r"\b(?:an?|another|some|two|three|four|the\s+other|other|of|like|as)\s+(?:\w+\s+)?$"
)


@dataclass(frozen=True, slots=True)
class Claim:
    """A look that the request states.

    ``slot`` is a component or one of ``hair_length``, ``hair_texture``, ``garment``; ``value`` the
    words; ``who`` the indices of the cast of whom it can be true; ``negated`` for "not blonde";
    ``extra`` where it probably describes somebody who is not of the cast.
    """

    slot: str
    value: str
    start: int
    end: int
    who: frozenset[int]
    negated: bool = False
    extra: bool = False


def read_claims(request: str, cast: Sequence[CastInput]) -> list[Claim]:
    """Every statement about a look in a request, in the order of the text.

    What is said in quotes is dialogue and states nothing. Wigs, black eyes and "white with snow"
    are no looks.
    """
    text = without_quotes(request).casefold()
    if len(text) != len(request):  # case folding that changes lengths would move every place
        text = without_quotes(request).lower()
    found: dict[tuple[str, int], Claim] = {}
    for slot, match in _matches(text):
        start, end = match.span()
        if _PASSING.match(text[end:]) or (slot == "accessory" and _NOT_WORN.search(text[:start])):
            continue
        claim = Claim(
            slot, match["v"], start, end, bearers(text, start, end, cast),
            negated=_negated(text, match), extra=_extra(text, start, end, cast),
        )  # fmt: skip
        found.setdefault((slot, match.start("v")), claim)
    return sorted(found.values(), key=lambda claim: (claim.start, claim.slot))


def _matches(text: str) -> Iterator[tuple[str, re.Match[str]]]:
    for slot, pattern in _COMPILED:
        for match in pattern.finditer(text):
            yield slot, match


def _negated(text: str, match: re.Match[str]) -> bool:
    """Whether the words right before the value deny it, within its own clause."""
    before = _NOT.search(text[: match.start("v")])
    return before is not None and not _BUT.search(before[0])


def _extra(text: str, start: int, end: int, cast: Sequence[CastInput]) -> bool:
    """Whether it describes another person: "Mira greets a blonde woman", "a blonde passes Mira"."""
    if not _DETERMINER.search(text[:start]):
        return False
    stranger = re.match(rf"[\s-]*(?:\w+\s+)?(?:{_PERSON})\b", text[end:]) is not None
    a, b = next(((a, b) for a, b in sentences_of(text) if a <= start <= b), (0, len(text)))
    named = any(a <= m.start < b for m in mentions(text, cast))
    noun = text[start:end] in ("blonde", "blond", "brunette", "redhead")
    return named and (stranger or noun)
