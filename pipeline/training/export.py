"""From a trained network to the one file that the light core runs."""
# pyright: reportMissingImports=false

import io
import warnings
from pathlib import Path

import numpy as np
import torch

from pipeline.training.network import IdentityNet

_OPSET = 18
_SMALL = 1024


def export_onnx(network: IdentityNet, path: Path, *, side: int, half: bool = True) -> int:
    """Write a network as ONNX.

    Args:
        network: with the weights to ship.
        path: the file; input ``pixels`` (n, 3, side, side), float32 of 0–255; output ``vectors``
            (n, DIMENSIONS), of norm 1.
        side: pixels of a crop, a multiple of 32.
        half: store large weights in half precision; they are widened when the file is loaded,
            and computed with in single precision.

    Returns:
        The file's size in bytes.
    """
    import onnx
    from torch.jit._trace import TracerWarning

    network = network.eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]  # torch types know no memory_format of modules
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # The side is fixed in the file, so that what depends on it may become a constant.
        for category in (TracerWarning, UserWarning, DeprecationWarning):
            warnings.simplefilter("ignore", category)
        torch.onnx.export(
            network,
            (torch.zeros(2, 3, side, side),),
            buffer,  # pyright: ignore[reportArgumentType] - the tracing exporter takes it
            input_names=["pixels"],
            output_names=["vectors"],
            dynamic_axes={"pixels": {0: "n"}, "vectors": {0: "n"}},
            opset_version=_OPSET,
            dynamo=False,
        )
    model = onnx.load_model_from_string(buffer.getvalue())
    if half:
        _halve(model)
    model.doc_string = "Onmodel house encoder"
    onnx.checker.check_model(model)
    path.write_bytes(model.SerializeToString())
    return path.stat().st_size


def _halve(model) -> None:
    """Replace large float32 initialisers by float16 ones and a cast."""
    from onnx import TensorProto, helper, numpy_helper

    casts = []
    for tensor in list(model.graph.initializer):
        if tensor.data_type != TensorProto.FLOAT or np.prod(tensor.dims) < _SMALL:
            continue
        name = tensor.name
        values = numpy_helper.to_array(tensor).astype(np.float16)
        stored = numpy_helper.from_array(values, f"{name}.half")
        model.graph.initializer.remove(tensor)
        model.graph.initializer.append(stored)
        casts.append(helper.make_node("Cast", [stored.name], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)
