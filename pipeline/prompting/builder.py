"""Builds the prompt: the composition comes from the request, the identity from the registry.

Source: CC5 (the prompt is decomposed, the character part is locked).
"""

from collections.abc import Sequence

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.inputs import CastInput

_FRAMING = {
    ShotType.HEADSHOT: "close-up, head and shoulders",
    ShotType.HALF: "medium shot, waist up",
    ShotType.FULL: "full-length shot",
    ShotType.DYNAMIC: "dynamic action shot, tilted camera",
}


def identity_words(member: CastInput) -> str:
    """The locked part: name and the components of the appearance, in a stable order."""
    parts = [
        f"{key.replace('_', ' ')}: {value.replace('_', ' ')}"
        for key, value in sorted(member.components.items())
    ]
    return f"{member.name} ({', '.join(parts)})" if parts else member.name


def build_prompt(
    request: str,
    cast: Sequence[CastInput],
    *,
    shot_type: ShotType,
    color_mode: ColorMode,
    style: str = "",
) -> str:
    """One line: framing, what happens, who is there, how it is drawn."""
    ink = "black and white comic panel" if color_mode is ColorMode.GRAYSCALE else "comic panel"
    people = "; ".join(identity_words(member) for member in cast)
    return ", ".join(
        part for part in (_FRAMING[shot_type], request.strip(), people, ink, style) if part
    )
