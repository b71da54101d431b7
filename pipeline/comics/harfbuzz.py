"""The door to HarfBuzz: loaded when the first words are set, and without type stubs."""

import importlib
from functools import cache
from typing import Any


@cache
def harfbuzz() -> Any:
    """The module ``uharfbuzz``."""
    return importlib.import_module("uharfbuzz")
