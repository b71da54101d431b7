"""The attributes that can drift, and the modes of the catalogue that they are."""

from collections.abc import Mapping
from enum import StrEnum


class Attribute(StrEnum):
    """What the attribution can name. The words are stored; keep them."""

    HAIR_COLOR = "hair_color"
    HAIR_SHAPE = "hair_shape"
    EYE_COLOR = "eye_color"
    EYE_SHAPE = "eye_shape"
    SKIN = "skin"
    FACE_SHAPE = "face_shape"
    FACIAL_HAIR = "facial_hair"
    OUTFIT = "outfit"
    OUTFIT_COLOR = "outfit_color"
    ACCESSORY_MISSING = "accessory_missing"
    ACCESSORY_SIDE = "accessory_side"
    MARK_MISSING = "mark_missing"
    PROPORTIONS = "proportions"
    PALETTE = "palette"
    LINE_STYLE = "line_style"


MODES: Mapping[str, tuple[str, ...]] = {
    Attribute.HAIR_COLOR: ("hair_color",),
    Attribute.HAIR_SHAPE: (
        "hair_shape", "hair_length", "fringe_changed", "ahoge_lost", "hairline", "hair_tied",
    ),
    Attribute.EYE_COLOR: ("eye_color",),
    Attribute.EYE_SHAPE: ("eye_shape", "eye_spacing", "gaze"),
    Attribute.SKIN: ("skin", "skin_warmed"),
    Attribute.FACE_SHAPE: ("face_shape", "jaw_narrowed", "jaw_widened", "asymmetry", "age"),
    Attribute.FACIAL_HAIR: ("facial_hair_lost", "facial_hair_grown"),
    Attribute.OUTFIT: ("outfit", "pattern_lost", "sleeves"),
    Attribute.OUTFIT_COLOR: ("outfit_color",),
    Attribute.ACCESSORY_MISSING: ("accessory_missing",),
    Attribute.ACCESSORY_SIDE: ("accessory_side",),
    Attribute.MARK_MISSING: ("mark_missing", "mark_side"),
    Attribute.PROPORTIONS: ("proportions", "build", "anatomy"),
    Attribute.PALETTE: ("palette", "colour_in_black_and_white"),
    Attribute.LINE_STYLE: ("line_style", "line_weight"),
}  # fmt: skip
"""Modes of ``drift_modes.toml`` that each attribute can be, the plainest first."""
