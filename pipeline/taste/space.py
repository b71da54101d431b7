"""From traits to features: names on a common scale, vectors on their main axes."""

from collections import Counter
from collections.abc import Sequence

import numpy as np

from pipeline.domain.taste import Floats, Slate, Space, Trait, Traits

MOST_AXES = 16
_VECTORS_AN_AXIS = 8
"""An axis more for so many pictures: with few pictures the axes are mostly chance."""


def space_of(slates: Sequence[Slate]) -> Space:
    """The features that the alternates of votes span.

    A step of a named feature is the usual difference between alternates of one panel, since only
    those are ever compared; all vector features together vary as much as one named feature.

    Args:
        slates: at least one, whose vectors come from one encoder.
    """
    named = [np.array([_named(one) for one in slate.alternates]) for slate in slates]
    inside = np.concatenate([rows - rows.mean(axis=0) for rows in named])
    everything = np.concatenate(named)
    spread = np.sqrt((inside**2).mean(axis=0))
    vectors = np.array([one.vector for slate in slates for one in slate.alternates], float)
    centre = vectors.mean(axis=0)
    count = min(MOST_AXES, len(vectors) // _VECTORS_AN_AXIS)
    _, strength, turned = np.linalg.svd(vectors - centre, full_matrices=False)
    whole = np.sqrt((strength**2).sum() / len(vectors))
    axes = turned[:count].T / max(float(whole), 1e-9)
    return Space(
        mean=everything.mean(axis=0),
        scale=np.where(spread > 1e-9, spread, np.inf),
        centre=centre,
        axes=axes,
        source=slates[0].alternates[0].source,
    )


def common_source(slates: Sequence[Slate]) -> str:
    """The encoder whose vectors most alternates have, the latest at a tie; empty without any."""
    counts = Counter(one.source for slate in reversed(slates) for one in slate.alternates)
    return counts.most_common(1)[0][0] if counts else ""


def features(space: Space, alternates: Sequence[Traits]) -> Floats:
    """The features of pictures, (n, 8 + m). Vectors of another encoder count as average ones."""
    named = (np.array([_named(one) for one in alternates]) - space.mean) / space.scale
    seen = np.array(
        [
            (np.asarray(one.vector, float) - space.centre) @ space.axes
            if one.source == space.source
            else np.zeros(space.axes.shape[1])
            for one in alternates
        ]
    )
    return np.hstack([named, seen])


def _named(traits: Traits) -> list[float]:
    return [traits.named.get(trait, 0.0) for trait in Trait]
