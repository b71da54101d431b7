"""Storyboards: every page of a script as quick drafts, laid out and lettered.

What a draft shows tells the final panel where its figures stand and where its balloons will be.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from pipeline.comics.page import compose_page, render_page
from pipeline.domain.geometry import Box, Size
from pipeline.domain.inputs import PanelInputs
from pipeline.domain.page import LetteredPage, PageSpec, PanelArt
from pipeline.domain.panel import Candidate, Staging
from pipeline.generation.generators.base import Generator, unheard
from pipeline.generation.plan import plan_for


@dataclass(frozen=True, slots=True)
class DraftedPage:
    """A page of a storyboard: its PNG, and for each panel its draft and its staging.

    Stagings are in pixels of the size that the panel was asked for in, whatever the draft's.
    """

    number: int
    png: bytes
    drafts: tuple[bytes, ...]
    stagings: tuple[Staging, ...]


def draft_page(
    number: int,
    panels: Sequence[PanelInputs],
    spec: PageSpec,
    engine: Generator,
    cancelled: Callable[[], bool],
) -> DraftedPage:
    """Draft the panels of a page and put them together.

    Args:
        number: of the page.
        panels: what the panels need, in reading order; their ids tell them apart.
        spec: what the page is to be like.
        engine: the engine that drafts.
        cancelled: asked between the steps.

    Raises:
        Cancelled: ``cancelled()`` became true.
        InvalidInput: the words do not fit; the message names the panel.
    """
    drawn = [_draft(inputs, engine, cancelled) for inputs in panels]
    arts = [
        PanelArt(
            panel_id=inputs.panel_id,
            image=draft.image,
            size=draft.size,
            figures=draft.figures,
            dialogue=inputs.brief.dialogue,
            shot_type=inputs.brief.shot_type,
            weight=inputs.brief.weight,
        )
        for inputs, draft in zip(panels, drawn, strict=True)
    ]
    page = compose_page(arts, spec, number=number)
    return DraftedPage(
        number,
        render_page(page, arts),
        tuple(draft.image for draft in drawn),
        tuple(staging_of(inputs, draft, page) for inputs, draft in zip(panels, drawn, strict=True)),
    )


def staging_of(inputs: PanelInputs, draft: Candidate, page: LetteredPage) -> Staging:
    """Where a draft has its figures and its page the balloons, in pixels of the panel."""
    wanted = inputs.brief.size
    return Staging(
        figures=tuple(
            (figure.character_id, _scaled(figure.box, draft.size, wanted))
            for figure in draft.figures
        ),
        clear=tuple(
            _scaled(box, draft.size, wanted) for box in _balloons(inputs.panel_id, draft, page)
        ),
    )


def _draft(inputs: PanelInputs, engine: Generator, cancelled: Callable[[], bool]) -> Candidate:
    plan = plan_for(inputs, engine, strength=0)
    pictures = {r.sha256: r.image for member in inputs.cast for r in member.references}
    pictures |= inputs.pictures
    (draft,) = engine.generate(plan, pictures, progress=unheard, cancelled=cancelled)
    return draft


def _balloons(panel_id: int, draft: Candidate, page: LetteredPage) -> Iterator[Box]:
    """The balloons of a panel in pixels of its art."""
    frame = next(frame for frame in page.frames if frame.panel_id == panel_id)
    for balloon in page.balloons_of(panel_id):
        left, top = frame.crop.x0, frame.crop.y0
        box = Box(
            round(left + (balloon.box.x0 - frame.art.x0) / frame.scale),
            round(top + (balloon.box.y0 - frame.art.y0) / frame.scale),
            round(left + (balloon.box.x1 - frame.art.x0) / frame.scale),
            round(top + (balloon.box.y1 - frame.art.y0) / frame.scale),
        ).intersection(Box(0, 0, *draft.size))
        if box.area:
            yield box


def _scaled(box: Box, size: Size, wanted: Size) -> Box:
    across, down = wanted.width / size.width, wanted.height / size.height
    return Box(
        round(box.x0 * across), round(box.y0 * down), round(box.x1 * across), round(box.y1 * down)
    )
