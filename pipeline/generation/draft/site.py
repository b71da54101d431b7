"""Where a background is drawn: the surface, its scale and its light."""

from dataclasses import dataclass
from random import Random

from pipeline.generation.draft.canvas import Canvas
from pipeline.generation.draft.scene import Scene, Time, Weather
from pipeline.generation.draft.tones import Rgb, Tones, mix


@dataclass(frozen=True, slots=True)
class Site:
    """Everything that a painter needs.

    ``floor`` is the line where the ground begins, in pixels from the top (it may lie below the
    picture: then no ground is seen). ``unit`` is the height of a grown person at that line in
    pixels; every object is sized by it.
    """

    canvas: Canvas
    scene: Scene
    tones: Tones
    rng: Random
    floor: float
    unit: float

    @property
    def width(self) -> int:
        """Picture width in pixels."""
        return self.canvas.size.width

    @property
    def height(self) -> int:
        """Picture height in pixels."""
        return self.canvas.size.height

    @property
    def pen(self) -> float:
        """Width of an outline in pixels: thinner than the figures' own lines."""
        return max(1.2, 0.0028 * min(self.width, self.height))

    @property
    def night(self) -> bool:
        """Whether lamps are on."""
        return self.scene.time is Time.NIGHT

    @property
    def rain(self) -> bool:
        """Whether it rains."""
        return self.scene.weather is Weather.RAIN

    def lamp(self) -> Rgb:
        """The colour of a lit window seen from outside."""
        return (255, 224, 150) if self.scene.time is not Time.DAY else self.tones.light

    def soft(self, color: Rgb, share: float = 0.5) -> Rgb:
        """``color`` pulled towards the wall or sky, as things look farther away."""
        return mix(color, self.tones.low, share)
