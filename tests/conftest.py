"""Small diffusion models for whoever asks for them; made once a session, in about a second."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tiny_diffusion import TinyModels

sys.path[:0] = [str(Path(__file__).parent / "diffusion")]


def _tiny(make: "Callable[[], TinyModels]") -> "TinyModels":
    torch = pytest.importorskip("torch", reason="the heavy libraries are not installed")
    torch.set_num_threads(1)  # the models are too small to be shared out
    return make()


@pytest.fixture(scope="session")
def tiny_sd(tmp_path_factory: pytest.TempPathFactory) -> "TinyModels":
    """Stable Diffusion 1.5 in small: pipeline, nine-channel twin, adapters, ControlNets."""
    from tiny_diffusion import write_sd

    return _tiny(lambda: write_sd(tmp_path_factory.mktemp("tiny_sd"), inpaint=True))


@pytest.fixture(scope="session")
def tiny_sdxl(tmp_path_factory: pytest.TempPathFactory) -> "TinyModels":
    """Stable Diffusion XL in small: pipeline, adapters, ControlNets."""
    from tiny_diffusion import write_sdxl

    return _tiny(lambda: write_sdxl(tmp_path_factory.mktemp("tiny_sdxl")))


@pytest.fixture(scope="session")
def tiny_flux(tmp_path_factory: pytest.TempPathFactory) -> "TinyModels":
    """Flux in small."""
    from tiny_diffusion import write_flux

    return _tiny(lambda: write_flux(tmp_path_factory.mktemp("tiny_flux")))
