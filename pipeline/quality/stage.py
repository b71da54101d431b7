"""What is said about a cast beyond each member's check: what drifted, what bled, who is double."""

from collections.abc import Sequence
from dataclasses import replace

from PIL import Image

from pipeline.domain.inputs import CastInput
from pipeline.domain.quality import CastFault, CastFinding, CharacterCheck, Verdict
from pipeline.imaging.masks import Figure
from pipeline.quality.attribution import attribute_drift, parts_of
from pipeline.quality.casting import bleed_findings, told
from pipeline.quality.part_colours import PartColor

_WORTH_KEEPING, _MOST_DRIFTS = 0.05, 6
"""Attributes less likely than this are not kept with a check, and no more than so many."""


def explained(
    image: Image.Image, figure: Figure | None, member: CastInput, check: CharacterCheck
) -> tuple[CharacterCheck, Sequence[PartColor]]:
    """A check that did not pass with what drifted, and the colours that it has."""
    if figure is None or check.similarity is None or check.verdict is Verdict.ON_MODEL:
        return check, ()
    found = attribute_drift(image, figure, member, check.nearest_reference)
    if found is None:
        return check, ()
    kept = tuple(d for d in found.drifts if d.confidence >= _WORTH_KEEPING)[:_MOST_DRIFTS]
    return replace(check, drift=kept), found.parts


def bled(parts: Sequence[Sequence[PartColor]], cast: Sequence[CastInput]) -> list[CastFinding]:
    """Colours that a figure that did not pass has from somebody else of the cast."""
    if len(cast) < 2 or not any(parts):
        return []
    usual = {member.character_id: parts_of(member) for member in cast}
    return [
        finding
        for member, mine in zip(cast, parts, strict=True)
        for finding in bleed_findings(
            member.character_id,
            mine,
            {who: theirs for who, theirs in usual.items() if who != member.character_id},
        )
    ]


def without_twin(
    check: CharacterCheck, findings: Sequence[CastFinding], cast: Sequence[CastInput]
) -> CharacterCheck:
    """A pass is none while somebody else in the picture has the same face."""
    twins = [f for f in told(findings) if f.fault is CastFault.DOUBLE]
    if check.verdict is not Verdict.ON_MODEL or all(
        f.character_id != check.character_id for f in twins
    ):
        return check
    name = next(m.name for m in cast if m.character_id == check.character_id)
    return replace(
        check,
        verdict=Verdict.CANNOT_JUDGE,
        reason=f"Two figures look like {name}. {check.reason} A person has to say who is who.",
    )
