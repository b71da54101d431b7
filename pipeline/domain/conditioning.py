"""The plan: everything that a generator needs, and nothing that it has to look up."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.geometry import Size


@dataclass(frozen=True, slots=True)
class ReferenceUse:
    """A reference picture (by content hash) and how strongly it holds, 0 (not) to 1 (fully)."""

    sha256: str
    reference_id: int
    scale: float
    why: str


@dataclass(frozen=True, slots=True)
class CastConditioning:
    """One character of the panel: its identity words, references and relative height."""

    character_id: str
    appearance_id: str
    identity: str
    references: tuple[ReferenceUse, ...]
    height_ratio: float = 1.0


@dataclass(frozen=True, slots=True)
class ConditioningPlan:
    """A complete recipe: the same plan on the same generator draws the same pixels.

    ``strength`` is the rung of the retry ladder, 0 for the first try and strictly larger for each
    retry. ``alternates`` pictures are drawn; alternate ``i`` uses seed ``seed + i``.
    """

    generator: str
    generator_version: str
    prompt: str
    negative: str
    cast: tuple[CastConditioning, ...]
    shot_type: ShotType
    color_mode: ColorMode
    size: Size
    seed: int
    alternates: int
    strength: int = 0
    balloon_lines: int = 0

    def to_json(self) -> str:
        """Canonical JSON: sorted keys, so that equal plans give equal text."""
        return json.dumps(asdict(self), sort_keys=True, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "ConditioningPlan":
        """Read :meth:`to_json` back; the result equals the original.

        Raises:
            ValueError: a field is missing, unknown or of the wrong kind.
        """
        try:
            return cls._from_mapping(json.loads(text))
        except (KeyError, TypeError) as error:
            raise ValueError(f"not a conditioning plan: {error}") from error

    @classmethod
    def _from_mapping(cls, data: Mapping[str, Any]) -> "ConditioningPlan":
        cast = tuple(
            CastConditioning(
                **{**member, "references": tuple(ReferenceUse(**r) for r in member["references"])}
            )
            for member in data["cast"]
        )
        return cls(
            **{
                **data,
                "cast": cast,
                "shot_type": ShotType(data["shot_type"]),
                "color_mode": ColorMode(data["color_mode"]),
                "size": Size(*data["size"]),
            }
        )

    @property
    def recipe_hash(self) -> str:
        """The first 12 hex digits of the plan's sha256: a short name for people and logs."""
        return hashlib.sha256(self.to_json().encode()).hexdigest()[:12]
