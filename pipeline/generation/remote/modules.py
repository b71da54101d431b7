"""Which file of a server is the LoRA or the textual inversion of a plan."""

from collections.abc import Sequence
from pathlib import PurePosixPath

from pipeline.domain.conditioning import ModuleKind, ModuleUse
from pipeline.generation.remote.errors import EngineLacks

_FOLDERS = {ModuleKind.LORA: "LoRA", ModuleKind.TEXTUAL_INVERSION: "embedding"}


def module_name(module: ModuleUse, names: Sequence[str], engine: str) -> str:
    """The server's name for a module: its file is called by the appearance or by its sha256.

    Args:
        module: what the plan asks for.
        names: what the server has, with folders and endings or without.
        engine: its name for people.

    Raises:
        EngineLacks: there is no such file; the text says under which name to put it there.
    """
    wanted = {module.appearance_id, module.sha256, module.sha256[:12]}
    for name in sorted(names):
        if PurePosixPath(name.replace("\\", "/")).name.removesuffix(".safetensors") in wanted:
            return name
    raise EngineLacks(
        f"{engine} has no {_FOLDERS[module.kind]} for {module.appearance_id}. Ask whoever runs "
        f"the bot to put it there as {module.appearance_id}.safetensors."
    )
