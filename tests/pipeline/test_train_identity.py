"""Training in miniature: it learns, stops, goes on, and what it writes runs in the light core."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageDraw

torch = pytest.importorskip("torch", reason="training needs torch: the extra “train”")
pytest.importorskip("onnx", reason="training writes ONNX: the extra “train”")

from pipeline.domain.errors import InvalidInput  # noqa: E402 - only where torch is installed
from pipeline.training.identity import contrastive_loss, train_to_file  # noqa: E402
from pipeline.training.network import DIMENSIONS, IdentityNet  # noqa: E402
from pipeline.training.run import TrainingPlan, best_network  # noqa: E402
from pipeline.training.start import discriminants  # noqa: E402
from pipeline.training.validate import area, identified  # noqa: E402

pytestmark = pytest.mark.slow
TINY = TrainingPlan(steps=2, side=32, frozen=10, generated=0.0, every=1, start_batches=0)


@pytest.fixture
def art(tmp_path: Path) -> Path:
    """Twelve people of two sources, three pictures each."""
    folder = tmp_path / "art"
    for source in ("ink", "wash"):
        for number, hair in enumerate(("black", "red", "gold", "green", "navy", "gray")):
            for mood in range(3):
                image = Image.new("RGBA", (120, 120), (0, 0, 0, 0))
                draw = ImageDraw.Draw(image)
                draw.ellipse((30, 20, 90, 110), fill="peachpuff", outline="black", width=2)
                draw.pieslice((25, 10, 95, 80 + 3 * number), 180, 360, fill=hair)
                draw.arc((45, 70 + 3 * mood, 75, 90), 10, 170, fill="black", width=2)
                path = folder / source / f"p{number}" / f"{mood}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                image.save(path)
    return folder


def test_a_run_writes_a_model_a_report_and_goes_on(art: Path, tmp_path: Path) -> None:
    from onnxruntime import InferenceSession

    out, lines = tmp_path / "tiny.onnx", []
    report = train_to_file(art, out, TINY, tell=lines.append)
    assert report["steps"] == 2
    assert json.loads(out.with_suffix(".json").read_text())["plan"]["seed"] == TINY.seed
    assert out.stat().st_size == report["bytes"] < 15e6

    pixels = np.random.default_rng(1).uniform(0, 255, (3, 3, 32, 32)).astype(np.float32)
    ours = InferenceSession(out).run(None, {"pixels": pixels})[0]
    with torch.no_grad():
        theirs = best_network(out.with_suffix(".ckpt"))(torch.from_numpy(pixels)).numpy()
    assert ours.shape == (3, DIMENSIONS)
    assert np.abs(np.linalg.norm(ours, axis=1) - 1).max() < 1e-4
    assert (ours * theirs).sum(axis=1).min() > 0.999  # half-precision weights cost no more

    longer = TrainingPlan(**{**report["plan"], "steps": 3})
    assert train_to_file(art, out, longer, tell=lines.append)["steps"] == 3
    assert any("going on at step 2" in line for line in lines)
    with pytest.raises(InvalidInput, match="another seed"):
        train_to_file(art, out, TrainingPlan(**{**report["plan"], "seed": 1}), tell=lines.append)


def test_frozen_blocks_keep_their_weights() -> None:
    network = IdentityNet()
    network.freeze(5)
    network(torch.zeros(2, 3, 64, 64)).sum().backward()
    assert network.stem.weight.grad is None
    assert all(p.grad is None for block in network.blocks[:5] for p in block.parameters())
    assert network.projection.weight.grad is not None


def test_the_loss_falls_as_identities_draw_together() -> None:
    labels = torch.tensor([0, 0, 1, 1])
    apart = torch.eye(4)
    together = torch.eye(4)[[0, 0, 1, 1]]
    assert contrastive_loss(together, labels) < contrastive_loss(apart, labels)


def test_the_start_damps_what_varies_within_an_identity() -> None:
    rng = np.random.default_rng(2)
    centers = rng.normal(size=(40, 4)) * [0.0, 0.0, 1.0, 1.0]
    rows = np.repeat(centers, 10, axis=0) + rng.normal(size=(400, 4)) * [8.0, 1.0, 0.1, 0.1]
    labels = np.repeat(np.arange(40), 10)
    apart = rows - np.repeat(rows.reshape(40, 10, 4).mean(axis=1), 10, axis=0)
    means = rows.reshape(40, 10, 4).mean(axis=1)
    means -= means.mean(axis=0)
    matrix, middle = discriminants(apart.T @ apart / 360, means.T @ means, rows, 2)
    found = (rows - middle) @ matrix.T
    found /= np.linalg.norm(found, axis=1, keepdims=True)
    plain = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    assert area(found, labels) > area(plain, labels) + 0.2
    assert identified(found, labels) > identified(plain, labels)
