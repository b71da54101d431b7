"""Consents to a real person's likeness: two persons, a character, a scope and an end."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from bot.services.access import require_ownership, trainable
from bot.services.actor import Actor
from bot.services.sweeping import Sweeper
from pipeline.domain.errors import ConsentMissing, InvalidInput
from pipeline.domain.privacy import Consent, ConsentScope
from storage import audit, cast, consent
from storage.consent import Withdrawn
from storage.database import Database, Transaction

MOST_DAYS = 3 * 365
"""For ever is no consent: it is asked again after three years at the latest."""
_LOOK_AGAIN = 60.0  # seconds between two looks for consents that ran out


class ConsentService:
    """Asks, answers, ends."""

    def __init__(self, db: Database, sweeper: Sweeper) -> None:
        self._db = db
        self._sweeper = sweeper
        self._next = 0.0

    async def ask(
        self,
        actor: Actor,
        character: str,
        person_id: int,
        scope: ConsentScope = ConsentScope.DRAW,
        days: int = 365,
    ) -> Consent:
        """Mark a character as a person's likeness and ask that person.

        From now on the character is not drawn until the person says yes.

        Raises:
            NotFound: no such character.
            NotAllowed: the actor is neither owner nor moderator.
            InvalidInput: too long a time, or the actor asks themselves.
            WrongState: the character is another person's likeness.
        """
        if not 1 <= days <= MOST_DAYS:
            raise InvalidInput(f"A consent lasts 1 to {MOST_DAYS} days.")
        if person_id == actor.member_id:
            raise InvalidInput(
                "A consent has two persons: who draws and who is drawn. For a picture of yourself "
                "none is needed."
            )
        found = await cast.find_character(self._db, actor.guild_id, character)
        await require_ownership(self._db, actor, found, "ask for consent for")

        def work(tx: Transaction) -> int:
            now = datetime.now(UTC)
            number = consent.ask_consent(
                tx,
                guild_id=actor.guild_id,
                character_row=found.id,
                holder_id=actor.member_id,
                person_id=person_id,
                scope=scope,
                expires_at=now + timedelta(days=days),
                now=now,
            )
            audit.note(
                tx,
                guild_id=actor.guild_id,
                member_id=actor.member_id,
                action="consent.asked",
                subject=f"consent {number}, character {found.character_id}",
                detail=f"{scope.value}, {days} days",
                now=now,
            )
            return number

        number = await self._db.write(work)
        return await self.get(actor.guild_id, number)

    async def answer(
        self, actor: Actor, consent_id: int, *, agrees: bool
    ) -> tuple[Consent, Withdrawn]:
        """Say yes or no; a no, also a later one, takes all that was made of the likeness.

        Raises:
            NotFound: the guild has no such consent.
            NotAllowed: it is about somebody else.
            WrongState: it is over.
        """
        gone = await self._db.write(
            lambda tx: consent.answer_consent(
                tx,
                guild_id=actor.guild_id,
                consent_id=consent_id,
                person_id=actor.member_id,
                agrees=agrees,
                now=datetime.now(UTC),
            )
        )
        if not agrees:
            await self._sweeper.sweep()
        return await self.get(actor.guild_id, consent_id), gone

    async def get(self, guild_id: int, consent_id: int) -> Consent:
        """One consent.

        Raises:
            NotFound: the guild has no such consent.
        """
        return await consent.get_consent(self._db, guild_id, consent_id)

    async def mine(self, actor: Actor) -> list[Consent]:
        """Those that the actor gave, was asked for, or holds, newest first."""
        return await consent.consents_of(self._db, actor.guild_id, actor.member_id)

    async def expire(self) -> int:
        """The chore: end what has run out; returns how many."""
        if time.monotonic() < self._next:
            return 0
        self._next = time.monotonic() + _LOOK_AGAIN
        return await self._db.write(lambda tx: consent.expire_consents(tx, now=datetime.now(UTC)))


async def require_consent(db: Database, guild_id: int, characters: Sequence[str]) -> None:
    """Let only those characters pass that show nobody real, or somebody who agrees at this moment.

    Raises:
        ConsentMissing: one shows a person who does not; the text says what to do.
    """
    marked = await consent.likenesses(db, guild_id, characters, datetime.now(UTC))
    for character_id, scope in marked.items():
        if scope is None:
            raise ConsentMissing(
                f"{character_id} shows a real person who has not agreed to that, or not any more. "
                "Its owner can ask them with /privacy consent."
            )


async def may_train(db: Database, guild_id: int, characters: Sequence[str]) -> set[str]:
    """Those of some characters for which trained modules may be used.

    The owner lets them be trained, and whoever is shown agreed to it.
    """
    marked = await consent.likenesses(db, guild_id, characters, datetime.now(UTC))
    agreed = {c for c in characters if marked.get(c, ConsentScope.TRAIN) is ConsentScope.TRAIN}
    return agreed & await trainable(db, guild_id, characters)
