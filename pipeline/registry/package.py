"""The ``.onmodel`` file: a character with its pictures, in a zip that is opened with care.

``character.json`` is the canonical record, ``references/<sha256>.png`` are the canonical pictures,
``fingerprints.json`` holds their vectors with the encoders that made them, and ``CREDITS.txt``
says in words whose art it is. Nothing else may be inside.
"""

import base64
import binascii
import io
import json
import re
import zipfile
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from pipeline.domain.character import ColorMode
from pipeline.domain.errors import InvalidInput, LimitReached
from pipeline.domain.fingerprint import CropClass, Embedding, EncoderKey, Fingerprint
from pipeline.imaging.decode import MAX_BYTES
from pipeline.registry.record import CharacterRecord, canonical_text, read_record

SUFFIX = ".onmodel"
MAX_PACKAGE_BYTES = 64 * 1024 * 1024
MAX_PICTURES = 240
MAX_TEXT_BYTES = 8 * 1024 * 1024
MAX_UNPACKED = 256 * 1024 * 1024

_RECORD, _PRINTS, _CREDITS = "character.json", "fingerprints.json", "CREDITS.txt"
_PICTURE = re.compile(r"references/([0-9a-f]{64})\.png")
_EPOCH = (1980, 1, 1, 0, 0, 0)
_ENCRYPTED = 0x1
_TAKEN_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_NO_PACKAGE = "This file is no Onmodel character package. Export one with /character export."
_DAMAGED = "The package is damaged or cut off. Export the character again and send that."

Prints = Mapping[str, tuple[Fingerprint, ...]]
"""Fingerprints by the sha256 of their picture."""


@dataclass(frozen=True, slots=True, eq=False)
class Package:
    """What a package holds. ``pictures`` are bytes from outside: they go through the door."""

    record: CharacterRecord
    pictures: Mapping[str, bytes]
    prints: Prints


def write_package(package: Package) -> bytes:
    """Pack a character; the same character gives the same bytes."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        _add(archive, _RECORD, canonical_text(package.record).encode())
        _add(archive, _PRINTS, _prints_text(package.prints).encode())
        _add(archive, _CREDITS, _credits(package.record).encode())
        for sha256 in sorted(package.pictures):
            _add(archive, f"references/{sha256}.png", package.pictures[sha256], deflate=False)
    return out.getvalue()


def read_package(data: bytes) -> Package:
    """Unpack a character from outside, within limits; nothing is written to disk.

    Raises:
        InvalidInput: no package, a damaged one, one with files that do not belong there, or one
            of another version.
        LimitReached: too large, or too many files.
    """
    if len(data) > MAX_PACKAGE_BYTES:
        raise LimitReached(
            f"The package has {len(data) / 2**20:.0f} MiB; "
            f"{MAX_PACKAGE_BYTES // 2**20} are allowed."
        )
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return _read(archive)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError) as error:
        words = _NO_PACKAGE if isinstance(error, zipfile.BadZipFile) else _DAMAGED
        raise InvalidInput(words) from error
    except (UnicodeError, ValueError, RuntimeError) as error:
        raise InvalidInput(_DAMAGED) from error


def _read(archive: zipfile.ZipFile) -> Package:
    entries = _checked_entries(archive)
    left = MAX_UNPACKED
    contents: dict[str, bytes] = {}
    for name, info in entries.items():
        most = min(left, MAX_BYTES if _PICTURE.fullmatch(name) else MAX_TEXT_BYTES)
        contents[name] = _unpacked(archive, info, most)
        left -= len(contents[name])
    record = read_record(contents[_RECORD].decode("utf-8"))
    pictures = {m[1]: contents[n] for n in contents if (m := _PICTURE.fullmatch(n))}
    prints = _read_prints(contents.get(_PRINTS, b"{}").decode("utf-8"))
    wanted = {r.reference.sha256 for look in record.looks for r in look.references}
    if wanted != set(pictures):
        raise InvalidInput("The package's pictures are not those that it describes. Export again.")
    return Package(record, pictures, prints)


def _checked_entries(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The members by name, after looking at names, numbers and kinds only."""
    infos = archive.infolist()
    if len(infos) > MAX_PICTURES + 3:
        raise LimitReached(f"The package holds {len(infos)} files; {MAX_PICTURES} are allowed.")
    entries: dict[str, zipfile.ZipInfo] = {}
    for info in infos:
        allowed = info.filename in (_RECORD, _PRINTS, _CREDITS) or _PICTURE.fullmatch(info.filename)
        if not allowed or info.filename in entries:
            raise InvalidInput(
                f"The package holds “{info.filename[:60]}”, which does not belong there."
            )
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _TAKEN_METHODS:
            raise InvalidInput("The package is packed in a way that is not taken. Export it again.")
        entries[info.filename] = info
    if _RECORD not in entries:
        raise InvalidInput(_NO_PACKAGE)
    return entries


def _unpacked(archive: zipfile.ZipFile, info: zipfile.ZipInfo, most: int) -> bytes:
    """A member's bytes, read no further than its limit whatever its header claims."""
    with archive.open(info) as member:
        data = member.read(most + 1)
    if len(data) > most:
        raise LimitReached(
            f"“{info.filename[:60]}” is larger than {most / 2**20:.0f} MiB when unpacked."
        )
    return data


def _add(archive: zipfile.ZipFile, name: str, data: bytes, *, deflate: bool = True) -> None:
    info = zipfile.ZipInfo(name, _EPOCH)
    info.compress_type = zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED
    info.external_attr = 0o644 << 16
    archive.writestr(info, data)


def _credits(record: CharacterRecord) -> str:
    character = record.character
    return (
        f"{character.name} ({character.character_id})\n"
        f"Credits: {character.credits or 'not stated'}\n"
        f"Licence: {character.license or 'not stated; ask before you publish'}\n"
    )


def _prints_text(prints: Prints) -> str:
    data = {
        sha256: [
            {
                "encoder": str(one.embedding.encoder),
                "crop": one.crop.value,
                "color_mode": one.color_mode.value,
                "vector": base64.b64encode(one.embedding.vector.astype("<f4").tobytes()).decode(),
            }
            for one in several
        ]
        for sha256, several in prints.items()
    }
    return json.dumps(data, sort_keys=True)


def _read_prints(text: str) -> Prints:
    try:
        data = json.loads(text)
        return {sha256: tuple(_prints(several)) for sha256, several in data.items()}
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError,
            binascii.Error) as error:  # fmt: skip
        raise InvalidInput(_DAMAGED) from error


def _prints(several: Iterable[Mapping[str, str]]) -> Iterable[Fingerprint]:
    for one in several:
        vector = np.frombuffer(base64.b64decode(one["vector"], validate=True), "<f4")
        embedding = Embedding(vector.astype(np.float32), EncoderKey.parse(one["encoder"]))
        yield Fingerprint(CropClass(one["crop"]), ColorMode(one["color_mode"]), embedding)
