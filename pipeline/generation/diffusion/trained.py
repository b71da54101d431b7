"""LoRAs and textual inversions: on the model for one job, then the model is as it was."""

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from pipeline.domain.conditioning import ModuleKind, ModuleUse
from pipeline.domain.errors import GenerationFailed
from pipeline.generation.diffusion.call import Call

MOST_VECTORS = 32
"""Vectors of one textual inversion; with more there is no room for other words."""


@contextmanager
def hold_loras(call: Call) -> Iterator[None]:
    """Load the LoRAs that the plan names, each with its own scale.

    Raises:
        GenerationFailed: a file is gone, damaged, or made for another family.
    """
    uses = [m for m in call.plan.modules if m.kind is ModuleKind.LORA and m.scale != 0]
    if not uses:
        yield
        return
    try:
        names = [f"identity_{n}" for n in range(len(uses))]
        for name, use in zip(names, uses, strict=True):
            _load_lora(call, use, name)
        call.pipe.set_adapters(names, adapter_weights=[use.scale for use in uses])
        yield
    finally:
        call.pipe.unload_lora_weights()


def _load_lora(call: Call, use: ModuleUse, name: str) -> None:
    weights = dict(_weights(call, use))
    try:
        with warnings.catch_warnings():
            # several at once are meant
            warnings.filterwarnings("ignore", "Already found a `peft_config`", UserWarning)
            call.pipe.load_lora_weights(weights, adapter_name=name)
    except (KeyError, RuntimeError, ValueError) as error:
        raise _misfit(call, use) from error


@contextmanager
def hold_words(call: Call) -> Iterator[None]:
    """Teach the text encoders the words of the plan's textual inversions.

    The encoders get a longer table of embeddings for the job and their own one back afterwards;
    the tokenizers are never touched, see ``prompts``.

    Raises:
        GenerationFailed: a file is gone, damaged, or made for another family.
    """
    uses = [m for m in call.plan.modules if m.kind is ModuleKind.TEXTUAL_INVERSION]
    encoders = [
        part
        for name in ("text_encoder", "text_encoder_2")
        if (part := call.base.components.get(name)) is not None
    ]
    if not uses:
        yield
        return
    before = [encoder.get_input_embeddings() for encoder in encoders]
    try:
        learned = {use.trigger or use.appearance_id: _vectors(call, use, before) for use in uses}
        for n, encoder in enumerate(encoders):
            encoder.set_input_embeddings(_longer(before[n], [v[n] for v in learned.values()]))
        call.vectors = {word: len(found[0]) for word, found in learned.items()}
        yield
    finally:
        for encoder, table in zip(encoders, before, strict=True):
            encoder.set_input_embeddings(table)


def _weights(call: Call, use: ModuleUse) -> dict[str, Any]:
    path = call.shelf.find(use.sha256)
    if path is None:
        raise GenerationFailed(
            f"What was trained for {use.appearance_id} is gone from the folder of modules. "
            "Lay the file in again, or ask for the panel anew."
        )

    def load() -> dict[str, Any]:
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        try:
            return load_file(path)
        except (OSError, SafetensorError) as error:
            raise _misfit(call, use) from error

    return call.cache.get(("module", use.sha256), load)


def _vectors(call: Call, use: ModuleUse, tables: Sequence[Any]) -> list[Any]:
    """``(n, width)`` for each text encoder; a file may name its tensors as trainers do."""
    weights = _weights(call, use)
    names = ("clip_l", "clip_g") if len(tables) == 2 else tuple(weights)
    if len(weights) != len(tables) or not set(names) <= set(weights):
        raise _misfit(call, use)
    out = []
    for name, table in zip(names, tables, strict=True):
        found = weights[name]
        rows = found.reshape(-1, found.shape[-1])
        if rows.shape[-1] != table.embedding_dim or len(rows) > MOST_VECTORS:
            raise _misfit(call, use)
        out.append(rows)
    if len({len(rows) for rows in out}) != 1:
        raise _misfit(call, use)
    return out


def _longer(table: Any, rows: Sequence[Any]) -> Any:
    import torch

    more = [part.to(device=table.weight.device, dtype=table.weight.dtype) for part in rows]
    weight = torch.cat([table.weight.data, *more])
    return torch.nn.Embedding.from_pretrained(weight, freeze=True)


def _misfit(call: Call, use: ModuleUse) -> GenerationFailed:
    return GenerationFailed(
        f"What was trained for {use.appearance_id} does not fit a model of the family "
        f"{call.base.family.name}, or its file is damaged. Take it out of the folder of modules, "
        "or put the right one there."
    )
