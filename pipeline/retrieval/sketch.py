"""A storyboard sketch as a question: which references look most like what is drawn there?"""

from collections.abc import Sequence
from dataclasses import replace

from pipeline.domain.inputs import PanelInputs
from pipeline.fingerprints.composite import fingerprint
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.imaging.decode import load_canonical


def with_sketch(inputs: PanelInputs, encoders: Sequence[Encoder]) -> PanelInputs:
    """The same inputs, whose one character knows what the sketch shows of it.

    Nothing changes without a sketch, with several characters (nobody says who is who), or where
    no figure stands out from the paper.

    Raises:
        InvalidPicture: the kept sketch is damaged.
    """
    png = inputs.pictures.get(inputs.brief.sketch_sha256 or "")
    if png is None or len(inputs.cast) != 1:
        return inputs
    seen = fingerprint(load_canonical(png), inputs.brief.shot_type, encoders)
    return replace(inputs, cast=(replace(inputs.cast[0], seen=seen),)) if seen else inputs
