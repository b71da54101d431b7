"""A panel of a script in the registry's terms: ids instead of names, the scene spelled out."""

from collections.abc import Iterator
from dataclasses import dataclass

from pipeline.domain.character import StoryPoint
from pipeline.domain.panel import BalloonKind, CastRole, DialogueLine
from pipeline.script.document import Line, PanelScript, Script
from pipeline.script.lint import KnownCast


@dataclass(frozen=True, slots=True)
class ResolvedPanel:
    """What a panel is asked for with. ``page`` and ``number`` are the script's."""

    page: int
    number: int
    panel: PanelScript
    roles: tuple[CastRole, ...]
    dialogue: tuple[DialogueLine, ...]
    prompt: str


def resolve(script: Script, known: KnownCast, *, chapter: int) -> Iterator[ResolvedPanel]:
    """Every panel in reading order.

    Args:
        script: one without errors (see :func:`pipeline.script.lint.lint_script`).
        known: the registry.
        chapter: the chapter that a script plays in which names none.
    """
    scene: str | None = None
    for page in script.pages:
        point = StoryPoint(script.chapter or chapter, page.number)
        for panel in page.panels:
            scene = panel.scene or scene
            roles = _roles(panel, known, point)
            # a panel is drawn without those before it: it has to say where it plays
            prompt = f"{scene}. {panel.prompt}" if scene else panel.prompt
            lines = _dialogue(panel, roles, known)
            yield ResolvedPanel(page.number, panel.number, panel, roles, lines, prompt)


def _roles(panel: PanelScript, known: KnownCast, point: StoryPoint) -> tuple[CastRole, ...]:
    roles = []
    for role in panel.cast:
        person = known.find(role.name)
        assert person is not None, "the lints found everybody"
        look = person.look_called(role.look) if role.look else person.look_at(point)
        assert look is not None, "the lints found every look"
        roles.append(CastRole(person.character_id, look.appearance_id))
    return tuple(roles)


def _dialogue(
    panel: PanelScript, roles: tuple[CastRole, ...], known: KnownCast
) -> tuple[DialogueLine, ...]:
    here = {role.character_id for role in roles}

    def speaker(name: str | None) -> str | None:
        person = known.find(name) if name else None
        return person.character_id if person and person.character_id in here else None

    return tuple(
        _spoken(line, speaker(line.speaker), speaker(line.also)) for line in panel.dialogue
    )


def _spoken(line: Line, speaker: str | None, also: str | None) -> DialogueLine:
    """A line as it is lettered; a voice that nobody here has comes from outside the panel."""
    if line.kind is BalloonKind.CAPTION:
        speaker = None
    return DialogueLine(line.text, speaker, line.kind, also)
