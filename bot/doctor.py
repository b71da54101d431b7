"""Checks this machine: each line says what is there, or how to mend what is not."""

import importlib
import importlib.util
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.markup import escape

from bot.settings import Settings, load_settings, misspelt_variables
from pipeline.domain.errors import OnModelError

if TYPE_CHECKING:
    from pipeline.generation.generators.base import Generator

LEAST_FREE_BYTES = 1 << 30


class Health(StrEnum):
    """A warning leaves the studio usable; bad does not."""

    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Line:
    """One finding. ``mend`` is empty where nothing has to be done."""

    name: str
    health: Health
    found: str
    mend: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All findings."""

    lines: tuple[Line, ...]

    @property
    def usable(self) -> bool:
        """Whether the studio can run here."""
        return all(line.health is not Health.BAD for line in self.lines)

    def as_dict(self) -> dict[str, Any]:
        """Plain data for ``--json``."""
        return {"usable": self.usable, "checks": [asdict(line) for line in self.lines]}


def diagnose(env_file: Path | None = Path(".env")) -> Report:
    """Run every check; none of them changes anything."""
    lines = [_python(), *_sqlite()]
    try:
        settings = load_settings(env_file)
    except OnModelError as error:
        lines.append(Line("settings", Health.BAD, "not readable", str(error)))
        return Report(tuple(lines))
    lines += [*_settings(settings, env_file), *_engines(settings), *_index(settings)]
    lines += [_gpu(), _safety(), *_fonts(settings)]
    lines.append(_data_folder(settings.data_dir))
    return Report(tuple(lines))


def print_report(report: Report) -> None:
    """For people: one line a check, the remedy under it."""
    console = Console(highlight=False)
    signs = {
        Health.GOOD: "[green]✔[/green]",
        Health.WARNING: "[yellow]▲[/yellow]",
        Health.BAD: "[red]✘[/red]",
    }
    for line in report.lines:
        console.print(f"{signs[line.health]} {line.name:<16} {escape(line.found)}")
        if line.mend:
            console.print(f"  {'':<16} → {escape(line.mend)}", style="dim")
    console.print("\nReady." if report.usable else "\nNot usable yet: mend the lines with ✘.")


def _python() -> Line:
    version = ".".join(str(part) for part in sys.version_info[:3])
    return Line("python", Health.GOOD, version)


def _sqlite() -> Iterator[Line]:
    from storage.vector_support import vector_support

    yield Line("sqlite", Health.GOOD, sqlite3.sqlite_version)
    index, mend = vector_support()
    health = Health.WARNING if mend else Health.GOOD
    yield Line("vector index", health, index, mend or "")


def _settings(settings: Settings, env_file: Path | None) -> Iterator[Line]:
    for name, nearest in misspelt_variables(env_file=env_file).items():
        meant = f"Did you mean {nearest}?" if nearest else "See .env.example for the known ones."
        yield Line("settings", Health.WARNING, f"{name} is not a setting", meant)
    if settings.discord_token is None:
        yield Line(
            "discord token",
            Health.WARNING,
            "not set",
            "Put DISCORD_TOKEN into .env before `onmodel run`; everything else works without.",
        )
    else:
        yield Line("discord token", Health.GOOD, "set")


def _engines(settings: Settings) -> Iterator[Line]:
    from pipeline.fingerprints.registry import load_encoders
    from pipeline.generation.generators.registry import load_generator

    yield _try("encoders", lambda: ", ".join(str(e.key) for e in load_encoders(settings.encoders)))

    try:
        generator = load_generator(settings.generator, settings.engine_options())
    except OnModelError as error:
        yield Line("generator", Health.BAD, "not usable", str(error))
    else:
        yield Line("generator", Health.GOOD, f"{generator.name} {generator.version}")
        yield from _server(generator)
        yield from _weights(generator)
    if settings.executor == "ray":
        yield Line(
            "executor",
            Health.BAD,
            "ray is not available in this version",
            "Set ONMODEL_EXECUTOR=local.",
        )
    else:
        yield Line("executor", Health.GOOD, settings.executor)


def _weights(engine: "Generator") -> Iterator[Line]:
    """The weights that the engine in this process can use, and how to get what else it could."""
    from pipeline.generation.generators.diffusers import DiffusersGenerator

    if not isinstance(engine, DiffusersGenerator):
        return
    for what, found in engine.usable().items():
        yield Line(what, Health.GOOD, found)
    for what, mend in engine.missing().items():
        yield Line(what, Health.WARNING, "not here; the engine draws without", mend)


def _server(engine: "Generator") -> Iterator[Line]:
    """The server that draws, where the generator is one: who answers, and what it lacks."""
    from pipeline.generation.remote.served import Served

    if not isinstance(engine, Served):
        return
    name, where = f"{engine.name} server", engine.address.url
    if not engine.address.loopback:
        yield Line(
            f"{engine.name} address",
            Health.WARNING,
            f"{where} is another machine",
            "Prompts and reference pictures go there: use https or a network of your own.",
        )
    try:
        line = _try(name, engine.describe)
        yield replace(line, mend=f"{where}: {line.mend}") if line.mend else line
        if not line.mend:
            engine.check_server()
    except OnModelError as error:
        yield Line(
            f"{engine.name} models", Health.WARNING, "some panels lack something", str(error)
        )
    finally:
        engine.close()


def _index(settings: Settings) -> Iterator[Line]:
    """Whether all references were indexed with the encoders in use."""
    from bot.app import DATABASE_NAME
    from pipeline.fingerprints.composite import encoder_set
    from pipeline.fingerprints.hashes import HASH_VERSION
    from pipeline.fingerprints.registry import load_encoders
    from storage.indexing import read_index_state

    try:
        encoders = encoder_set(load_encoders(settings.encoders))
    except OnModelError:
        return  # said in the line about encoders
    state = read_index_state(settings.data_dir / DATABASE_NAME, encoders, HASH_VERSION)
    if state is None:
        return
    if state.done:
        yield Line("index", Health.GOOD, f"{state.references} references, all up to date")
    else:
        yield Line(
            "index",
            Health.WARNING,
            f"{state.stale} of {state.references} references were indexed with other encoders",
            "`onmodel run` indexes them anew in the background; old vectors serve meanwhile.",
        )


def _try(name: str, work: Callable[[], str]) -> Line:
    try:
        return Line(name, Health.GOOD, work())
    except OnModelError as error:
        return Line(name, Health.BAD, "not usable", str(error))


def _gpu() -> Line:
    if importlib.util.find_spec("torch") is None:
        return Line("gpu", Health.GOOD, "not needed by the draft generator; torch is not installed")
    torch: Any = importlib.import_module("torch")  # slow: only where somebody installed it
    if not torch.cuda.is_available():
        return Line("gpu", Health.WARNING, "torch sees none", "Panels are made on the CPU.")
    return Line("gpu", Health.GOOD, torch.cuda.get_device_name(0))


def _safety() -> Line:
    """Which pictures a classifier looks at, and which none does."""
    from pipeline.safety.raters import load_raters

    sees = [rater.name for rater in load_raters()]
    if "photos" in sees:
        return Line("safety", Health.GOOD, "classifiers for drawings and photographs")
    mend = "Where people hand in photographs: pip install 'onmodel[safety]'."
    return Line("safety", Health.GOOD, "a classifier for drawings; none for photographs", mend)


def _fonts(settings: Settings) -> Iterator[Line]:
    """Which scripts can be lettered, and what the others need."""
    from pipeline.comics import fallback
    from pipeline.comics.fonts import FontStyle, covered_scripts, font_path, use_font_folder

    use_font_folder(settings.data_dir / "fonts")
    covered = covered_scripts()
    written = ", ".join(script for script, there in covered.items() if there)
    lacking = [script for script, there in covered.items() if not there]
    found = f"{font_path(FontStyle.REGULAR).stem}; letters {written}"
    if not lacking:
        yield Line("fonts", Health.GOOD, found)
        return
    mend = " ".join(dict.fromkeys(fallback.remedy(script) for script in lacking))
    yield Line("fonts", Health.WARNING, f"{found}; not {', '.join(lacking)}", mend)


def _data_folder(folder: Path) -> Line:
    existing = next(p for p in (folder, *folder.resolve().parents) if p.exists())
    if not os.access(existing, os.W_OK):
        return Line(
            "data folder",
            Health.BAD,
            f"{folder} cannot be written",
            "Set ONMODEL_DATA_DIR to a folder of yours.",
        )
    free = shutil.disk_usage(existing).free
    if free < LEAST_FREE_BYTES:
        return Line(
            "data folder",
            Health.WARNING,
            f"{folder}, {free // 2**20} MiB free",
            "Make room: pictures are kept until somebody deletes them.",
        )
    return Line("data folder", Health.GOOD, f"{folder}, {free // 2**30} GiB free")
