"""Drawn identities of a bench folder, each checked against its own references and against others'.

The first drawings of an identity are registered, the rest are asked about. Nothing of the splits
that are read here was trained on or used to choose a constant.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random

from PIL import Image

from bot.bench.spoiled import KINDS, spoil
from pipeline.domain.character import ColorMode, ReferenceKind
from pipeline.domain.fingerprint import Fingerprint
from pipeline.domain.geometry import Box
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.domain.quality import CharacterCheck
from pipeline.fingerprints.composite import encoder_set, fingerprint_crops
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.imaging.crops import Figure, crops_of, find_figure, shot_of
from pipeline.imaging.decode import to_png
from pipeline.quality.calibration import thresholds_from_references
from pipeline.quality.looks import cannot_judge, check_figure
from pipeline.quality.sight import doubtful, too_small
from pipeline.training.catalog import Drawing, of_splits, open_drawing, read_catalog

SPLITS = ("test", "test-newstyle")
CLEAN = "clean"
_REFERENCES, _ASKED, _STRANGERS = 5, 6, 12


@dataclass(frozen=True, slots=True)
class Examined:
    """One picture checked as one identity. ``kind`` is ``clean`` or how it was spoiled."""

    source: str
    identity: str
    own: bool
    kind: str
    check: CharacterCheck


@dataclass(frozen=True, slots=True, eq=False)
class _Sitter:
    """An identity with its references registered and its other pictures seen."""

    source: str
    member: CastInput
    shown: tuple[tuple[Fingerprint, ...], ...]


def examine(folder: Path, encoders: Sequence[Encoder], most: int = 0) -> list[Examined]:
    """Check all identities of the test splits.

    Args:
        folder: with a ``manifest.csv`` that says which identities are for testing.
        encoders: to fingerprint with.
        most: at most so many identities, 0 for all.
    """
    sitters: list[_Sitter] = []
    found: list[Examined] = []
    for drawings in islice(_identities(folder), most or None):
        sitter, checked = _sit(drawings, encoders)
        found += checked
        if sitter is not None:
            sitters.append(sitter)
    return [*found, *_strangers(sitters)]


def _identities(folder: Path) -> Iterator[list[Drawing]]:
    """The drawings of each identity, its references first; sources take turns."""
    many: dict[str, list[Drawing]] = defaultdict(list)
    for drawing in of_splits(read_catalog(folder), SPLITS):
        many[drawing.identity].append(drawing)
    order = sorted(many)
    Random(1).shuffle(order)
    for identity in order:
        own = sorted(many[identity], key=lambda d: (d.role != "ref", d.variant))
        if len(own) > _REFERENCES:
            yield own[: _REFERENCES + _ASKED]


def _sit(
    drawings: Sequence[Drawing], encoders: Sequence[Encoder]
) -> tuple[_Sitter | None, list[Examined]]:
    source, identity = drawings[0].source, drawings[0].identity
    member = _member(identity, drawings[:_REFERENCES], encoders)
    if not member.thresholds:
        return None, []
    shown: list[tuple[Fingerprint, ...]] = []
    found: list[Examined] = []
    for number, drawing in enumerate(drawings[_REFERENCES:]):
        image = open_drawing(drawing)
        pictures = {CLEAN: image}
        if number == 0:
            pictures |= {kind: spoil(image, kind) or image for kind in KINDS}
        for kind, picture in pictures.items():
            prints, check = _examined(picture, member, encoders)
            found.append(Examined(source, identity, True, kind, check))
            if kind == CLEAN and prints:
                shown.append(prints)
    return _Sitter(source, member, tuple(shown)), found


def _member(identity: str, drawings: Sequence[Drawing], encoders: Sequence[Encoder]) -> CastInput:
    references: list[ReferenceInput] = []
    for number, drawing in enumerate(drawings, 1):
        image = open_drawing(drawing)
        figure = find_figure(image)
        if figure is not None:
            references.append(
                ReferenceInput(
                    number,
                    f"{number:064d}",
                    to_png(image),
                    ReferenceKind.POSE,
                    shot_of(figure),
                    "",
                    "",
                    True,
                    _prints(image, figure, encoders),
                )
            )
    limits = thresholds_from_references(
        identity, {r.reference_id: r.fingerprints for r in references}, encoder_set(encoders)
    )
    return CastInput(identity, identity, identity, "", 1.0, {}, (), tuple(references), limits)


def _prints(
    image: Image.Image, figure: Figure, encoders: Sequence[Encoder]
) -> tuple[Fingerprint, ...]:
    crops = crops_of(image, figure, shot_of(figure))
    return fingerprint_crops(crops, encoders, (ColorMode.COLOR,))


def _examined(
    image: Image.Image, member: CastInput, encoders: Sequence[Encoder]
) -> tuple[tuple[Fingerprint, ...], CharacterCheck]:
    """The judge's own steps, without what a single picture on plain ground does not need."""
    figure = find_figure(image)
    if figure is None or too_small(figure, image.height, (member,)):
        return (), cannot_judge(member, "No figure that is large enough.")
    prints = _prints(image, figure, encoders)
    check = check_figure(member, prints, ColorMode.COLOR, figure.box)
    return prints, doubtful(check, member, image, figure)


def _strangers(sitters: Sequence[_Sitter]) -> Iterator[Examined]:
    """Everybody asked about as some others of the same source."""
    rng = Random(2)
    for sitter in sitters:
        others = [
            prints
            for other in sitters
            if other.source == sitter.source and other is not sitter
            for prints in other.shown
        ]
        for prints in rng.sample(others, min(_STRANGERS, len(others))):
            yield _stranger(sitter, prints)


def _stranger(sitter: _Sitter, prints: tuple[Fingerprint, ...]) -> Examined:
    box = Box(0, 0, 1, 1)  # plays no part in a comparison
    check = check_figure(sitter.member, prints, ColorMode.COLOR, box)
    return Examined(sitter.source, sitter.member.character_id, False, CLEAN, check)
