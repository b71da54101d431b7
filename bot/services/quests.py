"""Reference quests: what picture would help most, who draws it, and whose it was.

An owner (or whoever may edit the character) posts one of the ideas. Any member takes it, delivers
a picture, and has it accepted or sent back; an accepted picture is a reference with its artist's
name on it. Who takes a quest and lets the time pass gives it back. Every step is one transaction.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

from bot.services.access import require_edit
from bot.services.actor import Actor
from bot.services.consent import require_consent
from bot.services.locks import GuildLocks
from bot.services.quest_ideas import Heat, heat_of, ideas_for
from bot.services.registrar import Registrar
from bot.services.registration import Upload
from bot.services.uploads import Intake
from bot.services.wordlists import require_clean
from pipeline.domain.character import Appearance, Character
from pipeline.domain.errors import AlreadyExists, InvalidInput, LimitReached, NotAllowed, WrongState
from pipeline.domain.quest import Quest, QuestIdea, QuestStatus, View
from pipeline.domain.review import PostKind
from pipeline.retrieval.quests import shows, view_of
from storage import audit, cast, outbox, quests
from storage.blobs import BlobStore
from storage.database import Database, Transaction
from storage.doomed import doom_unused

TIME_TO_DRAW = timedelta(days=14)
MOST_TAKEN = 3
"""Quests that one artist has in hand at a time."""
MOST_ALIVE = 20
"""Quests of a guild that wait for a picture or a decision."""
MAX_NOTE = 300


@dataclass(frozen=True, slots=True)
class Board:
    """What is asked for, and whom the pictures so far are owed to.

    ``ideas`` and ``credits`` are of one character and empty without one; ``credits`` counts
    accepted quests by artist.
    """

    quests: tuple[Quest, ...]
    character: Character | None = None
    ideas: tuple[QuestIdea, ...] = ()
    credits: dict[int, int] | None = None


class QuestService:
    """What members do with quests."""

    def __init__(
        self,
        db: Database,
        blobs: BlobStore,
        registrar: Registrar,
        locks: GuildLocks,
    ) -> None:
        self._db = db
        self._blobs = blobs
        self._registrar = registrar
        self._intake = Intake(db, blobs, registrar)
        self._locks = locks

    # --- looking --------------------------------------------------------------------------

    async def get(self, guild_id: int, quest_id: int) -> Quest:
        """One quest.

        Raises:
            NotFound: the guild has no such quest.
        """
        return await quests.get_quest(self._db, guild_id, quest_id)

    async def board(self, actor: Actor, character: str | None = None) -> Board:
        """The quests that are alive; with a character also its ideas and credits.

        Raises:
            NotFound: no such character.
        """
        if character is None:
            return Board(tuple(await quests.list_quests(self._db, actor.guild_id)))
        found = await cast.find_character(self._db, actor.guild_id, character)
        alive = await quests.list_quests(self._db, actor.guild_id, found.id)
        return Board(
            tuple(alive),
            found,
            tuple(await ideas_for(self._db, found, alive)),
            await quests.quest_credits(self._db, actor.guild_id, found.id),
        )

    async def heat(self, actor: Actor, character: str) -> Heat:
        """Where a character's references lie, and what panels of late wanted in vain.

        Raises:
            NotFound: no such character.
        """
        found = await cast.find_character(self._db, actor.guild_id, character)
        return await heat_of(self._db, found)

    # --- asking ---------------------------------------------------------------------------

    async def post(
        self, actor: Actor, appearance_id: str, view: View, channel_id: int | None
    ) -> Quest:
        """Ask artists for a picture of a look.

        Raises:
            NotFound: no such look.
            NotAllowed: the actor may not edit the character.
            AlreadyExists: it is asked for already.
            LimitReached: too many quests wait.
            WrongState: a reference shows it already.
        """
        character, look = await self._look(actor.guild_id, appearance_id)
        await require_edit(self._db, actor, character, "ask for pictures of")
        alive = await quests.list_quests(self._db, actor.guild_id)
        if len(alive) >= MOST_ALIVE:
            raise LimitReached(
                f"{MOST_ALIVE} quests wait already. Decide or close some: /character quests."
            )
        await self._require_lacking(look, view)
        idea = next(
            (
                one
                for one in await ideas_for(self._db, character, ())
                if one.appearance_id == look.appearance_id and one.view == view
            ),
            QuestIdea(look.appearance_id, view),
        )
        saving = 0.0 if idea.saving is None else idea.saving.tries
        known = {} if idea.saving is None else asdict(idea.saving)
        basis = {name: round(value, 4) for name, value in known.items()}

        def write(tx: Transaction) -> int:
            now = datetime.now(UTC)
            number = quests.add_quest(
                tx,
                guild_id=actor.guild_id,
                appearance_row=look.id,
                view=view,
                saving=saving,
                basis=basis,
                posted_by=actor.member_id,
                channel_id=channel_id,
                now=now,
            )
            _owe(tx, actor.guild_id, number, "posted", now)
            return number

        return await self.get(actor.guild_id, await self._db.write(write))

    async def close(self, actor: Actor, quest_id: int) -> Quest:
        """Ask for it no more.

        Raises:
            NotFound: no such quest.
            NotAllowed: the actor may not edit the character.
            WrongState: it is over, or a picture waits for a decision.
        """
        quest = await self.get(actor.guild_id, quest_id)
        character, _ = await self._look(actor.guild_id, quest.appearance_id)
        await require_edit(self._db, actor, character, "close quests of")

        def work(tx: Transaction, now: datetime) -> bool:
            return quests.close_quest(
                tx, guild_id=actor.guild_id, quest_id=quest_id, decided_by=actor.member_id, now=now
            )

        return await self._step(actor.guild_id, quest_id, "closed", work)

    # --- drawing --------------------------------------------------------------------------

    async def take(self, actor: Actor, quest_id: int) -> Quest:
        """Let the actor draw it; nobody else can take it meanwhile.

        Raises:
            NotFound: no such quest.
            LimitReached: the actor has as many in hand as one can have.
            WrongState: somebody else was quicker, or it is over.
        """

        def work(tx: Transaction, now: datetime) -> bool:
            return quests.take_quest(
                tx,
                guild_id=actor.guild_id,
                quest_id=quest_id,
                artist_id=actor.member_id,
                due_at=now + TIME_TO_DRAW,
                now=now,
            )

        async with self._locks.of(actor.guild_id):
            alive = await quests.list_quests(self._db, actor.guild_id)
            mine = [q for q in alive if q.artist_id == actor.member_id]
            if sum(q.status is QuestStatus.TAKEN for q in mine) >= MOST_TAKEN:
                raise LimitReached(
                    f"You have {MOST_TAKEN} quests in hand; that is the most. Deliver or return "
                    "one first."
                )
            return await self._step(actor.guild_id, quest_id, "taken", work)

    async def give_back(self, actor: Actor, quest_id: int) -> Quest:
        """Let somebody else draw it.

        Raises:
            NotFound: no such quest.
            WrongState: the actor does not have it in hand.
        """

        def work(tx: Transaction, now: datetime) -> bool:
            return quests.return_quest(
                tx, guild_id=actor.guild_id, quest_id=quest_id, artist_id=actor.member_id, now=now
            )

        return await self._step(actor.guild_id, quest_id, "returned", work)

    async def deliver(self, actor: Actor, quest_id: int, upload: Upload) -> Quest:
        """Hand in the picture; it waits for the owner and is nobody's reference yet.

        Raises:
            NotFound: no such quest.
            NotAllowed: another artist has it.
            WrongState: it is not in the actor's hand.
            InvalidPicture: the bytes are not a picture that we take.
            AlreadyExists: the picture is registered already.
        """
        quest = await self.get(actor.guild_id, quest_id)
        if quest.status is not QuestStatus.TAKEN:
            raise _moved_on(quest)
        if quest.artist_id != actor.member_id:
            raise NotAllowed(f"<@{quest.artist_id}> draws this one. Others: /character quests.")
        study = await self._intake.study(actor, [upload], quest.view.shot_type)
        if not study.fresh:
            raise AlreadyExists(f"{study.duplicates[0]} A quest asks for a new picture.")
        sha256 = study.fresh[0].sha256

        def work(tx: Transaction, now: datetime) -> bool:
            return quests.deliver_quest(
                tx,
                guild_id=actor.guild_id,
                quest_id=quest_id,
                artist_id=actor.member_id,
                sha256=sha256,
                now=now,
            )

        return await self._step(actor.guild_id, quest_id, "delivered", work)

    async def picture(self, quest: Quest) -> bytes | None:
        """The picture that waits for a decision."""
        if quest.delivery_sha256 is None:
            return None
        return await self._blobs.get(quest.guild_id, quest.delivery_sha256)

    # --- deciding -------------------------------------------------------------------------

    async def accept(self, actor: Actor, quest_id: int) -> Quest:
        """Make the picture a reference and credit its artist, both at once.

        Raises:
            NotFound: no such quest.
            NotAllowed: the actor may not edit the character.
            ConsentMissing: it shows a real person who does not agree.
            WrongState: nothing waits for a decision.
            AlreadyExists: the picture was registered meanwhile.
            LimitReached: the look is full.
        """
        async with self._locks.of(actor.guild_id):
            quest = await self._delivered(actor, quest_id)
            character, look = await self._look(actor.guild_id, quest.appearance_id)
            await require_consent(self._db, actor.guild_id, [character.character_id])
            await self._intake.require_room(look, 1)
            sha256 = quest.delivery_sha256 or ""
            png = await self._blobs.get(actor.guild_id, sha256)
            said = Upload(
                "quest.png",
                png,
                angle=quest.view.angle,
                expression=quest.view.expression or "",
            )
            study = await self._intake.study(actor, [said], quest.view.shot_type)
            if not study.fresh:
                raise AlreadyExists(f"{study.duplicates[0]} Send it back to its artist.")
            thresholds = await self._intake.thresholds(
                actor.guild_id, look.appearance_id, look.id, study
            )
            artist = Actor(actor.guild_id, quest.artist_id or 0)

            def work(tx: Transaction, now: datetime) -> bool:
                rows = self._registrar.store(tx, artist, look.id, study, thresholds)
                done = quests.accept_quest(
                    tx,
                    guild_id=actor.guild_id,
                    quest_id=quest_id,
                    reference_id=rows[study.fresh[0].sha256],
                    decided_by=actor.member_id,
                    sha256=sha256,
                    now=now,
                )
                doom_unused(tx, guild_id=actor.guild_id, pictures=[sha256])
                audit.note(
                    tx,
                    guild_id=actor.guild_id,
                    member_id=actor.member_id,
                    action="quest.accepted",
                    subject=f"quest {quest_id}, {look.appearance_id}",
                    detail=f"drawn by {quest.artist_id}",
                    now=now,
                )
                return done

            return await self._step(actor.guild_id, quest_id, "accepted", work)

    async def send_back(self, actor: Actor, quest_id: int, note: str) -> Quest:
        """Ask the artist for another try; the picture is kept no longer.

        Raises:
            NotFound: no such quest.
            NotAllowed: the actor may not edit the character.
            InvalidInput: no reason, or one that is too long.
            BlockedWord: the reason has a word that moderators refuse.
            WrongState: nothing waits for a decision.
        """
        note = " ".join(note.split())
        if not 3 <= len(note) <= MAX_NOTE:
            raise InvalidInput(f"Say in 3 to {MAX_NOTE} characters what should be different.")
        await require_clean(self._db, actor.guild_id, note)
        await self._delivered(actor, quest_id)

        def work(tx: Transaction, now: datetime) -> bool:
            picture = quests.send_back(
                tx,
                guild_id=actor.guild_id,
                quest_id=quest_id,
                decided_by=actor.member_id,
                note=note,
                due_at=now + TIME_TO_DRAW,
                now=now,
            )
            if picture is not None:
                doom_unused(tx, guild_id=actor.guild_id, pictures=[picture])
            return picture is not None

        return await self._step(actor.guild_id, quest_id, "sent back", work)

    async def expire(self) -> int:
        """The chore: open quests again whose artist let the time pass; returns how many."""

        def work(tx: Transaction) -> int:
            now = datetime.now(UTC)
            late = quests.return_overdue(tx, now=now)
            for guild_id, quest_id in late:
                _owe(tx, guild_id, quest_id, "overdue", now)
            return len(late)

        return await self._db.write(work)

    # --- inside ---------------------------------------------------------------------------

    async def _delivered(self, actor: Actor, quest_id: int) -> Quest:
        quest = await self.get(actor.guild_id, quest_id)
        character, _ = await self._look(actor.guild_id, quest.appearance_id)
        await require_edit(self._db, actor, character, "decide about pictures of")
        if quest.status is not QuestStatus.DELIVERED:
            raise _moved_on(quest)
        return quest

    async def _step(
        self,
        guild_id: int,
        quest_id: int,
        event: str,
        work: Callable[[Transaction, datetime], bool],
    ) -> Quest:
        """One change of a quest and the news of it; nothing where it moved on meanwhile."""
        quest = await self.get(guild_id, quest_id)

        def write(tx: Transaction) -> None:
            now = datetime.now(UTC)
            if not work(tx, now):
                raise _moved_on(quest)
            _owe(tx, guild_id, quest_id, event, now)

        await self._db.write(write)
        return await self.get(guild_id, quest_id)

    async def _look(self, guild_id: int, appearance_id: str) -> tuple[Character, Appearance]:
        look = await cast.find_appearance(self._db, guild_id, appearance_id)
        everyone = await cast.list_characters(self._db, guild_id)
        return next(c for c in everyone if c.id == look.character_row), look

    async def _require_lacking(self, look: Appearance, view: View) -> None:
        references = await cast.list_references(self._db, look.guild_id, look.id)
        shown = next((r for r in references if r.canon and shows(view_of(r), view)), None)
        if shown is not None:
            raise WrongState(f"Reference {shown.id} shows that already. Choose another view.")


def _moved_on(quest: Quest) -> WrongState:
    states = {
        QuestStatus.OPEN: "is open: take it first",
        QuestStatus.TAKEN: f"is in the hands of <@{quest.artist_id}>",
        QuestStatus.DELIVERED: "has a picture that waits for a decision",
        QuestStatus.ACCEPTED: "is done",
        QuestStatus.CLOSED: "was closed",
    }
    return WrongState(f"Quest {quest.id} {states[quest.status]}. See /character quests.")


def _owe(tx: Transaction, guild_id: int, quest_id: int, event: str, now: datetime) -> None:
    outbox.owe(
        tx,
        guild_id=guild_id,
        kind=PostKind.QUEST,
        subject_id=quest_id,
        dedupe_key=f"quest:{quest_id}:{event}:{now.timestamp():.6f}",
        payload={"event": event},
        now=now,
    )
