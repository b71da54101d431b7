"""Grown backgrounds: park, forest, mountains, water."""

from pipeline.generation.draft.air import clouds, sky
from pipeline.generation.draft.canvas import Point
from pipeline.generation.draft.scene import Time
from pipeline.generation.draft.site import Site
from pipeline.generation.draft.tones import Rgb, mix, multiply, rgb


def land(site: Site, level: float, bumps: float, color: Rgb, ink: Rgb) -> None:
    """A hill line across the picture at ``level`` pixels, ``bumps`` pixels high."""
    rng, width = site.rng, site.width
    count = 5
    crest: list[Point] = [
        (width * (k - 0.5) / (count - 2), level - rng.uniform(-1, 1) * bumps) for k in range(count)
    ]
    low = site.height + 90.0
    site.canvas.blob([(-0.4 * width, low), *crest, (1.4 * width, low)], color, ink, site.pen)


def _tree(site: Site, at: Point, tall: float, leaf: Rgb) -> None:
    canvas, tones, rng = site.canvas, site.tones, site.rng
    (x, y), ink = at, mix(tones.ink, leaf, 0.25)
    trunk = mix(multiply(tones.second, tones.second), leaf, 0.2)
    canvas.rect((x - 0.05 * tall, y - 0.45 * tall, x + 0.05 * tall, y), trunk, ink, site.pen)
    ring = [
        (-0.3, 0.36),
        (-0.36, 0.6),
        (-0.2, 0.88),
        (0.04, 1.0),
        (0.26, 0.86),
        (0.36, 0.6),
        (0.28, 0.36),
        (0.0, 0.3),
    ]
    wobble = [(a * rng.uniform(0.9, 1.1), b * rng.uniform(0.96, 1.04)) for a, b in ring]
    canvas.blob([(x + a * tall, y - b * tall) for a, b in wobble], leaf, ink, site.pen)
    shine = mix(leaf, tones.light, 0.35)
    for dx, dy, long in ((-0.2, 0.66, 0.12), (-0.14, 0.76, 0.16)):
        arc = [(dx, dy), (dx + 0.3 * long, dy + 0.6 * long), (dx + long, dy + 0.8 * long)]
        canvas.curve([(x + a * tall, y - b * tall) for a, b in arc], shine, site.pen * 1.4)


def _fir(site: Site, at: Point, tall: float, leaf: Rgb) -> None:
    (x, y), ink = at, mix(site.tones.ink, leaf, 0.3)
    site.canvas.rect((x - 0.03 * tall, y - 0.15 * tall, x + 0.03 * tall, y), ink)
    for low, high, half in ((0.1, 0.55, 0.24), (0.35, 0.78, 0.18), (0.6, 1.0, 0.12)):
        shape = [
            (x - half * tall, y - low * tall),
            (x, y - high * tall),
            (x + half * tall, y - low * tall),
        ]
        site.canvas.poly(shape, leaf, ink, site.pen)


def _grass(site: Site, color: Rgb) -> None:
    rng = site.rng
    top = min(site.floor + 0.05 * site.unit, site.height)
    for _ in range(26):
        x, y = rng.uniform(0, site.width), rng.uniform(top, site.height + 10)
        blade = (0.5 + (y - top) / max(1.0, site.height - top)) * 0.035 * site.unit
        for lean in (-0.6, 0.0, 0.6):
            site.canvas.line([(x, y), (x + lean * blade, y - blade)], color, site.pen * 0.8)


def park(site: Site) -> None:
    """Lawn, hedge and trees, with a path."""
    sky(site)
    tones, rng, unit, floor = site.tones, site.rng, site.unit, site.floor
    if site.scene.time is not Time.NIGHT:
        clouds(site, count=3, low=0.55 * min(floor, site.height))
    far = mix(tones.main, tones.low, 0.6)
    land(site, floor - 0.25 * unit, 0.12 * unit, far, mix(tones.ink, tones.low, 0.6))
    x = -0.1 * unit
    while x < site.width + 0.2 * unit:
        tall = rng.uniform(0.5, 0.8) * unit
        _tree(site, (x, floor - 0.02 * unit), tall, mix(tones.main, tones.low, 0.45))
        x += rng.uniform(0.3, 0.6) * unit
    land(site, floor, 0.02 * unit, mix(tones.ground, tones.main, 0.15), tones.ink)
    if floor < site.height:
        _path(site)
        _grass(site, mix(tones.ground, tones.ink, 0.35))
    side = rng.choice((0.04, 0.95))
    _tree(
        site, (site.width * side, floor + 0.06 * unit), 1.7 * unit, mix(tones.main, tones.low, 0.12)
    )


def _path(site: Site) -> None:
    floor, unit, width, height = site.floor, site.unit, site.width, site.height
    start = width * site.rng.uniform(0.35, 0.65)
    mid = start + site.rng.uniform(-0.2, 0.2) * unit
    sand = mix(mix(rgb("#e6cf9f"), site.tones.low, 0.35), site.tones.ground, 0.2)
    shape = [
        (start - 0.06 * unit, floor + 0.02 * unit),
        (start + 0.06 * unit, floor + 0.02 * unit),
        (mid + 0.5 * unit, height + 20.0),
        (mid - 0.5 * unit, height + 20.0),
    ]
    site.canvas.poly(shape, sand, mix(site.tones.ink, sand, 0.5), site.pen)


def forest(site: Site) -> None:
    """Three depths of trunks under a canopy, with light between them."""
    canvas, tones, rng, unit = site.canvas, site.tones, site.rng, site.unit
    haze = mix(tones.low, tones.main, 0.3)
    deep = mix(tones.main, tones.far, 0.15)
    canvas.gradient(
        mix(deep, haze, 0.3), mix(haze, tones.light, 0.45), 0, min(site.floor, site.height)
    )
    for share, wide in ((0.72, 0.07), (0.5, 0.1)):
        bark = mix(mix(tones.second, tones.ink, 0.35), haze, share)
        x = -rng.random() * 0.3 * unit
        while x < site.width:
            half = wide * unit * rng.uniform(0.5, 1.0)
            lean = rng.uniform(-0.05, 0.05) * unit
            canvas.poly(
                [
                    (x - half + lean, -9),
                    (x + half + lean, -9),
                    (x + 1.2 * half, site.floor + 4),
                    (x - 1.2 * half, site.floor + 4),
                ],
                bark,
                mix(tones.ink, haze, share),
                site.pen,
            )
            x += rng.uniform(0.25, 0.6) * unit
        land(
            site,
            site.floor - 0.1 * unit * share,
            0.05 * unit,
            mix(deep, haze, share),
            mix(tones.ink, haze, share),
        )
    _forest_floor(site, deep)
    _big_trunk(site, site.width * rng.choice((0.03, 0.96)))
    _leaf_roof(site, mix(deep, tones.ink, 0.12))


def _forest_floor(site: Site, deep: Rgb) -> None:
    tones, rng, unit = site.tones, site.rng, site.unit
    land(site, site.floor, 0.02 * unit, mix(tones.ground, deep, 0.35), tones.ink)
    _grass(site, mix(deep, tones.ink, 0.35))
    for _ in range(6):
        x = rng.uniform(0, site.width)
        y = site.floor + rng.uniform(0.0, 0.1) * unit
        for lean in (-0.22, -0.13, 0.0, 0.13, 0.22):
            tip = (x + lean * unit, y - (0.2 - 0.4 * abs(lean)) * unit)
            site.canvas.curve(
                [(x, y), ((x + tip[0]) / 2 - 0.1 * lean * unit, tip[1] + 0.02 * unit), tip],
                mix(deep, tones.ink, 0.2),
                site.pen * 1.8,
            )


def _big_trunk(site: Site, x: float) -> None:
    tones, unit = site.tones, site.unit
    bark = mix(tones.second, tones.ink, 0.3)
    base = site.floor + 0.14 * unit
    shape = [
        (x - 0.13 * unit, -20.0),
        (x + 0.13 * unit, -20.0),
        (x + 0.15 * unit, base - 0.3 * unit),
        (x + 0.27 * unit, base),
        (x - 0.27 * unit, base),
        (x - 0.15 * unit, base - 0.3 * unit),
    ]
    site.canvas.poly(shape, bark, tones.ink, site.pen * 1.2)
    for dx in (-0.06, 0.03, 0.08):
        site.canvas.line(
            [(x + dx * unit, 0), (x + dx * unit * 1.4, base - 0.35 * unit)],
            mix(bark, tones.ink, 0.4),
            site.pen * 0.8,
        )


def _leaf_roof(site: Site, leaf: Rgb) -> None:
    rng, unit = site.rng, site.unit
    depth = 0.12 * site.height
    lower: list[Point] = []
    x = site.width + 0.2 * unit
    while x > -0.2 * unit:
        lower.append((x, depth * rng.uniform(0.4, 1.3)))
        x -= rng.uniform(0.1, 0.18) * unit
    shape = [(-0.3 * unit, -60.0), (site.width + 0.3 * unit, -60.0), *lower]
    site.canvas.blob(shape, leaf, mix(site.tones.ink, leaf, 0.3), site.pen)


def mountain(site: Site) -> None:
    """Snowy peaks behind foothills with firs."""
    sky(site)
    canvas, tones, rng, unit = site.canvas, site.tones, site.rng, site.unit
    if site.scene.time is Time.DAY:
        clouds(site, count=2, low=0.4 * min(site.floor, site.height))
    for share, high in ((0.62, 1.7), (0.4, 1.25)):
        rock = mix(mix(tones.ink, tones.far, 0.35), tones.low, share)
        x = -0.4 * unit
        while x < site.width + 0.4 * unit:
            peak = (
                x + rng.uniform(-0.1, 0.1) * unit,
                site.floor - high * rng.uniform(0.7, 1.1) * unit,
            )
            _peak(site, peak, rock, share)
            x += rng.uniform(0.7, 1.1) * unit
    land(site, site.floor - 0.12 * unit, 0.08 * unit, mix(tones.main, tones.low, 0.4), tones.ink)
    for _ in range(max(4, round(site.width / (0.3 * unit)))):
        at = (rng.uniform(0, site.width), site.floor - rng.uniform(-0.02, 0.1) * unit)
        _fir(site, at, rng.uniform(0.25, 0.45) * unit, mix(tones.main, tones.low, 0.25))
    land(site, site.floor + 0.02 * unit, 0.03 * unit, tones.ground, tones.ink)
    if site.floor < site.height:
        _grass(site, mix(tones.ground, tones.ink, 0.35))
        for _ in range(4):
            x, y = rng.uniform(0, site.width), rng.uniform(site.floor + 0.05 * unit, site.height)
            canvas.blob(
                [
                    (x - 0.07 * unit, y),
                    (x - 0.04 * unit, y - 0.06 * unit),
                    (x + 0.05 * unit, y - 0.05 * unit),
                    (x + 0.08 * unit, y),
                ],
                mix(tones.ink, tones.low, 0.6),
                tones.ink,
                site.pen,
            )


def _peak(site: Site, peak: Point, rock: Rgb, share: float) -> None:
    (x, y), low = peak, site.floor + 9
    half = 0.55 * (low - y)
    ink = mix(site.tones.ink, site.tones.low, share)
    site.canvas.poly([(x - half, low), peak, (x + half, low)], rock, ink, site.pen)
    site.canvas.poly(
        [peak, (x + half, low), (x + 0.12 * half, low)], mix(rock, site.tones.ink, 0.12)
    )
    cap = 0.3
    zigzag = [
        (x - cap * half, y + cap * (low - y)),
        (x - 0.12 * half, y + 0.2 * (low - y)),
        (x, y + 0.31 * (low - y)),
        (x + 0.13 * half, y + 0.21 * (low - y)),
        (x + cap * half, y + cap * (low - y)),
    ]
    site.canvas.poly(
        [peak, *reversed(zigzag)],
        mix(site.tones.light, site.tones.low, share * 0.6),
        ink,
        site.pen * 0.8,
    )
