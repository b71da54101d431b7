"""A drawing that comes back: its layers, opened behind a door."""

import io
import json
import subprocess
import sys
import zipfile
from dataclasses import dataclass

from PIL import Image

from pipeline.comics.layered.unpacking import MAX_BYTES, About
from pipeline.domain.errors import InvalidPicture
from pipeline.domain.geometry import Size
from pipeline.imaging.decode import bare_environment, load_canonical

_MEMORY, _SECONDS = 3 << 30, 60.0
_DAMAGED = "That drawing is damaged or uses something that cannot be read here. Save it again."


@dataclass(frozen=True, slots=True, eq=False)
class ReturnedLayer:
    """A layer as it came back; ``picture`` (RGBA) is None where nothing is on it."""

    about: About
    picture: Image.Image | None


@dataclass(frozen=True, slots=True, eq=False)
class Returned:
    """A drawing as it came back, the lowest layer first."""

    size: Size
    layers: tuple[ReturnedLayer, ...]


def is_layered(data: bytes) -> bool:
    """Whether bytes claim to be a layered drawing that is read here."""
    return data[:4] == b"8BPS" or data[:2] == b"PK"


def open_returned(data: bytes) -> Returned:
    """Open an OpenRaster or PSD file in a child process with limits of memory and time.

    Raises:
        InvalidPicture: it is not taken; the text says why and what to send.
    """
    if len(data) > MAX_BYTES:
        raise InvalidPicture(f"That file is over {MAX_BYTES >> 20} MiB; flatten what you can.")
    try:
        done = subprocess.run(  # noqa: S603 - our own module, no foreign argument
            [sys.executable, "-P", "-m", "pipeline.comics.layered.unpacking", str(_MEMORY)],
            input=data,
            capture_output=True,
            timeout=_SECONDS,
            env=bare_environment(),
            check=True,
        )
    except subprocess.TimeoutExpired as error:
        raise InvalidPicture("That drawing took too long to open; flatten what you can.") from error
    except subprocess.CalledProcessError as error:
        raise InvalidPicture(_DAMAGED) from error
    return _read(done.stdout)


def _read(packed: bytes) -> Returned:
    with zipfile.ZipFile(io.BytesIO(packed)) as archive:
        names = archive.namelist()
        if "refused.txt" in names:
            raise InvalidPicture(archive.read("refused.txt").decode())
        listed = json.loads(archive.read("about.json"))
        layers = []
        for number, entry in enumerate(listed["layers"]):
            has_picture = entry.pop("picture")
            about = About(**{**entry, "folders": tuple(entry["folders"])})
            picture = None
            if has_picture:
                picture = load_canonical(archive.read(f"{number}.png")).convert("RGBA")
            layers.append(ReturnedLayer(about, picture))
    return Returned(Size(*listed["size"]), tuple(layers))
