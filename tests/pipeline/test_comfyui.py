"""The ComfyUI engine against a server that speaks ComfyUI's API and checks what it gets."""

import io
import json
import time
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files

import numpy as np
import pytest
from comfy_server import ComfyServer, nodes, running
from engine_plans import SIZE, Shelf, full_plan, mask, plan_of, repair_plan
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from pipeline.domain.conditioning import Adapter, ControlKind, ModuleKind, ModuleUse
from pipeline.domain.errors import Cancelled, GenerationFailed, MissingReference, SettingsError
from pipeline.generation.capabilities import fit_to
from pipeline.generation.comfyui.checks import check_graph
from pipeline.generation.comfyui.fill import fill
from pipeline.generation.comfyui.follow import Pace
from pipeline.generation.comfyui.library import find_workflows
from pipeline.generation.comfyui.order import order_of
from pipeline.generation.comfyui.workflow import GROUPS, links_in, read_workflow
from pipeline.generation.generators.comfyui import ComfyUiGenerator
from pipeline.generation.generators.registry import declared, load_generator
from pipeline.generation.remote.errors import (
    EngineDown,
    EngineLacks,
    EngineOutOfMemory,
    EngineRefused,
    EngineSlow,
)

PACE = Pace(tick=0.02, look=0.1, away=0.5, patience=20.0)


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[ComfyServer, str]]:
    server = ComfyServer()
    with running(server.app()) as url:
        yield server, url


@pytest.fixture(scope="module")
def shared_engine(served) -> Iterator[ComfyUiGenerator]:
    engine = ComfyUiGenerator({"url": served[1], "pace": PACE})
    yield engine
    engine.close()


@pytest.fixture
def server(served) -> ComfyServer:
    fresh = ComfyServer()
    server, _ = served
    server.manners, server.nodes = fresh.manners, fresh.nodes
    server.files.clear()
    server.graphs.clear()
    server.history.clear()
    server.interrupts.clear()
    server.requests.clear()
    return server


@pytest.fixture
def engine(shared_engine: ComfyUiGenerator, server: ComfyServer) -> ComfyUiGenerator:
    shared_engine._client.forget_nodes()
    shared_engine._pace = PACE
    return shared_engine


class Seen(list[tuple[float, str]]):
    def __init__(self) -> None:
        self.previews: list[bytes] = []

    def __call__(self, fraction: float, note: str, preview: bytes | None = None, /) -> None:
        self.append((fraction, note))
        if preview is not None:
            self.previews.append(preview)


def draw(engine, plan, shelf, *, cancelled=lambda: False, progress=None):
    return engine.generate(
        plan, shelf, progress=Seen() if progress is None else progress, cancelled=cancelled
    )


def pixels(candidate) -> np.ndarray:
    image = Image.open(io.BytesIO(candidate.image))
    assert image.mode == "RGB"
    return np.asarray(image)


def inputs_of(graph, class_type) -> list[dict]:
    return [node["inputs"] for node in graph.values() if node["class_type"] == class_type]


def test_a_plan_becomes_pictures_and_nothing_stays_on_the_server(server, engine):
    shelf, seen = Shelf(), Seen()
    plan = plan_of(shelf)
    drawn = draw(engine, plan, shelf, progress=seen)
    assert [c.size for c in drawn] == [SIZE, SIZE]
    assert pixels(drawn[0]).shape == (SIZE.height, SIZE.width, 3)
    assert not np.array_equal(pixels(drawn[0]), pixels(drawn[1]))
    assert server.jobs == []
    assert [inputs_of(g, "KSampler")[0]["seed"] for g in server.graphs] == [41, 42]
    assert {name.endswith("[temp]") for name in server.files} == {True}
    fractions = [fraction for fraction, _ in seen]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert any(note.startswith("alternate 1: step") for _, note in seen)


def test_the_same_plan_gives_the_same_request_and_the_same_pixels(server, engine):
    shelf = Shelf()
    first = draw(engine, plan_of(shelf), shelf)
    graphs = list(server.graphs)
    again = draw(engine, plan_of(Shelf()), shelf)
    assert server.graphs[2:] == graphs
    assert [c.image for c in again] == [c.image for c in first]
    other = draw(engine, plan_of(shelf, seed=99, alternates=1), shelf)
    assert other[0].image != first[0].image


def test_words_weights_and_brackets(server, engine):
    shelf = Shelf()
    draw(engine, plan_of(shelf, alternates=1), shelf)
    texts = [node["text"] for node in inputs_of(server.graphs[0], "CLIPTextEncode")]
    assert "They run, fast, Akira \\(navy hair\\)" in texts
    assert "(blonde hair:1.3)" in texts


def test_what_people_write_loads_no_file(server, engine):
    shelf = Shelf()
    words = "a <lora:evil:1> embedding:evil (shouting:1.9) {a|b} \\(x"
    draw(engine, plan_of(shelf, prompt=words, prompt_parts=(), alternates=1), shelf)
    text = inputs_of(server.graphs[0], "CLIPTextEncode")[0]["text"]
    assert "<" not in text
    assert "{" not in text
    assert "embedding:" not in text
    assert "\\(shouting:1.9\\)" in text


def test_references_go_through_the_adapter_of_their_role(server, engine):
    shelf = Shelf()
    draw(engine, plan_of(shelf, alternates=1), shelf)
    graph = server.graphs[0]
    applied = inputs_of(graph, "IPAdapterAdvanced")
    assert [round(one["weight"], 4) for one in applied] == [0.3, 0.3, 0.5]
    files = [graph[one["ipadapter"][0]]["inputs"]["ipadapter_file"] for one in applied]
    assert [("face" in name) for name in files] == [False, False, True]
    assert all("attn_mask" not in one for one in applied)
    for image in inputs_of(graph, "LoadImage"):
        sent = Image.open(io.BytesIO(server.files[image["image"]]))
        assert sent.width == sent.height
        assert sent.getpixel((0, 0)) in ((255, 255, 255), (0, 0, 128)), "paper, not black"


def test_two_characters_guides_and_a_lora(server, engine):
    shelf = Shelf()
    server.nodes["LoraLoader"]["input"]["required"]["lora_name"][0][:] = [
        "cast/akira_s1.safetensors"
    ]
    draw(engine, full_plan(shelf), shelf)
    graph = server.graphs[0]
    assert len(inputs_of(graph, "IPAdapterAdvanced")) == 6
    assert all("attn_mask" in one for one in inputs_of(graph, "IPAdapterAdvanced"))
    assert len(inputs_of(graph, "ConditioningSetMask")) == 4
    assert inputs_of(graph, "LoraLoader")[0]["lora_name"] == "cast/akira_s1.safetensors"
    guides = inputs_of(graph, "ControlNetApplyAdvanced")
    assert [(g["strength"], g["end_percent"]) for g in guides] == [(0.7, 1.0), (0.4, 0.4)]
    confined = Image.open(io.BytesIO(server.files[graph[guides[0]["image"][0]]["inputs"]["image"]]))
    assert np.asarray(confined)[:, -100:].max() == 0, "black outside of its character's region"
    assert any("akrx" in node["text"] for node in inputs_of(graph, "CLIPTextEncode"))


def test_repair_changes_nothing_outside_the_mask(server, engine):
    shelf = Shelf()
    plan = repair_plan(shelf)
    (drawn,) = draw(engine, plan, shelf)
    base = np.asarray(Image.open(io.BytesIO(shelf[plan.inpaint.base_sha256])))
    inside = np.asarray(Image.open(io.BytesIO(mask()))) > 0
    assert np.array_equal(pixels(drawn)[~inside], base[~inside])
    assert not np.array_equal(pixels(drawn)[inside], base[inside])
    assert inputs_of(server.graphs[0], "KSampler")[0]["denoise"] == 0.6
    assert inputs_of(server.graphs[0], "EmptyLatentImage") == []


@pytest.mark.parametrize("metadata", [False, True])
def test_previews(server, engine, metadata):
    shelf, seen = Shelf(), Seen()
    server.manners.metadata_previews = metadata
    draw(engine, plan_of(shelf), shelf, progress=seen)
    assert len(seen.previews) == 2, "one for each picture, and no more within two seconds"
    assert all(Image.open(io.BytesIO(data)).format == "PNG" for data in seen.previews)


def test_a_preview_that_is_no_picture_is_left_out(server, engine):
    shelf, seen = Shelf(), Seen()
    server.manners.broken_previews = True
    assert len(draw(engine, plan_of(shelf), shelf, progress=seen)) == 2
    assert seen.previews == []


# --- misbehaviour --------------------------------------------------------------------------------


def test_nobody_answers():
    engine = ComfyUiGenerator({"url": "http://127.0.0.1:9", "pace": PACE})
    shelf = Shelf()
    with pytest.raises(EngineDown, match=r"does not answer. Ask whoever runs the bot") as caught:
        draw(engine, plan_of(shelf), shelf)
    assert "127.0.0.1" not in str(caught.value)
    engine.close()


@pytest.mark.parametrize("path", ["/upload/image", "/prompt", "/view"])
def test_an_error_of_the_server_is_told_without_its_traceback(server, engine, path):
    shelf = Shelf()
    server.manners.answer_500 = {path}
    with pytest.raises(EngineRefused, match="500") as caught:
        draw(engine, plan_of(shelf), shelf)
    assert "secret" not in str(caught.value)
    assert server.jobs == []


def test_a_missing_node_is_named_with_its_pack(server, engine):
    shelf = Shelf()
    del server.nodes["IPAdapterAdvanced"]
    with pytest.raises(EngineLacks, match=r"IPAdapterAdvanced.*install ComfyUI_IPAdapter_plus"):
        draw(engine, plan_of(shelf), shelf)
    assert server.graphs == []
    server.nodes = ComfyServer().nodes
    assert len(draw(engine, plan_of(shelf), shelf)) == 2, "as soon as it is installed"


def test_a_missing_model_is_named_with_its_folder(server, engine):
    shelf = Shelf()
    server.nodes["CheckpointLoaderSimple"]["input"]["required"]["ckpt_name"][0][:] = [
        "other.safetensors"
    ]
    words = "no “v1-5-pruned-emaonly.safetensors” in models/checkpoints. It has other.safetensors"
    with pytest.raises(EngineLacks, match=words):
        draw(engine, plan_of(shelf), shelf)


def test_a_model_that_went_away_after_the_look_is_named_too(server, engine):
    shelf = Shelf()
    draw(engine, plan_of(shelf, alternates=1), shelf)  # remembers the nodes
    server.nodes["IPAdapterModelLoader"]["input"]["required"]["ipadapter_file"][0].clear()
    with pytest.raises(
        EngineLacks, match=r"ip-adapter-plus_sd15.safetensors” in models/ipadapter. It has none"
    ):
        draw(engine, plan_of(shelf), shelf)


def test_a_missing_lora_is_named(server, engine):
    shelf = Shelf()
    module = ModuleUse(ModuleKind.LORA, "mira_s2", "cd" * 32, 0.8, "trained")
    with pytest.raises(EngineLacks, match=r"no LoRA for mira_s2.*mira_s2.safetensors"):
        draw(engine, plan_of(shelf, modules=(module,)), shelf)


def test_an_embedding_is_called_by_its_file(server, engine):
    shelf = Shelf()
    module = ModuleUse(ModuleKind.TEXTUAL_INVERSION, "mira_s1", "cd" * 32, 1.0, "trained", "<mira>")
    draw(engine, plan_of(shelf, modules=(module,), alternates=1), shelf)
    texts = [node["text"] for node in inputs_of(server.graphs[0], "CLIPTextEncode")]
    assert any("(embedding:mira_s1:1)" in text for text in texts)


def test_a_dropped_socket_loses_nothing(server, engine):
    shelf = Shelf()
    server.manners.drop_socket_at = 2
    assert len(draw(engine, plan_of(shelf), shelf)) == 2
    assert len(server.graphs) == 2, "nothing was queued twice"


def test_a_server_that_tells_of_all_nodes_at_once(server, engine):
    shelf = Shelf()
    server.manners.all_nodes_only = True
    assert len(draw(engine, plan_of(shelf, alternates=1), shelf)) == 1
    assert ("GET", "/object_info") in server.requests


def test_without_any_socket_it_still_draws(server, engine):
    shelf = Shelf()
    server.manners.no_socket = True
    assert len(draw(engine, plan_of(shelf), shelf)) == 2


@pytest.mark.parametrize("own_ids", [False, True])
def test_a_lost_acknowledgement_does_not_queue_the_job_twice(server, engine, own_ids):
    shelf = Shelf()
    server.manners.own_ids = own_ids
    server.manners.drop_answer_to = {"/prompt"}
    assert len(draw(engine, plan_of(shelf, alternates=1), shelf)) == 1
    assert len(server.graphs) == 1
    assert server.jobs == []


def test_a_job_that_the_server_forgot_is_queued_once_more(server, engine):
    shelf = Shelf()
    server.manners.lost_jobs = 1
    assert len(draw(engine, plan_of(shelf, alternates=1), shelf)) == 1
    assert server.graphs[0] == server.graphs[1]
    server.manners.lost_jobs = 2
    with pytest.raises(EngineSlow, match="forgot the job twice"):
        draw(engine, plan_of(shelf, alternates=1), shelf)


def test_a_server_that_is_away_for_a_moment(server, engine):
    shelf = Shelf()
    server.manners.deaf_on = {"/queue": 3}
    assert len(draw(engine, plan_of(shelf), shelf)) == 2
    assert len(server.graphs) == 2


def test_a_server_that_stays_away(server, engine):
    shelf = Shelf()
    server.manners.never_finish = True
    server.manners.deaf_on = {"/queue": 10**6}
    with pytest.raises(EngineDown, match="stopped answering while it was drawing"):
        draw(engine, plan_of(shelf), shelf)
    server.manners.deaf_on, server.manners.never_finish = {}, False
    deadline = time.monotonic() + 20
    while server.jobs:
        server._interrupted = True
        server.history.clear()
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_job_without_progress_is_taken_back(server, engine):
    shelf = Shelf()
    server.manners.never_finish = True
    engine._pace = replace(PACE, patience=0.5)
    with pytest.raises(EngineSlow, match=r"no progress.*ONMODEL_COMFYUI_TIMEOUT"):
        draw(engine, plan_of(shelf), shelf)
    assert server.jobs == []


@pytest.mark.parametrize("own_ids", [False, True])
def test_cancel_midway_interrupts_our_job_only(server, engine, own_ids):
    shelf, seen = Shelf(), Seen()
    server.manners.step_seconds, server.manners.own_ids = 0.05, own_ids
    plan = plan_of(shelf, sampling=replace(plan_of(shelf).sampling, steps=400))
    with pytest.raises(Cancelled):
        draw(
            engine, plan, shelf, progress=seen, cancelled=lambda: any("step" in n for _, n in seen)
        )
    assert server.jobs == []
    assert len(server.graphs) == 1
    assert len(server.interrupts) >= 1
    assert "somebody else's" not in server.interrupts


def test_cancel_in_the_queue_leaves_others_alone(server, engine):
    shelf, seen = Shelf(), Seen()
    other = server.queue_for_others(seconds=30)
    waiting = lambda: any("queue, 1 before it" in note for _, note in seen)  # noqa: E731
    with pytest.raises(Cancelled):
        draw(engine, plan_of(shelf), shelf, progress=seen, cancelled=waiting)
    assert server.jobs == [other]
    assert server.interrupts == []
    server._interrupted = True  # the other one ends


def test_nothing_is_asked_of_the_server_once_cancelled(server, engine):
    shelf = Shelf()
    with pytest.raises(Cancelled):
        draw(engine, plan_of(shelf), shelf, cancelled=lambda: True)
    assert server.graphs == []


@pytest.mark.parametrize(
    ("kind", "words", "error", "said"),
    [
        ("torch.OutOfMemoryError", "Allocation on device", EngineOutOfMemory, "graphics memory"),
        ("ValueError", "bad /srv/secret", EngineRefused, "failed in KSampler"),
        ("FileNotFoundError", "[Errno 2] /srv/secret", EngineLacks, "lacks a file that KSampler"),
    ],
)
def test_a_failing_node(server, engine, kind, words, error, said):
    shelf = Shelf()
    server.manners.fail_with = (kind, words)
    with pytest.raises(error, match=said) as caught:
        draw(engine, plan_of(shelf), shelf)
    assert "secret" not in str(caught.value)
    assert server.jobs == []


def test_a_picture_that_was_not_given(server, engine):
    shelf = Shelf()
    plan = plan_of(shelf)
    shelf.clear()
    with pytest.raises(MissingReference, match="A reference picture of Akira"):
        draw(engine, plan, shelf)


# --- settings and workflows ----------------------------------------------------------------------


def test_it_says_what_it_can_do():
    engine = load_generator("comfyui")
    able = engine.capabilities
    assert able.adapters == {Adapter.IP_WHOLE, Adapter.IP_FACE}
    assert able.controls
    assert able.inpaint
    assert able.lora
    assert not able.reference_attention
    assert declared("comfyui").prompt_tokens == 154
    notes = fit_to(full_plan(Shelf()), able).notes
    assert "comfyui: no reference attention" in notes
    engine.close()


@pytest.mark.parametrize("url", ["http://10.0.0.7:8188", "https://comfy.example.org"])
def test_another_machine_must_be_allowed_aloud(url):
    with pytest.raises(SettingsError, match="ONMODEL_COMFYUI_ALLOW_REMOTE"):
        ComfyUiGenerator({"url": url})
    ComfyUiGenerator({"url": url, "allow_remote": True}).close()


@pytest.mark.parametrize(
    "url", ["ftp://localhost", "localhost:8188", "http://a:b@localhost", "http://localhost:99999"]
)
def test_addresses_that_are_none(url):
    with pytest.raises(SettingsError, match="ONMODEL_COMFYUI_URL"):
        ComfyUiGenerator({"url": url})


@pytest.mark.parametrize("family", ["sd15", "sdxl"])
def test_every_shipped_workflow_fits_the_real_nodes(family):
    """Each with everything in it, and each with nothing but the least."""
    server = ComfyServer(family)
    server.nodes["LoraLoader"]["input"]["required"]["lora_name"][0].append("akira_s1.safetensors")
    with running(server.app()) as url:
        engine = ComfyUiGenerator({"url": url, "workflow": family, "pace": PACE})
        engine.check_server()
        assert "0.3.60 on cuda:0 Test" in engine.describe()
        shelf = Shelf()
        for plan in (full_plan(shelf), repair_plan(shelf), plan_of(shelf, cast=(), alternates=1)):
            assert draw(engine, plan, shelf)
        assert "IPAdapterAdvanced" not in {n["class_type"] for n in server.graphs[-1].values()}
        engine.close()


def shipped(change) -> str:
    data = json.loads((files("pipeline.generation.comfyui") / "templates/sd15.json").read_text())
    change(data)
    return json.dumps(data)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda d: d.pop("_onmodel"), "has no “_onmodel”"),
        (lambda d: d["_onmodel"]["slots"].pop("seed"), "needs a slot “seed”"),
        (lambda d: d["_onmodel"]["slots"].update(sede="3.x"), "unknown slot “sede”"),
        (lambda d: d["_onmodel"]["slots"].update(seed="nine.seed"), "a node “nine”"),
        (lambda d: d["_onmodel"]["slots"].update(seed="sampler.nose"), "no input sampler.nose"),
        (lambda d: d["_onmodel"]["slots"].update(seed="sampler.model"), "a whole number at sampler.model"),
        (lambda d: d["_onmodel"].update(output="x"), "a node “x” at output"),
        (lambda d: d["_onmodel"]["groups"].update(hat={}), "unknown group “hat”"),
        (lambda d: d["_onmodel"]["groups"]["lora"].update(nodes=["checkpoint"]), "lies outside"),
        (lambda d: d["_onmodel"]["groups"]["lora"].update(most=99), "“most” must be 1 to 16"),
        (lambda d: d["sampler"]["inputs"].update(model=["nowhere", 0]), "a node “nowhere” at sampler.model"),
        (lambda d: d.update(nodes=[], links=[]), r"Export \(API\)"),
    ],
)  # fmt: skip
def test_a_template_that_is_wrong_is_refused_with_the_place(change, said):
    with pytest.raises(SettingsError, match=said):
        read_workflow(shipped(change), "mine")


def test_a_workflow_of_the_hosts_own(server, served, tmp_path):
    """Words in, picture out, and nothing else: the engine says what it then cannot do."""
    mine = {
        "_onmodel": {
            "slots": {"positive": "6.text", "seed": "3.seed", "width": "5.width", "height": "5.height"},
            "output": "9",
        },
        "3": {"class_type": "KSampler", "inputs": {
            "model": ["4", 0], "seed": 1, "steps": 3, "cfg": 7.0, "sampler_name": "euler", "scheduler": "normal",
            "positive": ["6", 0], "negative": ["7", 0], "latent_image": ["5", 0], "denoise": 1.0}},
        "4": {"class_type": "CheckpointLoaderSimple", "inputs": {"ckpt_name": "mine.safetensors"}, "_meta": {"title": "x"}},
        "5": {"class_type": "EmptyLatentImage", "inputs": {"width": 512, "height": 512, "batch_size": 1}},
        "6": {"class_type": "CLIPTextEncode", "inputs": {"text": "", "clip": ["4", 1]}},
        "7": {"class_type": "CLIPTextEncode", "inputs": {"text": "ugly", "clip": ["4", 1]}},
        "8": {"class_type": "VAEDecode", "inputs": {"samples": ["3", 0], "vae": ["4", 2]}},
        "9": {"class_type": "PreviewImage", "inputs": {"images": ["8", 0]}},
    }  # fmt: skip
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(mine))
    engine = ComfyUiGenerator({"url": served[1], "workflow": str(path), "pace": PACE})
    shelf = Shelf()
    plan = fit_to(full_plan(shelf), engine.capabilities)
    assert {"reference pictures", "LoRA", "guide pictures (edges, depth)", "negative prompt"} <= {
        note.removeprefix("comfyui: no ") for note in plan.notes
    }
    server._made.clear()
    sent = draw_with_output_nine(server, engine, plan, shelf)
    assert inputs_of(sent, "KSampler")[0]["steps"] == 3, "the workflow's own"
    engine.close()


def draw_with_output_nine(server, engine, plan, shelf):
    real = server._end
    server._end = lambda i, s, m, o: real(i, s, m, {"9": o["output"]} if o else {})
    try:
        assert len(draw(engine, plan, shelf)) == 1
    finally:
        server._end = real
    return server.graphs[-1]


@given(
    st.fixed_dictionaries({name: st.integers(0, 3) for name in GROUPS}),
    st.booleans(),
    st.sampled_from(["sd15", "sdxl"]),
)
@settings(max_examples=40, deadline=None)
def test_any_number_of_copies_gives_a_graph_that_fits(counts, confined, family):
    """The nodes' own rules: every input there, every link of the right kind, nothing left over."""
    values = {
        "image": "a.png [temp]", "scale": 0.5, "text": "x", "name": "cast/akira_s1.safetensors",
        "start": 0.1, "end": 0.9, "region": "r.png [temp]",
    }  # fmt: skip
    items = {
        name: [
            {
                s: values[s]
                for s in GROUPS[name]
                if s != "region" or confined or "text" in GROUPS[name]
            }
        ]
        * count
        for name, count in counts.items()
    }
    graph = fill(find_workflows(family).draw, {"positive": "p", "seed": 1}, items)
    known = nodes(family)
    check_graph(graph, known.get)
    for key, node in graph.items():
        assert set(node["inputs"]) <= {
            *known[node["class_type"]]["input"]["required"], *known[node["class_type"]]["input"]["optional"],
        }, key  # fmt: skip
    kinds = [node["class_type"] for node in graph.values()]
    assert kinds.count("LoraLoader") == counts["lora"]
    assert kinds.count("IPAdapterAdvanced") == counts["reference_whole"] + counts["reference_face"]
    assert kinds.count("ControlNetApplyAdvanced") == sum(
        counts[f"guide_{k.value}"] for k in ControlKind
    )
    assert kinds.count("ConditioningSetMask") == counts["character"] + counts["character_negative"]
    used = {link[0] for node in graph.values() for _, link in links_in(node)}
    assert used == set(graph) - {"output"}, "no node that nothing needs"


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read"):
        find_workflows(str(tmp_path / "none.json"))


def test_an_unknown_sampler_is_named():
    shelf = Shelf()
    plan = plan_of(shelf)
    plan = replace(plan, sampling=replace(plan.sampling, sampler="magic"))
    with pytest.raises(GenerationFailed, match="no sampler “magic”"):
        order_of(plan, shelf, find_workflows("sd15"))


def test_no_reference_is_one_too_many_for_its_group(tmp_path):
    path = tmp_path / "few.json"
    path.write_text(shipped(lambda d: d["_onmodel"]["groups"]["reference_face"].update(most=1)))
    engine = ComfyUiGenerator({"workflow": str(path)})
    assert engine.capabilities.references == 1
    notes = fit_to(full_plan(Shelf()), engine.capabilities).notes
    assert "comfyui: no more than 1 reference pictures per character" in notes
    engine.close()


def test_a_kind_of_guide_without_a_place_is_said(tmp_path):
    path = tmp_path / "less.json"
    path.write_text(shipped(lambda d: d["_onmodel"]["groups"].pop("guide_depth")))
    engine = ComfyUiGenerator({"workflow": str(path)})
    assert ControlKind.DEPTH not in engine.capabilities.control_kinds
    assert (
        "comfyui: no guide pictures (depth)"
        in fit_to(full_plan(Shelf()), engine.capabilities).notes
    )
    engine.close()
