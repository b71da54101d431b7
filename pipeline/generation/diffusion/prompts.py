"""Weighted prompts of up to two chunks, as tensors that a pipeline takes."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pipeline.domain.conditioning import ConditioningPlan, PartKind, PromptPart
from pipeline.generation.diffusion.call import Call, Span
from pipeline.generation.diffusion.families import TextEncoding
from pipeline.generation.diffusion.regional import words_by_region
from pipeline.prompting.tokens import CHUNK_TOKENS, MARKS, chunk_count

Piece = tuple[str, float]
"""Words and the attention that they get, 1 is plain."""

Token = tuple[int, float]
"""An id and its weight."""

_ROOM = CHUNK_TOKENS - MARKS


@dataclass(frozen=True, slots=True, eq=False)
class Encoded:
    """A text as the model reads it.

    ``states`` is float ``(1, tokens, width)`` with ``tokens`` a multiple of 77; ``pooled`` is
    ``(1, width)`` for families that read one vector of the whole text, else None.
    """

    states: Any
    pooled: Any = None


@contextmanager
def hold_prompt(call: Call) -> Iterator[None]:
    """Tell the call the words of the plan; one row, which the pipeline repeats.

    Where characters have regions, their words follow the shared ones, and ``call.spans`` says
    whose are where.
    """
    base, plan = call.base, call.plan
    if base.family.text is TextEncoding.T5:
        words = ", ".join(text for text, _ in pieces(wanted_parts(plan), plan.prompt))
        call.arguments |= {"prompt": words, "max_sequence_length": base.family.prompt_tokens}
    else:
        call.arguments |= _encoded(call)
    yield


def _encoded(call: Call) -> dict[str, Any]:
    """Prompt and negative prompt as states of the same length, and pooled where a model has it.

    Without a negative prompt SDXL reads zeros, like the bare pipeline.
    """
    import torch

    plan = call.plan
    parts = words_by_region(wanted_parts(plan), plan.negative_parts, plan.cast)
    seen, unseen, spans = [], [], []
    for words in parts:
        shared = words.member is None
        wanted = pieces(words.wanted, plan.prompt if shared and len(parts) == 1 else "")
        unwanted = pieces(words.unwanted, plan.negative if shared else "")
        chunks = max(chunks_of(call, wanted), chunks_of(call, unwanted))
        seen.append(encode(call, wanted, chunks))
        unseen.append(encode(call, unwanted, chunks))
        region = None if words.member is None else words.member.region
        spans.append(Span(chunks * CHUNK_TOKENS, region))
    call.spans = tuple(spans)
    prompt = torch.cat([one.states for one in seen], dim=1)
    negative = torch.cat([one.states for one in unseen], dim=1)
    if seen[0].pooled is None:
        return {"prompt_embeds": prompt, "negative_prompt_embeds": negative}
    everything = pieces(wanted_parts(plan), plan.prompt)
    pooled = seen[0].pooled if len(parts) == 1 else encode(call, everything, 1).pooled
    denied = 1 if plan.negative or any(words.unwanted for words in parts) else 0
    return {
        "prompt_embeds": prompt,
        "negative_prompt_embeds": negative * denied,
        "pooled_prompt_embeds": pooled,
        "negative_pooled_prompt_embeds": unseen[0].pooled * denied,
    }


def wanted_parts(plan: ConditioningPlan) -> tuple[PromptPart, ...]:
    """The parts of the prompt, with the words that trained modules answer to where they lack."""
    parts = plan.prompt_parts
    text = " ".join(part.text for part in parts) or plan.prompt
    missing = [m for m in plan.modules if m.trigger and m.trigger not in text]
    if not missing:
        return parts
    owners = {m.appearance_id: m.character_id for m in plan.cast}
    plain = parts or (PromptPart(plan.prompt, "the whole prompt", PartKind.REQUEST),)
    words = [
        PromptPart(m.trigger, m.why, PartKind.IDENTITY, owners.get(m.appearance_id))
        for m in missing
    ]
    return (*plain, *words)


def pieces(parts: Sequence[PromptPart], text: str) -> list[Piece]:
    """The parts with their weights; the text as it is where a plan has no parts."""
    if parts:
        return [(part.text, part.weight) for part in parts]
    return [(text, 1.0)] if text else []


def chunks_of(call: Call, words: Sequence[Piece]) -> int:
    """How many chunks the longest reading of the words fills, capped at what the family reads."""
    readers = _readers(call)
    longest = max(len(reader.tokens(words)) for reader in readers)
    return min(chunk_count(longest), call.base.family.prompt_tokens // CHUNK_TOKENS)


def encode(call: Call, words: Sequence[Piece], chunks: int) -> Encoded:
    """Read weighted words; what does not fit into the chunks is left out.

    A weight moves a token's state away from (or towards) the state that the empty text has at its
    place: 1 leaves it, 0 erases it, 2 doubles its difference.

    Args:
        call: the job; its text encoders know the words that were learned for it.
        words: the pieces in order, joined by commas.
        chunks: how many chunks of 77 tokens to fill, the last one with padding.
    """
    import torch

    states, pooled = [], None
    for reader in _readers(call):
        tokens = reader.tokens(words)[: chunks * _ROOM]
        found, pooled = reader.read(reader.chunked(tokens, chunks))
        weights = torch.tensor(_weights(tokens, chunks), dtype=found.dtype, device=found.device)
        if bool((weights != 1).any()):
            empty, _ = reader.read(reader.chunked([], 1))
            found = empty + weights[:, :, None] * (found - empty)
        states.append(found.reshape(1, chunks * CHUNK_TOKENS, -1))
    return Encoded(torch.cat(states, dim=-1), pooled)


def _readers(call: Call) -> list["_Reader"]:
    pairs = (("tokenizer", "text_encoder"), ("tokenizer_2", "text_encoder_2"))
    parts = call.base.components
    return [_Reader(call, parts[t], parts[e]) for t, e in pairs if parts.get(e) is not None]


def _weights(tokens: Sequence[Token], chunks: int) -> list[list[float]]:
    rows = []
    for n in range(chunks):
        row = [1.0, *(weight for _, weight in tokens[n * _ROOM : (n + 1) * _ROOM])]
        rows.append(row + [1.0] * (CHUNK_TOKENS - len(row)))
    return rows


class _Reader:
    """A tokenizer and its text encoder.

    A learned word stands for rows behind the encoder's own table of embeddings, in the order of
    the job's ``vectors``; the tokenizer never hears of it.
    """

    def __init__(self, call: Call, tokenizer: Any, encoder: Any) -> None:
        self._tokenizer = tokenizer
        self._encoder = encoder
        self._device = call.base.device
        self._twice = call.base.family.text is TextEncoding.CLIP_TWICE
        next_row = encoder.get_input_embeddings().num_embeddings - sum(call.vectors.values())
        self._learned: dict[str, list[int]] = {}
        for word, count in call.vectors.items():
            self._learned[word] = list(range(next_row, next_row + count))
            next_row += count

    def tokens(self, words: Sequence[Piece]) -> list[Token]:
        """Token ids without marks, each with its weight."""
        out: list[Token] = []
        for n, (text, weight) in enumerate(words):
            if n:
                out += [(token, 1.0) for token in self._ids(",")]
            out += [(token, weight) for token in self._ids(text)]
        return out

    def _ids(self, text: str) -> list[int]:
        if not self._learned:
            return self._plain(text)
        split = "|".join(re.escape(word) for word in sorted(self._learned, key=len, reverse=True))
        out: list[int] = []
        for part in re.split(f"({split})", text):
            out += self._learned[part] if part in self._learned else self._plain(part)
        return out

    def _plain(self, text: str) -> list[int]:
        # the whole text at once, however long: it is cut into chunks here
        return self._tokenizer(text, add_special_tokens=False, verbose=False).input_ids

    def chunked(self, tokens: Sequence[Token], chunks: int) -> list[list[int]]:
        """Rows of 77 ids with marks and padding."""
        marks = self._tokenizer
        rows = []
        for n in range(chunks):
            part = [token for token, _ in tokens[n * _ROOM : (n + 1) * _ROOM]]
            row = [marks.bos_token_id, *part, marks.eos_token_id]
            rows.append(row + [marks.pad_token_id] * (CHUNK_TOKENS - len(row)))
        return rows

    def read(self, rows: list[list[int]]) -> tuple[Any, Any]:
        """States ``(chunks, 77, width)``, and the first chunk as one vector where a model has it.

        The vector is taken at the end mark, found here: encoders of older configurations look
        for the highest id instead, which a learned word would be.

        Source: SD 1.5 reads the last layer with its norm, SDXL the last but one of both encoders.
        """
        import torch

        ids = torch.tensor(rows, device=self._device)
        with torch.no_grad():
            out = self._encoder(ids, output_hidden_states=self._twice)
            if not self._twice:
                return out[0], None
            project = getattr(self._encoder, "text_projection", None)
            end = rows[0].index(self._tokenizer.eos_token_id, 1)
            pooled = project(out.last_hidden_state[:1, end]) if project is not None else None
        return out.hidden_states[-2], pooled
