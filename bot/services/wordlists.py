"""The words that a server does not want: who lists them, and what is refused for them."""

import re
from datetime import UTC, datetime

from bot.services.actor import Actor
from pipeline.domain.errors import BlockedWord, InvalidInput
from pipeline.prompting.wordlist import find_blocked, fold
from storage import wordlists
from storage.database import Database

MAX_WORD = 60
MOST_AT_ONCE = 50


class WordLists:
    """What moderators list. Names, notes, prompts and dialogue are held against it."""

    def __init__(self, db: Database) -> None:
        self._db = db

    async def add(self, actor: Actor, text: str) -> int:
        """List words, separated by commas or lines; returns how many are new.

        Raises:
            NotAllowed: the actor does not moderate.
            InvalidInput: one is empty, too long or too short.
            LimitReached: the list is full.
        """
        actor.require_moderator("change the word list")
        words = {_key(word): word for word in _read(text)}
        return await self._db.write(
            lambda tx: wordlists.add_words(
                tx,
                guild_id=actor.guild_id,
                words=words,
                member_id=actor.member_id,
                now=datetime.now(UTC),
            )
        )

    async def remove(self, actor: Actor, word: str) -> str:
        """Take a word off the list; returns it.

        Raises:
            NotAllowed: the actor does not moderate.
            NotFound: it is not on the list.
        """
        actor.require_moderator("change the word list")
        return await self._db.write(
            lambda tx: wordlists.remove_word(
                tx,
                guild_id=actor.guild_id,
                key=_key(word),
                member_id=actor.member_id,
                now=datetime.now(UTC),
            )
        )

    async def words(self, actor: Actor) -> list[str]:
        """The list, in the order of the alphabet.

        Raises:
            NotAllowed: the actor does not moderate: a list of what is blocked is a list of ideas.
        """
        actor.require_moderator("see the word list")
        return await wordlists.blocked_words(self._db, actor.guild_id)


async def require_clean(db: Database, guild_id: int, *texts: str | None) -> None:
    """Let texts pass that hold no word of the guild's list.

    Raises:
        BlockedWord: one does; the text says which word.
    """
    words = await wordlists.blocked_words(db, guild_id)
    for text in texts:
        found = find_blocked(text, words) if text else None
        if found is not None:
            raise BlockedWord(
                f"“{found.strip('*')}” is on the list of words that this server does not want. "
                "Take it out and try again; moderators can change the list with /safety words."
            )


def _read(text: str) -> list[str]:
    words = [" ".join(word.split()) for word in re.split(r"[,;\n]", text)]
    words = [word for word in words if word]
    if not 1 <= len(words) <= MOST_AT_ONCE:
        raise InvalidInput(f"Type 1 to {MOST_AT_ONCE} words with commas between them.")
    for word in words:
        if len(word) > MAX_WORD:
            raise InvalidInput(f"A word has at most {MAX_WORD} characters.")
        core = fold(word.strip("*")).strip()
        single = len(core) < 2 and core.isascii()
        if single or not any(char.isalnum() for char in core):
            raise InvalidInput(
                f"“{word}” is too short and would stop almost everything. Type at least two "
                "letters."
            )
    return words


def _key(word: str) -> str:
    stars = ("*" if word.startswith("*") else "", "*" if word.endswith("*") else "")
    return f"{stars[0]}{fold(word.strip('*')).strip()}{stars[1]}"
