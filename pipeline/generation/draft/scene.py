"""Which background the words of a prompt ask for."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

Kind = TypeVar("Kind", bound=StrEnum)


class Place(StrEnum):
    """The backgrounds that a draft can draw."""

    LIVING_ROOM = "living room"
    BEDROOM = "bedroom"
    KITCHEN = "kitchen"
    CLASSROOM = "classroom"
    OFFICE = "office"
    CAFE = "cafe"
    LIBRARY = "library"
    STREET = "street"
    CITY = "city"
    PARK = "park"
    FOREST = "forest"
    MOUNTAIN = "mountain"
    WATER = "water"
    SKY = "sky"
    NIGHT = "night sky"
    SPEED = "speed lines"
    PLAIN = "plain tone"


class Time(StrEnum):
    """The light."""

    DAY = "day"
    DUSK = "dusk"
    NIGHT = "night"


class Weather(StrEnum):
    """What falls from the sky."""

    CLEAR = "clear"
    RAIN = "rain"
    SNOW = "snow"


INDOORS = frozenset(
    {
        Place.LIVING_ROOM,
        Place.BEDROOM,
        Place.KITCHEN,
        Place.CLASSROOM,
        Place.OFFICE,
        Place.CAFE,
        Place.LIBRARY,
    }
)
ABSTRACT = frozenset({Place.SPEED, Place.PLAIN})


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


# The word that stands first in the prompt decides; a place in NIGHT's or SKY's row gives way to
# any other place ("a street at night" is a street).
PLACE_WORDS: dict[Place, tuple[str, ...]] = {
    Place.BEDROOM: _words("bedroom bed pillow dormitory dorm asleep"),
    Place.KITCHEN: _words("kitchen cook cooks cooking stove oven fridge bakes baking bakery"),
    Place.CLASSROOM: _words(
        "classroom class school blackboard lesson lecture teacher university exam"
    ),
    Place.OFFICE: _words(
        "office meeting workplace boardroom lab laboratory newsroom studio desk agency bureau"
    ),
    Place.CAFE: _words("cafe café coffee restaurant bar diner tavern teahouse counter pub"),
    Place.LIBRARY: _words("library bookshop bookstore archive bookshelf bookshelves books"),
    Place.LIVING_ROOM: _words(
        "room living sofa couch interior indoors inside apartment flat home house hall "
        "hallway window fireplace attic"
    ),
    Place.STREET: _words(
        "street road lane alley sidewalk pavement village market houses town "
        "neighbourhood neighborhood shop shops station crossing corner tram bus"
    ),
    Place.CITY: _words(
        "city skyline skyscraper skyscrapers downtown rooftop roof rooftops bridge "
        "metropolis balcony terrace"
    ),
    Place.PARK: _words(
        "park garden meadow field lawn picnic grass farm orchard playground countryside "
        "hill hills outdoors outside"
    ),
    Place.FOREST: _words("forest wood woods woodland jungle trees grove camp campfire swamp"),
    Place.MOUNTAIN: _words("mountain mountains peak peaks cliff canyon valley summit desert cave"),
    Place.WATER: _words(
        "water sea ocean beach harbour harbor lake river shore coast pier boat ship "
        "island waves port quay lighthouse"
    ),
    Place.SPEED: _words(
        "speed runs running dash dashes races racing rushes fight fights punch punches "
        "action chase chases leaps jumps attack attacks explosion charges"
    ),
    Place.PLAIN: _words("plain blank"),
    Place.SKY: _words("sky cloud clouds flying flies air sun sunny kite heaven balloon wind"),
    Place.NIGHT: _words("night moon moonlight stars starry midnight space dream"),
}
WEAK_PLACES = (Place.SPEED, Place.SKY, Place.NIGHT)

TIME_WORDS: dict[Time, tuple[str, ...]] = {
    Time.NIGHT: _words("night midnight moon moonlight moonlit stars starry nocturnal"),
    Time.DUSK: _words("dusk sunset evening twilight sundown dawn sunrise golden"),
}
WEATHER_WORDS: dict[Weather, tuple[str, ...]] = {
    Weather.RAIN: _words("rain rains raining rainy storm stormy downpour drizzle umbrella thunder"),
    Weather.SNOW: _words("snow snows snowing snowy winter blizzard ice icy"),
}


@dataclass(frozen=True, slots=True)
class Scene:
    """Where and when a panel plays, and in which weather."""

    place: Place
    time: Time = Time.DAY
    weather: Weather = Weather.CLEAR

    @property
    def indoors(self) -> bool:
        """Whether there is a wall behind the figures."""
        return self.place in INDOORS

    @property
    def has_ground(self) -> bool:
        """Whether figures stand on something that is drawn."""
        return self.place not in ABSTRACT


def read_scene(prompt: str, *, fallback: Place = Place.PLAIN) -> Scene:
    """The scene that ``prompt`` describes.

    Args:
        prompt: free text; case and punctuation do not matter.
        fallback: the place when no word names one.

    Returns:
        The first named strong place, else the first weak one, else ``fallback``.
    """
    text = " " + " ".join(re.findall(r"[\w']+", prompt.lower())) + " "
    weather = _first(text, WEATHER_WORDS) or Weather.CLEAR
    time = _first(text, TIME_WORDS) or Time.DAY
    strong = {place: words for place, words in PLACE_WORDS.items() if place not in WEAK_PLACES}
    weak = {place: PLACE_WORDS[place] for place in WEAK_PLACES}
    place = _first(text, strong) or _first(text, weak)
    if place is None:
        # Weather and light need a sky to be seen in.
        outside = weather is not Weather.CLEAR or time is not Time.DAY
        place = Place.SKY if outside else fallback
    return Scene(place, Time.NIGHT if place is Place.NIGHT else time, weather)


def _first(text: str, table: dict[Kind, tuple[str, ...]]) -> Kind | None:
    found = [
        (at, -len(word), kind)
        for kind, words in table.items()
        for word in words
        if (at := text.find(f" {word} ")) >= 0
    ]
    return min(found)[2] if found else None
