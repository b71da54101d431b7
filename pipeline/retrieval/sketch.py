"""A sketch or a chosen reference as a question: which references look most like that?"""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.domain.inputs import CastInput, PanelInputs
from pipeline.fingerprints.composite import fingerprint
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.imaging.decode import load_canonical
from pipeline.imaging.masks import find_figure
from pipeline.imaging.poses import find_pose


def with_shown(inputs: PanelInputs, encoders: Sequence[Encoder]) -> PanelInputs:
    """The same inputs, where each character knows what it should look like, if anybody showed it.

    A sketch counts before a reference that somebody chose.

    Raises:
        InvalidPicture: the kept sketch is damaged.
    """
    return _with_chosen(with_sketch(inputs, encoders))


def _with_chosen(inputs: PanelInputs) -> PanelInputs:
    """Whoever has a chosen reference and nothing else to go by is asked for by its looks."""

    def shown(member: CastInput) -> CastInput:
        own = {r.reference_id: r.fingerprints for r in member.references}
        seen = next((own[id_] for id_ in inputs.brief.lead if own.get(id_)), ())
        return replace(member, seen=seen) if seen and not member.seen else member

    return replace(inputs, cast=tuple(map(shown, inputs.cast))) if inputs.brief.lead else inputs


def with_sketch(inputs: PanelInputs, encoders: Sequence[Encoder]) -> PanelInputs:
    """The same inputs, whose one character knows what the sketch shows of it, pose included.

    A pose that is known already stays. Nothing changes without a sketch, with several characters
    (nobody says who is who), or where no figure stands out from the paper.

    Raises:
        InvalidPicture: the kept sketch is damaged.
    """
    png = inputs.pictures.get(inputs.brief.sketch_sha256 or "")
    if png is None or len(inputs.cast) != 1:
        return inputs
    image = load_canonical(png)
    seen = fingerprint(image, inputs.brief.shot_type, encoders)
    if not seen:
        return inputs
    member = replace(inputs.cast[0], seen=seen)
    figure = find_figure(image)
    if member.pose is None and figure is not None:
        member = replace(member, pose=find_pose(image, figure))
    return replace(inputs, cast=(member,))
