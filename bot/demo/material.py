"""Reads the demo's cast and script from ``examples/``."""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.services.cast import Upload
from pipeline.domain.character import ReferenceKind, ShotType
from pipeline.domain.errors import NotFound

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@dataclass(frozen=True, slots=True)
class DemoAppearance:
    """One look: registered references, and art that was kept out of the registry."""

    appearance_id: str
    label: str
    components: Mapping[str, str]
    references: tuple[Upload, ...]
    held_out: tuple[Upload, ...]


@dataclass(frozen=True, slots=True)
class DemoCharacter:
    """A member of the demo's cast."""

    character_id: str
    name: str
    notes: str
    height_ratio: float
    appearances: tuple[DemoAppearance, ...]


@dataclass(frozen=True, slots=True)
class OffModelDrawing:
    """A picture of somebody else under a cast member's name."""

    upload: Upload
    claims: str
    why: str


@dataclass(frozen=True, slots=True)
class DemoMaterial:
    """Everything that the demo starts from."""

    characters: tuple[DemoCharacter, ...]
    off_model: tuple[OffModelDrawing, ...]
    script: str


def load_material(folder: Path = EXAMPLES) -> DemoMaterial:
    """Read cast and script.

    Raises:
        NotFound: the examples are not there, as in an installation without a checkout.
    """
    try:
        data = tomllib.loads((folder / "cast.toml").read_text(encoding="utf-8"))
        script = (folder / "script.txt").read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise NotFound(
            "The demo's cast and script are not here. Run the demo from a checkout of the project."
        ) from error
    return DemoMaterial(
        characters=tuple(_character(folder, entry) for entry in data["character"]),
        off_model=tuple(
            OffModelDrawing(_upload(folder, entry), entry["claims"], entry["why"])
            for entry in data["off_model"]
        ),
        script=script,
    )


def _character(folder: Path, entry: Mapping[str, Any]) -> DemoCharacter:
    return DemoCharacter(
        character_id=entry["character_id"],
        name=entry["name"],
        notes=entry["notes"],
        height_ratio=entry["height_ratio"],
        appearances=tuple(
            DemoAppearance(
                appearance_id=look["appearance_id"],
                label=look["label"],
                components=look["components"],
                references=tuple(_upload(folder, r) for r in look["references"]),
                held_out=tuple(_upload(folder, r) for r in look["held_out"]),
            )
            for look in entry["appearance"]
        ),
    )


def _upload(folder: Path, entry: Mapping[str, Any]) -> Upload:
    path = folder / entry["file"]
    return Upload(
        filename=path.name,
        data=path.read_bytes(),
        shot_type=ShotType(entry["shot_type"]),
        kind=ReferenceKind(entry.get("kind", "pose")),
        angle=entry.get("angle", ""),
        expression=entry.get("expression", ""),
    )
