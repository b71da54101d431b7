"""One stage of the training: steps that can be stopped and taken up again at any moment."""
# pyright: reportMissingImports=false, reportPrivateImportUsage=false

import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from pipeline.domain.errors import InvalidInput
from pipeline.training.generator.plan import Budget, GeneratorPlan

Tell = Callable[[str], None]
Loss = Callable[[int, torch.Generator], Tensor]
"""The loss of a step, from its number and the step's own source of chance."""

_CLIP = 1.0
_WARM = 20
_EMA = 0.999
_KEEP_SECONDS = 60.0
_BUSY = 25
"""Steps between two lines of the log."""


@dataclass(frozen=True, slots=True)
class Bench:
    """Where the training runs: folder, device, precision, and who is told how it goes."""

    folder: Path
    plan: GeneratorPlan
    device: str
    tell: Tell

    @contextmanager
    def arithmetic(self) -> Iterator[None]:
        """bfloat16 where it is enough, and on a CPU attention by plain products.

        The fused attention of CPUs took 42 % of a step of the UNet, nearly all of it backwards;
        without it, a step takes 0.7 of the time.
        """
        kind = self.device.split(":")[0]
        plain = sdpa_kernel(SDPBackend.MATH) if kind == "cpu" else nullcontext()
        with torch.autocast(kind, torch.bfloat16, enabled=self.plan.mixed), plain:
            yield

    def log(self, **figures: object) -> None:
        """A line of the JSON log, and the same for people."""
        with (self.folder / "log.jsonl").open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(figures) + "\n")
        self.tell(" ".join(f"{k} {v:.4g}" if isinstance(v, float) else f"{k} {v}"
                           for k, v in figures.items()))  # fmt: skip


@dataclass(slots=True)
class Stage:
    """Networks that learn together, by name, and how long they may.

    ``averages`` follow the networks slowly and are what is kept in the end.
    """

    name: str
    networks: Mapping[str, Any]
    budget: Budget
    averages: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    step: int = 0
    seconds: float = 0.0
    now_and_then: Callable[[], None] | None = None

    def learn(self, bench: Bench, loss: Loss) -> None:
        """Learn until the budget is used up; go on where an earlier run stopped.

        With a budget of steps alone, the result does not depend on how often it was stopped.
        """
        optimiser = torch.optim.AdamW(
            self._parameters(), lr=self.budget.rate, weight_decay=0.01, fused=True
        )
        self._resume(bench, optimiser)
        began, kept, shown = time.monotonic() - self.seconds, time.monotonic(), time.monotonic()
        total = 0.0
        for network in self.networks.values():
            network.train()
        while (share := self._share()) < 1.0:
            _set_rate(optimiser, self.budget.rate * _slope(self.step, share))
            chance = torch.Generator().manual_seed(bench.plan.seed * 1_000_003 + self.step)
            with bench.arithmetic():
                value = loss(self.step, chance)
            optimiser.zero_grad(set_to_none=True)
            value.backward()
            torch.nn.utils.clip_grad_norm_(self._parameters(), _CLIP)
            optimiser.step()
            self._average()
            self.step += 1
            self.seconds = time.monotonic() - began
            if self.step % _BUSY == 0 or self.step == self.budget.steps:
                total = value.item()
                bench.log(stage=self.name, step=self.step, loss=total, seconds=round(self.seconds))
            if time.monotonic() - kept > _KEEP_SECONDS:
                self._keep(bench, optimiser)
                kept = time.monotonic()
            if self.now_and_then and time.monotonic() - shown > 60 * bench.plan.sheet_minutes:
                self.now_and_then()
                shown = time.monotonic()
        self._keep(bench, optimiser)
        self.take_averages()

    def take_averages(self) -> None:
        """Put the averages in the networks' place."""
        for name, network in self.networks.items():
            network.load_state_dict(self.averages[name])
            network.eval()

    def _share(self) -> float:
        """How much of the budget is used, 0 to 1."""
        minutes = self.seconds / 60 / self.budget.minutes if self.budget.minutes else 0.0
        return max(self.step / self.budget.steps, minutes)

    def _parameters(self) -> list[Any]:
        return [p for n in self.networks.values() for p in n.parameters() if p.requires_grad]

    def _average(self) -> None:
        """A moving average whose memory grows with the steps, up to a thousand of them."""
        keep = min(_EMA, (1 + self.step) / (10 + self.step))
        with torch.no_grad():
            for name, network in self.networks.items():
                state = network.state_dict()
                if name not in self.averages:
                    self.averages[name] = {k: v.detach().clone() for k, v in state.items()}
                    continue
                kept = self.averages[name]
                torch._foreach_lerp_([*kept.values()], [state[key] for key in kept], 1 - keep)

    def _file(self, bench: Bench) -> Path:
        return bench.folder / f"{self.name}.ckpt"

    def _keep(self, bench: Bench, optimiser: torch.optim.Optimizer) -> None:
        """Write a checkpoint; a stop in the middle leaves the older one whole."""
        partial = self._file(bench).with_suffix(".part")
        torch.save(
            {
                "plan": asdict(bench.plan),
                "networks": {name: one.state_dict() for name, one in self.networks.items()},
                "averages": self.averages,
                "optimiser": optimiser.state_dict(),
                "step": self.step,
                "seconds": self.seconds,
            },
            partial,
        )
        partial.replace(self._file(bench))

    def _resume(self, bench: Bench, optimiser: torch.optim.Optimizer) -> None:
        """Take up the run of a checkpoint, if there is one.

        Raises:
            InvalidInput: it is of another plan.
        """
        if not self._file(bench).is_file():
            return
        kept = torch.load(self._file(bench), map_location=bench.device, weights_only=True)
        for part in ("seed", "side", "shape"):
            if _plain(kept["plan"][part]) != _plain(asdict(bench.plan)[part]):
                raise InvalidInput(
                    f"{bench.folder} holds a training with another {part}. Name another folder, "
                    "or delete it."
                )
        for name, network in self.networks.items():
            network.load_state_dict(kept["networks"][name])
        self.averages = kept["averages"]
        optimiser.load_state_dict(kept["optimiser"])
        self.step, self.seconds = kept["step"], kept["seconds"]
        bench.tell(f"{self.name} goes on at step {self.step}")


def _plain(value: object) -> object:
    return json.loads(json.dumps(value))


def _slope(step: int, share: float) -> float:
    """The rate as a share of its peak: up in twenty steps, down over the last two fifths."""
    return min(1.0, (step + 1) / _WARM) * min(1.0, max(0.02, (1 - share) / 0.4))


def _set_rate(optimiser: torch.optim.Optimizer, rate: float) -> None:
    for group in optimiser.param_groups:
        group["lr"] = rate


def pick(count: int, batch: int, chance: torch.Generator) -> Tensor:
    """Which of ``count`` things a step looks at: ``(batch,)`` numbers."""
    return torch.randint(count, (batch,), generator=chance)
