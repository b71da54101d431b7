"""Cards of the cast: what was registered, and model sheets."""

from collections import Counter

from bot.services.access import NOBODY
from bot.services.registration import Registration
from bot.services.sheets import ModelSheet
from cogs.ui.card import Card
from cogs.ui.limits import lines_within, plain
from cogs.ui.pictures import Picture
from cogs.ui.suggested import pictures_row, suggested_text, suggestion_rows, words
from cogs.ui.verdicts import GOOD, NEUTRAL, WAITING
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


def sheet_card(sheet: ModelSheet, picture: Picture) -> Card:
    """A model sheet for everyone, with what is said of the look and whose art it is."""
    name = plain(sheet.character.name, 60)
    card = (
        Card(NEUTRAL).heading(say("📐 Model sheet: {character}", character=name)).gallery(picture)
    )
    look = sheet.look
    card.text(f"**{plain(look.label, 60)}** `{look.appearance_id}`")
    said = (f"{words(slot)}: {plain(words(v), 60)}" for slot, v in sorted(look.components.items()))
    card.text(" · ".join(said)[:600])
    artists = Counter(r.added_by for r in sheet.references if r.canon and r.added_by != NOBODY)
    shown = ", ".join(f"<@{member}> ({n})" for member, n in artists.most_common(10))
    card.small(say("Pictures by {members}", members=shown) if shown else "")
    terms = " · ".join(text for text in (sheet.character.credits, sheet.character.license) if text)
    return card.small(plain(terms, 300) if terms else "")


def sheet_words(sheet: ModelSheet) -> str:
    """What a model sheet shows, for people who do not see it."""
    shots = Counter(r.shot_type.value for r in sheet.references)
    counted = ", ".join(f"{shot} {n}" for shot, n in shots.most_common())
    told = say(
        "Model sheet of {character} in {look}: {n} references ({shots}), the palette {colors}.",
        character=sheet.character.name,
        look=sheet.look.label,
        n=len(sheet.references),
        shots=counted or "–",
        colors=", ".join(sheet.look.palette[:6]) or "–",
    )
    facts = ", ".join(f"{words(s)} {words(v)}" for s, v in sorted(sheet.look.components.items()))
    return f"{told} {facts}".strip()
