"""Where training starts: a projection from discriminant analysis of the pretrained features."""
# pyright: reportMissingImports=false

from collections.abc import Callable

import numpy as np
import torch
from numpy.typing import NDArray

from pipeline.training.network import DIMENSIONS, FEATURES, IdentityNet
from pipeline.training.sampling import Batch

_SHRINKAGE = 0.3
Matrix = NDArray[np.float64]


def start_projection(
    network: IdentityNet, batches: Callable[[int], Batch], count: int, tell: Callable[[str], None]
) -> None:
    """Set the projection so that what differs within an identity is damped.

    Views of ``count`` batches are pooled with the network as it is. In the space where the spread
    within identities is round (covariance shrunk towards its diagonal), the directions in which
    identities of one source differ most are kept.

    Source: Fisher's discriminant with Ledoit-Wolf-like shrinkage of fixed strength.
    """
    rows: list[Matrix] = []
    within = np.zeros((FEATURES, FEATURES))
    between = np.zeros((FEATURES, FEATURES))
    for step in range(count):
        batch = batches(step)
        features = pooled(network, batch.pixels)
        rows.append(features)
        for label in np.unique(batch.labels):
            own = features[batch.labels == label]
            apart = own - own.mean(axis=0)
            within += apart.T @ apart / max(1, len(own) - 1)
        means = np.stack(
            [features[batch.labels == k].mean(axis=0) for k in np.unique(batch.labels)]
        )
        means -= means.mean(axis=0)
        between += means.T @ means
        if step % 10 == 9:
            tell(f"start {step + 1}/{count}")
    matrix, middle = discriminants(within, between, np.concatenate(rows), DIMENSIONS)
    with torch.no_grad():
        network.projection.weight.copy_(torch.from_numpy(matrix))
        network.projection.bias.copy_(torch.from_numpy(-matrix @ middle))


def pooled(network: IdentityNet, pixels: NDArray[np.uint8]) -> Matrix:
    """Pooled features of views, float64 (n, FEATURES)."""
    tensor = torch.from_numpy(pixels).permute(0, 3, 1, 2).float()
    with torch.no_grad():
        return network.features(tensor).double().numpy()


def discriminants(
    within: Matrix, between: Matrix, rows: Matrix, dimensions: int
) -> tuple[Matrix, Matrix]:
    """The projection (dimensions, features), scaled to unit outputs, and the features' mean."""
    scale = np.sqrt(np.diag(within)) + 1e-6
    round_within = within / np.outer(scale, scale)
    round_within = (1 - _SHRINKAGE) * round_within + _SHRINKAGE * np.eye(len(scale))
    values, vectors = np.linalg.eigh(round_within)
    whiten = vectors / np.sqrt(values) @ vectors.T / scale[None, :]
    spread, directions = np.linalg.eigh(whiten @ between @ whiten.T)
    order = np.argsort(spread)[::-1][:dimensions]
    matrix = directions[:, order].T @ whiten
    middle = rows.mean(axis=0)
    size = float(np.sqrt(np.square((rows - middle) @ matrix.T).sum(axis=1).mean()))
    return matrix / size, middle
