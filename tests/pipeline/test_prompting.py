"""Prompts from the registry, the catalogue of drift modes, and what must never be denied."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.domain.character import ColorMode, Mark, ShotType
from pipeline.domain.conditioning import PartKind
from pipeline.domain.evidence import DriftCount
from pipeline.domain.geometry import Box
from pipeline.domain.inputs import CastInput
from pipeline.domain.vocabulary import COLOR_SLOTS
from pipeline.prompting.builder import PromptWish, build, identity_words, without_restated
from pipeline.prompting.drift import MENU_LIMIT, catalogue, menu_labels, read_catalogue
from pipeline.prompting.negatives import NEGATIVE_TOKENS, NegativeWish, choose_negatives
from pipeline.prompting.tokens import count_tokens, room_in


def member(name="Mira", marks=(), palette=(), **components) -> CastInput:
    slug = name.lower()
    return CastInput(
        f"ch_{slug}", f"{slug}_x", name, "Everyday", 1.0, components, tuple(palette), (),
        marks=tuple(marks),
    )  # fmt: skip


def scar(side="left"):
    return Mark(1, 1, 1, "scar", side, Box(0, 0, 9, 9))


MIRA = member(hair_color="navy", hair_style="long curls", eye_color="amber", prop="katana_v2")
WISH = PromptWish("Mira waves at the harbour.", ShotType.HALF, ColorMode.COLOR, "soft ink")

# --- the prompt ------------------------------------------------------------------------------


def test_the_prompt_is_the_request_and_the_registry_in_their_parts():
    built = build((MIRA,), WISH)
    assert [p.kind for p in built.parts] == [
        PartKind.FRAMING, PartKind.REQUEST, PartKind.IDENTITY, PartKind.INK, PartKind.STYLE,
    ]  # fmt: skip
    assert built.text == ", ".join(p.text for p in built.parts)
    assert "Mira waves at the harbour." in built.text
    assert built.identities == ("Mira (navy hair, long curls, amber eyes, katana)",)
    assert built.identities[0] in built.text
    assert all(p.why for p in built.parts)


def test_marks_and_main_colours_are_part_of_who_somebody_is():
    words = identity_words(member(hair_color="#22305f", marks=[scar()], palette=["#c42b2b"]))
    assert words == "Mira (navy hair, scar on the left side, palette of red)"


@pytest.mark.parametrize(
    ("request_", "scene"),
    [
        ("Navy-haired Mira waves.", "Mira waves."),
        ("Mira, with navy hair, waves.", "Mira waves."),
        ("Mira waves with her amber eyes.", "Mira waves."),
        ("Mira waves.", "Mira waves."),
        ("Mira is not blonde.", "Mira is not blonde."),
    ],
)
def test_the_scene_does_not_restate_what_is_locked(request_, scene):
    assert without_restated(request_, (MIRA,)) == scene


def test_a_prompt_that_is_too_long_loses_the_least_telling_words_and_says_so():
    crowd = tuple(
        member(n, hair_color="navy", top="ceremonial embroidered waistcoat", shoes="brown loafers",
               palette=["#c42b2b", "#f2d53c"])
        for n in ("Mira", "Oskar", "Basil", "Odette")
    )  # fmt: skip
    full = build(crowd, WISH)
    short = build(crowd, PromptWish(**{**_fields(WISH), "token_limit": 77}))
    assert count_tokens(full.text) > room_in(77) >= count_tokens(short.text)
    assert all(f"{m.name} (navy hair" in short.text for m in crowd)
    assert any("palette" in note for note in short.notes)
    assert "Mira waves at the harbour." in short.text


def _fields(wish):
    return {name: getattr(wish, name) for name in wish.__slots__}


# --- the catalogue ---------------------------------------------------------------------------


def test_the_catalogue_has_at_least_thirty_modes_of_every_kind():
    modes = catalogue().modes.values()
    assert len(modes) >= 30
    assert {m.family for m in modes} >= {
        "face", "hair", "eyes", "skin", "age", "body", "outfit", "accessory", "mark", "palette",
        "line", "anatomy",
    }  # fmt: skip
    assert all(1 <= m.priority <= 9 for m in modes)
    assert all(m.fragment or m.menu for m in modes)


def test_every_colour_of_the_vocabulary_has_opposites_of_another_colour():
    for slot in ("hair_color", "eye_color", "skin"):
        assert catalogue().opposites[slot].keys() == COLOR_SLOTS[slot].keys()


def test_the_menu_fits_into_discord_and_labels_that_were_stored_before_are_still_known():
    labels = dict(menu_labels([("nothing", "Nothing")]))
    assert len(labels) <= MENU_LIMIT
    assert set(catalogue().modes) >= {
        "hair_color", "hair_shape", "eye_color", "eye_shape", "skin", "face_shape", "outfit",
        "outfit_color", "accessory_missing", "accessory_side", "mark_missing", "proportions",
        "age", "palette", "line_style", "anatomy",
    }  # fmt: skip


@pytest.mark.parametrize(
    "broken",
    [
        '[[mode]]\nid="a"\nname="A"\nfamily="f"\npriority=1\nsurprise=1',
        '[[mode]]\nid="a"\nname="A"\nfamily="f"\npriority=1\nopposite="nowhere"',
        '[[mode]]\nid="a"\nname="A"\nfamily="f"\npriority=1\n' * 2,
    ],
)
def test_a_broken_catalogue_is_refused(broken):
    with pytest.raises(ValueError, match="drift mode"):
        read_catalogue(broken)


# --- negatives -------------------------------------------------------------------------------


def texts(cast, request="They wave.", budget=NEGATIVE_TOKENS, **wish):
    return choose_negatives(cast, NegativeWish(request, **wish), budget)


def test_attributes_become_their_opposites():
    negatives = texts([MIRA])
    assert "blonde hair" in negatives.text
    assert "short hair" in negatives.text
    part = next(p for p in negatives.shared if p.text == "blonde hair")
    assert (part.mode, part.character_id) == ("hair_color", "ch_mira")
    assert part.why == "Mira: hair color is navy"


def test_what_the_request_asks_for_is_not_denied():
    assert "loose hair" in texts([member(hair_style="ponytail")]).text
    assert "loose hair" not in texts([member(hair_style="ponytail")], "Her loose hair flies.").text


def test_what_the_ladder_raises_goes_first_and_weighs_more():
    plain = texts([MIRA], budget=6)
    raised = texts([MIRA], budget=6, weights={"asymmetry": 1.6})
    assert "asymmetric face" not in plain.text
    assert raised.shared[0].text == "asymmetric face"
    assert raised.shared[0].weight == 1.6


def test_evidence_moves_what_helps_and_is_named_often():
    def place(counts):
        shared = texts([MIRA], budget=400, counts=counts).shared
        return [p.mode for p in shared].index("line_style")

    often = {"line_style": DriftCount("line_style", shown=20, helped=19, labelled=40)}
    never = {"line_style": DriftCount("line_style", shown=20, helped=0)}
    assert place(often) < place({}) < place(never)


def test_colour_is_denied_in_black_and_white_only():
    assert "colored" in texts([MIRA], color_mode=ColorMode.GRAYSCALE, budget=400).text
    assert "colored" not in texts([MIRA], budget=400).text


_hair = st.sampled_from(sorted(COLOR_SLOTS["hair_color"]))
_eyes = st.sampled_from(sorted(COLOR_SLOTS["eye_color"]))
_skin = st.sampled_from(sorted(COLOR_SLOTS["skin"]))
_looks = st.fixed_dictionaries(
    {},
    optional={
        "hair_color": _hair,
        "eye_color": _eyes,
        "skin": _skin,
        "hair_style": st.sampled_from(
            [
                "long curls",
                "short and wild",
                "bun",
                "straight bob",
                "bald",
                "messy ponytail",
                "braids",
            ]
        ),
        "facial_hair": st.sampled_from(["full beard", "none", "clean-shaven", "goatee"]),
        "build": st.sampled_from(["slim", "muscular", "heavy and old", "young child"]),
        "top": st.sampled_from(
            ["light blue T-shirt", "red jumper", "long-sleeved shirt", "white coat", "green hoodie"]
        ),
        "bottom": st.sampled_from(["black trousers", "red skirt", "jeans", "shorts"]),
        "accessory": st.sampled_from(["square glasses", "ribbon on the left", "earrings"]),
        "limbs": st.just("four arms"),
    },
)
_casts = st.lists(_looks, min_size=1, max_size=4).map(
    lambda looks: [member(f"P{i}", **look) for i, look in enumerate(looks)]
)
# Which words of a piece would deny which component: written down apart from the product's rules.
_SAYS = {
    "hair": ("hair_color", "hair_style"), "eyes": ("eye_color",), "skin": ("skin",),
    "beard": ("facial_hair",), "moustache": ("facial_hair",), "trousers": ("bottom",),
    "skirt": ("bottom",), "shorts": ("bottom",), "glasses": ("accessory",),
    "earrings": ("accessory",), "limbs": ("limbs",), "sleeves": ("top",),
}  # fmt: skip


def denies(text: str, owner: CastInput) -> bool:
    """Whether a piece literally names what this character has."""
    words = re.findall(r"[\w-]+", text)
    for noun, slots in _SAYS.items():
        if noun not in words:
            continue
        for slot in slots:
            value = owner.components.get(slot, "").replace("_", " ")
            rest = [w for w in words if w != noun] or [noun]
            if value and all(re.search(rf"\b{re.escape(w)}\b", value) for w in rest):
                return True
    return False


@settings(max_examples=150, deadline=None)
@given(_casts, st.booleans(), st.integers(10, 200))
def test_nothing_that_anyone_in_the_panel_has_is_ever_denied(cast, regions, budget):
    negatives = texts(cast, regions=regions, budget=budget)
    for part in negatives.shared:
        assert not [m.name for m in cast if denies(part.text, m)], part
    for who in cast:
        for part in negatives.of(who.character_id):
            assert regions
            assert part.character_id == who.character_id
            assert not denies(part.text, who), part


@settings(max_examples=60, deadline=None)
@given(_casts, st.integers(0, 120))
def test_negatives_stay_within_their_tokens_and_say_nothing_twice(cast, budget):
    negatives = texts(cast, budget=budget)
    assert count_tokens(negatives.text) <= budget
    assert len({p.text for p in negatives.shared}) == len(negatives.shared)


def test_what_one_must_not_be_and_another_is_holds_in_the_first_ones_region_or_nowhere():
    blonde = member("Basil", hair_color="blonde")
    apart = texts([MIRA, blonde], regions=True)
    assert "blonde hair" not in apart.text
    assert "blonde hair" in {p.text for p in apart.of("ch_mira")}
    together = texts([MIRA, blonde])
    assert "blonde hair" not in together.text
    assert ("blonde hair", "ch_basil has it") in together.left_out
    assert together.of("ch_mira") == ()
