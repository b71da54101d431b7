"""TensorFlow.js graphs become ONNX that computes the same, against plain numpy."""

import base64
import json
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest

from pipeline.domain.errors import InvalidInput
from pipeline.training.tfjs import main, read_tfjs, to_onnx


class Graph:
    """Builds a graph model node by node, as TensorFlow.js stores it."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        dims = [{"size": str(n)} for n in shape]
        self.nodes: list[dict[str, Any]] = [
            self._node("Placeholder", "x", [], shape={"shape": {"dim": dims}},
                       dtype={"type": "DT_FLOAT"})
        ]  # fmt: skip
        self.weights: list[dict[str, Any]] = []
        self.data = b""

    @staticmethod
    def _node(op: str, name: str, inputs: list[str], **attr: Any) -> dict[str, Any]:
        return {"op": op, "name": name, "input": inputs, "attr": attr}

    def add(self, op: str, name: str, *inputs: str, **attr: Any) -> None:
        self.nodes.append(self._node(op, name, list(inputs), **attr))

    def const(self, name: str, values: Any, half: bool = False) -> np.ndarray:
        array = np.asarray(values)
        entry: dict[str, Any] = {
            "name": name, "shape": list(array.shape), "dtype": str(array.dtype),
        }  # fmt: skip
        if half:
            array = array.astype(np.float16)
            entry["quantization"] = {"dtype": "float16", "original_dtype": "float32"}
        self.nodes.append(self._node("Const", name, []))
        self.weights.append(entry)
        self.data += array.tobytes()
        return array.astype(entry["dtype"])

    def write(self, folder: Path, result: str, shape: tuple[int, ...]) -> Path:
        model = folder / "m.json"
        dims = [{"size": str(n)} for n in shape]
        value = {"name": f"{result}:0", "tensorShape": {"dim": dims}}
        model.write_text(
            json.dumps(
                {
                    "signature": {"outputs": {result: value}},
                    "modelTopology": {"node": self.nodes},
                    "weightsManifest": [{"paths": ["m.bin"], "weights": self.weights}],
                }
            )
        )
        (folder / "m.bin").write_bytes(self.data)
        return model


def text(words: str) -> str:
    return base64.b64encode(words.encode()).decode()


def conv(stride: int = 1, padding: str = "SAME", *fused: str) -> dict[str, Any]:
    ints = [str(n) for n in (1, stride, stride, 1)]
    return {
        "strides": {"list": {"i": ints}}, "padding": {"s": text(padding)},
        "fused_ops": {"list": {"s": [text(name) for name in ("BiasAdd", *fused)]}},
    }  # fmt: skip


def run(data: bytes, x: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(data, providers=["CPUExecutionProvider"])
    return np.asarray(session.run(None, {"x": x})[0])


def picture(*shape: int) -> np.ndarray:
    return np.random.default_rng(3).standard_normal(shape).astype(np.float32)


def test_convolutions_read_their_filters_the_right_way_round(tmp_path: Path) -> None:
    graph = Graph((1, 5, 4, 3))
    rng = np.random.default_rng(1)
    filters = graph.const("w", rng.standard_normal((1, 1, 3, 2)).astype(np.float32), half=True)
    bias = graph.const("b", np.array([0.5, -0.5], np.float32))
    deep = graph.const("d", rng.standard_normal((3, 3, 2, 1)).astype(np.float32))
    nothing = graph.const("z", np.zeros(2, np.float32))
    graph.add("_FusedConv2D", "first", "x", "w", "b", **conv(1, "VALID", "Relu6"))
    graph.add("FusedDepthwiseConv2dNative", "second", "first", "d", "z", **conv(1, "SAME", "Relu"))
    x = picture(1, 5, 4, 3)
    model = graph.write(tmp_path, "second", (1, 5, 4, 2))
    got = run(to_onnx(model), x)
    first = np.clip(np.einsum("nhwc,co->nhwo", x, filters[0, 0]) + bias, 0, 6)
    padded = np.pad(first, ((0, 0), (1, 1), (1, 1), (0, 0)))
    expected = sum(
        padded[:, i : i + 5, j : j + 4] * deep[i, j, :, 0] for i in range(3) for j in range(3)
    )
    assert got.shape == (1, 5, 4, 2)
    assert np.allclose(got, np.maximum(expected + nothing, 0), atol=1e-4)
    assert read_tfjs(model).halves == {"w"}


def test_a_decoding_tail_finds_the_brightest_place(tmp_path: Path) -> None:
    graph = Graph((1, 6, 5, 2))
    graph.const("flat", np.array([30, 2], np.int32))
    graph.const("zero", np.array(0, np.int32))
    graph.const("width", np.array(5, np.int32))
    graph.const("one", np.array(1, np.int32))
    graph.add("Reshape", "r", "x", "flat")
    graph.add("ArgMax", "best", "r", "zero")
    graph.add("FloorDiv", "row", "best", "width")
    graph.add("Mul", "start", "row", "width")
    graph.add("Sub", "column", "best", "start")
    graph.add("Pack", "places", "row", "column", axis={"i": "1"})
    graph.add("Cast", "asked", "places", DstT={"type": "DT_FLOAT"})
    graph.add("Unpack", "map", "x", axis={"i": "0"}, num={"i": "1"})
    graph.add("GatherNd", "values", "map", "places")
    graph.add("SquaredDifference", "spread", "values", "values")
    graph.add("ConcatV2", "all", "asked", "values", "spread", "one")
    x = picture(1, 6, 5, 2)
    got = run(to_onnx(graph.write(tmp_path, "all", (2, 6))), x)
    flat = x.reshape(30, 2)
    for channel in range(2):
        row, column = divmod(int(flat[:, channel].argmax()), 5)
        assert got[channel].tolist() == pytest.approx(
            [row, column, *x[0, row, column].tolist(), 0, 0]
        )


def test_enlarging_goes_by_the_middles_of_pixels(tmp_path: Path) -> None:
    graph = Graph((1, 1, 2, 1))
    graph.const("size", np.array([1, 4], np.int32))
    graph.add(
        "ResizeBilinear", "y", "x", "size",
        half_pixel_centers={"b": True}, align_corners={"b": False},
    )  # fmt: skip
    x = np.array([0, 1], np.float32).reshape(1, 1, 2, 1)
    got = run(to_onnx(graph.write(tmp_path, "y", (1, 1, 4, 1))), x)
    assert got.ravel().tolist() == pytest.approx([0, 0.25, 0.75, 1])
    assert main([str(tmp_path / "m.json"), str(tmp_path / "y.onnx")]) == 0
    assert np.array_equal(run((tmp_path / "y.onnx").read_bytes(), x), got)
    assert main([]) == 2


def test_what_is_not_known_is_refused_in_words(tmp_path: Path) -> None:
    graph = Graph((1, 2))
    graph.add("FFT", "y", "x")
    with pytest.raises(InvalidInput, match="FFT is not known"):
        to_onnx(graph.write(tmp_path, "y", (1, 2)))
    (tmp_path / "no.json").write_text("{}")
    with pytest.raises(InvalidInput, match=r"no\.json is no"):
        to_onnx(tmp_path / "no.json")
    with pytest.raises(InvalidInput):
        to_onnx(tmp_path / "missing.json")
