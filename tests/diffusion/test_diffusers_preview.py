"""The small pictures that are shown while a panel is drawn."""

import io

import numpy as np
import pytest
from drawing import PLAN
from PIL import Image
from tiny_diffusion import TinyModels

from pipeline.generation.diffusion import preview
from pipeline.generation.generators.diffusers import DiffusersGenerator

pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)


@pytest.fixture(scope="module")
def engine(tiny_sd: TinyModels) -> DiffusersGenerator:
    return DiffusersGenerator(tiny_sd.options())


def shown(engine: DiffusersGenerator) -> list[bytes]:
    found: list[bytes] = []
    engine.generate(
        PLAN,
        {},
        progress=lambda _share, _note, *more: found.extend(more),
        cancelled=lambda: False,
    )
    return found


def test_steps_bring_small_pngs_and_not_too_often(engine, monkeypatch):
    engine._engine._preview = None
    assert len(shown(engine)) == 1, "two steps in less than two seconds: one preview"
    monkeypatch.setattr(preview, "EVERY_SECONDS", 0.0)
    pictures = shown(engine)
    assert len(pictures) == PLAN.sampling.steps
    for data in pictures:
        assert len(data) < 32 << 10
        with Image.open(io.BytesIO(data)) as image:
            assert (image.format, image.mode) == ("PNG", "RGB")
            assert max(image.size) <= preview.SIDE


class PlainVae:
    """A VAE whose latents are the colours themselves, mixed and shifted: the fit must undo that."""

    MIX = np.array([[0.9, 0.2, -0.1], [0.1, -0.8, 0.3], [0.4, 0.1, 0.7], [0.3, 0.3, 0.3]])

    def __init__(self) -> None:
        import torch

        self.device, self.dtype = torch.device("cpu"), torch.float32
        self.config = type("c", (), {"scaling_factor": 0.5, "shift_factor": 0.1})()

    def to(self, **_where: object) -> None:
        """It is everywhere already."""

    def encode(self, pixels):
        import torch

        cells = torch.nn.functional.avg_pool2d(pixels, 8)
        mixed = torch.einsum("oc,nchw->nohw", torch.from_numpy(self.MIX).float(), cells)
        return type("out", (), {"latent_dist": type("d", (), {"mode": lambda _: mixed})()})()


def test_the_fit_shows_the_colours_that_are_in_the_latents():
    import torch

    vae = PlainVae()
    base = type("b", (), {"components": {"vae": vae}, "device": "cpu"})()
    colours = np.array([[[0.9, 0.1, 0.2], [0.1, 0.2, 0.9]]])
    pixels = np.kron(colours, np.ones((8, 8, 1))) * 2 - 1
    encoded = vae.encode(torch.from_numpy(pixels).float().permute(2, 0, 1)[None])
    latents = (encoded.latent_dist.mode() - 0.1) * 0.5
    looks = preview.LatentPreview(base)
    assert looks.look(latents) is None, "nothing was learned yet"
    looks.learn()
    data = looks.look(latents)
    with Image.open(io.BytesIO(data)) as image:
        assert np.abs(np.asarray(image) / 255 - colours).max() < 0.02
