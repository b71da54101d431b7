"""Drawing with what was learned so far: contact sheets of characters that were held out."""
# pyright: reportMissingImports=false, reportPrivateImportUsage=false, reportArgumentType=false

from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import torch
from PIL import Image
from torch import Tensor

from pipeline.domain.geometry import Size
from pipeline.training.generator.cast import HELD_OUT_FROM, HELD_OUT_STYLES, STYLES, Casting
from pipeline.training.generator.denoising import BETAS
from pipeline.training.generator.models import STEPS, Denoising, set_scale
from pipeline.training.generator.plan import GeneratorPlan
from pipeline.training.generator.scenes import Actor, Panel, make_panel, reference_view
from pipeline.training.generator.seeing import as_seen, states_of

GUIDANCE = 2.0
_SHEET_STEPS = 16


def scheduler() -> Any:
    """The noise schedule that was learned with, as a pipeline takes it."""
    from diffusers import EulerDiscreteScheduler

    return EulerDiscreteScheduler(
        num_train_timesteps=STEPS, beta_start=BETAS[0], beta_end=BETAS[1],
        beta_schedule="scaled_linear", prediction_type="v_prediction",
        timestep_spacing="trailing", steps_offset=1,
    )  # fmt: skip


def pipeline_of(vae: Any, nets: Denoising, tokenizer: Any) -> Any:
    """A plain Stable Diffusion pipeline around the networks."""
    from diffusers import StableDiffusionPipeline

    pipe = StableDiffusionPipeline(
        vae=vae, text_encoder=nets.text_encoder, tokenizer=tokenizer, unet=nets.unet,
        scheduler=scheduler(), safety_checker=None, feature_extractor=None, image_encoder=None,
        requires_safety_checker=False,
    )  # fmt: skip
    pipe.set_progress_bar_config(disable=True)
    return pipe


def draw(
    pipe: Any, prompts: Sequence[str], states: Tensor, unseen: Tensor, seed: int, guidance: float
) -> list[Any]:
    """A square picture for each prompt, each held by a reference of its own.

    Args:
        pipe: with the IP-Adapter on its UNet.
        prompts: n of them.
        states: of the references, ``(n, tokens, width)``.
        unseen: ``(tokens, width)``.
        seed: of the first picture; the others count on.
        guidance: 1 for none.
    """
    set_scale(pipe.unet, 1.0)
    drawn = []
    for number, (prompt, seen) in enumerate(zip(prompts, states, strict=True)):
        # one at a time: a pipeline shows all references that it is given to each of its prompts
        held = torch.stack([unseen, seen]) if guidance > 1 else seen[None]
        drawn += pipe(
            prompt=prompt, num_inference_steps=_SHEET_STEPS, guidance_scale=guidance,
            ip_adapter_image_embeds=[held[:, None].to(pipe.device)],
            generator=torch.Generator().manual_seed(seed + number),
        ).images  # fmt: skip
    return drawn


def held_out(
    plan: GeneratorPlan, count: int, strange: int | None = None
) -> list[tuple[Image.Image, Panel]]:
    """References of characters that were not learned, each with a panel of another drawing.

    Styles take turns; the last ``strange`` (None: a fifth) are of styles that were not learned
    either.
    """
    strange = max(1, count // 5) if strange is None else strange
    learned = [STYLES[n % plan.styles] for n in range(count - strange)]
    new = [HELD_OUT_STYLES[n % len(HELD_OUT_STYLES)] for n in range(strange)]
    castings = {style: Casting(style, plan.seed) for style in {*learned, *new}}
    out = []
    for number, style in enumerate([*learned, *new]):
        identity = castings[style].identity(HELD_OUT_FROM + number)
        seen, asked = (castings[style].variant(identity, v, 2 * plan.side) for v in (0, 1))
        rng = Random(f"{plan.seed}/sheet/{number}")
        panel = make_panel([Actor(identity, asked)], Size(plan.side, plan.side), rng)
        out.append((reference_view(seen.image, plan.side), panel))
    return out


def contact_sheet(
    pipe: Any, encoder: Any, unseen: Tensor, plan: GeneratorPlan, file: Path, count: int = 12
) -> None:
    """Write a sheet: for each character its reference, the picture that was meant, two drawn.

    The first is drawn without guidance, the second with it.
    """
    import numpy as np

    cast = held_out(plan, count)
    views = np.stack([np.asarray(view) for view, _ in cast])
    states = states_of(encoder, as_seen(views, torch.arange(len(cast))), str(pipe.device))
    prompts = [panel.plain for _, panel in cast]
    rows = [draw(pipe, prompts, states, unseen, 1, guidance) for guidance in (1.0, GUIDANCE)]
    per_line = 3
    side = plan.side
    lines = -(-count // per_line)
    sheet = Image.new("RGB", (per_line * (4 * side + 8), lines * (side + 4)), "white")
    for number, (view, panel) in enumerate(cast):
        x, y = number % per_line * (4 * side + 8), number // per_line * (side + 4)
        for column, picture in enumerate((view, panel.image, *(row[number] for row in rows))):
            sheet.paste(picture, (x + column * side, y))
    sheet.save(file, quality=88)
