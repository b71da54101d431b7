"""Forgetting a character, down to its vectors in the mirrors."""

import json
import sqlite3
from collections.abc import Container, Iterable

from pipeline.domain.errors import NotFound
from storage import mirror

_GUIDES = (
    "SELECT json_extract(guide.value, '$.sha256') AS sha256, "
    "json_extract(guide.value, '$.character_id') AS who "
    "FROM attempt, json_each(attempt.plan, '$.controls') AS guide WHERE guild_id = :guild UNION "
    "SELECT json_extract(plan, '$.inpaint.mask_sha256'), "
    "json_extract(plan, '$.inpaint.character_id') FROM attempt WHERE guild_id = :guild UNION "
    "SELECT json_extract(plan, '$.inpaint.base_sha256'), NULL FROM attempt WHERE guild_id = :guild"
)
"""The pictures that the plans of a guild name, and for which character each was made."""


def delete_character(tx: sqlite3.Connection, *, guild_id: int, character_row: int) -> list[str]:
    """Forget a character: its appearances, references, vectors, thresholds and drift samples.

    Accepted panels stay; their recipes cannot be repeated any more. The bytes leave the file with
    the next :meth:`Database.checkpoint`.

    Returns:
        The sha256 of the pictures that nothing shows any more: references, what was delivered for
        quests, and the masks and guides that plans drew this character by. The caller deletes
        these blobs after the commit.

    Raises:
        NotFound: the guild has no such character.
    """
    character = tx.execute(
        "SELECT character_id FROM character WHERE id = ? AND guild_id = ?",
        (character_row, guild_id),
    ).fetchone()
    if character is None:
        raise NotFound("That character is not registered here. See /character list.")
    references = tx.execute(
        "SELECT DISTINCT r.sha256 FROM reference AS r "
        "JOIN appearance AS a ON a.id = r.appearance_row WHERE a.character_row = ?",
        (character_row,),
    ).fetchall()
    delivered = tx.execute(
        "SELECT q.delivery_sha256 AS sha256 FROM quest AS q "
        "JOIN appearance AS a ON a.id = q.appearance_row "
        "WHERE a.character_row = ? AND q.delivery_sha256 IS NOT NULL",
        (character_row,),
    ).fetchall()
    fingerprints = tx.execute(
        "SELECT f.id, f.encoder, f.crop, f.color_mode FROM fingerprint AS f "
        "JOIN reference AS r ON r.id = f.reference_id "
        "JOIN appearance AS a ON a.id = r.appearance_row WHERE a.character_row = ?",
        (character_row,),
    ).fetchall()
    mirror.remove(
        tx,
        [
            (mirror.MirrorKey(row["encoder"], row["crop"], row["color_mode"]), row["id"])
            for row in fingerprints
        ],
    )
    tx.execute(
        "DELETE FROM drift_sample WHERE guild_id = ? AND character_id = ?",
        (guild_id, character["character_id"]),
    )
    tx.execute("DELETE FROM character WHERE id = ?", (character_row,))
    own, others = _drawn_by(tx, guild_id, character["character_id"])
    shown = [row["sha256"] for row in (*references, *delivered)]
    return _unused(tx, guild_id, dict.fromkeys([*shown, *sorted(own)]), others)


def delete_references(
    tx: sqlite3.Connection, *, guild_id: int, references: Iterable[int]
) -> set[str]:
    """Delete references with their vectors, down to the mirrors; returns their pictures.

    The limits of the looks that lose one go too, and the looks are indexed anew.
    """
    told = {"guild": guild_id, "ids": json.dumps(list(references))}
    mine = (
        "SELECT id FROM reference WHERE guild_id = :guild "
        "AND id IN (SELECT value FROM json_each(:ids))"
    )
    prints = tx.execute(
        f"SELECT id, encoder, crop, color_mode FROM fingerprint WHERE reference_id IN ({mine})",  # noqa: S608 - text of our own
        told,
    ).fetchall()
    mirror.remove(
        tx, [(mirror.MirrorKey(r["encoder"], r["crop"], r["color_mode"]), r["id"]) for r in prints]
    )
    gone = tx.execute(
        f"DELETE FROM reference WHERE id IN ({mine}) RETURNING sha256, appearance_row",  # noqa: S608 - text of our own
        told,
    ).fetchall()
    for look in {row["appearance_row"] for row in gone}:
        tx.execute("DELETE FROM threshold WHERE appearance_row = ?", (look,))
        tx.execute(
            "DELETE FROM reference_index WHERE reference_id IN "
            "(SELECT id FROM reference WHERE appearance_row = ?)",
            (look,),
        )
    return {row["sha256"] for row in gone}


def _drawn_by(
    tx: sqlite3.Connection, guild_id: int, character_id: str
) -> tuple[set[str], set[str]]:
    """The guides and masks that plans name: those made for one character, and all others."""
    rows = tx.execute(_GUIDES, {"guild": guild_id}).fetchall()
    own = {row["sha256"] for row in rows if row["who"] == character_id} - {None}
    return own, {row["sha256"] for row in rows if row["who"] != character_id} - {None}


def _unused(
    tx: sqlite3.Connection, guild_id: int, pictures: Iterable[str], drawn_by: Container[str]
) -> list[str]:
    return [
        sha256
        for sha256 in pictures
        if sha256 not in drawn_by
        and tx.execute(
            "SELECT 1 FROM reference WHERE guild_id = :guild AND sha256 = :sha UNION ALL "
            "SELECT 1 FROM candidate WHERE guild_id = :guild AND sha256 = :sha UNION ALL "
            "SELECT 1 FROM panel WHERE guild_id = :guild AND submission_sha256 = :sha UNION ALL "
            "SELECT 1 FROM panel WHERE guild_id = :guild "
            "AND json_extract(brief, '$.sketch_sha256') = :sha UNION ALL "
            "SELECT 1 FROM review WHERE guild_id = :guild AND evidence_sha256 = :sha UNION ALL "
            "SELECT 1 FROM quest WHERE guild_id = :guild AND delivery_sha256 = :sha UNION ALL "
            "SELECT 1 FROM page WHERE guild_id = :guild AND sha256 = :sha LIMIT 1",
            {"guild": guild_id, "sha": sha256},
        ).fetchone()
        is None
    ]
