"""The estimate of tokens against counts of CLIP's own byte-pair table, written down once."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.prompting.tokens import PROMPT_TOKENS, chunk_count, count_tokens, room_in

# Counted with the table of OpenAI's CLIP (49,408 entries), begin and end marks left out.
COUNTED = {
    "plain. Oskar folds his arms, angry. Basil folds his arms, angry.": 17,
    "night, interior. Mira holds a coffee and smiles.": 11,
    "Draws the comic and signs off every panel.": 9,
}


@pytest.mark.parametrize(("text", "tokens"), COUNTED.items())
def test_the_estimate_is_near_and_rather_too_high(text, tokens):
    assert tokens - 1 <= count_tokens(text) <= 1.5 * tokens


@given(st.text(max_size=80), st.text(max_size=80))
def test_more_text_never_has_fewer_tokens(a, b):
    assert count_tokens(f"{a} {b}") >= max(count_tokens(a), count_tokens(b))


def test_two_chunks_hold_150_tokens_of_text_beside_their_marks():
    assert room_in(PROMPT_TOKENS) == 150
    assert [chunk_count(n) for n in (0, 75, 76, 150)] == [1, 1, 2, 2]
