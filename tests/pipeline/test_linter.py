"""The linter on a generated set of requests: what contradicts is found, what does not is left."""

import itertools
import random

import pytest

from pipeline.domain.inputs import CastInput
from pipeline.prompting.linter import Severity, lint_request
from pipeline.prompting.tokens import PROMPT_TOKENS, count_tokens, room_in


def member(name: str, **components: str) -> CastInput:
    slug = name.lower().replace(" ", "_")
    return CastInput(f"ch_{slug}", f"{slug}_everyday", name, "Everyday", 1.0, components, (), ())


MIRA = member(
    "Mira", hair_color="navy", hair_style="long tight curls", eye_color="amber", skin="fair",
    top="light blue T-shirt", accessory="square glasses",
)  # fmt: skip
OSKAR = member(
    "Oskar", hair_color="black", hair_style="short and wild", eye_color="green", skin="dark",
    facial_hair="full beard", top="olive green jumper",
)  # fmt: skip
ODETTE = member("Gran Odette", hair_color="white", hair_style="bun", eye_color="blue", skin="pale")
PAIR = (MIRA, OSKAR)


def codes(request, *cast, severity=Severity.BLOCK, **options):
    found = lint_request(request, cast or (MIRA,), **options)
    return [f.code for f in found if f.severity is severity]


# --- a generated set: what somebody writes × how, and whether it contradicts -------------------

HAIR = {"Mira": ("navy", "blue"), "Oskar": ("black", "raven"), "Gran Odette": ("white", "silver")}
EYES = {"Mira": ("amber",), "Oskar": ("green", "emerald"), "Gran Odette": ("blue", "azure")}
CAST = {m.name: m for m in (MIRA, OSKAR, ODETTE)}
HUES = ("blonde", "red", "green", "pink", "black", "navy", "white", "brown", "orange")
EYE_HUES = ("brown", "green", "violet", "blue", "red", "grey")
SINGLE = (
    ("{n} waves, her {v} hair flowing", "hair"), ("{v}-haired {n} runs along the quay", "hair"),
    ("{n} with {v} hair at the window", "hair"), ("{n}'s hair is {v}", "hair"),
    ("Night. {n} smiles, {v} eyes shining", "eyes"), ("The {v}-eyed {n} looks up", "eyes"),
    ("{n}'s eyes are {v}", "eyes"), ("Close on {n}: {v} eyes, a smile", "eyes"),
)  # fmt: skip
HARMLESS = (
    "{n} is not {v}", "{n} wears a {v} wig", "{n} looks at a {v} wall", "{n} dances under a {v} sky",
    "{n} says “my hair is {v}!”", "{n} carries a {v} umbrella", "{n} in a room with {v} curtains",
    "{n} never had {v} hair", "{n} buys {v} paint", "{n} holds a {v} cat",
)  # fmt: skip
AGREES = {  # families of one colour word that a reader takes for the same
    "navy": {"navy"}, "black": {"black"}, "white": {"white"}, "amber": set(),
    "green": {"green"}, "blue": {"blue"},
}  # fmt: skip


def generated():
    """(request, cast, whether it contradicts a model sheet), for one and for two characters."""
    for name, other in itertools.permutations(CAST, 2):
        for (words, slot), hues in itertools.product(SINGLE, (HUES, EYE_HUES)):
            if (slot == "hair") is not (hues is HUES):
                continue
            own = CAST[name].components["hair_color" if slot == "hair" else "eye_color"]
            for hue in hues:
                text = words.format(n=name, v=hue)
                wrong = hue not in AGREES[own]
                yield f"{text}.", (CAST[name],), wrong
                yield f"{other} laughs. {text}.", (CAST[name], CAST[other]), wrong
                yield f"{text}. {other} sits down.", (CAST[other], CAST[name]), wrong
        for words, hue in itertools.product(HARMLESS, HUES):
            own = CAST[name].components["hair_color"]
            denies = "not {v}" in words or "never" in words
            if denies and hue in AGREES[own]:
                continue  # "not navy" of somebody with navy hair does contradict
            yield f"{words.format(n=name, v=hue)}.", (CAST[name], CAST[other]), False


def test_recall_and_precision_on_the_generated_set():
    hits = misses = alarms = 0
    wrong = []
    for request, cast, contradicts in generated():
        blocked = bool(codes(request, *cast))
        hits += blocked and contradicts
        misses += contradicts and not blocked
        alarms += blocked and not contradicts
        if blocked != contradicts:
            wrong.append((request, blocked))
    recall, precision = hits / (hits + misses), hits / (hits + alarms)
    random.Random(1).shuffle(wrong)
    figures = f"{hits + misses} conflicts, recall {recall:.3f}, precision {precision:.3f}"
    assert recall >= 0.97, (figures, wrong[:10])
    assert precision >= 0.97, (figures, wrong[:10])


# --- single rules ----------------------------------------------------------------------------


def test_a_conflict_names_the_words_the_character_and_what_to_do():
    (finding,) = lint_request("Blonde Mira waves.", (MIRA,))
    assert finding.severity is Severity.BLOCK
    assert finding.character_id == "ch_mira"
    assert finding.span == (0, 6)
    assert "navy hair" in finding.text
    assert "Take it out" in finding.text


@pytest.mark.parametrize(
    "request_",
    [
        "Mira, not blonde, waves.", "Mira is no longer blonde.", "Mira's hair is not red.",
        "Mira wears a blonde wig.", "Mira has a black eye.", "Mira, red eyes from crying.",
        "Mira, her hair white with snow.", "“You look blonde!” says Mira.", "Mira greets a blonde woman.",
        "Mira raises two glasses.", "Mira crosses the green, brown eggs in hand.",
    ],
)  # fmt: skip
def test_what_is_denied_said_borrowed_or_passing_is_no_conflict(request_):
    assert codes(request_) == []


@pytest.mark.parametrize(
    ("request_", "blocked"),
    [
        ("Mira's amber eyes meet Oskar's green eyes.", False),
        ("Mira's green eyes meet Oskar's amber eyes.", True),
        ("Black-haired Oskar hugs Mira.", False),
        ("Oskar hugs the black-haired Mira.", True),
        ("Mira waves. Oskar, bearded, sulks.", False),
        ("Mira and Oskar, both bald, laugh.", True),
        ("Oskar shaves: no beard left.", True),
        ("Mira in a red T-shirt jumps.", True),
        ("Mira in a light blue T-shirt jumps.", False),
        ("Mira has short hair.", True),
        ("Mira has straight hair.", True),
    ],
)
def test_a_look_is_held_against_the_one_that_it_is_said_of(request_, blocked):
    assert bool(codes(request_, *PAIR)) is blocked


def test_what_may_be_of_either_is_a_warning_not_a_block():
    request = "Mira hugs Oskar, her hair black."
    assert codes(request, *PAIR) == []
    assert codes(request, *PAIR, severity=Severity.WARN) == ["conflict"]


def test_what_repeats_the_model_sheet_is_mentioned():
    assert codes("Navy-haired Mira waves.", severity=Severity.INFO) == ["restated"]


def test_two_of_one_name_cannot_share_a_panel():
    twin = member("mira", hair_color="red")
    assert codes("They wave.", MIRA, twin) == ["shared_name"]


def test_a_part_of_a_name_that_two_share_is_ambiguous():
    cast = (member("Anna Stone"), member("Bela Stone"))
    assert codes("Stone waves.", *cast, severity=Severity.WARN) == ["shared_name"]
    assert codes("Anna waves.", *cast, severity=Severity.WARN) == []


@pytest.mark.parametrize(
    ("request_", "found"),
    [
        ("Oscar waves at Mira.", ["misspelt_name"]),
        ("Basil laughs.", ["absent_name"]),
        ("Mirror, mirror on the wall.", []),
        ("The Harbour at night. Mira waves.", []),
        ("Mira meets Zeno in Paris.", []),
    ],
)
def test_names_that_nobody_here_has(request_, found):
    names = ("Mira", "Oskar", "Basil")
    assert codes(request_, *PAIR, severity=Severity.WARN, known_names=names) == found


def test_a_prompt_over_the_tokens_of_the_engine_is_blocked_and_only_mentioned_without_an_engine():
    request = "walks through the extraordinarily crowded marketplace " * 30
    assert count_tokens(request) > room_in(PROMPT_TOKENS)
    assert codes(request) == ["too_long"]
    assert codes(request, token_limit=None) == []
    assert codes(request, token_limit=None, severity=Severity.INFO) == ["too_long"]


def test_the_gravest_comes_first():
    found = lint_request("Navy-haired Mira, bald, and Basil.", PAIR, known_names=("Basil",))
    assert [f.severity for f in found] == sorted(
        (f.severity for f in found), key=list(Severity).index
    )
    assert {f.code for f in found} == {"conflict", "restated", "absent_name"}
