"""The card of a registration: what was taken, what the check can do with it, what to confirm."""

from bot.services.registration import Registration
from cogs.ui.card import Card
from cogs.ui.limits import lines_within, plain
from cogs.ui.suggested import pictures_row, suggested_text, suggestion_rows
from cogs.ui.verdicts import GOOD, WAITING
from cogs.ui.words import retell, say, say_n


def registered_card(made: Registration, *, new: bool) -> Card:
    """What was registered, what was registered before, and the colours to confirm.

    ``new`` says that the character itself is; else it got more pictures.
    """
    name, look, added = plain(made.character.name, 60), made.appearance, len(made.added)
    if not added:
        title = say("⚠️ No new picture for {name}", name=name)
    elif new:
        title = say("✅ {name} is in the cast", name=name)
    else:
        title = say("✅ {name} has new pictures", name=name)
    card = Card(GOOD if added else WAITING).heading(title)
    where = say("Appearance {appearance}", appearance=f"`{look.appearance_id}`")
    card.text(f"{where} · {say_n('{n} picture added', '{n} pictures added', added)}")
    card.text(lines_within((f"⚠️ {plain(retell(line), 200)}" for line in made.duplicates), 1200))
    if look.palette:
        shades = " ".join(f"`{colour}`" for colour in look.palette[:8])
        card.text(say("Palette: {colours}", colours=shades))
    card.text(suggested_text(look))
    suggestion_rows(card, look)
    return pictures_row(card.small(plain(retell(made.readiness), 400)), look)
