"""Backgrounds with a wall: a room in one-point perspective, furnished by its kind."""

from collections.abc import Callable

from pipeline.generation.draft import furniture, hangings
from pipeline.generation.draft.scene import Place
from pipeline.generation.draft.site import Site
from pipeline.generation.draft.tones import mix, multiply

Item = Callable[[Site, float], None]

# What stands along the wall: first what makes the room recognisable, then what fills it.
FURNISHING: dict[Place, tuple[tuple[Item, ...], tuple[Item, ...]]] = {
    Place.LIVING_ROOM: (
        (hangings.window, furniture.sofa),
        (furniture.plant, hangings.picture, furniture.lamp, furniture.bookcase),
    ),
    Place.BEDROOM: (
        (furniture.bed, hangings.window),
        (furniture.lamp, hangings.picture, furniture.wardrobe, furniture.plant),
    ),
    Place.KITCHEN: (
        (furniture.kitchen_unit, hangings.window),
        (furniture.fridge, furniture.kitchen_unit, hangings.clock),
    ),
    Place.CLASSROOM: (
        (hangings.blackboard, hangings.window),
        (hangings.clock, furniture.bookcase, hangings.chart),
    ),
    Place.OFFICE: (
        (hangings.window, furniture.workplace),
        (hangings.chart, furniture.plant, furniture.cabinet, hangings.clock),
    ),
    Place.CAFE: (
        (furniture.counter, hangings.menu_board),
        (hangings.window, furniture.plant, hangings.picture),
    ),
    Place.LIBRARY: (
        (furniture.bookcase, furniture.bookcase),
        (furniture.bookcase, hangings.window, furniture.lamp),
    ),
}


def room(site: Site) -> None:
    """Wall, floor, and the furniture of the scene's place."""
    _shell(site)
    _furnish(site)
    if site.scene.place in {Place.CAFE, Place.CLASSROOM, Place.LIBRARY, Place.KITCHEN}:
        _pendants(site)


def _shell(site: Site) -> None:
    canvas, tones, rng = site.canvas, site.tones, site.rng
    width, floor = site.width, site.floor
    canvas.gradient(mix(tones.far, tones.light, 0.25), tones.far, 0, max(1.0, floor))
    if rng.random() < 0.45:
        _wallpaper(site)
    if rng.random() < 0.5:
        _wainscot(site)
    if floor < site.height:
        _floorboards(site)
    skirting = 0.05 * site.unit
    canvas.rect((-9, floor - skirting, width + 9, floor), tones.light, tones.ink, site.pen)
    if rng.random() < 0.6:
        _side_wall(site, left=rng.random() < 0.5)


def _wallpaper(site: Site) -> None:
    step = 0.16 * site.unit
    stripe = mix(site.tones.far, site.tones.low, 0.6)
    x = -site.rng.random() * step
    while x < site.width:
        site.canvas.rect((x, 0, x + step / 2, site.floor), stripe)
        x += step


def _wainscot(site: Site) -> None:
    top = site.floor - 0.42 * site.unit
    panel, tones = site.canvas, site.tones
    panel.rect((-9, top, site.width + 9, site.floor), mix(tones.low, tones.second, 0.22))
    panel.line([(-9, top), (site.width + 9, top)], mix(tones.ink, tones.far, 0.45), site.pen)
    step = 0.3 * site.unit
    x = -site.rng.random() * step
    while x < site.width:
        panel.line([(x, top), (x, site.floor)], mix(tones.ink, tones.far, 0.75), site.pen * 0.7)
        x += step


def _floorboards(site: Site) -> None:
    canvas, tones, width, height = site.canvas, site.tones, site.width, site.height
    canvas.gradient(
        mix(tones.ground, tones.far, 0.25), tones.ground, site.floor, max(height, site.floor + 1)
    )
    vanish_x = width * site.rng.uniform(0.3, 0.7)
    vanish_y = site.floor - 0.9 * site.unit
    seam = mix(tones.ground, tones.ink, 0.28)
    reach = (height - vanish_y) / max(1.0, site.floor - vanish_y)
    step = 0.22 * site.unit
    count = int(width / step) + 8
    for k in range(-count, count + 1):
        x = vanish_x + k * step
        end = vanish_x + (x - vanish_x) * reach
        canvas.line([(x, site.floor), (end, height)], seam, site.pen * 0.7)


def _side_wall(site: Site, *, left: bool) -> None:
    """A receding wall at one edge: the cheapest depth there is."""
    canvas, tones = site.canvas, site.tones
    run = site.width * site.rng.uniform(0.07, 0.13)
    edge, corner = (0.0, run) if left else (float(site.width), site.width - run)
    outside = -9.0 if left else site.width + 9.0
    drop = 0.35 * run
    shade = mix(tones.far, multiply(tones.far, tones.low), 0.8)
    floor = site.floor
    shape = [
        (outside, -9.0),
        (corner, -9.0),
        (corner, floor),
        (edge, floor + drop),
        (outside, floor + drop * 1.1),
    ]
    canvas.poly(shape, shade)
    canvas.line([(corner, -9.0), (corner, floor)], mix(tones.ink, tones.far, 0.4), site.pen)
    canvas.line([(corner, floor), (edge, floor + drop)], tones.ink, site.pen)


def _furnish(site: Site) -> None:
    """Objects in slots along the wall; the middle, where figures stand, comes last."""
    typical, filling = FURNISHING[site.scene.place]
    slot = 0.62 * site.unit
    count = max(2, min(6, round(site.width / slot)))
    centers = [(k + 0.5) * site.width / count for k in range(count)]
    order = sorted(range(count), key=lambda k: -abs(k - (count - 1) / 2) + site.rng.random())
    items = [*typical]
    spare = list(filling)
    site.rng.shuffle(spare)
    while len(items) < count and spare:
        items.append(spare.pop())
    placed = sorted(zip(order, items, strict=False), key=lambda pair: pair[1] in furniture.FRONT)
    for place, item in placed:
        item(site, centers[place])


def _pendants(site: Site) -> None:
    canvas, tones, unit = site.canvas, site.tones, site.unit
    step = max(0.6 * unit, site.width / 4)
    x = step * site.rng.uniform(0.3, 0.7)
    drop = max(0.06 * site.height, min(0.16 * site.height, site.floor - 1.35 * unit))
    while x < site.width:
        canvas.line([(x, -5), (x, drop)], tones.ink, site.pen)
        shade = [
            (x - 0.1 * unit, drop + 0.1 * unit),
            (x - 0.03 * unit, drop),
            (x + 0.03 * unit, drop),
            (x + 0.1 * unit, drop + 0.1 * unit),
        ]
        canvas.glow((x, drop + 0.12 * unit), 0.34 * unit, tones.light, 0.5)
        canvas.poly(shade, tones.accent, tones.ink, site.pen)
        x += step
