"""Whether what a request says about a look agrees with the registry."""

import re
from collections.abc import Mapping
from enum import StrEnum

from pipeline.domain.inputs import CastInput
from pipeline.prompting.claims import Claim
from pipeline.prompting.colors import families_of, named, same_color
from pipeline.prompting.drift import words_of

_LENGTHS = (
    {"long", "waist-length", "waist"},
    {"medium", "shoulder-length", "shoulder"},
    {"short", "cropped", "bob", "pixie", "buzz", "crew"},
    {"bald", "shaved", "hairless"},
)
_CURLS = {"curly", "curls", "curled", "ringlets", "afro", "frizzy", "coils"}
_STRAIGHT = {"straight", "sleek"}
_BEARDS = {"beard", "bearded", "goatee", "moustache", "mustache", "moustached", "stubble", "full"}
_SHAVEN = {"none", "clean", "clean-shaven", "shaven", "beardless", "no"}
_SPECTACLES = {"glasses", "spectacles", "goggles", "monocle"}
_CLOTHES = ("outfit", "top", "bottom", "outerwear", "shoes", "headwear")
_SAME_GARMENT = (
    {"t-shirt", "tee", "shirt", "blouse", "top"},
    {"jumper", "sweater", "pullover", "cardigan", "hoodie"},
    {"trousers", "pants", "jeans"},
    {"coat", "jacket", "raincoat", "parka"},
    {"cloak", "cape"},
    {"hat", "cap"},
    {"shoes", "boots", "loafers", "flats", "sneakers"},
)
_RESHADED = re.compile(r"^(?:very|bright|vivid)\s+")


class Agreement(StrEnum):
    """What the registry says to a claim."""

    SAME = "same"
    OTHER = "other"
    UNKNOWN = "unknown"


def compare(claim: Claim, member: CastInput) -> tuple[Agreement, str]:
    """A claim (as if it were not negated) beside the registry.

    Returns:
        The agreement, and what the registry has, as words ("navy hair"); empty where it says
        nothing about this.
    """
    look = member.components
    match claim.slot:
        case "hair_color" | "eye_color" | "skin":
            return _compare_color(claim, look)
        case "hair_length":
            return _compare_groups(claim.value, look.get("hair_style", ""), _LENGTHS)
        case "hair_texture":
            return _compare_groups(claim.value, look.get("hair_style", ""), (_CURLS, _STRAIGHT))
        case "facial_hair":
            return _compare_groups(claim.value, look.get("facial_hair", ""), (_BEARDS, _SHAVEN))
        case "garment":
            return _compare_garment(claim.value, look)
        case _:
            return _compare_accessory(claim.value, look)


def _compare_color(claim: Claim, look: Mapping[str, str]) -> tuple[Agreement, str]:
    value = look.get(claim.slot)
    if value is None:
        return Agreement.UNKNOWN, ""
    noun = {"hair_color": "hair", "eye_color": "eyes", "skin": "skin"}[claim.slot]
    have = named(claim.slot, value)
    said = _RESHADED.sub("", claim.value)
    if not families_of(said, skin=claim.slot == "skin"):
        return Agreement.UNKNOWN, f"{have} {noun}"
    agreement = Agreement.SAME if same_color(claim.slot, said, have) else Agreement.OTHER
    return agreement, f"{have} {noun}"


def _compare_groups(said: str, have: str, groups: tuple[set[str], ...]) -> tuple[Agreement, str]:
    words = words_of(have)
    has = [bool(words & group) for group in groups]
    says = [bool(words_of(said) & group or said in group) for group in groups]
    if not any(has) or not any(says):
        return Agreement.UNKNOWN, have
    same = any(a and b for a, b in zip(has, says, strict=True))
    return (Agreement.SAME if same else Agreement.OTHER), have.replace("_", " ")


def _compare_garment(said: str, look: Mapping[str, str]) -> tuple[Agreement, str]:
    """The colour of a garment that the look has; another garment is not known here."""
    thing = said.split()[-1].split("-")[-1] if "t-shirt" not in said else "t-shirt"
    kin = next((group for group in _SAME_GARMENT if thing in group), {thing})
    for slot in _CLOTHES:
        value = look.get(slot, "")
        if not words_of(value) & kin:
            continue
        have = [families_of(word) for word in re.findall(r"[\w]+", value.lower())]
        said_hues = [families_of(word) for word in re.findall(r"[\w]+", said)]
        hues, wanted = frozenset().union(*have), frozenset().union(*said_hues)
        if not hues or not wanted:
            return Agreement.UNKNOWN, value
        return (Agreement.SAME if hues & wanted else Agreement.OTHER), value.replace("_", " ")
    return Agreement.UNKNOWN, ""


def _compare_accessory(said: str, look: Mapping[str, str]) -> tuple[Agreement, str]:
    have = " ".join(look.get(slot, "") for slot in ("accessory", "headwear", "face"))
    kin = _SPECTACLES if said in _SPECTACLES else {said}
    if words_of(have) & kin:
        return Agreement.SAME, have.strip().replace("_", " ")
    return Agreement.UNKNOWN, ""
