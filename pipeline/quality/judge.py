"""The judge: each expected character of a picture against its appearance, and copies."""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from PIL import Image

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.fingerprint import Fingerprint, PictureHashes
from pipeline.domain.geometry import Box
from pipeline.domain.inputs import CastInput
from pipeline.domain.panel import Candidate, PlacedFigure
from pipeline.domain.quality import (
    CandidateReport,
    CastFinding,
    CharacterCheck,
    Flag,
    JudgedCandidate,
    Verdict,
)
from pipeline.fingerprints.composite import fingerprint_crops
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.fingerprints.hashes import near_duplicate, picture_hashes
from pipeline.imaging.crops import Figure, crops_of, find_figure, shot_of
from pipeline.imaging.decode import load_canonical
from pipeline.imaging.detector import figure_in, sightings
from pipeline.imaging.masks import Mask, tight_box
from pipeline.quality.casting import (
    chance_of,
    share_out,
    stage_findings,
    stage_of,
    swap_findings,
)
from pipeline.quality.looks import cannot_judge, check_figure
from pipeline.quality.sight import doubtful, sight_of, too_small
from pipeline.quality.stage import bled, explained, without_twin

_UNSURE = 0.06
"""How far under its limit a figure that was cut out of a scene may be without being flagged.

Source: the rough cut costs .01 to .04 in the middle, and .03 to .36 in one of five, of the panels
with art that the detector had not seen (``docs/models/figure-detector.md``).
"""
_BYSTANDERS = 3
"""How many more than the cast are looked at."""
_Mode = tuple[ShotType | None, ColorMode]


class Judge:
    """Compares pictures with model sheets. Stateless apart from its encoders; any thread."""

    def __init__(self, encoders: Sequence[Encoder]) -> None:
        self._encoders = tuple(encoders)

    def judge(
        self,
        candidate: Candidate,
        cast: Sequence[CastInput],
        *,
        shot_type: ShotType | None,
        color_mode: ColorMode,
        earlier: Mapping[str, PictureHashes],
    ) -> JudgedCandidate:
        """Judge one picture.

        A character's figure is the one that the candidate marks for it. Where nothing is marked
        and one character is expected, the one figure on a plain ground is taken. Else figures are
        looked for in the scene and shared out among the cast by likeness.

        Args:
            candidate: canonical PNG, with or without marked figures.
            cast: every expected character with references and thresholds.
            shot_type: what the picture is meant to show, None to tell by the silhouette.
            color_mode: which fingerprints count; grey series are judged in grey.
            earlier: hashes of earlier panels by their label, to find copies.

        Returns:
            The candidate with hashes and report. Not knowing is a verdict of its own, with a
            reason, and never a pass.

        Raises:
            InvalidPicture: the candidate's bytes are damaged.
        """
        image = load_canonical(candidate.image)
        hashes = picture_hashes(image)
        mode = (shot_type, color_mode)
        alone = find_figure(image) if len(cast) == 1 and not candidate.figures else None
        if candidate.figures:
            seen = self._marked(image, candidate, cast, mode)
        elif alone is not None:
            seen = _Seen([self._look_at(image, alone, cast[0], mode)])
        else:
            seen = self._search(image, cast, mode)
        told_of = [
            explained(image, given.figure, member, given.check)
            for given, member in zip(seen.given, cast, strict=True)
        ]
        colours = bled([parts for _, parts in told_of], cast)
        checks = tuple(without_twin(check, seen.findings, cast) for check, _ in told_of)
        report = _fold(checks, _copy_of(hashes, earlier))
        stage = stage_of(len(cast), seen.found, [*seen.findings, *colours]) if cast else None
        return JudgedCandidate(candidate, hashes, replace(report, stage=stage))

    def _marked(
        self, image: Image.Image, candidate: Candidate, cast: Sequence[CastInput], mode: _Mode
    ) -> "_Seen":
        """Check everybody where the candidate says that they are, and in each other's places."""
        figures = [_figure_of(image, candidate, member) for member in cast]
        given = [self._look_at(image, f, m, mode) for f, m in zip(figures, cast, strict=True)]
        there = [k for k, look in enumerate(given) if look.prints]
        crossed = [
            [
                given[a].check
                if a == b
                else check_figure(cast[a], given[b].prints, mode[1], given[b].box)
                for b in there
            ]
            for a in there
        ]
        found = len({figure.character_id for figure in candidate.figures})
        return _Seen(given, found, swap_findings(crossed))

    def _look_at(
        self, image: Image.Image, figure: Figure | str, member: CastInput, mode: _Mode
    ) -> "_Given":
        if isinstance(figure, str):
            return _Given(None, cannot_judge(member, figure))
        if too_small(figure, image.height, (member,)):
            small = (
                f"{member.name} is too small in this picture to be judged "
                f"({figure.box.height} pixels high). Send it larger."
            )
            return _Given(figure, cannot_judge(member, small, figure.box))
        prints = self._prints(image, figure, mode)
        check = check_figure(member, prints, mode[1], figure.box)
        return _Given(figure, doubtful(check, member, image, figure), prints)

    def _prints(self, image: Image.Image, figure: Figure, mode: _Mode) -> tuple[Fingerprint, ...]:
        crops = crops_of(image, figure, mode[0] or shot_of(figure))
        return fingerprint_crops(crops, self._encoders, (mode[1],))

    def _search(self, image: Image.Image, cast: Sequence[CastInput], mode: _Mode) -> "_Seen":
        """Find figures in a scene, and give each member the one that suits it best."""
        seen = sightings(image)[: len(cast) + _BYSTANDERS] if cast else []
        large = [one for one in seen if not too_small(one.figure, image.height, cast)]
        prints = [self._prints(image, one.figure, mode) for one in large]
        checks = [
            [
                check_figure(member, shown, mode[1], one.figure.box)
                for one, shown in zip(large, prints, strict=True)
            ]
            for member in cast
        ]
        chances = [chance_of(one, sight_of(image, one.figure).detail) for one in large]
        findings = stage_findings(checks, [one.figure.box for one in large], chances)
        figures = [one.figure for one in large if one.sure]  # they come first
        found = sum(one.sure for one in seen)
        chosen = share_out([row[: len(figures)] for row in checks])
        given = [
            _Given(None, cannot_judge(member, _why_unseen(member, cast, found, len(figures))))
            if pick is None
            else _Given(
                figures[pick],
                doubtful(cautious(member, row[pick], len(figures)), member, image, figures[pick]),
            )
            for member, row, pick in zip(cast, checks, chosen, strict=True)
        ]
        return _Seen(given, found, findings)


@dataclass(frozen=True, slots=True, eq=False)
class _Given:
    """A member's figure, what the check says about it, and its fingerprints where it has any."""

    figure: Figure | None
    check: CharacterCheck
    prints: tuple[Fingerprint, ...] = ()

    @property
    def box(self) -> Box:
        """The figure's box."""
        return Box(0, 0, 0, 0) if self.figure is None else self.figure.box


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """What was seen of the whole cast, and what that says about it."""

    given: list[_Given]
    found: int = 1
    findings: list[CastFinding] = field(default_factory=list)


def _figure_of(image: Image.Image, candidate: Candidate, member: CastInput) -> Figure | str:
    """The figure that is marked for a character, or a sentence that says why there is none."""
    marked = [f for f in candidate.figures if f.character_id == member.character_id]
    if not marked:
        return f"No figure in this picture is marked as {member.name}."
    figure = _marked_figure(image, max(marked, key=lambda f: f.box.area))
    return figure or f"Nothing of {member.name} is to be seen where its figure is marked."


def _why_unseen(member: CastInput, cast: Sequence[CastInput], found: int, usable: int) -> str:
    if found and not usable:
        return f"{member.name} is too small in this picture to be judged. Send it larger."
    if usable:
        return (
            f"Only {usable} of {len(cast)} expected figures could be told from the background, "
            f"and none is left for {member.name}. Check {member.name} alone, with a box."
        )
    return (
        "The figure cannot be told from its background. Send it on a transparent or plain "
        "background, draw a box around it, or let a moderator decide."
    )


def cautious(member: CastInput, check: CharacterCheck, figures: int) -> CharacterCheck:
    """What a check of a figure that was cut out of a scene may say: near its limit nothing.

    Args:
        member: whom the figure was compared with.
        check: what that said.
        figures: among how many it was chosen; 1 where it was not.
    """
    if check.similarity is None or check.threshold is None:
        return check
    short = check.threshold - check.similarity
    if check.verdict is Verdict.OFF_MODEL and short < _UNSURE:
        return replace(
            check,
            verdict=Verdict.CANNOT_JUDGE,
            reason=f"{check.reason} The figure was cut out of a scene, which costs some "
            f"similarity, so this is too near to say. Let a moderator decide about {member.name}.",
        )
    if figures > 1:
        return replace(check, reason=f"Of {figures} figures the likest: {check.reason}")
    return check


def _marked_figure(image: Image.Image, placed: PlacedFigure) -> Figure | None:
    mask = None if placed.mask is None else _read_mask(placed.mask, image.size)
    if mask is None:
        return figure_in(image, placed.box)
    box = tight_box(mask)
    return None if box is None else Figure(box, mask)


def _read_mask(png: bytes, size: tuple[int, int]) -> Mask | None:
    """A marked figure's mask (h, w), None if it cannot be read or has not the picture's size."""
    try:
        mask = Image.open(io.BytesIO(png), formats=("PNG",)).convert("L")
    except (OSError, SyntaxError, ValueError):
        return None
    if mask.size != size:
        return None
    return np.where(np.asarray(mask) > 127, 255, 0).astype(np.uint8)


def _copy_of(hashes: PictureHashes, earlier: Mapping[str, PictureHashes]) -> str | None:
    """The label of the earlier picture that this one repeats, the nearest if several."""
    copies = [
        (hashes.distance(other) or 0, label)
        for label, other in earlier.items()
        if near_duplicate(hashes, other)
    ]
    return min(copies)[1] if copies else None


def _fold(checks: tuple[CharacterCheck, ...], duplicate_of: str | None) -> CandidateReport:
    """All checks as one report. Nobody expected means that nothing was checked."""
    verdicts = {check.verdict for check in checks}
    if Verdict.OFF_MODEL in verdicts:
        verdict, flags = Verdict.OFF_MODEL, [Flag.OFF_MODEL]
    elif Verdict.CANNOT_JUDGE in verdicts or not checks:
        verdict, flags = Verdict.CANNOT_JUDGE, [Flag.CANNOT_JUDGE]
    else:
        verdict, flags = Verdict.ON_MODEL, []
    if duplicate_of is not None:
        flags.append(Flag.DUPLICATE)
    margins = [
        check.similarity - check.threshold
        for check in checks
        if check.similarity is not None and check.threshold is not None
    ]
    return CandidateReport(
        verdict, checks, tuple(flags), duplicate_of, min(margins) if margins else None
    )
