"""A story with the engine in this process: a small real model, a real worker, from request to review.

Random weights draw noise, so the check must not let anything pass: what this shows is the way.
"""

import json
from pathlib import Path

import pytest
from studio import Studio, answer, labels_of

pytest.importorskip("torch", reason="the heavy libraries are not installed")

CAST = Path(__file__).parents[2] / "examples" / "cast"


@pytest.fixture
def on_diffusers(tiny_sd, monkeypatch) -> None:
    """Before the studio opens: its settings come from the environment, as a host sets them."""
    monkeypatch.setenv("ONMODEL_GENERATOR", "diffusers")
    for name, value in tiny_sd.options(steps=4).items():
        monkeypatch.setenv(f"ONMODEL_DIFFUSERS_{name.upper()}", str(value))
    monkeypatch.setenv(
        "OMP_NUM_THREADS", "1"
    )  # for the worker: the model is too small to share out


async def enrol(studio: Studio) -> None:
    folder = next(p for p in sorted((CAST / "mira").iterdir()) if p.is_dir())
    art = [(p.name, p.read_bytes()) for p in sorted(folder.glob("*.webp"))][:5]
    images = {"image" if n == 0 else f"image{n + 1}": picture for n, picture in enumerate(art)}
    made = await studio.ann.slash(studio.channel, "character register", name="Mira", **images)
    assert "is in the cast" in answer(made)


async def plans_of(studio: Studio, panel: int) -> list[dict]:
    rows = await studio.app.db.fetch_all(
        "SELECT plan FROM attempt WHERE panel_id = ? ORDER BY id", (panel,)
    )
    return [json.loads(row["plan"]) for row in rows]


@pytest.mark.slow
@pytest.mark.studio(real_worker=True)
async def test_noise_is_tried_again_flagged_and_reviewed_and_a_cancel_stops_the_next(
    on_diffusers, studio: Studio
):
    await enrol(studio)
    await studio.request(characters="Mira", prompt="Mira waits.", alternates=2)
    await studio.quiet()

    plans = await plans_of(studio, 1)
    assert len(plans) > 1, "noise is not good enough: there was another try"
    assert [plan["strength"] for plan in plans] == list(range(len(plans)))
    first, second = plans[0], plans[1]
    held = {one["adapter"] for one in first["cast"][0]["references"][0]["adapters"]}
    assert held == {"ip_whole", "ip_face", "reference_attention"}
    scales = [plan["cast"][0]["references"][0]["scale"] for plan in (first, second)]
    assert scales[1] > scales[0]
    assert {model["role"] for model in first["models"]} >= {"unet", "vae", "ip_face"}

    thread = studio.reviews.threads[-1]
    evidence = thread.last_message
    assert "Approve" in labels_of(evidence)
    recipe = await studio.mod.slash(studio.channel, "panel recipe", panel=1)
    assert "diffusers 1 · sd15" in answer(recipe)
    approved = await studio.mod.click(evidence, label="Approve")
    assert "approved" in answer(approved)

    await studio.request(characters="Mira", prompt="Mira runs.", alternates=4)

    async def drawing() -> bool:
        row = await studio.app.db.fetch_one("SELECT progress FROM job WHERE panel_id = 2")
        return row is not None and (row["progress"] or 0) > 0

    await studio.until(drawing)
    cancelled = await studio.ann.slash(studio.channel, "panel cancel", panel=2)
    assert "⚠️" not in answer(cancelled)
    await studio.quiet()
    row = await studio.app.db.fetch_one("SELECT status FROM panel WHERE id = 2")
    assert row["status"] == "cancelled"
    assert await plans_of(studio, 2) == []
    assert len(studio.reviews.threads) == 1, "nobody is asked about it"
