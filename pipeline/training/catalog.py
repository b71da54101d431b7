"""Folders of drawn characters with known identity: ``DIR/<source>/<identity>/<variant>.png``."""

import csv
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, UnidentifiedImageError

from pipeline.domain.errors import InvalidInput

_SUFFIXES = frozenset({".png", ".webp"})
MANIFEST = "manifest.csv"


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture of one identity.

    Attributes:
        path: the file.
        source: the art it comes from; identities are compared inside one source only.
        identity: ``source/name``, unique over all sources.
        variant: which picture of the identity.
        kinds: what varies against the others (``expression``, ``pose``, ``outfit`` …).
        outfit: a label of what is worn, or "".
        lookalike_of: the identity that differs in exactly one attribute, or "".
        role: ``ref``, ``query`` or "".
        split: ``train``, ``val``, ``test`` …, or "" without a manifest.
        licence: as the manifest states it, or "".
        pose: a name of the pose that all drawings of the source share, or "".
    """

    path: Path
    source: str
    identity: str
    variant: str
    kinds: frozenset[str] = frozenset()
    outfit: str = ""
    lookalike_of: str = ""
    role: str = ""
    split: str = ""
    licence: str = ""
    pose: str = ""

    @property
    def family(self) -> str:
        """The identity that this one and its lookalikes share, for splitting by family."""
        return self.lookalike_of or self.identity


def read_catalog(folder: Path) -> list[Drawing]:
    """List the drawings of a folder, in a stable order.

    With a ``manifest.csv`` (columns path, source, identity, variant and, if known, kind, outfit,
    lookalike_of, role, split, licence, pose) its rows are taken, else the folder is walked.

    Raises:
        InvalidInput: there is no folder, no picture in it, or a listed file is missing.
    """
    if not folder.is_dir():
        raise InvalidInput(f"There is no folder {folder}. Name one that holds drawings.")
    manifest = folder / MANIFEST
    found = _listed(manifest) if manifest.is_file() else _walked(folder)
    if not found:
        raise InvalidInput(
            f"No drawings are in {folder}. Expected are files like SOURCE/IDENTITY/VARIANT.png."
        )
    missing = next((one.path for one in found if not one.path.is_file()), None)
    if missing is not None:
        raise InvalidInput(f"{MANIFEST} lists {missing}, which does not exist.")
    return found


def of_splits(drawings: Iterable[Drawing], splits: Iterable[str]) -> list[Drawing]:
    """Those that belong to one of the splits; drawings without a split belong to all."""
    wanted = set(splits)
    return [one for one in drawings if not one.split or one.split in wanted]


def open_drawing(drawing: Drawing) -> Image.Image:
    """The picture, RGBA.

    Raises:
        InvalidInput: the file is no picture.
    """
    try:
        with Image.open(drawing.path) as image:
            return image.convert("RGBA")
    except (UnidentifiedImageError, OSError, SyntaxError) as error:
        raise InvalidInput(f"{drawing.path} cannot be read as a picture.") from error


def _listed(manifest: Path) -> list[Drawing]:
    with manifest.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    needed = {"path", "source", "identity", "variant"}
    if rows and not needed <= set(rows[0]):
        raise InvalidInput(f"{manifest} needs the columns {', '.join(sorted(needed))}.")
    return [_drawing(manifest.parent, row) for row in rows]


def _drawing(folder: Path, row: Mapping[str, str]) -> Drawing:
    def cell(name: str) -> str:
        return (row.get(name) or "").strip()

    return Drawing(
        path=folder / cell("path"),
        source=cell("source"),
        identity=cell("identity"),
        variant=cell("variant"),
        kinds=frozenset(part for part in cell("kind").split(",") if part),
        outfit=cell("outfit"),
        lookalike_of=cell("lookalike_of"),
        role=cell("role"),
        split=cell("split"),
        licence=cell("licence"),
        pose=cell("pose"),
    )


def _walked(folder: Path) -> list[Drawing]:
    paths = sorted(p for p in folder.glob("*/*/*") if p.suffix.lower() in _SUFFIXES)
    return [
        Drawing(
            path,
            source=path.parent.parent.name,
            identity=f"{path.parent.parent.name}/{path.parent.name}",
            variant=path.stem,
        )
        for path in paths
    ]
