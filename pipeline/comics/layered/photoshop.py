"""PSD: layers and groups for Photoshop, Clip Studio and their kin, written by psd-tools."""

from typing import Any, BinaryIO

from pipeline.comics.layered.drawing import Drawing, Folder


def write_photoshop(drawing: Drawing, out: BinaryIO) -> None:
    """Write the drawing, words as pixels: the library makes no text layers."""
    from psd_tools import PSDImage

    class Finished(PSDImage):
        """A document whose preview is right already: nothing is composed for it when saved."""

        def is_updated(self) -> bool:
            return False

    psd = Finished.frompil(drawing.flat().convert("RGBA"))
    _add(psd, drawing.root)
    psd.save(out)


def _add(parent: Any, folder: Folder) -> None:
    group = parent.create_group(name=folder.name)
    for part in folder.layers:
        if isinstance(part, Folder):
            _add(group, part)
            continue
        left, top = part.at
        layer = group.create_pixel_layer(part.picture, name=part.name, top=top, left=left)
        layer.visible = part.visible
    group.visible = folder.visible
