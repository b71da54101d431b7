"""Opens drawings from outside in a process of its own, with limits, and hands out plain layers.

This module runs as ``python -m pipeline.comics.layered.unpacking`` inside a child that
:mod:`pipeline.comics.layered.returned` starts: one drawing in, one zip of PNGs out.
"""

import io
import json
import sys
import zipfile
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any
from xml.etree import ElementTree

from PIL import Image

from pipeline.imaging.canonical import MAX_PIXELS, MAX_SIDE

MAX_BYTES = 64 * 1024 * 1024
MAX_LAYERS = 600
MAX_DEPTH = 8
# All layers together: a page of twelve panels takes about a tenth of it.
MAX_LAYER_PIXELS = 200_000_000
_MAX_ENTRIES, _MAX_STACK = 1500, 2_000_000
_MAX_NAME, _MAX_TEXT = 1000, 2000
_OPENRASTER = b"image/openraster"
_NORMAL = "normal"


class RefusedError(Exception):
    """The text says to a person why the drawing is not taken."""


@dataclass(frozen=True, slots=True)
class About:
    """A layer without its picture; ``folders`` from the outermost, ``text`` of live text only.

    ``blend`` is ``normal`` or what the program calls another way of mixing; opacity is 0 to 1.
    """

    name: str
    folders: tuple[str, ...]
    x: int
    y: int
    visible: bool
    opacity: float
    blend: str
    text: str | None = None


Unpacked = tuple[About, Image.Image | None]


def unpack(data: bytes) -> tuple[tuple[int, int], Iterator[Unpacked]]:
    """The size of a drawing and its layers, the lowest first.

    Raises:
        RefusedError: it is no OpenRaster or PSD file, damaged, or over a limit.
    """
    if data[:4] == b"8BPS":
        return _photoshop(data)
    if data[:2] == b"PK":
        return _openraster(data)
    raise RefusedError("That is neither an OpenRaster (.ora) nor a Photoshop (.psd) file.")


def _openraster(data: bytes) -> tuple[tuple[int, int], Iterator[Unpacked]]:
    archive = zipfile.ZipFile(io.BytesIO(data))
    entries = archive.infolist()
    if len(entries) > _MAX_ENTRIES or sum(e.file_size for e in entries) > 4 * MAX_BYTES:
        raise RefusedError("That file unpacks to far too much; save it again with fewer layers.")
    names = {entry.filename for entry in entries}
    if "stack.xml" not in names or archive.read("mimetype").strip() != _OPENRASTER:
        raise RefusedError("That zip is no OpenRaster file; save the drawing as .ora.")
    if archive.getinfo("stack.xml").file_size > _MAX_STACK:
        raise RefusedError("That file lists far too many layers; flatten some of them.")
    xml = archive.read("stack.xml")
    if b"<!" in xml.replace(b"<!--", b""):
        raise RefusedError("That file declares entities, which no painting program does.")
    image = ElementTree.fromstring(xml)  # noqa: S314 - no entities, two megabytes, in a child
    size = _size(int(image.get("w", "0")), int(image.get("h", "0")))
    return size, _stacked(image.findall("stack"), archive, (), visible=True)


def _stacked(
    parts: list[ElementTree.Element],
    archive: zipfile.ZipFile,
    folders: tuple[str, ...],
    *,
    visible: bool,
) -> Iterator[Unpacked]:
    """Layers of a stack, the lowest (listed last) first."""
    if len(folders) > MAX_DEPTH:
        raise RefusedError("That file nests its folders too deeply; take some of them apart.")
    for part in reversed(parts):
        name = part.get("name", "")[:_MAX_NAME]
        seen = visible and part.get("visibility", "visible") == "visible"
        if part.tag == "stack":
            inner = (*folders, name) if name else folders
            yield from _stacked(list(part), archive, inner, visible=seen)
        elif part.tag == "layer":
            blend = part.get("composite-op", "svg:src-over").removeprefix("svg:")
            about = About(
                name,
                folders,
                int(float(part.get("x", "0"))),
                int(float(part.get("y", "0"))),
                seen,
                float(part.get("opacity", "1")),
                _NORMAL if blend == "src-over" else blend[:40],
            )
            yield about, _opened(archive.read(part.get("src", "")))


def _opened(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=("PNG",))
    _size(*image.size)
    return image.convert("RGBA")


def _photoshop(data: bytes) -> tuple[tuple[int, int], Iterator[Unpacked]]:
    from psd_tools import PSDImage

    height, width = (int.from_bytes(data[at : at + 4], "big") for at in (14, 18))
    size = _size(width, height)
    return size, _grouped(PSDImage.open(io.BytesIO(data)), (), visible=True)


def _grouped(group: Any, folders: tuple[str, ...], *, visible: bool) -> Iterator[Unpacked]:
    if len(folders) > MAX_DEPTH:
        raise RefusedError("That file nests its folders too deeply; take some of them apart.")
    for layer in group:
        name, seen = str(layer.name)[:_MAX_NAME], visible and layer.visible
        if layer.is_group():
            yield from _grouped(layer, (*folders, name), visible=seen)
            continue
        text = None
        if layer.kind == "type":
            text = str(layer.text).replace("\r", " ").replace("\x03", " ")[:_MAX_TEXT]
        about = About(
            name,
            folders,
            int(layer.left),
            int(layer.top),
            seen,
            layer.opacity / 255,
            layer.blend_mode.name.lower(),
            text,
        )
        if layer.width and layer.height:
            _size(layer.width, layer.height)
            picture = layer.topil()
            yield about, None if picture is None else picture.convert("RGBA")
        else:
            yield about, None


def _size(width: int, height: int) -> tuple[int, int]:
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and width * height <= MAX_PIXELS):
        most = MAX_PIXELS // 1_000_000
        raise RefusedError(f"Layers may have at most {most} megapixels; scale the drawing down.")
    return width, height


def packed(data: bytes) -> bytes:
    """A zip with ``about.json`` and the pictures, or with ``refused.txt``."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        try:
            size, layers = unpack(data)
            listed, pixels = [], 0
            for number, (about, picture) in enumerate(layers):
                pixels += 0 if picture is None else picture.width * picture.height
                if number >= MAX_LAYERS or pixels > MAX_LAYER_PIXELS:
                    raise RefusedError(f"At most {MAX_LAYERS} layers are taken; flatten some.")
                listed.append(asdict(about) | {"picture": picture is not None})
                if picture is not None:
                    png = io.BytesIO()
                    picture.save(png, "PNG", compress_level=1)
                    archive.writestr(f"{number}.png", png.getvalue())
            archive.writestr("about.json", json.dumps({"size": size, "layers": listed}))
        except RefusedError as error:
            archive.writestr("refused.txt", str(error))
    return out.getvalue()


def main() -> None:
    """Read a drawing from standard input; the first argument limits the address space."""
    try:
        import resource

        limit = int(sys.argv[1])
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    except ImportError:  # not on Windows, where the time limit alone holds
        sys.stderr.write("no memory limit on this system\n")
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    sys.stdout.buffer.write(packed(sys.stdin.buffer.read(MAX_BYTES + 1)))


if __name__ == "__main__":
    main()
