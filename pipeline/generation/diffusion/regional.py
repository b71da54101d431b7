"""Words for one character, read only where it stands: its hair does not land on its neighbour.

The words of every character follow the shared ones in one long text. In the cross-attention each
place of the picture may look at the shared words and at those of the characters whose region it
is in; the rest is masked out. So the denoiser runs as often as without regions.

Source: masking the cross-attention by region is known as regional guidance (InvokeAI 4.2, 2024).
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from pipeline.domain.conditioning import CastConditioning, PromptPart
from pipeline.generation.diffusion.call import Call


@dataclass(frozen=True, slots=True, eq=False)
class Words:
    """A piece of the text that is bound to a region, or the shared one.

    ``wanted`` and ``unwanted`` are parts of prompt and negative prompt; ``member`` is None for
    what holds everywhere.
    """

    wanted: tuple[PromptPart, ...]
    unwanted: tuple[PromptPart, ...]
    member: CastConditioning | None = None


def words_by_region(
    parts: Sequence[PromptPart],
    negative: Sequence[PromptPart],
    cast: Sequence[CastConditioning],
) -> list[Words]:
    """The shared words first, then those of each character that has a region.

    Returns:
        One entry, with everything in it, where no two characters have to be told apart.
    """
    bound = [member for member in cast if member.region is not None]
    if len(bound) < 2 or not parts:
        return [Words(tuple(parts), tuple(negative))]
    owners = {member.character_id for member in bound}
    shared = tuple(part for part in parts if part.character_id not in owners)
    own = [
        Words(
            tuple(part for part in parts if part.character_id == member.character_id),
            member.negative,
            member,
        )
        for member in bound
    ]
    return [Words(shared, tuple(negative)), *(w for w in own if w.wanted or w.unwanted)]


@contextmanager
def hold_regions(call: Call) -> Iterator[None]:
    """Confine each character's words to its region, where ``call.spans`` says whose are where."""
    bound = [span for span in call.spans if span.region is not None]
    if not bound:
        yield
        return
    unet = call.base.denoiser
    layers = {
        name: module
        for name, module in unet.named_modules()
        if name.endswith(".attn2") and not name.startswith("encoder_hid_proj")
    }
    before = {name: layer.processor for name, layer in layers.items()}
    from pipeline.generation.diffusion.confined import Confined, Masks

    masks = Masks(call)
    try:
        for name, layer in layers.items():
            layer.set_processor(Confined(before[name], masks))
        yield
    finally:
        for name, layer in layers.items():
            layer.set_processor(before[name])
