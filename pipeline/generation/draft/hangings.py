"""What hangs on a wall: windows, pictures, boards, a clock."""

from pipeline.generation.draft.furniture import at, box
from pipeline.generation.draft.scene import Time
from pipeline.generation.draft.site import Site
from pipeline.generation.draft.tones import Rgb, mix, rgb


def _view(site: Site) -> tuple[Rgb, Rgb]:
    if site.night:
        return rgb("#34457a"), rgb("#6878b0")
    if site.scene.time is Time.DUSK:
        return rgb("#c9a9c4"), rgb("#fcd3a2")
    return (rgb("#b4c3ce"), rgb("#d9e1e6")) if site.rain else (rgb("#bfe2f2"), rgb("#effaf8"))


def window(site: Site, x: float) -> None:
    """A sash window with a view and curtains."""
    canvas, tones, u = site.canvas, site.tones, site.unit
    x0, y0, x1, y1 = at(site, x, (-0.25, 1.12, 0.25, 0.46))
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
    _, y0, _, y1 = at(site, x, (0, 1.2, 0, 0.4))
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
        x0, y0, x1, y1 = at(site, x, (dx - w, dy + h, dx + w, dy - h))
        box(site, (x0, y0, x1, y1), tones.light)
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


def blackboard(site: Site, x: float) -> None:
    """A blackboard with chalk marks."""
    tones, u, rng = site.tones, site.unit, site.rng
    board = mix(rgb("#4f7a69"), tones.far, 0.25)
    box(site, at(site, x, (-0.58, 1.2, 0.58, 0.52)), mix(tones.second, tones.far, 0.2))
    site.canvas.rect(at(site, x, (-0.54, 1.16, 0.54, 0.57)), board)
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
    box(site, at(site, x, (-0.22, 1.15, 0.22, 0.6)), tones.light)
    for k, tall in enumerate((0.12, 0.2, 0.16, 0.3)):
        left = -0.16 + 0.085 * k
        bar = at(site, x, (left, 0.68 + tall, left + 0.055, 0.68))
        site.canvas.rect(bar, mix(tones.accent if k == 3 else tones.main, tones.far, 0.2))
    site.canvas.line(
        [at(site, x, (-0.18, 0.67, 0, 0))[:2], at(site, x, (0.18, 0.67, 0, 0))[:2]],
        tones.ink,
        0.01 * u,
    )


def menu_board(site: Site, x: float) -> None:
    """A dark board with the day's menu."""
    tones, u, rng = site.tones, site.unit, site.rng
    board = mix(tones.ink, tones.far, 0.3)
    box(site, at(site, x, (-0.24, 1.22, 0.24, 0.72)), mix(tones.second, tones.far, 0.2))
    site.canvas.rect(at(site, x, (-0.21, 1.19, 0.21, 0.75)), board)
    for row in range(5):
        y = site.floor - (1.13 - 0.08 * row) * u
        end = x + rng.uniform(0.0, 0.1) * u
        site.canvas.line([(x - 0.16 * u, y), (end, y)], mix(board, tones.light, 0.7), site.pen)
        site.canvas.line([(x + 0.13 * u, y), (x + 0.17 * u, y)], tones.accent, site.pen)
