"""The card that says whose a character is and who may do what with it."""

from bot.services.access import NOBODY, Ownership
from cogs.ui.card import Card
from cogs.ui.limits import plain
from cogs.ui.verdicts import NEUTRAL
from cogs.ui.words import mark, say
from pipeline.domain.access import AccessRule, Circle, Deed

_DEEDS = {
    Deed.REQUEST: mark("🎬 Panels may be asked for by **{whom}**"),
    Deed.EDIT: mark("✏️ Pictures and words are changed by **{whom}**"),
    Deed.TRAIN: mark("🧠 A model may learn it: **{whom}**"),
}


def ownership_card(held: Ownership, title: str = "") -> Card:
    """Owner, co-owners, and for whom each deed is open."""
    name = plain(held.character.name, 60)
    card = Card(NEUTRAL).heading(f"🗝️ {title or name}")
    rights = held.access
    erased = say("nobody; moderators look after it")
    owner = f"<@{rights.owner_id}>" if rights.owner_id != NOBODY else erased
    others = ", ".join(f"<@{member}>" for member in rights.co_owners) or say("none")
    card.text(
        f"`{held.character.character_id}`\n"
        + say("Owner: {member}", member=owner)
        + "\n"
        + say("Co-owners: {members}", members=others)
    )
    lines = [say(words, whom=_whom(deed, rights.rule(deed))) for deed, words in _DEEDS.items()]
    card.text("\n".join(lines))
    return card.small(
        say(
            "Owner and moderators: add or remove co-owners with {owners}, give it away with "
            "{transfer}, open it with {access}.",
            owners="/character owners",
            transfer="/character transfer",
            access="/character access",
        )
    )


def _whom(deed: Deed, rule: AccessRule) -> str:
    if deed is Deed.TRAIN:
        return say("no") if rule.circle is Circle.NOBODY else say("yes")
    match rule.circle:
        case Circle.EVERYONE:
            return say("everyone")
        case Circle.ROLE:
            return say("members with {role}, and its owners", role=f"<@&{rule.role_id}>")
        case Circle.OWNERS:
            return say("owner, co-owners and moderators")
        case Circle.NOBODY:
            return say("nobody")
