"""Words for people, in the language of the person who reads them.

English is the source. What a card says is looked up in the catalogues of ``cogs/locales`` (gettext:
the key is the English sentence itself), so a text that nobody has translated yet is shown in
English. Whole sentences with named places, never pieces that are glued together::

    say("Panel {panel} is cancelled", panel=3)
    say_n("{n} vote", "{n} votes", votes)
    _STATUS = {PanelStatus.QUEUED: mark("waiting in the queue")}    # a table, at import
    say(_STATUS[panel.status])                                       # when it is shown
    retell(panel.failure)                                            # a text from below the cogs

Which language: commands begin with ``acknowledge``, buttons go through ``answered``; both call
:func:`hear`, and from there on everything is said in the member's own language. A window that is
sent before either needs ``hear(interaction)`` first. What everyone sees is built under
``with await for_everyone(interaction):`` (:mod:`cogs.entry`), in the language of the server.

``say`` and ``mark`` are given plain strings, not f-strings or names: ``python -m cogs.locales``
reads the code for them, writes the new ones into the catalogues and names what is missing.
Descriptions of commands and options need nothing: they are found by themselves. Errors need
nothing either: the floors below speak English, ``raise NotFound(f"No panel {number}.")``, and
:func:`retell` recognises the sentence by its fixed words when it is shown.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO
from pathlib import Path
from typing import Any

import discord
import polib

from cogs.ui.told import Known

ENGLISH = "en"
LANGUAGES = {
    "en": "English",
    "de": "Deutsch",
    "es": "Español",
    "fr": "Français",
    "ja": "日本語",
}
"""What the catalogues speak, each by its own name."""
LOCALES = Path(__file__).resolve().parents[1] / "locales"
WORDS, COMMANDS, TOLD = "onmodel", "commands", "told"
"""The catalogues: cards and buttons; names and descriptions; sentences from below the cogs."""

_language: ContextVar[str] = ContextVar("language", default=ENGLISH)


def language() -> str:
    """The language in which things are said now."""
    return _language.get()


def language_of(locale: discord.Locale | str | None) -> str:
    """The language of ``LANGUAGES`` that serves a locale of Discord: ``es-419`` → ``es``."""
    short = str(locale or ENGLISH).partition("-")[0]
    return short if short in LANGUAGES else ENGLISH


def hear(interaction: discord.Interaction[Any]) -> None:
    """From here on, speak the language of the person who acts."""
    _language.set(language_of(interaction.locale))


@contextmanager
def in_language(spoken: str) -> Iterator[None]:
    """Inside, things are said in ``spoken``, one of ``LANGUAGES``."""
    before = _language.set(spoken)
    try:
        yield
    finally:
        _language.reset(before)


def mark(sentence: str) -> str:
    """``sentence`` as it is: says that it is in the catalogue, and will be said later."""
    return sentence


def mark_n(one: str, many: str) -> tuple[str, str]:
    """As :func:`mark`, of a sentence about a number of things: ``say_n(*_COUNTED[kind], n)``."""
    return one, many


def say(sentence: str, /, **values: object) -> str:
    """A sentence in the present language, its named places filled."""
    if not sentence:
        return ""
    spoken = language()
    told = with_commands(spoken, catalogue(spoken, WORDS).gettext(sentence))
    return told.format(**_shown(spoken, values)) if values else told


def say_n(one: str, many: str, n: int, /, **values: object) -> str:
    """A sentence about ``n`` things, in the form that the present language uses for so many."""
    spoken = language()
    told = with_commands(spoken, catalogue(spoken, WORDS).ngettext(one, many, n))
    return told.format(n=n, **_shown(spoken, values))


@cache
def catalogue(spoken: str, name: str) -> NullTranslations:
    """A catalogue, read once; English, and a language that lacks it, have an empty one."""
    path = catalogue_path(spoken, name)
    if spoken == ENGLISH or not path.is_file():
        return NullTranslations()
    return GNUTranslations(BytesIO(polib.pofile(str(path)).to_binary()))


def catalogue_path(spoken: str, name: str) -> Path:
    """Where a catalogue lies."""
    return LOCALES / spoken / "LC_MESSAGES" / f"{name}.po"


# --- commands that are spoken of ------------------------------------------------------------------

NAME = "name"
"""The context of names of commands and options in their catalogue."""
_MENTION = re.compile(r"(?<![\w/<:])/[a-z]+(?: [a-z][a-z_-]*){0,2}")
_OPTION = re.compile(r"\b[a-z][a-z0-9_]*(?=:\S)")
_OPTION_OF_COMMAND = re.compile(r"\b[a-z][a-z0-9_]*(?=:)")


@cache
def with_commands(spoken: str, sentence: str) -> str:
    """A sentence of the catalogue with the commands that it names as Discord shows them.

    >>> with_commands("de", "Siehe /panel status, oder nenne es mit page:3.")
    'Siehe /panel stand, oder nenne es mit seite:3.'
    """
    return _renamed(spoken, sentence, _OPTION)


def _renamed(spoken: str, text: str, options: re.Pattern[str]) -> str:
    if spoken == ENGLISH:
        return text
    known = catalogue(spoken, COMMANDS)

    def name(match: re.Match[str]) -> str:
        return known.pgettext(NAME, match[0])

    def path(match: re.Match[str]) -> str:
        return "/" + " ".join(known.pgettext(NAME, word) for word in match[0][1:].split(" "))

    return options.sub(name, _MENTION.sub(path, text))


def _shown(spoken: str, values: dict[str, object]) -> dict[str, object]:
    """The values with those that are commands, ``/panel status panel:3``, as Discord shows them."""
    return {
        place: _renamed(spoken, value, _OPTION_OF_COMMAND)
        if isinstance(value, str) and value.startswith(("/", "`/"))
        else value
        for place, value in values.items()
    }


# --- what the floors below say --------------------------------------------------------------------

_UNSPACED = frozenset({"ja"})
"""Languages that put no space between sentences."""


def retell(text: str) -> str:
    """An English text from below the cogs in the present language, as far as it is known.

    Errors, reasons and warnings are written where they arise, in English; they are logged, kept in
    the database and handed between processes as such. Here a sentence is recognised by its fixed
    words, and what stands between them goes into the translation. Several sentences in a row are
    told one by one; one that is not known stays as it is.
    """
    known = _known(language())
    if known is None:
        return text
    return "\n".join(known.retell(line) for line in text.split("\n"))


@cache
def _known(spoken: str) -> Known | None:
    path = catalogue_path(spoken, TOLD)
    if spoken == ENGLISH or not path.is_file():
        return None
    found = polib.pofile(str(path)).translated_entries()
    told = {entry.msgid: with_commands(spoken, entry.msgstr) for entry in found}
    return Known(told, "" if spoken in _UNSPACED else " ")
