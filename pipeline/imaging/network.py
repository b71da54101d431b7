"""Starts the small networks that come with the program, with as little memory as they need."""

import ctypes
import sys
from pathlib import Path
from typing import Any

_M_ARENA_MAX = -8  # of glibc's malloc.h


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


def keep_few_arenas() -> None:
    """Let threads share glibc's heap, for a process whose threads handle large pictures in turn.

    A heap for each thread keeps what that one thread once needed: 200 MB in a bot that has
    registered a cast and bound a book. Called once, when a process begins.
    """
    _tell_glibc("mallopt", _M_ARENA_MAX, 1)


def return_memory() -> None:
    """Give back what was freed, and what glibc would keep for later, in this process.

    25 MB after a network was prepared; 150 MB after a character of 18 pictures was registered.
    """
    _tell_glibc("malloc_trim", 0)


def _tell_glibc(name: str, *numbers: int) -> None:
    """Call a function of glibc's heap; other systems and other libraries have none of it."""
    known = getattr(ctypes.CDLL(None), name, None) if sys.platform == "linux" else None
    if known is not None:
        known(*numbers)
