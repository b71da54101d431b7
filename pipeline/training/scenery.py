"""Grounds and furniture of training panels: draft scenery, busy textures, balloons, print."""

import io
from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from pipeline.domain.geometry import Size
from pipeline.generation.draft.backgrounds import paint_background
from pipeline.generation.draft.canvas import Canvas
from pipeline.generation.draft.scene import Place, Scene, Time, Weather
from pipeline.generation.draft.screentone import screentone
from pipeline.generation.draft.site import Site
from pipeline.generation.draft.tones import choose_tones
from pipeline.training.grounds import busy_ground

Rng = np.random.Generator

HELD_OUT_PLACES = (Place.CAFE, Place.CITY, Place.FOREST, Place.KITCHEN)
"""Scenery that no network is trained on; panels for measuring play there."""
LEARNED_PLACES = tuple(place for place in Place if place not in HELD_OUT_PLACES)

_INK = (18, 18, 22)


def scenery(rng: Rng, size: Size, places: tuple[Place, ...]) -> Image.Image:
    """One of the draft engine's backgrounds, RGB, in any light and weather."""
    chance = Random(int(rng.integers(2**32)))
    times, weathers = tuple(Time), tuple(Weather)
    scene = Scene(
        places[int(rng.integers(len(places)))],
        times[int(rng.choice(3, p=(0.6, 0.2, 0.2)))],
        weathers[int(rng.choice(3, p=(0.8, 0.1, 0.1)))],
    )
    tones = choose_tones(scene, chance)
    site = Site(
        canvas=Canvas(size, tones.far),
        scene=scene,
        tones=tones,
        rng=chance,
        floor=float(rng.uniform(0.6, 1.05)) * size.height,
        unit=float(rng.uniform(0.5, 1.1)) * min(size.height, round(1.5 * size.width)),
    )
    return paint_background(site, rushing=bool(rng.random() < 0.1))


def any_ground(rng: Rng, size: Size) -> Image.Image:
    """Draft scenery, a busy texture, or plain paper."""
    chance = rng.random()
    if chance < 0.5:
        ground = scenery(rng, size, LEARNED_PLACES)
    elif chance < 0.9:
        side = max(size)
        ground = busy_ground(rng, side).crop((0, 0, size.width, size.height))
    else:
        paper = tuple(int(v) for v in rng.integers(120, 256, 3))
        ground = Image.new("RGB", size, paper if rng.random() < 0.5 else (255, 255, 255))
    if rng.random() < 0.5:
        ground = ground.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < 0.12:
        ground = screentone(ground, pitch=float(rng.uniform(3, 7)), ink=0.6).convert("RGB")
    return ground


def balloon(rng: Rng, size: Size) -> tuple[Image.Image, Image.Image, tuple[int, int]]:
    """A balloon or caption with lettering: its picture, its mask (L), its upper left corner."""
    width = max(12, int(rng.uniform(0.15, 0.45) * size.width))
    height = max(10, int(rng.uniform(0.08, 0.25) * size.height))
    picture = Image.new("RGB", (width, height), (255, 255, 255))
    mask = Image.new("L", (width, height), 0)
    frame = (0, 0, width - 1, height - 1)
    draw, shape = ImageDraw.Draw(picture), ImageDraw.Draw(mask)
    if rng.random() < 0.6:
        shape.ellipse(frame, fill=255)
        draw.ellipse(frame, outline=_INK, width=1)
        inset = 0.2
    else:
        shape.rectangle(frame, fill=255)
        draw.rectangle(frame, outline=_INK, width=1)
        inset = 0.08
    step = max(3, height // int(rng.integers(3, 6)))
    for y in range(int(inset * height) + 1, height - step, step):
        x = inset * width
        while x < (1 - inset) * width:
            end = min(x + float(rng.uniform(2, 9)), (1 - inset) * width)
            draw.line((x, y + step / 2, end, y + step / 2), fill=_INK, width=max(1, step // 3))
            x = end + 2
    corner = (
        int(rng.uniform(-0.1, 0.85) * size.width),
        int(rng.triangular(-0.05, 0.05, 0.85) * size.height),
    )
    return picture, mask, corner


def printed(rng: Rng, picture: Image.Image) -> Image.Image:
    """The panel as it may arrive: grey, tinted, faded, blurred, framed, compressed."""
    if rng.random() < 0.28:
        picture = picture.convert("L").convert("RGB")
    elif rng.random() < 0.25:
        picture = ImageEnhance.Color(picture).enhance(float(rng.uniform(0.3, 1.6)))
    if rng.random() < 0.3:
        picture = ImageEnhance.Brightness(picture).enhance(float(rng.uniform(0.6, 1.3)))
    if rng.random() < 0.3:
        picture = ImageEnhance.Contrast(picture).enhance(float(rng.uniform(0.6, 1.4)))
    if rng.random() < 0.12:
        picture = picture.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.3, 0.9))))
    if rng.random() < 0.15:
        frame = (0, 0, picture.width - 1, picture.height - 1)
        colour = _INK if rng.random() < 0.7 else (255, 255, 255)
        ImageDraw.Draw(picture).rectangle(frame, outline=colour, width=int(rng.integers(1, 4)))
    if rng.random() < 0.25:
        stream = io.BytesIO()
        picture.save(stream, "JPEG", quality=int(rng.integers(30, 90)))
        picture = Image.open(stream).convert("RGB")
    return picture
