"""Starts the small networks that come with the program, with as little memory as they need."""

import ctypes
import sys
from pathlib import Path
from typing import Any


def start_network(network: bytes | Path) -> Any:
    """An onnxruntime session of one thread.

    Its arena is off: for networks of this size it saves no time and keeps 18 to 40 MB a process.

    Args:
        network: an ONNX file, or what is in one.
    """
    import onnxruntime as runtime

    options = runtime.SessionOptions()  # pyright: ignore[reportAttributeAccessIssue] - compiled, without stubs
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 3
    options.enable_cpu_mem_arena = False
    given = network if isinstance(network, bytes) else str(network)
    session = runtime.InferenceSession(given, options, providers=["CPUExecutionProvider"])
    return_memory()
    return session


def return_memory() -> None:
    """Give back what was freed, and what glibc would keep for later, in this process.

    25 MB after a network was prepared; 150 MB after a character of 18 pictures was registered.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None) if sys.platform == "linux" else None
    if trim is not None:
        trim(0)
