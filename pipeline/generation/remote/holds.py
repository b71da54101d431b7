"""How a character's references share its hold, where adapters are applied one after the other."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pipeline.domain.conditioning import Adapter, ReferenceRole, ReferenceUse


@dataclass(frozen=True, slots=True)
class Hold:
    """A reference, the adapter it goes through, and that adapter's weight for it alone."""

    use: ReferenceUse
    adapter: Adapter
    weight: float


def holds_of(
    references: Sequence[ReferenceUse], able: frozenset[Adapter], most: int
) -> Iterator[Hold]:
    """Which adapter each reference goes through, and how strongly.

    A headshot goes through the face adapter, everything else through the whole one, each through
    the other where an engine has only one. What chained adapters add to a picture adds up, so the
    references of one adapter share the weight of its strongest: three references hold as hard as
    one, not three times as hard.

    Args:
        references: of one character, in order.
        able: the adapters that the engine has.
        most: references for each adapter; the first ones are taken.
    """
    sorted_: dict[Adapter, list[tuple[ReferenceUse, float]]] = {}
    for use in references:
        adapter = _adapter_for(use, able)
        if adapter is not None:
            sorted_.setdefault(adapter, []).append((use, _scale(use, adapter)))
    for adapter, uses in sorted_.items():
        chosen = uses[:most]
        total = sum(scale for _, scale in chosen)
        strongest = max(scale for _, scale in chosen)
        for use, scale in chosen:
            weight = strongest * scale / total if total else 0.0
            yield Hold(use, adapter, round(weight, 4))


def _adapter_for(use: ReferenceUse, able: frozenset[Adapter]) -> Adapter | None:
    first, second = Adapter.IP_WHOLE, Adapter.IP_FACE
    if use.role is ReferenceRole.FACE:
        first, second = second, first
    return first if first in able else second if second in able else None


def _scale(use: ReferenceUse, adapter: Adapter) -> float:
    return next((a.scale for a in use.adapters if a.adapter is adapter), use.scale)
