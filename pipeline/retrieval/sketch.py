"""A storyboard sketch as a question: which references look most like what is drawn there?"""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.domain.inputs import PanelInputs
from pipeline.fingerprints.composite import fingerprint
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.imaging.decode import load_canonical
from pipeline.imaging.masks import find_figure
from pipeline.imaging.poses import find_pose


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
