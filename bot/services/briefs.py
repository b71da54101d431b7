"""Turns what a person typed about a panel into rows and checked values."""

from collections.abc import Sequence

from bot.services.casting import pick_appearance
from bot.services.consent import require_consent
from pipeline.comics.dialogue import parse_dialogue
from pipeline.domain.character import (
    Appearance,
    Character,
    MissingShot,
    Reference,
    Series,
    ShotType,
)
from pipeline.domain.errors import InvalidInput, MissingReference, PromptConflict
from pipeline.domain.inputs import CastInput
from pipeline.domain.panel import DialogueLine
from pipeline.domain.story import LAST_PAGE, StoryPlace, look_in
from pipeline.prompting.linter import Finding, Severity, lint_request
from pipeline.prompting.wardrobe import lint_unplaced, lint_wardrobe
from pipeline.retrieval.rank import next_best
from storage import cast, panels
from storage.database import Database

MAX_PROMPT = 1000
MAX_CAST = 4
NOWHERE = StoryPlace()

Role = tuple[Character, Appearance]


async def read_cast(
    db: Database,
    guild_id: int,
    characters: str,
    appearance: str | None,
    place: StoryPlace = NOWHERE,
) -> list[Role]:
    """Names to rows, in the order typed. An appearance goes to the character that owns it.

    Who has none named wears what is worn at ``place``, see :func:`pipeline.domain.story.look_in`.

    Raises:
        NotFound: a character or an appearance does not exist.
        InvalidInput: too many names, a name twice, or an appearance of nobody here.
        ConsentMissing: a character shows a real person who does not agree.
    """
    names = [part.strip() for part in characters.split(",") if part.strip()]
    if not 1 <= len(names) <= MAX_CAST:
        raise InvalidInput(f"Name 1 to {MAX_CAST} characters with commas between them.")
    found = [await cast.find_character(db, guild_id, name) for name in names]
    if len({c.id for c in found}) != len(found):
        raise InvalidInput("A character is named twice. Name each one once.")
    wanted = [part.strip() for part in (appearance or "").split(",") if part.strip()]
    roles = [await _role(db, character, wanted, len(found), place) for character in found]
    if wanted:
        names_left = ", ".join(wanted)
        raise InvalidInput(f"No character of this panel has the appearance “{names_left}”.")
    await require_consent(db, guild_id, [character.character_id for character in found])
    return roles


async def _role(
    db: Database, character: Character, wanted: list[str], cast_size: int, place: StoryPlace
) -> Role:
    """Take the wanted appearance that is this character's, else what is worn at the place.

    Where nothing is worn there, the first one: :func:`lint_looks` says what to do about it.
    """
    looks = await cast.list_appearances(db, character.guild_id, character.id)
    for name in wanted:
        for look in looks:
            if name.lower() in (look.appearance_id, look.label.lower()):
                wanted.remove(name)
                return character, look
    if wanted and cast_size == 1:
        # one character: its own error names the appearances that it has
        return character, await pick_appearance(db, character, wanted[0])
    usual = look_in(looks, place)
    return character, usual or await pick_appearance(db, character, None)


async def place_of(
    db: Database, series: Series, chapter: int | None, page: int | None
) -> StoryPlace:
    """Where a panel plays: the chapter that was said, else its page's, else the series' own.

    Raises:
        InvalidInput: chapter or page are out of their limits.
    """
    page = read_page(page)
    if chapter is not None and not 1 <= chapter <= LAST_PAGE:
        raise InvalidInput(f"Chapters go from 1 to {LAST_PAGE}.")
    if chapter is None and page is not None:
        told = await panels.chapters_on_page(db, series.guild_id, series.id, page)
        chapter = told[0] if told else None
    return StoryPlace(series.chapter if chapter is None else chapter, page)


async def preflight(
    db: Database,
    guild_id: int,
    roles: list[Role],
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
    roles: list[Role],
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
    return _passed(findings)


async def lint_looks(
    db: Database, roles: Sequence[Role], place: StoryPlace, *, named: bool
) -> tuple[str, ...]:
    """Check what the cast wears against the place in the story; doubts come back as warnings.

    ``named`` says that the looks were asked for by name.

    Raises:
        PromptConflict: a look is not worn there; the text says what to do.
    """
    findings = []
    for character, look in roles:
        looks = await cast.list_appearances(db, character.guild_id, character.id)
        if place.chapter is not None:
            findings.append(lint_wardrobe(character.name, look, looks, place))
        elif not named:
            findings.append(lint_unplaced(character.name, look, looks))
    return _passed([finding for finding in findings if finding is not None])


def _passed(findings: Sequence[Finding]) -> tuple[str, ...]:
    """The warnings among findings, where none of them blocks.

    Raises:
        PromptConflict: one does.
    """
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
    if page is not None and not 1 <= page <= LAST_PAGE:
        raise InvalidInput(f"Page numbers go from 1 to {LAST_PAGE}.")
    return page


def read_dialogue(text: str, roles: list[Role]) -> tuple[DialogueLine, ...]:
    """Typed lines, spoken by the cast of the panel."""
    if not text.strip():
        return ()
    return parse_dialogue(text, [(c.character_id, c.name) for c, _ in roles])
