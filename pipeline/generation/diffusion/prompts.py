"""Weighted prompts of up to two chunks, as tensors that a pipeline takes."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pipeline.domain.conditioning import ConditioningPlan, PromptPart
from pipeline.generation.diffusion.families import TextEncoding
from pipeline.generation.diffusion.loading import Base
from pipeline.prompting.tokens import CHUNK_TOKENS, MARKS, chunk_count

Piece = tuple[str, float]
"""Words and the attention that they get, 1 is plain."""

_ROOM = CHUNK_TOKENS - MARKS


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A text as the model reads it.

    ``states`` is float ``(1, tokens, width)`` with ``tokens`` a multiple of 77; ``pooled`` is
    ``(1, width)`` for families that read one vector of the whole text, else None.
    """

    states: Any
    pooled: Any = None


def prompt_arguments(base: Base, plan: ConditioningPlan) -> dict[str, Any]:
    """What a pipeline call is told about the words of a plan; one row, which the call repeats.

    Prompt and negative prompt get equally many chunks. Without a negative prompt SDXL reads zeros
    where its configuration says so, like the bare pipeline.
    """
    if base.family.text is TextEncoding.T5:
        return {
            "prompt": plan.prompt,
            "max_sequence_length": base.family.prompt_tokens,
        }
    wanted = pieces(plan.prompt_parts, plan.prompt)
    unwanted = pieces(plan.negative_parts, plan.negative)
    chunks = max(chunks_of(base, wanted), chunks_of(base, unwanted))
    prompt, negative = encode(base, wanted, chunks), encode(base, unwanted, chunks)
    if not unwanted and base.components.get("text_encoder_2") is not None:
        negative = Encoded(negative.states * 0, negative.pooled * 0)
    arguments = {"prompt_embeds": prompt.states, "negative_prompt_embeds": negative.states}
    if prompt.pooled is not None:
        arguments["pooled_prompt_embeds"] = prompt.pooled
        arguments["negative_pooled_prompt_embeds"] = negative.pooled
    return arguments


def pieces(parts: Sequence[PromptPart], text: str) -> list[Piece]:
    """The parts with their weights; the text as it is where a plan has no parts."""
    if parts:
        return [(part.text, part.weight) for part in parts]
    return [(text, 1.0)] if text else []


def chunks_of(base: Base, words: Sequence[Piece]) -> int:
    """How many chunks the longest reading of the words fills, capped at what the family reads."""
    longest = max(len(_tokens(tokenizer, words)) for tokenizer, _ in _encoders(base))
    return min(chunk_count(longest), base.family.prompt_tokens // CHUNK_TOKENS)


def encode(base: Base, words: Sequence[Piece], chunks: int) -> Encoded:
    """Read weighted words; what does not fit into the chunks is left out.

    A weight moves a token's state away from (or towards) the state that the empty text has at its
    place: 1 leaves it, 0 erases it, 2 doubles its difference.

    Args:
        base: the loaded model.
        words: the pieces in order, joined by commas.
        chunks: how many chunks of 77 tokens to fill, the last one with padding.
    """
    import torch

    states, pooled = [], None
    for tokenizer, encoder in _encoders(base):
        tokens = _tokens(tokenizer, words)[: chunks * _ROOM]
        found, pooled = _read(base, encoder, _chunked(tokenizer, tokens, chunks))
        weights = torch.tensor(_weights(tokens, chunks), dtype=found.dtype, device=found.device)
        if bool((weights != 1).any()):
            empty, _ = _read(base, encoder, _chunked(tokenizer, [], 1))
            found = empty + weights[:, :, None] * (found - empty)
        states.append(found.reshape(1, chunks * CHUNK_TOKENS, -1))
    return Encoded(torch.cat(states, dim=-1), pooled)


def _encoders(base: Base) -> list[tuple[Any, Any]]:
    pairs = (("tokenizer", "text_encoder"), ("tokenizer_2", "text_encoder_2"))
    parts = base.components
    return [(parts[t], parts[e]) for t, e in pairs if parts.get(e) is not None]


def _tokens(tokenizer: Any, words: Sequence[Piece]) -> list[tuple[int, float]]:
    """Token ids without marks, each with its weight."""
    out: list[tuple[int, float]] = []
    for n, (text, weight) in enumerate(words):
        if n:
            out += [(token, 1.0) for token in _ids(tokenizer, ",")]
        out += [(token, weight) for token in _ids(tokenizer, text)]
    return out


def _ids(tokenizer: Any, text: str) -> list[int]:
    return tokenizer(_expanded(tokenizer, text), add_special_tokens=False).input_ids


def _expanded(tokenizer: Any, text: str) -> str:
    """A word that stands for several vectors is written out as all of them."""
    known = tokenizer.get_added_vocab()
    for word in [w for w in known if f"{w}_1" in known and w in text]:
        rest = [f"{word}_{n}" for n in range(1, len(known)) if f"{word}_{n}" in known]
        text = text.replace(word, " ".join([word, *rest]))
    return text


def _chunked(tokenizer: Any, tokens: Sequence[tuple[int, float]], chunks: int) -> list[list[int]]:
    rows = []
    for n in range(chunks):
        part = [token for token, _ in tokens[n * _ROOM : (n + 1) * _ROOM]]
        row = [tokenizer.bos_token_id, *part, tokenizer.eos_token_id]
        rows.append(row + [tokenizer.pad_token_id] * (CHUNK_TOKENS - len(row)))
    return rows


def _weights(tokens: Sequence[tuple[int, float]], chunks: int) -> list[list[float]]:
    rows = []
    for n in range(chunks):
        row = [1.0, *(weight for _, weight in tokens[n * _ROOM : (n + 1) * _ROOM])]
        rows.append(row + [1.0] * (CHUNK_TOKENS - len(row)))
    return rows


def _read(base: Base, encoder: Any, rows: list[list[int]]) -> tuple[Any, Any]:
    """States ``(chunks, 77, width)``, and the pooled output of the first chunk if there is one.

    Source: SD 1.5 reads the last layer with its norm, SDXL the last but one of both encoders.
    """
    import torch

    ids = torch.tensor(rows, device=base.device)
    twice = base.family.text is TextEncoding.CLIP_TWICE
    with torch.no_grad():
        out = encoder(ids, output_hidden_states=twice)
    if not twice:
        return out[0], None
    pooled = out[0][:1] if out[0].ndim == 2 else None
    return out.hidden_states[-2], pooled
