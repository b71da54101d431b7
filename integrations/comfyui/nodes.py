"""The two nodes: references out of the registry, and the check against it."""

import json
from typing import TYPE_CHECKING, Any, ClassVar

from .registry import ask
from .tensors import batch_of, pngs_of

if TYPE_CHECKING:
    import torch

    from pipeline.domain.quality import CandidateReport

SHOTS = ["half", "headshot", "full", "dynamic"]
CATEGORY = "onmodel"
_WHO = {
    "character": ("STRING", {"default": "", "tooltip": "id or name, like ch_akira or Akira"}),
}
_WHERE = {
    "appearance": ("STRING", {"default": "", "tooltip": "empty for the first look"}),
    "guild": ("STRING", {"default": "", "tooltip": "a Discord server's id; empty for the setting"}),
}


class OnmodelRetrieve:
    """The best references of a character for a shot, and the words that the registry locks."""

    RETURN_TYPES = ("IMAGE", "MASK", "STRING", "STRING")
    RETURN_NAMES = ("references", "figures", "identity", "why")
    FUNCTION = "retrieve"
    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Looks into Onmodel's registry for the references that fit a shot best, best first: a "
        "batch of squares on white, for IP-Adapters. Identity is what the prompt should say."
    )

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's word
        """ComfyUI asks for the inputs."""
        return {
            "required": {
                **_WHO,
                "shot_type": (SHOTS, {"default": "half"}),
                "count": ("INT", {"default": 3, "min": 1, "max": 10}),
                "side": ("INT", {"default": 512, "min": 64, "max": 2048, "step": 8}),
            },
            "optional": {
                "prompt": ("STRING", {"default": "", "multiline": True}),
                **_WHERE,
            },
        }

    @classmethod
    def IS_CHANGED(  # noqa: N802 - ComfyUI's word
        cls, character: str, appearance: str = "", guild: str = "", **_: Any
    ) -> str:
        """Run again when the references of the look have changed, and only then."""
        return ask(lambda g, at: g.state_of(at, character, appearance or None), guild)

    def retrieve(  # noqa: PLR0913 - ComfyUI passes every input as an argument
        self,
        character: str,
        shot_type: str,
        count: int,
        side: int,
        prompt: str = "",
        appearance: str = "",
        guild: str = "",
    ) -> "tuple[torch.Tensor, torch.Tensor, str, str]":
        """Ask for references.

        Returns:
            ``IMAGE`` ``[B, side, side, 3]``, ``MASK`` ``[B, side, side]`` with 1 where the figure
            is, the identity's words, and one reason a line.

        Raises:
            RuntimeError: the registry could not answer; the text says what to do.
        """
        from pipeline.domain.character import ShotType

        picked = ask(
            lambda gallery, at: gallery.references(
                at,
                character,
                appearance=appearance or None,
                shot_type=ShotType(shot_type),
                words=prompt,
                count=count,
            ),
            guild,
        )
        images, masks = batch_of([one.reference.image for one in picked.ranked], side)
        why = "\n".join(f"{one.score:.2f} {one.why}" for one in picked.ranked)
        return images, masks, picked.identity, why


class OnmodelGate:
    """The check: which pictures of a batch are on-model, which are not, which cannot be judged."""

    RETURN_TYPES = ("IMAGE", "IMAGE", "IMAGE", "STRING")
    RETURN_NAMES = ("accepted", "rejected", "cannot_judge", "scores")
    FUNCTION = "judge"
    CATEGORY = CATEGORY
    DESCRIPTION = (
        "Compares each picture of a batch with a character's model sheet, with the limits that "
        "Onmodel has learned for it. A branch without a picture is not executed."
    )
    _BRANCH: ClassVar[dict[str, int]] = {"on_model": 0, "off_model": 1, "cannot_judge": 2}

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:  # noqa: N802 - ComfyUI's word
        """ComfyUI asks for the inputs."""
        return {
            "required": {
                "images": ("IMAGE",),
                **_WHO,
                "shot_type": (["any", *SHOTS], {"default": "any"}),
            },
            "optional": _WHERE,
        }

    def judge(
        self,
        images: "torch.Tensor",
        character: str,
        shot_type: str = "any",
        appearance: str = "",
        guild: str = "",
    ) -> tuple[Any, Any, Any, str]:
        """Check a batch.

        Args:
            images: ``[B, H, W, C]``, float, 0 to 1.
            character: id or name.
            shot_type: what the pictures show; ``any`` tells it by the silhouette.
            appearance: empty for the first look.
            guild: empty for the setting.

        Returns:
            Three batches as they came in, each a part of ``images`` in its order, and JSON: for
            each picture verdict, similarity, limit and reason.

        Raises:
            RuntimeError: the registry could not answer; the text says what to do.
        """
        from pipeline.domain.character import ShotType

        pngs = pngs_of(images)
        reports = ask(
            lambda gallery, at: gallery.check(
                at,
                character,
                pngs,
                appearance=appearance or None,
                shot_type=None if shot_type == "any" else ShotType(shot_type),
            ),
            guild,
        )
        branches: list[list[int]] = [[], [], []]
        for index, report in enumerate(reports):
            branches[self._BRANCH[report.verdict.value]].append(index)
        scores = [_score(report) for report in reports]
        accepted, rejected, unsure = (_part(images, branch) for branch in branches)
        return accepted, rejected, unsure, json.dumps(scores, ensure_ascii=False)


def _score(report: "CandidateReport") -> dict[str, Any]:
    check = report.checks[0]
    return {
        "verdict": report.verdict.value,
        "similarity": check.similarity,
        "limit": check.threshold,
        "margin": report.margin,
        "reason": check.reason,
    }


def _part(images: "torch.Tensor", which: list[int]) -> Any:
    """Some pictures of a batch; for none of them ComfyUI's word that this way is closed."""
    if which:
        return images[which]
    try:
        from comfy_execution.graph import ExecutionBlocker
    except ImportError:  # outside of ComfyUI, and in versions that cannot close a way
        return images[:0]
    return ExecutionBlocker(None)
