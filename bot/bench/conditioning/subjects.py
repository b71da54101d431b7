"""Who is drawn: characters that the weights never saw, with references and a line-up to pick from.

Everything is seen at the model's own resolution: references, real drawings and what the model
draws go through the same reduction, so that a figure is about identity and not about sharpness.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from random import Random

from PIL import Image

from pipeline.domain.character import ColorMode, ReferenceKind, ShotType
from pipeline.domain.errors import InvalidInput
from pipeline.domain.fingerprint import CropClass, Fingerprint
from pipeline.domain.geometry import Size
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.fingerprints.composite import (
    Segments,
    encoder_set,
    fingerprint_crops,
    segments_of,
)
from pipeline.fingerprints.encoders.base import Encoder
from pipeline.imaging.crops import crops_of, find_figure
from pipeline.imaging.decode import load_canonical, to_png
from pipeline.imaging.masks import Figure
from pipeline.quality.calibration import thresholds_from_references
from pipeline.training.generator.cast import (
    HELD_OUT_FROM,
    HELD_OUT_STYLES,
    STYLES,
    Casting,
    Identity,
    Variant,
)
from pipeline.training.generator.scenes import Actor, make_panel

SHOWN = 256
"""Pixels along a side at which everything is judged."""
GROUND = "light_green"
"""What everybody stands before: no skin and no hair has that colour, so the figure is found."""
REFERENCES = 5
LINE_UP = 20
"""Characters of a style that a picture may be taken for: chance is one in twenty."""
_FIRST = 500_000
"""Characters of the bench count from here, apart from those of contact sheets."""


@dataclass(frozen=True, slots=True)
class Weights:
    """A folder of weights, and what its training says of itself.

    ``side`` is that of the square it was trained at, in pixels; ``learned`` are its styles (none
    where weights come from elsewhere), ``seed`` is that of its cast.
    """

    folder: Path
    side: int
    seed: int
    learned: tuple[str, ...]

    @classmethod
    def at(cls, folder: Path) -> "Weights":
        """Read ``model/unet/config.json``, and ``training.json`` where there is one.

        Raises:
            InvalidInput: there is no model in the folder.
        """
        try:
            unet = json.loads((folder / "model" / "unet" / "config.json").read_text())
            vae = json.loads((folder / "model" / "vae" / "config.json").read_text())
        except (OSError, ValueError) as error:
            raise InvalidInput(
                f"{folder} holds no weights. Name a folder that “onmodel train generator” wrote, "
                "or one with model/ and adapters/ in the same layout."
            ) from error
        side = int(unet["sample_size"]) * 2 ** (len(vae["block_out_channels"]) - 1)
        report = folder / "training.json"
        if not report.is_file():
            return cls(folder, side, 0, ())
        plan = json.loads(report.read_text())["plan"]
        return cls(folder, side, int(plan["seed"]), STYLES[: int(plan["styles"])])


@dataclass(frozen=True, slots=True, eq=False)
class Subject:
    """A character to draw.

    Attributes:
        style: of the drawing.
        learned: whether the style was learned; the character never was.
        identity: its parts and colours.
        member: as the registry has it, with :data:`REFERENCES` references and their limits.
        truth: a real drawing that is no reference, as PNG.
        prompt: asks for that drawing and tells the looks.
        plain: asks for it and leaves the looks to the references.
        line_up: heads of the style's characters, its own first; the own one is of the last
            reference, which is never shown to the engine.
    """

    style: str
    learned: bool
    identity: Identity
    member: CastInput
    truth: bytes
    prompt: str
    plain: str
    line_up: tuple[Segments, ...]

    @property
    def pictures(self) -> dict[str, bytes]:
        """The references' PNGs by sha256."""
        return {one.sha256: one.image for one in self.member.references}


@dataclass(frozen=True, slots=True, eq=False)
class Troupe:
    """Makes the subjects of a bench."""

    weights: Weights
    encoders: Sequence[Encoder]

    def subjects(self, of_learned: int, of_new: int) -> list[Subject]:
        """So many characters of learned styles, then of styles that were not; styles take turns."""
        learned = self.weights.learned
        new = HELD_OUT_STYLES if learned else STYLES
        chosen = [(learned[n % len(learned)], n) for n in range(of_learned if learned else 0)]
        chosen += [(new[n % len(new)], n) for n in range(of_new)]
        return [self.subject(style, number) for style, number in chosen]

    def subject(self, style: str, number: int) -> Subject:
        """The subject of a number; the same one on every machine."""
        casting = _casting(style, self.weights.seed)
        identity = casting.identity(HELD_OUT_FROM + _FIRST + number)
        *known, asked = drawings(casting, identity, REFERENCES + 1)
        pictures = [self.reduced(identity, variant) for variant in known]
        member = self._member(identity, asked, pictures)
        panel = make_panel([Actor(identity, asked)], Size(128, 128), Random(number), ground=GROUND)
        own = head_of(member.references[-1].fingerprints)
        everybody = range(identity.number - number, identity.number - number + 2 * LINE_UP)
        names = [n for n in everybody if n != identity.number][: LINE_UP - 1]
        others = [_head(self, style, n) for n in names]
        return Subject(
            style, style in self.weights.learned, identity, member,
            to_png(self.reduced(identity, asked)), panel.prompt, panel.plain, (own, *others),
        )  # fmt: skip

    def reduced(self, identity: Identity, variant: Variant) -> Image.Image:
        """A drawing as the model could have drawn it, RGB, :data:`SHOWN` a side."""
        side = self.weights.side
        actor = Actor(identity, variant)
        size = Size(4 * side, 4 * side)
        image = make_panel([actor], size, Random(0), ground=GROUND).image
        return at_size(image.resize((side, side), Image.Resampling.LANCZOS))

    def _member(
        self, identity: Identity, asked: Variant, pictures: Sequence[Image.Image]
    ) -> CastInput:
        references = []
        for number, image in enumerate(pictures, 1):
            png = to_png(image)
            references.append(
                ReferenceInput(
                    number, hashlib.sha256(png).hexdigest(), png, ReferenceKind.POSE,
                    ShotType.HALF, "", "", True, seen(image, self.encoders),
                )
            )  # fmt: skip
        look = f"{identity.style}_{identity.number}"
        limits = thresholds_from_references(
            look, {r.reference_id: r.fingerprints for r in references}, encoder_set(self.encoders)
        )
        return CastInput(
            look, look, identity.name, "", 1.0, asked.components, (), tuple(references), limits
        )


@cache
def _head(troupe: Troupe, style: str, number: int) -> Segments:
    """The head of one drawing of a character that is in the line-up."""
    casting = _casting(style, troupe.weights.seed)
    identity = casting.identity(number)
    image = troupe.reduced(identity, drawings(casting, identity, 1)[0])
    return head_of(seen(image, troupe.encoders))


@cache
def _casting(style: str, seed: int) -> Casting:
    return Casting(style, seed)


def drawings(casting: Casting, identity: Identity, count: int) -> list[Variant]:
    """The first so many drawings of one look: those in other clothes are another look's."""
    out, which = [], 0
    while len(out) < count:
        variant = casting.variant(identity, which, SHOWN)
        which += 1
        if not variant.redressed:
            out.append(variant)
    return out


def seen(image: Image.Image, encoders: Sequence[Encoder]) -> tuple[Fingerprint, ...]:
    """Fingerprints of the one figure of a picture in colour; none where no figure stands out."""
    figure = find_figure(image)
    return () if figure is None else prints_of(image, figure, encoders)


def prints_of(
    image: Image.Image, figure: Figure, encoders: Sequence[Encoder]
) -> tuple[Fingerprint, ...]:
    """Fingerprints of a figure of a picture in colour."""
    return fingerprint_crops(crops_of(image, figure, ShotType.HALF), encoders, (ColorMode.COLOR,))


def head_of(prints: Sequence[Fingerprint]) -> Segments:
    """Of fingerprints in colour, those of the head."""
    return segments_of(prints, CropClass.HEAD, ColorMode.COLOR)


def at_size(image: Image.Image) -> Image.Image:
    """A picture at the size of the judgement."""
    return load_canonical(to_png(image.resize((SHOWN, SHOWN), Image.Resampling.BICUBIC)))
