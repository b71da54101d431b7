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
from string import Formatter
from typing import Any

import discord
import polib

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
    told = catalogue(language(), WORDS).gettext(sentence)
    return told.format(**values) if values else told


def say_n(one: str, many: str, n: int, /, **values: object) -> str:
    """A sentence about ``n`` things, in the form that the present language uses for so many."""
    return catalogue(language(), WORDS).ngettext(one, many, n).format(n=n, **values)


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


# --- what the floors below say --------------------------------------------------------------------

_SENTENCES = re.compile(r"(?<=[.!?…]) (?=\S)")
# A sentence with fewer fixed letters than this would be recognised everywhere.
_FIXED = 4


def recognisable(english: str) -> bool:
    """Whether a sentence with places has enough fixed words to be told from others."""
    parts = list(Formatter().parse(english))
    letters = sum(sum(map(str.isalpha, literal)) for literal, *_ in parts)
    return letters >= _FIXED or all(name is None for _, name, *_ in parts)


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


class _Known:
    """The sentences of one language's catalogue, ready to be recognised."""

    def __init__(self, told: dict[str, str]) -> None:
        self._whole = {_unescaped(english): text for english, text in told.items()}
        found = [_Pattern(english, text) for english, text in told.items() if "{" in english]
        # The one with the most fixed words is the most particular: it is asked first.
        self._patterns = sorted(found, key=lambda pattern: pattern.fixed, reverse=True)

    def retell(self, line: str) -> str:
        """One line, sentence by sentence, as many at once as are known together."""
        left = _SENTENCES.split(line)
        said: list[str] = []
        while left:
            known = ((n, self._told(" ".join(left[:n]))) for n in range(len(left), 0, -1))
            count, told = next((found for found in known if found[1]), (1, None))
            said.append(left[0] if told is None else told)
            del left[:count]
        return " ".join(said)

    def _told(self, text: str) -> str | None:
        if text in self._whole:
            return _unescaped(self._whole[text])
        for pattern in self._patterns:
            if (values := pattern.values(text)) is not None:
                return pattern.told.format(
                    **{name: self.retell(value) for name, value in values.items()}
                )
        return None


class _Pattern:
    """One sentence with named places: what it looks like when they are filled."""

    def __init__(self, english: str, told: str) -> None:
        self.told = told
        self._parts = list(Formatter().parse(english))
        self._head = self._parts[0][0]
        self.fixed = sum(len(literal) for literal, *_ in self._parts)

    def values(self, text: str) -> dict[str, str] | None:
        """What fills the places in ``text``, None if it is another sentence."""
        if not text.startswith(self._head) or len(text) < self.fixed:
            return None
        match = self._regex().fullmatch(text)
        return None if match is None else match.groupdict()

    @cache  # noqa: B019 - patterns live as long as the process
    def _regex(self) -> re.Pattern[str]:
        seen: set[str] = set()
        regex = ""
        for literal, name, *_ in self._parts:
            regex += re.escape(literal)
            if name is not None:
                regex += f"(?P={name})" if name in seen else f"(?P<{name}>.*?)"
                seen.add(name)
        return re.compile(regex, re.DOTALL)


@cache
def _known(spoken: str) -> _Known | None:
    path = catalogue_path(spoken, TOLD)
    if spoken == ENGLISH or not path.is_file():
        return None
    return _Known({e.msgid: e.msgstr for e in polib.pofile(str(path)).translated_entries()})


def _unescaped(template: str) -> str:
    return template if "{" not in template else template.replace("{{", "{").replace("}}", "}")
