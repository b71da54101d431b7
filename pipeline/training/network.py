"""The network: EfficientNet-Lite0 with two levels of pooling and one projection.

The trunk follows the published Lite0 table (Source: Tan and Le, 2019, and the Lite variants of
TensorFlow's TPU models): inverted bottlenecks without squeeze-and-excitation, ReLU6, padding as
TensorFlow does it. Batch norms are folded into the convolutions when weights are read: their
statistics stay those of the first training, since batches of one drawing style have odd ones.
"""
# pyright: reportMissingImports=false

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

_STEM, _HEAD = 32, 1280
_TABLE = (
    # expansion, channels, repeats, stride, kernel
    (1, 16, 1, 1, 3),
    (6, 24, 2, 2, 3),
    (6, 40, 2, 2, 5),
    (6, 80, 3, 2, 3),
    (6, 112, 3, 1, 5),
    (6, 192, 4, 2, 5),
    (6, 320, 1, 1, 3),
)
_EPSILON = 1e-3
_MIDDLE_BLOCK, _MIDDLE = 10, 112
_BANDS = 3
DIMENSIONS = 256
FEATURES = _HEAD + 2 * _MIDDLE + _BANDS * 320
"""Length of what is pooled: the last level whole, its bands, a middle level's mean and spread."""

State = Mapping[str, Tensor]


class _Conv(nn.Conv2d):
    """A convolution with bias that pads like TensorFlow: the odd pixel goes right and below."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, groups: int) -> None:
        total = kernel - stride if kernel > stride else 0
        super().__init__(inputs, outputs, kernel, stride, padding=total // 2, groups=groups)
        self._odd = total % 2

    def forward(self, input: Tensor) -> Tensor:  # noqa: A002 - torch's own name
        """Pad and convolve."""
        if self._odd:
            input = functional.pad(input, (0, 1, 0, 1))  # noqa: A001
        return super().forward(input)


class _Block(nn.Module):
    """An inverted bottleneck."""

    def __init__(self, inputs: int, outputs: int, expansion: int, stride: int, kernel: int) -> None:
        super().__init__()
        wide = inputs * expansion
        self.expand = _Conv(inputs, wide, 1, 1, 1) if expansion > 1 else None
        self.depthwise = _Conv(wide, wide, kernel, stride, wide)
        self.project = _Conv(wide, outputs, 1, 1, 1)
        self._skips = stride == 1 and inputs == outputs

    def forward(self, pixels: Tensor) -> Tensor:
        x = pixels
        if self.expand is not None:
            x = functional.relu6(self.expand(x))
        x = self.project(functional.relu6(self.depthwise(x)))
        return x + pixels if self._skips else x


class IdentityNet(nn.Module):
    """RGB pixels of 0–255, (n, 3, side, side), to unit vectors (n, DIMENSIONS)."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = _Conv(3, _STEM, 3, 2, 1)
        blocks, inputs = [], _STEM
        for expansion, outputs, repeats, stride, kernel in _TABLE:
            for step in range(repeats):
                blocks.append(
                    _Block(inputs, outputs, expansion, stride if step == 0 else 1, kernel)
                )
                inputs = outputs
        self.blocks = nn.ModuleList(blocks)
        self.head = _Conv(inputs, _HEAD, 1, 1, 1)
        self.projection = nn.Linear(FEATURES, DIMENSIONS)
        self._calm()

    def features(self, pixels: Tensor) -> Tensor:
        """Pooled features (n, FEATURES)."""
        x = functional.relu6(self.stem((pixels - 127.0) / 128.0))
        middle = x
        for index, block in enumerate(self.blocks):
            x = block(x)
            if index == _MIDDLE_BLOCK:
                middle = x
        last = functional.relu6(self.head(x))
        return torch.cat([last.mean((2, 3)), *_levels(middle), _bands(x)], dim=1)

    def forward(self, pixels: Tensor) -> Tensor:
        """Unit vectors (n, DIMENSIONS)."""
        return functional.normalize(self.projection(self.features(pixels)), dim=1)

    def freeze(self, blocks: int) -> None:
        """Keep the weights of the first blocks, and of the stem before them, as they are."""
        for module in [self.stem, *self.blocks[:blocks]] if blocks else []:
            module.requires_grad_(False)

    def _calm(self) -> None:
        """Start skipping blocks near zero, so that depth without batch norm does not explode."""
        for module in self.modules():
            if isinstance(module, nn.Conv2d):
                nn.init.kaiming_normal_(module.weight)
                if module.bias is not None:
                    nn.init.zeros_(module.bias)
        for block in self.blocks:
            if isinstance(block, _Block) and block._skips:
                nn.init.zeros_(block.project.weight)


def _levels(x: Tensor) -> tuple[Tensor, Tensor]:
    mean = x.mean((2, 3), keepdim=True)
    spread = ((x - mean).square().mean((2, 3)) + 1e-4).sqrt()
    return mean.flatten(1), spread


def _bands(x: Tensor) -> Tensor:
    """Means over the upper, middle and lower third of (n, c, h, w), with h divisible by 3 or not.

    Thirds are soft (rows share by overlap), so that any side can be trained on.
    """
    rows = x.mean(3)
    height = rows.shape[2]
    weights = torch.zeros(_BANDS, height, dtype=x.dtype)
    for band in range(_BANDS):
        low, high = band * height / _BANDS, (band + 1) * height / _BANDS
        for row in range(height):
            weights[band, row] = max(0.0, min(high, row + 1) - max(low, row)) * _BANDS / height
    return torch.einsum("nch,bh->nbc", rows, weights.to(x.device)).flatten(1)


def load_lite0(network: IdentityNet, state: State) -> None:
    """Fill the trunk from the weights of the published Lite0 conversion, norms folded in."""
    _fold(network.stem, state, "_conv_stem", "_bn0")
    for index, block in enumerate(network.blocks):
        assert isinstance(block, _Block)
        prefix = f"_blocks.{index}."
        if block.expand is not None:
            _fold(block.expand, state, f"{prefix}_expand_conv", f"{prefix}_bn0")
        _fold(block.depthwise, state, f"{prefix}_depthwise_conv", f"{prefix}_bn1")
        _fold(block.project, state, f"{prefix}_project_conv", f"{prefix}_bn2")
    _fold(network.head, state, "_conv_head", "_bn1")


def _fold(conv: _Conv, state: State, name: str, norm: str) -> None:
    scale = state[f"{norm}.weight"] / (state[f"{norm}.running_var"] + _EPSILON).sqrt()
    with torch.no_grad():
        conv.weight.copy_(state[f"{name}.weight"] * scale[:, None, None, None])
        assert conv.bias is not None
        conv.bias.copy_(state[f"{norm}.bias"] - state[f"{norm}.running_mean"] * scale)
