"""Weights that jobs share, in main memory: the least recently used go first."""

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from typing import Any


class WeightCache:
    """Keeps what was loaded until it needs more than ``limit`` bytes.

    One thing larger than the limit is loaded anew each time. Not for several threads.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.used = 0
        self._kept: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()

    def get(self, key: Hashable, load: Callable[[], Any]) -> Any:
        """What was loaded under a key, from memory if it is still there."""
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][0]
        value = load()
        size = bytes_of(value)
        if size <= self.limit:
            self._kept[key] = (value, size)
            self.used += size
        while self.used > self.limit:
            _, (_, freed) = self._kept.popitem(last=False)
            self.used -= freed
        return value

    def __contains__(self, key: Hashable) -> bool:
        return key in self._kept


def bytes_of(value: Any) -> int:
    """Bytes of the tensors in a module, a tensor or nested mappings of them."""
    if isinstance(value, Mapping):
        return sum(bytes_of(part) for part in value.values())
    if hasattr(value, "parameters"):
        return sum(bytes_of(part) for part in value.state_dict().values())
    if hasattr(value, "element_size"):
        return value.numel() * value.element_size()
    return 0
