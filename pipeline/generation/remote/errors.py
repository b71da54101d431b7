"""What goes wrong with an engine in a server, in words for people and without its address."""

from typing import ClassVar

from pipeline.domain.errors import GenerationFailed, GeneratorUnavailable


class EngineDown(GeneratorUnavailable):
    """Nobody answers at the server's address, or it went away in the middle."""

    code = "engine_down"


class EngineLacks(GeneratorUnavailable):
    """The server has no such node, extension or file of weights; the text names it."""

    code = "engine_lacks"


class EngineSlow(GenerationFailed):
    """The server answers too slowly, or a job has shown no progress for too long."""

    code = "engine_slow"


class EngineRefused(GenerationFailed):
    """The server answered with an error."""

    code = "engine_refused"


class EngineOutOfMemory(EngineRefused):
    """The server's graphics memory was not enough."""

    code: ClassVar[str] = "engine_out_of_memory"


def down(engine: str) -> EngineDown:
    """Nobody answers."""
    return EngineDown(
        f"{engine} does not answer. Ask whoever runs the bot to start it, then ask for the panel "
        "again."
    )


def slow(engine: str) -> EngineSlow:
    """An answer takes too long."""
    return EngineSlow(
        f"{engine} takes too long to answer. It may be loading a model or be busy with other "
        "work: ask again in a few minutes."
    )
