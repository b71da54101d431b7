"""The AUTOMATIC1111 engine against a server that speaks its API and checks what it gets."""

import base64
import io
import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
import urllib3
from a1111_server import CHECKPOINT, A1111Server
from comfy_server import running
from engine_plans import SIZE, Shelf, full_plan, mask, plan_of, repair_plan
from PIL import Image

from pipeline.domain.conditioning import Adapter, ControlKind, ModuleKind, ModuleUse, Variation
from pipeline.domain.errors import Cancelled, SettingsError
from pipeline.generation.capabilities import fit_to
from pipeline.generation.generators.a1111 import A1111Generator
from pipeline.generation.generators.registry import declared
from pipeline.generation.remote.errors import (
    EngineDown,
    EngineLacks,
    EngineOutOfMemory,
    EngineRefused,
    EngineSlow,
)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[A1111Server, str]]:
    server = A1111Server()
    with running(server.app()) as url:
        yield server, url


@pytest.fixture(scope="module")
def shared_engine(served) -> Iterator[A1111Generator]:
    engine = A1111Generator({"url": served[1]})
    yield engine
    engine.close()


@pytest.fixture
def server(served) -> A1111Server:
    server, _ = served
    server.manners = A1111Server().manners
    for log in (server.bodies, server.paths, server.interrupts):
        log.clear()
    return server


@pytest.fixture
def engine(shared_engine: A1111Generator, server) -> A1111Generator:
    shared_engine._taken = shared_engine._failed = float("-inf")
    shared_engine._patience = 20.0
    return shared_engine


def draw(engine, plan, shelf, *, cancelled=lambda: False, progress=lambda _f, _n, _p=None: None):
    return engine.generate(plan, shelf, progress=progress, cancelled=cancelled)


def pixels(candidate) -> np.ndarray:
    return np.asarray(Image.open(io.BytesIO(candidate.image)))


def units_of(body) -> list[dict]:
    return body["alwayson_scripts"]["controlnet"]["args"]


def one(shelf, **changes):
    return plan_of(shelf, generator="a1111", alternates=1, **changes)


def test_a_variation_keeps_the_seed_and_counts_up_the_other_noise(server, engine):
    shelf = Shelf()
    plan = plan_of(shelf, generator="a1111", variations=(Variation(900, 0.25),))
    drawn = draw(engine, plan, shelf)
    assert not np.array_equal(pixels(drawn[0]), pixels(drawn[1]))
    (body,) = server.bodies
    assert (body["seed"], body["subseed"], body["subseed_strength"]) == (41, 900, 0.25)
    assert engine.capabilities.variations == declared("a1111").variations == 1


def test_a_plan_becomes_pictures(server, engine):
    shelf, seen = Shelf(), []
    drawn = draw(engine, plan_of(shelf), shelf, progress=lambda f, _n, _p=None: seen.append(f))
    assert [c.size for c in drawn] == [SIZE, SIZE]
    assert not np.array_equal(pixels(drawn[0]), pixels(drawn[1]))
    (body,) = server.bodies
    assert (body["seed"], body["batch_size"], body["n_iter"]) == (41, 2, 1)
    assert (body["sampler_name"], body["scheduler"]) == ("DPM++ 2M", "Karras")
    assert body["negative_prompt"] == "(blonde hair:1.3)"
    assert body["override_settings"] == {}
    assert seen == sorted(seen)
    assert seen[-1] == 1.0


def test_the_same_plan_gives_the_same_request_and_the_same_pixels(server, engine):
    first, again = Shelf(), Shelf()
    drawn = draw(engine, plan_of(first), first)
    assert [c.image for c in draw(engine, plan_of(again), again)] == [c.image for c in drawn]
    a, b = ({k: v for k, v in body.items() if k != "force_task_id"} for body in server.bodies)
    assert a == b
    (alone,) = draw(engine, one(first, seed=42), first)
    assert alone.image == drawn[1].image, "an alternate is its seed"


def test_units_for_references_and_guides(server, engine):
    shelf = Shelf()
    server.manners.units = 9
    draw(engine, replace(full_plan(shelf), cast=full_plan(shelf).cast[:1]), shelf)
    units = units_of(server.bodies[0])
    assert [unit["model"].split(" ")[0] for unit in units] == [
        "control_v11p_sd15_canny", "control_v11f1p_sd15_depth",
        "ip-adapter-plus_sd15", "ip-adapter-plus_sd15", "ip-adapter-plus-face_sd15",
    ]  # fmt: skip
    assert [unit["weight"] for unit in units] == [0.7, 0.4, 0.3, 0.3, 0.5]
    assert units[1]["guidance_end"] == 0.4
    assert "<lora:akira_s1:0.8>, akrx" in server.bodies[0]["prompt"]


def test_what_people_write_loads_no_file(server, engine):
    shelf = Shelf()
    words = "run <lora:evil:1> [a:b:0.5] (x:2) BREAK AND go"
    draw(engine, one(shelf, prompt=words, prompt_parts=()), shelf)
    prompt = server.bodies[0]["prompt"]
    assert prompt == "run ‹lora:evil:1› \\[a:b:0.5\\] \\(x:2\\) break and go"


def test_repair_changes_nothing_outside_the_mask(server, engine):
    shelf = Shelf()
    plan = repair_plan(shelf)
    (drawn,) = draw(engine, plan, shelf)
    assert server.paths == ["/sdapi/v1/img2img"]
    assert server.bodies[0]["denoising_strength"] == 0.6
    base = np.asarray(Image.open(io.BytesIO(shelf[plan.inpaint.base_sha256])))
    inside = np.asarray(Image.open(io.BytesIO(mask()))) > 0
    assert np.array_equal(pixels(drawn)[~inside], base[~inside])
    assert not np.array_equal(pixels(drawn)[inside], base[inside])


def test_a_batch_that_is_too_large_is_drawn_one_by_one(server, engine):
    shelf = Shelf()
    together = draw(engine, plan_of(shelf), shelf)
    server.manners.memory_for = 1
    apart = draw(engine, plan_of(shelf), shelf)
    assert [c.image for c in apart] == [c.image for c in together]
    assert [(b["batch_size"], b["n_iter"]) for b in server.bodies] == [(2, 1), (2, 1), (1, 2)]
    server.manners.memory_for = 0
    with pytest.raises(EngineOutOfMemory, match="graphics memory"):
        draw(engine, plan_of(shelf), shelf)


def test_older_web_uis(server, engine):
    shelf = Shelf()
    server.manners.schedulers = server.manners.knows_tasks = False
    draw(engine, one(shelf), shelf)
    assert server.bodies[0]["sampler_name"] == "DPM++ 2M Karras"
    assert "scheduler" not in server.bodies[0]


def test_previews(server, engine):
    shelf, previews = Shelf(), []
    server.manners.step_seconds = 0.2
    draw(engine, one(shelf), shelf, progress=lambda _f, _n, *preview: previews.extend(preview))
    assert previews
    assert all(Image.open(io.BytesIO(data)).size == (8, 8) for data in previews)


# --- what it can do -------------------------------------------------------------------------------


def test_it_says_what_it_can_do(server, engine):
    able = engine.capabilities
    assert able.adapters == {Adapter.IP_WHOLE, Adapter.IP_FACE}
    assert able.control_kinds == set(ControlKind)
    assert able.references == 1
    assert [(m.name, m.sha256) for m in able.models] == [(CHECKPOINT, "ab" * 32)]
    notes = fit_to(replace(full_plan(Shelf()), generator="a1111"), able).notes
    assert {
        "a1111: no reference attention",
        "a1111: no regions for the characters",
        "a1111: no more than 1 reference pictures per character",
    } <= set(notes)
    assert declared("a1111").prompt_tokens == 154
    assert "3 ControlNet units" in engine.describe()


def test_without_controlnet_it_says_so_instead_of_dropping_references(server, engine):
    shelf = Shelf()
    server.manners.controlnet = False
    plan = fit_to(replace(full_plan(shelf), generator="a1111"), engine.capabilities)
    assert {"a1111: no reference pictures", "a1111: no guide pictures (edges, depth)"} <= set(
        plan.notes
    )
    draw(engine, plan, shelf)
    assert "alwayson_scripts" not in server.bodies[0]
    with pytest.raises(EngineLacks, match="no ControlNet extension"):
        engine.check_server()


def test_without_ip_adapters_the_guides_still_work(server, engine):
    server.manners.adapters = False
    assert engine.capabilities.references == 0
    assert engine.capabilities.controls
    with pytest.raises(EngineLacks, match="no IP-Adapter for sd15"):
        engine.check_server()


def test_models_of_the_other_family_do_not_fit(server, served):
    engine = A1111Generator({"url": served[1], "family": "sdxl"})
    able = engine.capabilities
    assert able.adapters == {Adapter.IP_WHOLE}
    assert able.control_kinds == {ControlKind.EDGES}
    assert able.native_pixels == 1024 * 1024
    engine.close()


def test_more_units_than_there_are(server, engine):
    shelf = Shelf()
    with pytest.raises(EngineLacks, match="needs 8 ControlNet units, AUTOMATIC1111 has 3"):
        draw(engine, full_plan(shelf), shelf)


def test_a_checkpoint_by_name_and_one_that_is_not_there(server, served):
    shelf = Shelf()
    engine = A1111Generator({"url": served[1], "checkpoint": "ink_v1.safetensors"})
    draw(engine, one(shelf), shelf)
    assert server.bodies[0]["override_settings"] == {
        "sd_model_checkpoint": "ink_v1.safetensors [def456]"
    }
    engine.close()
    engine = A1111Generator({"url": served[1], "checkpoint": "nope"})
    with pytest.raises(EngineLacks, match="no checkpoint “nope”; it has ink_v1, toon_v2"):
        draw(engine, one(shelf), shelf)
    engine.close()


def test_an_embedding_is_called_by_its_name(server, engine):
    shelf = Shelf()
    module = ModuleUse(ModuleKind.TEXTUAL_INVERSION, "mira_s1", "cd" * 32, 0.9, "trained", "<mira>")
    draw(engine, one(shelf, modules=(module,)), shelf)
    assert "(mira_s1:0.9)" in server.bodies[0]["prompt"]
    gone = replace(module, appearance_id="mira_s9")
    with pytest.raises(EngineLacks, match="no embedding for mira_s9"):
        draw(engine, one(shelf, modules=(gone,)), shelf)


# --- misbehaviour --------------------------------------------------------------------------------


def test_nobody_answers():
    engine = A1111Generator({"url": "http://127.0.0.1:9"})
    assert engine.capabilities.references == 0
    shelf = Shelf()
    with pytest.raises(EngineDown, match="does not answer") as caught:
        draw(engine, one(shelf), shelf)
    assert "127.0.0.1" not in str(caught.value)
    engine.close()


def test_an_error_of_the_server_is_told_without_its_details(server, engine):
    shelf = Shelf()
    server.manners.answer_500 = {"/sdapi/v1/txt2img"}
    with pytest.raises(EngineRefused, match="500") as caught:
        draw(engine, one(shelf), shelf)
    assert "secret" not in str(caught.value)


def test_started_without_its_api(server, engine):
    server.manners.api = False
    shelf = Shelf()
    with pytest.raises(EngineLacks, match="--api"):
        draw(engine, one(shelf), shelf)


def test_passwords(server, served, engine):
    server.manners.password = "ann:secret"
    shelf = Shelf()
    with pytest.raises(EngineLacks, match="ONMODEL_A1111_AUTH"):
        draw(engine, one(shelf), shelf)
    known = A1111Generator({"url": served[1], "auth": "ann:secret"})
    assert len(draw(known, one(shelf), shelf)) == 1
    known.close()


def test_controlnet_that_went_away_after_the_look(server, engine):
    shelf = Shelf()
    draw(engine, one(shelf), shelf)
    server.manners.controlnet = False
    with pytest.raises(EngineLacks, match="lacks the ControlNet extension"):
        draw(engine, one(shelf), shelf)
    assert engine.capabilities.references == 0, "it looked again"


def test_a_dropped_connection(server, engine):
    shelf = Shelf()
    server.manners.hangs_up = True
    with pytest.raises(EngineDown):
        draw(engine, one(shelf), shelf)


def test_a_web_ui_that_is_deaf_while_it_draws(server, engine):
    shelf = Shelf()
    server.manners.step_seconds = 0.15
    server.manners.deaf_on = {"/internal/progress", "/sdapi/v1/progress"}
    assert len(draw(engine, one(shelf), shelf)) == 1


def test_fewer_pictures_than_asked_for(server, engine):
    shelf = Shelf()
    server.manners.forgets_a_picture = True
    with pytest.raises(EngineRefused, match="other pictures than it was asked for"):
        draw(engine, plan_of(shelf), shelf)


@pytest.mark.parametrize("knows_tasks", [True, False])
def test_no_progress(server, engine, knows_tasks):
    shelf = Shelf()
    server.manners.never_finish, server.manners.knows_tasks = True, knows_tasks
    engine._patience = 0.4
    with pytest.raises(EngineSlow, match="ONMODEL_A1111_TIMEOUT"):
        draw(engine, one(shelf), shelf)
    assert server.jobs == []


def test_cancel_midway(server, engine):
    shelf, seen = Shelf(), []
    server.manners.never_finish = True
    with pytest.raises(Cancelled):
        draw(
            engine, one(shelf), shelf,
            progress=lambda _f, note, _p=None: seen.append(note), cancelled=lambda: "drawing" in seen,
        )  # fmt: skip
    assert server.jobs == []
    assert server.interrupts


def test_cancel_in_the_queue_leaves_the_others_job_alone(server, engine, served, monkeypatch):
    monkeypatch.setattr("pipeline.generation.generators.a1111._STOP_SECONDS", 0.2)
    shelf, seen = Shelf(), []
    draw(engine, one(shelf), shelf)
    theirs = {**server.bodies[0], "force_task_id": "theirs"}
    server.manners.never_finish = True
    other = threading.Thread(
        target=lambda: urllib3.request("POST", f"{served[1]}/sdapi/v1/txt2img", json=theirs).data
    )
    other.start()
    until(lambda: server.current == "theirs")
    with pytest.raises(Cancelled):
        draw(
            engine, one(shelf), shelf,
            progress=lambda _f, note, _p=None: seen.append(note),
            cancelled=lambda: "waiting in AUTOMATIC1111's queue" in seen,
        )  # fmt: skip
    assert server.interrupts == []
    assert server.current == "theirs"
    server._interrupted = True  # theirs ends; ours comes up and is stopped
    until(lambda: server.jobs == [])
    other.join()
    assert server.interrupts
    assert "theirs" not in server.interrupts


def until(what) -> None:
    deadline = time.monotonic() + 20
    while not what():
        assert time.monotonic() < deadline, "it did not happen"
        time.sleep(0.02)


def test_answers_that_hold_no_picture():
    from pipeline.generation.generators.a1111 import _decoded

    assert _decoded(f"data:image/png;base64,{base64.b64encode(b'x').decode()}") == b"x"
    with pytest.raises(EngineRefused):
        _decoded("%%%")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"url": "http://192.168.0.2:7860"}, "ONMODEL_A1111_ALLOW_REMOTE"),
        ({"url": "nonsense"}, "ONMODEL_A1111_URL"),
        ({"family": "flux"}, "ONMODEL_A1111_FAMILY"),
        ({"auth": "secret"}, "ONMODEL_A1111_AUTH"),
    ],
)
def test_settings_that_cannot_be_used(options, said):
    with pytest.raises(SettingsError, match=said):
        A1111Generator(options)
