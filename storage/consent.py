"""Consents of real people to be drawn: asked, given, refused, withdrawn, run out."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from pipeline.domain.errors import NotAllowed, NotFound, WrongState
from pipeline.domain.privacy import Consent, ConsentScope, ConsentStatus
from pipeline.domain.quality import Flag
from pipeline.domain.review import PostKind
from storage import audit, outbox, reviews
from storage.database import Database
from storage.doomed import DoomedKind, doom, doom_unused
from storage.erasure import delete_references
from storage.times import Moment, from_text, to_text

_CONSENT = (
    "SELECT o.*, c.character_id, c.name FROM consent AS o "
    "JOIN character AS c ON c.id = o.character_row "
)
_OF_CHARACTER = (
    "SELECT panel.id FROM panel, json_each(panel.brief, '$.cast') AS role "
    "WHERE panel.guild_id = :guild AND json_extract(role.value, '$.character_id') = :character"
)


@dataclass(frozen=True, slots=True)
class Withdrawn:
    """What went with a consent: references, stopped jobs, panels that moderators look at again."""

    references: int = 0
    jobs: int = 0
    panels: tuple[int, ...] = ()


def ask_consent(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    character_row: int,
    holder_id: int,
    person_id: int,
    scope: ConsentScope,
    expires_at: Moment,
    now: Moment,
) -> int:
    """Mark a character as a person's likeness and ask that person; returns the consent's id.

    An earlier question about the character that is still open is withdrawn.

    Raises:
        NotFound: the guild has no such character.
        WrongState: it is marked as somebody else's likeness.
    """
    owned = tx.execute(
        "SELECT 1 FROM character WHERE id = ? AND guild_id = ?", (character_row, guild_id)
    ).fetchone()
    if owned is None:
        raise NotFound("That character is not registered here. See /character list.")
    tx.execute(
        "INSERT INTO likeness (character_row, guild_id, person_id, created_at) "
        "VALUES (?, ?, ?, ?) ON CONFLICT DO UPDATE SET person_id = excluded.person_id "
        "WHERE person_id = 1",
        (character_row, guild_id, person_id, to_text(now)),
    )
    (marked,) = tx.execute(
        "SELECT person_id FROM likeness WHERE character_row = ?", (character_row,)
    ).fetchone()
    if marked != person_id:
        raise WrongState(
            "This character is marked as another person's likeness. A character shows one person; "
            "register a new one."
        )
    tx.execute(
        "UPDATE consent SET status = 'expired', decided_at = ? "
        "WHERE character_row = ? AND status = 'asked'",
        (to_text(now), character_row),
    )
    row = tx.execute(
        "INSERT INTO consent (guild_id, character_row, holder_id, person_id, scope, status, "
        "expires_at, asked_at) VALUES (?, ?, ?, ?, ?, 'asked', ?, ?) RETURNING id",
        (
            guild_id,
            character_row,
            holder_id,
            person_id,
            scope,
            to_text(expires_at),
            to_text(now),
        ),
    ).fetchone()
    return row["id"]


def answer_consent(
    tx: sqlite3.Connection,
    *,
    guild_id: int,
    consent_id: int,
    person_id: int,
    agrees: bool,
    now: datetime,
) -> Withdrawn:
    """The person says yes or no; no takes effect at once, also after an earlier yes.

    Raises:
        NotFound: the guild has no such consent.
        NotAllowed: it is about somebody else's likeness.
        WrongState: it was refused or withdrawn, or has run out.
    """
    row = tx.execute(
        _CONSENT + "WHERE o.id = ? AND o.guild_id = ?", (consent_id, guild_id)
    ).fetchone()
    if row is None:
        raise _missing(consent_id)
    consent = consent_from_row(row)
    if consent.person_id != person_id:
        raise NotAllowed("Only the person whose likeness it is can answer this.")
    over = consent.status not in (ConsentStatus.ASKED, ConsentStatus.GIVEN)
    if over or (agrees and now >= consent.expires_at):
        raise WrongState(
            f"Consent {consent_id} is over ({consent.status.value}). Ask again with "
            "/privacy consent."
        )
    if agrees:
        status = ConsentStatus.GIVEN
    else:
        asked = consent.status is ConsentStatus.ASKED
        status = ConsentStatus.REFUSED if asked else ConsentStatus.REVOKED
    tx.execute(
        "UPDATE consent SET status = ?, decided_at = ? WHERE id = ?",
        (status, to_text(now), consent_id),
    )
    if agrees:
        # A new yes takes the place of the earlier one: one consent at a time holds.
        tx.execute(
            "UPDATE consent SET status = 'expired' WHERE character_row = ? AND status = 'given' "
            "AND id <> ?",
            (row["character_row"], consent_id),
        )
    gone = Withdrawn() if agrees else _withdraw(tx, guild_id, row["character_row"], now)
    audit.note(
        tx,
        guild_id=guild_id,
        member_id=person_id,
        action=f"consent.{status.value}",
        subject=f"consent {consent_id}, character {consent.character_id}",
        detail=_told(gone),
        now=now,
    )
    return gone


def end_consents_of(
    tx: sqlite3.Connection, *, guild_id: int, member_id: int, now: datetime
) -> None:
    """A person is erased: consents to draw them are withdrawn, those that they hold run out."""
    mine = tx.execute(
        "SELECT character_row FROM likeness WHERE guild_id = ? AND person_id = ?",
        (guild_id, member_id),
    ).fetchall()
    for row in mine:
        _withdraw(tx, guild_id, row["character_row"], now)
    tx.execute(
        "UPDATE consent SET status = iif(person_id = :member, 'revoked', 'expired'), "
        "decided_at = :now WHERE guild_id = :guild AND status IN ('asked', 'given') "
        "AND :member IN (person_id, holder_id)",
        {"guild": guild_id, "member": member_id, "now": to_text(now)},
    )


def expire_consents(tx: sqlite3.Connection, *, now: datetime) -> int:
    """End what has run out, in all guilds, and stop what waits to be drawn by it."""
    over = tx.execute(
        "UPDATE consent SET status = 'expired', decided_at = :now "
        "WHERE status IN ('asked', 'given') AND expires_at <= :now "
        "RETURNING id, guild_id, character_row",
        {"now": to_text(now)},
    ).fetchall()
    for row in over:
        _stop_drawing(tx, row["guild_id"], row["character_row"], now)
        audit.note(
            tx, guild_id=row["guild_id"], member_id=None, action="consent.expired",
            subject=f"consent {row['id']}", now=now,
        )  # fmt: skip
    return len(over)


async def consents_of(db: Database, guild_id: int, member_id: int) -> list[Consent]:
    """The consents that a person gave, was asked for or holds, newest first."""
    rows = await db.fetch_all(
        _CONSENT + "WHERE o.guild_id = ? AND ? IN (o.person_id, o.holder_id) "
        "ORDER BY o.id DESC LIMIT 100",
        (guild_id, member_id),
    )
    return [consent_from_row(row) for row in rows]


async def get_consent(db: Database, guild_id: int, consent_id: int) -> Consent:
    """One consent.

    Raises:
        NotFound: the guild has no such consent.
    """
    row = await db.fetch_one(_CONSENT + "WHERE o.id = ? AND o.guild_id = ?", (consent_id, guild_id))
    if row is None:
        raise _missing(consent_id)
    return consent_from_row(row)


async def likenesses(
    db: Database, guild_id: int, characters: Sequence[str], now: datetime
) -> dict[str, ConsentScope | None]:
    """Of some characters (by their ids) those that show a real person, and what is allowed now."""
    rows = await db.fetch_all(
        # max: 'train' comes after 'draw' in the alphabet, as it should
        "SELECT c.character_id, (SELECT max(o.scope) FROM consent AS o "
        "WHERE o.character_row = c.id AND o.status = 'given' AND o.person_id = l.person_id "
        "AND o.expires_at > :now) AS scope "
        "FROM likeness AS l JOIN character AS c ON c.id = l.character_row "
        "WHERE l.guild_id = :guild AND c.character_id IN (SELECT value FROM json_each(:ids))",
        {"guild": guild_id, "ids": json.dumps(list(characters)), "now": to_text(now)},
    )
    return {r["character_id"]: ConsentScope(r["scope"]) if r["scope"] else None for r in rows}


def consent_from_row(row: sqlite3.Row) -> Consent:
    """A row of the table, joined with its character, as the domain's value."""
    return Consent(
        id=row["id"],
        guild_id=row["guild_id"],
        character_id=row["character_id"],
        character_name=row["name"],
        holder_id=row["holder_id"],
        person_id=row["person_id"],
        scope=ConsentScope(row["scope"]),
        status=ConsentStatus(row["status"]),
        expires_at=from_text(row["expires_at"]),
    )


# --- what a no takes with it ----------------------------------------------------------------------


def _withdraw(
    tx: sqlite3.Connection, guild_id: int, character_row: int, now: datetime
) -> Withdrawn:
    """References, vectors, limits, modules and jobs go; what was accepted is looked at again."""
    looks = tx.execute(
        "SELECT id, appearance_id FROM appearance WHERE character_row = ?", (character_row,)
    ).fetchall()
    references = [
        row["id"]
        for row in tx.execute(
            "SELECT id FROM reference WHERE appearance_row IN (SELECT value FROM json_each(?))",
            (json.dumps([look["id"] for look in looks]),),
        ).fetchall()
    ]
    pictures = delete_references(tx, guild_id=guild_id, references=references)
    quests = tx.execute(
        "DELETE FROM quest WHERE appearance_row IN (SELECT value FROM json_each(?)) "
        "RETURNING delivery_sha256",
        (json.dumps([look["id"] for look in looks]),),
    ).fetchall()
    pictures |= {row["delivery_sha256"] for row in quests} - {None}
    stopped = _stop_drawing(tx, guild_id, character_row, now)
    tx.execute(
        "DELETE FROM drift_sample WHERE guild_id = ? AND character_id = "
        "(SELECT character_id FROM character WHERE id = ?)",
        (guild_id, character_row),
    )
    doom_unused(tx, guild_id=guild_id, pictures=pictures)
    modules = [look["appearance_id"] for look in looks]
    doom(tx, guild_id=guild_id, kind=DoomedKind.MODULE, names=modules)
    flagged = _flag_panels(tx, guild_id, character_row, now)
    return Withdrawn(len(references), stopped, tuple(flagged))


def _stop_drawing(tx: sqlite3.Connection, guild_id: int, character_row: int, now: datetime) -> int:
    """End waiting and running jobs that draw a character; a late result is refused by its fence."""
    told = {**_character(tx, guild_id, character_row), "now": to_text(now)}
    stopped = tx.execute(
        "UPDATE job SET status = 'cancelled', fence = fence + 1, cancel_requested = 1, "  # noqa: S608 - text of our own
        "lease_owner = NULL, lease_until = NULL, finished_at = :now "
        f"WHERE status IN ('queued', 'running') AND panel_id IN ({_OF_CHARACTER}) "
        "RETURNING panel_id",
        told,
    ).fetchall()
    for row in stopped:
        tx.execute(
            "UPDATE panel SET status = 'cancelled', updated_at = ? WHERE id = ? "
            "AND status IN ('queued', 'running')",
            (told["now"], row["panel_id"]),
        )
    return len(stopped)


def _flag_panels(
    tx: sqlite3.Connection, guild_id: int, character_row: int, now: datetime
) -> Iterable[int]:
    """Open a review of each accepted (or voted) panel that shows the character."""
    told = _character(tx, guild_id, character_row)
    rows = tx.execute(
        "SELECT id, page_number, coalesce(chosen_candidate, (SELECT min(c.id) FROM candidate AS c "  # noqa: S608 - text of our own
        "WHERE c.panel_id = panel.id AND c.label IS NOT NULL)) AS candidate FROM panel "
        f"WHERE id IN ({_OF_CHARACTER}) AND status IN ('accepted', 'voting') ORDER BY id",
        told,
    ).fetchall()
    flagged = []
    for row in rows:
        if row["candidate"] is None:
            continue
        page = f" It is on page {row['page_number']}." if row["page_number"] is not None else ""
        review = reviews.open_review(
            tx,
            guild_id=guild_id,
            panel_id=row["id"],
            candidate_id=row["candidate"],
            flag=Flag.CONSENT,
            reason="The person who is shown has withdrawn their consent. May this picture stay?"
            + page,
            evidence_sha256=None,
            now=now,
        )
        tx.execute(
            "UPDATE panel SET status = 'review', updated_at = ? WHERE id = ?",
            (to_text(now), row["id"]),
        )
        outbox.owe(
            tx, guild_id=guild_id, kind=PostKind.REVIEW_THREAD, subject_id=review,
            dedupe_key=f"review_thread:{review}:consent", now=now,
        )  # fmt: skip
        flagged.append(row["id"])
    return flagged


def _character(tx: sqlite3.Connection, guild_id: int, character_row: int) -> dict[str, object]:
    (character_id,) = tx.execute(
        "SELECT character_id FROM character WHERE id = ?", (character_row,)
    ).fetchone()
    return {"guild": guild_id, "character": character_id}


def _told(gone: Withdrawn) -> str:
    if gone == Withdrawn():
        return ""
    panels = ", ".join(map(str, gone.panels)) or "none"
    return (
        f"{gone.references} references erased, {gone.jobs} jobs stopped, panels to review: {panels}"
    )


def _missing(consent_id: int) -> NotFound:
    return NotFound(f"There is no consent {consent_id} here. See /privacy consent.")
