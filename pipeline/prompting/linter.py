"""Finds what is wrong with a request before anything is queued, and says what to change.

Source: CC5 (the request never restates what is locked), DT21 (154 tokens).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from enum import StrEnum

from pipeline.domain.inputs import CastInput
from pipeline.prompting.claims import Claim, read_claims
from pipeline.prompting.looks import Agreement, compare
from pipeline.prompting.sentences import mentions, name_words, without_quotes
from pipeline.prompting.tokens import PROMPT_TOKENS, count_tokens, room_in

_NEAR = 0.8
"""Likeness (2 × common letters / all letters) from which a word may be a misspelt name."""
_CAPITALISED = re.compile(r"(?<![\w'’])[A-Z][^\W\d_]{2,}(?![\w])")
_OPENER_TEXT = (
    "the and but then with from into over under after before when while where what they she her "
    "his him you its our this that there here night day morning evening rain main street inside "
    "outside interior exterior close wide both all one two three plain back front left right high "
    "low miracle mirror mirrors later now suddenly meanwhile"
)
_OPENERS = frozenset(_OPENER_TEXT.split())
"""Words that begin a sentence with a capital and are nobody's name."""


class Severity(StrEnum):
    """Whether the request must change, should, or only might."""

    BLOCK = "block"
    WARN = "warn"
    INFO = "info"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing to know about a request. ``text`` says it to the person, with what to change.

    ``code`` is stable: ``conflict``, ``shared_name``, ``restated``, ``misspelt_name``,
    ``absent_name``, ``too_long``; of :mod:`pipeline.prompting.wardrobe` ``not_worn`` and
    ``no_chapter``. ``span`` is where in the request, if it is in one place.
    """

    severity: Severity
    code: str
    text: str
    span: tuple[int, int] | None = None
    character_id: str | None = None


def lint_request(
    request: str,
    cast: Sequence[CastInput],
    *,
    known_names: Sequence[str] = (),
    token_limit: int | None = PROMPT_TOKENS,
) -> tuple[Finding, ...]:
    """Check a request against the cast that it is for.

    Args:
        request: what the person typed.
        cast: the panel's characters in their appearances; pictures are not needed.
        known_names: the names of the whole registry, to find those who are meant but not cast.
        token_limit: what the engine's text encoder takes, None for an engine without one.

    Returns:
        Findings, the gravest first, in the order of the text.
    """
    found = [
        *_shared_names(request, cast),
        *_look_findings(request, cast),
        *_names(request, cast, known_names),
        *_length(request, token_limit),
    ]
    order = list(Severity)
    return tuple(sorted(found, key=lambda f: order.index(f.severity)))


def _shared_names(request: str, cast: Sequence[CastInput]) -> Iterator[Finding]:
    """Two that share a name cannot be told apart where only that name is used."""
    for place, member in enumerate(cast):
        for other in cast[place + 1 :]:
            if member.name.casefold() == other.name.casefold():
                yield Finding(
                    Severity.BLOCK,
                    "shared_name",
                    f"Two characters of this panel are called {member.name}. Rename one with "
                    "/character edit, or take one of them out.",
                )
                continue
            for word in set(name_words(member.name)) & set(name_words(other.name)):
                if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", request.casefold()):
                    yield Finding(
                        Severity.WARN,
                        "shared_name",
                        f"“{word.capitalize()}” can mean {member.name} or {other.name}. "
                        "Write a name that only one of them has.",
                    )


def _look_findings(request: str, cast: Sequence[CastInput]) -> Iterator[Finding]:
    for claim in read_claims(request, cast):
        finding = _judged(request, claim, cast)
        if finding is not None:
            yield finding


def _judged(request: str, claim: Claim, cast: Sequence[CastInput]) -> Finding | None:
    """What the registry says to one claim, by all of whom it can be true."""
    said = request[claim.start : claim.end]
    wrong, right = [], []
    for index in sorted(claim.who):
        agreement, have = compare(claim, cast[index])
        if agreement is Agreement.UNKNOWN:
            continue
        denied = (agreement is Agreement.SAME) is claim.negated
        (wrong if denied else right).append((cast[index], have))
    if wrong:
        sure = len(wrong) == len(claim.who) and not claim.extra and _certain(claim)
        return _conflict(claim, said, wrong, Severity.BLOCK if sure else Severity.WARN)
    if right and len(claim.who) == 1 and not claim.negated and not claim.extra:
        member, have = right[0]
        return Finding(
            Severity.INFO,
            "restated",
            f"The model sheet already says that {member.name} has {have}; “{said}” can go.",
            (claim.start, claim.end),
            member.character_id,
        )
    return None


def _certain(claim: Claim) -> bool:
    """A thing that is taken off for a moment is no conflict with the registry."""
    return not (claim.slot == "accessory" and claim.negated)


def _conflict(
    claim: Claim, said: str, wrong: Sequence[tuple[CastInput, str]], severity: Severity
) -> Finding:
    member, have = wrong[0]
    words = f"not {said}" if claim.negated else said
    maybe = "" if severity is Severity.BLOCK else "may be about "
    subject = f"“{words}” {maybe}{member.name}" if maybe else f"“{words}” is not {member.name}"
    return Finding(
        severity,
        "conflict",
        f"{subject}, whose model sheet says {have} (appearance {member.appearance_id}). Take it "
        "out of the prompt, or choose or register an appearance that looks like this.",
        (claim.start, claim.end),
        member.character_id,
    )


def _names(
    request: str, cast: Sequence[CastInput], known_names: Sequence[str]
) -> Iterator[Finding]:
    """Names that nobody of this panel has: misspelt, or of somebody who is not cast."""
    text = without_quotes(request)
    taken = [(m.start, m.end) for m in mentions(text, cast)]
    in_cast = {word for member in cast for word in name_words(member.name)}
    absent = {
        word: name for name in known_names for word in name_words(name) if word not in in_cast
    }
    said: set[str] = set()
    for match in _CAPITALISED.finditer(text):
        word = match[0].casefold()
        if any(a <= match.start() < b for a, b in taken) or word in said or word in _OPENERS:
            continue
        said.add(word)
        if word in absent:
            yield Finding(
                Severity.WARN,
                "absent_name",
                f"{absent[word]} is registered but not in this panel. Add the name to characters, "
                "or nobody watches over that look.",
                match.span(),
            )
        elif near := _near(word, [*in_cast, *absent]):
            yield Finding(
                Severity.WARN,
                "misspelt_name",
                f"Nobody here is called “{match[0]}”. Did you mean {near.capitalize()}?",
                match.span(),
            )


def _near(word: str, names: Sequence[str]) -> str | None:
    """The name that a word is a misspelling of, if it is one."""
    close = [(_likeness(word, name), name) for name in names if name[0] == word[0]]
    best = max(close, default=(0.0, ""))
    return best[1] if best[0] >= _NEAR or _one_slip(word, best[1]) else None


def _likeness(a: str, b: str) -> float:
    return SequenceMatcher(None, a, b, autojunk=False).ratio()


def _one_slip(word: str, name: str) -> bool:
    """One wrong letter in a name of four or more."""
    same_length = len(word) == len(name) >= 4
    return same_length and sum(a != b for a, b in zip(word, name, strict=True)) == 1


def _length(request: str, limit: int | None) -> Iterator[Finding]:
    tokens = count_tokens(request)
    room = room_in(limit or PROMPT_TOKENS)
    if tokens <= room:
        return
    if limit is None:
        yield Finding(
            Severity.INFO,
            "too_long",
            f"The prompt has about {tokens} tokens; engines with a text encoder take {room}.",
        )
        return
    yield Finding(
        Severity.BLOCK,
        "too_long",
        f"The prompt has about {tokens} tokens and the engine reads {room}. Shorten it by a "
        f"{_share(tokens, room)}: looks and clothes come from the model sheet anyway.",
    )


def _share(tokens: int, room: int) -> str:
    over = (tokens - room) / tokens
    shares = ((0.1, "tenth"), (0.25, "quarter"), (0.5, "half"))
    return next((word for most, word in shares if over <= most), "lot")
