import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.services.naming import MAX_SLUG, appearance_slug, character_slug, clean_name, slug
from pipeline.domain.errors import InvalidInput


@pytest.mark.parametrize(
    ("typed", "made"),
    [
        ("Akira", "ch_akira"),
        ("ch_akira", "ch_akira"),
        ("Éloïse B.", "ch_eloise_b"),
        ("明", "ch_明"),
    ],
)
def test_character_slugs(typed, made):
    assert character_slug(typed) == made


def test_appearance_slugs():
    assert appearance_slug("ch_akira", "S1 School Uniform") == "akira_s1_school_uniform"
    assert appearance_slug("ch_akira", "akira_s1") == "akira_s1"


@given(st.text(max_size=200))
def test_a_slug_is_short_and_safe_or_refused(text):
    try:
        made = slug(text)
    except InvalidInput:
        return
    assert 0 < len(made) <= MAX_SLUG
    assert made == made.strip("_")
    assert all(c.isalnum() or c == "_" for c in made)


@pytest.mark.parametrize("bad", ["", "   ", "x" * 81, "a,b", "a|b", "a`b"])
def test_bad_names_are_refused(bad):
    with pytest.raises(InvalidInput):
        clean_name(bad)


def test_names_are_tidied():
    assert clean_name("  Mary   Jane ") == "Mary Jane"
