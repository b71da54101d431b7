"""The ``diffusers`` engine: diffusion models of a known family, in this process."""

from collections.abc import Mapping
from importlib.metadata import version as installed_version
from typing import Any

from PIL import Image

from pipeline.domain.character import ColorMode
from pipeline.domain.conditioning import ConditioningPlan
from pipeline.domain.errors import GenerationFailed
from pipeline.domain.panel import Candidate
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.diffusion.abilities import capabilities_of, sampling_of
from pipeline.generation.diffusion.engine import DiffusionEngine
from pipeline.generation.diffusion.installed import find_installed, missing_lines
from pipeline.generation.diffusion.noise import MOST_VARIATIONS
from pipeline.generation.diffusion.options import DiffusersOptions, need_libraries
from pipeline.generation.diffusion.pictures import Pictures, covering, on_ground
from pipeline.generation.diffusion.repair import composited
from pipeline.generation.diffusion.watch import Watch
from pipeline.generation.generators.base import IsCancelled, Progress
from pipeline.generation.watched import Guarded, SentinelPolicy
from pipeline.imaging.decode import load_canonical, to_png
from pipeline.prompting.tokens import PROMPT_TOKENS
from pipeline.quality.sentinel import Vector, centroid

OWN_VERSION = "1"
"""Grows when this code would draw the same plan otherwise; the libraries' versions count too."""
LEAST_SIDE, LARGEST_SIDE = 32, 4096
MOST_STEPS, MOST_ALTERNATES = 200, 16
_MOST_SEEN = 2000
"""References whose previews are remembered, 256 bytes each."""


class DiffusersGenerator:
    """Draws with a diffusion model that lies in a folder of the host.

    The constructor looks at the folders and says what is missing; the model is loaded with the
    first plan. On a CPU the same plan gives the same pixels, alone or among other alternates. On
    a GPU alternates are drawn in one batch, whose kernels may round otherwise than for one.
    """

    name = "diffusers"
    # what is known before the weights were looked at: the preflight reads it
    capabilities = Capabilities(prompt_tokens=PROMPT_TOKENS, variations=MOST_VARIATIONS)

    def __init__(self, options: Mapping[str, Any] | None = None) -> None:
        chosen = DiffusersOptions.of(options)
        need_libraries()
        installed = find_installed(chosen)
        libraries = [f"{name} {installed_version(name)}" for name in ("diffusers", "torch")]
        self.version = " · ".join([OWN_VERSION, installed.family.name, *libraries])
        sampling = sampling_of(installed, chosen)
        self.capabilities = capabilities_of(installed, installed.files(), sampling)
        self._engine = DiffusionEngine(installed, chosen)
        self._installed, self._options = installed, chosen
        self._seen: dict[str, Vector] = {}

    def usable(self) -> dict[str, str]:
        """What is here, by its name, for people: model, adapters, ControlNets."""
        found = self._installed
        kind = ", repairs with nine channels" if found.inpaints_natively else ""
        out = {"model": f"{found.family.name}, drawn at {found.native_side} pixels{kind}"}
        out |= {a.value: path.weights.name for a, path in found.adapters.items()}
        return out | {f"guide {kind.value}": "a ControlNet" for kind in found.controls}

    def missing(self) -> dict[str, str]:
        """What else the family could use, and how to get it."""
        return dict(missing_lines(self._installed, self._options))

    def generate(
        self,
        plan: ConditioningPlan,
        pictures: Mapping[str, bytes],
        *,
        progress: Progress,
        cancelled: IsCancelled,
    ) -> list[Candidate]:
        """Draw the alternates of a plan; see :class:`Generator`.

        Raises:
            Cancelled: ``cancelled()`` became true; noticed within one step.
            MissingReference: a picture that the plan names was not given.
            GenerationFailed: a number of the plan is out of range, or the model could not draw.
        """
        return self.generate_guarded(
            plan, pictures, None, progress=progress, cancelled=cancelled
        ).kept

    def generate_guarded(
        self,
        plan: ConditioningPlan,
        pictures: Mapping[str, bytes],
        sentinel: SentinelPolicy | None,
        *,
        progress: Progress,
        cancelled: IsCancelled,
    ) -> Guarded:
        """Draw the alternates of a plan with a sentinel that looks at them while they are drawn.

        A picture at which it decides nothing is the one of :meth:`generate`. Where it decides,
        :meth:`Guarded.interventions` is what the plan lacks to say which pixels come out.

        Args:
            plan: as for :meth:`generate`; with interventions, nothing else is decided.
            pictures: as for :meth:`generate`.
            sentinel: what it may do; None for no sentinel at all.
            progress: as for :meth:`generate`.
            cancelled: as for :meth:`generate`.

        Raises:
            Cancelled: the job is no longer wanted; noticed within one step.
            MissingReference: a picture that the plan names was not given.
            GenerationFailed: a number of the plan is out of range, or the model could not draw.
        """
        _check(plan)
        given, watch = Pictures(pictures), Watch(progress, cancelled)
        drawn, receipts = self._engine.draw(plan, given, watch, sentinel)
        watch.finish("Drawn")
        return Guarded(
            tuple(None if one is None else _candidate(one, plan, given) for one in drawn), receipts
        )

    def middle_of(self, references: Mapping[str, bytes]) -> Vector:
        """The middle of references (canonical PNGs by sha256) as previews see them.

        Each is encoded once and remembered. Not to be asked while a job runs.

        Raises:
            ValueError: there are none.
            InvalidPicture: one is damaged.
        """
        for sha256, png in references.items():
            if sha256 not in self._seen:
                while len(self._seen) >= _MOST_SEEN:
                    self._seen.pop(next(iter(self._seen)))
                self._seen[sha256] = self._engine.seen(on_ground(load_canonical(png)))
        return centroid([self._seen[sha256] for sha256 in references])


def _check(plan: ConditioningPlan) -> None:
    sides = all(LEAST_SIDE <= side <= LARGEST_SIDE for side in (*plan.size, *(plan.bucket or ())))
    steps = 1 <= plan.sampling.steps <= MOST_STEPS
    if not (sides and steps and 1 <= plan.alternates <= MOST_ALTERNATES):
        raise GenerationFailed(
            f"This engine draws {LEAST_SIDE} to {LARGEST_SIDE} pixels a side, in 1 to {MOST_STEPS} "
            f"steps, at most {MOST_ALTERNATES} alternates. Ask for a panel within that."
        )


def _candidate(image: Image.Image, plan: ConditioningPlan, pictures: Pictures) -> Candidate:
    picture = covering(image.convert("RGB"), plan.size)
    if plan.color_mode is ColorMode.GRAYSCALE:
        picture = picture.convert("L").convert("RGB")
    return Candidate(image=to_png(composited(picture, plan, pictures)), size=plan.size)
