"""The engines of the studio: its own, and the draft, which is always there."""

from dataclasses import dataclass

from pipeline.domain.review import StoredCandidate
from pipeline.generation.generators.registry import declared, known_generators
from pipeline.imaging.enlarge import LARGEST_SIDE, can_enlarge

DRAFT = "draft"


@dataclass(frozen=True, slots=True)
class Engine:
    """What is known of an engine before it is loaded.

    ``token_limit`` is what its text encoder reads, None for no limit; ``variations`` is how many
    times in a row it can vary a picture of its own.
    """

    name: str
    token_limit: int | None = None
    variations: int = 0


@dataclass(frozen=True, slots=True)
class Engines:
    """Who draws: ``own`` unless a channel asks for another one."""

    own: Engine
    all: tuple[Engine, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What a channel may ask for."""
        return tuple(engine.name for engine in self.all)

    def drawing(self, generator: str) -> Engine:
        """The one that draws a brief that asks for ``generator``; empty: the studio's own."""
        return next((engine for engine in self.all if engine.name == generator), self.own)

    def enlarges(self, picture: StoredCandidate) -> bool:
        """Whether a picture can be made larger, whoever drew it."""
        return can_enlarge() and max(picture.width, picture.height) <= LARGEST_SIDE


def engines_of(generator: str) -> Engines:
    """The engines of a studio whose settings name ``generator``."""
    own = _known(generator)
    return Engines(own, (own,) if own.name == DRAFT else (own, _known(DRAFT)))


def _known(name: str) -> Engine:
    if name not in known_generators():
        return Engine(name)  # the worker refuses it, and says what there is
    abilities = declared(name)
    return Engine(name, abilities.prompt_tokens, abilities.variations)
