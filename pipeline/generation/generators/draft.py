"""The embedded engine: pastes registered art into drawn scenery, as a storyboard artist would."""

import io
from collections.abc import Mapping, Sequence
from functools import lru_cache
from random import Random

from PIL import Image

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.conditioning import CastConditioning, ConditioningPlan, ReferenceUse
from pipeline.domain.errors import Cancelled, GenerationFailed, InvalidPicture, MissingReference
from pipeline.domain.geometry import Box, Size
from pipeline.domain.panel import Candidate, PlacedFigure
from pipeline.generation.capabilities import Capabilities
from pipeline.generation.draft.backgrounds import paint_background
from pipeline.generation.draft.canvas import Canvas
from pipeline.generation.draft.compose import (
    Layer,
    bounds,
    cast_shadows,
    light_behind,
    scaled_layer,
    visible_masks,
)
from pipeline.generation.draft.scene import Place, Scene, read_scene
from pipeline.generation.draft.screentone import screentone
from pipeline.generation.draft.site import Site
from pipeline.generation.draft.staging import Placement, Stage, headroom, place_figures
from pipeline.generation.draft.tones import choose_tones
from pipeline.generation.generators.base import IsCancelled, Progress
from pipeline.imaging.cutout import Cutout, cut_out
from pipeline.imaging.decode import to_png

NOTE = (
    "A draft pastes the registered art into simple scenery, like a storyboard; "
    "it draws no new poses, faces or clothes."
)

LEAST_SIDE, LARGEST_SIDE = 256, 2048
"""Panel sides in pixels that this engine draws."""

_FACING_CLEAR = 0.1
"""A figure is turned only when it clearly looks away from the others."""


class DraftGenerator:
    """Composes panels from cut-outs; needs no weights and no GPU.

    The same plan gives the same bytes. Alternate ``i`` takes the next reference of each character
    and seed ``plan.seed + i``, which decides palette, scenery and small matters of framing. The
    plan of a stronger rung names other references first, and is followed in that.
    """

    name = "draft"
    version = "1"
    # It reads the request for its scenery and pastes the references: there is nothing that a
    # negative prompt, a guide picture or a trained module could take hold of.
    capabilities = Capabilities(
        references=10, pastes_references=True, prompt_tokens=None, variations=1
    )

    def __init__(self) -> None:
        # A worker draws many panels of one cast: cut each picture once. Pure, so only speed.
        self._cut = lru_cache(maxsize=32)(cut_out)

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
            Cancelled: ``cancelled()`` became true.
            MissingReference: a character has no reference, or its picture was not given.
            GenerationFailed: the size is out of range, or a picture is damaged.
        """
        _check_size(plan.size)
        out: list[Candidate] = []
        for index in range(plan.alternates):
            _stop_if(cancelled)
            progress(index / plan.alternates, f"Pasting alternate {index + 1}")
            out.append(self._draw(plan, pictures, index, cancelled))
        progress(1.0, "Drafted")
        return out

    def _draw(
        self,
        plan: ConditioningPlan,
        pictures: Mapping[str, bytes],
        index: int,
        cancelled: IsCancelled,
    ) -> Candidate:
        shelves = [self._shelf(member, pictures) for member in plan.cast]
        if not plan.variations:
            rng = Random(f"draft {plan.seed + index}")
            placements = self._staged(plan, shelves, index, rng)
        else:
            # The same scenery, which comes after the staging in the stream of the first picture;
            # the cast in others of their pictures, as there is nothing else that could vary.
            rng = Random(f"draft {plan.seed}")
            self._staged(plan, shelves, 0, rng)
            other = Random(f"draft {plan.seed} varied {plan.variations[-1].seed + index}")
            placements = self._staged(plan, shelves, index + 1, other)
        _stop_if(cancelled)
        background = _background(plan, rng)
        _stop_if(cancelled)
        return _assemble(plan, placements, background)

    def _staged(
        self,
        plan: ConditioningPlan,
        shelves: Sequence[Sequence[tuple[ReferenceUse, Cutout]]],
        index: int,
        rng: Random,
    ) -> list[Placement]:
        """The cast in their places, in the ``index``-th of their pictures."""
        chosen = [_pick(shelf, plan.shot_type, index) for shelf in shelves]
        heights = [
            member.height_ratio * _posture(cutout, shelf)
            for member, cutout, shelf in zip(plan.cast, chosen, shelves, strict=True)
        ]
        stage = Stage(plan.size, headroom(plan.size.height, plan.balloon_lines), plan.shot_type)
        turned = _turned(chosen, plan.cast)
        if plan.shot_type is ShotType.DYNAMIC:
            lean = rng.choice((-1, 1)) * rng.uniform(4, 8)
            turned = [c.tilted(lean if k % 2 == 0 else -lean) for k, c in enumerate(turned)]
        return place_figures(turned, heights, stage, rng)

    def _shelf(
        self, member: CastConditioning, pictures: Mapping[str, bytes]
    ) -> list[tuple[ReferenceUse, Cutout]]:
        """The character's cut-outs, the strongest reference first."""
        if not member.references:
            raise MissingReference(
                f"{member.identity or member.character_id} has no reference picture. "
                "Add one with /character add-reference, then ask again."
            )
        shelf: list[tuple[ReferenceUse, Cutout]] = []
        for use in sorted(member.references, key=lambda use: -use.scale):
            if use.sha256 not in pictures:
                raise MissingReference(
                    f"A reference picture of {member.identity or member.character_id} is gone. "
                    "Add it again with /character add-reference."
                )
            try:
                shelf.append((use, self._cut(pictures[use.sha256])))
            except InvalidPicture as error:
                raise GenerationFailed(
                    f"A reference picture of {member.identity or member.character_id} is damaged. "
                    "Register it again."
                ) from error
        return shelf


def _check_size(size: Size) -> None:
    if not all(LEAST_SIDE <= side <= LARGEST_SIDE for side in size):
        raise GenerationFailed(
            f"A draft can be {LEAST_SIDE} to {LARGEST_SIDE} pixels wide and high. "
            "Choose a size in that range."
        )


def _stop_if(cancelled: IsCancelled) -> None:
    if cancelled():
        raise Cancelled("The panel was cancelled while it was being drawn.")


def _pick(
    shelf: Sequence[tuple[ReferenceUse, Cutout]], shot: ShotType, index: int
) -> tuple[ReferenceUse, Cutout]:
    """The ``index``-th reference among those that can fill the shot, strongest first."""
    able = [item for item in shelf if _can_fill(item[1], shot)]
    ranked = able + [item for item in shelf if item not in able]
    return ranked[index % max(1, len(able) or len(ranked))]


def _can_fill(cutout: Cutout, shot: ShotType) -> bool:
    """Whether there is enough of the figure: feet for a full shot, a chest for a half."""
    if not cutout.loose:
        return False
    match shot:
        case ShotType.FULL:
            return cutout.grounded
        case ShotType.HALF | ShotType.DYNAMIC:
            return cutout.grounded or cutout.heads_high >= 2.6
        case ShotType.HEADSHOT:
            return cutout.diameter >= 110


def _posture(
    chosen: tuple[ReferenceUse, Cutout], shelf: Sequence[tuple[ReferenceUse, Cutout]]
) -> float:
    """How tall the chosen picture stands, 0 to 1: a seated figure keeps its head's size."""
    tallest = max((c.heads_high for _, c in shelf if c.grounded), default=0.0)
    cutout = chosen[1]
    if not cutout.grounded or tallest <= 0:
        return 1.0
    return min(1.0, cutout.heads_high / tallest) if cutout.heads_high < 0.8 * tallest else 1.0


def _turned(
    chosen: Sequence[tuple[ReferenceUse, Cutout]], cast: Sequence[CastConditioning]
) -> list[Cutout]:
    """Mirror figures so that they look at each other, unless marks of theirs have a side."""
    out: list[Cutout] = []
    for k, ((use, cutout), member) in enumerate(zip(chosen, cast, strict=True)):
        sided = "asymmetric" in f"{use.why} {member.identity}".lower()
        wanted = 0 if len(cast) == 1 else 1 if 2 * k + 1 < len(cast) else -1
        if 2 * k + 1 == len(cast):
            wanted = 0
        away = wanted * cutout.facing < -_FACING_CLEAR
        out.append(cutout.mirrored() if away and not sided else cutout)
    return out


def _scene(plan: ConditioningPlan) -> Scene:
    """The scene of the request's own words: identities and framing are not places."""
    words = plan.prompt
    for phrase in (*(member.identity for member in plan.cast), "dynamic action shot"):
        if phrase:
            words = words.replace(phrase, " ")
    dynamic = plan.shot_type is ShotType.DYNAMIC
    return read_scene(words, fallback=Place.SPEED if dynamic else Place.PLAIN)


# Ground line and size of a person at it, as shares of the height, by shot type.
_CAMERA = {
    ShotType.FULL: (0.7, 0.62),
    ShotType.HALF: (0.9, 0.72),
    ShotType.HEADSHOT: (1.02, 0.95),
    ShotType.DYNAMIC: (0.86, 0.74),
}


def _background(plan: ConditioningPlan, rng: Random) -> Image.Image:
    scene = _scene(plan)
    tones = choose_tones(scene, rng)
    floor, unit = _CAMERA[plan.shot_type]
    # A tall panel shows people no larger than its width allows.
    reach = min(plan.size.height, 1.5 * plan.size.width)
    site = Site(
        canvas=Canvas(plan.size, tones.far),
        scene=scene,
        tones=tones,
        rng=rng,
        floor=(floor + rng.uniform(-0.015, 0.015)) * plan.size.height,
        unit=unit * reach,
    )
    return paint_background(site, rushing=plan.shot_type is ShotType.DYNAMIC)


def _assemble(
    plan: ConditioningPlan, placements: Sequence[Placement], background: Image.Image
) -> Candidate:
    size = plan.size
    # The tall stand behind the small; equal ones in speaking order.
    order = sorted(range(len(placements)), key=lambda k: -placements[k].bottom, reverse=True)
    layers = [scaled_layer(placements[k], size) for k in order]
    picture = cast_shadows(light_behind(background, placements), placements)
    gray = plan.color_mode is ColorMode.GRAYSCALE
    if gray:
        pitch = max(5.0, 0.0085 * min(size))
        picture = screentone(picture, pitch=pitch, ink=0.52).convert("RGB")
    for layer in layers:
        pixels = _in_gray(layer) if gray else layer.pixels
        picture.paste(pixels.convert("RGB"), layer.corner, pixels.getchannel("A"))
    masks = dict(zip(order, visible_masks(layers, size), strict=True))
    frame = Box(0, 0, *size)
    figures = tuple(
        PlacedFigure(
            character_id=member.character_id,
            box=bounds(masks[k]),
            head=placement.head.intersection(frame),
            mask=_mask_png(masks[k]),
        )
        for k, (member, placement) in enumerate(zip(plan.cast, placements, strict=True))
    )
    return Candidate(image=to_png(picture), size=size, figures=figures)


def _in_gray(layer: Layer) -> Image.Image:
    """A figure without colour; its greys stay flat, so that it can still be compared."""
    gray = layer.pixels.convert("RGB").convert("L").convert("RGB")
    gray.putalpha(layer.pixels.getchannel("A"))
    return gray


def _mask_png(mask: Image.Image) -> bytes:
    stream = io.BytesIO()
    mask.save(stream, "PNG", compress_level=1)
    return stream.getvalue()
