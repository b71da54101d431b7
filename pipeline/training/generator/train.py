"""``onmodel train generator``: from nothing to a folder that the ``diffusers`` engine reads."""
# pyright: reportMissingImports=false

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from pipeline.torch_mends import mend_torchvision
from pipeline.training.generator.album import Album, open_album
from pipeline.training.generator.controlling import learn_control
from pipeline.training.generator.denoising import Material, learn_denoising, make_material
from pipeline.training.generator.export import export
from pipeline.training.generator.learning import Bench
from pipeline.training.generator.models import Denoising, load_tokenizer, make_tokenizer
from pipeline.training.generator.plan import GeneratorPlan
from pipeline.training.generator.proof import Explained, explained
from pipeline.training.generator.seeing import learn_image_encoder, learn_vae
from pipeline.training.generator.sheet import contact_sheet, pipeline_of

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Trained:
    """What came out: bytes of all weights, seconds of all stages, and how references explain."""

    bytes: int
    seconds: float
    explained: Explained


def train_generator(
    out: Path, plan: GeneratorPlan, *, workers: int, threads: int, tell: Tell
) -> Trained:
    """Draw the cast, learn stage by stage, write the model to ``out``.

    ``out/work`` holds the album, the checkpoints, ``log.jsonl`` and the contact sheets; a run that
    was stopped goes on from there. It may be deleted afterwards.

    Args:
        out: the folder; ``model``, ``adapters`` and ``controls`` are written there.
        plan: what to do.
        workers: processes that draw the cast.
        threads: cores that learn, where there is no GPU.
        tell: takes lines of progress.

    Raises:
        InvalidInput: the folder holds a run of another plan.
        SettingsError: the packages that draw the cast are not installed.
    """
    began = time.monotonic()
    mend_torchvision()
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cpu":
        torch.set_num_threads(threads)
    else:
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    work = out / "work"
    work.mkdir(parents=True, exist_ok=True)
    bench = Bench(work, plan, device, tell)
    album = open_album(work / "album", plan, workers=workers, tell=tell)
    tokenizer = _tokenizer(work / "tokenizer", album)
    vae, encoder = learn_vae(bench, album), learn_image_encoder(bench, album)
    material = make_material(album, vae, encoder, tokenizer, bench)
    nets, found = _denoise(bench, material, vae, encoder, tokenizer)
    control = learn_control(bench, album, material, nets)
    size = export(out, vae, encoder, nets, tokenizer, control)
    done = Trained(size, time.monotonic() - began, found)
    (out / "training.json").write_text(_report(done, plan, album))
    return done


def _tokenizer(folder: Path, album: Album) -> Any:
    """The vocabulary of the run, learned once from all prompts."""
    if not (folder / "tokenizer.json").is_file():
        prompts = (text for chapter in album.chapters for text in chapter.prompts)
        make_tokenizer(prompts).save_pretrained(folder)
    return load_tokenizer(folder)


def _denoise(
    bench: Bench, material: Material, vae: Any, encoder: Any, tokenizer: Any
) -> tuple[Denoising, Explained]:
    def sheet(nets: Denoising, count: int = 12) -> None:
        pipe = pipeline_of(vae, nets, tokenizer)
        file = bench.folder / f"sheet-{int(time.time())}.jpg"
        contact_sheet(pipe, encoder, material.unseen, bench.plan, file, count)
        found = explained(vae, encoder, nets, tokenizer, bench.plan)
        bench.log(stage="sheet", file=file.name, **asdict(found))

    nets = learn_denoising(bench, material, tokenizer, sheet)
    sheet(nets, bench.plan.sheet)
    return nets, explained(vae, encoder, nets, tokenizer, bench.plan, count=64)


def _report(done: Trained, plan: GeneratorPlan, album: Album) -> str:
    seen = {chapter.kind: len(chapter.pixels) for chapter in album.chapters}
    told = {
        "plan": asdict(plan),
        "drawings": len(album.references),
        "panels": seen,
        "torch": torch.__version__,
        **asdict(done),
    }
    return json.dumps(told, indent=2) + "\n"
