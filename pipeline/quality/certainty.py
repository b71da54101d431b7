"""How sure a similarity is: would other references have said the same, do the encoders agree?"""

from dataclasses import dataclass

import numpy as np

from pipeline.fingerprints.cluster import Cluster
from pipeline.fingerprints.composite import Segments

_DRAWS = 60
_LEAST_SPREAD = 0.01
_DISAGREEMENT, _MOST = 0.2, 8.0
"""What an encoder's disagreement of one spread adds to the uncertainty, in spreads of the look's
references, and up to where it counts. Source: of 0 to 0.5 in steps of a tenth, 0.2 gave the least
errors at 90 % coverage on the training identities of the bench; it was not chosen on its test."""
_NINETY = 1.645
"""Standard deviations to each side of a normal that hold 90 %."""


@dataclass(frozen=True, slots=True)
class Certainty:
    """The doubt about one similarity.

    ``spread`` is its standard deviation; ``conflict`` is how far the encoders are apart, in spreads
    of the look's own references (0: they agree).
    """

    spread: float
    conflict: float

    def interval(self, similarity: float) -> tuple[float, float]:
        """Where the similarity lies with 90 %, within [-1, 1]."""
        reach = _NINETY * self.spread
        return max(-1.0, similarity - reach), min(1.0, similarity + reach)


def certainty_of(cluster: Cluster, picture: Segments) -> Certainty:
    """The certainty of a picture's similarity to a cluster.

    Two doubts are added up: a bootstrap over the references (would it hold had others been
    registered?), and how differently the encoders see it, each measured against what the look's
    own references reach among themselves. How much of the figure shows is the third
    (:mod:`pipeline.quality.sight`).

    Args:
        cluster: the look's references, at least two.
        picture: vectors of every encoder of the cluster.
        visible: the share of the figure that shows, above 0, at most 1.

    Source: the bootstrap after Efron 1979, with a fixed seed so that a picture is judged the same
    every time.
    """
    own = cluster.parts_left_out()
    match = cluster.match(picture)
    if match is None:
        raise ValueError("the picture lacks an encoder of the cluster")
    parts = np.array([match.segments[key.name] for key in cluster.encoders])
    rng = np.random.default_rng(len(cluster))
    draws = rng.integers(0, len(cluster), (_DRAWS, len(cluster)))
    by_references = float(cluster.resampled(picture, draws).std())
    surprise = (parts - own.mean(axis=0)) / np.maximum(own.std(axis=0, ddof=1), 2 * _LEAST_SPREAD)
    middle = cluster.weights @ surprise
    conflict = float(np.sqrt(cluster.weights @ (surprise - middle) ** 2))
    usual = max(float((own @ cluster.weights).std(ddof=1)), _LEAST_SPREAD)
    by_encoders = _DISAGREEMENT * usual * min(conflict, _MOST)
    return Certainty(float(np.hypot(by_references, by_encoders)), conflict)
