"""Slugs: ``ch_akira`` and ``akira_s1_school_uniform`` from what people type (source AF12)."""

import re
import unicodedata

from pipeline.domain.errors import InvalidInput

MAX_NAME = 80
MAX_SLUG = 64
# What may not stand in a name: it would break lists, logs or Discord's formatting.
_CONTROL = re.compile(r"[\x00-\x1f\x7f,;|`]")


def clean_name(text: str, what: str = "name") -> str:
    """The name as it is stored: trimmed, single spaces.

    Raises:
        InvalidInput: empty, longer than 80 characters, or with characters that separate lists.
    """
    name = " ".join(text.split())
    if not name:
        raise InvalidInput(f"The {what} is empty. Type at least one character.")
    if len(name) > MAX_NAME:
        raise InvalidInput(f"The {what} has {len(name)} characters; {MAX_NAME} are allowed.")
    if _CONTROL.search(name):
        raise InvalidInput(f"The {what} may not contain commas, semicolons, bars or backticks.")
    return name


def slug(text: str) -> str:
    """Lower-case ASCII words joined by ``_``; scripts without ASCII letters keep their own.

    Raises:
        InvalidInput: nothing is left to make a slug of.
    """
    folded = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    source = folded if re.search(r"[A-Za-z0-9]", folded) else unicodedata.normalize("NFKC", text)
    words = re.findall(r"\w+", source.lower())
    result = "_".join(words)[:MAX_SLUG].strip("_")
    if not result:
        raise InvalidInput(f"“{text}” holds no letter or digit. Choose another name.")
    return result


def character_slug(name: str) -> str:
    """``Akira`` → ``ch_akira``; an id that is typed as such stays."""
    made = slug(name)
    return made if made.startswith("ch_") else f"ch_{made}"


def appearance_slug(character_id: str, label: str) -> str:
    """``ch_akira`` + ``S1 school uniform`` → ``akira_s1_school_uniform``."""
    stem = character_id.removeprefix("ch_")
    made = slug(label)
    full = made if made.startswith(f"{stem}_") else f"{stem}_{made}"
    return full[:MAX_SLUG]
