"""How often the queue looks, beats and gives up waiting; all in seconds."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class QueueTiming:
    """Seconds. A lease survives several missed beats; a graceful stop takes less than 10 s in all.

    Attributes:
        lease: how long a claim holds without a heartbeat.
        beat: between two heartbeats, and between two looks for leases that ran out.
        progress: least time between two progress notes of a job.
        poll: between two looks for work that another process may have added.
        finish: how long a stop waits for a running job to finish.
        cancel: how long a stop then waits for it to obey the cancel.
        restart_most: longest pause before the next try to start a worker that does not start.
    """

    lease: float = 30.0
    beat: float = 5.0
    progress: float = 2.0
    poll: float = 2.0
    finish: float = 2.0
    cancel: float = 2.5
    restart_most: float = 60.0
