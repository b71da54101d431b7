"""What is looked at closely: the face at full size, and the marks that must never be lost."""

import numpy as np

from pipeline.domain.geometry import Box
from pipeline.quality.measures import MUCH, cells_of, moments_of, shift_of
from pipeline.quality.plates import Fit, Floats, Plate, colours, moved
from pipeline.quality.template import DOWN, Template, apart, dominant, edges_of, grown, like, solid

_MARK_REACH = 4
"""How far around its place a mark is looked for, in map pixels (a quarter of a head radius)."""


def face_details(plate: Plate, fit: Fit, template: Template, skin: Floats) -> dict[str, float]:
    """The face looked at closely: what differs in each of its cells, the two halves folded."""
    layer = colours(moved(plate, fit).crop(template.window))
    nearest = np.min([apart(layer, other) for other in template.faces], axis=0)
    excess = np.maximum(0.0, nearest - 1.2 * template.face_unrest)
    edges = edges_of(layer)
    theirs = [edges_of(other) for other in template.faces]
    new = edges & ~np.any([grown(grown(e)) for e in theirs], axis=0)
    lost = np.all(theirs, axis=0) & ~grown(grown(edges))
    much = excess > MUCH
    maps = {"excess": excess, "much": much, "new": new, "lost": lost,
            "drawn": np.mean(theirs, axis=0)}  # fmt: skip
    out: dict[str, float] = {}
    for name, values in maps.items():
        cells = cells_of(values.astype(np.float32))
        for k, (left, middle, right) in enumerate(cells):
            out[f"near{k}.{name}.most"] = float(max(left, right))
            out[f"near{k}.{name}.least"] = float(min(left, right))
            out[f"near{k}.{name}.mid"] = float(middle)
    for name, flags in (("much", much), ("new", new), ("lost", lost)):
        out |= moments_of(f"near.{name}", flags)
    count = max(1, int(much.sum()))
    out["near.now_skin"] = float((like(layer, skin) & much).sum()) / count
    was = np.mean([like(other, template.zones.skin) for other in template.faces], axis=0)
    out["near.was_skin"] = float(was[much].sum()) / count
    out["near.redrawn"] = float((grown(grown(new | lost)) & much).sum()) / count
    usual = np.median(np.stack(template.faces), axis=0)
    out |= shift_of("near.shift", (layer - usual)[..., :3][much])
    return out


def mark_details(layer: Floats, template: Template, marks: tuple[Box, ...]) -> dict[str, float]:
    """How much of each mark is still there, 0 to 1; the least over all marks."""
    worst: dict[str, float] = {}
    for box in marks:
        small = Box(*(round(v / DOWN) for v in box))
        drawing = _drawing_of(template.typical, small)
        if drawing is None:
            continue
        mine = _presence(layer, small, drawing)
        theirs = [_presence(other, small, drawing) for other in template.layers]
        usual = float(np.median(theirs)) if theirs else 1.0
        if not worst or mine < worst["mark.there"]:
            worst = {"mark.there": mine, "mark.usual": usual, "mark.less": usual - mine}
    return worst


def _drawing_of(layer: Floats, box: Box) -> Floats | None:
    """What a mark adds to the ground that it lies on, shape (h, w, 3)."""
    height, width = layer.shape[:2]
    reach = _MARK_REACH
    if Box(reach, reach, width - reach, height - reach).intersection(box) != box:
        return None
    if box.area < 9:
        return None
    return _off_ground(layer[box.y0 : box.y1, box.x0 : box.x1])


def _off_ground(patch: Floats) -> Floats:
    """Colours of a patch against its commonest one."""
    return patch[..., :3] - dominant(patch, np.ones(patch.shape[:2], bool))


def _presence(layer: Floats, box: Box, drawing: Floats) -> float:
    """How much of a mark's drawing is found at its place or a little beside it, 0 to 1."""
    energy = float((drawing**2).sum())
    if energy < 1:
        return 1.0
    reach = _MARK_REACH
    around = layer[box.y0 - reach : box.y1 + reach, box.x0 - reach : box.x1 + reach]
    ground = dominant(around, np.ones(around.shape[:2], bool))
    field = (around[..., :3] - ground) * solid(around)[..., None]
    views = np.lib.stride_tricks.sliding_window_view(field, drawing.shape[:2], axis=(0, 1))
    match = np.einsum("yxchw,hwc->yx", views, drawing)
    size = np.einsum("yxchw,yxchw->yx", views, views)
    # Twice the product over the sum of energies: 1 for the same drawing, 0 for none or another.
    return float(np.clip(2 * match / (energy + size), 0, 1).max())
