"""Limited palettes: few colours per panel, light and quiet, so that the figures lead."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from random import Random

from pipeline.generation.draft.scene import ABSTRACT, INDOORS, Scene, Time, Weather

Rgb = tuple[int, int, int]

DUSK_LIGHT: Rgb = (255, 196, 156)
NIGHT_LIGHT: Rgb = (112, 130, 190)
RAIN_LIGHT: Rgb = (190, 202, 216)


def rgb(text: str) -> Rgb:
    """Read ``#rrggbb``."""
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def mix(a: Rgb, b: Rgb, share: float) -> Rgb:
    """The colour ``share`` (0 to 1) of the way from ``a`` to ``b``."""
    return _whole(x + (y - x) * share for x, y in zip(a, b, strict=True))


def multiply(a: Rgb, b: Rgb) -> Rgb:
    """Both as filters one over the other."""
    return _whole(x * y / 255 for x, y in zip(a, b, strict=True))


def _whole(values: Iterable[float]) -> Rgb:
    red, green, blue = (max(0, min(255, round(v))) for v in values)
    return red, green, blue


@dataclass(frozen=True, slots=True)
class Tones:
    """The colours of one panel by their part in it.

    ``far`` is wall or sky, ``low`` the sky near the horizon, ``ground`` floor or earth, ``main``
    and ``second`` the objects, ``accent`` the one that may sing, ``light`` windows and trims, and
    ``ink`` the outlines: a dark relative of the rest, never black, which is for the figures.
    """

    far: Rgb
    low: Rgb
    ground: Rgb
    main: Rgb
    second: Rgb
    accent: Rgb
    light: Rgb
    ink: Rgb


def _tones(text: str) -> Tones:
    return Tones(*(rgb(word) for word in text.split()))


ROOMS = tuple(
    _tones(line)
    for line in (
        "#f4e6cf #ead7b8 #d8b58d #c98f6b #8fb0a4 #d9785f #fffaf0 #6f5142",
        "#dcebe3 #c8dfd5 #d3bb9c #7fa8a0 #c9a06f #e39a72 #fbfff9 #44605d",
        "#e7e0f0 #d6cce4 #cdb39d #9a8bb8 #c58f8a #e6b566 #fffdf8 #574a6b",
        "#d8e6f0 #c3d7e6 #c9b08f #6f97b3 #b98a63 #e58a6a #fcfeff #3f566b",
        "#f6ded3 #ecc9ba #c7a58d #b87f78 #86a39b #e3b15b #fffaf5 #6a4745",
        "#eceadb #dcd9c3 #c4a982 #a3a272 #7c9aa3 #d7865a #fffef4 #565640",
    )
)
OPEN_AIR = tuple(
    _tones(line)
    for line in (
        "#a9d5ee #e8f4f5 #b9cf95 #86b38a #d3a37c #e58b6b #fffdf4 #4c6a63",
        "#b9dff0 #fbf0dc #d6cb9a #9dbb7d #c39373 #dd7f63 #fffaf0 #5e6650",
        "#9ecbe6 #dff0f2 #a9c79a #6ea08c #bfa58a #e6b160 #fffef8 #3f6068",
        "#bcd9ea #f8e8e2 #c3cda3 #8cab95 #c78f84 #e3976c #fffcf6 #5a5f68",
    )
)
BLANK = tuple(
    _tones(line)
    for line in (
        "#f8e3b8 #fdf3dc #f0cf96 #f3d49f #e9b98a #e58e66 #fffaf0 #a8794c",
        "#cfe6ea #ebf6f6 #a9d2d8 #b5d9de #93bfc9 #ee9d76 #fbffff #4f828f",
        "#f6d5cf #fdeeea #ebb5ac #f0c1b9 #dba096 #7fb0a8 #fffaf8 #a0625b",
        "#dcd7ee #f1eefa #bdb4de #c9c1e5 #a99fcf #f0b46c #fdfcff #665a96",
        "#d5e6c9 #eff6e8 #b3d0a0 #c1d9b1 #9cbd8a #ea9a6b #fdfff9 #5c7f4b",
    )
)


def choose_tones(scene: Scene, rng: Random) -> Tones:
    """A palette for ``scene``, in its light and weather."""
    if scene.place in INDOORS:
        return _lit(rng.choice(ROOMS), scene, indoors=True)
    if scene.place in ABSTRACT:
        return _lit(rng.choice(BLANK), scene, indoors=True)
    return _lit(rng.choice(OPEN_AIR), scene, indoors=False)


def _lit(day: Tones, scene: Scene, *, indoors: bool) -> Tones:
    filters: list[tuple[Rgb, float]] = []
    if scene.weather is Weather.RAIN:
        filters.append((RAIN_LIGHT, 0.4 if indoors else 0.9))
    if scene.time is Time.DUSK:
        filters.append((DUSK_LIGHT, 0.45 if indoors else 0.85))
    elif scene.time is Time.NIGHT:
        filters.append((NIGHT_LIGHT, 0.5 if indoors else 1.0))
    colors = {field.name: getattr(day, field.name) for field in fields(day)}
    for light, share in filters:
        colors = {name: mix(c, multiply(c, light), share) for name, c in colors.items()}
    if not indoors:
        colors.update(_sky(day, scene))
    if scene.weather is Weather.SNOW and not indoors:
        colors["ground"] = mix(colors["ground"], (250, 252, 255), 0.8)
        colors["main"] = mix(colors["main"], (250, 252, 255), 0.45)
    return Tones(**colors)


def _sky(day: Tones, scene: Scene) -> dict[str, Rgb]:
    match scene.time:
        case Time.NIGHT:
            return {"far": rgb("#3d4f85"), "low": rgb("#7d8cc0")}
        case Time.DUSK:
            return {"far": rgb("#b9a3c9"), "low": rgb("#fbcf9f")}
        case Time.DAY if scene.weather is Weather.RAIN:
            return {"far": rgb("#a7b6c4"), "low": rgb("#d3dbe0")}
        case Time.DAY if scene.weather is Weather.SNOW:
            return {"far": rgb("#c3d3e2"), "low": rgb("#eef3f7")}
        case _:
            return {"far": day.far, "low": day.low}
