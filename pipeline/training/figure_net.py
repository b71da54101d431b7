"""The figure detector's network and its loss: centres, boxes, heads, votes and a mask."""

# pyright: reportMissingImports=false
# torch belongs to training; the light core, where types are checked, goes without it.

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

BOX_STRIDE, MASK_STRIDE = 4, 2
BOX_UNIT = 32.0
"""Pixels that the distances to a box's sides, and the votes, are given in."""


def _conv(inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1) -> nn.Module:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU(inplace=True),
    )


class _Separable(nn.Module):
    """A depthwise convolution, then a pointwise one; added to its input where shapes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int = 3, stride: int = 1) -> None:
        super().__init__()
        self.depth = _conv(inputs, inputs, kernel, stride, groups=inputs)
        self.point = _conv(inputs, outputs, 1)
        self.residual = inputs == outputs and stride == 1

    def forward(self, x: Tensor) -> Tensor:
        out = self.point(self.depth(x))
        return x + out if self.residual else out


class Prediction(NamedTuple):
    """What the network says about pictures; maps are (n, channels, h / stride, w / stride).

    ``centres``: logits of a figure's and of a head's middle. ``boxes``: from each cell to the
    left, top, right, bottom side of its figure, then of its head, in BOX_UNIT. ``votes``: from
    each cell to the middle of its figure's box (x, y). ``mask``: logit of figure or ground.
    """

    centres: Tensor
    boxes: Tensor
    votes: Tensor
    mask: Tensor


class FigureNet(nn.Module):
    """An encoder of separable convolutions with a feature pyramid; RGB in 0–1 comes in."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Sequential(_conv(3, 16, 3, 2), _Separable(16, 16))
        self.at4 = nn.Sequential(_Separable(16, 40, 3, 2), _Separable(40, 40))
        self.at8 = nn.Sequential(_Separable(40, 80, 5, 2), *(_Separable(80, 80) for _ in range(2)))
        self.at16 = nn.Sequential(
            _Separable(80, 144, 5, 2), *(_Separable(144, 144, 5) for _ in range(3))
        )
        self.at32 = nn.Sequential(
            _Separable(144, 224, 5, 2), *(_Separable(224, 224, 5) for _ in range(3))
        )
        self.side32, self.side16 = _conv(224, 72, 1), _conv(144, 72, 1)
        self.side8, self.side4 = _conv(80, 72, 1), _conv(40, 56, 1)
        self.down16, self.down8 = _Separable(72, 72, 5), _Separable(72, 72, 5)
        self.narrow = _conv(72, 56, 1)
        self.down4 = nn.Sequential(_Separable(56, 56, 5), _Separable(56, 56))
        self.centres, self.boxes = nn.Conv2d(56, 2, 1), nn.Conv2d(56, 8, 1)
        self.votes = nn.Conv2d(56, 2, 1)
        self.fine = _conv(56, 16, 1)
        self.edge = nn.Sequential(_Separable(32, 24), nn.Conv2d(24, 1, 3, padding=1))
        assert self.centres.bias is not None
        nn.init.constant_(self.centres.bias, -4.0)

    def forward(self, x: Tensor) -> Prediction:
        """Maps of pictures (n, 3, h, w), sides divisible by 32."""
        s2 = self.stem((x - 0.5) * 4.0)
        s4 = self.at4(s2)
        s8 = self.at8(s4)
        s16 = self.at16(s8)
        top = self.side32(self.at32(s16))
        top = self.down16(self.side16(s16) + _doubled(top))
        top = self.down8(self.side8(s8) + _doubled(top))
        top = self.down4(self.side4(s4) + _doubled(self.narrow(top)))
        mask = self.edge(torch.cat([_doubled(self.fine(top)), s2], dim=1))
        boxes = functional.softplus(self.boxes(top))
        return Prediction(self.centres(top), boxes, self.votes(top), mask)


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="nearest")


class Targets(NamedTuple):
    """The truth on the network's grids; ``near`` weighs cells by their nearness to a middle.

    centres (n, 2, h, w) in 0–1; boxes (n, 8, h, w); near (n, 2, h, w); votes (n, 2, h, w);
    inside (n, 1, h, w): whether a cell votes; mask (n, 1, H, W) in 0–1.
    """

    centres: Tensor
    boxes: Tensor
    near: Tensor
    votes: Tensor
    inside: Tensor
    mask: Tensor


def loss_of(said: Prediction, truth: Targets) -> Tensor:
    """The sum of the losses: focal for centres, GIoU for boxes, L1 for votes, BCE + Dice."""
    figures = _giou_loss(said.boxes[:, :4], truth.boxes[:, :4], truth.near[:, :1])
    heads = _giou_loss(said.boxes[:, 4:], truth.boxes[:, 4:], truth.near[:, 1:])
    votes = ((said.votes - truth.votes).abs() * truth.inside).sum()
    votes = votes / (2 * truth.inside.sum() + 1)
    share = said.mask.sigmoid()
    overlap = 2 * (share * truth.mask).sum() + 1
    dice = 1 - overlap / (share.sum() + truth.mask.sum() + 1)
    pixels = functional.binary_cross_entropy_with_logits(said.mask, truth.mask)
    return _focal(said.centres, truth.centres) + 2 * (figures + heads) + votes + 2 * pixels + dice


def _focal(logits: Tensor, truth: Tensor) -> Tensor:
    """Penalty-reduced focal loss. Source: Law and Deng, CornerNet, 2018, eq. 1."""
    share = logits.sigmoid().clamp(1e-4, 1 - 1e-4)
    peaks = truth >= 0.999
    hit = -((1 - share) ** 2) * share.log() * peaks
    miss = -((1 - truth) ** 4) * share**2 * (1 - share).log() * ~peaks
    return (hit.sum() + miss.sum()) / (peaks.sum() + 1)


def _giou_loss(said: Tensor, truth: Tensor, weight: Tensor) -> Tensor:
    """1 − generalised IoU of boxes that share a point. Source: Rezatofighi et al., 2019."""
    low, high = torch.minimum(said, truth), torch.maximum(said, truth)

    def area(sides: Tensor) -> Tensor:
        return (sides[:, 0] + sides[:, 2]) * (sides[:, 1] + sides[:, 3])

    common = area(low)
    union = area(said) + area(truth) - common + 1e-6
    hull = area(high) + 1e-6
    giou = common / union - (hull - union) / hull
    return ((1 - giou) * weight[:, 0]).sum() / (weight.sum() + 1e-3)
