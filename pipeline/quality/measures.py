"""Small measures of maps: shifts of colour, overlaps, lines, and where pixels lie."""

import numpy as np

from pipeline.quality.plates import Floats
from pipeline.quality.template import Flags, grown

MUCH = 12.0
"""Excess difference (CIE76) from which a pixel counts as changed."""


def shift_of(name: str, values: Floats) -> dict[str, float]:
    """Median and spread of colour shifts (n, 3)."""
    if len(values) < 12:
        return {}
    middle = np.median(values, axis=0)
    spread = np.median(np.abs(values - middle), axis=0)
    return {
        f"{name}.l": float(middle[0]),
        f"{name}.a": float(middle[1]),
        f"{name}.b": float(middle[2]),
        f"{name}.size": float(np.linalg.norm(middle)),
        f"{name}.spread": float(np.linalg.norm(spread)),
    }


def overlap(one: Flags, two: Flags) -> float:
    """Intersection over union, 1 where both are empty."""
    union = int((one | two).sum())
    return float((one & two).sum()) / union if union else 1.0


def mean_width(flags: Flags) -> float:
    """Flags in a row, on average over the rows that have any."""
    rows = flags.sum(axis=1)
    rows = rows[rows > 0]
    return float(rows.mean()) if len(rows) else 0.0


def mirrored(values: Floats, axis: float) -> Floats:
    """A map (h, w, c) turned over at a column; zero where nothing comes from."""
    out = np.zeros_like(values)
    width = values.shape[1]
    source = np.round(2 * axis - np.arange(width) - 1).astype(int)
    inside = (source >= 0) & (source < width)
    out[:, inside] = values[:, source[inside]]
    return out


def turned(flags: Flags, axis: float) -> Flags:
    """Flags turned over at a column."""
    return mirrored(flags[..., None].astype(np.float32), axis)[..., 0] > 0.5


def line_figures(layer: Floats, edges: Flags, where: Flags) -> dict[str, float]:
    """Lines of one picture: their share, their steepness, how dark and how thick they are."""
    count = max(1, int(where.sum()))
    light = layer[..., 0]
    down, right = np.abs(np.diff(light, axis=0)), np.abs(np.diff(light, axis=1))
    steep = np.zeros_like(light)
    steep[:-1] += down
    steep[:, :-1] += right
    dark = (light < -30) & where
    inside = where & ~grown(edges)
    here = edges & where
    return {
        "share": float(here.sum()) / count,
        "steep": float(steep[here].mean()) if here.any() else 0.0,
        "steepest": float(np.percentile(steep[where], 97)) if where.any() else 0.0,
        "dark": float(dark.sum()) / count,
        "calm": float(inside.sum()) / count,
        "grain": float(steep[inside].mean()) if inside.any() else 0.0,
        "soft": float(((steep > 4) & (steep < 14) & where).sum()) / count,
    }


def iris_of(layer: Floats, typical: Floats, where: Flags) -> dict[str, float]:
    """The most colourful and the darkest of what is drawn into the face, then and now."""
    out: dict[str, float] = {}
    if where.sum() < 12:
        return out
    for name, values in (("then", typical[..., :3][where]), ("now", layer[..., :3][where])):
        chroma = np.linalg.norm(values[:, 1:], axis=1)
        top = values[chroma >= np.percentile(chroma, 85)].mean(axis=0)
        out |= {f"iris.{name}.{k}": float(v) for k, v in zip("lab", top, strict=True)}
    out["iris.gap"] = float(
        np.linalg.norm([out[f"iris.now.{k}"] - out[f"iris.then.{k}"] for k in "lab"])
    )
    return out


def moments_of(name: str, flags: Flags) -> dict[str, float]:
    """Where some pixels lie in their frame: middle, spread, how like their mirror image."""
    height, width = flags.shape
    rows, columns = np.nonzero(flags)
    out = {f"{name}.count": float(np.log1p(len(rows)))}
    if len(rows) < 4:
        return out
    v, u = rows / height, np.abs(2 * columns / width - 1)
    twin = flags & grown(flags[:, ::-1])
    return out | {
        f"{name}.v": float(v.mean()),
        f"{name}.v_low": float(np.percentile(v, 10)),
        f"{name}.v_high": float(np.percentile(v, 90)),
        f"{name}.u": float(u.mean()),
        f"{name}.u_high": float(np.percentile(u, 90)),
        f"{name}.lean": abs(float((2 * columns / width - 1).mean())),
        f"{name}.twin": float(twin.sum()) / len(rows),
    }


def cells_of(values: Floats, rows: int = 6) -> Floats:
    """Means of a grid of ``rows`` × 3 cells."""
    parts = np.array_split(values, rows, axis=0)
    return np.array([[p.mean() for p in np.array_split(part, 3, axis=1)] for part in parts])
