"""Reads a TensorFlow.js graph model and writes the same network as ONNX.

Only the operations of small convolutional networks with a decoding tail are known, those of
MoveNet and MobileNet among them. Weights stay in half precision, or in bytes, in the file where
they were so before; the runtime widens them once, at loading.
"""

import base64
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.errors import InvalidInput

OPSET = 18
Node = dict[str, Any]
_TYPES = {"DT_FLOAT": np.float32, "DT_INT32": np.int32}
_ALIKE = {
    "AddV2": "Add", "Sub": "Sub", "Mul": "Mul", "RealDiv": "Div", "FloorDiv": "Div",
    "Sigmoid": "Sigmoid", "Sqrt": "Sqrt", "Identity": "Identity", "Softmax": "Softmax",
}  # fmt: skip
"""Operations that mean the same under another name. Whole numbers here are never negative, so that
a division that rounds down is one that cuts off."""
_TO_CHANNELS_FIRST, _TO_CHANNELS_LAST = [0, 3, 1, 2], [0, 2, 3, 1]


@dataclass(frozen=True, slots=True, eq=False)
class TfjsGraph:
    """A graph model as it is stored.

    Attributes:
        nodes: the operations, sources before what uses them.
        constants: weights and other fixed values by name.
        halves: the names of those that are stored in half precision.
        scales: step and least value, by name, of those that are stored as bytes.
        outputs: the shape of each result by name.
    """

    nodes: list[Node]
    constants: dict[str, NDArray[Any]]
    halves: frozenset[str]
    scales: dict[str, tuple[float, float]]
    outputs: dict[str, list[int]]


def read_tfjs(model: Path) -> TfjsGraph:
    """A graph model from its JSON file; its weights lie beside it.

    Raises:
        InvalidInput: it is no graph model, or its weights are squeezed in another way.
    """
    try:
        data = json.loads(model.read_text(encoding="utf-8"))
        nodes = data["modelTopology"]["node"]
        groups = data["weightsManifest"]
        signature = data.get("signature") or data["userDefinedMetadata"]["signature"]
        outputs = {
            value["name"].partition(":")[0]: _sizes(value["tensorShape"])
            for value in signature["outputs"].values()
        }
    except (OSError, ValueError, KeyError) as error:
        raise InvalidInput(f"{model.name} is no TensorFlow.js graph model.") from error
    constants: dict[str, NDArray[Any]] = {}
    halves: set[str] = set()
    scales: dict[str, tuple[float, float]] = {}
    for group in groups:
        stored = b"".join((model.parent / name).read_bytes() for name in group["paths"])
        at = 0
        for weight in group["weights"]:
            squeezed = weight.get("quantization", weight)
            kind = np.dtype(squeezed["dtype"])
            if kind not in (np.float16, np.float32, np.int32, np.uint8):
                raise InvalidInput(f"{model.name} stores weights as {kind}, which is not known.")
            count = int(np.prod(weight["shape"], dtype=np.int64))
            values = np.frombuffer(stored, kind, count, at).reshape(weight["shape"])
            at += values.nbytes
            name = weight["name"]
            halves |= {name} if kind == np.float16 else set()
            constants[name] = values.astype(weight["dtype"])
            if kind == np.uint8:
                step, least = scales[name] = (squeezed["scale"], squeezed["min"])
                constants[name] = constants[name] * np.float32(step) + np.float32(least)
    return TfjsGraph(nodes, constants, frozenset(halves), scales, outputs)


def _sizes(shape: Mapping[str, Any]) -> list[int]:
    """A shape; a batch of any size becomes one of a single picture."""
    return [max(1, int(d["size"])) for d in shape["dim"]]


def to_onnx(model: Path) -> bytes:
    """A TensorFlow.js graph model as an ONNX file.

    Raises:
        InvalidInput: it is no graph model, or has an operation that is not known.
    """
    return _Writer(read_tfjs(model)).write()


class _Writer:
    """Puts the nodes down one by one; values keep the names that they have in the graph."""

    def __init__(self, graph: TfjsGraph) -> None:
        import onnx  # of the extra for training

        self._onnx = onnx
        self._graph, self._constants = graph, graph.constants
        self._made: list[Any] = []
        self._initial: dict[str, Any] = {}
        self._inputs: list[Any] = []
        self._known: dict[str, Callable[[Node, str], None]] = {
            "Placeholder": self._placeholder, "Cast": self._cast, "Unpack": self._unpack,
            "ExpandDims": self._expand, "Squeeze": self._squeeze, "Pack": self._pack,
            "ConcatV2": self._concat, "Reshape": self._reshape, "ArgMax": self._argmax,
            "GatherNd": self._gather, "SquaredDifference": self._squared,
            "ResizeBilinear": self._resize, "_FusedConv2D": self._conv, "Conv2D": self._conv,
            "FusedDepthwiseConv2dNative": self._conv, "DepthwiseConv2dNative": self._conv,
            "AvgPool": self._average, "_FusedMatMul": self._matmul,
        }  # fmt: skip

    def write(self) -> bytes:
        """Every node, then the file."""
        for node in self._graph.nodes:
            name, kind = node["name"], node["op"]
            if kind == "Const":
                continue
            if kind in _ALIKE:
                self._add(_ALIKE[kind], [self._value(i) for i in node["input"]], name)
            elif kind in self._known:
                self._known[kind](node, name)
            else:
                raise InvalidInput(f"The operation {kind} is not known; see pipeline/training.")
        helper = self._onnx.helper
        ends = [
            (name, self._onnx.TensorProto.FLOAT, shape)
            for name, shape in self._graph.outputs.items()
        ]
        graph = helper.make_graph(
            self._made, "graph", self._inputs,
            [helper.make_tensor_value_info(*end) for end in ends],
            [self._onnx.numpy_helper.from_array(v, name) for name, v in self._initial.items()],
        )  # fmt: skip
        made = helper.make_model(
            graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=8
        )
        self._onnx.checker.check_model(made)
        return made.SerializeToString()

    def _add(self, kind: str, inputs: Sequence[str], *outputs: str, **attributes: Any) -> str:
        self._made.append(
            self._onnx.helper.make_node(kind, list(inputs), list(outputs), **attributes)
        )
        return outputs[0]

    def _value(self, name: str) -> str:
        """The name of a value; a constant becomes a part of the file when it is first used."""
        if name in self._constants and name not in self._initial:
            self._initial[name] = self._constants[name]
        return name

    def _fixed(self, values: Any, name: str) -> str:
        self._initial[name] = np.asarray(values)
        return name

    def _weights(self, name: str, values: NDArray[Any], as_name: str) -> str:
        """Weights as the file keeps them: what was half, or bytes, before stays so."""
        if name in self._graph.scales:
            step, least = self._graph.scales[name]
            stored = ((values - np.float32(least)) / np.float32(step)).round().astype(np.uint8)
            small = self._fixed(stored, f"{as_name}:bytes")
            wide = self._add("Cast", [small], f"{as_name}:wide", to=self._onnx.TensorProto.FLOAT)
            scale = self._fixed(np.float32(step), f"{as_name}:step")
            offset = self._fixed(np.float32(least), f"{as_name}:least")
            return self._add(
                "Add", [self._add("Mul", [wide, scale], f"{as_name}:scaled"), offset], as_name
            )
        if name not in self._graph.halves:
            return self._fixed(values, as_name)
        half = self._fixed(values.astype(np.float16), f"{as_name}:half")
        return self._add("Cast", [half], as_name, to=self._onnx.TensorProto.FLOAT)

    # --- one operation each ---------------------------------------------------------------

    def _placeholder(self, node: Node, name: str) -> None:
        shape = _sizes(node["attr"]["shape"]["shape"])
        kind = self._onnx.helper.np_dtype_to_tensor_dtype(
            np.dtype(_TYPES[node["attr"]["dtype"]["type"]])
        )
        self._inputs.append(self._onnx.helper.make_tensor_value_info(name, kind, shape))

    def _cast(self, node: Node, name: str) -> None:
        kind = np.dtype(_TYPES[node["attr"]["DstT"]["type"]])
        to = self._onnx.helper.np_dtype_to_tensor_dtype(kind)
        self._add("Cast", [self._value(node["input"][0])], name, to=to)

    def _unpack(self, node: Node, name: str) -> None:
        count, axis = int(node["attr"]["num"]["i"]), int(node["attr"]["axis"]["i"])
        parts = [f"{name}:part{i}" for i in range(count)]
        self._add("Split", [self._value(node["input"][0])], *parts, axis=axis, num_outputs=count)
        axes = self._fixed(np.array([axis], np.int64), f"{name}:axes")
        for i, part in enumerate(parts):
            self._add("Squeeze", [part, axes], name if i == 0 else f"{name}:{i}")

    def _expand(self, node: Node, name: str) -> None:
        axis = int(self._constants[node["input"][1]])
        axes = self._fixed(np.array([axis], np.int64), f"{name}:axes")
        self._add("Unsqueeze", [self._value(node["input"][0]), axes], name)

    def _squeeze(self, node: Node, name: str) -> None:
        where = [int(i) for i in node["attr"]["squeeze_dims"]["list"]["i"]]
        axes = self._fixed(np.array(where, np.int64), f"{name}:axes")
        self._add("Squeeze", [self._value(node["input"][0]), axes], name)

    def _pack(self, node: Node, name: str) -> None:
        axis = int(node["attr"]["axis"]["i"])
        axes = self._fixed(np.array([axis], np.int64), f"{name}:axes")
        parts = [
            self._add("Unsqueeze", [self._value(part), axes], f"{name}:in{i}")
            for i, part in enumerate(node["input"])
        ]
        self._add("Concat", parts, name, axis=axis)

    def _concat(self, node: Node, name: str) -> None:
        *parts, axis = node["input"]
        self._add("Concat", [self._value(p) for p in parts], name, axis=int(self._constants[axis]))

    def _reshape(self, node: Node, name: str) -> None:
        shape = self._constants[node["input"][1]].astype(np.int64)
        target = self._fixed(shape, f"{name}:shape")
        self._add("Reshape", [self._value(node["input"][0]), target], name)

    def _argmax(self, node: Node, name: str) -> None:
        axis = int(self._constants[node["input"][1]])
        found = self._add(
            "ArgMax", [self._value(node["input"][0])], f"{name}:long", axis=axis, keepdims=0
        )
        self._add("Cast", [found], name, to=self._onnx.TensorProto.INT32)

    def _gather(self, node: Node, name: str) -> None:
        source, where = (self._value(i) for i in node["input"])
        long = self._add("Cast", [where], f"{name}:where", to=self._onnx.TensorProto.INT64)
        self._add("GatherND", [source, long], name)

    def _squared(self, node: Node, name: str) -> None:
        apart = self._add("Sub", [self._value(i) for i in node["input"]], f"{name}:apart")
        self._add("Mul", [apart, apart], name)

    def _resize(self, node: Node, name: str) -> None:
        if not node["attr"]["half_pixel_centers"]["b"]:
            raise InvalidInput("Only resizing by the middles of pixels is known.")
        size = self._fixed(self._constants[node["input"][1]].astype(np.int64), f"{name}:size")
        turned = self._turned(node["input"][0], name)
        # All four sides, since the runtime loses its way when only two are named as axes.
        shape = self._add("Shape", [turned], f"{name}:shape", end=2)
        sides = self._add("Concat", [shape, size], f"{name}:sides", axis=0)
        scaled = self._add(
            "Resize", [turned, "", "", sides], f"{name}:scaled", mode="linear",
            coordinate_transformation_mode="half_pixel",
        )  # fmt: skip
        self._add("Transpose", [scaled], name, perm=_TO_CHANNELS_LAST)

    def _conv(self, node: Node, name: str) -> None:
        attributes = node["attr"]
        weights = self._constants[node["input"][1]]
        deep = "Depthwise" in node["op"]
        groups = weights.shape[2] if deep else 1
        # (h, w, in, out), or (h, w, in, each) where every channel has filters of its own
        laid = weights.transpose(2, 3, 0, 1) if deep else weights.transpose(3, 2, 0, 1)
        laid = laid.reshape(-1, 1, *weights.shape[:2]) if deep else laid
        inputs = [
            self._turned(node["input"][0], name),
            self._weights(node["input"][1], np.ascontiguousarray(laid), f"{name}:weights"),
        ]
        inputs += [
            self._weights(bias, self._constants[bias], f"{name}:bias")
            for bias in node["input"][2:3]
        ]
        same = _text(attributes["padding"]["s"]) == "SAME"
        done = self._add(
            "Conv", inputs, f"{name}:conv", group=groups,
            auto_pad="SAME_UPPER" if same else "VALID",
            strides=[int(i) for i in attributes["strides"]["list"]["i"][1:3]],
        )  # fmt: skip
        for fused in attributes.get("fused_ops", {}).get("list", {}).get("s", [])[1:]:
            done = self._activated(done, _text(fused), name)
        self._add("Transpose", [done], name, perm=_TO_CHANNELS_LAST)

    def _average(self, node: Node, name: str) -> None:
        attributes = node["attr"]
        if _text(attributes["padding"]["s"]) != "VALID":
            raise InvalidInput("Only averages without a border are known.")
        done = self._add(
            "AveragePool", [self._turned(node["input"][0], name)], f"{name}:pool",
            kernel_shape=[int(i) for i in attributes["ksize"]["list"]["i"][1:3]],
            strides=[int(i) for i in attributes["strides"]["list"]["i"][1:3]],
        )  # fmt: skip
        self._add("Transpose", [done], name, perm=_TO_CHANNELS_LAST)

    def _matmul(self, node: Node, name: str) -> None:
        source, weights, bias = node["input"]
        laid = self._weights(weights, self._constants[weights], f"{name}:weights")
        done = self._add("MatMul", [self._value(source), laid], f"{name}:product")
        added = self._weights(bias, self._constants[bias], f"{name}:bias")
        self._add("Add", [done, added], name)

    def _activated(self, value: str, kind: str, name: str) -> str:
        if kind == "Relu":
            return self._add("Relu", [value], f"{name}:relu")
        if kind != "Relu6":
            raise InvalidInput(f"The activation {kind} is not known.")
        low = self._fixed(np.float32(0), "zero")
        high = self._fixed(np.float32(6), "six")
        return self._add("Clip", [value, low, high], f"{name}:relu6")

    def _turned(self, value: str, name: str) -> str:
        return self._add(
            "Transpose", [self._value(value)], f"{name}:turned", perm=_TO_CHANNELS_FIRST
        )


def _text(encoded: str) -> str:
    return base64.b64decode(encoded).decode()


def main(arguments: Sequence[str]) -> int:
    """``python -m pipeline.training.tfjs MODEL.json OUT.onnx``; returns 0, or 2 for bad words."""
    if len(arguments) != 2:
        sys.stderr.write("usage: python -m pipeline.training.tfjs MODEL.json OUT.onnx\n")
        return 2
    Path(arguments[1]).write_bytes(to_onnx(Path(arguments[0])))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
