"""What an installed model can do, in the words in which plans are made."""

from pipeline.domain.conditioning import Adapter, ModelFile
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.diffusion.families import TextEncoding
from pipeline.generation.diffusion.installed import Installed

REFERENCES = 4
"""Pictures per character: each one costs an attention of its own in every layer."""


def capabilities_of(installed: Installed, models: tuple[ModelFile, ...] = ()) -> Capabilities:
    """The engine's account of itself for the weights that are here."""
    family = installed.family
    adapters = set(installed.adapters)
    if family.reference_attention:
        adapters.add(Adapter.REFERENCE_ATTENTION)
    clip = family.text is not TextEncoding.T5
    return Capabilities(
        references=REFERENCES if adapters else 0,
        adapters=frozenset(adapters),
        controls=bool(installed.controls),
        control_kinds=frozenset(installed.controls),
        regions=family.regions,
        inpaint=True,
        lora=True,
        textual_inversion=clip,
        negative=clip,
        prompt_weights=clip,
        samples=True,
        native_pixels=installed.native_side**2,
        side_multiple=installed.side_multiple,
        prompt_tokens=family.prompt_tokens,
        models=models,
    )
