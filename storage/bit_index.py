"""One bit for each number of a vector: finds candidates in a large store, which floats rescore.

A vector of 512 numbers takes 64 bytes and a comparison is one XOR and a count of bits, word by
word over all rows. What is near by angle shares most signs, so the true neighbours are among the
few hundred rows with the fewest differing bits.
"""

import numpy as np
from numpy.typing import NDArray

from pipeline.domain.fingerprint import FloatVector

Rows = NDArray[np.int64]
Vectors = NDArray[np.float32]

_WORD = 64


class BitIndex:
    """The signs of many vectors around a common centre, with a number for each row.

    Source: sign bits as a locality-sensitive hash of the angle (Charikar, 2002). The centre
    matters for vectors that are nowhere negative, such as histograms: all their plain signs agree.
    """

    def __init__(self, dimensions: int, centre: FloatVector) -> None:
        """Start empty; ``centre`` is the mean of typical vectors, shape (dimensions,)."""
        self._centre = centre
        self._padding = -dimensions % _WORD
        self._rows: list[Rows] = []
        self._planes: list[NDArray[np.uint64]] = []

    def __len__(self) -> int:
        """How many rows it holds."""
        return sum(len(rows) for rows in self._rows)

    @property
    def size(self) -> int:
        """In bytes."""
        return sum(part.nbytes for part in (*self._rows, *self._planes))

    def add(self, rows: Rows, vectors: Vectors) -> None:
        """Take the signs of vectors (n, dimensions), with their row numbers (n,)."""
        self._rows.append(rows)
        # Word by word, so that a search streams through memory once for each word.
        self._planes.append(np.ascontiguousarray(self._signs(vectors).T))

    def candidates(self, vector: FloatVector, count: int) -> Rows:
        """The rows whose bits are most like those of ``vector``; at most ``count``, any order."""
        if not self._rows:
            return np.empty(0, np.int64)
        self._join()
        rows, planes = self._rows[0], self._planes[0]
        if len(rows) <= count:
            return rows
        asked = self._signs(vector[None])[0]
        apart = np.zeros(len(rows), np.uint16)
        for plane, word in zip(planes, asked, strict=True):
            apart += np.bitwise_count(plane ^ word)
        return rows[np.argpartition(apart, count)[:count]]

    def _signs(self, vectors: Vectors) -> NDArray[np.uint64]:
        bits = np.pad(vectors > self._centre, ((0, 0), (0, self._padding)))
        return np.packbits(bits, axis=1).view(np.uint64)

    def _join(self) -> None:
        if len(self._rows) > 1:
            self._rows = [np.concatenate(self._rows)]
            self._planes = [np.concatenate(self._planes, axis=1)]
