"""How large the model is and how long each stage learns: the three sizes of the house generator."""

from dataclasses import dataclass, replace

from pipeline.domain.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Shape:
    """Widths of the networks.

    Attributes:
        vae: channels of the VAE's three levels; between them sides are halved, so f = 4.
        unet: channels of the UNet's three levels; the first, of the finest grid, has convolutions
            alone, the other two attend.
        layers: residual blocks of a level of the UNet.
        heads: attention heads at each of its levels. (diffusers calls this ``attention_head_dim``,
            and it is the number of heads.)
        words: width of the text encoder, and of all that cross attention reads.
        image: width of the image encoder, ``image_layers`` deep; it reads patches of
            ``image_patch`` pixels a side.
        control: channels of the ControlNet's picture reader.
    """

    vae: tuple[int, int, int]
    unet: tuple[int, int, int]
    layers: int
    heads: tuple[int, int, int]
    words: int
    image: int
    image_layers: int
    image_patch: int
    control: tuple[int, int, int] = (16, 32, 64)


@dataclass(frozen=True, slots=True)
class Budget:
    """How long each stage may learn: optimiser steps at most, and minutes at most (0: no limit)."""

    steps: int
    minutes: float
    batch: int
    rate: float


@dataclass(frozen=True, slots=True)
class GeneratorPlan:
    """A whole training; the same plan on the same machine does the same again.

    Attributes:
        size: the name of the plan.
        seed: of the cast, the drawings, the starting weights and the order of learning.
        side: pixels of a square picture; a multiple of 32.
        styles: how many of :data:`pipeline.training.generator.cast.STYLES` are learned.
        identities: identities of each style.
        variants: drawings of each identity.
        shape: widths of the networks.
        vae: the budget of the VAE.
        encoder: the budget of the image encoder.
        unet: the budget of UNet, text encoder and IP-Adapter, which learn together.
        control: the budget of the ControlNet.
        mixed: whether to compute in bfloat16 where that is enough (weights stay float32).
        sheet_minutes: minutes between two contact sheets.
        sheet: characters on the last contact sheet.
    """

    size: str
    seed: int
    side: int
    styles: int
    identities: int
    variants: int
    shape: Shape
    vae: Budget
    encoder: Budget
    unet: Budget
    control: Budget
    mixed: bool = True
    sheet_minutes: float = 8.0
    sheet: int = 30


TOY = GeneratorPlan(
    size="toy", seed=20, side=32, styles=2, identities=120, variants=2,
    shape=Shape((8, 8, 16), (16, 32, 32), 1, (2, 2, 2), 32, 32, 2, 8),
    vae=Budget(150, 0, 8, 4e-3),
    encoder=Budget(200, 0, 64, 2e-3),
    unet=Budget(450, 0, 16, 3e-3),
    control=Budget(8, 0, 16, 1e-3),
    mixed=False,
    sheet=6,
)  # fmt: skip
CPU = GeneratorPlan(
    size="cpu", seed=20, side=64, styles=6, identities=1700, variants=3,
    shape=Shape((24, 48, 96), (96, 128, 160), 1, (2, 4, 5), 128, 192, 4, 16),
    vae=Budget(40_000, 15, 12, 1.2e-3),
    encoder=Budget(40_000, 8, 128, 8e-4),
    unet=Budget(100_000, 76, 64, 8e-4),
    control=Budget(10_000, 7, 48, 6e-4),
)  # fmt: skip
GPU = GeneratorPlan(
    size="gpu", seed=20, side=128, styles=12, identities=2500, variants=3,
    shape=Shape((32, 64, 128), (112, 176, 208), 1, (4, 4, 4), 192, 192, 5, 16),
    vae=Budget(40_000, 3.5, 64, 8e-4),
    encoder=Budget(8000, 2.5, 512, 6e-4),
    unet=Budget(60_000, 11.5, 384, 6e-4),
    control=Budget(4000, 1.5, 192, 4e-4),
    sheet_minutes=3.0,
)  # fmt: skip
_PLANS = {plan.size: plan for plan in (TOY, CPU, GPU)}


def plan_of(size: str) -> GeneratorPlan:
    """The plan of a size.

    Raises:
        InvalidInput: there is no such size.
    """
    if size not in _PLANS:
        raise InvalidInput(f"There is no size “{size[:20]}”. Choose one of: {', '.join(_PLANS)}.")
    return _PLANS[size]


def within(plan: GeneratorPlan, minutes: float) -> GeneratorPlan:
    """The plan with so many minutes for all stages together, shared out as the plan does.

    Drawing the cast is not counted. A plan without minutes gives each stage a quarter.
    """
    names = ("vae", "encoder", "unet", "control")
    budgets = {name: getattr(plan, name) for name in names}
    total = sum(budget.minutes for budget in budgets.values())
    shares = {n: b.minutes / total if total else 1 / len(names) for n, b in budgets.items()}
    return replace(plan, **{n: replace(b, minutes=minutes * shares[n]) for n, b in budgets.items()})
