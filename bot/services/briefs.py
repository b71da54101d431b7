"""Turns what a person typed about a panel into rows and checked values."""

from bot.services.casting import pick_appearance
from pipeline.comics.script import parse_dialogue
from pipeline.domain.character import (
    Appearance,
    Character,
    MissingShot,
    Reference,
    ShotType,
)
from pipeline.domain.errors import InvalidInput, MissingReference, PromptConflict
from pipeline.domain.inputs import CastInput
from pipeline.domain.panel import DialogueLine
from pipeline.prompting.linter import Severity, lint_request
from pipeline.retrieval.rank import next_best
from storage import cast
from storage.database import Database

MAX_PROMPT = 1000
MAX_CAST = 4
MAX_PAGE = 9999


async def read_cast(
    db: Database, guild_id: int, characters: str, appearance: str | None
) -> list[tuple[Character, Appearance]]:
    """Names to rows, in the order typed. An appearance goes to the character that owns it."""
    names = [part.strip() for part in characters.split(",") if part.strip()]
    if not 1 <= len(names) <= MAX_CAST:
        raise InvalidInput(f"Name 1 to {MAX_CAST} characters with commas between them.")
    found = [await cast.find_character(db, guild_id, name) for name in names]
    if len({c.id for c in found}) != len(found):
        raise InvalidInput("A character is named twice. Name each one once.")
    wanted = [part.strip() for part in (appearance or "").split(",") if part.strip()]
    roles = [await _role(db, character, wanted, len(found)) for character in found]
    if wanted:
        names_left = ", ".join(wanted)
        raise InvalidInput(f"No character of this panel has the appearance “{names_left}”.")
    return roles


async def _role(
    db: Database, character: Character, wanted: list[str], cast_size: int
) -> tuple[Character, Appearance]:
    """Take the wanted appearance that is this character's, else its first one."""
    looks = await cast.list_appearances(db, character.guild_id, character.id)
    for name in wanted:
        for look in looks:
            if name.lower() in (look.appearance_id, look.label.lower()):
                wanted.remove(name)
                return character, look
    if wanted and cast_size == 1:
        # one character: its own error names the appearances that it has
        return character, await pick_appearance(db, character, wanted[0])
    return character, await pick_appearance(db, character, None)


async def preflight(
    db: Database,
    guild_id: int,
    roles: list[tuple[Character, Appearance]],
    shot: ShotType,
    missing_shot: MissingShot = MissingShot.WARN,
) -> tuple[str, ...]:
    """Every character has something to draw from; say where it is not ideal (source AF27).

    Returns:
        A warning for each character that lacks the planned shot, with its next best reference.

    Raises:
        MissingReference: a character has no picture at all, or lacks the planned shot in a
            series that does not take less.
    """
    warnings = []
    for character, look in roles:
        references = await cast.list_references(db, guild_id, look.id)
        if not references:
            raise MissingReference(
                f"{character.name} has no reference in {look.appearance_id}. Add one with "
                "/character add-reference."
            )
        wanted = {shot, ShotType.FULL} if shot is ShotType.DYNAMIC else {shot}
        if not wanted & {r.shot_type for r in references}:
            best = next_best(references, shot)
            warnings.append(
                f"{character.name} has no {shot.value} reference in {look.appearance_id}; the "
                f"next best is {described(best)}."
            )
    if warnings and missing_shot is MissingShot.BLOCK:
        raise MissingReference(
            f"{' '.join(warnings)} This series does not draw without one: add one with "
            "/character add-reference, or choose another shot_type."
        )
    return tuple(warnings)


def described(reference: Reference) -> str:
    """A reference by name: its number and what it shows."""
    shows = [reference.shot_type.value, reference.angle, reference.expression]
    canon = "" if reference.canon else ", an accepted panel"
    return f"reference {reference.id} ({', '.join(word for word in shows if word)}{canon})"


async def lint(
    db: Database,
    guild_id: int,
    prompt: str,
    roles: list[tuple[Character, Appearance]],
    token_limit: int | None,
) -> tuple[str, ...]:
    """Check a request against the model sheets; what is doubtful comes back as warnings.

    Raises:
        PromptConflict: it contradicts a locked look, cannot tell two characters apart, or is
            longer than the engine reads; the text says what to change.
    """
    names = [character.name for character in await cast.list_characters(db, guild_id)]
    findings = lint_request(
        prompt,
        [_without_pictures(character, look) for character, look in roles],
        known_names=names,
        token_limit=token_limit,
    )
    blocking = [f.text for f in findings if f.severity is Severity.BLOCK]
    if blocking:
        raise PromptConflict(" ".join(blocking[:3]))
    return tuple(f.text for f in findings if f.severity is Severity.WARN)


def _without_pictures(character: Character, look: Appearance) -> CastInput:
    """What the words of a request are compared with."""
    return CastInput(
        character_id=character.character_id,
        appearance_id=look.appearance_id,
        name=character.name,
        label=look.label,
        height_ratio=character.height_ratio,
        components=look.components,
        palette=look.palette,
        references=(),
    )


def read_prompt(text: str) -> str:
    """One line of 1 to 1000 characters."""
    prompt = " ".join(text.split())
    if not prompt:
        raise InvalidInput("Say what happens in the panel.")
    if len(prompt) > MAX_PROMPT:
        raise InvalidInput(f"The prompt has {len(prompt)} characters; {MAX_PROMPT} are allowed.")
    return prompt


def read_page(page: int | None) -> int | None:
    """A page number from 1 to 9999, or None."""
    if page is not None and not 1 <= page <= MAX_PAGE:
        raise InvalidInput(f"Page numbers go from 1 to {MAX_PAGE}.")
    return page


def read_dialogue(text: str, roles: list[tuple[Character, Appearance]]) -> tuple[DialogueLine, ...]:
    """Typed lines, spoken by the cast of the panel."""
    if not text.strip():
        return ()
    return parse_dialogue(text, [(c.character_id, c.name) for c, _ in roles])
