"""PSD: layers and groups for Photoshop, Clip Studio and their kin, written by psd-tools."""

from typing import Any, BinaryIO

from pipeline.comics.layered.drawing import Drawing, Folder
from pipeline.comics.layered.type_layers import make_live


def write_photoshop(drawing: Drawing, out: BinaryIO) -> None:
    """Write the drawing; words are text where the drawing says what they are set in."""
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
        layer.name = part.name  # so that it is written in Unicode too
        layer.visible = part.visible
        if part.live is not None:
            make_live(layer, part.live)
    group.visible = folder.visible
