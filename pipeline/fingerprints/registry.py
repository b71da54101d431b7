"""Encoders by name: the built-in ones and those of installed packages."""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from typing import ClassVar

from pipeline.domain.errors import SettingsError
from pipeline.fingerprints.encoders.base import Encoder

GROUP = "onmodel.encoders"
DEFAULT_ENCODERS = ("palette", "structure")
_BUILT_IN = {
    "palette": "pipeline.fingerprints.encoders.palette:PaletteEncoder",
    "structure": "pipeline.fingerprints.encoders.structure:StructureEncoder",
}
"""Also declared as entry points; listed here so that they work from a plain checkout."""


class EncoderUnavailable(SettingsError):
    """An encoder is not known, or what it needs is not installed."""

    code: ClassVar[str] = "encoder_unavailable"


def available_encoders() -> tuple[str, ...]:
    """The names that :func:`load_encoders` knows, sorted."""
    return tuple(sorted({*_BUILT_IN, *(point.name for point in _installed())}))


def load_encoders(names: Sequence[str] = DEFAULT_ENCODERS) -> list[Encoder]:
    """Make the named encoders, in the given order, each once.

    Names that a package registers under ``onmodel.encoders`` work like the built-in ones, but
    do not replace them.

    Raises:
        EncoderUnavailable: a name is unknown, an encoder cannot be made, or none is named.
    """
    wanted = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    if not wanted:
        raise EncoderUnavailable(f"No encoder is named. Known are: {_known()}.")
    return [_make(name) for name in wanted]


def _make(name: str) -> Encoder:
    try:
        encoder = _factory(name)()
    except (ImportError, AttributeError, OSError) as error:
        raise EncoderUnavailable(
            f"The encoder “{name}” cannot be loaded: {type(error).__name__}. Install what it "
            f"needs, or choose from: {_known()}."
        ) from error
    if not isinstance(encoder, Encoder):
        raise EncoderUnavailable(f"“{name}” is registered as an encoder but is none.")
    return encoder


def _factory(name: str) -> Callable[[], object]:
    if name in _BUILT_IN:
        module, _, attribute = _BUILT_IN[name].partition(":")
        return getattr(import_module(module), attribute)
    for point in _installed():
        if point.name == name:
            return point.load()
    raise EncoderUnavailable(f"No encoder is called “{name}”. Known are: {_known()}.")


def _installed() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


def _known() -> str:
    return ", ".join(available_encoders())
