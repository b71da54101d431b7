"""Words for people: every language says everything, and nothing too long for Discord."""

import ast
import re
from string import Formatter

import polib
import pytest
from discord.app_commands.commands import validate_name
from studio import Studio

from cogs.locales.below import templates
from cogs.locales.gather import gather, said
from cogs.locales.message import called, modules
from cogs.ui.words import (
    COMMANDS,
    ENGLISH,
    LANGUAGES,
    TOLD,
    WORDS,
    catalogue_path,
    in_language,
    language,
    language_of,
    retell,
    say,
    say_n,
    with_commands,
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


# --- saying ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("locale", "spoken"),
    [("de", "de"), ("ja", "ja"), ("es-ES", "es"), ("es-419", "es"), ("fr", "fr"),
     ("en-GB", "en"), ("pt-BR", "en"), (None, "en")],
)  # fmt: skip
def test_a_locale_of_discord_is_served_in_its_language_or_in_english(locale, spoken):
    assert language_of(locale) == spoken


def test_things_are_said_in_the_language_that_was_set_and_in_english_elsewhere():
    assert say("Panel {panel} is cancelled", panel=3) == "Panel 3 is cancelled"
    with in_language("de"):
        assert say("Panel {panel} is cancelled", panel=3) == "Panel 3 ist abgebrochen"
        with in_language("ja"):
            assert say("Panel {panel} is cancelled", panel=3) == "コマ3を中止しました"
        assert language() == "de"
    assert language() == "en"


@pytest.mark.parametrize(
    ("spoken", "n", "words"),
    [("en", 1, "1 vote"), ("en", 2, "2 votes"), ("de", 1, "1 Stimme"), ("de", 0, "0 Stimmen"),
     ("fr", 0, "0 vote"), ("fr", 2, "2 votes"), ("ja", 1, "1票"), ("ja", 9, "9票")],
)  # fmt: skip
def test_each_language_counts_in_its_own_way(spoken, n, words):
    with in_language(spoken):
        assert say_n("{n} vote", "{n} votes", n) == words


def test_what_is_not_translated_is_said_in_english():
    with in_language("fr"):
        assert say("No catalogue has this.") == "No catalogue has this."


def test_words_of_people_are_never_taken_for_places_or_commands():
    with in_language("de"):
        assert say("{what} is here {n}", what="{panel} /panel status", n=1).startswith(
            "{panel} /panel"
        )


def test_commands_are_named_as_discord_shows_them():
    with in_language("de"):
        told = say("Change it with {command}", command="/page letter page: line:2")
        assert told == "Ändere es mit /seite lettern seite: zeile:2"
        assert "/figur liste" in retell(
            "That character is not registered here. See /character list."
        )
    assert "/character list" in retell(
        "That character is not registered here. See /character list."
    )


# --- what the floors below say --------------------------------------------------------------------


@pytest.mark.parametrize("spoken", TRANSLATED)
def test_every_sentence_from_below_is_recognised_as_itself(spoken):
    """With its places filled, its own translation is found and not that of another."""
    for entry in entries(spoken, TOLD).values():
        filling = {name: f"⟨{name}⟩" for name in places(entry.msgid)}
        with in_language(spoken):
            expected = with_commands(spoken, entry.msgstr).format(**filling)
            told = retell(entry.msgid.format(**filling))
        assert told == (expected or entry.msgid), entry.msgid


def test_several_sentences_are_told_one_by_one_and_the_unknown_stays():
    text = "There is no panel 7 here. Hm. Nobody has voted yet. Vote first, then close."
    with in_language("de"):
        told = retell(text)
    assert told.startswith("Ein Panel 7 gibt es hier nicht. Hm. Noch hat niemand abgestimmt.")


def test_a_reason_keeps_its_character_and_what_it_measured():
    reason = "ch_akira: Similarity 0.61 of the head is under this appearance's limit 0.70 (from 5 references)."
    with in_language("ja"):
        told = retell(reason)
    assert told.startswith("ch_akira: 頭部の類似度0.61")
    assert "0.70" in told


def test_words_of_people_inside_a_sentence_stay_as_they_are():
    with in_language("de"):
        told = retell("No character of this panel has the appearance “always”.")
        assert (
            retell("There is no page of mine here, and no panel.")
            == "There is no page of mine here, and no panel."
        )
    assert told.startswith("Keine Figur")


@pytest.mark.parametrize(
    ("code", "found"),
    [
        ('"Plain {braces}."', ["Plain {{braces}}."]),
        ('f"No panel {panel.id} in {len(pages)}."', ["No panel {id} in {pages}."]),
        ('f"{a.name} and {b.name}" + " here."', ["{a} and {b} here."]),
        ('f"{x} {x} {y.x}"', ["{x} {x} {x2}"]),
        ('"One." if a else f"Two {b}."', ["One.", "Two {b}."]),
        ("words", []),
    ],
)
def test_templates_of_string_expressions(code, found):
    assert templates(ast.parse(code, mode="eval").body) == found


def test_a_name_instead_of_words_and_an_f_string_are_told_from_words(tmp_path):
    assert list(said(ast.parse("say(words)"), "x.py")) == []
    with pytest.raises(TypeError, match="takes no f-string"):
        list(said(ast.parse('say(f"Panel {n}")'), "x.py"))
    (message,) = said(ast.parse('button(say("Go"), "id")'), "x.py")
    assert (message.english, message.limit) == ("Go", 80)


_SHOWING = {"heading", "text", "small", "button", "done"}


def test_no_card_shows_words_that_nobody_can_translate():
    """A sentence for people goes through ``say``: not a plain string, not an f-string with words."""
    found = []
    for place in filter(lambda place: place.startswith("cogs/"), modules()):
        for node in ast.walk(modules()[place]):
            if isinstance(node, ast.Call) and called(node) in _SHOWING and node.args:
                fixed = "".join(
                    part.value
                    for part in getattr(node.args[0], "values", [node.args[0]])
                    if isinstance(part, ast.Constant) and isinstance(part.value, str)
                )
                if re.search(r"[A-Za-z]{3}", fixed):
                    found.append(f"{place}:{node.lineno}: {fixed}")
    assert found == []


# --- commands -------------------------------------------------------------------------------------


def scopes(options, path):
    yield path, options
    for option in options:
        if option.get("options"):
            yield from scopes(option["options"], f"{path} {option['name']}")


async def payload(studio):
    tree = studio.bot.tree
    assert tree.translator is not None
    return [await c.get_translated_payload(tree, tree.translator) for c in tree.get_commands()]


async def test_commands_options_and_choices_are_offered_in_every_locale_within_the_limits(
    studio: Studio,
):
    commands = await payload(studio)
    slash = [c for c in commands if c.get("type", 1) == 1]
    for path, options in scopes(slash, ""):
        for locale in ("de", "ja", "es-ES", "es-419", "fr"):
            names = [(o.get("name_localizations") or {}).get(locale, o["name"]) for o in options]
            assert len(set(names)) == len(names), f"{path}: a name twice in {locale}: {names}"
            for name in names:
                assert validate_name(name) == name, f"{path}: {name} in {locale}"
        for option in options:
            described = option.get("description_localizations") or {}
            assert all(len(text) <= 100 for text in described.values()), path
            for choice in option.get("choices") or ():
                named = choice.get("name_localizations") or {}
                assert all(1 <= len(text) <= 100 for text in named.values()), path
    for menu in (c for c in commands if c.get("type", 1) != 1):
        assert {"de", "ja", "es-ES", "es-419", "fr"} <= set(menu["name_localizations"])
        assert all(len(name) <= 32 for name in menu["name_localizations"].values())
    group = next(c for c in slash if c["name"] == "panel")
    assert group["name_localizations"] == {
        "ja": "コマ", "es-ES": "viñeta", "es-419": "viñeta", "fr": "case",
    }  # fmt: skip


async def test_a_changed_translation_alone_sends_the_commands_again(studio: Studio, monkeypatch):
    assert await studio.bot.sync_commands() is False

    async def translate(string, locale, context):
        return "andere" if str(locale) == "de" else None

    monkeypatch.setattr(studio.bot.tree.translator, "translate", translate)
    assert await studio.bot.sync_commands() is True
