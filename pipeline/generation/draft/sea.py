"""The sea: horizon, waves, an island, a boat, and a beach to stand on."""

from pipeline.generation.draft.air import clouds, sky
from pipeline.generation.draft.nature import land
from pipeline.generation.draft.scene import Time, Weather
from pipeline.generation.draft.site import Site
from pipeline.generation.draft.tones import Rgb, mix, multiply, rgb


def water(site: Site) -> None:
    """The sea to the horizon, with a beach to stand on."""
    sky(site)
    canvas, tones, rng, unit = site.canvas, site.tones, site.rng, site.unit
    horizon = min(site.floor, site.height) - 0.34 * unit
    if site.scene.time is not Time.NIGHT:
        clouds(site, count=3, low=0.7 * horizon)
    island = mix(tones.main, tones.low, 0.6)
    at = site.width * rng.uniform(0.1, 0.9)
    canvas.blob(
        [
            (at - 0.5 * unit, horizon + 9),
            (at - 0.2 * unit, horizon - 0.12 * unit),
            (at + 0.1 * unit, horizon - 0.16 * unit),
            (at + 0.55 * unit, horizon + 9),
        ],
        island,
        mix(tones.ink, tones.low, 0.6),
        site.pen,
    )
    sea = mix(rgb("#6fb3cc"), multiply(tones.far, tones.low), 0.35 if not site.night else 0.9)
    canvas.gradient(mix(sea, tones.low, 0.35), sea, horizon, max(site.height, horizon + 1))
    canvas.line([(0, horizon), (site.width, horizon)], mix(tones.ink, sea, 0.5), site.pen)
    _waves(site, horizon, sea)
    _boat(site, site.width * rng.choice((0.18, 0.8)), horizon + 0.06 * unit)
    if site.floor < site.height:
        sand = (
            mix(rgb("#ecd6a8"), tones.low, 0.25)
            if not site.night
            else mix(tones.second, tones.far, 0.4)
        )
        if site.scene.weather is Weather.SNOW:
            sand = mix(sand, (255, 255, 255), 0.7)
        land(
            site,
            site.floor + 0.02 * unit,
            0.035 * unit,
            mix(tones.light, sea, 0.2),
            mix(tones.ink, sea, 0.5),
        )
        land(site, site.floor + 0.06 * unit, 0.03 * unit, sand, mix(tones.ink, sand, 0.4))


def _waves(site: Site, horizon: float, sea: Rgb) -> None:
    rng = site.rng
    for _ in range(40):
        depth = rng.random() ** 1.5
        y = horizon + 4 + depth * (site.height - horizon)
        x = rng.uniform(-20, site.width)
        length = (0.06 + 0.2 * depth) * site.unit
        site.canvas.curve(
            [
                (x, y),
                (x + 0.3 * length, y - 0.06 * length),
                (x + 0.7 * length, y + 0.02 * length),
                (x + length, y - 0.03 * length),
            ],
            mix(sea, site.tones.light, 0.55),
            site.pen,
        )


def _boat(site: Site, x: float, y: float) -> None:
    canvas, tones, u = site.canvas, site.tones, 0.5 * site.unit
    ink = mix(tones.ink, tones.low, 0.2)
    canvas.poly(
        [(x, y - 0.62 * u), (x, y - 0.1 * u), (x + 0.32 * u, y - 0.1 * u)],
        tones.light,
        ink,
        site.pen,
    )
    canvas.poly(
        [(x - 0.03 * u, y - 0.5 * u), (x - 0.03 * u, y - 0.1 * u), (x - 0.24 * u, y - 0.1 * u)],
        mix(tones.accent, tones.low, 0.25),
        ink,
        site.pen,
    )
    canvas.poly(
        [
            (x - 0.32 * u, y - 0.07 * u),
            (x + 0.36 * u, y - 0.07 * u),
            (x + 0.24 * u, y + 0.06 * u),
            (x - 0.22 * u, y + 0.06 * u),
        ],
        mix(tones.second, tones.low, 0.15),
        ink,
        site.pen,
    )
