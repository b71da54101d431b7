"""A story with the engine in this process: a small real model, a real worker, from request to review.

Random weights draw noise, so the check must not let anything pass: what this shows is the way.
"""

import hashlib
import json
from dataclasses import replace
from pathlib import Path

import pytest
from studio import Studio, answer, labels_of

from pipeline.domain.conditioning import ConditioningPlan
from pipeline.generation.generators.base import unheard
from pipeline.generation.generators.diffusers import DiffusersGenerator
from pipeline.quality.sentinel import RAISE, is_control
from storage.database import Transaction

pytest.importorskip("torch", reason="the heavy libraries are not installed")

pytestmark = [
    pytest.mark.filterwarnings(
        "ignore:__array__ implementation doesn't accept a copy:DeprecationWarning"
    ),
    pytest.mark.timeout(400),  # a worker has to load torch, on a machine with other work
]

CAST = Path(__file__).parents[2] / "examples" / "cast"


@pytest.fixture
def on_diffusers(tiny_sd, monkeypatch) -> None:
    """Before the studio opens: its settings come from the environment, as a host sets them."""
    monkeypatch.setenv("ONMODEL_GENERATOR", "diffusers")
    monkeypatch.setenv("ONMODEL_PANEL_ATTEMPTS", "2")
    for name, value in tiny_sd.options(steps=8).items():
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


def remember(tx: Transaction, scores: dict[str, float]) -> None:
    """Let 25 accepted pictures and 10 poor ones of the same look and kind have such scores."""
    (seen,) = tx.execute("SELECT * FROM preview_run ORDER BY id LIMIT 1").fetchall()
    (candidate,) = tx.execute(
        "SELECT * FROM candidate WHERE id = ?", (seen["candidate_id"],)
    ).fetchall()
    tx.execute("DELETE FROM preview_run")
    for number in range(35):
        one = 1000 + number
        verdict = "on_model" if number < 25 else "off_model"
        drawn = {**dict(candidate), "id": one, "label": None, "verdict": verdict}
        looked = {**dict(seen), "id": one, "candidate_id": one, "alternate": one,
                  "scores": json.dumps(scores)}  # fmt: skip
        for table, row in (("candidate", drawn), ("preview_run", looked)):
            marks = ", ".join("?" * len(row))
            tx.execute(
                f"INSERT OR REPLACE INTO {table} ({', '.join(row)}) VALUES ({marks})",
                tuple(row.values()),
            )


async def repeated(studio: Studio, engine: DiffusersGenerator, plan: ConditioningPlan) -> list[str]:
    """What a stored recipe draws here, by content."""
    import torch

    names = {use.sha256 for member in plan.cast for use in member.references} | plan.pictures
    pictures = {sha: await studio.app.panels.picture(studio.guild.id, sha) for sha in names}
    threads = torch.get_num_threads()
    torch.set_num_threads(1)  # as the worker
    try:
        drawn = engine.generate(plan, pictures, progress=unheard, cancelled=lambda: False)
    finally:
        torch.set_num_threads(threads)
    return [hashlib.sha256(one.image).hexdigest() for one in drawn]


@pytest.mark.slow
@pytest.mark.studio(real_worker=True)
async def test_the_sentinel_learns_acts_tells_what_it_saved_and_leaves_a_recipe_that_repeats(
    on_diffusers, studio: Studio, tiny_sd
):
    await enrol(studio)
    await studio.request(characters="Mira", prompt="Mira waits.", alternates=1)
    await studio.quiet()
    db = studio.app.db
    rows = await db.fetch_all("SELECT * FROM preview_run ORDER BY id")
    whole = [plan for plan in await plans_of(studio, 1) if plan["inpaint"] is None]
    assert len(rows) == len(whole), "every picture of every try but of repairs was looked at"
    assert {row["left_alone"] for row in rows} == {1}
    assert all(sorted(json.loads(row["scores"])) == ["0.25", "0.35", "0.5"] for row in rows)
    assert len({(row["look"], row["kind"]) for row in rows}) == 1
    shown = await studio.ann.slash(studio.channel, "panel status", panel=1)
    assert "Held harder" not in answer(shown), "nothing was known yet, so nothing was done"
    assert "Given up" not in answer(shown)

    # Poor at the first look, fine afterwards: held harder from there on, and finished.
    await db.write(lambda tx: remember(tx, {"0.25": 1.0, "0.35": 0.0, "0.5": 0.0}))
    await studio.request(characters="Mira", prompt="Mira runs.", alternates=2)
    await studio.quiet()
    first = (await plans_of(studio, 2))[0]
    held = [(one["alternate"], one["step"], one["hold"]) for one in first["interventions"]]
    left = {n for n in range(2) if is_control(first["seed"] + n)}
    assert held == [(n, 2, RAISE) for n in range(2) if n not in left]
    shown = await studio.ann.slash(studio.channel, "panel status", panel=2)
    assert ("Held harder on the references half way" in answer(shown)) == (len(left) < 2)
    drawn = await db.fetch_all(
        "SELECT sha256 FROM candidate WHERE panel_id = 2 AND attempt_id = "
        "(SELECT min(id) FROM attempt WHERE panel_id = 2) ORDER BY id"
    )
    plan = ConditioningPlan.from_json(json.dumps(first))
    engine = DiffusersGenerator(tiny_sd.options(steps=8))
    assert await repeated(studio, engine, plan) == [row["sha256"] for row in drawn]
    plain = await repeated(studio, engine, replace(plan, interventions=()))
    assert [n for n in range(2) if plain[n] == drawn[n]["sha256"]] == sorted(left)

    # Poor at every look: given up after the second one, but not where it is the last try.
    await db.write(lambda tx: remember(tx, {"0.25": 1.0, "0.35": 1.0, "0.5": 1.0}))
    await studio.request(characters="Mira", prompt="Mira jumps.", alternates=1)
    await studio.quiet()
    tries = await db.fetch_all(
        "SELECT a.id, p.saved_steps, p.left_alone, (SELECT count(*) FROM candidate AS c "
        "WHERE c.attempt_id = a.id) AS kept FROM attempt AS a LEFT JOIN preview_run AS p "
        "ON p.attempt_id = a.id WHERE a.panel_id = 3 ORDER BY a.id"
    )
    assert len(tries) == 2
    assert all(row["saved_steps"] == 5 and not row["kept"] for row in tries if not row["left_alone"]
               and row["left_alone"] is not None)  # fmt: skip
    assert any(row["kept"] for row in tries), "somebody has to get something to look at"
    ended = sum(row["saved_steps"] == 5 for row in tries)
    if ended:  # by its seeds every try may be one that is left alone
        shown = await studio.ann.slash(studio.channel, "panel status", panel=3)
        assert f"Given up half drawn: {ended} of" in answer(shown)
        assert f"saved {5 * ended} steps" in answer(shown)
