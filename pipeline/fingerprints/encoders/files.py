"""Files that a host gives to an encoder, and the error when one is not there."""

import hashlib
from pathlib import Path
from typing import ClassVar

from pipeline.domain.errors import SettingsError


class EncoderUnavailable(SettingsError):
    """An encoder is not known, or what it needs is not installed."""

    code: ClassVar[str] = "encoder_unavailable"


def weights_file(encoder: str, path: str, what: str) -> Path:
    """The weights of an encoder.

    Args:
        encoder: its name in the settings.
        path: as the host wrote it after the ``@``.
        what: which file it has to be and where one gets it.

    Raises:
        EncoderUnavailable: none is named, or it is not there.
    """
    if path and Path(path).is_file():
        return Path(path)
    problem = "has no file" if not path else "names a file that is not there"
    raise EncoderUnavailable(
        f"The encoder “{encoder}” {problem}. Write {encoder}@FILE into ONMODEL_ENCODERS, where "
        f"FILE is {what}."
    )


def file_hash(path: Path) -> str:
    """The first 12 hex digits of a file's sha256, for an encoder's key."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()[:12]
