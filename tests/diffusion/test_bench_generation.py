"""The bench of generation runs, names its figures, and its full size is the published one."""

import json
from pathlib import Path

import pytest

from bot.cli import main
from pipeline.domain.errors import InvalidInput

pytest.importorskip("torch", reason="the heavy libraries are not installed")
pytestmark = pytest.mark.filterwarnings(
    "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
)


def test_ours_and_bare_calls_are_measured_side_by_side(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("with a GPU the full size is measured, which takes minutes")
    out = tmp_path / "figures.json"
    words = ["bench", "generation", "--rounds", "1", "--steps", "1", "--json", str(out)]
    assert main(words) == 0
    assert "The full size was not measured (there is no GPU here)" in capsys.readouterr().out
    figures = {figure["name"]: figure for figure in json.loads(out.read_text())["figures"]}
    for case in ("plain", "conditioned", "plain.batch_4", "conditioned.batch_4"):
        for what in ("overhead", "overhead_ms", "images_per_second", "bare_images_per_second"):
            figures.pop(f"generation.tiny.{case}.{what}")
    assert figures.pop("generation.tiny.process_memory")["value"] > 100
    assert not figures


def test_the_full_size_is_the_published_one() -> None:
    import torch

    from bot.bench.random_models import FULL
    from pipeline.torch_mends import mend_torchvision

    mend_torchvision()
    from diffusers.models.autoencoders.autoencoder_kl import AutoencoderKL
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    with torch.device("meta"):
        unet = UNet2DConditionModel(**FULL.unet)
        vae = AutoencoderKL(
            **FULL.vae, latent_channels=4, down_block_types=("DownEncoderBlock2D",) * 4,
            up_block_types=("UpDecoderBlock2D",) * 4,
        )  # fmt: skip
    counts = [sum(part.numel() for part in model.parameters()) for model in (unet, vae)]
    assert counts == [2_567_463_684, 83_653_863]


def test_the_full_size_is_refused_without_a_gpu() -> None:
    import torch

    from bot.bench.generation import GenerationPlan, bench_generation

    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    with pytest.raises(InvalidInput, match="needs a GPU"):
        bench_generation(GenerationPlan("sdxl"))
