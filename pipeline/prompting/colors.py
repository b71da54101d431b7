"""Which colour words mean the same: navy is a blue, auburn a red and a brown."""

from pipeline.domain.vocabulary import COLOR_SLOTS

_FAMILIES = {
    "black": "black raven ebony jet",
    "brown": "brown brunette chestnut auburn hazel bronze chocolate",
    "blonde": "blonde blond golden gold platinum yellow flaxen sandy straw fair-haired",
    "red": "red ginger auburn redhead scarlet crimson maroon coppery copper",
    "orange": "orange ginger amber coral copper",
    "white": "white platinum silver snow-white cream light",
    "grey": "grey gray silver charcoal ash ashen light",
    "blue": "blue navy teal turquoise azure cyan indigo cobalt",
    "green": "green teal turquoise olive emerald hazel lime",
    "purple": "purple violet lavender magenta lilac indigo",
    "pink": "pink magenta rose coral",
    "gold": "gold golden amber yellow",
    "beige": "beige tan cream sandy",
    "pale": "pale porcelain fair light white ivory",
    "tan": "tan tanned olive bronze light",
    "dark": "dark ebony brown black bronze",
    "human": "human-coloured",
}
"""A word belongs to every family that somebody could mean by it."""

_MEMBERS: dict[str, frozenset[str]] = {}
for _family, _words in _FAMILIES.items():
    for _word in _words.split():
        _MEMBERS[_word] = _MEMBERS.get(_word, frozenset()) | {_family}

_SKIN_ONLY = frozenset({"pale", "tan", "dark", "human"})
COLOR_WORDS = frozenset(_MEMBERS) - {"redhead", "brunette", "fair-haired", "light", "dark", "fair"}
SKIN_WORDS = frozenset(word for word, families in _MEMBERS.items() if families & _SKIN_ONLY)
"""Words that say how light a skin is; of these only some are colours of other things."""


def families_of(word: str, *, skin: bool = False) -> frozenset[str]:
    """The families of a colour word (``dark_brown``, ``light blue``); empty for no colour.

    ``skin`` chooses between the two meanings of words like *fair* or *brown*.
    """
    parts = word.lower().replace("_", " ").replace("-coloured", "").split()
    if not parts:
        return frozenset()
    known = _MEMBERS.get(parts[-1], frozenset())
    return known if skin else known - _SKIN_ONLY


def same_color(slot: str, a: str, b: str) -> bool:
    """Whether two colour words can be meant for one thing."""
    skin = slot == "skin"
    return bool(families_of(a, skin=skin) & families_of(b, skin=skin))


def named(slot: str, value: str) -> str:
    """A component's colour as a word: a hex value becomes the nearest name of its slot."""
    if not value.startswith("#"):
        return value.replace("_", " ")
    names = COLOR_SLOTS.get(slot, COLOR_SLOTS["main_color"])
    return min(names, key=lambda name: _distance(names[name], value)).replace("_", " ")


def _distance(a: str, b: str) -> float:
    """Weighted RGB distance of two ``#rrggbb``, larger is further.

    Source: the low-cost "redmean" approximation, which is enough to choose among twenty names.
    """
    first, second = bytes.fromhex(a[1:]), bytes.fromhex(b[1:])
    red = (first[0] + second[0]) / 2
    dr, dg, db = ((x - y) ** 2 for x, y in zip(first, second, strict=True))
    return (2 + red / 256) * dr + 4 * dg + (2 + (255 - red) / 256) * db
