"""Plans that ask a server's engine for everything, and the pictures that they name."""

import hashlib
import io

from PIL import Image, ImageDraw

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import (
    Adapter,
    AdapterScale,
    CastConditioning,
    ConditioningPlan,
    ControlKind,
    ControlUse,
    InpaintUse,
    ModuleKind,
    ModuleUse,
    PartKind,
    PromptPart,
    ReferenceRole,
    ReferenceUse,
    Sampling,
)
from pipeline.domain.geometry import Box, Size

SIZE = Size(320, 256)
BUCKET = Size(576, 464)
BOTH = (AdapterScale(Adapter.IP_WHOLE, 0.6), AdapterScale(Adapter.IP_FACE, 0.5))


def png(colour: str, size: tuple[int, int] = (120, 180), mode: str = "RGB") -> bytes:
    image = Image.new(mode, size, colour if mode == "RGB" else (0, 0, 0, 0))
    ImageDraw.Draw(image).ellipse((30, 20, 90, 160), fill=colour if mode == "RGBA" else "white")
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


class Shelf(dict[str, bytes]):
    """Pictures by sha256."""

    def put(self, data: bytes) -> str:
        name = hashlib.sha256(data).hexdigest()
        self[name] = data
        return name


def mask() -> bytes:
    image = Image.new("L", SIZE, 0)
    ImageDraw.Draw(image).rectangle((100, 50, 199, 149), fill=255)
    stream = io.BytesIO()
    image.save(stream, "PNG")
    return stream.getvalue()


def member(shelf: Shelf, who: str, colour: str, region: Box | None = None) -> CastConditioning:
    uses = tuple(
        ReferenceUse(shelf.put(png(colour, mode=mode, size=size)), n, 0.6, "canon", role, BOTH)
        for n, (mode, size, role) in enumerate(
            [
                ("RGBA", (120, 180), ReferenceRole.WHOLE),
                ("RGB", (90, 200), ReferenceRole.WHOLE),
                ("RGB", (100, 100), ReferenceRole.FACE),
            ]
        )
    )
    own = (PromptPart("red scarf", "the other one's", PartKind.OPPOSITE, who),) if region else ()
    return CastConditioning(
        f"ch_{who}", f"{who}_s1", f"{who.title()} (navy hair)", uses, region=region, negative=own
    )


def plan_of(shelf: Shelf, **changes: object) -> ConditioningPlan:
    """One character, two alternates."""
    parts = (
        PromptPart("They run, fast", "as asked", PartKind.REQUEST),
        PromptPart("Akira (navy hair)", "locked", PartKind.IDENTITY, "ch_akira"),
    )
    against = (PromptPart("blonde hair", "opposite", PartKind.OPPOSITE, weight=1.3),)
    fields: dict[str, object] = {
        "generator": "comfyui", "generator_version": "1", "prompt": "They run, fast, Akira (navy hair)",
        "negative": "blonde hair", "cast": (member(shelf, "akira", "navy"),), "shot_type": ShotType.HALF,
        "color_mode": ColorMode.COLOR, "size": SIZE, "seed": 41, "alternates": 2, "prompt_parts": parts,
        "negative_parts": against, "bucket": BUCKET, "sampling": Sampling(steps=4),
    }  # fmt: skip
    return ConditioningPlan(**{**fields, **changes})  # type: ignore[arg-type]  # fields of the plan


def full_plan(shelf: Shelf) -> ConditioningPlan:
    """Two characters in regions, guide pictures and a LoRA."""
    left, right = Box(0, 0, 180, 256), Box(140, 0, 320, 256)
    cast = (member(shelf, "akira", "navy", left), member(shelf, "mira", "darkred", right))
    lines = shelf.put(png("black", SIZE))
    return plan_of(
        shelf,
        cast=cast,
        alternates=1,
        controls=(
            ControlUse(ControlKind.EDGES, lines, 0.7, "sketch", character_id="ch_akira"),
            ControlUse(ControlKind.DEPTH, lines, 0.4, "staging", 0.0, 0.4),
        ),
        modules=(ModuleUse(ModuleKind.LORA, "akira_s1", "ab" * 32, 0.8, "trained", "akrx"),),
    )


def repair_plan(shelf: Shelf) -> ConditioningPlan:
    """A part of a picture drawn again."""
    use = InpaintUse(shelf.put(png("olive", SIZE)), shelf.put(mask()), 0.6, "the hair drifted")
    return plan_of(shelf, alternates=1, inpaint=use)
