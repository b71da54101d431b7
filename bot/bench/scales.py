"""``onmodel bench scales``: what the segments of a composite should count, and how art strays.

Prints what ``pipeline/fingerprints/scales.py`` and ``pipeline/quality/calibration.py`` hold as
constants, measured on identities that nothing else is tested on. Heads are compared by person;
the upper half and the whole figure by look, that is by person and outfit where the catalog labels
it, because that is what they are asked about: is this the right outfit?
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from pathlib import Path

import numpy as np

from bot.bench.album import Album, make_albums
from bot.bench.exam import Exam, compared
from bot.bench.figures import Figure, publish
from bot.bench.scores import Floats, Score, draws, mean_score, score_all
from pipeline.domain.character import ColorMode
from pipeline.domain.errors import InvalidInput
from pipeline.domain.fingerprint import CropClass, EncoderKey
from pipeline.fingerprints.cluster import Cluster, Member
from pipeline.fingerprints.composite import segments_of
from pipeline.fingerprints.registry import DEFAULT_ENCODERS, load_encoders
from pipeline.fingerprints.scales import Place, scales_of
from pipeline.quality.calibration import MIN_REFERENCES
from pipeline.training.catalog import of_splits, read_catalog

_SEED, _RESAMPLES, _TENTHS = 20, 200, 10
_COUNTED = ("auc", "tar01", "top1")
_LEAST_PICTURES = 6
"""A source with fewer pictures of a crop class says nothing about it."""

Shares = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class ScalesPlan:
    """What is measured: encoders by name, splits of the catalog, drawings of each identity."""

    encoders: tuple[str, ...] = DEFAULT_ENCODERS
    splits: tuple[str, ...] = ("val",)
    per_identity: int = 10


def bench_scales(data: Path, plan: ScalesPlan, json_file: Path | None = None) -> int:
    """Measure, print, write; returns 0.

    Raises:
        InvalidInput: there is nothing to compare.
        EncoderUnavailable: an encoder is not known.
    """
    encoders = load_encoders(plan.encoders)
    drawings = of_splits(read_catalog(data), plan.splits)
    albums = make_albums(drawings, encoders, plan.per_identity)
    if not albums:
        raise InvalidInput(f"{data} holds no source with two identities to compare.")
    keys = [encoder.key for encoder in encoders]
    figures = [one for place in _places() for one in _of_place(albums, keys, place)]
    publish(figures, json_file)
    return 0


def _places() -> Iterator[Place]:
    for crop, mode in product(CropClass, ColorMode):
        yield Place(crop, mode)


def _of_place(albums: Sequence[Album], keys: Sequence[EncoderKey], place: Place) -> list[Figure]:
    """Shares and spread of one crop class in one colour mode; none where it is not shown."""
    albums = [by_look(album) if place.crop is not CropClass.HEAD else album for album in albums]
    tables = [found for album in albums if (found := _cosines(album, keys, place)) is not None]
    if not tables:
        return []
    name = f"scales.{place.crop}.{place.color_mode}"
    figures = [*_shares_of(tables, keys, name)] if len(keys) > 1 else []
    return [*figures, *_spread_of(albums, keys, place, name)]


def by_look(album: Album) -> Album:
    """The same with an identity for each outfit of an identity."""
    pages = [
        replace(page, drawing=replace(one, identity=f"{one.identity} {one.outfit}".strip()))
        for page in album.pages
        for one in (page.drawing,)
    ]
    return Album(album.source, tuple(pages))


def _shares_of(
    tables: Sequence[tuple[Exam, Floats]], keys: Sequence[EncoderKey], name: str
) -> Iterator[Figure]:
    """The best shares, what they score, and what the shares in use score."""
    merits = {shares: merit(tables, shares) for shares in shares_in_tenths(len(keys))}
    best = max(merits, key=lambda shares: merits[shares].value)
    options = np.array(list(merits))
    resampled = np.stack([merits[shares].resampled for shares in merits])
    picked = options[np.where(np.isnan(resampled), -1.0, resampled).argmax(axis=0)]
    n = merits[best].n
    for place, key in enumerate(keys):
        low, high = np.percentile(picked[:, place], (2.5, 97.5))
        alone = merit(tables, tuple(float(k == place) for k in range(len(keys))))
        yield Figure(
            f"{name}.{key.name}", best[place], "share", "higher", None,
            f"{alone.value:.3f} alone", n, (float(low), float(high)),
        )  # fmt: skip
    yield Figure(f"{name}.merit", merits[best].value, "mean", "higher", None, None, n)


def merit(tables: Sequence[tuple[Exam, Floats]], shares: Shares) -> Score:
    """The mean of AUC, true accepts at 1 % and top-1, every source counting the same.

    Args:
        tables: of each source the drawings and their cosines, (encoders, n, n).
        shares: what each encoder counts.
    """
    sources: list[Score] = []
    for exam, cosines in tables:
        fused = np.tensordot(np.array(shares), cosines, 1)
        found = score_all(
            compared(exam, "color", fused), draws(len(exam.identities), _RESAMPLES, _SEED)
        )
        if all(metric in found for metric in _COUNTED):
            sources.append(mean_score([found[metric] for metric in _COUNTED]))
    if not sources:
        return Score(float("nan"), np.full(_RESAMPLES, np.nan), 0)
    return mean_score(sources)


def shares_in_tenths(encoders: int) -> Iterator[Shares]:
    """All ways to share out ten tenths among encoders so that each has one at least."""
    for tenths in product(range(1, _TENTHS + 1), repeat=encoders):
        if sum(tenths) == _TENTHS:
            yield tuple(part / _TENTHS for part in tenths)


def _cosines(album: Album, keys: Sequence[EncoderKey], place: Place) -> tuple[Exam, Floats] | None:
    """The drawings that show a place and their cosines, (encoders, n, n), None for too few."""
    shown = [
        (page.drawing, found)
        for page in album.pages
        if all(key in (found := segments_of(page.prints, *place)) for key in keys)
    ]
    drawings = tuple(drawing for drawing, _ in shown)
    if len(shown) < _LEAST_PICTURES or len({one.identity for one in drawings}) < 2:
        return None
    rows = [np.stack([found[key].vector for _, found in shown]).astype(np.float64) for key in keys]
    return Exam(album.source, drawings, {}), np.stack([one @ one.T for one in rows])


def _spread_of(
    albums: Sequence[Album], keys: Sequence[EncoderKey], place: Place, name: str
) -> Iterator[Figure]:
    """The typical standard deviation of an appearance's leave-one-out chord distances."""
    by_source = [found for album in albums if len(found := _spreads(album, keys, place))]
    if not by_source:
        return
    every = np.concatenate(by_source)
    rng = np.random.default_rng(_SEED)
    medians = [np.median(rng.choice(every, len(every))) for _ in range(_RESAMPLES)]
    low, high = np.percentile(medians, (2.5, 97.5))
    scales: Mapping[EncoderKey, float] = scales_of(keys, place)
    used = " ".join(f"{key.name} {share:.2f}" for key, share in scales.items())
    yield Figure(
        f"{name}.spread", float(np.median(every)), "chord", "lower", None, f"shares in use: {used}",
        len(every), (float(low), float(high)),
    )  # fmt: skip


def _spreads(album: Album, keys: Sequence[EncoderKey], place: Place) -> Floats:
    """One standard deviation for each identity with enough drawings, (identities,)."""
    found: list[float] = []
    for identity in album.identities:
        members = [
            Member(number, True, segments)
            for number, page in enumerate(album.of(identity))
            if all(key in (segments := segments_of(page.prints, *place)) for key in keys)
        ]
        if len(members) >= MIN_REFERENCES:
            similarity = Cluster(members, keys, place).leave_one_out()
            found.append(float(np.sqrt(2.0 - 2.0 * similarity).std(ddof=1)))
    return np.array(found)
