"""The outbox pump over the real ledger: what is owed is posted once, in order, in the end."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest

from bot.queue.outbox import OutboxPump, PostRefused, PumpLimits
from pipeline.domain.review import OutboxItem, Posted, PostKind
from storage import outbox
from storage.database import Database, open_database
from storage.keys import Keyring

GUILD = 100
QUICK = PumpLimits(poll=0.02, post=30, tries=3, stop=5)


@dataclass
class Channel:
    """A poster over a list of messages that, like Discord, remembers what it was given."""

    messages: list[int] = field(default_factory=list)
    found: list[int] = field(default_factory=list)
    asked: Counter[int] = field(default_factory=Counter)
    before: dict[int, list[Exception]] = field(default_factory=dict)
    after: dict[int, list[Exception]] = field(default_factory=dict)
    gate: asyncio.Event | None = None
    began: asyncio.Event = field(default_factory=asyncio.Event)
    now: int = 0
    most: int = 0

    async def find(self, item: OutboxItem) -> Posted | None:
        self.found.append(item.id)
        return Posted(1, item.id) if item.id in self.messages else None

    async def post(self, item: OutboxItem) -> Posted:
        """Raise what is scripted for the item, before or after the message is there."""
        self.asked[item.id] += 1
        self.now += 1
        self.most = max(self.most, self.now)
        self.began.set()
        try:
            if self.gate is not None:
                await self.gate.wait()
            if self.before.get(item.id):
                raise self.before[item.id].pop(0)
            self.messages.append(item.id)
            if self.after.get(item.id):
                raise self.after[item.id].pop(0)
            return Posted(1, item.id)
        finally:
            self.now -= 1


@pytest.fixture
async def db(tmp_path) -> AsyncIterator[Database]:
    async with open_database(tmp_path / "onmodel.db") as db:
        await Keyring(db, bytes(32)).guild_key(GUILD)
        yield db


async def owe(db: Database, kind: PostKind = PostKind.VOTE_CARD, subject: int = 1) -> int:
    """Owe one more post; returns its item's id."""

    def work(tx) -> int:
        count = tx.execute("SELECT count(*) FROM outbox").fetchone()[0]
        key = f"{kind}:{subject}:{count}"
        outbox.owe(
            tx, guild_id=GUILD, kind=kind, subject_id=subject, dedupe_key=key, now=time.time()
        )
        return tx.execute("SELECT max(id) FROM outbox").fetchone()[0]

    return await db.write(work)


async def until(condition: Callable[[], bool]) -> None:
    while not condition():  # noqa: ASYNC110 - the conditions are about many things
        await asyncio.sleep(0.005)


async def nothing_pending(db: Database) -> None:
    while await outbox.pending_count(db):  # noqa: ASYNC110 - a row of a database
        await asyncio.sleep(0.005)


async def hurry(db: Database) -> None:
    """Make what waits for its next try due now."""
    await db.write(lambda tx: outbox.resume(tx, now=time.time()))


async def state(db: Database, item_id: int):
    return await db.fetch_one("SELECT * FROM outbox WHERE id = ?", (item_id,))


@asynccontextmanager
async def pumping(db: Database, channel: Channel, limits: PumpLimits = QUICK):
    pump = OutboxPump(db, channel, limits)
    stop = asyncio.Event()
    task = asyncio.create_task(pump.run(stop))
    try:
        yield pump
    finally:
        stop.set()
        await task


async def test_what_is_owed_is_posted_and_its_place_noted(db):
    item_id = await owe(db)
    channel = Channel()
    async with pumping(db, channel):
        await nothing_pending(db)
    assert channel.messages == [item_id]
    assert channel.found == []  # a first try has nothing to look for
    assert await outbox.posts_of(db, GUILD, PostKind.VOTE_CARD, 1) == [Posted(1, item_id)]


async def test_a_new_item_is_posted_at_once_when_told(db):
    channel = Channel()
    async with pumping(db, channel, PumpLimits(poll=3600)) as pump:
        for subject in (1, 2):
            await owe(db, subject=subject)
            pump.notify()
            await nothing_pending(db)
    assert len(channel.messages) == 2


async def test_an_item_of_another_process_is_found_without_being_told(db):
    channel = Channel()
    async with pumping(db, channel):
        await owe(db)
        await nothing_pending(db)


async def test_a_post_that_was_made_but_not_noted_is_found_not_repeated(db):
    """The try is counted before the post, so the next one looks first."""
    item_id = await owe(db)
    channel = Channel(after={item_id: [ConnectionError("the answer was lost")]})
    async with pumping(db, channel) as pump:
        await until(lambda: channel.messages == [item_id])
        await failure_noted(db, item_id)
        await hurry(db)
        pump.notify()
        await nothing_pending(db)
    assert channel.messages == [item_id]
    assert channel.found == [item_id]


async def failure_noted(db: Database, item_id: int) -> None:
    while (await state(db, item_id))["error"] is None:  # noqa: ASYNC110 - a row of a database
        await asyncio.sleep(0.005)


async def test_a_new_pump_looks_for_the_posts_of_a_dead_one_at_once(db):
    item_id = await owe(db)
    await db.write(lambda tx: outbox.take_due(tx, now=time.time()) and None)  # and then it died
    channel = Channel(messages=[item_id])
    async with pumping(db, channel, PumpLimits(poll=3600)):
        await nothing_pending(db)
    assert channel.messages == [item_id]


async def test_a_failed_post_waits_before_it_is_tried_again(db):
    item_id = await owe(db)
    channel = Channel(before={item_id: [ConnectionError("down")]})
    async with pumping(db, channel):
        await failure_noted(db, item_id)
    row = await state(db, item_id)
    assert row["status"] == "pending"
    assert row["next_at"] > time.time()
    assert row["error"] == "ConnectionError"  # the words of a stranger may hold anything
    assert channel.asked[item_id] == 1


async def test_an_item_is_given_up_after_enough_tries(db, caplog):
    item_id = await owe(db)
    channel = Channel(before={item_id: [ConnectionError("down")] * 9})
    async with pumping(db, channel) as pump:
        for tried in range(1, QUICK.tries + 1):
            await until(lambda tried=tried: channel.asked[item_id] == tried)
            await noted(db, item_id, tried)
            await hurry(db)
            pump.notify()
        await nothing_pending(db)
    assert (await state(db, item_id))["status"] == "dead"
    assert channel.asked[item_id] == QUICK.tries
    assert [r.levelno for r in caplog.records if "given up" in r.message] == [logging.ERROR]


async def noted(db: Database, item_id: int, tries: int) -> None:
    """Wait until the failure of that try is in the ledger: it replaces the pause of the take."""

    async def pause() -> float:
        return (await state(db, item_id))["next_at"] - time.time()

    async def waits_for_the_note() -> bool:
        return (await state(db, item_id))["status"] == "pending" and await pause() > 2**tries

    while await waits_for_the_note():  # noqa: ASYNC110 - a row of a database
        await asyncio.sleep(0.005)


async def test_a_refused_post_is_given_up_at_once_with_its_words(db):
    item_id = await owe(db)
    channel = Channel(before={item_id: [PostRefused("The channel is gone.")]})
    async with pumping(db, channel):
        await nothing_pending(db)
    row = await state(db, item_id)
    assert (row["status"], row["error"]) == ("dead", "The channel is gone.")


async def test_posts_about_one_subject_stay_in_order(db):
    card = await owe(db, PostKind.VOTE_CARD)
    result = await owe(db, PostKind.PANEL_RESULT)
    other = await owe(db, PostKind.VOTE_CARD, subject=2)
    review = await owe(db, PostKind.REVIEW_THREAD)  # review 1 has nothing to do with panel 1
    channel = Channel(before={card: [ConnectionError("down")]})
    async with pumping(db, channel) as pump:
        await until(lambda: {other, review} <= set(channel.messages))
        await failure_noted(db, card)
        assert channel.asked[result] == 0
        assert (await state(db, result))["tries"] == 0  # waiting is not a try
        await hurry(db)
        pump.notify()
        await nothing_pending(db)
    assert channel.messages.index(card) < channel.messages.index(result)
    assert channel.found == [card]


async def test_an_item_that_was_given_up_does_not_hold_up_the_next(db):
    card = await owe(db, PostKind.VOTE_CARD)
    result = await owe(db, PostKind.PANEL_RESULT)
    channel = Channel(before={card: [PostRefused("gone")]})
    async with pumping(db, channel, PumpLimits(poll=3600)):
        await nothing_pending(db)
    assert result in channel.messages
    assert card not in channel.messages


async def test_a_refusal_is_told_once_a_day_and_what_is_told_is_no_refusal_of_its_own(db):
    first, second = await owe(db, subject=1), await owe(db, subject=2)
    refused = {n: [PostRefused("closed")] for n in range(1, 10)}
    channel = Channel(before=refused)
    async with pumping(db, channel):
        await nothing_pending(db)
    rows = await db.fetch_all("SELECT id, kind, status FROM outbox ORDER BY id")
    told = [row["status"] for row in rows if row["kind"] == PostKind.NOTICE]
    assert told == ["dead"], "nobody takes the notice either, and that is the end of it"
    assert {first, second} < {row["id"] for row in rows}


async def test_what_was_given_up_is_tried_again_when_something_was_mended_and_not_for_ever(db):
    item_id = await owe(db)
    channel = Channel(before={item_id: [PostRefused("closed")]})
    async with pumping(db, channel) as pump:
        await until(lambda: channel.asked[item_id] == 1)
        await nothing_pending(db)
        stuck = await outbox.stuck_posts(db, GUILD)
        assert [post.error for post in stuck] == ["closed"]
        assert await db.write(lambda tx: outbox.revive(tx, guild_id=GUILD + 1, now=0)) == 0
        assert await db.write(lambda tx: outbox.revive(tx, guild_id=GUILD, now=time.time())) == 1
        pump.notify()
        await nothing_pending(db)
    assert item_id in channel.messages
    await db.write(
        lambda tx: tx.execute(
            "UPDATE outbox SET status = 'dead', tries = ? WHERE id = ?",
            (outbox.MOST_TRIES, item_id),
        )
    )
    assert await db.write(lambda tx: outbox.revive(tx, guild_id=GUILD, now=0)) == 0


async def test_subjects_go_side_by_side_within_the_limit(db):
    for subject in range(1, 8):
        await owe(db, subject=subject)
    channel = Channel(gate=asyncio.Event())
    async with pumping(db, channel, PumpLimits(at_once=3, poll=0.01)):
        await until(lambda: channel.now == 3)
        channel.gate.set()
        await nothing_pending(db)
    assert channel.most == 3
    assert len(channel.messages) == 7


async def test_a_post_that_is_still_on_its_way_is_not_made_twice(db):
    item_id = await owe(db)
    channel = Channel(gate=asyncio.Event())
    async with pumping(db, channel) as pump:
        await channel.began.wait()
        for _ in range(3):
            await hurry(db)
            pump.notify()
            await asyncio.sleep(0.05)
        assert channel.asked[item_id] == 1
        channel.gate.set()
        await nothing_pending(db)
    assert channel.messages == [item_id]


async def test_a_post_that_hangs_is_given_up_for_this_time(db):
    item_id = await owe(db)
    channel = Channel(gate=asyncio.Event())
    async with pumping(db, channel, PumpLimits(post=0.02, poll=0.01)) as pump:
        await failure_noted(db, item_id)
        channel.gate.set()
        await hurry(db)
        pump.notify()
        await nothing_pending(db)
    assert channel.messages == [item_id]


async def test_a_stop_lets_a_post_on_its_way_end(db):
    item_id = await owe(db)
    channel = Channel(gate=asyncio.Event())
    async with pumping(db, channel):
        await channel.began.wait()
        asyncio.get_running_loop().call_later(0.02, channel.gate.set)
    assert (await state(db, item_id))["status"] == "posted"


async def test_a_stop_does_not_wait_for_ever_and_loses_nothing(db):
    item_id = await owe(db)
    stuck = Channel(gate=asyncio.Event())
    async with pumping(db, stuck, PumpLimits(stop=0.01)):
        await stuck.began.wait()
    assert (await state(db, item_id))["status"] == "pending"
    channel = Channel()
    async with pumping(db, channel):
        await nothing_pending(db)
    assert channel.messages == [item_id]
