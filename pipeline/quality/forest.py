"""Boosted trees as plain arrays: a model file that numpy alone can read and run."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.errors import SettingsError

Array = NDArray[np.float32]
_FORMAT = 1


@dataclass(frozen=True, slots=True, eq=False)
class Forest:
    """Trees of several bags and classes, one against the rest.

    All node arrays have the shape (trees, nodes). ``feature`` is the column that a node asks
    about, -1 for a leaf; ``limit`` what it compares with (``<=`` goes left); ``left`` and
    ``right`` are node numbers; ``missing_left`` says where NaN goes; ``value`` is a leaf's
    log-odds. ``owner`` (trees, 2) holds the bag and the class of each tree, ``base`` (bags,
    classes) the log-odds before any tree.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]
    feature: NDArray[np.int16]
    limit: Array
    left: NDArray[np.int16]
    right: NDArray[np.int16]
    missing_left: NDArray[np.bool_]
    value: Array
    owner: NDArray[np.int16]
    base: Array

    def log_odds(self, row: Array) -> Array:
        """Log-odds of every class by every bag, shape (bags, classes).

        Args:
            row: the features in the order of ``names``, shape (n,); NaN where there is none.
        """
        trees = np.arange(len(self.feature))
        node = np.zeros(len(trees), np.int64)
        asked = self.feature[trees, node]
        while (asked >= 0).any():
            found = row[np.maximum(asked, 0)]
            goes_left = np.where(
                np.isnan(found), self.missing_left[trees, node], found <= self.limit[trees, node]
            )
            ahead = np.where(goes_left, self.left[trees, node], self.right[trees, node])
            node = np.where(asked >= 0, ahead, node)
            asked = self.feature[trees, node]
        out = self.base.astype(np.float64).copy()
        np.add.at(out, (self.owner[:, 0], self.owner[:, 1]), self.value[trees, node])
        return out.astype(np.float32)

    def save(self, path: Path) -> None:
        """Write the model; the same model gives the same bytes."""
        with path.open("wb") as stream:
            np.savez_compressed(
                stream,
                format=np.array(_FORMAT),
                names=np.array(self.names),
                classes=np.array(self.classes),
                **{field: getattr(self, field) for field in _ARRAYS},
            )


_ARRAYS = ("feature", "limit", "left", "right", "missing_left", "value", "owner", "base")


def load_forest(path: Path) -> Forest:
    """Read a model that :meth:`Forest.save` wrote.

    Raises:
        SettingsError: it is not there, damaged, or of another version.
    """
    try:
        with np.load(path, allow_pickle=False) as data:
            if int(data["format"]) != _FORMAT:
                raise SettingsError(
                    f"{path.name} is of another version of the program. Install it anew."
                )
            return Forest(
                tuple(map(str, data["names"])),
                tuple(map(str, data["classes"])),
                *(data[field] for field in _ARRAYS),
            )
    except (OSError, KeyError, ValueError) as error:
        raise SettingsError(
            f"{path.name} is missing or damaged ({error}). Install the program anew."
        ) from error
