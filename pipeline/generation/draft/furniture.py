"""Furniture of a room, each drawn at a place along the wall and sized by the site's unit."""

from pipeline.generation.draft.scene import Time
from pipeline.generation.draft.site import Site
from pipeline.generation.draft.tones import Rgb, mix, rgb


def box(site: Site, box: tuple[float, float, float, float], fill: Rgb) -> None:
    """An inked rectangle, ``(left, top, right, bottom)`` in pixels as :func:`at` gives it."""
    site.canvas.rect(box, fill, site.tones.ink, site.pen)


def at(
    site: Site, x: float, units: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """Pixels of ``(left, top, right, bottom)`` given in units from ``x`` and above the floor."""
    left, top, right, bottom = units
    u, floor = site.unit, site.floor
    return x + left * u, floor - top * u, x + right * u, floor - bottom * u


def plant(site: Site, x: float) -> None:
    """A pot plant."""
    u, floor, tones = site.unit, site.floor, site.tones
    leaf = (
        mix(rgb("#7fae86"), tones.far, 0.25) if not site.night else mix(tones.main, tones.far, 0.2)
    )
    for lean, tall in ((-0.2, 0.55), (0.2, 0.58), (-0.1, 0.7), (0.11, 0.68), (0.0, 0.78)):
        tip = (x + lean * u, floor - tall * u)
        root = (x, floor - 0.2 * u)
        mid = ((tip[0] + root[0]) / 2, (tip[1] + root[1]) / 2)
        bulge = 0.055 * u
        shape = [root, (mid[0] - bulge, mid[1]), tip, (mid[0] + bulge, mid[1] - 0.2 * bulge)]
        site.canvas.blob(shape, leaf, tones.ink, site.pen * 0.8)
    pot = [
        (x - 0.12 * u, floor - 0.24 * u),
        (x + 0.12 * u, floor - 0.24 * u),
        (x + 0.09 * u, floor),
        (x - 0.09 * u, floor),
    ]
    site.canvas.poly(pot, mix(tones.accent, tones.far, 0.15), tones.ink, site.pen)


def lamp(site: Site, x: float) -> None:
    """A standing lamp, glowing when it is dark."""
    u, floor, tones = site.unit, site.floor, site.tones
    site.canvas.line([(x, floor), (x, floor - 0.9 * u)], tones.ink, 0.02 * u)
    site.canvas.disc((x, floor - 0.005 * u), (0.1 * u, 0.018 * u), tones.ink)
    if site.scene.time is not Time.DAY:
        site.canvas.glow((x, floor - 0.85 * u), 0.6 * u, (255, 228, 160), 0.75)
    shade = [
        (x - 0.07 * u, floor - 1.02 * u),
        (x + 0.07 * u, floor - 1.02 * u),
        (x + 0.15 * u, floor - 0.76 * u),
        (x - 0.15 * u, floor - 0.76 * u),
    ]
    site.canvas.poly(shade, mix(tones.light, tones.accent, 0.22), tones.ink, site.pen)


def sofa(site: Site, x: float) -> None:
    """A two-seat sofa."""
    tones = site.tones
    cloth = mix(tones.main, tones.far, 0.15)
    dark = mix(cloth, tones.ink, 0.18)
    box(site, at(site, x, (-0.42, 0.5, 0.42, 0.08)), cloth)
    box(site, at(site, x, (-0.4, 0.28, 0.0, 0.12)), mix(cloth, tones.light, 0.2))
    box(site, at(site, x, (0.0, 0.28, 0.4, 0.12)), mix(cloth, tones.light, 0.2))
    for side in (-1, 1):
        left, right = sorted((side * 0.38, side * 0.52))
        box(site, at(site, x, (left, 0.36, right, 0.04)), dark)
    x0, y0, x1, y1 = at(site, x, (0.14, 0.45, 0.34, 0.25))
    site.canvas.poly(
        [(x0, y0 + 8), (x1 - 4, y0), (x1, y1 - 4), (x0 + 6, y1)],
        mix(tones.accent, tones.far, 0.15),
        tones.ink,
        site.pen,
    )


def bookcase(site: Site, x: float) -> None:
    """Shelves full of books."""
    tones, rng, u = site.tones, site.rng, site.unit
    wood = mix(tones.second, tones.far, 0.2)
    box(site, at(site, x, (-0.3, 1.2, 0.3, 0.0)), wood)
    shades = [mix(c, tones.far, 0.3) for c in (tones.main, tones.accent, tones.second, tones.light)]
    for shelf in range(4):
        bottom = 0.06 + shelf * 0.28
        x0, y0, x1, y1 = at(site, x, (-0.26, bottom + 0.24, 0.26, bottom))
        site.canvas.rect((x0, y0, x1, y1), mix(wood, tones.ink, 0.35))
        spine = x0
        while spine < x1 - 0.03 * u:
            thick = rng.uniform(0.03, 0.065) * u
            tall = rng.uniform(0.62, 0.95) * (y1 - y0)
            if rng.random() < 0.9:
                site.canvas.rect(
                    (spine, y1 - tall, min(spine + thick, x1), y1),
                    rng.choice(shades),
                    tones.ink,
                    site.pen * 0.6,
                )
            spine += thick


def wardrobe(site: Site, x: float) -> None:
    """A two-door wardrobe."""
    tones = site.tones
    wood = mix(tones.second, tones.far, 0.3)
    box(site, at(site, x, (-0.28, 1.22, 0.28, 0.03)), wood)
    for left in (-0.24, 0.02):
        box(site, at(site, x, (left, 1.16, left + 0.22, 0.1)), mix(wood, tones.light, 0.2))
    for dx in (-0.045, 0.045):
        u = site.unit
        site.canvas.disc((x + dx * u, site.floor - 0.62 * u), (0.014 * u, 0.014 * u), tones.ink)


def bed(site: Site, x: float) -> None:
    """A bed seen from its side."""
    tones = site.tones
    wood = mix(tones.second, tones.far, 0.2)
    box(site, at(site, x, (-0.62, 0.62, -0.54, 0.0)), wood)
    box(site, at(site, x, (0.54, 0.42, 0.62, 0.0)), wood)
    box(site, at(site, x, (-0.54, 0.32, 0.54, 0.1)), tones.light)
    box(site, at(site, x, (-0.28, 0.37, 0.54, 0.12)), mix(tones.main, tones.far, 0.2))
    x0, y0, x1, y1 = at(site, x, (-0.53, 0.43, -0.28, 0.31))
    site.canvas.blob([(x0, y1), (x0, y0), (x1, y0), (x1, y1)], tones.light, tones.ink, site.pen)


def kitchen_unit(site: Site, x: float) -> None:
    """A counter with a stove below and cupboards above."""
    tones, u = site.tones, site.unit
    front = mix(tones.main, tones.far, 0.3)
    box(site, at(site, x, (-0.34, 0.5, 0.34, 0.0)), front)
    box(site, at(site, x, (-0.36, 0.54, 0.36, 0.49)), tones.light)
    box(site, at(site, x, (-0.34, 1.24, 0.34, 0.86)), front)
    for left in (-0.31, 0.02):
        box(site, at(site, x, (left, 1.2, left + 0.29, 0.9)), mix(front, tones.light, 0.25))
        box(site, at(site, x, (left, 0.45, left + 0.29, 0.06)), mix(front, tones.light, 0.25))
    box(site, at(site, x, (-0.2, 0.64, 0.0, 0.54)), mix(tones.accent, tones.far, 0.2))
    site.canvas.line(
        [at(site, x, (0.0, 0.61, 0, 0))[:2], at(site, x, (0.1, 0.63, 0, 0))[:2]],
        tones.ink,
        0.02 * u,
    )


def fridge(site: Site, x: float) -> None:
    """A refrigerator with notes on it."""
    tones, u = site.tones, site.unit
    box(site, at(site, x, (-0.2, 1.1, 0.2, 0.02)), mix(tones.light, tones.main, 0.15))
    line = [at(site, x, (-0.2, 0.74, 0, 0))[:2], at(site, x, (0.2, 0.74, 0, 0))[:2]]
    site.canvas.line(line, tones.ink, site.pen)
    for low, high in ((0.55, 0.7), (0.78, 0.9)):
        handle = [at(site, x, (0.15, high, 0, 0))[:2], at(site, x, (0.15, low, 0, 0))[:2]]
        site.canvas.line(handle, tones.ink, 0.016 * u)
    site.canvas.rect(at(site, x, (-0.12, 0.98, -0.02, 0.86)), mix(tones.accent, tones.light, 0.3))


def workplace(site: Site, x: float) -> None:
    """A desk with a screen."""
    tones, u = site.tones, site.unit
    wood = mix(tones.second, tones.far, 0.25)
    for left in (-0.38, 0.34):
        box(site, at(site, x, (left, 0.4, left + 0.04, 0.0)), wood)
    box(site, at(site, x, (0.08, 0.4, 0.34, 0.12)), mix(wood, tones.light, 0.2))
    box(site, at(site, x, (-0.44, 0.45, 0.44, 0.4)), wood)
    box(site, at(site, x, (-0.2, 0.8, 0.14, 0.54)), mix(tones.ink, tones.far, 0.35))
    site.canvas.rect(at(site, x, (-0.18, 0.78, 0.12, 0.56)), mix(tones.light, tones.main, 0.3))
    site.canvas.rect(at(site, x, (-0.05, 0.54, -0.01, 0.45)), mix(tones.ink, tones.far, 0.35))
    site.canvas.disc(
        (x + 0.3 * u, site.floor - 0.49 * u),
        (0.035 * u, 0.04 * u),
        tones.accent,
        tones.ink,
        site.pen,
    )


def cabinet(site: Site, x: float) -> None:
    """A filing cabinet with three drawers."""
    tones = site.tones
    metal = mix(tones.main, tones.far, 0.35)
    box(site, at(site, x, (-0.17, 0.72, 0.17, 0.0)), metal)
    for k in range(3):
        low = 0.04 + 0.22 * k
        box(site, at(site, x, (-0.14, low + 0.19, 0.14, low)), mix(metal, tones.light, 0.3))
        box(site, at(site, x, (-0.05, low + 0.13, 0.05, low + 0.09)), mix(metal, tones.ink, 0.3))


def counter(site: Site, x: float) -> None:
    """A bar with a coffee machine and cups."""
    tones = site.tones
    wood = mix(tones.second, tones.far, 0.2)
    box(site, at(site, x, (-0.62, 0.55, 0.62, 0.0)), wood)
    for k in range(5):
        left = -0.58 + 0.24 * k
        box(site, at(site, x, (left, 0.47, left + 0.2, 0.06)), mix(wood, tones.light, 0.2))
    box(site, at(site, x, (-0.66, 0.6, 0.66, 0.54)), tones.light)
    box(site, at(site, x, (-0.42, 0.9, -0.08, 0.6)), mix(tones.accent, tones.far, 0.2))
    box(site, at(site, x, (-0.36, 0.8, -0.14, 0.62)), mix(tones.ink, tones.far, 0.4))
    for k in range(3):
        left = 0.14 + 0.12 * k
        box(site, at(site, x, (left, 0.69, left + 0.085, 0.6)), tones.light)


FRONT = frozenset({sofa, bed, kitchen_unit, workplace, counter, plant, lamp, cabinet})
"""What stands before the wall and is drawn after what hangs on it."""
