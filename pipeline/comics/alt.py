"""A panel in words, for people who do not see it: who is in it, what happens, what is said.

The one place where descriptions are made; exports, cards and indexes take theirs from here.
"""

from collections.abc import Mapping, Sequence

from pipeline.comics.markup import plain_text
from pipeline.domain.character import ShotType
from pipeline.domain.panel import BalloonKind, DialogueLine, PanelBrief

_SHOTS = {
    ShotType.HEADSHOT: "Close-up",
    ShotType.HALF: "Medium shot",
    ShotType.FULL: "Full shot",
    ShotType.DYNAMIC: "Action shot",
}
_VERBS = {
    BalloonKind.SPEECH: "says",
    BalloonKind.THOUGHT: "thinks",
    BalloonKind.SHOUT: "shouts",
    BalloonKind.WHISPER: "whispers",
    BalloonKind.RADIO: "says over the radio",
    BalloonKind.OFF_PANEL: "says out of sight",
}
_NAMED = {
    BalloonKind.CAPTION: "Caption",
    BalloonKind.NARRATION: "Narration",
    BalloonKind.SFX: "Sound",
}
_ENDS = (".", "!", "?", "…", "。", "！", "？")


def name_of(character_id: str, names: Mapping[str, str]) -> str:
    """The name that readers see; made from the id where the character is not in ``names``."""
    known = names.get(character_id)
    return known or character_id.removeprefix("ch_").replace("_", " ").title()


def scene_text(brief: PanelBrief, names: Mapping[str, str]) -> str:
    """Who is in the panel and what happens, without what is said: one or two sentences."""
    people = _listed([name_of(role.character_id, names) for role in brief.cast])
    shot = _SHOTS[brief.shot_type]
    who = f"{shot} of {people}" if people else shot
    what = _sentence(brief.prompt)
    return f"{who}: {what}" if what else f"{who}."


def spoken_text(line: DialogueLine, names: Mapping[str, str]) -> str:
    """One line with its speaker: ``Mira says: “Hello!”``."""
    quoted = f"“{' '.join(plain_text(line.text).split())}”"
    if line.kind in _NAMED:
        return f"{_NAMED[line.kind]}: {quoted}"
    speaker = name_of(line.speaker, names) if line.speaker else "Someone"
    if line.also:
        return f"{speaker} and {name_of(line.also, names)} say: {quoted}"
    return f"{speaker} {_VERBS.get(line.kind, 'says')}: {quoted}"


def alt_text(brief: PanelBrief, names: Mapping[str, str]) -> str:
    """The whole panel in words: the scene, then every line in reading order.

    Args:
        brief: what was asked for.
        names: the name that readers see for each ``character_id``.
    """
    return " ".join([scene_text(brief, names), *(spoken_text(d, names) for d in brief.dialogue)])


def _listed(names: Sequence[str]) -> str:
    if len(names) < 2:
        return "".join(names)
    return f"{', '.join(names[:-1])} and {names[-1]}"


def _sentence(text: str) -> str:
    words = " ".join(text.split())
    return words if not words or words.endswith(_ENDS) else words + "."
