"""Errors with one base, whose text may be shown to a person and says what to do next."""

from datetime import datetime
from typing import ClassVar


class OnModelError(Exception):
    """Base of every expected failure.

    ``str(error)`` is one or two plain sentences, safe to show to anyone: no path, token, address
    or traceback. ``code`` is stable and goes to logs and JSON.
    """

    code: ClassVar[str] = "error"


class InvalidInput(OnModelError):
    """Something a person typed or chose is out of its limits."""

    code = "invalid_input"


class InvalidPicture(InvalidInput):
    """The bytes at the door are not a picture that we take."""

    code = "invalid_picture"


class BlockedWord(InvalidInput):
    """A text holds a word that the server does not want."""

    code = "blocked_word"


class UnsafePicture(InvalidPicture):
    """A picture may not be for everyone, so a moderator has to look at it first."""

    code = "unsafe_picture"


class PromptConflict(InvalidInput):
    """The request contradicts the model sheets, or cannot be read by the engine."""

    code = "prompt_conflict"


class NotFound(OnModelError):
    """The named thing does not exist in this guild."""

    code = "not_found"


class AlreadyExists(OnModelError):
    """A name or a picture is registered already."""

    code = "already_exists"


class NotAllowed(OnModelError):
    """The person may not do this."""

    code = "not_allowed"


class WrongState(OnModelError):
    """The thing exists but is past (or before) the state that the action needs."""

    code = "wrong_state"


class LimitReached(OnModelError):
    """A quota or a cap is used up. ``until`` is when to come back (UTC), where that is known."""

    code = "limit_reached"

    def __init__(self, text: str = "", until: datetime | None = None) -> None:
        super().__init__(text)
        self.until = until


class MissingReference(OnModelError):
    """The cast has no picture to work from."""

    code = "missing_reference"


class ConsentMissing(OnModelError):
    """A character shows a real person who has not (or no longer) agreed to it."""

    code = "consent_missing"


class EncoderMismatch(OnModelError):
    """Vectors of two encoders, versions or sizes were about to be compared."""

    code = "encoder_mismatch"


class GenerationFailed(OnModelError):
    """The engine could not draw; the text says why."""

    code = "generation_failed"


class GeneratorUnavailable(GenerationFailed):
    """The engine is not installed, not reachable or not known."""

    code = "generator_unavailable"


class Cancelled(OnModelError):
    """A person (or a stop) cancelled the work."""

    code = "cancelled"


class SettingsError(OnModelError):
    """A setting is missing, misspelt or out of range."""

    code = "settings"
