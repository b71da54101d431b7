"""Backgrounds without a place: speed lines and plain tone."""

import math

from pipeline.generation.draft.canvas import Point
from pipeline.generation.draft.site import Site
from pipeline.generation.draft.tones import mix


def speed_lines(site: Site) -> None:
    """Wedges towards a focus, or streaks along a direction."""
    tones = site.tones
    site.canvas.gradient(mix(tones.low, tones.far, 0.4), tones.low, 0, site.height)
    if site.rng.random() < 0.6:
        focus = (site.width * site.rng.uniform(0.4, 0.6), site.height * site.rng.uniform(0.4, 0.55))
        burst(site, focus)
    else:
        _streaks(site)


def burst(site: Site, focus: Point) -> None:
    """Wedges that point at ``focus`` and leave a clear oval around it."""
    rng, tones = site.rng, site.tones
    reach = math.hypot(site.width, site.height)
    site.canvas.glow(focus, 0.6 * site.height, tones.light, 0.9)
    count = 76
    for k in range(count):
        angle = 2 * math.pi * (k + rng.uniform(-0.3, 0.3)) / count
        half = rng.uniform(0.2, 0.75) * math.pi / count
        near = rng.uniform(0.3, 0.52) * min(site.width, site.height)
        tip = (focus[0] + 1.35 * near * math.cos(angle), focus[1] + near * math.sin(angle))
        outer = [
            (
                focus[0] + reach * math.cos(angle + s * half),
                focus[1] + reach * math.sin(angle + s * half),
            )
            for s in (-1, 1)
        ]
        color = (
            tones.accent
            if rng.random() < 0.16
            else mix(tones.main, tones.ink, rng.choice((0.0, 0.12, 0.3)))
        )
        site.canvas.poly([tip, *outer], color)


def edge_lines(site: Site) -> None:
    """Light wedges from the frame inwards, over a drawn place: the camera rushes in."""
    rng, tones = site.rng, site.tones
    focus = (site.width * rng.uniform(0.4, 0.6), site.height * rng.uniform(0.45, 0.55))
    reach = math.hypot(site.width, site.height)
    for _ in range(64):
        angle = rng.uniform(0, 2 * math.pi)
        half = rng.uniform(0.004, 0.016)
        near = rng.uniform(0.62, 0.85)
        tip = (
            focus[0] + near * 0.6 * site.width * math.cos(angle),
            focus[1] + near * 0.6 * site.height * math.sin(angle),
        )
        outer = [
            (focus[0] + reach * math.cos(angle + s), focus[1] + reach * math.sin(angle + s))
            for s in (-half, half)
        ]
        site.canvas.poly([tip, *outer], rng.choice((tones.light, tones.light, tones.ink)))


def _streaks(site: Site) -> None:
    rng, tones, height = site.rng, site.tones, site.height
    slope = rng.uniform(-0.16, 0.16)
    for _ in range(75):
        y = rng.uniform(-0.2, 1.2) * height
        thick = rng.uniform(0.002, 0.018) * height
        start = rng.uniform(-0.4, 0.7) * site.width
        end = start + rng.uniform(0.4, 1.1) * site.width
        color = rng.choice((tones.light, tones.far, tones.main, mix(tones.main, tones.ink, 0.2)))
        rise = slope * (end - start)
        site.canvas.poly(
            [
                (start, y),
                ((start + end) / 2, y + rise / 2 - thick),
                (end, y + rise),
                ((start + end) / 2, y + rise / 2 + thick),
            ],
            color,
        )


def plain(site: Site) -> None:
    """A tone with one large shape behind the figures."""
    canvas, tones, rng = site.canvas, site.tones, site.rng
    canvas.gradient(mix(tones.far, tones.low, 0.3), tones.far, 0, site.height)
    kind = rng.randrange(3)
    if kind == 0:
        center = (site.width * rng.uniform(0.35, 0.65), 0.58 * site.height)
        radius = 0.42 * min(site.width, 1.2 * site.height)
        canvas.disc(center, (radius, radius), tones.low)
    elif kind == 1:
        for k in range(-2, 9):
            x = k * 0.22 * site.width
            canvas.poly(
                [
                    (x, -5),
                    (x + 0.11 * site.width, -5),
                    (x - 0.19 * site.width, site.height + 5),
                    (x - 0.3 * site.width, site.height + 5),
                ],
                mix(tones.low, tones.far, 0.45),
            )
    _dots(site, rising=rng.random() < 0.5)
    if site.floor < site.height:
        canvas.gradient(mix(tones.ground, tones.far, 0.35), tones.ground, site.floor, site.height)
        canvas.line([(-9, site.floor), (site.width + 9, site.floor)], tones.ink, site.pen)


def _dots(site: Site, *, rising: bool) -> None:
    """A fading halftone that gives the flat tone a printed look."""
    pitch = max(9.0, 0.02 * min(site.width, site.height))
    color = mix(site.tones.main, site.tones.far, 0.15)
    row, y = 0, 0.0
    while y < site.height:
        share = y / site.height if rising else 1 - y / site.height
        radius = 0.46 * pitch * max(0.0, share - 0.35) / 0.65
        if radius > 0.6:
            x = (row % 2) * pitch / 2
            while x < site.width + pitch:
                site.canvas.disc((x, y), (radius, radius), color)
                x += pitch
        y += pitch / 2
        row += 1
