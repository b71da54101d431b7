"""Built backgrounds: street, city, and what is lit at night."""

from pipeline.generation.draft.air import clouds, sky
from pipeline.generation.draft.scene import Time
from pipeline.generation.draft.site import Site
from pipeline.generation.draft.tones import Rgb, mix, multiply


def street(site: Site) -> None:
    """A row of houses behind a pavement and a road."""
    sky(site)
    _skyline(site, share=0.72, height=(1.2, 1.9))
    x = -site.rng.uniform(0.1, 0.5) * site.unit
    while x < site.width:
        wide = site.rng.uniform(0.85, 1.2) * site.unit
        _house(site, x, wide)
        x += wide
    _road(site)
    _street_lamp(site, site.width * site.rng.choice((0.06, 0.93)))
    if site.rng.random() < 0.7:
        _street_tree(site, site.width * site.rng.choice((0.12, 0.85)))


def _house(site: Site, x: float, wide: float) -> None:
    canvas, tones, rng, u, floor = site.canvas, site.tones, site.rng, site.unit, site.floor
    tall = rng.uniform(1.5, 2.1) * u
    palette = (tones.second, tones.accent, tones.light, tones.main, tones.far)
    wall = mix(rng.choice(palette), tones.low, 0.5)
    ink = mix(tones.ink, tones.low, 0.25)
    top = floor - tall
    canvas.rect((x, top, x + wide, floor), wall, ink, site.pen)
    roof = mix(multiply(tones.accent, tones.second), tones.low, 0.45)
    if rng.random() < 0.6:
        peak = top - rng.uniform(0.3, 0.5) * u
        shape = [(x - 0.05 * u, top), (x + wide / 2, peak), (x + wide + 0.05 * u, top)]
        canvas.poly(shape, roof, ink, site.pen)
    else:
        canvas.rect((x - 0.04 * u, top - 0.1 * u, x + wide + 0.04 * u, top), roof, ink, site.pen)
    _windows(site, (x, top, x + wide, floor - 0.95 * u), ink)
    if rng.random() < 0.5:
        _shop(site, x, wide, ink)
    else:
        _front_door(site, x, wide, ink)


def _windows(site: Site, wall: tuple[float, float, float, float], ink: Rgb) -> None:
    x0, y0, x1, y1 = wall
    u, rng = site.unit, site.rng
    columns = 2 if x1 - x0 < 1.05 * u else 3
    rows = max(1, int((y1 - y0) / (0.48 * u)))
    for row in range(rows):
        for column in range(columns):
            cx = x0 + (column + 0.5) * (x1 - x0) / columns
            cy = y0 + (row + 0.5) * (y1 - y0) / rows
            box = (cx - 0.1 * u, cy - 0.15 * u, cx + 0.1 * u, cy + 0.15 * u)
            dark = mix(site.tones.far, ink, 0.35)
            lit = site.lamp() if rng.random() < 0.65 else dark
            site.canvas.rect(box, lit, ink, site.pen)
            site.canvas.line([(cx, box[1]), (cx, box[3])], ink, site.pen * 0.7)
            site.canvas.line([(box[0], cy), (box[2], cy)], ink, site.pen * 0.7)
            sill = (box[0] - 0.02 * u, box[3], box[2] + 0.02 * u, box[3] + 0.03 * u)
            site.canvas.rect(sill, site.tones.light, ink, site.pen * 0.7)


def _shop(site: Site, x: float, wide: float, ink: Rgb) -> None:
    canvas, tones, u, floor = site.canvas, site.tones, site.unit, site.floor
    x0, x1 = x + 0.08 * wide, x + 0.92 * wide
    canvas.rect((x0, floor - 0.7 * u, x1, floor - 0.14 * u), site.lamp(), ink, site.pen)
    canvas.line(
        [(x0 + 0.62 * (x1 - x0), floor - 0.7 * u), (x0 + 0.62 * (x1 - x0), floor)], ink, site.pen
    )
    awning = floor - 0.92 * u
    stripes = 6
    cloth = mix(tones.accent, tones.low, 0.25)
    for k in range(stripes):
        a, b = (x0 + (x1 - x0) * j / stripes for j in (k, k + 1))
        shape = [
            (a, awning),
            (b, awning),
            (b + 0.02 * u, awning + 0.22 * u),
            (a - 0.02 * u, awning + 0.22 * u),
        ]
        canvas.poly(shape, cloth if k % 2 else tones.light, ink, site.pen * 0.8)


def _front_door(site: Site, x: float, wide: float, ink: Rgb) -> None:
    canvas, tones, u, floor = site.canvas, site.tones, site.unit, site.floor
    door = x + wide * site.rng.choice((0.28, 0.72))
    canvas.rect(
        (door - 0.17 * u, floor - 0.82 * u, door + 0.17 * u, floor), tones.light, ink, site.pen
    )
    canvas.rect(
        (door - 0.13 * u, floor - 0.78 * u, door + 0.13 * u, floor),
        mix(tones.main, tones.low, 0.2),
        ink,
        site.pen,
    )
    canvas.disc((door + 0.08 * u, floor - 0.38 * u), (0.016 * u, 0.016 * u), ink)
    other = x + wide - (door - x)
    box = (other - 0.14 * u, floor - 0.72 * u, other + 0.14 * u, floor - 0.34 * u)
    canvas.rect(box, site.lamp(), ink, site.pen)
    canvas.line([(other, box[1]), (other, box[3])], ink, site.pen * 0.7)


def _road(site: Site) -> None:
    canvas, tones, width, height, floor = (
        site.canvas,
        site.tones,
        site.width,
        site.height,
        site.floor,
    )
    if floor >= height:
        return
    walk = (
        mix(tones.second, tones.light, 0.55) if not site.night else mix(tones.ink, tones.low, 0.55)
    )
    road = mix(tones.ink, tones.low, 0.6)
    canvas.gradient(mix(walk, tones.low, 0.3), walk, floor, height)
    kerb = floor + (height - floor) * 0.72
    seam = mix(walk, tones.ink, 0.25)
    vanish_x, vanish_y = width * 0.5, floor - 0.9 * site.unit
    reach = (kerb - vanish_y) / (floor - vanish_y)
    step = 0.4 * site.unit
    for k in range(-int(width / step) - 2, int(width / step) + 3):
        x = vanish_x + (k + 0.5) * step
        canvas.line([(x, floor), (vanish_x + (x - vanish_x) * reach, kerb)], seam, site.pen * 0.8)
    middle = floor + (kerb - floor) * 0.4
    canvas.line([(0, middle), (width, middle)], seam, site.pen * 0.8)
    canvas.rect((-9, kerb, width + 9, height + 9), road)
    canvas.rect(
        (-9, kerb, width + 9, kerb + 0.05 * site.unit),
        mix(walk, tones.ink, 0.18),
        mix(tones.ink, tones.low, 0.3),
        site.pen,
    )
    if site.rain:
        for _ in range(5):
            x, y = site.rng.uniform(0, width), site.rng.uniform(floor + 4, height)
            canvas.disc((x, y), (0.22 * site.unit, 0.02 * site.unit), mix(walk, tones.far, 0.7))


def _street_lamp(site: Site, x: float) -> None:
    canvas, tones, u = site.canvas, site.tones, site.unit
    base = site.floor + 0.06 * u
    top = base - 1.75 * u
    ink = mix(tones.ink, tones.low, 0.1)
    if site.scene.time is not Time.DAY:
        canvas.glow((x, top), 0.8 * u, (255, 226, 150), 0.7)
    canvas.line([(x, base), (x, top + 0.1 * u)], ink, 0.035 * u)
    canvas.rect((x - 0.06 * u, base - 0.14 * u, x + 0.06 * u, base), ink)
    head = [
        (x - 0.06 * u, top + 0.12 * u),
        (x - 0.09 * u, top - 0.08 * u),
        (x + 0.09 * u, top - 0.08 * u),
        (x + 0.06 * u, top + 0.12 * u),
    ]
    canvas.poly(head, site.lamp(), ink, site.pen * 1.2)
    canvas.poly(
        [(x - 0.11 * u, top - 0.08 * u), (x, top - 0.17 * u), (x + 0.11 * u, top - 0.08 * u)], ink
    )


def _street_tree(site: Site, x: float) -> None:
    canvas, tones, u = site.canvas, site.tones, site.unit
    base = site.floor + 0.05 * u
    trunk = mix(tones.second, tones.ink, 0.3)
    canvas.rect((x - 0.05 * u, base - 0.7 * u, x + 0.05 * u, base), trunk, tones.ink, site.pen)
    leaf = mix(tones.main, tones.low, 0.15)
    ring = [
        (-0.34, -0.7),
        (-0.4, -1.0),
        (-0.18, -1.3),
        (0.16, -1.32),
        (0.4, -1.05),
        (0.34, -0.72),
        (0.0, -0.6),
    ]
    canvas.blob([(x + a * u, base + b * u) for a, b in ring], leaf, tones.ink, site.pen)


def city(site: Site) -> None:
    """A skyline behind a parapet, as seen from a roof."""
    sky(site)
    if site.scene.time is Time.DAY:
        clouds(site, count=2, low=0.5 * site.floor)
    _skyline(site, share=0.75, height=(1.6, 3.0))
    _skyline(site, share=0.45, height=(1.0, 2.2))
    _parapet(site)


def _skyline(site: Site, *, share: float, height: tuple[float, float]) -> None:
    """Blocks; ``share`` of the sky's colour is mixed in, as distance does."""
    canvas, tones, rng, u = site.canvas, site.tones, site.rng, site.unit
    x = -rng.random() * 0.4 * u
    while x < site.width:
        wide = rng.uniform(0.4, 0.8) * u
        top = site.floor - rng.uniform(*height) * u
        wall = mix(rng.choice((tones.main, tones.second, tones.ink)), tones.low, share)
        ink = mix(tones.ink, tones.low, min(0.9, share + 0.1))
        canvas.rect((x, top, x + wide, site.floor + 4), wall, ink, site.pen * 0.8)
        if rng.random() < 0.3:
            canvas.line([(x + wide / 2, top), (x + wide / 2, top - 0.25 * u)], ink, site.pen)
        _lights(site, (x, top, x + wide, site.floor), wall, share)
        x += wide + rng.uniform(-0.05, 0.08) * u


def _lights(site: Site, wall: tuple[float, float, float, float], color: Rgb, share: float) -> None:
    x0, y0, x1, y1 = wall
    cell = 0.14 * site.unit
    columns, rows = int((x1 - x0) / cell), int((y1 - y0) / (1.3 * cell))
    if columns < 2:
        return
    pitch = (x1 - x0) / columns
    for row in range(rows):
        for column in range(columns):
            if site.rng.random() < 0.4:
                continue
            cx, cy = x0 + (column + 0.5) * pitch, y0 + (row + 0.6) * 1.3 * cell
            light = mix(site.lamp(), color, share * 0.7)
            site.canvas.rect(
                (cx - 0.2 * cell, cy - 0.28 * cell, cx + 0.2 * cell, cy + 0.28 * cell), light
            )


def _parapet(site: Site) -> None:
    canvas, tones, u, floor = site.canvas, site.tones, site.unit, site.floor
    stone = mix(tones.second, tones.low, 0.45)
    if floor < site.height:
        canvas.gradient(mix(stone, tones.low, 0.4), stone, floor, site.height)
        seam = mix(stone, tones.ink, 0.2)
        vanish_x, vanish_y = site.width / 2, floor - 0.9 * u
        reach = (site.height - vanish_y) / (floor - vanish_y)
        step = 0.45 * u
        for k in range(-int(site.width / step) - 2, int(site.width / step) + 3):
            x = vanish_x + (k + 0.5) * step
            canvas.line(
                [(x, floor), (vanish_x + (x - vanish_x) * reach, site.height)], seam, site.pen * 0.8
            )
    canvas.rect(
        (-9, floor - 0.36 * u, site.width + 9, floor),
        mix(stone, tones.light, 0.25),
        tones.ink,
        site.pen,
    )
    canvas.rect(
        (-9, floor - 0.44 * u, site.width + 9, floor - 0.36 * u),
        mix(stone, tones.light, 0.5),
        tones.ink,
        site.pen,
    )


def night_sky(site: Site) -> None:
    """Moon and stars over roofs with lit windows."""
    sky(site)
    _skyline(site, share=0.55, height=(0.5, 1.1))
    _parapet(site)
