"""How a figure differs from its references, in numbers that mean the same in every style."""

from dataclasses import dataclass

import numpy as np

from pipeline.domain.geometry import Box
from pipeline.quality.details import face_details, mark_details
from pipeline.quality.measures import (
    MUCH,
    iris_of,
    line_figures,
    mean_width,
    mirrored,
    moments_of,
    overlap,
    shift_of,
    turned,
)
from pipeline.quality.plates import Fit, Floats, Plate, colours, lay_over, moved
from pipeline.quality.template import (
    DOWN,
    SAME,
    Flags,
    Template,
    apart,
    dominant,
    edges_of,
    grid,
    grown,
    like,
    solid,
)

_FACE = ("face0", "face1", "face2", "face3", "face4")
_GROUPS = {
    "upper": ("top", "brow", "far"),
    "eyes": ("face0", "face1", "face2"),
    "mouth": ("face3", "face4"),
    "sides": ("left", "right"),
    "body": ("neck", "torso", "legs"),
}


@dataclass(frozen=True, slots=True, eq=False)
class Differences:
    """A figure laid over its template.

    ``layer`` holds its colours; ``excess`` how much it differs beyond what the references do among
    themselves, shape :data:`pipeline.quality.template.SHAPE`; ``features`` what a model reads.
    """

    fit: Fit
    layer: Floats
    excess: Floats
    features: dict[str, float]


def differences(plate: Plate, template: Template, marks: tuple[Box, ...] = ()) -> Differences:
    """Compare a figure with a look.

    Args:
        plate: the figure.
        template: the look's references.
        marks: where its marks are on the template's anchor, in plate pixels.
    """
    fit = lay_over(plate, template.anchor)
    layer = colours(moved(plate, fit, DOWN))
    nearest = np.min([apart(layer, other) for other in template.layers], axis=0)
    excess = np.maximum(0.0, nearest - 1.2 * template.unrest)
    one = _One(layer, excess, template)
    features = _of_fit(fit, template)
    for part in (one.zones, one.dominants, one.changes, one.outline, one.tone, one.lines,
                 one.sides, one.face):  # fmt: skip
        features |= part()
    features |= face_details(plate, fit, template, one.skin_now)
    features |= mark_details(layer, template, marks)
    return Differences(fit, layer, excess.astype(np.float32), features)


class _One:
    """One comparison: the maps that several groups of features share."""

    def __init__(self, layer: Floats, excess: Floats, template: Template) -> None:
        self.layer, self.excess, self.template = layer, excess, template
        typical, zones = template.typical, template.zones
        self.there, self.body = solid(typical), solid(layer)
        self.either = self.there | self.body
        self.edges = edges_of(layer)
        known = np.mean([grown(e) for e in template.edges], axis=0)
        self.new = self.edges & (known < 0.01)
        usual = np.mean(template.edges, axis=0)
        self.lost = (usual > 0.99) & ~grown(self.edges)
        self.flat = self.there & self.body & ~grown(self.edges) & (usual < 0.5)
        self.shift = layer[..., :3] - typical[..., :3]
        masks = zones.masks
        above = masks["top"] | masks["brow"] | masks["far"]
        self.hair_then = like(typical, zones.hair) & above
        self.skin_then = like(typical, zones.skin)
        self.hair_now = dominant(layer, self.hair_then)
        self.skin_now = dominant(layer, self.skin_then & ~masks["torso"])
        self.cloth_then = like(typical, zones.cloth) & (masks["torso"] | masks["legs"])
        self.cloth_now = dominant(layer, self.cloth_then)

    def zones(self) -> dict[str, float]:
        """In every zone: how much, how sharply, and in which direction it differs."""
        out: dict[str, float] = {}
        for name, mask in self.template.zones.masks.items():
            here = mask & self.either
            count = max(1, int(here.sum()))
            values = self.excess[here]
            out[f"{name}.size"] = count / mask.size
            out[f"{name}.excess"] = float(values.sum()) / count
            out[f"{name}.changed"] = float((values > MUCH).sum()) / count
            out[f"{name}.unrest"] = float(self.template.unrest[here].sum()) / count
            out[f"{name}.new"] = float(self.new[here].sum()) / count
            out[f"{name}.lost"] = float(self.lost[here].sum()) / count
            out |= shift_of(f"{name}.shift", self.shift[mask & self.flat])
        return out

    def dominants(self) -> dict[str, float]:
        """Hair, skin and clothes: whether their colour is another one, and evenly so."""
        zones = self.template.zones
        out: dict[str, float] = {}
        gaps = []
        for name, then, before, now in (
            ("hair", self.hair_then, zones.hair, self.hair_now),
            ("skin", self.skin_then, zones.skin, self.skin_now),
            ("cloth", self.cloth_then, zones.cloth, self.cloth_now),
        ):
            seen = then & self.body
            gap = now - before
            out[f"{name}.gap"] = float(np.linalg.norm(gap))
            out[f"{name}.dl"], out[f"{name}.da"], out[f"{name}.db"] = map(float, gap)
            old = like(self.layer, before)
            fresh = like(self.layer, now, SAME)
            count = max(1, int(seen.sum()))
            out[f"{name}.kept"] = float((old & then).sum()) / count
            out[f"{name}.even"] = float((fresh & then).sum()) / count
            out[f"{name}.seen"] = count / then.size
            gaps.append(out[f"{name}.gap"] if count > 30 else 0.0)
        out["gap.least"], out["gap.most"] = min(gaps), max(gaps)
        for k, name in enumerate(("hair", "skin", "cloth")):
            out[f"{name}.alone"] = gaps[k] - max(gaps[:k] + gaps[k + 1 :])
        above = self.either & ~self.template.zones.masks["torso"]
        out["hair.overlap"] = overlap(like(self.layer, self.hair_now) & above,
                                       like(self.template.typical, zones.hair) & above)  # fmt: skip
        out["skin.overlap"] = overlap(like(self.layer, self.skin_now) & above,
                                       self.skin_then & above)  # fmt: skip
        return out

    def changes(self) -> dict[str, float]:
        """Of what changed in each part: what was there before, and what is there now."""
        zones = self.template.zones
        typical, layer = self.template.typical, self.layer
        before = {
            "hair": like(typical, zones.hair),
            "skin": like(typical, zones.skin),
            "none": ~self.there,
        }
        now = {
            "hair": like(layer, self.hair_now),
            "skin": like(layer, self.skin_now),
            "none": ~self.body,
        }
        changed = self.excess > MUCH
        out: dict[str, float] = {}
        total = max(1, int((changed & self.either).sum()))
        for group, names in _GROUPS.items():
            part = np.any([zones.masks[n] for n in names], axis=0) & changed & self.either
            count = int(part.sum())
            out[f"{group}.count"] = np.log1p(count)
            out[f"{group}.part"] = count / total
            for what, flags in before.items():
                out[f"{group}.was_{what}"] = float((flags & part).sum()) / max(1, count)
            for what, flags in now.items():
                out[f"{group}.is_{what}"] = float((flags & part).sum()) / max(1, count)
        out["changed"] = total / max(1, int(self.either.sum()))
        return out | self._places(changed & self.either)

    def _places(self, changed: Flags) -> dict[str, float]:
        """Where the changes lie, seen from the face, and whether lines came or went."""
        face = self.template.zones.face
        reach = 2 * max(face.width, face.height)
        middle = (face.x0 + face.x1) // 2
        top, left = max(0, face.y0 - reach // 2), max(0, middle - reach)
        window = (slice(top, face.y1 + reach // 2), slice(left, middle + reach))
        out: dict[str, float] = {}
        for name, flags in (("changed", changed), ("new", self.new), ("lost", self.lost)):
            out |= moments_of(f"head.{name}", flags[window])
        new, lost = int(self.new.sum()), int(self.lost.sum())
        out["lines.gone"] = (lost - new) / (lost + new + 8)
        redrawn = grown(grown(self.new | self.lost)) & changed
        out["redrawn"] = float(redrawn.sum()) / max(1, int(changed.sum()))
        return out

    def outline(self) -> dict[str, float]:
        """The silhouette: what it lost and gained above, beside and below the face."""
        masks = self.template.zones.masks
        parts = {
            "above": masks["top"] | masks["brow"],
            "beside": masks["far"] | masks["left"] | masks["right"],
            "face": np.any([masks[n] for n in _FACE], axis=0),
            "below": masks["neck"] | masks["torso"] | masks["legs"],
        }
        ever = np.any([solid(one) for one in self.template.layers], axis=0)
        always = np.all([solid(one) for one in self.template.layers], axis=0)
        out: dict[str, float] = {}
        for name, mask in parts.items():
            count = max(1, int((mask & self.there).sum()))
            out[f"outline.{name}.more"] = float((self.body & ~grown(ever) & mask).sum()) / count
            out[f"outline.{name}.less"] = float((grown(always & ~self.body) & always & ~grown(
                self.body) & mask).sum()) / count  # fmt: skip
        return out

    def tone(self) -> dict[str, float]:
        """What happened to all colours at once."""
        out = shift_of("all.shift", self.shift[self.flat])
        then = np.linalg.norm(self.template.typical[..., 1:3], axis=2)[self.flat]
        now = np.linalg.norm(self.layer[..., 1:3], axis=2)[self.flat]
        if len(now) > 30:
            ratio = np.log((now + 4) / (then + 4))
            low, middle, high = np.percentile(ratio, (20, 50, 80))
            colourful = then > 8
            out |= {"chroma.low": float(low), "chroma": float(middle), "chroma.high": float(high)}
            if colourful.sum() > 20:
                out["chroma.colourful"] = float(np.median(ratio[colourful]))
            out["all.shifted"] = float((self.excess[self.flat] > 6).mean())
        return out

    def lines(self) -> dict[str, float]:
        """How dense, how steep and how dark lines are, against the references."""
        mine = line_figures(self.layer, self.edges, self.there & self.body)
        theirs = [
            line_figures(layer, edges, self.there & self.body)
            for layer, edges in zip(self.template.layers, self.template.edges, strict=True)
        ]
        out: dict[str, float] = {}
        for key, value in mine.items():
            usual = [one[key] for one in theirs]
            out[f"lines.{key}"] = value - float(np.median(usual))
            out[f"lines.{key}.out"] = max(0.0, value - max(usual)) - max(0.0, min(usual) - value)
        return out

    def sides(self) -> dict[str, float]:
        """Whether something sits where its mirror image should be."""
        face = self.template.zones.face
        axis = (face.x0 + face.x1) / 2
        y, _ = grid()
        flipped = mirrored(self.template.typical, axis)
        near = (y < 1.4) & self.either
        swapped = self.excess - apart(self.layer, flipped)
        changed = (self.excess > MUCH) & near
        both = changed & grown(turned(changed, axis))
        count = max(1, int(changed.sum()))
        fits = changed & (swapped > 6)
        pair = fits & grown(turned(fits, axis))
        return {
            "swap.both": float(both.sum()) / count,
            "swap.fits": float(fits.sum()) / count,
            "swap.pair": float(pair.sum()) / count,
            "swap.count": float(np.log1p(int(pair.sum()))),
        }

    def face(self) -> dict[str, float]:
        """The face's own measures: rows of skin, and how closely its drawing agrees."""
        then, now = self.skin_then, like(self.layer, self.skin_now)
        out: dict[str, float] = {}
        widths = [
            (
                mean_width(then & self.template.zones.masks[n]),
                mean_width(now & self.template.zones.masks[n]),
            )
            for n in _FACE
        ]
        for name, (a, b) in zip(_FACE, widths, strict=True):
            out[f"{name}.wide"] = float(np.log((b + 3) / (a + 3)))
        rows = np.any([self.template.zones.masks[n] for n in _FACE], axis=0)
        box = self.template.zones.face
        out["face.heads"] = box.height / max(1, box.width)
        features = rows & ~then & self.there
        out |= iris_of(self.layer, self.template.typical, features)
        return out


def _of_fit(fit: Fit, template: Template) -> dict[str, float]:
    aspects = [one.aspect for one in template.fits]
    errors = [one.error for one in template.fits[1:]] or [0.0]
    return {
        "fit.aspect": fit.aspect - float(np.median(aspects)),
        "fit.error": fit.error,
        "fit.worse": fit.error - max(errors),
        "fit.size": fit.size - float(np.median([one.size for one in template.fits])),
    }
