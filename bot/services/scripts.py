"""Scripts: handed in, looked through, drafted as a storyboard, made into panels."""

import asyncio
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from enum import StrEnum

from bot.services.actor import Actor
from bot.services.casting import cast_input, resolve_role
from bot.services.intake import Requested
from bot.services.naming import slug
from bot.services.panels import PanelRequest, PanelService
from pipeline.comics.dialogue import format_dialogue
from pipeline.comics.formats import format_named, spec_of
from pipeline.domain.character import ReadingDirection, Series
from pipeline.domain.errors import AlreadyExists, InvalidInput, LimitReached
from pipeline.domain.inputs import CastInput, PanelInputs
from pipeline.domain.panel import PanelBrief, Staging
from pipeline.generation.generators.draft import DraftGenerator
from pipeline.prompting.wordlist import find_blocked
from pipeline.script.document import Script
from pipeline.script.lint import KnownCast, KnownCharacter, lint_script
from pipeline.script.reading import MAX_BYTES, Problem, Severity, read_script
from pipeline.script.resolve import ResolvedPanel, resolve
from pipeline.script.storyboard import DraftedPage, draft_page
from pipeline.script.writing import write_json, write_plain, write_yaml
from storage import cast, references, scripts, series, wordlists
from storage.blobs import BlobStore
from storage.database import Database

MAX_STORYBOARD = 60
"""Pages of one storyboard: a minute of drafting on two cores."""


class ScriptForm(StrEnum):
    """The forms in which a script can be had back."""

    PLAIN = "plain"
    YAML = "yaml"
    JSON = "json"


_WRITERS = {
    ScriptForm.PLAIN: (write_plain, ".txt"),
    ScriptForm.YAML: (write_yaml, ".yaml"),
    ScriptForm.JSON: (write_json, ".json"),
}


@dataclass(frozen=True, slots=True)
class ScriptPreview:
    """What was understood. ``id`` is None where errors of form kept it from being kept."""

    id: int | None
    script: Script | None
    problems: tuple[Problem, ...]

    @property
    def ready(self) -> bool:
        """Whether panels can be made of it."""
        wrong = any(problem.severity is Severity.ERROR for problem in self.problems)
        return self.script is not None and not wrong


@dataclass(frozen=True, slots=True)
class Produced:
    """What became of a script's panels; ``stopped`` says why not all were asked for."""

    requested: tuple[Requested, ...]
    known: int
    stopped: str = ""


class ScriptService:
    """Everything that happens between a writer's text and the queue."""

    def __init__(self, db: Database, blobs: BlobStore, panel_service: PanelService) -> None:
        self._db = db
        self._blobs = blobs
        self._panels = panel_service
        # one storyboard keeps a core busy
        self._drafting = asyncio.Semaphore(1)

    async def take(self, actor: Actor, data: bytes) -> ScriptPreview:
        """Read a script and keep it where its form is right; nothing is drawn yet.

        Raises:
            InvalidInput: it is empty, too large, or no UTF-8 text.
            NotFound: the guild has no series.
        """
        if len(data) > MAX_BYTES:
            raise InvalidInput("The script is larger than 1 MiB; split it into several.")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise InvalidInput(
                "The script is no UTF-8 text. Save it as plain text (UTF-8) and send it again."
            ) from error
        comic = await cast.active_series(self._db, actor.guild_id)
        script, problems = await self._read(comic, text)
        if script is None:
            return ScriptPreview(None, None, problems)
        sha256 = await self._blobs.put(actor.guild_id, text.encode())
        script_id = await self._db.write(
            lambda tx: scripts.add_script(
                tx,
                guild_id=actor.guild_id,
                series_id=comic.id,
                title=script.title,
                sha256=sha256,
                imported_by=actor.member_id,
                now=datetime.now(UTC),
            )
        )
        return ScriptPreview(script_id, script, problems)

    async def preview(self, actor: Actor, script_id: int) -> ScriptPreview:
        """A kept script, with its problems as the registry is now.

        Raises:
            NotFound: the guild has no such script.
        """
        script, problems, _ = await self._kept(actor, script_id)
        return ScriptPreview(script_id, script, problems)

    async def known(self, actor: Actor) -> list[scripts.ScriptRecord]:
        """The guild's latest scripts, newest first."""
        return await scripts.list_scripts(self._db, actor.guild_id)

    async def export(self, actor: Actor, script_id: int, form: ScriptForm) -> tuple[str, bytes]:
        """The script as a file, in any of its forms; reading it gives the same script.

        Raises:
            NotFound: the guild has no such script.
        """
        script, _, _ = await self._kept(actor, script_id)
        write, ending = _WRITERS[form]
        return slug(script.title) + ending, write(script).encode()

    async def storyboard(self, actor: Actor, script_id: int) -> list[DraftedPage]:
        """Draft every page; what they show is kept for the final panels.

        Raises:
            NotFound: the guild has no such script.
            InvalidInput: the script has errors, or too many pages for one storyboard.
            MissingReference: somebody has no picture to draft from.
        """
        script, problems, comic = await self._kept(actor, script_id)
        _require_ready(problems)
        if len(script.pages) > MAX_STORYBOARD:
            raise InvalidInput(
                f"A storyboard has at most {MAX_STORYBOARD} pages and this script "
                f"{len(script.pages)}. Hand it in chapter by chapter."
            )
        inputs = await self._inputs(comic, script)
        stopped = threading.Event()
        async with self._drafting:
            try:
                drafted = await asyncio.to_thread(_draft_all, script, inputs, comic, stopped)
            finally:
                stopped.set()
        stagings: dict[scripts.Place, tuple[str, Staging]] = {}
        for page, sketched in zip(script.pages, drafted, strict=True):
            for k, panel in enumerate(page.panels):
                sketch = await self._blobs.put(actor.guild_id, sketched.drafts[k])
                stagings[page.number, panel.number] = (sketch, sketched.stagings[k])
        await self._db.write(
            lambda tx: scripts.put_stagings(
                tx, guild_id=actor.guild_id, script_id=script_id, stagings=stagings
            )
        )
        return drafted

    async def produce(self, actor: Actor, script_id: int, *, channel_id: int | None) -> Produced:
        """Ask for every panel that was not asked for yet, in reading order.

        A quota stops it; asking again later goes on where it stopped.

        Raises:
            NotFound: the guild has no such script.
            InvalidInput: the script has errors.
        """
        script, problems, comic = await self._kept(actor, script_id)
        _require_ready(problems)
        stagings = await scripts.stagings_of(self._db, actor.guild_id, script_id)
        made: list[Requested] = []
        known = 0
        chapter = script.chapter or comic.chapter
        for one in resolve(script, await self._cast(comic), chapter=comic.chapter or 1):
            request = _request(one, chapter)
            if sketch := stagings.get((one.page, one.number)):
                picture = await self._blobs.get(actor.guild_id, sketch[0])
                request = replace(request, sketch=picture, staging=sketch[1])
            key = f"script:{script_id}:{one.page}:{one.number}"
            try:
                made.append(
                    await self._panels.request(
                        actor, request, channel_id=channel_id, dedupe_key=key
                    )
                )
            except AlreadyExists:
                known += 1
            except LimitReached as error:
                return Produced(tuple(made), known, str(error))
        return Produced(tuple(made), known)

    # --- inside ---------------------------------------------------------------------------

    async def _kept(
        self, actor: Actor, script_id: int
    ) -> tuple[Script, tuple[Problem, ...], Series]:
        record = await scripts.get_script(self._db, actor.guild_id, script_id)
        comic = await series.get_series(self._db, actor.guild_id, record.series_id)
        text = (await self._blobs.get(actor.guild_id, record.sha256)).decode()
        script, problems = await self._read(comic, text)
        assert script is not None, "only what can be read is kept"
        return script, problems, comic

    async def _read(self, comic: Series, text: str) -> tuple[Script | None, tuple[Problem, ...]]:
        known = await self._cast(comic)
        unwanted = await wordlists.blocked_words(self._db, comic.guild_id)

        def look_through() -> tuple[Script | None, tuple[Problem, ...]]:
            reading = read_script(text)
            found = lint_script(reading, known, chapter=comic.chapter or 1)
            blocked = _blocked(text, unwanted)
            return reading.script, (*reading.problems, *found, *blocked)

        return await asyncio.to_thread(look_through)

    async def _cast(self, comic: Series) -> KnownCast:
        people = await cast.list_characters(self._db, comic.guild_id)
        shots = await references.shots_of(self._db, comic.guild_id)
        known = [
            KnownCharacter(
                person.character_id,
                person.name,
                tuple(await cast.list_appearances(self._db, comic.guild_id, person.id)),
                shots,
            )
            for person in people
        ]
        return KnownCast(known)

    async def _inputs(self, comic: Series, script: Script) -> Mapping[scripts.Place, PanelInputs]:
        """What drafting needs, read once for each look."""
        members = dict[str, CastInput]()
        found: dict[scripts.Place, PanelInputs] = {}
        for one in resolve(script, await self._cast(comic), chapter=comic.chapter or 1):
            for role in one.roles:
                if role.appearance_id not in members:
                    rows = await resolve_role(self._db, comic.guild_id, role)
                    member = await cast_input(self._db, self._blobs, *rows)
                    members[role.appearance_id] = member
            found[one.page, one.number] = PanelInputs(
                panel_id=len(found) + 1,
                brief=PanelBrief(
                    prompt=one.prompt,
                    cast=one.roles,
                    shot_type=one.panel.shot,
                    color_mode=comic.color_mode,
                    dialogue=one.dialogue,
                    page=one.page,
                    weight=one.panel.weight,
                ),
                cast=tuple(members[role.appearance_id] for role in one.roles),
                style=comic.style,
            )
        return found


def _request(one: ResolvedPanel, chapter: int | None) -> PanelRequest:
    return PanelRequest(
        batch=True,
        characters=",".join(role.character_id for role in one.roles),
        appearance=",".join(role.appearance_id for role in one.roles),
        prompt=one.prompt,
        shot_type=one.panel.shot,
        page=one.page,
        chapter=chapter,
        weight=one.panel.weight,
        dialogue=format_dialogue(one.dialogue),
    )


def _require_ready(problems: tuple[Problem, ...]) -> None:
    wrong = [problem for problem in problems if problem.severity is Severity.ERROR]
    if wrong:
        raise InvalidInput(
            f"The script cannot be drawn yet. Line {wrong[0].line}: {wrong[0].text} Mend it and "
            "hand it in again with /script import."
        )


def _draft_all(
    script: Script,
    inputs: Mapping[scripts.Place, PanelInputs],
    comic: Series,
    stopped: threading.Event,
) -> list[DraftedPage]:
    engine = DraftGenerator()
    spec = spec_of(
        format_named(comic.page_format),
        _direction(script, comic),
        comic.color_mode,
        title=f"{script.title} · storyboard",
    )
    return [
        draft_page(
            page.number,
            [inputs[page.number, panel.number] for panel in page.panels],
            spec,
            engine,
            stopped.is_set,
        )
        for page in script.pages
    ]


def _direction(script: Script, comic: Series) -> ReadingDirection:
    return script.direction if "direction" in script.model_fields_set else comic.reading_direction


def _blocked(text: str, words: Sequence[str]) -> Iterator[Problem]:
    """Lines with words that the server does not want."""
    present = [word for word in words if find_blocked(text, (word,)) is not None]
    for number, line in enumerate(text.splitlines(), start=1):
        word = find_blocked(line, present)
        if word is not None:
            told = f"“{word.strip('*')}” is on the list of words that this server does not want."
            yield Problem(number, "blocked-word", told)
