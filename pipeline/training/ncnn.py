"""Reads a network of convolutions as ncnn stores it and writes the same network as ONNX.

Only chains of convolutions and one deconvolution are known, those of waifu2x among them. Weights
that are stored in half precision stay so in the file; the runtime widens them once, at loading.

Source: ncnn's documentation, "param and model file structure" and "operation param weight table".
"""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.errors import InvalidInput

OPSET = 18
_MAGIC = "7767517"
_HALVES = 0x01306B47
_KINDS = {"Convolution": "Conv", "Deconvolution": "ConvTranspose"}
_LEAKY_RELU = 2


@dataclass(frozen=True, slots=True, eq=False)
class Layer:
    """A (de)convolution: its kernel (out, in, k, k), bias (out,), stride, padding, leak.

    ``leak`` is the slope of the leaky ReLU that follows it, None where none does; ``halved`` says
    that the kernel is stored in half precision.
    """

    kind: str
    kernel: NDArray[np.float32]
    bias: NDArray[np.float32]
    stride: int
    pad: int
    leak: float | None
    halved: bool


def read_ncnn(param: Path) -> list[Layer]:
    """The layers of a network; its weights lie beside it, with the ending ``.bin``.

    Raises:
        InvalidInput: it is no such network.
    """
    try:
        lines = param.read_text(encoding="ascii").split("\n")
        weights = _Weights(param.with_suffix(".bin").read_bytes())
        if lines[0] != _MAGIC:
            raise InvalidInput("This is no network of ncnn.")
        channels, layers = 0, []
        for line in filter(None, lines[2:]):
            kind, options = line.split()[0], _options(line)
            if kind == "Input":
                channels = int(options[2])
                continue
            layers.append(_layer(kind, options, channels, weights))
            channels = len(layers[-1].bias)
        if weights.left:
            raise InvalidInput(f"{weights.left} bytes of the weights belong to no layer.")
    except (KeyError, ValueError, IndexError, OSError) as error:
        raise InvalidInput(f"This network cannot be read: {error}") from error
    return layers


def to_onnx(layers: Sequence[Layer]) -> bytes:
    """The network as an ONNX file: float32 (n, c, h, w) in, ``output`` of the same kind."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    nodes, fixed, value = [], [], "input"
    for n, layer in enumerate(layers):
        kernel = layer.kernel
        if layer.kind == "Deconvolution":
            kernel = kernel.transpose(1, 0, 2, 3)  # ONNX has what comes in first
        stored = kernel.astype(np.float16) if layer.halved else kernel
        fixed.append(numpy_helper.from_array(np.ascontiguousarray(stored), f"kernel{n}"))
        fixed.append(numpy_helper.from_array(layer.bias, f"bias{n}"))
        name = f"kernel{n}"
        if layer.halved:
            nodes.append(helper.make_node("Cast", [name], [f"{name}w"], to=TensorProto.FLOAT))
            name = f"{name}w"
        last = n + 1 == len(layers)
        made = "output" if last and layer.leak is None else f"layer{n}"
        nodes.append(
            helper.make_node(
                _KINDS[layer.kind], [value, name, f"bias{n}"], [made],
                strides=[layer.stride] * 2, pads=[layer.pad] * 4,
            )
        )  # fmt: skip
        value = made
        if layer.leak is not None:
            value = "output" if last else f"active{n}"
            nodes.append(helper.make_node("LeakyRelu", [made], [value], alpha=layer.leak))
    first = layers[0].kernel.shape[1]
    graph = helper.make_graph(
        nodes, "network",
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, ["n", first, "h", "w"])],
        [helper.make_tensor_value_info(
            "output", TensorProto.FLOAT, ["n", len(layers[-1].bias), "H", "W"]
        )],
        fixed,
    )  # fmt: skip
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=9)
    onnx.checker.check_model(model)
    return model.SerializeToString(deterministic=True)


class _Weights:
    """The bytes of a ``.bin`` file, read from its beginning."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> int:
        return len(self._data) - self._at

    def tagged(self, count: int) -> tuple[NDArray[np.float32], bool]:
        """Weights behind a tag that says how they are stored, and whether as halves."""
        tag = int(self._take(1, np.dtype("<u4"))[0])
        if tag not in (0, _HALVES):
            raise ValueError("weights are stored in a way that is not known")
        values = self._take(count, np.dtype("<f2" if tag else "<f4"))
        self._at += -self._at % 4
        return values.astype(np.float32), bool(tag)

    def plain(self, count: int) -> NDArray[np.float32]:
        """Weights without a tag, always in single precision."""
        return self._take(count, np.dtype("<f4")).astype(np.float32)

    def _take(self, count: int, kind: np.dtype[Any]) -> NDArray[Any]:
        end = self._at + count * kind.itemsize
        if end > len(self._data):
            raise ValueError("the weights end too early")
        values = np.frombuffer(self._data[self._at : end], kind)
        self._at = end
        return values


def _options(line: str) -> dict[int, str]:
    """``key=value`` pairs behind the names; a key below −23300 is an array with its length."""
    pairs = (word.split("=") for word in line.split() if "=" in word)
    return {int(key): value for key, value in pairs}


def _layer(kind: str, options: dict[int, str], channels: int, weights: _Weights) -> Layer:
    if kind not in _KINDS:
        raise ValueError(f"the operation {kind} is not known")
    out, side = int(options[0]), int(options[1])
    kernel, halved = weights.tagged(int(options[6]))
    bias = weights.plain(out) if int(options.get(5, 0)) else np.zeros(out, np.float32)
    leak = None
    if (activation := int(options.get(9, 0))) == _LEAKY_RELU:
        leak = float(options[-23310].split(",")[1])
    elif activation:
        raise ValueError(f"the activation {activation} is not known")
    shape = (out, channels, side, side)
    stride, pad = int(options.get(3, 1)), int(options.get(4, 0))
    return Layer(kind, kernel.reshape(shape), bias, stride, pad, leak, halved)


def main(arguments: Sequence[str]) -> int:
    """``python -m pipeline.training.ncnn MODEL.param OUT.onnx``."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m pipeline.training.ncnn MODEL.param OUT.onnx\n")
        return 2
    try:
        made = to_onnx(read_ncnn(Path(arguments[0])))
    except InvalidInput as error:
        sys.stderr.write(f"{error}\n")
        return 2
    Path(arguments[1]).write_bytes(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
