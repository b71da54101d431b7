"""``onmodel train figures``: the detector that finds figures in opaque panels."""

# pyright: reportMissingImports=false
# torch belongs to training; the light core, where types are checked, goes without it.

import hashlib
import logging
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.errors import InvalidInput
from pipeline.domain.geometry import Size
from pipeline.training.catalog import Drawing, of_splits, open_drawing, read_catalog
from pipeline.training.panels import Panel, Rng, Sprite, compose, sprite_of

if TYPE_CHECKING:
    from pipeline.training.figure_net import FigureNet, Targets

logger = logging.getLogger(__name__)

LEFT_OUT_SOURCES = ("comicgen",)
"""Art that is kept for measuring; the demo's cast is drawn in it."""

_SHAPES = (Size(192, 160), Size(192, 128), Size(160, 192), Size(128, 192), Size(160, 160))
_RATE, _DECAY, _CLIP, _WARM = 2.5e-3, 1e-2, 5.0, 0.05
_AVERAGE = 0.995
"""The shipped weights are a running mean of those along the way."""
_LEAST_SPRITES = 8
_KEEP = 400

Say = Callable[[str], None]


class Plan(NamedTuple):
    """How long and on what: steps of ``batch`` panels, from ``seed``; figures of each source."""

    steps: int = 2200
    batch: int = 12
    seed: int = 7
    per_source: int = 100


class Outcome(NamedTuple):
    """What a training run ended with."""

    file: Path
    sha256: str
    parameters: int
    seconds: float


class _Step(NamedTuple):
    number: int
    loss: float


def train_figures(
    data: Path, out: Path, plan: Plan | None = None, say: Say = logger.info
) -> Outcome:
    """Train on panels composed from a folder's train split and write an ONNX file.

    Args:
        data: drawings with alpha, see :func:`read_catalog`; only the split ``train`` is used.
        out: where the network goes.
        plan: how long, by default as for the shipped network; the same plan, data and library
            versions give the same panels.
        say: takes lines of progress.

    Raises:
        InvalidInput: there are too few cut-outs.
        ModuleNotFoundError: torch is not installed.
    """
    import torch

    from pipeline.training.figure_net import FigureNet

    plan, start = plan or Plan(), time.monotonic()
    torch.manual_seed(plan.seed)
    torch.set_num_threads(1)
    rng = np.random.default_rng(plan.seed)
    sprites = load_sprites(data, ("train",), plan.per_source, rng, without=LEFT_OUT_SOURCES)
    if len(sprites) < _LEAST_SPRITES:
        raise InvalidInput(
            f"Only {len(sprites)} figures could be cut out of {data}; {_LEAST_SPRITES} are needed. "
            "Give drawings on a transparent or plain ground."
        )
    say(f"{len(sprites)} figures of {len({s.source for s in sprites})} sources")
    net = FigureNet()
    averaged = torch.optim.swa_utils.AveragedModel(
        net, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(_AVERAGE), use_buffers=True
    )
    for step in _learn(net, averaged, sprites, rng, plan):
        if step.number % 50 == 0:
            say(f"step {step.number}/{plan.steps} loss {step.loss:.3f} {_since(start)}")
        if step.number % _KEEP == 0:  # a run that is stopped leaves something
            export(averaged.module, out)  # pyright: ignore[reportArgumentType] - a copy of net
    best: FigureNet = averaged.module  # pyright: ignore[reportAssignmentType] - a copy of net
    export(best, out)
    return Outcome(
        out,
        hashlib.sha256(out.read_bytes()).hexdigest(),
        sum(weight.numel() for weight in net.parameters()),
        time.monotonic() - start,
    )


def load_sprites(
    data: Path,
    splits: Sequence[str],
    per_source: int,
    rng: Rng,
    *,
    without: Sequence[str] = (),
    only: Sequence[str] = (),
) -> list[Sprite]:
    """Cut-outs of a folder's splits, at most ``per_source`` of a source, spread over its people.

    Sources ``without`` are left out; ``only`` some are taken if any are named.
    """
    drawings = [
        d
        for d in of_splits(read_catalog(data), splits)
        if d.source not in without and (not only or d.source in only)
    ]
    sprites: list[Sprite] = []
    for source in sorted({d.source for d in drawings}):
        for drawing in _spread([d for d in drawings if d.source == source], per_source, rng):
            sprite = sprite_of(open_drawing(drawing), source, drawing.identity)
            if sprite is not None:
                sprites.append(sprite)
    return sprites


def _spread(drawings: Sequence[Drawing], most: int, rng: Rng) -> list[Drawing]:
    """Up to ``most`` drawings, as evenly over identities as they allow."""
    rounds: dict[str, int] = {}
    ranked: list[tuple[int, int, Drawing]] = []
    for number, k in enumerate(rng.permutation(len(drawings))):
        drawing = drawings[int(k)]
        turn = rounds[drawing.identity] = rounds.get(drawing.identity, -1) + 1
        ranked.append((turn, number, drawing))
    return [drawing for _, _, drawing in sorted(ranked, key=lambda item: item[:2])[:most]]


def _learn(
    net: "FigureNet", averaged: Any, sprites: Sequence[Sprite], rng: Rng, plan: Plan
) -> Iterator["_Step"]:
    import torch

    from pipeline.training.figure_net import loss_of

    optimizer = torch.optim.AdamW(net.parameters(), lr=_RATE, weight_decay=_DECAY)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimizer, _RATE, total_steps=plan.steps, pct_start=_WARM, final_div_factor=50
    )
    shelf = _by_source(sprites)
    mean = 0.0
    for step in range(plan.steps):
        shape = _SHAPES[int(rng.integers(len(_SHAPES)))]
        panels = [compose(rng, _handful(shelf, rng), shape) for _ in range(plan.batch)]
        pictures, truth = _batch(panels)
        loss = loss_of(net(pictures), truth)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(net.parameters(), _CLIP)
        optimizer.step()
        schedule.step()
        averaged.update_parameters(net)
        mean = 0.98 * mean + 0.02 * float(loss.detach())
        yield _Step(step + 1, mean / (1 - 0.98 ** (step + 1)))


def _since(start: float) -> str:
    return f"{time.monotonic() - start:.0f} s"


def _by_source(sprites: Sequence[Sprite]) -> list[list[Sprite]]:
    sources = sorted({s.source for s in sprites})
    return [[s for s in sprites if s.source == source] for source in sources]


def _handful(shelf: Sequence[Sequence[Sprite]], rng: Rng) -> list[Sprite]:
    """Some sprites to compose with: every source as likely as another, often one per panel."""
    one = shelf[int(rng.integers(len(shelf)))] if rng.random() < 0.5 else None
    hand: list[Sprite] = []
    for _ in range(6):
        pile = one if one is not None else shelf[int(rng.integers(len(shelf)))]
        hand.append(pile[int(rng.integers(len(pile)))])
    return hand


def _batch(panels: Sequence[Panel]) -> tuple[Any, "Targets"]:
    import torch

    from pipeline.training.figure_net import Targets

    pixels = np.stack([panel.pixels for panel in panels]).transpose(0, 3, 1, 2)
    maps = [target_maps(panel) for panel in panels]
    stacked = [torch.from_numpy(np.stack(part)) for part in zip(*maps, strict=True)]
    return torch.from_numpy(pixels.astype(np.float32) / 255), Targets(*stacked)


def target_maps(panel: Panel) -> tuple[NDArray[np.float32], ...]:
    """The fields of :class:`Targets` for one panel, each (channels, h, w)."""
    from pipeline.training.figure_net import BOX_STRIDE, BOX_UNIT

    height, width = panel.pixels.shape[:2]
    rows, columns = height // BOX_STRIDE, width // BOX_STRIDE
    y, x = (np.mgrid[:rows, :columns] + 0.5).astype(np.float32) * BOX_STRIDE
    centres, near = np.zeros((2, 2, rows, columns), np.float32)
    boxes = np.zeros((8, rows, columns), np.float32)
    votes, inside = np.zeros((2, rows, columns), np.float32), np.zeros((1, rows, columns))
    mask = np.zeros((1, height // 2, width // 2), np.float32)
    for figure in panel.figures:
        for kind, box in enumerate((figure.box, figure.head)):
            if box is None:
                continue
            middle = box.center
            spread = np.maximum(0.09 * np.array([box.width, box.height]), 0.45 * BOX_STRIDE)
            peak = np.exp(
                -(((x - middle[0]) / spread[0]) ** 2 + ((y - middle[1]) / spread[1]) ** 2) / 2
            )
            row = min(rows - 1, int(middle[1] / BOX_STRIDE))
            column = min(columns - 1, int(middle[0] / BOX_STRIDE))
            peak[row, column] = 1.0
            here = (peak > near[kind]) & (peak > 0.3)
            centres[kind] = np.maximum(centres[kind], peak)
            near[kind][here] = peak[here]
            sides = np.stack([x - box.x0, y - box.y0, box.x1 - x, box.y1 - y]) / BOX_UNIT
            boxes[4 * kind : 4 * kind + 4, here] = np.maximum(sides[:, here], 0.02)
        seen = figure.mask.reshape(rows, BOX_STRIDE, columns, BOX_STRIDE).mean(axis=(1, 3)) > 0.5
        middle = figure.box.center
        votes[0][seen] = (middle[0] - x[seen]) / BOX_UNIT
        votes[1][seen] = (middle[1] - y[seen]) / BOX_UNIT
        inside[0][seen] = 1.0
        mask[0] += figure.mask.reshape(height // 2, 2, width // 2, 2).mean(axis=(1, 3))
    return centres, boxes, near, votes, inside.astype(np.float32), mask.clip(0, 1)


def export(net: "FigureNet", out: Path) -> None:
    """Write the network as ONNX: ``picture`` (1, 3, h, w) in, four maps out, sides free."""
    import torch

    net.eval()
    sides = {2: "height", 3: "width"}
    names = ["centres", "boxes", "votes", "mask"]
    with torch.no_grad(), warnings.catch_warnings():
        # the newer exporter needs a further package and makes no smaller file
        warnings.simplefilter("ignore", DeprecationWarning)
        torch.onnx.export(
            net,
            (torch.zeros(1, 3, 160, 192),),
            out,
            input_names=["picture"],
            output_names=names,
            dynamic_axes=dict.fromkeys(["picture", *names], sides),
            opset_version=17,
            dynamo=False,
        )
