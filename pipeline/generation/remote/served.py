"""What an engine in a server of the host's offers beside drawing: it can be looked at."""

from typing import Protocol, runtime_checkable

from pipeline.generation.remote.address import ServerAddress


@runtime_checkable
class Served(Protocol):
    """An engine in a server; see :class:`pipeline.generation.generators.base.Generator`."""

    address: ServerAddress

    def describe(self) -> str:
        """What answers there, for people.

        Raises:
            GeneratorUnavailable: nobody answers, or what every panel needs is missing.
        """
        ...

    def check_server(self) -> None:
        """Look for everything that some panel may need.

        Raises:
            EngineLacks: something is missing; the text names it.
        """
        ...

    def close(self) -> None:
        """Let go of connections and processes."""
        ...
