"""The card that says whose a character is and who may do what with it."""

from bot.services.access import NOBODY, Ownership
from cogs.ui.card import Card
from cogs.ui.limits import plain
from cogs.ui.verdicts import NEUTRAL
from pipeline.domain.access import AccessRule, Circle, Deed

_DEEDS = {
    Deed.REQUEST: "🎬 Panels may be asked for by",
    Deed.EDIT: "✏️ Pictures and words are changed by",
    Deed.TRAIN: "🧠 A model may learn it:",
}


def ownership_card(held: Ownership, title: str = "") -> Card:
    """Owner, co-owners, and for whom each deed is open."""
    name = plain(held.character.name, 60)
    card = Card(NEUTRAL).heading(f"🗝️ {title or name}")
    rights = held.access
    owner = (
        f"<@{rights.owner_id}>" if rights.owner_id != NOBODY else "nobody; moderators look after it"
    )
    others = ", ".join(f"<@{member}>" for member in rights.co_owners) or "none"
    card.text(f"**{name}** `{held.character.character_id}`\nOwner: {owner}\nCo-owners: {others}")
    card.text(
        "\n".join(f"{words} **{_whom(deed, rights.rule(deed))}**" for deed, words in _DEEDS.items())
    )
    return card.small(
        "Owner and moderators: add or remove co-owners with /character owners, give it away with "
        "/character transfer, open it with /character access."
    )


def _whom(deed: Deed, rule: AccessRule) -> str:
    if deed is Deed.TRAIN:
        return "no" if rule.circle is Circle.NOBODY else "yes"
    match rule.circle:
        case Circle.EVERYONE:
            return "everyone"
        case Circle.ROLE:
            return f"members with <@&{rule.role_id}>, and its owners"
        case Circle.OWNERS:
            return "owner, co-owners and moderators"
        case Circle.NOBODY:
            return "nobody"
