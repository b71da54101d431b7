"""Gathers what the pipeline must know about a character into one value."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from pipeline.domain.character import Appearance, Character, Reference, Series
from pipeline.domain.errors import NotFound
from pipeline.domain.fingerprint import Fingerprint
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.domain.panel import CastRole
from pipeline.domain.pose import Pose
from pipeline.quality.conformal import calibrations
from storage import cast
from storage.blobs import BlobStore
from storage.database import Database
from storage.poses import poses_of
from storage.verdicts import good_verdicts, unseen_places


async def cast_input(
    db: Database, blobs: BlobStore, character: Character, appearance: Appearance
) -> CastInput:
    """One character in one appearance with pictures, fingerprints and thresholds."""
    guild_id = character.guild_id
    references, fingerprints, thresholds, marks, poses = await asyncio.gather(
        cast.list_references(db, guild_id, appearance.id),
        cast.fingerprints_of(db, guild_id, appearance.id),
        cast.thresholds_of(db, guild_id, appearance.id),
        cast.list_marks(db, guild_id, appearance.id),
        poses_of(db, guild_id, appearance.id),
    )
    images = await asyncio.gather(*(blobs.get(guild_id, r.sha256) for r in references))
    return CastInput(
        character_id=character.character_id,
        appearance_id=appearance.appearance_id,
        name=character.name,
        label=appearance.label,
        height_ratio=character.height_ratio,
        components=appearance.components,
        palette=appearance.palette,
        references=tuple(
            reference_input(
                reference, image, fingerprints.get(reference.id, ()), poses.get(reference.id)
            )
            for reference, image in zip(references, images, strict=True)
        ),
        thresholds=thresholds,
        marks=tuple(marks),
    )


async def calibrated(db: Database, series: Series, members: Sequence[CastInput]) -> list[CastInput]:
    """The members with what moderators' verdicts say about their limits at this moment."""
    verdicts = await good_verdicts(db, series.guild_id)
    unseen = await unseen_places(db, series.guild_id)
    alpha = series.false_flag_percent / 100
    return [
        replace(
            member,
            calibrations=calibrations(
                verdicts, member.character_id, member.appearance_id, alpha, unseen
            ),
        )
        for member in members
    ]


def reference_input(
    reference: Reference,
    image: bytes,
    fingerprints: tuple[Fingerprint, ...],
    pose: Pose | None = None,
) -> ReferenceInput:
    """A stored reference as the pipeline takes it; ``image`` may be empty if none is drawn."""
    return ReferenceInput(
        reference_id=reference.id,
        sha256=reference.sha256,
        image=image,
        kind=reference.kind,
        shot_type=reference.shot_type,
        angle=reference.angle,
        expression=reference.expression,
        canon=reference.canon,
        fingerprints=fingerprints,
        notes=reference.notes,
        pose=pose,
    )


async def resolve_role(db: Database, guild_id: int, role: CastRole) -> tuple[Character, Appearance]:
    """The rows behind a role's two slugs.

    Raises:
        NotFound: one of them was deleted meanwhile.
    """
    character = await cast.find_character(db, guild_id, role.character_id)
    appearance = await cast.find_appearance(db, guild_id, role.appearance_id)
    return character, appearance


async def pick_appearance(db: Database, character: Character, wanted: str | None) -> Appearance:
    """The named appearance of a character, or its first one.

    Raises:
        NotFound: the character has no such appearance; the text lists those that it has.
    """
    available = await cast.list_appearances(db, character.guild_id, character.id)
    if not available:
        raise NotFound(f"{character.name} has no appearance yet. Use /character add-reference.")
    if wanted is None:
        return available[0]
    key = wanted.strip().lower()
    for appearance in available:
        if key in (appearance.appearance_id, appearance.label.lower()):
            return appearance
    merged = await cast.merged_looks(db, character.guild_id, character.id)
    while key in merged:  # each signpost once: a look is never merged into itself
        key = merged.pop(key)
    for appearance in available:
        if key == appearance.appearance_id:
            return appearance
    names = ", ".join(a.appearance_id for a in available)
    raise NotFound(f"{character.name} has no appearance “{wanted}”. It has: {names}.")
