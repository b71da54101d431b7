"""What somebody changed in a drawing, layer by layer."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from io import BytesIO

import numpy as np
from PIL import Image

from pipeline.comics.inking import PAPER
from pipeline.comics.layered.drawing import Drawing, Folder, Layer
from pipeline.comics.layered.returned import Returned, ReturnedLayer
from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import PanelArt, PanelFrame
from pipeline.imaging.decode import to_png

# Programs that convert colours round differently by one or two of 255 steps.
SAME = 2
# A new picture of a panel has no longer side.
_LONGEST = 4096
_ROOT = re.compile(r"page (?P<number>\d+)(?: \[(?P<language>[\w-]+)\])? · (?P<stamp>[0-9a-f]{12})")
_WORDS = re.compile(r"words (?P<panel>\d+)\.(?P<order>\d+): ?(?P<words>.*)", re.DOTALL)
_CUT = "…"


@dataclass(frozen=True, slots=True)
class Origin:
    """Which page a drawing was, in which language, and in which state of it."""

    number: int
    language: str
    stamp: str


@dataclass(slots=True)
class Changes:
    """What came back: new art by panel id (RGB, of the frame's size in the drawing), new words.

    ``words`` is by panel id and order of the line. ``untouched`` counts the layers that are as
    they were; ``notes`` say what was changed and cannot be taken.
    """

    art: dict[int, Image.Image] = field(default_factory=dict)
    words: dict[tuple[int, int], str] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    untouched: int = 0


def origin_of(returned: Returned) -> Origin:
    """What the drawing's outermost folder says.

    Raises:
        InvalidInput: it was not exported here, or the folder lost its name.
    """
    for layer in returned.layers:
        for folder in layer.about.folders[:2]:
            if match := _ROOT.fullmatch(folder.strip()):
                return Origin(int(match["number"]), match["language"] or "", match["stamp"])
    raise InvalidInput(
        "That drawing has no folder named “page … · …”, so it cannot be told which page it is. "
        "Keep the names of the folders as they were exported, or send the page as one picture."
    )


def changes_in(returned: Returned, drawing: Drawing) -> Changes:
    """Compare a drawing with the one that was handed out.

    Raises:
        InvalidInput: it has another size.
    """
    if returned.size != drawing.size:
        raise InvalidInput(
            f"The page has {drawing.size.width} × {drawing.size.height} pixels and that drawing "
            f"{returned.size.width} × {returned.size.height}; keep the size of the canvas."
        )
    changes = Changes()
    for part in drawing.root.layers:
        if isinstance(part, Folder) and part.name.startswith("panel "):
            _compare_panel(part, returned, changes)
        elif isinstance(part, Folder):
            for panel in part.layers:
                assert isinstance(panel, Folder), "the lettering is in a folder for each panel"
                _compare_lettering(panel, returned, changes)
        else:
            _compare_fixed(part, returned, changes)
    return changes


def _compare_panel(panel: Folder, returned: Returned, changes: Changes) -> None:
    """All that is seen in a panel's folder, but for its masks, is the panel's new art."""
    number = int(panel.name.removeprefix("panel "))
    art = panel.layers[0]
    assert isinstance(art, Layer), "the art is the lowest layer of a panel"
    box = Box(*art.at, art.at[0] + art.picture.width, art.at[1] + art.picture.height)
    mine = [layer for layer in returned.layers if panel.name in layer.about.folders]
    shown = [
        layer
        for layer in mine
        if layer.about.visible and f"characters {number}" not in layer.about.folders
    ]
    if not shown:
        changes.notes.append(f"Panel {number} has no layer left; its picture stays.")
        return
    for layer in shown:
        if layer.about.blend not in ("normal", "pass_through"):
            changes.notes.append(
                f"Layer “{layer.about.name[:40]}” mixes as “{layer.about.blend}” and was taken as "
                "normal; merge it in your program to keep its look."
            )
    seen = _laid(shown, box)
    if _differ(seen, art.picture.convert("RGB")):
        changes.art[number] = seen
    else:
        changes.untouched += 1


def _laid(layers: Sequence[ReturnedLayer], box: Box) -> Image.Image:
    """Layers over white paper, as far as a box shows them, RGB."""
    sheet = Image.new("RGBA", (box.width, box.height), (*PAPER, 255))
    for layer in layers:
        if layer.picture is None:
            continue
        over = Image.new("RGBA", sheet.size)
        over.paste(layer.picture, (layer.about.x - box.x0, layer.about.y - box.y0))
        if layer.about.opacity < 1:
            table = [round(alpha * layer.about.opacity) for alpha in range(256)]
            over.putalpha(over.getchannel("A").point(table))
        sheet.alpha_composite(over)
    return sheet.convert("RGB")


def _compare_lettering(panel: Folder, returned: Returned, changes: Changes) -> None:
    for part in panel.layers:
        assert isinstance(part, Layer), "a panel's lettering has no folders"
        if match := _WORDS.fullmatch(part.name):
            _compare_words(part, match, returned, changes)
        else:
            _compare_fixed(part, returned, changes)


def _compare_words(part: Layer, match: re.Match[str], returned: Returned, changes: Changes) -> None:
    place = int(match["panel"]), int(match["order"])
    where = f"words {place[0]}.{place[1]}"
    found = next((o for o in returned.layers if o.about.name.startswith(f"{where}:")), None)
    if found is None:
        found = next((o for o in returned.layers if where in o.about.folders), None)
    if found is None:
        changes.notes.append(f"“{part.name[:60]}” is gone; remove a balloon with /page letter.")
        return
    named = _WORDS.fullmatch(found.about.name)
    said = found.about.text or (named["words"] if named else "")
    said = " ".join(said.split())
    if said and said != match["words"] and not said.endswith(_CUT):
        changes.words[place] = said
    elif found.about.text is None and _moved_or_painted(found, part):
        changes.notes.append(
            f"The words of “{part.name[:60]}” were painted or moved. Write them into the layer’s "
            "name, or use /page letter; pixels cannot be read."
        )
    else:
        changes.untouched += 1


def _compare_fixed(part: Layer, returned: Returned, changes: Changes) -> None:
    """Layers that are drawn anew from the page; what is painted on them cannot stay."""
    found = next((o for o in returned.layers if o.about.name == part.name), None)
    if found is not None and not _moved_or_painted(found, part):
        changes.untouched += 1
    elif part.name != "paper" or found is not None:
        changes.notes.append(
            f"“{part.name[:60]}” was changed or removed; it is drawn from the page’s own layout "
            "and lettering. Use /page edit or /page letter."
        )


def _moved_or_painted(found: ReturnedLayer, part: Layer) -> bool:
    """Whether a layer looks otherwise than it did; transparent margins do not count."""
    if found.picture is None:
        return part.picture.getchannel("A").getbbox() is not None
    x0, y0 = min(found.about.x, part.at[0]), min(found.about.y, part.at[1])
    x1 = max(found.about.x + found.picture.width, part.at[0] + part.picture.width)
    y1 = max(found.about.y + found.picture.height, part.at[1] + part.picture.height)
    sheets = []
    for picture, (x, y) in (
        (found.picture, (found.about.x, found.about.y)),
        (part.picture, part.at),
    ):
        sheet = Image.new("RGBA", (x1 - x0, y1 - y0))
        sheet.alpha_composite(picture, (x - x0, y - y0))
        sheets.append(sheet.convert("RGBa"))  # colours of what is not seen do not count
    return _differ(*sheets)


def _differ(one: Image.Image, other: Image.Image) -> bool:
    a, b = np.asarray(one, np.int16), np.asarray(other, np.int16)
    return a.shape != b.shape or bool(np.abs(a - b).max() > SAME)


def new_art(art: PanelArt, frame: PanelFrame, seen: Image.Image) -> bytes:
    """A panel's picture with what its frame shows replaced; an RGB PNG.

    What lies beyond the crop stays, so that the panel can still bleed or be framed anew. The
    picture gets as fine as what was painted.

    Args:
        art: the panel as it was.
        frame: its frame on the composed page.
        seen: the new picture of the whole frame, at any resolution.
    """
    if frame.art != frame.box:  # the picture was set back: the painted ground belongs to it now
        return to_png(_bounded(seen))
    with Image.open(BytesIO(art.image)) as image:
        whole = image.convert("RGB")
    finer = max(1.0, seen.width / frame.crop.width)
    finer = max(1.0, min(finer, _LONGEST / max(whole.size)))
    whole = whole.resize(
        (round(whole.width * finer), round(whole.height * finer)), Image.Resampling.LANCZOS
    )
    window = frame.crop.scaled(finer)
    whole.paste(
        seen.resize((window.width, window.height), Image.Resampling.LANCZOS), (window.x0, window.y0)
    )
    return to_png(whole)


def _bounded(image: Image.Image) -> Image.Image:
    image.thumbnail((_LONGEST, _LONGEST), Image.Resampling.LANCZOS)
    return image


def cut_panels(
    page: Image.Image, size: Size, frames: Sequence[PanelFrame]
) -> Iterator[Image.Image]:
    """The panels of an artist's own page, cut by the frames of the layout.

    Raises:
        InvalidInput: the picture has another shape than the page.
    """
    wide, high = page.width / size.width, page.height / size.height
    if abs(wide / high - 1) > 0.02:
        raise InvalidInput(
            f"The page is {size.width} × {size.height} and that picture {page.width} × "
            f"{page.height}; send it in the page’s shape."
        )
    for frame in frames:
        x0, y0, x1, y1 = frame.box
        window = (round(x0 * wide), round(y0 * high), round(x1 * wide), round(y1 * high))
        yield page.convert("RGB").crop(window)
