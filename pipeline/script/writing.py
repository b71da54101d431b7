"""Writes a script down again: reading what was written gives the same script."""

import re

from pipeline.domain.character import ReadingDirection, ShotType
from pipeline.domain.panel import BalloonKind
from pipeline.script.document import Line, PageScript, PanelScript, Script
from pipeline.script.plain import WEIGHT_WORDS

_SHOTS = {
    ShotType.HEADSHOT: "close-up",
    ShotType.HALF: "half",
    ShotType.FULL: "full",
    ShotType.DYNAMIC: "dynamic",
}


def write_plain(script: Script) -> str:
    """The plain-text form."""
    head = [f"Title: {script.title}"]
    head += [f"Logline: {script.logline}"] if script.logline else []
    head += [f"Authors: {', '.join(script.authors)}"] if script.authors else []
    head += [f"Language: {script.language}"] if script.language != "en" else []
    if script.direction is not ReadingDirection.LTR:
        head.append(f"Direction: {script.direction}")
    head += [f"Chapter: {script.chapter}"] if script.chapter else []
    head += [f"[[{note}]]" for note in script.notes]
    return "\n\n".join(["\n".join(head), *map(_page, script.pages)]) + "\n"


def write_json(script: Script) -> str:
    """The JSON form; what has its usual value is left out."""
    return script.model_dump_json(indent=2, exclude_defaults=True) + "\n"


def write_yaml(script: Script) -> str:
    """The YAML form; what has its usual value is left out."""
    import yaml

    data = script.model_dump(mode="json", exclude_defaults=True)
    return yaml.safe_dump(data, allow_unicode=True, sort_keys=False, width=100)


def _page(page: PageScript) -> str:
    return "\n\n".join([f"PAGE {page.number}", *map(_panel, page.panels)])


def _panel(panel: PanelScript) -> str:
    parts = [f".{panel.scene}"] if panel.scene else []
    roles = [f"{r.name} ({r.look})" if r.look else r.name for r in panel.cast]
    head = [f"PANEL {panel.number} ({_framing(panel)})", f"Cast: {', '.join(roles)}"]
    if panel.props:
        props = [f"{p.name} ({p.holder})" if p.holder else p.name for p in panel.props]
        head.append(f"Props: {', '.join(props)}")
    parts.append("\n".join(head))
    parts += [f"!{words}" if _misread(words) else words for words in panel.action]
    if panel.dialogue:
        parts.append("\n".join(map(_line, panel.dialogue)))
    parts += [f"[[{note}]]" for note in panel.notes]
    return "\n\n".join(parts)


def _framing(panel: PanelScript) -> str:
    words = [_SHOTS[panel.shot]]
    if panel.weight != 1:
        named = [word for word, weight in WEIGHT_WORDS.items() if weight == panel.weight]
        words.append(named[0] if named else f"weight {panel.weight!r}")
    return ", ".join(words)


def _line(line: Line) -> str:
    if line.speaker is None:
        plain = "Caption" if line.kind is BalloonKind.CAPTION else f"Caption ({line.kind})"
        return f"{plain}: {line.text}"
    if line.also is not None:
        return f"@{line.speaker} & {line.also}: {line.text}"
    kind = "" if line.kind is BalloonKind.SPEECH else f" ({line.kind})"
    return f"@{line.speaker}{kind}: {line.text}"


def _misread(words: str) -> bool:
    """Whether a paragraph would be read as something else than action."""
    if (
        words[0] in "!@.#["
        or "[[" in words
        or re.match(r"(page|panel|int|ext|est|i/e)\b", words, re.I)
    ):
        return True
    return ":" in words or "：" in words or words == words.upper()
