"""Finds an engine by name: the built-in ones and those that other packages register."""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any

from pipeline.domain.errors import GeneratorUnavailable
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.generators.base import Generator
from pipeline.prompting.tokens import PROMPT_TOKENS

ENTRY_POINTS = "onmodel.generators"

# The built-in ones are named here too, so that a checkout works before it is installed.
_BUILT_IN = {
    "draft": "pipeline.generation.generators.draft:DraftGenerator",
    "diffusers": "pipeline.generation.generators.diffusers:DiffusersGenerator",
    "comfyui": "pipeline.generation.generators.comfyui:ComfyUiGenerator",
    "a1111": "pipeline.generation.generators.a1111:A1111Generator",
}

_EXTRAS = {"comfyui": "remote", "a1111": "remote"}


def known_generators() -> dict[str, str]:
    """Name → ``module:class`` of every engine that could be loaded, sorted by name."""
    found = {point.name: point.value for point in entry_points(group=ENTRY_POINTS)}
    return dict(sorted({**_BUILT_IN, **found}.items()))


def declared(name: str) -> Capabilities:
    """What an engine says of itself before it is built, as its class declares it.

    Nothing is built and nothing heavy is imported: engines load that in their constructors. One
    that only its instance can describe says in ``declared`` what always holds; one that says
    nothing counts as one with the usual two chunks of text.

    Raises:
        GeneratorUnavailable: no engine has this name, or it does not import.
    """
    factory = _factory(name)
    found = getattr(factory, "capabilities", None)
    if not isinstance(found, Capabilities):
        found = getattr(factory, "declared", None)
    return found if isinstance(found, Capabilities) else Capabilities(prompt_tokens=PROMPT_TOKENS)


def load_generator(name: str, options: Mapping[str, Any] | None = None) -> Generator:
    """Import and build the engine; its heavy libraries load here and not before.

    Args:
        name: the word in settings.
        options: the engine's own settings by their names without its prefix (for ``diffusers``,
            ``ONMODEL_DIFFUSERS_MODEL`` is ``model``). Given to the constructor as one mapping;
            an engine for which nothing is set is built without.

    Raises:
        GeneratorUnavailable: no engine has this name, what it needs is not installed, or it does
            not say what it can do.
    """
    factory = _factory(name)
    generator = factory(options) if options else factory()
    if not isinstance(getattr(generator, "capabilities", None), Capabilities):
        raise GeneratorUnavailable(
            f"The generator “{name}” does not say what it can do (it has no capabilities). "
            "Ask its author for a version that fits this studio, or set ONMODEL_GENERATOR to "
            "another one."
        )
    return generator


def _factory(name: str) -> Callable[..., Generator]:
    known = known_generators()
    if name not in known:
        raise GeneratorUnavailable(
            f"There is no generator called “{name}”. Set ONMODEL_GENERATOR to one of: "
            f"{', '.join(known)}."
        )
    module, _, attribute = known[name].partition(":")
    try:
        factory = getattr(import_module(module), attribute)
    except ImportError as error:
        raise GeneratorUnavailable(
            f"The generator “{name}” needs the package “{error.name}”, which is not installed. "
            f"Install the extra: pip install 'onmodel[{_EXTRAS.get(name, 'gpu')}]'."
        ) from error
    return factory
