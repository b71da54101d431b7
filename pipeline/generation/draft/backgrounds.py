"""One background per scene, drawn behind where the figures will stand."""

from collections.abc import Callable

from PIL import Image

from pipeline.generation.draft import air, effects, nature, outdoors, sea
from pipeline.generation.draft.rooms import room
from pipeline.generation.draft.scene import ABSTRACT, INDOORS, Place
from pipeline.generation.draft.site import Site
from pipeline.generation.draft.tones import Rgb, rgb

PAINTERS: dict[Place, Callable[[Site], None]] = {
    **dict.fromkeys(sorted(INDOORS), room),
    Place.STREET: outdoors.street,
    Place.CITY: outdoors.city,
    Place.PARK: nature.park,
    Place.FOREST: nature.forest,
    Place.MOUNTAIN: nature.mountain,
    Place.WATER: sea.water,
    Place.SKY: air.open_sky,
    Place.NIGHT: outdoors.night_sky,
    Place.SPEED: effects.speed_lines,
    Place.PLAIN: effects.plain,
}

# Backgrounds recede by this share towards a pale veil, so that the figures' contrast leads.
VEIL_SHARE = 0.2
VEIL_DAY: Rgb = rgb("#fffdf8")
VEIL_NIGHT: Rgb = rgb("#8d9ac6")


def paint_background(site: Site, *, rushing: bool = False) -> Image.Image:
    """Draw the site's scene; RGB of the canvas's size. ``rushing`` adds lines of movement."""
    PAINTERS[site.scene.place](site)
    if not site.scene.indoors:
        air.fall(site)
    if rushing and site.scene.place not in ABSTRACT:
        effects.edge_lines(site)
    picture = site.canvas.finish()
    veil = VEIL_NIGHT if site.night else VEIL_DAY
    return Image.blend(picture, Image.new("RGB", picture.size, veil), VEIL_SHARE)
