"""Words for people: every language says everything, and nothing too long for Discord."""

from string import Formatter

import polib
import pytest

from cogs.locales.gather import gather
from cogs.ui.words import (
    COMMANDS,
    ENGLISH,
    LANGUAGES,
    TOLD,
    WORDS,
    catalogue_path,
)

TRANSLATED = [name for name in LANGUAGES if name != ENGLISH]
# What a place may be filled with where nobody knows better: a number, a name.
_FILLING = 6


@pytest.fixture(scope="module")
def gathered():
    return gather()


def entries(spoken, name):
    path = catalogue_path(spoken, name)
    return (
        {(e.msgctxt or "", e.msgid): e for e in polib.pofile(str(path))} if path.is_file() else {}
    )


def forms(entry):
    return list(entry.msgstr_plural.values()) if entry.msgid_plural else [entry.msgstr]


def places(text):
    return {name for _, name, _, _ in Formatter().parse(text) if name is not None}


def length(text):
    return sum(
        len(literal) + _FILLING * (name is not None)
        for literal, name, *_ in Formatter().parse(text)
    )


# --- the catalogues -------------------------------------------------------------------------------


@pytest.mark.parametrize("spoken", TRANSLATED)
@pytest.mark.parametrize("name", [WORDS, COMMANDS, TOLD])
def test_a_language_says_all_that_the_code_says_and_no_more(gathered, spoken, name):
    found = entries(spoken, name)
    said = {message.key for message in gathered[name]}
    missing = [key for key in said if key not in found or not all(forms(found[key]))]
    assert missing == [], "python -m cogs.locales writes them into the catalogues"
    assert [key for key in found if key not in said] == []


@pytest.mark.parametrize("spoken", TRANSLATED)
@pytest.mark.parametrize("name", [WORDS, TOLD])
def test_a_translation_has_the_places_of_its_sentence(spoken, name):
    for entry in entries(spoken, name).values():
        for text in filter(None, forms(entry)):
            counted = {"n"} if entry.msgid_plural else set()
            ending = {p for p in places(entry.msgid) if p.startswith("ending")}
            assert places(text) | counted | ending == places(entry.msgid) | counted, entry.msgid


@pytest.mark.parametrize("spoken", TRANSLATED)
def test_what_discord_keeps_short_is_short_enough(gathered, spoken):
    for name, messages in gathered.items():
        found = entries(spoken, name)
        for message in messages:
            for text in forms(found[message.key]) if message.key in found else ():
                assert not message.limit or length(text) <= message.limit, text
