"""Finds the weights that are here and says what is missing and how to get it; needs no torch."""

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from pipeline.domain.conditioning import Adapter, ControlKind, ModelFile
from pipeline.domain.errors import GeneratorUnavailable
from pipeline.generation.diffusion.families import FAMILIES, SD15, Family, Hub, family_of
from pipeline.generation.diffusion.options import PREFIX, DiffusersOptions

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_WEIGHTLESS = re.compile(r"Tokenizer|Scheduler|FeatureExtractor|Processor")
_BLOB_NAME = re.compile(r"[0-9a-f]{64}")
_LARGEST_INDEX = 1 << 20
_VAE_LEVELS = 4
"""Resolutions of the published VAEs: eight pixels along a side are one latent."""
_WANTED: tuple[str, ...] = ("*.json", "*.txt", "*.model", "*.safetensors")


@dataclass(frozen=True, slots=True)
class AdapterPath:
    """An IP-Adapter's weights and the folder of its image encoder."""

    weights: Path
    encoder: Path


@dataclass(frozen=True, slots=True)
class Installed:
    """What a host has. ``name`` is what was set, ``channels`` are the denoiser's input channels.

    ``native_side`` (pixels) is the side of the square that the model was trained at;
    ``side_multiple`` what sides must be divisible by so that every level of the denoiser has whole
    cells. ``variant`` is the word in the file names of half-precision weights, None where they
    have none.
    """

    family: Family
    name: str
    model: Path
    channels: int
    native_side: int
    side_multiple: int
    adapters: Mapping[Adapter, AdapterPath]
    controls: Mapping[ControlKind, Path]
    variant: str | None = None

    @property
    def inpaints_natively(self) -> bool:
        """Whether the denoiser reads mask and masked picture beside the latents."""
        return self.channels == 9

    def files(self) -> tuple[ModelFile, ...]:
        """Every file of weights that decides about the pixels, with its sha256, by role."""
        found = [
            (component, path)
            for component, _kind in _components(_index(self.model))
            for path in _weights_in(self.model / component, self.variant)
        ]
        found += [(adapter.value, at.weights) for adapter, at in self.adapters.items()]
        found += [
            (f"control_{kind.value}", path)
            for kind, folder in self.controls.items()
            for path in _weights_in(folder)
        ]
        return tuple(ModelFile(role, path.name, digest(path)) for role, path in found)


def find_installed(options: DiffusersOptions) -> Installed:
    """Look at the folders that the settings name; nothing is loaded.

    Raises:
        GeneratorUnavailable: the model is not set, not here, incomplete, not of a known family or
            not stored as safetensors; the text names what is missing and the command that
            fetches it.
    """
    folder = _model_folder(options)
    index = _index(folder)
    kind = str(index.get("_class_name", ""))
    family = family_of(kind)
    if family is None:
        known = ", ".join(one.name for one in FAMILIES)
        raise GeneratorUnavailable(
            f"The model in {PREFIX}MODEL is a {kind or 'folder of another kind'}; this engine "
            f"knows the families {known}. Name a model of one of them."
        )
    variant = variant_of(folder / family.denoiser)
    _need_components(folder, index, family, variant)
    config = _json(folder / family.denoiser / "config.json")
    side, pixels = config.get("sample_size"), _pixels_of_latent(folder / "vae")
    return Installed(
        family=family,
        name=options.model,
        model=folder,
        channels=int(config.get("in_channels", 4)),
        native_side=pixels * side if isinstance(side, int) else family.native_side,
        side_multiple=family.side_multiple or pixels * 2 ** (_levels(config, 4) - 1),
        adapters=_adapters(options, family),
        controls=_controls(options, family),
        variant=variant,
    )


def missing_lines(installed: Installed, options: DiffusersOptions) -> Iterator[tuple[str, str]]:
    """What else the family could use, each with the command that fetches it; for ``doctor``."""
    family = installed.family
    hub = family.adapters_hub
    for adapter in family.adapters if hub is not None else ():
        if adapter not in installed.adapters and hub is not None:
            yield adapter.value, hub.command("FOLDER") + _then("ADAPTERS", options.adapters)
    for kind, net in family.controls.items():
        if kind not in installed.controls:
            command = net.command(f"FOLDER/{kind.value}")
            yield f"guide {kind.value}", command + _then("CONTROLS", options.controls)


def digest(path: Path) -> str:
    """The sha256 of a file, 64 hex digits. The hub's cache names large files by it already."""
    resolved = path.resolve()
    if resolved.parent.name == "blobs" and _BLOB_NAME.fullmatch(resolved.name):
        return resolved.name
    stat = resolved.stat()
    return _digest(resolved, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=256)
def _digest(path: Path, _size: int, _changed: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _then(setting: str, value: str) -> str:
    return "" if value else f", then set {PREFIX}{setting} to FOLDER"


def _model_folder(options: DiffusersOptions) -> Path:
    if not options.model:
        raise GeneratorUnavailable(
            f"The generator “diffusers” has no model: set {PREFIX}MODEL to a folder or an id of "
            f"the hub. For instance: {SD15.model.command('FOLDER')}"
        )
    hub = Hub(options.model) if _HUB_ID.fullmatch(options.model) else SD15.model
    return _resolve(options.model, "MODEL", hub, options.allow_download)


def _resolve(name: str, setting: str, hub: Hub, allow_download: bool) -> Path:
    folder = Path(name).expanduser()
    if folder.is_dir():
        return folder
    if not _HUB_ID.fullmatch(name):
        raise GeneratorUnavailable(
            f"The folder that {PREFIX}{setting} names is not there. Fetch the weights with: "
            f"{hub.command('FOLDER')}"
        )
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HfHubHTTPError, LocalEntryNotFoundError

    patterns = [hub.pattern] if hub.pattern else list(_WANTED)
    try:
        found = snapshot_download(
            name, local_files_only=not allow_download, allow_patterns=patterns
        )
    except (LocalEntryNotFoundError, HfHubHTTPError, OSError) as error:
        raise GeneratorUnavailable(
            f"The weights of {name} are not here. Fetch them with: hf download {name}, or set "
            f"{PREFIX}ALLOW_DOWNLOAD=true."
        ) from error
    return Path(found)


def _need_components(
    folder: Path, index: Mapping[str, Any], family: Family, variant: str | None
) -> None:
    for component, _kind in _components(index):
        if _weights_in(folder / component, variant):
            continue
        unsafe = any((folder / component).glob("*.bin")) or any((folder / component).glob("*.ckpt"))
        why = (
            "only as pickled weights, which can run code. Use a model with safetensors"
            if unsafe
            else f"not there. Fetch it with: {family.model.command('FOLDER')}"
        )
        raise GeneratorUnavailable(
            f"Of the model in {PREFIX}MODEL, {component}/*.safetensors is {why}."
        )


def _components(index: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Components with weights, and their classes, in the order of the index."""
    for name, value in index.items():
        if not isinstance(value, list) or len(value) != 2 or not value[1]:
            continue
        if re.fullmatch(r"\w+", name) and not _WEIGHTLESS.search(str(value[1])):
            yield name, str(value[1])


def _weights_in(folder: Path, variant: str | None = None) -> list[Path]:
    found = sorted(folder.glob("*.safetensors"))
    of_variant = [path for path in found if variant and f".{variant}." in path.name]
    return of_variant or [path for path in found if path.name.count(".") == 1] or found


def variant_of(folder: Path) -> str | None:
    """The half-precision word, where there are no weights without it."""
    names = [path.name for path in folder.glob("*.safetensors")]
    return "fp16" if names and all(".fp16." in name for name in names) else None


def _adapters(options: DiffusersOptions, family: Family) -> dict[Adapter, AdapterPath]:
    if not options.adapters or family.adapters_hub is None:
        return {}
    hub = Hub(family.adapters_hub.repository, family.adapters_hub.pattern)
    folder = _resolve(options.adapters, "ADAPTERS", hub, options.allow_download)
    out: dict[Adapter, AdapterPath] = {}
    for adapter, files in family.adapters.items():
        encoder = folder / files.image_encoder
        weights = next((p for n in files.names if (p := folder / files.folder / n).is_file()), None)
        if weights is not None and _weights_in(encoder):
            out[adapter] = AdapterPath(weights, encoder)
    return out


def _controls(options: DiffusersOptions, family: Family) -> dict[ControlKind, Path]:
    if not options.controls:
        return {}
    folder = Path(options.controls).expanduser()
    here = {kind: folder / kind.value for kind in ControlKind}
    return {
        kind: path
        for kind, path in here.items()
        if _weights_in(path)
        and _json(path / "config.json").get("_class_name") == family.control_class
    }


def _pixels_of_latent(vae: Path) -> int:
    """Pixels along a side of one latent: eight for published models, fewer for smaller VAEs."""
    return 2 ** (_levels(_json(vae / "config.json"), _VAE_LEVELS) - 1)


def _levels(config: Mapping[str, Any], usual: int) -> int:
    """How many resolutions a network works at; ``usual`` where its configuration does not say."""
    channels = config.get("block_out_channels")
    return len(channels) if isinstance(channels, list) and channels else usual


def _index(folder: Path) -> dict[str, Any]:
    if not (folder / "model_index.json").is_file():
        raise GeneratorUnavailable(
            f"The folder in {PREFIX}MODEL has no model_index.json: it is not a model in the "
            f"layout of diffusers. Fetch one with: {SD15.model.command('FOLDER')}"
        )
    return _json(folder / "model_index.json")


def _json(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > _LARGEST_INDEX:
            raise ValueError("too large")
        data = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise GeneratorUnavailable(
            f"{path.parent.name}/{path.name} of the model cannot be read. Fetch the model again."
        ) from error
    if not isinstance(data, dict):
        raise GeneratorUnavailable(f"{path.parent.name}/{path.name} of the model is not an object.")
    return data
