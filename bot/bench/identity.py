"""``onmodel bench identity``: who is drawn, source by source and condition by condition."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bot.bench import openset
from bot.bench.album import make_albums
from bot.bench.exam import CONDITIONS, SHOWN, Exam, compared, make_exams
from bot.bench.figures import Figure, publish
from bot.bench.rivals import Team, default_rivals, make_encoders
from bot.bench.scores import METRICS, Score, draws, gain, mean_score, score_all
from pipeline.domain.character import ColorMode
from pipeline.domain.errors import InvalidInput
from pipeline.domain.fingerprint import CropClass
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.fingerprints.registry import DEFAULT_ENCODERS
from pipeline.fingerprints.scales import Place
from pipeline.training.catalog import Drawing, of_splits, read_catalog

_SEED, _RESAMPLES = 20, 200
_TARGETS = {"auc.color": 0.95, "auc.grey": 0.92, "auc.busy": 0.90,
            "top1.color": 0.91, "top1.busy": 0.78, "tar01.busy": 0.5}  # fmt: skip

PARTS = ("pairs", "open-set")

Vectors = NDArray[np.float32]
Table = dict[tuple[str, str, str], Score]
"""Scores by metric, condition and source; ``all`` is the mean over sources."""


@dataclass(frozen=True, slots=True)
class BenchPlan:
    """What is measured.

    Attributes:
        encoders: sums of encoders as :meth:`bot.bench.rivals.Team.parse` reads them; the first
            is the one that is reported, the others are rivals.
        splits: of a catalog with a manifest; without one everything counts.
        crop: which part of a figure.
        per_identity: at most so many drawings of each identity, 0 for all.
        rivals: sums that are compared too, None for :func:`bot.bench.rivals.default_rivals`.
        parts: ``pairs`` (AUC, EER, TAR, top-1) and ``open-set`` (who is taken for whom).
    """

    encoders: tuple[str, ...] = ()
    splits: tuple[str, ...] = ("test", "test-newstyle")
    crop: CropClass = CropClass.HEAD
    per_identity: int = 8
    rivals: tuple[str, ...] | None = None
    parts: tuple[str, ...] = PARTS


def bench_identity(data: Path, plan: BenchPlan, json_file: Path | None = None) -> int:
    """Measure, print a table, write the figures.

    Returns:
        0.

    Raises:
        InvalidInput: there is nothing to compare, or an encoder's text is wrong.
        EncoderUnavailable: an encoder is not known.
    """
    chosen = plan.encoders or ("+".join(DEFAULT_ENCODERS),)
    rivals = default_rivals() if plan.rivals is None else plan.rivals
    texts = list(dict.fromkeys([*chosen, *rivals]))
    teams = [Team.parse(text) for text in texts]
    drawings = of_splits(read_catalog(data), plan.splits)
    tables: dict[str, Table] = {team.text: {} for team in teams}
    if "pairs" in plan.parts:
        _measure_pairs(drawings, teams, plan, tables)
    if "open-set" in plan.parts:
        _measure_open_set(drawings, teams, plan, tables)
    if not tables[texts[0]]:
        raise InvalidInput(f"{data} holds no source with two identities to compare.")
    for table in tables.values():
        table.update(_over_sources(table))
    figures = _figures(texts, tables)
    publish(figures, json_file)
    return 0


def _measure_pairs(
    drawings: Sequence[Drawing], teams: Sequence[Team], plan: BenchPlan, tables: dict[str, Table]
) -> None:
    exams = make_exams(drawings, plan.crop, plan.per_identity, _SEED)
    encoders = make_encoders(teams) if exams else {}
    for exam in exams:
        vectors = encode_exam(exam, encoders)
        for team in teams:
            tables[team.text].update(score_exam(exam, team, vectors, plan.crop))


def _measure_open_set(
    drawings: Sequence[Drawing], teams: Sequence[Team], plan: BenchPlan, tables: dict[str, Table]
) -> None:
    """For teams without weights of their own: limits are learned for the fused similarity alone."""
    fused = [team for team in teams if not team.given]
    if len({one.identity for one in drawings}) < 2:
        return
    encoders = make_encoders(fused)
    for album in make_albums(drawings, list(encoders.values()), plan.per_identity):
        for team in fused:
            members = [encoders[name] for name in team.names]
            tables[team.text].update(openset.score_open(album, members))


def encode_exam(
    exam: Exam, encoders: Mapping[str, Encoder]
) -> dict[str, dict[str, tuple[Vectors, Vectors]]]:
    """Vectors of what is known and of what is asked, each (n, d), by encoder and condition."""
    found: dict[str, dict[str, tuple[Vectors, Vectors]]] = {}
    for name, encoder in encoders.items():
        shown = {s: _vectors(encoder, exam, s, ColorMode.COLOR) for s in SHOWN}
        grey = _vectors(encoder, exam, "color", ColorMode.GRAYSCALE)
        found[name] = {
            condition: (grey, grey)
            if condition == "grey"
            else (shown["color"], shown.get(condition, shown["color"]))
            for condition in CONDITIONS
        }
    return found


def score_exam(
    exam: Exam,
    team: Team,
    vectors: Mapping[str, Mapping[str, tuple[Vectors, Vectors]]],
    crop: CropClass,
) -> Table:
    """Every metric in every condition that the source has pairs for."""
    drawn = draws(len(exam.identities), _RESAMPLES, _SEED)
    table: Table = {}
    for condition in CONDITIONS:
        mode = ColorMode.GRAYSCALE if condition == "grey" else ColorMode.COLOR
        similarity = np.zeros((len(exam.drawings), len(exam.drawings)))
        for name, weight in team.weights(Place(crop, mode)).items():
            known, asked = vectors[name][condition]
            similarity += weight * (known @ asked.T)
        for metric, score in score_all(compared(exam, condition, similarity), drawn).items():
            table[metric, condition, exam.source] = score
    return table


def _vectors(encoder: Encoder, exam: Exam, shown: str, mode: ColorMode) -> Vectors:
    return np.stack([one.vector for one in encoder.encode(exam.crops[shown], mode)])


def _over_sources(table: Table) -> Table:
    return {
        (metric, condition, "all"): mean_score(scores)
        for metric in (*METRICS, *openset.METRICS)
        for condition in CONDITIONS
        if (scores := [s for key, s in table.items() if key[:2] == (metric, condition)])
    }


def _figures(texts: Sequence[str], tables: Mapping[str, Table]) -> list[Figure]:
    """The first team's figures by source, then the rivals' means and the first one's lead."""
    main, *rivals = texts
    figures = [
        _figure(f"identity.{'.'.join(key)}", score, key, _peers(key, rivals, tables))
        for key, score in sorted(tables[main].items())
    ]
    for rival in rivals:
        for key, score in sorted(tables[rival].items()):
            if key[2] != "all":
                continue
            name = ".".join(key)
            figures.append(_figure(f"identity.rival.{rival}.{name}", score, key, None))
            if key not in tables[main]:
                continue
            lead = gain(tables[main][key], score)
            figures.append(_figure(f"identity.lead.{rival}.{name}", lead, key, rival, goal=False))
    return figures


def _figure(
    name: str, score: Score, key: tuple[str, str, str], peer: str | None, *, goal: bool = True
) -> Figure:
    target = _TARGETS.get(f"{key[0]}.{key[1]}") if goal and key[2] == "all" else None
    better = "lower" if key[0] in ("eer", *openset.METRICS) else "higher"
    return Figure(name, score.value, "ratio", better, target, peer, score.n, score.interval)


def _peers(
    key: tuple[str, str, str], rivals: Sequence[str], tables: Mapping[str, Table]
) -> str | None:
    values = [f"{rival} {tables[rival][key].value:.3f}" for rival in rivals if key in tables[rival]]
    return ", ".join(values) or None
