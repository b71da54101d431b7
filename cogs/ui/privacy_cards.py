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
from cogs.ui.words import mark, mark_n, say, say_n
from pipeline.domain.privacy import AuditEvent, Consent, ConsentScope, ConsentStatus

if TYPE_CHECKING:
    from bot.services.privacy import Export, Foretold, Proof

NOBODY = 1
_LIST = 3000
_MOST_BUTTONS = 4
_TABLES = {
    "audit_event": mark_n("{n} decision in the log", "{n} decisions in the log"),
    "character": mark_n("{n} character", "{n} characters"),
    "consent": mark_n("{n} consent", "{n} consents"),
    "job": mark_n("{n} job", "{n} jobs"),
    "likeness": mark_n("{n} portrayal", "{n} portrayals"),
    "panel": mark_n("{n} panel", "{n} panels"),
    "reference": mark_n("{n} reference", "{n} references"),
    "registry_event": mark_n("{n} change of the registry", "{n} changes of the registry"),
    "review": mark_n("{n} review", "{n} reviews"),
    "review_label": mark_n("{n} label of drift", "{n} labels of drift"),
    "review_opinion": mark_n("{n} opinion on a review", "{n} opinions on a review"),
    "script": mark_n("{n} script", "{n} scripts"),
    "series": mark_n("{n} series", "{n} series"),
    "verdict_label": mark_n(
        "{n} judgement that the check learned from", "{n} judgements that the check learned from"
    ),
    "vote": mark_n("{n} vote", "{n} votes"),
}
_UNSAID = frozenset({"share"})  # a counter of the queue
_SCOPES = {
    ConsentScope.DRAW: mark("draw this person in this server"),
    ConsentScope.TRAIN: mark("draw this person in this server, and train a model on the pictures"),
}
_STATUS = {
    ConsentStatus.ASKED: ("❔", mark("waits for an answer"), WAITING),
    ConsentStatus.GIVEN: ("✅", mark("agreed"), GOOD),
    ConsentStatus.REFUSED: ("⛔", mark("refused"), BAD),
    ConsentStatus.REVOKED: ("⛔", mark("withdrawn"), BAD),
    ConsentStatus.EXPIRED: ("▫️", mark("over"), QUIET),
}


def foretold_card(told: "Foretold", member_id: int) -> Card:
    """What erasure would do, with the buttons that do it."""
    card = Card(WAITING).heading(say("🗑️ What would be deleted"))
    if not told.held:
        return card.text(say("Nothing in this server names you. There is nothing to delete."))
    lines = [
        _line(say("**Deleted**"), told.count("deleted")),
        _line(say("**Stays without your name**"), told.count("anonymised")),
        _line(say("**Handed to the moderators**"), told.count("handed over")),
        _line(say("**Let go**"), told.count("cleared")),
    ]
    card.text("\n".join(line for line in lines if line))
    card.text(
        say(
            "• Deleted panels take their pictures and my messages along; what waits or is being "
            "drawn stops.\n"
            "• **Accepted panels stay**, without your name: they are part of pages. So do open "
            "votes.\n"
            "• **References stay**, without your name: they are part of characters. The second "
            "button deletes them, too.\n"
            "• Words that you wrote into what stays remain; your id is taken out of them."
        )
    )
    if told.likenesses:
        card.text(say("You are shown as a character: that consent is withdrawn, its pictures go."))
    card.small(say("This cannot be undone. Only this server; messages of people are Discord's."))
    buttons = [_forget(say("Delete"), member_id, references=False)]
    if told.references:
        label = say_n(
            "Everything: also {n} reference", "Everything: also {n} references", told.references
        )
        buttons.append(_forget(label, member_id, references=True))
    return card.row(*buttons)


def proof_card(proof: "Proof", unreachable: int) -> Card:
    """What was done, and that nothing is left.

    Args:
        proof: of the service.
        unreachable: messages that Discord did not let us delete.
    """
    clean = not proof.traces
    card = Card(GOOD if clean else BAD).heading(
        f"{'✅' if clean else '⚠️'} {say('You are forgotten here')}"
    )
    swept = proof.swept
    lines = [
        _line(say("**Deleted**"), proof.count("deleted")),
        _line(say("**Without your name now**"), proof.count("anonymised")),
        _line(say("**Handed to the moderators**"), proof.count("handed over")),
        say(
            "Jobs stopped: {jobs} · pictures removed: {pictures} · trained modules: {modules} · "
            "backups of the database: {backups}",
            jobs=proof.forgotten.stopped,
            pictures=swept.pictures,
            modules=swept.modules,
            backups=swept.backups,
        ),
    ]
    card.text("\n".join(line for line in lines if line))
    if clean:
        card.text(say("🔎 A look through every table of this server found your id nowhere."))
    else:
        places = ", ".join(f"`{place}`" for place in proof.traces[:8])
        card.text(say("Your id is still in {places}. Tell whoever runs the bot.", places=places))
    if not swept.clean:
        card.text(
            say("The freed bytes leave the database file when its other readers let go of it.")
        )
    if unreachable:
        card.text(
            say_n(
                "{n} of my messages I could not delete; a moderator can.",
                "{n} of my messages I could not delete; a moderator can.",
                unreachable,
            )
        )
    return card


def export_card(export: "Export", number: int, picture: Picture) -> Card:
    """One part of an export."""
    parts = len(export.parts)
    title = say("Your data")
    if parts > 1:
        title = say("Your data, part {part} of {parts}", part=number, parts=parts)
    card = Card(GOOD).heading(f"📦 {title}").file(picture)
    if number == 1:
        card.small(say("Every row that names you in this server as JSON, and your pictures."))
    if number == parts and export.left_out:
        card.text(
            say(
                "⚠️ {left_out} of {pictures} pictures found no room in the uploads of this server. "
                "Ask whoever runs the bot for them.",
                left_out=export.left_out,
                pictures=export.pictures,
            )
        )
    return card


def consent_card(consent: Consent) -> Card:
    """A consent and what its person can answer now."""
    symbol, words, colour = _STATUS[consent.status]
    card = Card(colour).heading(
        f"{symbol} {say('Consent {consent}: {state}', consent=consent.id, state=say(words))}"
    )
    shows = say(
        "{character} shows {person}.",
        character=f"**{plain(consent.character_name, 60)}**",
        person=_who(consent.person_id),
    )
    asks = say(
        "{holder} asks for this until {day}: {scope}.",
        holder=_who(consent.holder_id),
        scope=say(_SCOPES[consent.scope]),
        day=format_dt(consent.expires_at, "D"),
    )
    card.text(f"{shows}\n{asks}")
    buttons = _answers(consent)
    if consent.status is ConsentStatus.ASKED:
        card.text(
            say(
                "Only the person who is shown can answer. Until then the character is not drawn; a "
                "no erases its references and all that was computed from them."
            )
        )
    elif buttons:
        card.small(say("It can be withdrawn at any time; then references, vectors and modules go."))
    return card.row(*buttons)


def consents_card(consents: Sequence[Consent], member_id: int) -> Card:
    """All consents of a person, with buttons for those that wait for them or can be withdrawn."""
    if not consents:
        return (
            Card(QUIET)
            .heading(say("🤝 No consents"))
            .text(
                say(
                    "Nobody asked to draw you, and you asked nobody. Name a character and a person."
                )
            )
        )
    lines = []
    for consent in consents:
        symbol, words, _ = _STATUS[consent.status]
        told = say(
            "{character} shows {person}, asked by {holder}: {state}, until {day}",
            character=f"**{plain(consent.character_name, 40)}**",
            person=_who(consent.person_id),
            holder=_who(consent.holder_id),
            state=say(words),
            day=format_dt(consent.expires_at, "d"),
        )
        lines.append(f"{symbol} {consent.id} · {told}")
    card = Card(NEUTRAL).heading(say("🤝 Consents")).text(lines_within(lines, _LIST))
    open_ones = [c for c in consents if c.person_id == member_id and _answers(c)]
    for consent in open_ones[:_MOST_BUTTONS]:
        card.row(*_answers(consent, f" {consent.id}"))
    return card


def log_card(events: Sequence[AuditEvent]) -> Card:
    """The newest decisions."""
    if not events:
        return Card(QUIET).heading(say("📜 Nothing was decided yet"))
    lines = []
    for event in events:
        subject = f" · {plain(event.subject, 80)}" if event.subject else ""
        detail = f": {plain(event.detail, 120)}" if event.detail else ""
        when = format_dt(event.created_at, "d")
        lines.append(f"`{event.id}` {when} {_who(event.member_id)} {event.action}{subject}{detail}")
    card = Card(NEUTRAL).heading(say("📜 Log of decisions")).text(lines_within(lines, _LIST))
    return card.small(say("Older ones: {command}", command=f"/review log before: {events[-1].id}"))


def _answers(consent: Consent, which: str = "") -> list:
    match consent.status:
        case ConsentStatus.ASKED:
            return [
                button(
                    say("Agree") + which,
                    ids.consent("agree", consent.id),
                    style=ButtonStyle.success,
                ),
                button(
                    say("Refuse") + which,
                    ids.consent("refuse", consent.id),
                    style=ButtonStyle.danger,
                ),
            ]
        case ConsentStatus.GIVEN:
            return [button(say("Withdraw") + which, ids.consent("withdraw", consent.id))]
        case _:
            return []


def _forget(label: str, member_id: int, *, references: bool):
    custom_id = ids.forget(member_id, references=references)
    return button(label, custom_id, style=ButtonStyle.danger)


def _line(title: str, counts: Mapping[str, int]) -> str:
    said = ", ".join(_count(n, table) for table, n in counts.items() if n and table not in _UNSAID)
    return f"{title}: {said}" if said else ""


def _count(number: int, table: str) -> str:
    if table in _TABLES:
        return say_n(*_TABLES[table], number)
    return f"{number} {table.replace('_', ' ')}"


def _who(member_id: int | None) -> str:
    if member_id is None:
        return say("the studio")
    return say("somebody who left") if member_id == NOBODY else f"<@{member_id}>"
