"""Faces drawn in the manner of anime, with the colours of hair, skin and eyes: an optional lens.

The detector of the package ``animeface`` (Apache-2.0) is native code that may crash, so it runs in
a process of its own. It knows faces with large eyes and is blind to most others, so what it does
not see says nothing.
"""

import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from PIL import Image

from pipeline.domain.errors import SettingsError
from pipeline.domain.geometry import Box
from pipeline.imaging.fit import fit_within

_CHILD = Path(__file__).with_name("drawn_faces_child.py")
_SIDE = 512
_SECONDS = 30.0
LIKELY = 0.9
"""Least likelihood of a face that colours are taken from. Source: of 76 pictures in 19 flat styles,
where it is out of its depth, it sees a face in eight at 0.5 and in four at 0.9."""


@dataclass(frozen=True, slots=True)
class DrawnFace:
    """A face, its box in pixels of the picture, and colours as ``#rrggbb``."""

    likelihood: float
    box: Box
    hair: str
    skin: str
    eyes: tuple[str, str]


def require_drawn_faces() -> None:
    """Check that the detector is installed.

    Raises:
        SettingsError: it is not.
    """
    if find_spec("animeface") is None:
        raise SettingsError(
            "ONMODEL_DRAWN_FACES needs a package: pip install 'onmodel[faces]'. "
            "Or leave the variable out; colours are then guessed from the silhouette."
        )


def drawn_faces(image: Image.Image) -> tuple[DrawnFace, ...]:
    """The faces of a picture, the likeliest first; none where the detector fails or crashes.

    Args:
        image: RGB or RGBA; a transparent ground is seen as white.
    """
    flat = Image.new("RGB", image.size, "white")
    flat.paste(image.convert("RGB"), mask=image.getchannel("A") if image.mode == "RGBA" else None)
    small = fit_within(flat, _SIDE)
    header = json.dumps(small.size).encode() + b"\n"
    try:
        done = subprocess.run(  # noqa: S603 - our own script, under this interpreter
            [sys.executable, "-I", str(_CHILD)],
            input=header + small.tobytes(), capture_output=True, timeout=_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return ()
    if done.returncode != 0:
        return ()
    scale = image.width / small.width
    found = [_face(one, scale) for one in json.loads(done.stdout)]
    return tuple(sorted(found, key=lambda face: -face.likelihood))


def _face(said: dict[str, Sequence[int]], scale: float) -> DrawnFace:
    x, y, width, height = said["face_box"]
    edges = (round(edge * scale) for edge in (x, y, x + width, y + height))
    return DrawnFace(
        float(said["likelihood"]),  # pyright: ignore[reportArgumentType] - a number among lists
        Box(*edges),
        _hex(said["hair_color"]),
        _hex(said["skin_color"]),
        (_hex(said["left_eye_color"]), _hex(said["right_eye_color"])),
    )


def _hex(rgb: Sequence[int]) -> str:
    return "#" + "".join(f"{level:02x}" for level in rgb)
