"""Drawn identities for the bench of quests: what each drawing shows, and how the check sees it."""

import csv
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.domain.character import ColorMode, ReferenceKind, ShotType
from pipeline.domain.fingerprint import Fingerprint
from pipeline.domain.geometry import Box
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.domain.quality import Verdict
from pipeline.domain.quest import View
from pipeline.domain.vocabulary import family_of
from pipeline.fingerprints.composite import encoder_set, fingerprint_crops
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.imaging.crops import crops_of, find_figure, shot_of
from pipeline.quality.calibration import thresholds_from_references
from pipeline.quality.looks import check_figure
from pipeline.training.catalog import MANIFEST, open_drawing, read_catalog

SOURCES = ("comicgen", "freedink", "aavatar", "peeps")
"""Art that shows one person from several sides, in several framings or with several faces."""
_ANGLES = {
    "straight": "front", "sitting": "front", "front": "front", "side": "side", "back": "back",
    "dir2": "front", "dir1": "three_quarter", "dir3": "three_quarter", "dir4": "side",
    "dir6": "side", "dir7": "back", "dir8": "back", "dir9": "back",
}  # fmt: skip
_LEAST_DRAWINGS, _LEAST_VIEWS = 12, 3
_NOWHERE = Box(0, 0, 1, 1)


@dataclass(frozen=True, slots=True, eq=False)
class Drawn:
    """A drawing: what it shows, and its fingerprints."""

    view: View
    prints: tuple[Fingerprint, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Person:
    """An identity with its drawings."""

    identity: str
    drawings: tuple[Drawn, ...]


def read_people(
    folder: Path, encoders: Sequence[Encoder], most: int
) -> Mapping[str, tuple[Person, ...]]:
    """The identities of each source that show enough views, at most ``most`` of each (0: all).

    Raises:
        InvalidInput: there is no such folder, or a listed file is missing.
    """
    said = _labels(folder)
    found: dict[str, tuple[Person, ...]] = {}
    drawings = read_catalog(folder)
    for source in SOURCES:
        own = [d for d in drawings if d.source == source]
        people = []
        for identity in sorted({d.identity for d in own}):
            if most and len(people) == most:
                break
            made = []
            for one in (d for d in own if d.identity == identity):
                image = open_drawing(one)
                figure = find_figure(image)
                if figure is None:
                    continue
                shot = shot_of(figure)
                angle, expression = said.get(one.path, ("", ""))
                view = View(_framing(shot, one.pose), angle, family_of(expression))
                crops = crops_of(image, figure, shot)
                made.append(Drawn(view, fingerprint_crops(crops, encoders, (ColorMode.COLOR,))))
            views = Counter(d.view for d in made)
            if len(made) >= _LEAST_DRAWINGS and len(views) >= _LEAST_VIEWS:
                people.append(Person(identity, tuple(made)))
        if people:
            found[source] = tuple(people)
    return found


class Bench:
    """The check of one person against some of their drawings as references; verdicts are kept."""

    def __init__(self, person: Person, encoders: Sequence[Encoder]) -> None:
        self._person = person
        self._encoders = encoder_set(encoders)
        self._members: dict[frozenset[int], CastInput] = {}
        self._verdicts: dict[tuple[frozenset[int], int], bool] = {}

    def passes(self, references: frozenset[int], drawing: int) -> bool:
        """Whether a drawing is on-model where these drawings (by number) are the references."""
        key = (references, drawing)
        if key not in self._verdicts:
            prints = self._person.drawings[drawing].prints
            check = check_figure(self._member(references), prints, ColorMode.COLOR, _NOWHERE)
            self._verdicts[key] = check.verdict is Verdict.ON_MODEL
        return self._verdicts[key]

    def _member(self, references: frozenset[int]) -> CastInput:
        if references not in self._members:
            held = {n: self._person.drawings[n].prints for n in sorted(references)}
            self._members[references] = CastInput(
                character_id="ch",
                appearance_id="look",
                name="Somebody",
                label="look",
                height_ratio=1.0,
                components={},
                palette=(),
                references=tuple(self._reference(n) for n in sorted(references)),
                thresholds=thresholds_from_references("look", held, self._encoders),
            )
        return self._members[references]

    def _reference(self, number: int) -> ReferenceInput:
        drawn = self._person.drawings[number]
        return ReferenceInput(
            reference_id=number + 1,
            sha256="",
            image=b"",
            kind=ReferenceKind.POSE,
            shot_type=drawn.view.shot_type,
            angle=drawn.view.angle,
            expression=drawn.view.expression or "",
            canon=True,
            fingerprints=drawn.prints,
        )


def _framing(shot: ShotType, pose: str) -> ShotType:
    """What the silhouette tells, and action where the manifest names a pose that is none."""
    calm = pose in ("", "bust", "standing") or pose.startswith(("standing", "bust", "idle"))
    return shot if calm or shot is not ShotType.FULL else ShotType.DYNAMIC


def _labels(folder: Path) -> dict[Path, tuple[str, str]]:
    """Angle and expression of each drawing, as the manifest says."""
    with (folder / MANIFEST).open(encoding="utf-8", newline="") as lines:
        return {
            folder / row["path"]: (_ANGLES.get(row["angle"], ""), row["expression"])
            for row in csv.DictReader(lines)
        }
