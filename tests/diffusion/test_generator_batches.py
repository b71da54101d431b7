"""What a step of the house generator's training sees: which references, and what is left out."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

torch: Any = pytest.importorskip("torch", reason="the heavy libraries are not installed")

from pipeline.training.generator.denoising import Batch, Material, draw_batch  # noqa: E402

VARIANTS, DRAWINGS, LOOKS, PLAIN = 3, 18, 1, 2
UNSEEN, NOTHING = -1.0, 0


def material(variants: int = VARIANTS) -> Material:
    """Latents, states and words that say which drawing they are of, and what is told."""
    alone = torch.arange(DRAWINGS)[:, None]
    pairs = torch.stack([torch.arange(DRAWINGS), torch.arange(DRAWINGS).roll(variants)], dim=1)
    drawings: dict[str, Any] = {"square": alone, "pair": pairs}
    words = torch.tensor([LOOKS, PLAIN])[None, :, None].expand(DRAWINGS, 2, 77)
    return Material(
        {
            kind: rows[:, :1, None, None].float().expand(-1, 4, 8, 8)
            for kind, rows in drawings.items()
        },
        {"square": words, "pair": words},
        drawings,
        torch.arange(DRAWINGS).float()[:, None, None].expand(DRAWINGS, 2, 1).contiguous(),
        torch.full((2, 1), UNSEEN),
        torch.full((77,), NOTHING),
        variants,
    )


def batches(given: Material) -> Iterator[Batch]:
    """Four hundred of them, each from a source of chance of its own."""
    for step in range(400):
        yield draw_batch(given, 32, torch.Generator().manual_seed(step), "cpu")


@pytest.mark.parametrize("variants", [2, 3])
def test_references_are_other_drawings_of_the_same_character(variants: int) -> None:
    seen = Counter[str]()
    for batch in batches(material(variants)):
        pair = batch.masks is not None
        for latent, states in zip(batch.latents, batch.states, strict=True):
            shown = [int(one) for one in states[:, 0, 0]]
            if UNSEEN in shown:
                assert set(shown) == {UNSEEN}
                continue
            drawn = int(latent[0, 0, 0])
            own = shown[:1] if pair else shown
            assert all(one // variants == drawn // variants and one != drawn for one in own)
            assert len(set(shown)) == len(shown)
            seen["pair" if pair else f"{len(shown)}"] += 1
    assert set(seen) == ({"pair", "1", "2"} if variants > 2 else {"pair", "1"})
    if variants > 2:
        assert 0.18 < seen["2"] / (seen["1"] + seen["2"]) < 0.32


def test_words_references_and_the_adapter_are_left_out_independently() -> None:
    told = Counter[tuple[int, bool, bool]]()
    for batch in batches(material()):
        for words, states in zip(batch.words, batch.states, strict=True):
            hidden = bool(states[0, 0, 0] == UNSEEN)
            told[int(words[0]), hidden, batch.scale == 0.0] += 1
    whole = sum(told.values())
    for words in (LOOKS, PLAIN, NOTHING):
        for hidden in (True, False):
            for off in (True, False):
                assert told[words, hidden, off], (words, hidden, off)
    # neither words nor picture is what guidance leads away from: it is common enough to learn
    nothing = told[NOTHING, True, True] + told[NOTHING, True, False]
    assert 0.05 < nothing / whole < 0.09
