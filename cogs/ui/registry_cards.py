"""The cards of the registry: edits, looks, coverage, previews, history."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cogs.ui.card import Card
from cogs.ui.limits import lines_within, plain
from cogs.ui.pictures import Picture
from cogs.ui.verdicts import BAD, GOOD, NEUTRAL, WAITING
from pipeline.domain.character import Appearance, Character, EntryKind, Mark
from pipeline.domain.history import RegistryAction, RegistryEvent
from pipeline.domain.story import range_words
from pipeline.domain.vocabulary import color_of
from pipeline.retrieval.coverage import CharacterCoverage

if TYPE_CHECKING:
    from bot.services.packages import Imported
    from bot.services.reshaping import Preview, Reshaped
    from bot.services.wardrobe import Wardrobe, Worn

_ACTIONS = {
    RegistryAction.EDIT: "✏️",
    RegistryAction.ADD: "➕",
    RegistryAction.MERGE: "🔗",
    RegistryAction.SPLIT: "✂️",
    RegistryAction.UNDO: "↩️",
}
_KINDS = {
    EntryKind.CHARACTER: "character",
    EntryKind.PROP: "prop",
    EntryKind.LOCATION: "location",
    EntryKind.STYLE: "style",
}
_CLEAR_GROUPS = 0.25


def coverage_card(coverage: CharacterCoverage, picture: Picture) -> Card:
    """How ready a character is, and what is missing, look by look."""
    share = coverage.readiness
    color, sign = (
        (GOOD, "✅") if share >= 0.85 else (WAITING, "🟡") if share >= 0.5 else (BAD, "⭕")
    )
    card = Card(color).heading(f"{sign} {plain(coverage.name, 60)} is {share:.0%} ready")
    card.gallery(picture)
    lines = []
    for look in coverage.looks:
        needs = "; ".join(need.words for need in look.missing[:6])
        more = f" and {len(look.missing) - 6} more" if len(look.missing) > 6 else ""
        lines.append(
            f"**{plain(look.label, 60)}** `{look.appearance_id}` {look.readiness:.0%}: "
            + (f"needs {needs}{more}" if needs else "nothing is missing")
        )
    card.text(lines_within(lines, 2400))
    guessed = sum(look.guessed for look in coverage.looks)
    if guessed:
        card.small(
            f"Shot or angle of {guessed} reference{'' if guessed == 1 else 's'} was guessed; "
            "confirm with /character edit reference."
        )
    return card.small(plain(coverage.advice, 300))


def look_card(title: str, character: Character, look: Appearance, marks: Sequence[Mark]) -> Card:
    """A look with everything that is said of it."""
    card = Card(GOOD).heading(f"✅ {title}")
    kind = _KINDS[character.kind]
    card.text(
        f"**{plain(character.name, 60)}** `{character.character_id}` · {kind} · "
        f"height {character.height_ratio:g}\nAppearance `{look.appearance_id}` "
        f"({plain(look.label, 60)}) · version {look.version}"
        + (f" · colourway {plain(look.colorway, 60)}" if look.colorway else "")
        + f" · worn {range_words(look.valid_from, look.valid_to)}"
    )
    card.text(lines_within(_component_lines(look.components), 1200))
    if look.palette:
        card.text("Palette: " + " ".join(f"`{code}`" for code in look.palette[:12]))
    if look.suggested:
        found = ", ".join(f"{k}={v}" for k, v in sorted(look.suggested.items()))
        card.text(
            f"🔎 Suggested by the pictures, not confirmed: {plain(found, 300)}\n"
            "Say `suggestions: accept` or `suggestions: drop` in `/character edit`."
        )
    card.text(
        lines_within(
            (f"📍 **{plain(m.name, 60)}** on #{m.reference_id} {m.side}".rstrip() for m in marks),
            600,
        )
    )
    notes = " · ".join(text for text in (character.notes, look.notes) if text)
    card.text(plain(notes, 500) if notes else "")
    terms = " · ".join(text for text in (character.credits, character.license) if text)
    return card.small(plain(terms, 300) if terms else "")


def _component_lines(components: Mapping[str, str]) -> list[str]:
    lines = []
    for slot, value in sorted(components.items()):
        color = color_of(slot, value)
        shade = f" `{color.hex}`" if color is not None else ""
        lines.append(f"{slot.replace('_', ' ')}: **{plain(value, 80)}**{shade}")
    return lines


def preview_card(title: str, preview: "Preview", picture: Picture, how: str) -> Card:
    """What a merge or a split would do; nothing is done yet."""
    card = Card(WAITING).heading(f"👀 {title}").gallery(picture)
    card.text(
        f"{_references(len(preview.go))} would move, {len(preview.stay)} would stay. "
        "Nothing is changed yet."
    )
    if preview.proposal is not None:
        clear = preview.proposal.silhouette >= _CLEAR_GROUPS
        words = "two clear groups" if clear else "no clear groups: look twice"
        card.text(f"The pictures form {words} (silhouette {preview.proposal.silhouette:.2f}).")
    return card.small(how)


def reshaped_card(title: str, done: "Reshaped") -> Card:
    """What was done, and what the check can do with the looks now."""
    card = Card(GOOD).heading(f"✅ {title}").text(f"{_references(done.moved)} moved.")
    card.text(
        lines_within(
            (f"`{slug}`: {plain(text, 300)}" for slug, text in done.readiness.items()), 1500
        )
    )
    return card.small("Take it back with /appearance history undo:True.")


def wardrobe_card(wardrobe: "Wardrobe") -> Card:
    """Who wears what in a chapter; who has nothing to wear there comes with a warning."""
    place = str(wardrobe.place)
    card = Card(NEUTRAL).heading(f"🧥 Wardrobe of {place}" if place else "🧥 Wardrobe")
    if not wardrobe.rows:
        return card.text("Nobody is registered yet. Add somebody: /character register.")
    card.text(lines_within(map(_worn_line, wardrobe.rows), 3000))
    if not place:
        card.small("No chapter is known: these are the first looks. Set it with /series settings.")
    return card


def _worn_line(row: "Worn") -> str:
    name = plain(row.character.name, 60)
    if row.look is None:
        advice = "/appearance add" if row.looks else "/character add-reference"
        return f"⚠️ **{name}** has nothing to wear there. Give them a look: {advice}."
    worn = range_words(row.look.valid_from, row.look.valid_to)
    return f"**{name}**: `{row.look.appearance_id}`, worn {worn}"


def history_card(character: str, events: Sequence[RegistryEvent]) -> Card:
    """Changes of a character's looks, newest first."""
    card = Card(NEUTRAL).heading(f"🕑 History of {plain(character, 60)}")
    if not events:
        return card.text("No look was edited, added, merged or split yet.")
    return card.text(lines_within(map(_event_line, events), 3000))


def _event_line(event: RegistryEvent) -> str:
    words = plain(event.summary, 200)
    words = f"~~{words}~~ (taken back)" if event.undone_by else words
    when = int(event.created_at.timestamp())
    return f"{_ACTIONS[event.action]} {words} · <@{event.member_id}> <t:{when}:R>"


def imported_card(done: "Imported") -> Card:
    """A character came from a package."""
    card = Card(GOOD).heading(f"📦 {plain(done.character.name, 60)} is in the cast")
    looks = ", ".join(f"`{slug}`" for slug in done.looks[:6])
    card.text(f"`{done.character.character_id}` · {_references(done.references)} · {looks}")
    if done.renamed:
        card.text("The id was taken here, so it got a number.")
    terms = " · ".join(text for text in (done.character.credits, done.character.license) if text)
    card.text(plain(terms, 300) if terms else "")
    words = {
        "confirmed": "The fingerprints were made anew and are those of the package.",
        "other encoders": "The fingerprints were made anew with the encoders in use here.",
        "different": "⚠️ The package's fingerprints were not those of its pictures; they were "
        "made anew.",
    }
    return card.small(words[done.prints.value])


def _references(count: int) -> str:
    return f"{count} reference{'' if count == 1 else 's'}"
