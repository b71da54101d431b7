"""The page about generators says what the code can do, needs and looks for."""

import re
from pathlib import Path

import pytest

from pipeline.domain.conditioning import Adapter, ControlKind
from pipeline.domain.geometry import Size
from pipeline.generation.a1111.inventory import Inventory
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.comfyui.library import find_workflows
from pipeline.generation.diffusion.abilities import capabilities_of
from pipeline.generation.diffusion.families import FAMILIES
from pipeline.generation.diffusion.installed import AdapterPath, Installed
from pipeline.generation.diffusion.memory import (
    Load,
    MemoryPlan,
    Offload,
    in_words,
    peak_of,
)
from pipeline.generation.generators.comfyui import ComfyUiGenerator
from pipeline.generation.generators.draft import DraftGenerator

PAGE = (Path(__file__).parents[2] / "docs" / "generators.md").read_text(encoding="utf-8")
MILLION = 10**6
PARAMETERS = {
    "sd15": {"unet": 860, "text_encoder": 123, "vae": 84},
    "sdxl": {"unet": 2567, "text_encoder": 123, "text_encoder_2": 695, "vae": 84},
    "flux": {"transformer": 11901, "text_encoder": 123, "text_encoder_2": 4762, "vae": 84},
}
"""Millions of weights of the published models."""


def table(heading: str) -> dict[str, dict[str, str]]:
    """The first table under a heading: row → column → cell."""
    lines = PAGE.split(heading, 1)[1].splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith("|"))
    rows = []
    for line in lines[start:]:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split("|")])
    head, _, *body = rows
    return {row[0]: dict(zip(head[1:], row[1:], strict=True)) for row in body}


def engines() -> dict[str, list[Capabilities]]:
    """Each column of the table, with everything in place."""
    here = Path("here")
    found = {"draft": [DraftGenerator.capabilities]}
    for family in FAMILIES:
        adapters = {adapter: AdapterPath(here, here) for adapter in family.adapters}
        controls = dict.fromkeys(family.controls, here)
        installed = Installed(family, "x", here, 4, family.native_side, 8, adapters, controls)
        found[f"diffusers {family.name}"] = [capabilities_of(installed)]
    found["comfyui"] = []
    for workflow in ("sd15", "sdxl"):
        engine = ComfyUiGenerator({"workflow": workflow})
        found["comfyui"].append(engine.capabilities)
        engine.close()
    whole = Inventory(
        units=3,
        encoder="ip-adapter-auto",
        adapters={Adapter.IP_WHOLE: "a", Adapter.IP_FACE: "b"},
        guides=dict.fromkeys(ControlKind, "c"),
    )
    found["a1111"] = [whole.capabilities(family) for family in ("sd15", "sdxl")]
    return found


def words(able: Capabilities) -> dict[str, str]:
    """A column as the page writes it."""
    guides = able.control_kinds if able.controls else frozenset()
    pasted = f"{able.references}, pasted" if able.pastes_references else str(able.references)
    yes_or_no = {
        "IP-Adapter, whole figure": Adapter.IP_WHOLE in able.adapters,
        "IP-Adapter, face": Adapter.IP_FACE in able.adapters,
        "reference attention": able.reference_attention,
        "guide: lines of a sketch": ControlKind.EDGES in guides,
        "guide: pose skeleton": ControlKind.POSE in guides,
        "guide: staging (depth)": ControlKind.DEPTH in guides,
        "a region for each character": able.regions,
        "local repair": able.inpaint,
        "LoRA": able.lora,
        "textual inversion": able.textual_inversion,
        "negative prompt": able.negative,
        "words with weights": able.prompt_weights,
    }
    return {
        "pictures per character": pasted if able.references else "no",
        **{name: "yes" if value else "no" for name, value in yes_or_no.items()},
        "near variations, in a row": str(able.variations) if able.variations else "no",
        "tokens of a prompt": "any" if able.prompt_tokens is None else str(able.prompt_tokens),
    }


def test_the_table_is_what_the_code_says():
    said = table("## What each engine can do")
    for column, variants in engines().items():
        for able in variants:
            assert {row: cells[column] for row, cells in said.items()} == words(able), column


@pytest.mark.parametrize("family", PARAMETERS)
def test_the_memory_is_what_the_engine_computes(family: str):
    side = 512 if family == "sd15" else 1024
    (row,) = [cells for name, cells in table("### Memory").items() if name.startswith(family)]
    weights = {name: 2 * count * MILLION for name, count in PARAMETERS[family].items()}

    def load(alternates: int) -> Load:
        flux = family == "flux"
        return Load(
            family,
            Size(side, side),
            alternates,
            weights,
            "transformer" if flux else "unet",
            rows=1 if flux else 2,
            decoder_bytes=4 if family == "sdxl" else 2,
        )

    frugal = MemoryPlan(1, Offload.COMPONENTS, sliced=True, tiled=True)
    assert row == {
        "one picture": in_words(peak_of(MemoryPlan(1), load(1))),
        "four at once": in_words(peak_of(MemoryPlan(4), load(4))),
        "the least": in_words(peak_of(frugal, load(1))),
    }


def test_the_commands_and_the_files_are_those_that_are_looked_for():
    for family in FAMILIES:
        assert f"hf download {family.model.repository} " in PAGE
        if family.adapters_hub is not None:
            assert f"hf download {family.adapters_hub.repository} " in PAGE
            assert f"--include '{family.adapters_hub.pattern}'" in PAGE
        for kind, hub in family.controls.items():
            line = next(line for line in PAGE.splitlines() if hub.repository + " " in line)
            assert line.endswith(f"/{kind.value}")
    for name in ("sd15", "sdxl"):
        flows = find_workflows(name)
        for flow in (flows.draw, flows.repair):
            assert flow is not None
            files = {
                value
                for node in flow.graph.values()
                for value in node["inputs"].values()
                if isinstance(value, str) and value.endswith(".safetensors")
            }
            for file in files - {"identity.safetensors"}:
                assert f"`{file}`" in PAGE, file


def test_every_setting_of_the_engines_is_explained():
    from bot.settings import Settings

    names = [n for n in Settings.model_fields if re.match(r"diffusers_|comfyui_|a1111_", n)]
    known = set(re.findall(r"ONMODEL_[A-Z0-9_]+", PAGE))
    short = {f"ONMODEL_DIFFUSERS{end}" for end in re.findall(r"`(_[A-Z_]+)`", PAGE)}
    example = (Path(__file__).parents[2] / ".env.example").read_text(encoding="utf-8")
    for name in names:
        full = f"ONMODEL_{name.upper()}"
        assert full in known | short or full in example, full
