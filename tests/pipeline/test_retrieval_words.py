"""Labels and prompts meet by stem and by family."""

import pytest

from pipeline.retrieval.words import asks_for, shared_words, stem, tokens


@pytest.mark.parametrize(
    "words",
    [
        "shout shouts shouting shouted",
        "wink winks winking winked",
        "cry cries crying cried",
        "grin grins grinning grinned",
        "smile smiles smiling smiled",
        "happy happily happiness",
        "angry angrily",
        "surprise surprised surprising surprises",
        "laugh laughs laughing laughed",
        "excite excited excitement exciting",
        "cheer cheers cheerful cheerfully",
        "yell yells yelling",
        "worry worries worried worrying",
    ],
)
def test_forms_of_a_word_have_one_stem(words: str) -> None:
    assert len({stem(word) for word in words.split()}) == 1


@pytest.mark.parametrize(
    ("label", "prompt", "asked"),
    [
        ("shouting", "Mira shouts at the sea", True),
        ("winking", "She winks.", True),
        ("crying", "Oskar weeps in the rain", True),
        ("angry", "an angel on the roof", False),
        ("side", "a walk on the sidewalk", False),
        ("sad", "they sat down", False),
        ("happy", "HAPPILY ever after", True),
        ("three-quarter", "a quarter to five", True),
        ("", "anything", False),
    ],
)
def test_labels_are_asked_for(label: str, prompt: str, asked: bool) -> None:
    assert asks_for(label, tokens(prompt)) is asked


def test_words_of_a_scene_are_shared_once_and_short_ones_never() -> None:
    assert shared_words("At the harbours, harbour by night", tokens("the harbour at night")) == [
        "harbours", "harbour", "night",
    ]  # fmt: skip
    assert shared_words("at the sea", tokens("at the sea")) == []
