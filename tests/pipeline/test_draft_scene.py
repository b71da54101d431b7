"""Words choose the background, every background can be chosen, and each looks different."""

from random import Random

import numpy as np
import pytest

from pipeline.domain.geometry import Size
from pipeline.generation.draft.backgrounds import PAINTERS, paint_background
from pipeline.generation.draft.canvas import Canvas
from pipeline.generation.draft.scene import (
    PLACE_WORDS,
    TIME_WORDS,
    WEATHER_WORDS,
    Place,
    Scene,
    Time,
    Weather,
    read_scene,
)
from pipeline.generation.draft.screentone import screentone
from pipeline.generation.draft.site import Site
from pipeline.generation.draft.tones import choose_tones


def painted(scene: Scene) -> np.ndarray:
    rng, size = Random(3), Size(400, 300)
    tones = choose_tones(scene, rng)
    site = Site(Canvas(size, tones.far), scene, tones, rng, 0.7 * size.height, 0.6 * size.height)
    return np.asarray(paint_background(site)).astype(float)


@pytest.mark.parametrize(
    ("place", "word"), [(p, w) for p, words in PLACE_WORDS.items() for w in words]
)
def test_every_word_reaches_its_place(place: Place, word: str) -> None:
    assert read_scene(f"Two friends near the {word.upper()}, smiling.").place is place


def test_every_place_has_words_and_a_painter() -> None:
    assert set(PLACE_WORDS) == set(PAINTERS) == set(Place)


@pytest.mark.parametrize(
    ("prompt", "scene"),
    [
        ("a street at night in the rain", Scene(Place.STREET, Time.NIGHT, Weather.RAIN)),
        ("under the stars", Scene(Place.NIGHT, Time.NIGHT)),
        ("the kitchen at dusk", Scene(Place.KITCHEN, Time.DUSK)),
        ("snow in the mountains", Scene(Place.MOUNTAIN, weather=Weather.SNOW)),
        ("it rains", Scene(Place.SKY, weather=Weather.RAIN)),
        ("they talk", Scene(Place.PLAIN)),
        ("running through the forest", Scene(Place.FOREST)),
        ("barking classmates carpark", Scene(Place.PLAIN)),
    ],
)
def test_prompts(prompt: str, scene: Scene) -> None:
    assert read_scene(prompt) == scene


def test_fallback_is_used_only_without_a_place() -> None:
    assert read_scene("hello", fallback=Place.SPEED).place is Place.SPEED
    assert read_scene("a park", fallback=Place.SPEED).place is Place.PARK


@pytest.mark.parametrize("place", Place)
@pytest.mark.parametrize("time", Time)
def test_each_background_is_drawn_and_quieter_than_ink(place: Place, time: Time) -> None:
    picture = painted(Scene(place, time))
    assert picture.shape == (300, 400, 3)
    assert picture.std(axis=(0, 1)).max() > 3, "nothing is drawn"
    assert np.percentile(picture.mean(axis=2), 1) > 45, "black belongs to the figures"


def test_places_differ_from_each_other() -> None:
    views = [painted(Scene(place)) for place in Place if place is not Place.NIGHT]
    for k, view in enumerate(views):
        for other in views[k + 1 :]:
            assert np.abs(view - other).mean() > 4


@pytest.mark.parametrize("weather", [Weather.RAIN, Weather.SNOW])
def test_weather_changes_what_is_outside(weather: Weather) -> None:
    clear, wet = painted(Scene(Place.STREET)), painted(Scene(Place.STREET, weather=weather))
    assert np.abs(clear - wet).mean() > 4


def test_night_is_darker_than_day() -> None:
    for place in (Place.STREET, Place.PARK, Place.LIVING_ROOM):
        assert painted(Scene(place, Time.NIGHT)).mean() < painted(Scene(place)).mean() - 20


def test_words_of_time_and_weather_all_count() -> None:
    for time, words in TIME_WORDS.items():
        assert all(read_scene(f"a park, {w}").time is time for w in words)
    for weather, words in WEATHER_WORDS.items():
        assert all(read_scene(f"a park, {w}").weather is weather for w in words)


def test_screentone_keeps_the_order_of_tones() -> None:
    from PIL import Image

    means = []
    for level in (60, 110, 160, 210, 250):
        flat = Image.new("L", (200, 200), level)
        means.append(np.asarray(screentone(flat, pitch=6, ink=0.6)).mean())
    assert means == sorted(means)
    assert means[-1] == 255
    assert means[-1] - means[0] > 60
