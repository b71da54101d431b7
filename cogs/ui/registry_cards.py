"""The cards of the registry: edits, looks, coverage, previews, history."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from cogs.ui.card import Card
from cogs.ui.limits import lines_within, plain
from cogs.ui.pictures import Picture
from cogs.ui.terms import place, worn
from cogs.ui.verdicts import BAD, GOOD, NEUTRAL, WAITING
from cogs.ui.words import mark, retell, say, say_n
from pipeline.domain.character import Appearance, Character, EntryKind, Mark
from pipeline.domain.history import RegistryAction, RegistryEvent
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
    EntryKind.CHARACTER: mark("character"),
    EntryKind.PROP: mark("prop"),
    EntryKind.LOCATION: mark("location"),
    EntryKind.STYLE: mark("style"),
}
_CLEAR_GROUPS = 0.25


def coverage_card(coverage: CharacterCoverage, picture: Picture, heat: Picture) -> Card:
    """How ready a character is, and what is missing, look by look."""
    share = coverage.readiness
    color, sign = (
        (GOOD, "✅") if share >= 0.85 else (WAITING, "🟡") if share >= 0.5 else (BAD, "⭕")
    )
    card = Card(color).heading(
        say(
            "{sign} {name} is {share} % ready",
            sign=sign,
            name=plain(coverage.name, 60),
            share=round(100 * share),
        )
    )
    card.gallery(picture).gallery(heat)  # side by side they are cut to squares
    lines = []
    for look in coverage.looks:
        needs = "; ".join(retell(need.words) for need in look.missing[:6])
        if len(look.missing) > 6:
            needs = say("{some} and {n} more", some=needs, n=len(look.missing) - 6)
        lines.append(
            f"**{plain(look.label, 60)}** `{look.appearance_id}` {look.readiness:.0%}: "
            + (say("needs {what}", what=needs) if needs else say("nothing is missing"))
        )
    card.text(lines_within(lines, 2400))
    guessed = sum(look.guessed for look in coverage.looks)
    if guessed:
        card.small(
            say_n(
                "Shot or angle of {n} reference was guessed; confirm with "
                "/character edit reference.",
                "Shot or angle of {n} references was guessed; confirm with "
                "/character edit reference.",
                guessed,
            )
        )
    card.small(plain(retell(coverage.advice), 300))
    return card.small(say("What would save the most tries: {command}", command="/character quests"))


def look_card(title: str, character: Character, look: Appearance, marks: Sequence[Mark]) -> Card:
    """A look with everything that is said of it."""
    card = Card(GOOD).heading(f"✅ {title}")
    card.text(f"{_who(character)}\n{_which(look)}")
    card.text(lines_within(_component_lines(look.components), 1200))
    if look.palette:
        shades = " ".join(f"`{code}`" for code in look.palette[:12])
        card.text(say("Palette: {colours}", colours=shades))
    if look.suggested:
        found = ", ".join(f"{k}={v}" for k, v in sorted(look.suggested.items()))
        suggested = say(
            "🔎 Suggested by the pictures, not confirmed: {found}", found=plain(found, 300)
        )
        advice = say(
            "Say {accept} or {drop} in {command}.",
            accept="`suggestions: accept`",
            drop="`suggestions: drop`",
            command="`/character edit`",
        )
        card.text(f"{suggested}\n{advice}")
    card.text(
        lines_within(
            (
                say(
                    "📍 {mark} on {reference} {side}",
                    mark=f"**{plain(m.name, 60)}**",
                    reference=f"#{m.reference_id}",
                    side=retell(m.side),
                ).rstrip()
                for m in marks
            ),
            600,
        )
    )
    notes = " · ".join(text for text in (character.notes, look.notes) if text)
    card.text(plain(notes, 500) if notes else "")
    terms = " · ".join(text for text in (character.credits, character.license) if text)
    return card.small(plain(terms, 300) if terms else "")


def _who(character: Character) -> str:
    height = say("height {ratio:g}", ratio=character.height_ratio)
    return (
        f"**{plain(character.name, 60)}** `{character.character_id}` · "
        f"{say(_KINDS[character.kind])} · {height}"
    )


def _which(look: Appearance) -> str:
    told = [
        say("Appearance {appearance}", appearance=f"`{look.appearance_id}`")
        + f" ({plain(look.label, 60)})",
        say("version {version}", version=look.version),
    ]
    if look.colorway:
        told.append(say("colourway {colorway}", colorway=plain(look.colorway, 60)))
    told.append(worn(look))
    return " · ".join(told)


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
        say_n(
            "{n} reference would move, {stay} would stay. Nothing is changed yet.",
            "{n} references would move, {stay} would stay. Nothing is changed yet.",
            len(preview.go),
            stay=len(preview.stay),
        )
    )
    if preview.proposal is not None:
        clear = preview.proposal.silhouette >= _CLEAR_GROUPS
        silhouette = preview.proposal.silhouette
        if clear:
            words = say(
                "The pictures form two clear groups (silhouette {value:.2f}).", value=silhouette
            )
        else:
            words = say(
                "The pictures form no clear groups: look twice (silhouette {value:.2f}).",
                value=silhouette,
            )
        card.text(words)
    return card.small(how)


def reshaped_card(title: str, done: "Reshaped") -> Card:
    """What was done, and what the check can do with the looks now."""
    card = Card(GOOD).heading(f"✅ {title}")
    card.text(say_n("{n} reference moved.", "{n} references moved.", done.moved))
    card.text(
        lines_within(
            (f"`{slug}`: {plain(retell(text), 300)}" for slug, text in done.readiness.items()), 1500
        )
    )
    return card.small(say("Take it back with {command}.", command="/appearance history undo:True"))


def wardrobe_card(wardrobe: "Wardrobe") -> Card:
    """Who wears what in a chapter; who has nothing to wear there comes with a warning."""
    where = place(wardrobe.place)
    title = say("🧥 Wardrobe of {place}", place=where) if where else say("🧥 Wardrobe")
    card = Card(NEUTRAL).heading(title)
    if not wardrobe.rows:
        return card.text(say("Nobody is registered yet. Add somebody: /character register."))
    card.text(lines_within(map(_worn_line, wardrobe.rows), 3000))
    if not where:
        card.small(
            say("No chapter is known: these are the first looks. Set it with /series settings.")
        )
    return card


def _worn_line(row: "Worn") -> str:
    name = plain(row.character.name, 60)
    if row.look is None:
        advice = "/appearance add" if row.looks else "/character add-reference"
        return say(
            "⚠️ {name} has nothing to wear there. Give them a look: {command}.",
            name=f"**{name}**",
            command=advice,
        )
    return f"**{name}**: `{row.look.appearance_id}`, {worn(row.look)}"


def history_card(character: str, events: Sequence[RegistryEvent]) -> Card:
    """Changes of a character's looks, newest first."""
    card = Card(NEUTRAL).heading(say("🕑 History of {name}", name=plain(character, 60)))
    if not events:
        return card.text(say("No look was edited, added, merged or split yet."))
    return card.text(lines_within(map(_event_line, events), 3000))


def _event_line(event: RegistryEvent) -> str:
    words = plain(retell(event.summary), 200)
    words = f"~~{words}~~ ({say('taken back')})" if event.undone_by else words
    when = int(event.created_at.timestamp())
    return f"{_ACTIONS[event.action]} {words} · <@{event.member_id}> <t:{when}:R>"


def imported_card(done: "Imported") -> Card:
    """A character came from a package."""
    card = Card(GOOD).heading(say("📦 {name} is in the cast", name=plain(done.character.name, 60)))
    looks = ", ".join(f"`{slug}`" for slug in done.looks[:6])
    references = say_n("{n} reference", "{n} references", done.references)
    card.text(f"`{done.character.character_id}` · {references} · {looks}")
    if done.renamed:
        card.text(say("The id was taken here, so it got a number."))
    terms = " · ".join(text for text in (done.character.credits, done.character.license) if text)
    card.text(plain(terms, 300) if terms else "")
    words = {
        "confirmed": mark("The fingerprints were made anew and are those of the package."),
        "other encoders": mark("The fingerprints were made anew with the encoders in use here."),
        "different": mark(
            "⚠️ The package's fingerprints were not those of its pictures; they were made anew."
        ),
    }
    return card.small(say(words[done.prints.value]))
