"""Encoders by name: the built-in ones and those of installed packages."""

from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points

from pipeline.fingerprints.encoders.base import Encoder
from pipeline.fingerprints.encoders.files import EncoderUnavailable

__all__ = [
    "DEFAULT_ENCODERS",
    "GROUP",
    "LENSES",
    "EncoderUnavailable",
    "available_encoders",
    "load_encoders",
]

GROUP = "onmodel.encoders"
DEFAULT_ENCODERS = ("house", "palette")
_BUILT_IN = {
    "house": "pipeline.fingerprints.encoders.house:HouseEncoder",
    "palette": "pipeline.fingerprints.encoders.palette:PaletteEncoder",
    "structure": "pipeline.fingerprints.encoders.structure:StructureEncoder",
}
"""Also declared as entry points; listed here so that they work from a plain checkout."""
LENSES = {
    "lite0": "pipeline.fingerprints.encoders.lite0:Lite0Lens",
    "openclip": "pipeline.fingerprints.encoders.openclip:OpenClipLens",
    "arcface": "pipeline.fingerprints.encoders.arcface:ArcFaceLens",
    "dlib": "pipeline.fingerprints.encoders.dlib_face:DlibLens",
}
"""Encoders that need a file of the host's, and some of them a package: ``name@file``."""


def available_encoders() -> tuple[str, ...]:
    """The names that work without a file of the host's, sorted; see also :data:`LENSES`."""
    return tuple(sorted({*_BUILT_IN, *(point.name for point in _installed())}))


def load_encoders(names: Sequence[str] = DEFAULT_ENCODERS) -> list[Encoder]:
    """Make the named encoders, in the given order, each once.

    What follows an ``@`` is handed to the encoder: ``lite0@/models/lite0.onnx``. A name carries
    all that is needed, so workers in other processes make the same encoders. Names that a package
    registers under ``onmodel.encoders`` work like the built-in ones, but do not replace them.

    Raises:
        EncoderUnavailable: a name is unknown, an encoder cannot be made, or none is named.
    """
    wanted = list(dict.fromkeys(name.strip() for name in names if name.strip()))
    if not wanted:
        raise EncoderUnavailable(f"No encoder is named. Known are: {_known()}.")
    return [_make(name) for name in wanted]


def _make(name: str) -> Encoder:
    kind, _, argument = name.partition("@")
    try:
        factory = _factory(kind.strip())
        encoder = factory(argument.strip()) if argument.strip() or kind in LENSES else factory()
    except (ImportError, AttributeError, OSError) as error:
        raise EncoderUnavailable(
            f"The encoder “{kind}” cannot be loaded: {type(error).__name__}. Install what it "
            f"needs, or choose from: {_known()}."
        ) from error
    if not isinstance(encoder, Encoder):
        raise EncoderUnavailable(f"“{name}” is registered as an encoder but is none.")
    return encoder


def _factory(name: str) -> Callable[..., object]:
    ours = _BUILT_IN | LENSES
    if name in ours:
        module, _, attribute = ours[name].partition(":")
        return getattr(import_module(module), attribute)
    for point in _installed():
        if point.name == name:
            return point.load()
    raise EncoderUnavailable(f"No encoder is called “{name}”. Known are: {_known()}.")


def _installed() -> tuple[EntryPoint, ...]:
    return tuple(entry_points(group=GROUP))


def _known() -> str:
    files = ", ".join(f"{name}@FILE" for name in sorted(LENSES))
    return f"{', '.join(available_encoders())}; with a file of yours: {files}"
