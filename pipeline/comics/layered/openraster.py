"""OpenRaster: layers as PNGs in a zip, which Krita, GIMP and MyPaint open.

Source: the OpenRaster specification 0.0.6 (``stack.xml`` lists the uppermost layer first).
"""

import io
from typing import BinaryIO
from xml.etree import ElementTree

from PIL import Image

from pipeline.comics.export.archive import Archive, new_archive, printable
from pipeline.comics.layered.drawing import Drawing, Folder, Layer

MIMETYPE = "image/openraster"
_THUMBNAIL = (256, 256)


def write_openraster(drawing: Drawing, out: BinaryIO) -> None:
    """Write the drawing; equal drawings give equal bytes."""
    with new_archive(out) as archive:
        archive.add("mimetype", MIMETYPE, compress=False)
        image = ElementTree.Element(
            "image",
            {"version": "0.0.6", "w": str(drawing.size.width), "h": str(drawing.size.height)},
        )
        root = ElementTree.SubElement(image, "stack")
        _add(root, drawing.root, archive, [0])
        stack = ElementTree.tostring(image, encoding="utf-8", xml_declaration=True)
        archive.add("stack.xml", stack)
        flat = drawing.flat()
        archive.add("mergedimage.png", _png(flat), compress=False)
        flat.thumbnail(_THUMBNAIL)
        archive.add("Thumbnails/thumbnail.png", _png(flat), compress=False)


def _add(
    parent: ElementTree.Element, part: Layer | Folder, archive: Archive, count: list[int]
) -> None:
    """Add a layer or a folder with all that is in it; ``count`` numbers the files."""
    about = {
        "name": printable(part.name),
        "visibility": "visible" if part.visible else "hidden",
        "opacity": "1.0",
        "composite-op": "svg:src-over",
    }
    if isinstance(part, Folder):
        stack = ElementTree.SubElement(parent, "stack", about)
        for layer in reversed(part.layers):
            _add(stack, layer, archive, count)
        return
    count[0] += 1
    name = f"data/layer-{count[0]:03}.png"
    archive.add(name, _png(part.picture), compress=False)
    place = {"src": name, "x": str(part.at[0]), "y": str(part.at[1])}
    ElementTree.SubElement(parent, "layer", about | place)


def _png(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "PNG", compress_level=6)
    return out.getvalue()
