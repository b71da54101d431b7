"""References of an appearance, and what was computed from them: hashes, vectors, thresholds."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np

from pipeline.domain.character import ColorMode, Reference, ReferenceKind, ShotType
from pipeline.domain.errors import AlreadyExists, NotFound
from pipeline.domain.fingerprint import (
    CropClass,
    Embedding,
    EncoderKey,
    Fingerprint,
    PictureHashes,
)
from pipeline.domain.quality import Threshold, ThresholdKey
from storage import mirror
from storage.database import Database
from storage.records import hashes_from_row, hashes_to_columns, to_json
from storage.times import Moment, from_text, to_text


def add_reference(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    appearance_row: int,
    sha256: str,
    kind: ReferenceKind,
    shot_type: ShotType,
    angle: str,
    expression: str,
    width: int,
    height: int,
    canon: bool,
    notes: str,
    hashes: PictureHashes,
    added_by: int,
    now: Moment,
    guessed: Sequence[str] = (),
) -> int:
    """Add a picture to an appearance; its blob is stored before. Returns its row id.

    Raises:
        AlreadyExists: this appearance has the picture already.
        NotFound: the guild has no such appearance.
    """
    owned = tx.execute(
        "SELECT 1 FROM appearance WHERE id = ? AND guild_id = ?", (appearance_row, guild_id)
    ).fetchone()
    if owned is None:
        raise NotFound("That appearance is not registered here. See /character sheet.")
    row = tx.execute(
        "INSERT INTO reference (guild_id, appearance_row, sha256, kind, shot_type, angle, "
        "expression, width, height, canon, notes, added_by, created_at, hash_version, phash, "
        "dhash, ahash, guessed) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (guild_id, appearance_row, sha256) DO NOTHING RETURNING id",
        (
            guild_id,
            appearance_row,
            sha256,
            kind,
            shot_type,
            angle,
            expression,
            width,
            height,
            canon,
            notes,
            added_by,
            to_text(now),
            *hashes_to_columns(hashes),
            to_json(list(guessed)),
        ),
    ).fetchone()
    if row is None:
        raise AlreadyExists("This picture is registered for this appearance already.")
    return row["id"]


def add_fingerprints(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    reference_id: int,
    fingerprints: Iterable[Fingerprint],
) -> None:
    """Store the vectors of a reference, and their mirror rows, in the same transaction.

    A vector of the same encoder, crop and colour mode is replaced.

    Raises:
        EncoderMismatch: earlier vectors of an encoder have another size.
        NotFound: the guild has no such reference.
    """
    owned = tx.execute(
        "SELECT 1 FROM reference WHERE id = ? AND guild_id = ?", (reference_id, guild_id)
    ).fetchone()
    if owned is None:
        raise _no_reference()
    for fingerprint in fingerprints:
        key = mirror.MirrorKey(
            str(fingerprint.embedding.encoder), fingerprint.crop, fingerprint.color_mode
        )
        vector = fingerprint.embedding.vector.astype("<f4").tobytes()
        of_this = (reference_id, key.encoder, key.crop, key.color_mode)
        earlier = tx.execute(
            "DELETE FROM fingerprint WHERE reference_id = ? AND encoder = ? AND crop = ? "
            "AND color_mode = ? RETURNING id",
            of_this,
        ).fetchall()
        mirror.remove(tx, [(key, row["id"]) for row in earlier])
        row = tx.execute(
            "INSERT INTO fingerprint (reference_id, encoder, crop, color_mode, guild_id, vector) "
            "VALUES (?, ?, ?, ?, ?, ?) RETURNING id",
            (*of_this, guild_id, vector),
        ).fetchone()
        mirror.add(tx, key, guild_id=guild_id, row=row["id"], vector=vector)


def put_threshold(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    appearance_row: int,
    threshold: Threshold,
    now: Moment,
) -> None:
    """Store the threshold of an appearance for its key; replaces the earlier one.

    Raises:
        NotFound: the guild has no such appearance, or the threshold is of another one.
    """
    key = threshold.key
    owned = tx.execute(
        "SELECT 1 FROM appearance WHERE id = ? AND guild_id = ? AND appearance_id = ?",
        (appearance_row, guild_id, key.appearance_id),
    ).fetchone()
    if owned is None:
        raise NotFound("That appearance is not registered here. See /character sheet.")
    tx.execute(
        "INSERT INTO threshold (guild_id, appearance_row, encoders, crop, color_mode, value, "
        "source, reference_count, updated_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT (appearance_row, encoders, crop, color_mode) DO UPDATE SET "
        "value = excluded.value, source = excluded.source, "
        "reference_count = excluded.reference_count, updated_at = excluded.updated_at",
        (
            guild_id,
            appearance_row,
            key.encoders,
            key.crop,
            key.color_mode,
            threshold.value,
            threshold.source,
            threshold.references,
            to_text(now),
        ),
    )


def put_reference(tx: sqlite3.Connection, reference: Reference) -> None:
    """Write what people say about a picture: kind, shot, angle, expression, canon, notes.

    Raises:
        NotFound: its guild has no such reference.
    """
    row = tx.execute(
        "UPDATE reference SET kind = ?, shot_type = ?, angle = ?, expression = ?, canon = ?, "
        "notes = ?, guessed = ? WHERE id = ? AND guild_id = ? RETURNING id",
        (
            reference.kind,
            reference.shot_type,
            reference.angle,
            reference.expression,
            reference.canon,
            reference.notes,
            to_json(list(reference.guessed)),
            reference.id,
            reference.guild_id,
        ),
    ).fetchone()
    if row is None:
        raise _no_reference()


def move_references(
    tx: sqlite3.Connection, *, guild_id: int, reference_ids: Iterable[int], appearance_row: int
) -> list[int]:
    """Put references under another appearance of the same character.

    A picture that the appearance holds already stays where it is.

    Returns:
        The ids of those that moved.

    Raises:
        NotFound: the guild has no such appearance, or a reference belongs to another character.
    """
    moved = []
    for reference_id in reference_ids:
        own = tx.execute(
            "SELECT 1 FROM reference AS r JOIN appearance AS a ON a.id = r.appearance_row "
            "JOIN appearance AS t ON t.character_row = a.character_row "
            "WHERE r.id = ? AND r.guild_id = ? AND t.id = ? AND t.guild_id = r.guild_id",
            (reference_id, guild_id, appearance_row),
        ).fetchone()
        if own is None:
            raise _no_reference()
        row = tx.execute(
            "UPDATE OR IGNORE reference SET appearance_row = ? WHERE id = ? RETURNING id",
            (appearance_row, reference_id),
        ).fetchone()
        if row is not None:
            moved.append(reference_id)
    return moved


def replace_thresholds(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    appearance_row: int,
    thresholds: Iterable[Threshold],
    now: Moment,
) -> None:
    """Forget what was learned for an appearance and store this instead.

    Raises:
        NotFound: the guild has no such appearance.
    """
    tx.execute(
        "DELETE FROM threshold WHERE appearance_row = ? AND guild_id = ?",
        (appearance_row, guild_id),
    )
    for threshold in thresholds:
        put_threshold(
            tx, guild_id=guild_id, appearance_row=appearance_row, threshold=threshold, now=now
        )


async def list_references(db: Database, guild_id: int, appearance_row: int) -> list[Reference]:
    """The references of an appearance, oldest first."""
    rows = await db.fetch_all(
        # The plus sign keeps the planner from walking through all references of the guild.
        "SELECT * FROM reference WHERE +guild_id = ? AND appearance_row = ? ORDER BY id",
        (guild_id, appearance_row),
    )
    return [reference_from_row(row) for row in rows]


async def shots_of(db: Database, guild_id: int) -> dict[int, frozenset[ShotType]]:
    """Which shots the looks of a guild have references for, by appearance row."""
    rows = await db.fetch_all(
        "SELECT DISTINCT appearance_row, shot_type FROM reference WHERE guild_id = ?", (guild_id,)
    )
    found: dict[int, set[ShotType]] = {}
    for row in rows:
        found.setdefault(row["appearance_row"], set()).add(ShotType(row["shot_type"]))
    return {look: frozenset(shots) for look, shots in found.items()}


async def get_reference(db: Database, guild_id: int, reference_id: int) -> Reference:
    """One reference.

    Raises:
        NotFound: the guild has none with this id.
    """
    row = await db.fetch_one(
        "SELECT * FROM reference WHERE guild_id = ? AND id = ?", (guild_id, reference_id)
    )
    if row is None:
        raise _no_reference()
    return reference_from_row(row)


async def reference_hashes(
    db: Database, guild_id: int
) -> list[tuple[Reference, str, PictureHashes]]:
    """All references of a guild with their ``character_id`` and hashes, to find copies."""
    rows = await db.fetch_all(
        "SELECT r.*, c.character_id FROM reference AS r "
        "JOIN appearance AS a ON a.id = r.appearance_row "
        "JOIN character AS c ON c.id = a.character_row "
        "WHERE r.guild_id = ? ORDER BY r.id",
        (guild_id,),
    )
    return [(reference_from_row(row), row["character_id"], hashes_from_row(row)) for row in rows]


async def fingerprints_of(
    db: Database, guild_id: int, appearance_row: int
) -> dict[int, tuple[Fingerprint, ...]]:
    """The vectors of an appearance by reference id; a reference without any is left out."""
    rows = await db.fetch_all(
        "SELECT f.reference_id, f.encoder, f.crop, f.color_mode, f.vector FROM fingerprint AS f "
        "JOIN reference AS r ON r.id = f.reference_id "
        "WHERE r.guild_id = ? AND r.appearance_row = ? ORDER BY f.reference_id, f.id",
        (guild_id, appearance_row),
    )
    found: dict[int, list[Fingerprint]] = defaultdict(list)
    for row in rows:
        found[row["reference_id"]].append(_fingerprint(row))
    return {reference_id: tuple(vectors) for reference_id, vectors in found.items()}


async def canon_fingerprints(
    db: Database, guild_id: int, character_row: int
) -> dict[int, tuple[Fingerprint, ...]]:
    """The vectors of all canon references of a character, merged looks included, by id."""
    rows = await db.fetch_all(
        "SELECT f.reference_id, f.encoder, f.crop, f.color_mode, f.vector FROM fingerprint AS f "
        "JOIN reference AS r ON r.id = f.reference_id "
        "JOIN appearance AS a ON a.id = r.appearance_row "
        "WHERE r.guild_id = ? AND a.character_row = ? AND r.canon "
        "ORDER BY f.reference_id, f.id",
        (guild_id, character_row),
    )
    found: dict[int, list[Fingerprint]] = defaultdict(list)
    for row in rows:
        found[row["reference_id"]].append(_fingerprint(row))
    return {reference_id: tuple(vectors) for reference_id, vectors in found.items()}


async def placement_of(db: Database, guild_id: int, character_row: int) -> dict[int, str]:
    """Under which look each reference of a character lies: reference id → ``appearance_id``."""
    rows = await db.fetch_all(
        "SELECT r.id, a.appearance_id FROM reference AS r "
        "JOIN appearance AS a ON a.id = r.appearance_row "
        "WHERE r.guild_id = ? AND a.character_row = ? ORDER BY r.id",
        (guild_id, character_row),
    )
    return {row["id"]: row["appearance_id"] for row in rows}


async def thresholds_of(db: Database, guild_id: int, appearance_row: int) -> tuple[Threshold, ...]:
    """What was learned for an appearance so far."""
    rows = await db.fetch_all(
        "SELECT t.*, a.appearance_id FROM threshold AS t "
        "JOIN appearance AS a ON a.id = t.appearance_row "
        "WHERE t.guild_id = ? AND t.appearance_row = ? ORDER BY t.id",
        (guild_id, appearance_row),
    )
    return tuple(
        Threshold(
            key=ThresholdKey(
                appearance_id=row["appearance_id"],
                encoders=row["encoders"],
                crop=CropClass(row["crop"]),
                color_mode=ColorMode(row["color_mode"]),
            ),
            value=row["value"],
            source=row["source"],
            references=row["reference_count"],
        )
        for row in rows
    )


def _no_reference() -> NotFound:
    return NotFound("That reference is not registered here. See /character sheet.")


def _fingerprint(row: sqlite3.Row) -> Fingerprint:
    vector = np.frombuffer(row["vector"], "<f4").astype(np.float32)
    return Fingerprint(
        crop=CropClass(row["crop"]),
        color_mode=ColorMode(row["color_mode"]),
        embedding=Embedding(vector, EncoderKey.parse(row["encoder"])),
    )


def reference_from_row(row: sqlite3.Row) -> Reference:
    """A row of the table ``reference`` as a value."""
    return Reference(
        id=row["id"],
        guild_id=row["guild_id"],
        appearance_row=row["appearance_row"],
        sha256=row["sha256"],
        kind=ReferenceKind(row["kind"]),
        shot_type=ShotType(row["shot_type"]),
        angle=row["angle"],
        expression=row["expression"],
        width=row["width"],
        height=row["height"],
        canon=bool(row["canon"]),
        notes=row["notes"],
        added_by=row["added_by"],
        created_at=from_text(row["created_at"]),
        guessed=tuple(json.loads(row["guessed"])),
    )
