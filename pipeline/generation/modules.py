"""The trained identities of a host: LoRAs and textual inversions in a folder, by look.

The folder holds one folder for each server, named by its id, so that no server can draw with what
was trained for another. In it, ``<appearance_id>.safetensors`` is a LoRA for that look, and
``<appearance_id>.<word>.safetensors`` a LoRA or a textual inversion that answers to a word. Which
of the two a file is, is read from the names of its tensors. Only safetensors are looked at.
"""

import hashlib
import json
import re
from functools import lru_cache
from pathlib import Path

from pipeline.domain.conditioning import ModuleKind, ModuleUse

LORA_SCALE = 0.8
"""How strongly a LoRA acts unless the plan says otherwise; 1 is what it was trained at."""
LARGEST_MODULE = 4 << 30
"""Bytes: an identity takes megabytes, a whole model has no place here."""
_LARGEST_HEADER = 16 << 20
_NAME = re.compile(r"(?P<look>[\w-]+)(?:\.(?P<word>[^./\\]{1,60}))?\.safetensors")


class ModuleShelf:
    """Reads the folder anew each time: a file that is laid in counts from the next panel on."""

    def __init__(self, folder: Path | None) -> None:
        self._folder = folder

    def of(self, guild_id: int, appearance_id: str) -> tuple[ModuleUse, ...]:
        """What was trained for a look of a server, LoRAs first."""
        found = []
        for path in self._files(str(guild_id)):
            name = _NAME.fullmatch(path.name)
            kind = _kind_of(path)
            if name is None or name["look"] != appearance_id or kind is None:
                continue
            scale = LORA_SCALE if kind is ModuleKind.LORA else 1.0
            found.append(
                ModuleUse(
                    kind=kind,
                    appearance_id=appearance_id,
                    sha256=sha256_of(path),
                    scale=scale,
                    why=f"trained for {appearance_id}",
                    trigger=name["word"] or "",
                )
            )
        return tuple(sorted(found, key=lambda use: (use.kind is not ModuleKind.LORA, use.trigger)))

    def find(self, sha256: str) -> Path | None:
        """The file with this content, of any server; None where it is gone."""
        return next((p for p in self._files("*") if sha256_of(p) == sha256), None)

    def remove(self, guild_id: int, appearance_id: str | None = None) -> int:
        """Delete what was trained for a look of a server, or for all; returns how many files."""
        gone = 0
        for path in self._files(str(guild_id), largest=None):
            name = _NAME.fullmatch(path.name)
            look = name["look"] if name is not None else None
            if appearance_id is None or look == appearance_id:
                path.unlink(missing_ok=True)
                gone += 1
        return gone

    def _files(self, server: str, largest: int | None = LARGEST_MODULE) -> list[Path]:
        if self._folder is None:
            return []
        found = self._folder.glob(f"{server}/*.safetensors")
        files = (p for p in found if p.is_file())
        return sorted(p for p in files if largest is None or p.stat().st_size <= largest)


def sha256_of(path: Path) -> str:
    """The sha256 of a file, 64 hex digits; read again only when the file has changed."""
    stat = path.stat()
    return _digest(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=512)
def _digest(path: Path, _size: int, _changed: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _kind_of(path: Path) -> ModuleKind | None:
    """What a file holds by the names of its tensors; None where it cannot be read.

    Source: the safetensors format, whose first eight bytes are the length of a JSON header.
    """
    try:
        with path.open("rb") as stream:
            length = int.from_bytes(stream.read(8), "little")
            if not 2 <= length <= _LARGEST_HEADER:
                return None
            names = [n for n in json.loads(stream.read(length)) if n != "__metadata__"]
    except (OSError, ValueError, TypeError):
        return None
    if any("lora" in name.lower() for name in names):
        return ModuleKind.LORA
    return ModuleKind.TEXTUAL_INVERSION if 1 <= len(names) <= 2 else None
