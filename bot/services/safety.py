"""Pictures that may not be for everyone: rated when they come in, held for a moderator."""

import asyncio
import hashlib
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from bot.services.actor import Actor
from pipeline.domain.errors import InvalidInput, NotFound, UnsafePicture
from pipeline.domain.review import PostKind
from pipeline.domain.safety import (
    HeldPicture,
    HeldStatus,
    Rating,
    Restricted,
    SafetyPolicy,
    SafetyRules,
)
from pipeline.imaging.decode import load_canonical
from pipeline.safety.raters import load_raters, rate_picture
from storage import outbox, safety
from storage.blobs import BlobStore
from storage.database import Database, Transaction

LEAST_PERCENT = 20
"""Below it almost everything would be flagged: so much the classifiers say of harmless pictures."""


class Safety:
    """What a server wants to be asked about, and what its members hand in."""

    def __init__(self, db: Database, blobs: BlobStore) -> None:
        self._db = db
        self._blobs = blobs
        self._raters = load_raters()

    @property
    def sees(self) -> tuple[str, ...]:
        """What the classifiers that are installed know: ``drawings``, ``photos``."""
        return tuple(rater.name for rater in self._raters)

    async def rules(self, guild_id: int) -> SafetyRules:
        """What the server wants; the usual where it has not said."""
        return await safety.safety_rules(self._db, guild_id) or SafetyRules()

    async def change(
        self, actor: Actor, *, flag_percent: int | None, restricted: Restricted | None
    ) -> SafetyRules:
        """Change what is given.

        Raises:
            NotAllowed: the actor may not manage the server.
            InvalidInput: the percentage is out of its range.
            NotFound: the server has no comic yet.
        """
        actor.require_manager("change what is flagged")
        if flag_percent is not None and not LEAST_PERCENT <= flag_percent <= 100:
            raise InvalidInput(f"Pictures can be flagged from {LEAST_PERCENT} to 100 percent.")
        before = await self.rules(actor.guild_id)
        rules = SafetyRules(flag_percent or before.flag_percent, restricted or before.restricted)
        if rules != before:
            await self._db.write(
                lambda tx: safety.put_rules(
                    tx,
                    guild_id=actor.guild_id,
                    rules=rules,
                    member_id=actor.member_id,
                    now=datetime.now(UTC),
                )
            )
        return rules

    async def policy(self, guild_id: int, *, restricted_channel: bool) -> SafetyPolicy:
        """What holds for a panel that goes to such a channel."""
        return (await self.rules(guild_id)).policy(restricted_channel=restricted_channel)

    async def admit(self, actor: Actor, pictures: Sequence[bytes]) -> None:
        """Rate pictures that somebody hands in; hold what may not be for everyone.

        What moderators hand in is rated and let in: it is they who would be asked.

        Args:
            actor: who hands them in.
            pictures: canonical PNGs.

        Raises:
            UnsafePicture: a moderator has to look at one first, or has refused it.
            LimitReached: too many pictures of the member wait already.
        """
        policy = await self.policy(actor.guild_id, restricted_channel=False)
        ratings = await asyncio.to_thread(self._rate, pictures, policy)
        now = datetime.now(UTC)
        guild_id = actor.guild_id
        await self._db.write(
            lambda tx: safety.put_ratings(tx, guild_id=guild_id, ratings=ratings, now=now)
        )
        if actor.moderates:
            return
        for (sha256, rating), png in zip(ratings.items(), _distinct(pictures), strict=True):
            if rating.over:
                await self._require_allowed(actor, sha256, png, rating)

    async def held(self, guild_id: int, held_id: int) -> HeldPicture:
        """A picture that waits, or waited.

        Raises:
            NotFound: the server has no such picture.
        """
        return await safety.get_held(self._db, guild_id, held_id)

    async def picture(self, held: HeldPicture) -> bytes:
        """Its PNG.

        Raises:
            NotFound: it is decided, so the file is gone.
        """
        if held.sha256 is None:
            raise NotFound("This picture was decided, and its file is gone.")
        return await self._blobs.get(held.guild_id, held.sha256)

    async def decide(self, actor: Actor, held_id: int, *, allow: bool) -> HeldPicture:
        """Allow or refuse a picture; either way its file goes, and the card says what was decided.

        Raises:
            NotAllowed: the actor does not moderate.
            WrongState: it is decided already.
        """
        actor.require_moderator("decide about pictures")
        status = HeldStatus.ALLOWED if allow else HeldStatus.REFUSED

        def work(tx: Transaction) -> None:
            now = datetime.now(UTC)
            safety.decide_held(
                tx,
                guild_id=actor.guild_id,
                held_id=held_id,
                status=status,
                member_id=actor.member_id,
                now=now,
            )
            outbox.owe(
                tx,
                guild_id=actor.guild_id,
                kind=PostKind.HELD_DECIDED,
                subject_id=held_id,
                dedupe_key=f"held_decided:{held_id}",
                now=now,
            )

        await self._db.write(work)
        return await self.held(actor.guild_id, held_id)

    def _rate(self, pictures: Sequence[bytes], policy: SafetyPolicy) -> Mapping[str, Rating]:
        return {
            _digest(png): rate_picture(load_canonical(png), self._raters, policy)
            for png in pictures
        }

    async def _require_allowed(self, actor: Actor, sha256: str, png: bytes, rating: Rating) -> None:
        status = await safety.held_status(self._db, actor.guild_id, sha256)
        if status is HeldStatus.ALLOWED:
            return
        if status is HeldStatus.REFUSED:
            raise UnsafePicture("The moderators have refused this picture. Send another one.")
        await self._blobs.put(actor.guild_id, png)

        def work(tx: Transaction) -> None:
            now = datetime.now(UTC)
            held_id = safety.hold_picture(
                tx,
                guild_id=actor.guild_id,
                sha256=sha256,
                member_id=actor.member_id,
                rating=rating,
                now=now,
            )
            if held_id is not None:
                outbox.owe(
                    tx,
                    guild_id=actor.guild_id,
                    kind=PostKind.HELD_PICTURE,
                    subject_id=held_id,
                    dedupe_key=f"held_picture:{held_id}",
                    now=now,
                )

        await self._db.write(work)
        raise UnsafePicture(
            "This picture may not be for everyone, so a moderator looks at it first. Nobody else "
            "sees it. If they allow it, send it again."
        )


def _digest(png: bytes) -> str:
    return hashlib.sha256(png).hexdigest()


def _distinct(pictures: Sequence[bytes]) -> list[bytes]:
    """Each picture once, in the order of their first."""
    return list({_digest(png): png for png in pictures}.values())
