"""IP-Adapters: several at once, several references each, confined to their characters' regions."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from PIL import Image

from pipeline.domain.conditioning import Adapter, ReferenceUse
from pipeline.domain.errors import GenerationFailed, InvalidPicture
from pipeline.domain.geometry import Box, Size
from pipeline.generation.diffusion.call import Call
from pipeline.generation.diffusion.installed import AdapterPath
from pipeline.generation.diffusion.pictures import GROUND, Pictures, on_ground
from pipeline.generation.diffusion.places import region_picture
from pipeline.imaging.cutout import Cutout, cut_out

_FACE_MARGIN = 0.25
"""Share of the head's longer side around it: hair and chin belong to a face."""


@dataclass(frozen=True, slots=True)
class Look:
    """One reference as one adapter sees it; ``region`` is in pixels of the plan's size."""

    sha256: str
    scale: float
    region: Box | None


def looks_of(call: Call, adapter: Adapter, factor: float = 1.0) -> list[Look]:
    """The references that an adapter holds on to, with what each one weighs.

    A character's hold is its strongest reference; its references share that hold in proportion
    to their own scales, so that more pictures say more about the character but pull no harder.
    ``factor`` (>= 1) raises the hold, to 1 at most.
    """
    out: list[Look] = []
    for member in call.plan.cast:
        scales = [_scale_of(use, adapter) for use in member.references]
        hold, total = max(scales, default=0.0), sum(scales)
        hold = max(hold, min(1.0, hold * factor))
        out += [
            Look(use.sha256, hold * scale / total, member.region)
            for use, scale in zip(member.references, scales, strict=True)
            if scale > 0
        ]
    return out


@contextmanager
def hold_references(call: Call) -> Iterator[None]:
    """Put the IP-Adapters that the plan uses onto the denoiser, and take them off again.

    Raises:
        MissingReference: a reference picture was not given.
        GenerationFailed: an adapter does not fit the model.
    """
    wanted = {
        adapter: looks
        for adapter in call.base.installed.adapters
        if (looks := looks_of(call, adapter))
    }
    if not wanted:
        yield
        return
    unet = call.base.denoiser
    processors = dict(unet.attn_processors)
    projection, kind = unet.encoder_hid_proj, unet.config.encoder_hid_dim_type
    try:
        _put_on(call, wanted)
        yield
    finally:
        unet.encoder_hid_proj = projection  # first: it may have attention of its own
        unet.set_attn_processor(processors)
        unet.config.encoder_hid_dim_type = kind


def set_hold(call: Call, factor: float) -> bool:
    """Hold all references so much harder than the plan says, from the next step on.

    Returns:
        Whether that differs from what the plan says: not where nothing is held, or fully already.
    """
    planned = _scales(call, 1.0)
    if not planned:
        return False
    raised = _scales(call, factor)
    call.pipe.set_ip_adapter_scale(raised)
    return raised != planned


def _scales(call: Call, factor: float) -> list[list[float]]:
    """One list an adapter that is on the denoiser, in its order."""
    found = (looks_of(call, adapter, factor) for adapter in call.base.installed.adapters)
    return [[look.scale for look in looks] for looks in found if looks]


def _scale_of(use: ReferenceUse, adapter: Adapter) -> float:
    return next((one.scale for one in use.adapters if one.adapter is adapter), 0.0)


def _put_on(call: Call, wanted: dict[Adapter, list[Look]]) -> None:
    paths = [call.base.installed.adapters[adapter] for adapter in wanted]
    states = [_state_of(call, path) for path in paths]
    try:
        call.pipe.load_ip_adapter(
            states, subfolder="", weight_name=[""] * len(states), image_encoder_folder=None
        )
    except (KeyError, RuntimeError, ValueError) as error:
        raise GenerationFailed(
            "An IP-Adapter does not fit the model. Fetch the one for "
            f"{call.base.family.name} again, or leave ONMODEL_DIFFUSERS_ADAPTERS empty."
        ) from error
    call.pipe.set_ip_adapter_scale([[look.scale for look in looks] for looks in wanted.values()])
    call.arguments["ip_adapter_image_embeds"] = _embedded(call, wanted, paths)
    told = call.arguments.setdefault("cross_attention_kwargs", {})
    told["ip_adapter_masks"] = [_masks(call, looks) for looks in wanted.values()]


def _state_of(call: Call, path: AdapterPath) -> dict[str, dict[str, Any]]:
    """An adapter's weights as diffusers takes them, in the model's precision, in main memory."""

    def load() -> dict[str, dict[str, Any]]:
        from safetensors.torch import load_file

        state: dict[str, dict[str, Any]] = {"image_proj": {}, "ip_adapter": {}}
        for name, tensor in load_file(path.weights).items():
            group, _, rest = name.partition(".")
            if group in state:
                state[group][rest] = tensor.to(call.base.dtype)
        return state

    return call.cache.get(("ip_adapter", path.weights, call.base.dtype), load)


def _embedded(
    call: Call, wanted: dict[Adapter, list[Look]], paths: Sequence[AdapterPath]
) -> list[Any]:
    """What each adapter makes of its references: one tensor each, ``(2, n, …)`` with guidance."""
    from transformers import CLIPImageProcessor

    projections = call.base.denoiser.encoder_hid_proj.image_projection_layers
    out = []
    for (adapter, looks), path, projection in zip(wanted.items(), paths, projections, strict=True):
        encoder = _encoder_of(call, path)
        side = encoder.config.image_size
        extractor = CLIPImageProcessor(size=side, crop_size=side)
        pictures = [as_seen(call.pictures, look.sha256, adapter) for look in looks]
        encoder.to(call.base.device)
        try:
            out.append(_encode(call, encoder, extractor, pictures, projection))
        finally:
            encoder.to("cpu")
    return out


def _encode(
    call: Call,
    encoder: Any,
    extractor: Any,
    pictures: Sequence[Image.Image],
    projection: Any,
) -> Any:
    """The pictures' states (or vectors, where the adapter reads those), unseen ones before seen."""
    import torch

    values = extractor(list(pictures), return_tensors="pt").pixel_values
    values = values.to(device=call.base.device, dtype=call.base.dtype)
    whole = type(projection).__name__ == "ImageProjection"
    with torch.no_grad():
        seen = _seen(encoder, values, whole)
        # what stands for "no picture": zeros in the vector's place, a black picture's states
        unseen = torch.zeros_like(seen) if whole else _seen(encoder, values * 0, whole)
    return torch.stack([unseen, seen] if call.guided else [seen])


def _seen(encoder: Any, values: Any, whole: bool) -> Any:
    if whole:
        return encoder(values).image_embeds
    return encoder(values, output_hidden_states=True).hidden_states[-2]


def _encoder_of(call: Call, path: AdapterPath) -> Any:
    def load() -> Any:
        from transformers import CLIPVisionModelWithProjection

        return CLIPVisionModelWithProjection.from_pretrained(
            path.encoder, dtype=call.base.dtype, local_files_only=True, use_safetensors=True
        ).eval()

    return call.cache.get(("image_encoder", path.encoder, call.base.dtype), load)


def as_seen(pictures: Pictures, sha256: str, adapter: Adapter) -> Image.Image:
    """A square RGB picture for the image encoder: the figure in full, or its head.

    Image encoders look at the middle square of a picture: a standing figure would lose head and
    feet, so it is put onto a square ground first.
    """
    try:
        cutout = cut_out(pictures.png(sha256))
    except InvalidPicture as error:
        raise GenerationFailed("A reference picture is damaged. Register it again.") from error
    if adapter is Adapter.IP_FACE and cutout.loose:
        return _squared(on_ground(cutout.image.crop(_face(cutout))))
    return _squared(on_ground(cutout.image))


def _face(cutout: Cutout) -> Box:
    margin = round(_FACE_MARGIN * max(cutout.head.width, cutout.head.height))
    x0, y0, x1, y1 = cutout.head
    grown = Box(x0 - margin, y0 - margin, x1 + margin, y1 + margin)
    return grown.intersection(Box(0, 0, cutout.width, cutout.height))


def _squared(image: Image.Image) -> Image.Image:
    side = max(image.size)
    square = Image.new("RGB", (side, side), GROUND)
    square.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
    return square


def _masks(call: Call, looks: Sequence[Look]) -> Any:
    """``(1, n, height, width)``: where each reference may act."""
    from diffusers.image_processor import IPAdapterMaskProcessor

    size: Size = call.size
    regions = [region_picture(look.region, call.plan.size, size) for look in looks]
    masks = IPAdapterMaskProcessor().preprocess(regions, height=size.height, width=size.width)
    return masks.reshape(1, len(looks), size.height, size.width)
