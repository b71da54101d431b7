"""Two ways of waiting that the queue needs and asyncio does not have."""

import asyncio
from collections.abc import Awaitable
from typing import Any, TypeVar

T = TypeVar("T")


async def first_of(
    seconds: float | None, *events: asyncio.Event, until: "asyncio.Task[Any] | None" = None
) -> None:
    """Wait for the first of some events, a task and a time.

    Args:
        seconds: at most so long; None waits for ever.
        events: any of them ends the wait.
        until: its end ends the wait; it is neither cancelled nor asked for its result.
    """
    waits: set[asyncio.Task[Any]] = {asyncio.create_task(event.wait()) for event in events}
    try:
        tasks = waits if until is None else waits | {until}
        await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()


async def to_the_end(work: Awaitable[T]) -> T:
    """Await ``work`` to its end even when this task is cancelled; only then be cancelled."""
    task = asyncio.ensure_future(work)
    cancelled: asyncio.CancelledError | None = None
    while not task.done():
        try:
            await asyncio.shield(task)
        except asyncio.CancelledError as error:
            cancelled = error
        except Exception:  # noqa: BLE001 - result() below raises it
            break
    if cancelled is not None:
        raise cancelled
    return task.result()
