"""“Who is this?” with strangers about: who is accepted, refused or taken for somebody else.

Every source is a guild in which each identity is registered with a few references; all its other
drawings are asked about, by the very rule that ``/panel identify`` follows. The same drawing is a
stranger's when its own identity is taken out of the guild.
"""

from collections.abc import Sequence

import numpy as np

from bot.bench.album import Album, Page
from bot.bench.scores import Floats, Score, draws
from pipeline.domain.character import ColorMode, ReferenceKind, ShotType
from pipeline.domain.geometry import Box
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.domain.quality import Verdict
from pipeline.fingerprints.composite import encoder_set
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.quality.calibration import thresholds_from_references
from pipeline.quality.looks import check_figure

METRICS = ("stranger_accepted", "known_rejected", "known_mistaken", "other_passed")
"""Shares, all better when lower: strangers to whom a name is given; known ones who are nobody;
known ones who are given another's name; comparisons with another identity that pass, one by one."""
MODES = {"color": ColorMode.COLOR, "grey": ColorMode.GRAYSCALE}
REFERENCES = 5
_SEED, _RESAMPLES = 20, 200
_NOWHERE = Box(0, 0, 1, 1)


def score_open(album: Album, encoders: Sequence[Encoder]) -> dict[tuple[str, str, str], Score]:
    """Every metric in colour and grey, by (metric, condition, source).

    Identities with fewer drawings than references and one more are left out. The shipped limits
    apply; what moderators' verdicts would teach is not known here.

    Args:
        album: of one source, with fingerprints of these encoders at least.
        encoders: whose segments count; their scales are those of the fused similarity.
    """
    keys = {encoder.key for encoder in encoders}
    pages = [
        Page(page.drawing, tuple(p for p in page.prints if p.embedding.encoder in keys))
        for page in album.pages
    ]
    album = Album(album.source, tuple(pages))
    people = {who: album.of(who) for who in album.identities}
    people = {who: own for who, own in people.items() if len(own) > REFERENCES}
    if len(people) < 2:
        return {}
    members = [_member(who, own[:REFERENCES], encoders) for who, own in people.items()]
    found: dict[tuple[str, str, str], Score] = {}
    for condition, mode in MODES.items():
        margins = {
            who: np.array(
                [[_margin(page, one, mode) for one in members] for page in own[REFERENCES:]]
            )
            for who, own in people.items()
        }
        for metric, score in scores(list(margins.values())).items():
            found[metric, condition, album.source] = score
    return found


def scores(margins: Sequence[Floats]) -> dict[str, Score]:
    """The shares of METRICS with intervals over identities.

    Args:
        margins: of each identity its drawings against everybody, (drawings, identities), in the
            order of the identities; -inf is no pass.
    """
    hits: dict[str, list[float]] = {metric: [] for metric in METRICS}
    asked: dict[str, list[float]] = {metric: [] for metric in METRICS}
    for place, own in enumerate(margins):
        others = np.delete(own, place, axis=1)
        stranger = (others >= 0).any(axis=1)
        answered = own.max(axis=1) >= 0
        counts = {
            "stranger_accepted": stranger.sum(),
            "known_rejected": (~answered).sum(),
            "known_mistaken": (answered & (own.argmax(axis=1) != place)).sum(),
            "other_passed": (others >= 0).sum(),
        }
        for metric, count in counts.items():
            hits[metric].append(float(count))
            asked[metric].append(float(others.size if metric == "other_passed" else len(own)))
    drawn = draws(len(margins), _RESAMPLES, _SEED)
    return {
        metric: _share(drawn, np.array(hits[metric]), np.array(asked[metric])) for metric in METRICS
    }


def _share(drawn: Floats, hits: Floats, asked: Floats) -> Score:
    values = (drawn @ hits) / (drawn @ asked)
    return Score(float(values[0]), values[1:], int(asked.sum()))


def _member(who: str, own: Sequence[Page], encoders: Sequence[Encoder]) -> CastInput:
    prints = {number: page.prints for number, page in enumerate(own)}
    references = tuple(
        ReferenceInput(
            number, "", b"", ReferenceKind.POSE, ShotType.HALF, "front", "neutral", True, seen
        )
        for number, seen in prints.items()
    )
    limits = thresholds_from_references(who, prints, encoder_set(encoders))
    return CastInput(who, who, who, "", 1.0, {}, (), references, limits)


def _margin(page: Page, member: CastInput, mode: ColorMode) -> float:
    """Similarity minus limit of a drawing that passes as a member, else -inf."""
    check = check_figure(member, page.prints, mode, _NOWHERE)
    if check.verdict is not Verdict.ON_MODEL or check.similarity is None or check.threshold is None:
        return -np.inf
    return max(check.similarity - check.threshold, 0.0)
