"""What a drawing of the cast becomes: a panel to learn, its prompt, and the view of a reference."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from random import Random

import numpy as np
from PIL import Image

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import PartKind
from pipeline.domain.geometry import Size
from pipeline.domain.inputs import CastInput
from pipeline.domain.vocabulary import COLOR_SLOTS
from pipeline.generation.draft.scene import Place
from pipeline.prompting.builder import PromptWish, build
from pipeline.training.generator.cast import Identity, Variant
from pipeline.training.scenery import scenery

GROUND = (255, 255, 255)
_GREY = 0.06
_SCENES = 24
"""Backgrounds of each place that a process draws and uses again and again."""


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """A picture to learn, RGB, and its prompt with and without what tells the characters.

    ``plain`` leaves the references to say who is meant.
    """

    image: Image.Image
    prompt: str
    plain: str


@dataclass(frozen=True, slots=True)
class Actor:
    """One character of a panel, as the drawing of a certain variant."""

    identity: Identity
    variant: Variant


def reference_view(image: Image.Image, side: int) -> Image.Image:
    """A reference as the engine shows it to the image encoder: cut tight, squared, on white."""
    figure = _tight(image)
    longer = max(figure.size)
    square = Image.new("RGB", (longer, longer), GROUND)
    corner = ((longer - figure.width) // 2, (longer - figure.height) // 2)
    square.paste(figure.convert("RGB"), corner, figure.getchannel("A"))
    return square.resize((side, side), Image.Resampling.BICUBIC)


def make_panel(
    actors: Sequence[Actor], size: Size, rng: Random, *, ground: str | None = None
) -> Panel:
    """A panel of one character, or of two side by side.

    Args:
        actors: from left to right.
        size: of the panel in pixels.
        rng: decides about place, tilt, background and words.
        ground: a main colour; then figures stand upright and whole in the middle before it.
    """
    simple = ground is not None
    words, picture = ("white background", Image.new("RGB", size, GROUND))
    if ground is not None:
        words, picture = _plain(ground, size)
    elif rng.random() < 0.6:
        words, picture = _background(size, rng)
    shot = ShotType.HALF if simple else rng.choice((ShotType.HEADSHOT, ShotType.HALF) * 2)
    tilt = 0.0
    if not simple and rng.random() < 0.15:
        shot, tilt = ShotType.DYNAMIC, rng.choice((-1, 1)) * rng.uniform(6, 14)
    width = size.width // len(actors)
    for number, actor in enumerate(actors):
        room = Size(round(0.9 * width) if simple else width, size.height)
        figure = _posed(actor.variant.image, room, shot, tilt, rng)
        sway = 0 if simple else rng.uniform(-0.06, 0.06) * width
        x = round(number * width + (width - figure.width) / 2 + sway)
        picture.paste(figure, (x, size.height - figure.height), figure)
    mode = ColorMode.COLOR
    if not simple and rng.random() < _GREY:
        mode, picture = ColorMode.GRAYSCALE, picture.convert("L").convert("RGB")
    return Panel(picture, *_prompts(actors, shot, mode, words, rng))


def _tight(image: Image.Image) -> Image.Image:
    """The figure's box; what is fainter than 8 of 255 does not count."""
    return image.crop(image.getchannel("A").point([255 * (a >= 8) for a in range(256)]).getbbox())


def _posed(image: Image.Image, room: Size, shot: ShotType, tilt: float, rng: Random) -> Image.Image:
    """The figure as large as it stands in the panel, RGBA."""
    figure = _tight(image)
    if tilt:
        figure = figure.rotate(tilt, Image.Resampling.BICUBIC, expand=True)
    high = rng.uniform(0.94, 1.0) if shot is ShotType.HEADSHOT else rng.uniform(0.8, 0.9)
    scale = min(high * room.height / figure.height, 1.02 * room.width / figure.width)
    wanted = (max(1, round(figure.width * scale)), max(1, round(figure.height * scale)))
    return figure.convert("RGBa").resize(wanted, Image.Resampling.LANCZOS).convert("RGBA")


def _background(size: Size, rng: Random) -> tuple[str, Image.Image]:
    if rng.random() < 0.7:
        return _plain(rng.choice(list(COLOR_SLOTS["main_color"])), size)
    place = rng.choice(list(Place))
    scene = _scenery(place, rng.randrange(_SCENES))
    side = max(size)
    scene = scene.resize((side, side), Image.Resampling.BOX)
    return f"in the {place.value}", scene.crop((0, side - size.height, size.width, side))


def _plain(name: str, size: Size) -> tuple[str, Image.Image]:
    code = COLOR_SLOTS["main_color"][name]
    return f"{name.replace('_', ' ')} background", Image.new("RGB", size, code)


@lru_cache(maxsize=len(Place) * _SCENES)
def _scenery(place: Place, number: int) -> Image.Image:
    return scenery(np.random.default_rng([number, *place.value.encode()]), Size(128, 128), (place,))


def _prompts(
    actors: Sequence[Actor], shot: ShotType, mode: ColorMode, background: str, rng: Random
) -> tuple[str, str]:
    """The product's own prompt for the panel, with and without the characters' looks."""
    doings = []
    for actor in actors:
        says = actor.variant.expression
        doings.append(f"{actor.identity.name}, {says}" if says else actor.identity.name)
    style = actors[0].identity.style.replace("-", " ") + " style" if rng.random() < 0.5 else ""
    wish = PromptWish(f"{' and '.join(doings)}, {background}", shot, mode, style)
    parts = build([_registered(actor, rng) for actor in actors], wish).parts
    full = ", ".join(part.text for part in parts)
    return full, ", ".join(part.text for part in parts if part.kind is not PartKind.IDENTITY)


def _registered(actor: Actor, rng: Random) -> CastInput:
    """The character as the registry has it; not every model sheet says everything."""
    said = {
        slot: words
        for slot, words in actor.variant.components.items()
        if rng.random() < 0.85 or (slot == "outfit" and actor.variant.redressed)
    }
    name = actor.identity.name
    return CastInput(name, name, name, "", 1.0, said, (), ())
