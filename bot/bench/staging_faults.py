"""Who is on stage: composed panels with planted swaps, bleeds, missing and extra figures."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from random import Random

import numpy as np
from PIL import Image

from bot.bench.figures import Figure
from pipeline.domain.character import ColorMode, ReferenceKind, ShotType
from pipeline.domain.fingerprint import Fingerprint
from pipeline.domain.geometry import Box, Size
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.domain.quality import CastFault, CastFinding, CharacterCheck
from pipeline.fingerprints.composite import encoder_set, fingerprint_crops
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.imaging.crops import crops_of, shot_of
from pipeline.imaging.decode import to_png
from pipeline.imaging.detector import figure_in, sightings
from pipeline.imaging.masks import Figure as Silhouette
from pipeline.imaging.masks import find_figure
from pipeline.quality.attribution import attribute_drift, parts_of
from pipeline.quality.calibration import thresholds_from_references
from pipeline.quality.casting import bleed_findings, chance_of, stage_findings, swap_findings
from pipeline.quality.looks import check_figure
from pipeline.quality.sight import sight_of
from pipeline.training.drifted import UNSEEN, Case, Drifter, Sitter, colour_gap, seen
from pipeline.training.scenery import any_ground

_SIZE = Size(720, 420)
_GOAL = 0.95
_PLACES = (150, 400, 600)
_TALL = 300
_OTHER = 25.0
"""CIE76 distance from which a colour is clearly another one."""


@dataclass(frozen=True, slots=True, eq=False)
class Actor:
    """A drawn character: its sheet, and who it is for drawing it again."""

    member: CastInput
    sitter: Sitter
    drifter: Drifter


def stage_figures(encoders: Sequence[Encoder], pairs: int, seed: int = 3) -> list[Figure]:
    """AUC of each fault against clean panels of the same pairs.

    Args:
        encoders: what the check compares with.
        pairs: pairs of characters, of styles that no model of ours has seen.
        seed: another one gives other characters.

    Raises:
        SettingsError: DiceBear is not installed.
    """
    scores: dict[CastFault, tuple[list[float], list[float]]] = {
        fault: ([], []) for fault in CastFault
    }
    for number in range(pairs):
        rng = Random(f"stage/{seed}/{number}")
        drifter = Drifter(UNSEEN[number % len(UNSEEN)])
        cast = [_actor(drifter, f"ch_{name}", encoders, rng) for name in ("ann", "ben", "cat")]
        _measure(cast, encoders, rng, scores)
    return [
        Figure(f"quality.cast.auc.{fault}", auc(clean, faulty), "share", "higher", _GOAL, None,
               len(clean) + len(faulty))
        for fault, (clean, faulty) in scores.items()
    ]  # fmt: skip


def auc(clean: Sequence[float], faulty: Sequence[float]) -> float:
    """The chance that a faulty panel scores above a clean one; ties count half."""
    pairs = [(c, f) for c in clean for f in faulty]
    return sum(1.0 if f > c else 0.5 if f == c else 0.0 for c, f in pairs) / max(1, len(pairs))


def _actor(drifter: Drifter, name: str, encoders: Sequence[Encoder], rng: Random) -> Actor:
    sitter = drifter.sitter(rng)
    case = Case(drifter.style, tuple(drifter.picture(sitter, rng) for _ in range(5)), ())
    references = []
    for number, drawing in enumerate(case.references, start=1):
        figure = find_figure(drawing.image)
        assert figure is not None  # they stand on transparent ground
        references.append(
            ReferenceInput(
                number, f"{number:064x}", to_png(drawing.image), next(iter(ReferenceKind)),
                ShotType.HALF, "front", "", True, _prints(drawing.image, figure, encoders),
            )
        )  # fmt: skip
    limits = thresholds_from_references(
        f"{name}_s1",
        {r.reference_id: r.fingerprints for r in references},
        encoder_set([e.key for e in encoders]),
    )
    member = CastInput(name, f"{name}_s1", name, "", 1.0, {}, (), tuple(references), limits)
    return Actor(member, sitter, drifter)


def _prints(
    image: Image.Image, figure: Silhouette, encoders: Sequence[Encoder]
) -> tuple[Fingerprint, ...]:
    crops = crops_of(image, figure, shot_of(figure))
    return fingerprint_crops(crops, encoders, (ColorMode.COLOR,))


def _measure(
    cast: Sequence[Actor],
    encoders: Sequence[Encoder],
    rng: Random,
    scores: dict[CastFault, tuple[list[float], list[float]]],
) -> None:
    ann, ben, cat = cast
    expected = [ann, ben]
    found = {
        "clean": _searched([ann, ben], expected, encoders, rng),
        "missing": _searched([ann], expected, encoders, rng),
        "extra": _searched([ann, ben, cat], expected, encoders, rng),
        "double": _searched([ann, ben, ann], expected, encoders, rng),
    }
    for fault, name in ((CastFault.MISSING, "missing"), (CastFault.EXTRA, "extra"),
                        (CastFault.DOUBLE, "double")):  # fmt: skip
        scores[fault][0].append(_worst(found["clean"], fault))
        scores[fault][1].append(_worst(found[name], fault))
    for side, drawn in ((0, [ann, ben]), (1, [ben, ann])):
        scores[CastFault.SWAP][side].append(_worst(_marked(drawn, expected, encoders, rng),
                                                   CastFault.SWAP))  # fmt: skip
    stained = _stained(ann, ben)
    if stained is not None:
        for side, drawn in ((0, ann), (1, stained)):
            scores[CastFault.BLEED][side].append(_bleed(drawn, ann, ben, rng))


def _worst(findings: Sequence[CastFinding], fault: CastFault) -> float:
    return max((f.score for f in findings if f.fault is fault), default=-2.0)


def _panel(drawn: Sequence[Actor], rng: Random) -> tuple[Image.Image, list[Box]]:
    """The figures side by side on a drawn ground, and where they stand."""
    ground = any_ground(np.random.default_rng(rng.randrange(2**31)), _SIZE).convert("RGB")
    boxes = []
    for actor, middle in zip(drawn, _PLACES, strict=False):
        image = actor.drifter.picture(actor.sitter, rng).image
        figure = find_figure(image)
        assert figure is not None  # it stands on transparent ground
        cut = image.crop(figure.box)
        scale = min(_TALL / cut.height, 230 / cut.width)
        cut = cut.resize((round(cut.width * scale), round(cut.height * scale)))
        corner = middle - cut.width // 2, _SIZE.height - cut.height
        ground.paste(cut, corner, cut)
        boxes.append(Box(*corner, corner[0] + cut.width, corner[1] + cut.height))
    return ground, boxes


def _searched(
    drawn: Sequence[Actor], expected: Sequence[Actor], encoders: Sequence[Encoder], rng: Random
) -> list[CastFinding]:
    image, _ = _panel(drawn, rng)
    seen = sightings(image)[: len(expected) + 3]
    figures = [one.figure for one in seen]
    chances = [chance_of(one, sight_of(image, one.figure).detail) for one in seen]
    checks = _checks(image, figures, expected, encoders)
    return stage_findings(checks, [f.box for f in figures], chances)


def _marked(
    drawn: Sequence[Actor], expected: Sequence[Actor], encoders: Sequence[Encoder], rng: Random
) -> list[CastFinding]:
    image, boxes = _panel(drawn, rng)
    figures = [figure for box in boxes if (figure := figure_in(image, box)) is not None]
    return swap_findings(_checks(image, figures, expected, encoders))


def _checks(
    image: Image.Image,
    figures: Sequence[Silhouette],
    expected: Sequence[Actor],
    encoders: Sequence[Encoder],
) -> list[list[CharacterCheck]]:
    prints = [_prints(image, figure, encoders) for figure in figures]
    return [
        [
            check_figure(actor.member, seen, ColorMode.COLOR, figure.box)
            for figure, seen in zip(figures, prints, strict=True)
        ]
        for actor in expected
    ]


def _stained(ann: Actor, ben: Actor) -> Actor | None:
    """Ann with one colour of Ben's, where anybody can see that it is another one."""
    mine, theirs = ann.sitter.colours, ben.sitter.colours
    before = ann.drifter.plain(ann.sitter)
    for keys in (("hair",), ("clothing", "clothes", "shirt")):
        here = [k for k in keys if k in mine and colour_gap(mine[k], theirs[k]) >= _OTHER]
        if here:
            colours = {**mine, **{k: theirs[k] for k in here}}
            sitter = replace(ann.sitter, colours=colours)
            if seen(before, ann.drifter.plain(sitter)):
                return replace(ann, sitter=sitter)
    return None


def _bleed(drawn: Actor, ann: Actor, ben: Actor, rng: Random) -> float:
    image, boxes = _panel([drawn, ben], rng)
    figure = figure_in(image, boxes[0])
    found = None if figure is None else attribute_drift(image, figure, ann.member)
    if found is None:
        return -2.0
    others = {ben.member.character_id: parts_of(ben.member)}
    return _worst(bleed_findings(ann.member.character_id, found.parts, others), CastFault.BLEED)
