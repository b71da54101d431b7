"""What a host sets for the ``diffusers`` engine, checked; torch is not needed to read it."""

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from pipeline.domain.errors import GeneratorUnavailable, SettingsError

PREFIX = "ONMODEL_DIFFUSERS_"
_NEEDED = ("torch", "diffusers", "transformers", "accelerate", "safetensors")


@dataclass(frozen=True, slots=True)
class DiffusersOptions:
    """Where the weights are, and how they run.

    ``model`` and ``adapters`` are a folder or an id of the hub; ``controls`` and ``modules`` are
    folders. Nothing is fetched unless ``allow_download``. ``device`` is a word of torch (``cuda``,
    ``cuda:1``, ``mps``, ``cpu``) or ``auto``; ``dtype`` is ``float32``, ``float16``, ``bfloat16``
    or ``auto``. ``memory_mib`` is what the engine may use of the device, None for what is free;
    ``cache_mib`` is what adapters may occupy in main memory between jobs. ``sampler``, ``steps``
    and ``guidance`` replace the family's usual ones.
    """

    model: str = ""
    adapters: str = ""
    controls: str = ""
    modules: str = ""
    allow_download: bool = False
    device: str = "auto"
    dtype: str = "auto"
    memory_mib: int | None = None
    cache_mib: int = 4096
    sampler: str | None = None
    steps: int | None = None
    guidance: float | None = None

    @classmethod
    def of(cls, options: Mapping[str, Any] | None) -> "DiffusersOptions":
        """From the settings of the engine by name.

        Raises:
            SettingsError: a name is not known.
        """
        known = {field.name for field in fields(cls)}
        for name in options or {}:
            if name not in known:
                raise SettingsError(f"{PREFIX}{name.upper()} is not a setting of this engine.")
        return cls(**(options or {}))


def need_libraries() -> None:
    """Check that the heavy libraries are installed, without importing them.

    Raises:
        GeneratorUnavailable: one of them is missing; the text names it and the command.
    """
    for name in _NEEDED:
        if importlib.util.find_spec(name) is None:
            raise GeneratorUnavailable(
                f"The generator “diffusers” needs the package “{name}”, which is not installed. "
                "Install the extra: pip install 'onmodel[gpu]'."
            )
