"""Cards about a person's own data, about consents, and the log of decisions."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from discord import ButtonStyle
from discord.utils import format_dt

from cogs.ui import ids
from cogs.ui.card import Card, button
from cogs.ui.limits import lines_within, plain
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import BAD, GOOD, NEUTRAL, QUIET, WAITING
from pipeline.domain.privacy import AuditEvent, Consent, ConsentScope, ConsentStatus

if TYPE_CHECKING:
    from bot.services.privacy import Export, Foretold, Proof

NOBODY = 1
_LIST = 3000
_MOST_BUTTONS = 4
_TABLES = {
    "audit_event": "decision in the log",
    "character": "character",
    "consent": "consent",
    "job": "job",
    "likeness": "portrayal",
    "panel": "panel",
    "reference": "reference",
    "registry_event": "change of the registry",
    "review": "review",
    "review_label": "label of drift",
    "review_opinion": "opinion on a review",
    "script": "script",
    "series": "series",
    "verdict_label": "judgement that the check learned from",
    "vote": "vote",
}
_UNSAID = frozenset({"share"})  # a counter of the queue
_SCOPES = {
    ConsentScope.DRAW: "draw this person in this server",
    ConsentScope.TRAIN: "draw this person in this server, and train a model on the pictures",
}
_STATUS = {
    ConsentStatus.ASKED: ("❔", "waits for an answer", WAITING),
    ConsentStatus.GIVEN: ("✅", "agreed", GOOD),
    ConsentStatus.REFUSED: ("⛔", "refused", BAD),
    ConsentStatus.REVOKED: ("⛔", "withdrawn", BAD),
    ConsentStatus.EXPIRED: ("▫️", "over", QUIET),
}


def foretold_card(told: "Foretold", member_id: int) -> Card:
    """What erasure would do, with the buttons that do it."""
    card = Card(WAITING).heading("🗑️ What would be deleted")
    if not told.held:
        return card.text("Nothing in this server names you. There is nothing to delete.")
    lines = [
        _line("**Deleted**", told.count("deleted")),
        _line("**Stays without your name**", told.count("anonymised")),
        _line("**Handed to the moderators**", told.count("handed over")),
        _line("**Let go**", told.count("cleared")),
    ]
    card.text("\n".join(line for line in lines if line))
    card.text(
        "• Deleted panels take their pictures and my messages along; what waits or is being drawn "
        "stops.\n"
        "• **Accepted panels stay**, without your name: they are part of pages. So do open votes.\n"
        "• **References stay**, without your name: they are part of characters. The second button "
        "deletes them, too.\n"
        "• Words that you wrote into what stays remain; your id is taken out of them."
    )
    if told.likenesses:
        card.text("You are shown as a character: that consent is withdrawn, its pictures go.")
    card.small("This cannot be undone. Only this server; messages of people are Discord's.")
    buttons = [_forget("Delete", member_id, references=False)]
    if told.references:
        label = f"Everything: also {_count(told.references, 'reference')}"
        buttons.append(_forget(label, member_id, references=True))
    return card.row(*buttons)


def proof_card(proof: "Proof", unreachable: int) -> Card:
    """What was done, and that nothing is left.

    Args:
        proof: of the service.
        unreachable: messages that Discord did not let us delete.
    """
    clean = not proof.traces
    card = Card(GOOD if clean else BAD).heading(f"{'✅' if clean else '⚠️'} You are forgotten here")
    swept = proof.swept
    lines = [
        _line("**Deleted**", proof.count("deleted")),
        _line("**Without your name now**", proof.count("anonymised")),
        _line("**Handed to the moderators**", proof.count("handed over")),
        f"Jobs stopped: {proof.forgotten.stopped} · pictures removed: {swept.pictures} · trained "
        f"modules: {swept.modules} · backups of the database: {swept.backups}",
    ]
    card.text("\n".join(line for line in lines if line))
    if clean:
        card.text("🔎 A look through every table of this server found your id nowhere.")
    else:
        places = ", ".join(f"`{place}`" for place in proof.traces[:8])
        card.text(f"Your id is still in {places}. Tell whoever runs the bot.")
    if not swept.clean:
        card.text("The freed bytes leave the database file when its other readers let go of it.")
    if unreachable:
        card.text(f"{unreachable} of my messages I could not delete; a moderator can.")
    return card


def export_card(export: "Export", number: int, picture: Picture) -> Card:
    """One part of an export."""
    parts = len(export.parts)
    title = "Your data" if parts == 1 else f"Your data, part {number} of {parts}"
    card = Card(GOOD).heading(f"📦 {title}").file(picture)
    if number == 1:
        card.small("Every row that names you in this server as JSON, and your pictures.")
    if number == parts and export.left_out:
        card.text(
            f"⚠️ {export.left_out} of {export.pictures} pictures found no room in the uploads of "
            "this server. Ask whoever runs the bot for them."
        )
    return card


def consent_card(consent: Consent) -> Card:
    """A consent and what its person can answer now."""
    symbol, words, colour = _STATUS[consent.status]
    card = Card(colour).heading(f"{symbol} Consent {consent.id}: {words}")
    card.text(
        f"**{plain(consent.character_name, 60)}** shows {_who(consent.person_id)}.\n"
        f"{_who(consent.holder_id)} asks to {_SCOPES[consent.scope]}, until "
        f"{format_dt(consent.expires_at, 'D')}."
    )
    buttons = _answers(consent)
    if consent.status is ConsentStatus.ASKED:
        card.text(
            "Only the person who is shown can answer. Until then the character is not drawn; a no "
            "erases its references and all that was computed from them."
        )
    elif buttons:
        card.small("It can be withdrawn at any time; then references, vectors and modules go.")
    return card.row(*buttons)


def consents_card(consents: Sequence[Consent], member_id: int) -> Card:
    """All consents of a person, with buttons for those that wait for them or can be withdrawn."""
    if not consents:
        return (
            Card(QUIET)
            .heading("🤝 No consents")
            .text("Nobody asked to draw you, and you asked nobody. Name a character and a person.")
        )
    lines = []
    for consent in consents:
        symbol, words, _ = _STATUS[consent.status]
        lines.append(
            f"{symbol} {consent.id} · **{plain(consent.character_name, 40)}** shows "
            f"{_who(consent.person_id)}, asked by {_who(consent.holder_id)}: {words}, until "
            f"{format_dt(consent.expires_at, 'd')}"
        )
    card = Card(NEUTRAL).heading("🤝 Consents").text(lines_within(lines, _LIST))
    open_ones = [c for c in consents if c.person_id == member_id and _answers(c)]
    for consent in open_ones[:_MOST_BUTTONS]:
        card.row(*_answers(consent, f" {consent.id}"))
    return card


def log_card(events: Sequence[AuditEvent]) -> Card:
    """The newest decisions."""
    if not events:
        return Card(QUIET).heading("📜 Nothing was decided yet")
    lines = []
    for event in events:
        subject = f" · {plain(event.subject, 80)}" if event.subject else ""
        detail = f": {plain(event.detail, 120)}" if event.detail else ""
        when = format_dt(event.created_at, "d")
        lines.append(f"`{event.id}` {when} {_who(event.member_id)} {event.action}{subject}{detail}")
    card = Card(NEUTRAL).heading("📜 Log of decisions").text(lines_within(lines, _LIST))
    return card.small(f"Older ones: /review log before: {events[-1].id}")


def _answers(consent: Consent, which: str = "") -> list:
    match consent.status:
        case ConsentStatus.ASKED:
            return [
                button(
                    f"Agree{which}", ids.consent("agree", consent.id), style=ButtonStyle.success
                ),
                button(
                    f"Refuse{which}", ids.consent("refuse", consent.id), style=ButtonStyle.danger
                ),
            ]
        case ConsentStatus.GIVEN:
            return [button(f"Withdraw{which}", ids.consent("withdraw", consent.id))]
        case _:
            return []


def _forget(label: str, member_id: int, *, references: bool):
    custom_id = ids.forget(member_id, references=references)
    return button(label, custom_id, style=ButtonStyle.danger)


def _line(title: str, counts: Mapping[str, int]) -> str:
    said = ", ".join(_count(n, table) for table, n in counts.items() if n and table not in _UNSAID)
    return f"{title}: {said}" if said else ""


def _count(number: int, table: str) -> str:
    words = _TABLES.get(table, table.replace("_", " "))
    first, space, rest = words.partition(" ")
    many = "" if number == 1 or first.endswith("s") else "s"
    return f"{number} {first}{many}{space}{rest}"


def _who(member_id: int | None) -> str:
    if member_id is None:
        return "the studio"
    return "somebody who left" if member_id == NOBODY else f"<@{member_id}>"
