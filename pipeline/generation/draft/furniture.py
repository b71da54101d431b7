"""Objects of a room, each drawn at a place along the wall and sized by the site's unit."""

from pipeline.generation.draft.site import Site
from pipeline.generation.draft.tones import Rgb, mix, rgb


def _box(site: Site, box: tuple[float, float, float, float], fill: Rgb) -> None:
    """A rectangle in units: x from the item's centre, y upwards from the floor."""
    site.canvas.rect(box, fill, site.tones.ink, site.pen)


def _at(
    site: Site, x: float, units: tuple[float, float, float, float]
) -> tuple[float, float, float, float]:
    """Pixels of ``(left, top, right, bottom)`` given in units from ``x`` and above the floor."""
    left, top, right, bottom = units
    u, floor = site.unit, site.floor
    return x + left * u, floor - top * u, x + right * u, floor - bottom * u


def _view(site: Site) -> tuple[Rgb, Rgb]:
    if site.night:
        return rgb("#34457a"), rgb("#6878b0")
    if site.scene.time.value == "dusk":
        return rgb("#c9a9c4"), rgb("#fcd3a2")
    return (rgb("#b4c3ce"), rgb("#d9e1e6")) if site.rain else (rgb("#bfe2f2"), rgb("#effaf8"))


def window(site: Site, x: float) -> None:
    """A sash window with a view and curtains."""
    canvas, tones, u = site.canvas, site.tones, site.unit
    x0, y0, x1, y1 = _at(site, x, (-0.25, 1.12, 0.25, 0.46))
    top, low = _view(site)
    canvas.rect((x0, y0, x1, y1), top)
    canvas.rect((x0, (y0 + y1) / 2, x1, y1), mix(top, low, 0.7))
    hill = mix(low, tones.main, 0.55)
    canvas.poly(
        [
            (x0, y1),
            (x0, y1 - 0.12 * u),
            (x - 0.08 * u, y1 - 0.2 * u),
            (x + 0.1 * u, y1 - 0.1 * u),
            (x1, y1 - 0.17 * u),
            (x1, y1),
        ],
        hill,
    )
    if site.night:
        canvas.disc((x + 0.12 * u, y0 + 0.14 * u), (0.05 * u, 0.05 * u), rgb("#fdf1c4"))
    for bar in ((x, y0, x, y1), (x0, (y0 + y1) / 2, x1, (y0 + y1) / 2)):
        canvas.line([bar[:2], bar[2:]], tones.light, 0.025 * u)
    for edge in ([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)],):
        canvas.line(edge, tones.ink, 0.05 * u)
        canvas.line(edge, tones.light, 0.038 * u)
    canvas.rect((x0 - 0.05 * u, y1, x1 + 0.05 * u, y1 + 0.04 * u), tones.light, tones.ink, site.pen)
    if site.rng.random() < 0.65:
        _curtains(site, x)


def _curtains(site: Site, x: float) -> None:
    tones, u = site.tones, site.unit
    cloth = mix(tones.accent, tones.far, 0.35)
    _, y0, _, y1 = _at(site, x, (0, 1.2, 0, 0.4))
    for side in (-1, 1):
        outer, inner = x + side * 0.36 * u, x + side * 0.2 * u
        waist = x + side * 0.27 * u
        shape = [
            (outer, y0),
            (inner, y0),
            (inner + side * 0.02 * u, y0 + 0.3 * u),
            (waist, y1),
            (outer, y1),
        ]
        site.canvas.poly(shape, cloth, tones.ink, site.pen)
        for share in (0.35, 0.7):
            a = outer + (inner - outer) * share
            b = outer + (waist - outer) * share
            site.canvas.line([(a, y0), (b, y1)], mix(cloth, tones.ink, 0.3), site.pen * 0.8)
    rod = [(x - 0.42 * u, y0), (x + 0.42 * u, y0)]
    site.canvas.line(rod, tones.ink, 0.022 * u)


def picture(site: Site, x: float) -> None:
    """Framed pictures on the wall."""
    tones, u = site.tones, site.unit
    for dx, dy, w, h in ((-0.1, 0.95, 0.13, 0.17), (0.13, 0.9, 0.09, 0.11)):
        x0, y0, x1, y1 = _at(site, x, (dx - w, dy + h, dx + w, dy - h))
        _box(site, (x0, y0, x1, y1), tones.light)
        inner = (x0 + 0.03 * u, y0 + 0.03 * u, x1 - 0.03 * u, y1 - 0.03 * u)
        site.canvas.rect(inner, mix(tones.second, tones.far, 0.4))
        top = (inner[1] + inner[3]) / 2
        site.canvas.poly(
            [(inner[0], inner[3]), ((inner[0] * 2 + inner[2]) / 3, top), (inner[2], inner[3])],
            mix(tones.main, tones.far, 0.2),
        )


def clock(site: Site, x: float) -> None:
    """A round clock."""
    u, y = site.unit, site.floor - 1.12 * site.unit
    site.canvas.disc((x, y), (0.1 * u, 0.1 * u), site.tones.light, site.tones.ink, site.pen * 1.3)
    site.canvas.line(
        [(x, y - 0.065 * u), (x, y), (x + 0.04 * u, y + 0.02 * u)], site.tones.ink, site.pen
    )


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
    if site.scene.time.value != "day":
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
    _box(site, _at(site, x, (-0.42, 0.5, 0.42, 0.08)), cloth)
    _box(site, _at(site, x, (-0.4, 0.28, 0.0, 0.12)), mix(cloth, tones.light, 0.2))
    _box(site, _at(site, x, (0.0, 0.28, 0.4, 0.12)), mix(cloth, tones.light, 0.2))
    for side in (-1, 1):
        left, right = sorted((side * 0.38, side * 0.52))
        _box(site, _at(site, x, (left, 0.36, right, 0.04)), dark)
    x0, y0, x1, y1 = _at(site, x, (0.14, 0.45, 0.34, 0.25))
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
    _box(site, _at(site, x, (-0.3, 1.2, 0.3, 0.0)), wood)
    shades = [mix(c, tones.far, 0.3) for c in (tones.main, tones.accent, tones.second, tones.light)]
    for shelf in range(4):
        bottom = 0.06 + shelf * 0.28
        x0, y0, x1, y1 = _at(site, x, (-0.26, bottom + 0.24, 0.26, bottom))
        site.canvas.rect((x0, y0, x1, y1), mix(wood, tones.ink, 0.35))
        at = x0
        while at < x1 - 0.03 * u:
            thick = rng.uniform(0.03, 0.065) * u
            tall = rng.uniform(0.62, 0.95) * (y1 - y0)
            if rng.random() < 0.9:
                site.canvas.rect(
                    (at, y1 - tall, min(at + thick, x1), y1),
                    rng.choice(shades),
                    tones.ink,
                    site.pen * 0.6,
                )
            at += thick


def wardrobe(site: Site, x: float) -> None:
    """A two-door wardrobe."""
    tones = site.tones
    wood = mix(tones.second, tones.far, 0.3)
    _box(site, _at(site, x, (-0.28, 1.22, 0.28, 0.03)), wood)
    for left in (-0.24, 0.02):
        _box(site, _at(site, x, (left, 1.16, left + 0.22, 0.1)), mix(wood, tones.light, 0.2))
    for dx in (-0.045, 0.045):
        u = site.unit
        site.canvas.disc((x + dx * u, site.floor - 0.62 * u), (0.014 * u, 0.014 * u), tones.ink)


def bed(site: Site, x: float) -> None:
    """A bed seen from its side."""
    tones = site.tones
    wood = mix(tones.second, tones.far, 0.2)
    _box(site, _at(site, x, (-0.62, 0.62, -0.54, 0.0)), wood)
    _box(site, _at(site, x, (0.54, 0.42, 0.62, 0.0)), wood)
    _box(site, _at(site, x, (-0.54, 0.32, 0.54, 0.1)), tones.light)
    _box(site, _at(site, x, (-0.28, 0.37, 0.54, 0.12)), mix(tones.main, tones.far, 0.2))
    x0, y0, x1, y1 = _at(site, x, (-0.53, 0.43, -0.28, 0.31))
    site.canvas.blob([(x0, y1), (x0, y0), (x1, y0), (x1, y1)], tones.light, tones.ink, site.pen)


def kitchen_unit(site: Site, x: float) -> None:
    """A counter with a stove below and cupboards above."""
    tones, u = site.tones, site.unit
    front = mix(tones.main, tones.far, 0.3)
    _box(site, _at(site, x, (-0.34, 0.5, 0.34, 0.0)), front)
    _box(site, _at(site, x, (-0.36, 0.54, 0.36, 0.49)), tones.light)
    _box(site, _at(site, x, (-0.34, 1.24, 0.34, 0.86)), front)
    for left in (-0.31, 0.02):
        _box(site, _at(site, x, (left, 1.2, left + 0.29, 0.9)), mix(front, tones.light, 0.25))
        _box(site, _at(site, x, (left, 0.45, left + 0.29, 0.06)), mix(front, tones.light, 0.25))
    _box(site, _at(site, x, (-0.2, 0.64, 0.0, 0.54)), mix(tones.accent, tones.far, 0.2))
    site.canvas.line(
        [_at(site, x, (0.0, 0.61, 0, 0))[:2], _at(site, x, (0.1, 0.63, 0, 0))[:2]],
        tones.ink,
        0.02 * u,
    )


def fridge(site: Site, x: float) -> None:
    """A refrigerator with notes on it."""
    tones, u = site.tones, site.unit
    _box(site, _at(site, x, (-0.2, 1.1, 0.2, 0.02)), mix(tones.light, tones.main, 0.15))
    line = [_at(site, x, (-0.2, 0.74, 0, 0))[:2], _at(site, x, (0.2, 0.74, 0, 0))[:2]]
    site.canvas.line(line, tones.ink, site.pen)
    for low, high in ((0.55, 0.7), (0.78, 0.9)):
        handle = [_at(site, x, (0.15, high, 0, 0))[:2], _at(site, x, (0.15, low, 0, 0))[:2]]
        site.canvas.line(handle, tones.ink, 0.016 * u)
    site.canvas.rect(_at(site, x, (-0.12, 0.98, -0.02, 0.86)), mix(tones.accent, tones.light, 0.3))


def blackboard(site: Site, x: float) -> None:
    """A blackboard with chalk marks."""
    tones, u, rng = site.tones, site.unit, site.rng
    board = mix(rgb("#4f7a69"), tones.far, 0.25)
    _box(site, _at(site, x, (-0.58, 1.2, 0.58, 0.52)), mix(tones.second, tones.far, 0.2))
    site.canvas.rect(_at(site, x, (-0.54, 1.16, 0.54, 0.57)), board)
    chalk = mix(board, (255, 255, 255), 0.6)
    for row in range(4):
        y = site.floor - (1.07 - 0.13 * row) * u
        start = x - 0.46 * u
        for _ in range(rng.randint(2, 4)):
            length = rng.uniform(0.07, 0.2) * u
            if start + length > x + 0.48 * u:
                break
            site.canvas.line([(start, y), (start + length, y)], chalk, site.pen)
            start += length + 0.05 * u


def chart(site: Site, x: float) -> None:
    """A wall chart with bars."""
    tones, u = site.tones, site.unit
    _box(site, _at(site, x, (-0.22, 1.15, 0.22, 0.6)), tones.light)
    for k, tall in enumerate((0.12, 0.2, 0.16, 0.3)):
        left = -0.16 + 0.085 * k
        bar = _at(site, x, (left, 0.68 + tall, left + 0.055, 0.68))
        site.canvas.rect(bar, mix(tones.accent if k == 3 else tones.main, tones.far, 0.2))
    site.canvas.line(
        [_at(site, x, (-0.18, 0.67, 0, 0))[:2], _at(site, x, (0.18, 0.67, 0, 0))[:2]],
        tones.ink,
        0.01 * u,
    )


def workplace(site: Site, x: float) -> None:
    """A desk with a screen."""
    tones, u = site.tones, site.unit
    wood = mix(tones.second, tones.far, 0.25)
    for left in (-0.38, 0.34):
        _box(site, _at(site, x, (left, 0.4, left + 0.04, 0.0)), wood)
    _box(site, _at(site, x, (0.08, 0.4, 0.34, 0.12)), mix(wood, tones.light, 0.2))
    _box(site, _at(site, x, (-0.44, 0.45, 0.44, 0.4)), wood)
    _box(site, _at(site, x, (-0.2, 0.8, 0.14, 0.54)), mix(tones.ink, tones.far, 0.35))
    site.canvas.rect(_at(site, x, (-0.18, 0.78, 0.12, 0.56)), mix(tones.light, tones.main, 0.3))
    site.canvas.rect(_at(site, x, (-0.05, 0.54, -0.01, 0.45)), mix(tones.ink, tones.far, 0.35))
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
    _box(site, _at(site, x, (-0.17, 0.72, 0.17, 0.0)), metal)
    for k in range(3):
        low = 0.04 + 0.22 * k
        _box(site, _at(site, x, (-0.14, low + 0.19, 0.14, low)), mix(metal, tones.light, 0.3))
        _box(site, _at(site, x, (-0.05, low + 0.13, 0.05, low + 0.09)), mix(metal, tones.ink, 0.3))


def counter(site: Site, x: float) -> None:
    """A bar with a coffee machine and cups."""
    tones = site.tones
    wood = mix(tones.second, tones.far, 0.2)
    _box(site, _at(site, x, (-0.62, 0.55, 0.62, 0.0)), wood)
    for k in range(5):
        left = -0.58 + 0.24 * k
        _box(site, _at(site, x, (left, 0.47, left + 0.2, 0.06)), mix(wood, tones.light, 0.2))
    _box(site, _at(site, x, (-0.66, 0.6, 0.66, 0.54)), tones.light)
    _box(site, _at(site, x, (-0.42, 0.9, -0.08, 0.6)), mix(tones.accent, tones.far, 0.2))
    _box(site, _at(site, x, (-0.36, 0.8, -0.14, 0.62)), mix(tones.ink, tones.far, 0.4))
    for k in range(3):
        left = 0.14 + 0.12 * k
        _box(site, _at(site, x, (left, 0.69, left + 0.085, 0.6)), tones.light)


def menu_board(site: Site, x: float) -> None:
    """A dark board with the day's menu."""
    tones, u, rng = site.tones, site.unit, site.rng
    board = mix(tones.ink, tones.far, 0.3)
    _box(site, _at(site, x, (-0.24, 1.22, 0.24, 0.72)), mix(tones.second, tones.far, 0.2))
    site.canvas.rect(_at(site, x, (-0.21, 1.19, 0.21, 0.75)), board)
    for row in range(5):
        y = site.floor - (1.13 - 0.08 * row) * u
        end = x + rng.uniform(0.0, 0.1) * u
        site.canvas.line([(x - 0.16 * u, y), (end, y)], mix(board, tones.light, 0.7), site.pen)
        site.canvas.line([(x + 0.13 * u, y), (x + 0.17 * u, y)], tones.accent, site.pen)


FRONT = frozenset({sofa, bed, kitchen_unit, workplace, counter, plant, lamp, cabinet})
"""What stands before the wall and is drawn after what hangs on it."""
