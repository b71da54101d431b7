"""The blind audit: some passed pictures go to people like flagged ones, and nothing tells which.

A moderator who only ever sees what was flagged teaches the check nothing about what it lets pass;
its limits would sink with every approval (``docs/quality.md`` shows by how much). So a share of the
passed panels is held back and put in front of people in the same words as the flagged ones. Only
when they have decided does the card say what the check had thought.
"""

import hashlib
import hmac
from dataclasses import replace

from pipeline.domain.inputs import Audit
from pipeline.domain.quality import CharacterCheck, Flag

BLIND = frozenset({Flag.OFF_MODEL, Flag.AUDIT})
"""The flags that people must not be able to tell apart before they have decided."""

_SEEN_AS = {"head": "head", "half": "upper half", "figure": "whole figure"}


def draw(key: bytes, panel_id: int, job_id: int, percent: int) -> Audit:
    """Whether a run is audited if it passes.

    The draw follows from the guild's secret key and the job alone: a crash cannot draw again, and
    nobody without the key can tell beforehand.

    Args:
        key: the guild's data key.
        panel_id: the panel.
        job_id: its run.
        percent: of passed panels that are audited, 0 to 100.
    """
    digest = hmac.digest(key, b"blind audit %d %d" % (panel_id, job_id), hashlib.sha256)
    return Audit(percent / 100, int.from_bytes(digest[:8]) * 100 < percent << 64)


def blind_words(check: CharacterCheck, name: str) -> str:
    """What a card says about a character while it is open: measured, but not judged."""
    if check.similarity is None:
        return f"{name}: nothing could be compared."
    what = "figure" if check.crop is None else _SEEN_AS[check.crop.value]
    between = ""
    if check.interval is not None:
        between = f" (between {check.interval[0]:.2f} and {check.interval[1]:.2f})"
    return f"{name}: similarity {check.similarity:.2f}{between} of the {what}, the weakest part."


def without_limit(check: CharacterCheck) -> CharacterCheck:
    """A check without the number that would tell an audited picture from a flagged one."""
    return replace(check, threshold=None)
