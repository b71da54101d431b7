"""``python -m cogs.locales``: bring the catalogues in step with the code, say what is missing.

New sentences are written into every language's catalogue without a translation, and those that
the code no longer says are taken out. Languages as arguments limit it to them; a new one is begun.
"""

import sys

import polib

from cogs.locales.gather import gather
from cogs.locales.message import Message
from cogs.ui.words import ENGLISH, LANGUAGES, catalogue_path

_PLURALS = {
    "de": "nplurals=2; plural=(n != 1);",
    "es": "nplurals=2; plural=(n != 1);",
    "fr": "nplurals=2; plural=(n > 1);",
    "ja": "nplurals=1; plural=0;",
}
"""How a language counts. Source: Unicode CLDR, cardinal rules of integers."""
_WIDTH = 100


def main(languages: list[str]) -> int:
    """Update the catalogues; returns how many translations are missing."""
    found = gather()
    missing = 0
    for spoken in languages or [name for name in LANGUAGES if name != ENGLISH]:
        for name, messages in found.items():
            left = update(spoken, name, messages)
            missing += left
            sys.stdout.write(f"{spoken} {name}: {len(messages)} sentences, {left} to translate\n")
    return missing


def update(spoken: str, name: str, messages: list[Message]) -> int:
    """Write one catalogue anew, with the translations that it had; returns how many lack."""
    path = catalogue_path(spoken, name)
    had = polib.pofile(str(path)) if path.is_file() else polib.POFile()
    known = {(entry.msgctxt or "", entry.msgid): entry for entry in had}
    made = polib.POFile(wrapwidth=_WIDTH)
    made.metadata = {
        "Language": spoken,
        "MIME-Version": "1.0",
        "Content-Type": "text/plain; charset=UTF-8",
        "Content-Transfer-Encoding": "8bit",
        "Plural-Forms": _PLURALS[spoken],
    }
    for message in messages:
        made.append(_entry(message, known.get(message.key), made))
    path.parent.mkdir(parents=True, exist_ok=True)
    made.save(str(path))
    return len(made.untranslated_entries())


def _entry(message: Message, had: polib.POEntry | None, made: polib.POFile) -> polib.POEntry:
    entry = polib.POEntry(
        msgid=message.english,
        msgctxt=message.context or None,
        occurrences=[(message.place, "")],
    )
    if message.limit:
        entry.comment = f"at most {message.limit} characters"
    if message.many:
        forms = int(made.metadata["Plural-Forms"].split("=")[1].split(";")[0])
        before = had.msgstr_plural if had is not None else {}
        entry.msgid_plural = message.many
        entry.msgstr_plural = {n: before.get(n, "") for n in range(forms)}
    elif had is not None:
        entry.msgstr = had.msgstr
    return entry


if __name__ == "__main__":
    main(sys.argv[1:])
