"""The eye on the event loop."""

import asyncio
import logging
import time

import pytest

from bot import watch
from bot.watch import LoopWatch


async def test_a_loop_that_was_held_up_is_noticed_and_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(watch, "BEAT", 0.01)
    monkeypatch.setattr(watch, "LATE", 0.2)
    heard: list[float] = []
    with caplog.at_level(logging.WARNING):
        async with LoopWatch(heard.append).watching() as eye:
            await asyncio.sleep(0.05)
            assert not caplog.records
            time.sleep(0.4)  # noqa: ASYNC251 - blocking is what this is about
            await asyncio.sleep(0.05)
    assert eye.worst == max(heard) > 0.3
    assert len(heard) > 2
    assert "held up" in caplog.text
