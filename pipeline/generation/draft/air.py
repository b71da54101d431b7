"""What is above: sky, clouds, sun, moon and stars, rain and snow."""

import math

from pipeline.generation.draft.canvas import Point
from pipeline.generation.draft.scene import Time, Weather
from pipeline.generation.draft.site import Site
from pipeline.generation.draft.tones import mix, rgb


def sky(site: Site) -> None:
    """The gradient down to the ground line, with sun, clouds or moon by the time of day."""
    tones = site.tones
    site.canvas.gradient(
        tones.far, tones.low, 0, max(0.3 * site.height, min(site.floor, site.height))
    )
    if site.floor < site.height:
        site.canvas.gradient(tones.low, tones.low, site.floor, site.height)
    if site.scene.time is Time.DUSK:
        sun = (
            site.width * site.rng.uniform(0.2, 0.8),
            min(site.floor, site.height) - 0.25 * site.unit,
        )
        site.canvas.glow(sun, 0.9 * site.unit, rgb("#ffe2b0"), 0.8)
        site.canvas.disc(sun, (0.17 * site.unit, 0.17 * site.unit), rgb("#fff1cf"))
    elif site.night and site.scene.weather is Weather.CLEAR:
        moon_and_stars(site)


def moon_and_stars(site: Site) -> None:
    """A moon with a halo among stars of three sizes."""
    rng, canvas = site.rng, site.canvas
    height = min(site.floor, site.height)
    for _ in range(70):
        at = (rng.uniform(0, site.width), rng.uniform(0, 0.85) * height)
        radius = rng.choice((0.8, 1.1, 1.7)) * site.pen * 0.5
        canvas.disc(at, (radius, radius), rgb("#e9ecfa"))
    radius = 0.06 * min(site.width, site.height) + 0.02 * site.unit
    at = (site.width * rng.choice((0.14, 0.84)), 0.2 * height)
    canvas.glow(at, 3.2 * radius, rgb("#cfd8f6"), 0.5)
    canvas.disc(at, (radius, radius), rgb("#fbf3d3"))
    for dx, dy, r in ((-0.3, -0.2, 0.2), (0.25, 0.3, 0.14), (0.3, -0.35, 0.1)):
        crater = (at[0] + dx * radius, at[1] + dy * radius)
        canvas.disc(crater, (r * radius, r * radius), rgb("#efe2b4"))


def clouds(site: Site, *, count: int, low: float) -> None:
    """Cumulus clouds with flat bottoms, none below ``low`` (pixels)."""
    for k in range(count):
        across = site.width * (k + site.rng.uniform(0.15, 0.85)) / count
        down = site.rng.uniform(0.12, 0.9) * max(1.0, low)
        size = site.rng.uniform(0.16, 0.3) * min(site.width, 1.4 * site.height)
        cloud(site, (across, down), size)


def cloud(site: Site, at: Point, size: float) -> None:
    """One cloud: ``at`` is the middle of its base, ``size`` half its width."""
    tones = site.tones
    white = mix(tones.light, tones.low, 0.12 if not site.night else 0.7)
    shade = mix(white, tones.far, 0.35)
    x, y = at
    puffs = ((-0.62, 0.2, 0.27), (-0.22, 0.3, 0.36), (0.22, 0.34, 0.42), (0.62, 0.2, 0.28))
    ink = mix(tones.ink, tones.low, 0.55)
    edge = max(1.0, site.pen * 0.9)
    for grow, color in ((edge, ink), (0.0, shade)):
        for dx, dy, r in puffs:
            center, radius = (x + dx * size, y - dy * size), r * size + grow
            site.canvas.disc(center, (radius, radius), color)
        site.canvas.rect(
            (x - 0.68 * size, y - 0.2 * size, x + 0.68 * size, y + 0.05 * size + grow), color
        )
    for dx, dy, r in puffs:
        center = (x + (dx - 0.03) * size, y - (dy + 0.06) * size)
        site.canvas.disc(center, (0.88 * r * size, 0.86 * r * size), white)
    site.canvas.rect((x - 0.6 * size, y - 0.2 * size, x + 0.58 * size, y - 0.06 * size), white)


def open_sky(site: Site) -> None:
    """High sky with big clouds and birds over a low hill line."""
    sky(site)
    canvas, tones, rng = site.canvas, site.tones, site.rng
    if site.scene.time is Time.DAY and site.scene.weather is Weather.CLEAR:
        sun = (site.width * rng.choice((0.12, 0.88)), 0.18 * site.height)
        canvas.glow(sun, 0.45 * site.height, tones.light, 0.7)
    clouds(site, count=max(3, round(site.width / (0.3 * site.height))), low=0.8 * site.height)
    for _ in range(rng.randint(3, 6)):
        x, y = rng.uniform(0.05, 0.95) * site.width, rng.uniform(0.1, 0.5) * site.height
        wing = rng.uniform(0.012, 0.022) * site.height
        canvas.curve(
            [
                (x - 2 * wing, y - wing),
                (x - wing, y - 1.3 * wing),
                (x, y),
                (x + wing, y - 1.3 * wing),
                (x + 2 * wing, y - wing),
            ],
            mix(tones.ink, tones.low, 0.3),
            site.pen,
        )
    if site.floor < site.height:
        crest = [
            (-20.0, site.floor),
            (0.3 * site.width, site.floor - 0.06 * site.unit),
            (0.7 * site.width, site.floor + 0.03 * site.unit),
            (site.width + 20.0, site.floor - 0.04 * site.unit),
            (site.width + 20.0, site.height + 60.0),
            (-20.0, site.height + 60.0),
        ]
        canvas.blob(crest, mix(tones.ground, tones.main, 0.3), tones.ink, site.pen)


def fall(site: Site) -> None:
    """Rain streaks or snow flakes over the background."""
    rng, canvas = site.rng, site.canvas
    if site.scene.weather is Weather.RAIN:
        color = mix(site.tones.low, (255, 255, 255), 0.45)
        for _ in range(170):
            x, y = rng.uniform(-20, site.width), rng.uniform(-20, site.height)
            length = rng.uniform(0.03, 0.075) * site.height
            canvas.line([(x, y), (x + 0.22 * length, y + length)], color, site.pen * 0.8)
    elif site.scene.weather is Weather.SNOW:
        for _ in range(150):
            at = (rng.uniform(0, site.width), rng.uniform(0, site.height))
            radius = rng.uniform(0.5, 1.6) * site.pen
            canvas.disc(at, (radius, radius), (253, 254, 255))


def rays(center: Point, count: int, reach: float) -> list[tuple[float, Point]]:
    """``count`` evenly spread directions from ``center`` with their end points."""
    out = []
    for k in range(count):
        angle = 2 * math.pi * k / count
        end = (center[0] + reach * math.cos(angle), center[1] + reach * math.sin(angle))
        out.append((angle, end))
    return out
