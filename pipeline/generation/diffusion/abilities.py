"""What an installed model can do, in the words in which plans are made."""

from pipeline.domain.conditioning import Adapter, ModelFile, Sampling
from pipeline.domain.errors import SettingsError
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.diffusion.families import TextEncoding
from pipeline.generation.diffusion.installed import Installed
from pipeline.generation.diffusion.noise import MOST_VARIATIONS
from pipeline.generation.diffusion.options import PREFIX, DiffusersOptions
from pipeline.generation.diffusion.samplers import SAMPLERS

REFERENCES = 4
"""Pictures per character: each one costs an attention of its own in every layer."""


def sampling_of(installed: Installed, options: DiffusersOptions) -> Sampling:
    """The family's usual way from noise to picture, as far as the host does not say otherwise.

    Raises:
        SettingsError: the sampler is not known.
    """
    usual = installed.family.sampling
    if options.sampler is not None and options.sampler not in SAMPLERS:
        raise SettingsError(f"{PREFIX}SAMPLER is one of: {', '.join(SAMPLERS)}.")
    return Sampling(
        options.sampler or usual.sampler,
        usual.steps if options.steps is None else options.steps,
        usual.guidance if options.guidance is None else options.guidance,
    )


def capabilities_of(
    installed: Installed,
    models: tuple[ModelFile, ...] = (),
    sampling: Sampling | None = None,
) -> Capabilities:
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
        sampling=sampling or family.sampling,
        variations=0 if installed.inpaints_natively else MOST_VARIATIONS,
    )
