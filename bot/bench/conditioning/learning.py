"""What training for one look is worth: LoRAs of 3, 10 and 30 pictures against the embedding."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image

from bot.bench.conditioning.lab import Hold, Lab, Look
from bot.bench.conditioning.subjects import Subject, drawings
from bot.bench.conditioning.tables import figures_of
from bot.bench.figures import Figure
from pipeline.domain.conditioning import ModuleUse
from pipeline.generation.generators.diffusers import DiffusersGenerator
from pipeline.generation.modules import ModuleShelf
from pipeline.training.generator.cast import Casting

_PICTURES = (3, 10, 30)
_GUILD = 1
_SEED = 11


def trained(lab: Lab, subjects: Sequence[Subject], steps: int) -> list[Figure]:
    """LoRAs alone, the embedding (the IP-Adapter) alone, both, and neither.

    Args:
        lab: engine and check.
        subjects: a LoRA is trained for each of them, three times over.
        steps: of each LoRA.
    """
    with TemporaryDirectory(prefix="onmodel-bench-") as name:
        folder = Path(name)
        engine = DiffusersGenerator({**lab.options, "modules": str(folder)})
        mine = replace(lab, engine=engine)
        shelf = ModuleShelf(folder)
        rows: dict[str, list[Look]] = {
            "none": [], "embedding": [], **{f"lora_{n}": [] for n in _PICTURES}, "both": [],
        }  # fmt: skip
        for place, one in enumerate(subjects):
            seed = _SEED + place
            rows["none"].append(mine.measure(one, Hold(), seed))
            rows["embedding"].append(mine.measure(one, Hold(scale=0.8, references=3), seed))
            modules: tuple[ModuleUse, ...] = ()
            for count in _PICTURES:
                _train(lab, one, count, folder, steps)
                modules = shelf.of(_GUILD, one.member.appearance_id)
                rows[f"lora_{count}"].append(mine.measure(one, Hold(modules=modules), seed))
            both = Hold(scale=0.8, references=3, modules=modules)
            rows["both"].append(mine.measure(one, both, seed))
        return figures_of("trained", subjects, rows, "embedding")


def _train(lab: Lab, subject: Subject, count: int, folder: Path, steps: int) -> None:
    from pipeline.training.generator.lora import LoraPlan, train_lora

    casting, side = Casting(subject.style, lab.weights.seed), lab.weights.side
    # the truth is the drawing after the references: it is never learned from
    known = len(subject.member.references)
    drawn = drawings(casting, subject.identity, count + known + 1)
    chosen = [*drawn[: min(count, known)], *drawn[known + 1 : known + 1 + max(0, count - known)]]
    pictures = [
        lab.troupe.reduced(subject.identity, one).resize((side, side), Image.Resampling.BOX)
        for one in chosen
    ]
    file = folder / str(_GUILD) / f"{subject.member.appearance_id}.safetensors"
    train_lora(
        lab.weights.folder / "model", pictures, [subject.plain] * count, file, LoraPlan(steps=steps)
    )
