"""Domain values as JSON text and as columns, and back. A round trip gives an equal value."""

import json
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from pipeline.domain.calibration import Level, Promise, ScoreKey
from pipeline.domain.character import ColorMode, ShotType
from pipeline.domain.fingerprint import CropClass, PictureHashes
from pipeline.domain.geometry import Box, Size
from pipeline.domain.panel import (
    BalloonKind,
    CastRole,
    DialogueLine,
    PanelBrief,
    PlacedFigure,
    PlanPart,
    Revision,
    Staging,
)
from pipeline.domain.quality import (
    CandidateReport,
    CastFault,
    CastFinding,
    CharacterCheck,
    Drift,
    Flag,
    PageTone,
    Stage,
    ToneFault,
    Verdict,
)
from pipeline.domain.safety import Rating


def to_json(value: Any) -> str:
    """Compact JSON with sorted keys, so that equal values give equal text."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def brief_to_json(brief: PanelBrief) -> str:
    """What a person asked for, as text."""
    return to_json(asdict(brief))


def brief_from_json(text: str) -> PanelBrief:
    """Read :func:`brief_to_json` back.

    Raises:
        ValueError: not a brief.
    """
    try:
        data = json.loads(text)
        return PanelBrief(
            **{
                **data,
                "cast": tuple(CastRole(**role) for role in data["cast"]),
                "shot_type": ShotType(data["shot_type"]),
                "color_mode": ColorMode(data["color_mode"]),
                "dialogue": tuple(_line(line) for line in data["dialogue"]),
                "size": Size(*data["size"]),
                "lead": tuple(data.get("lead", ())),
                "revision": _revision(data.get("revision")),
                "staging": _staging(data.get("staging")),
            }
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a panel brief: {error}") from error


def staging_to_json(staging: Staging) -> str:
    """What a storyboard showed of a panel, as text."""
    return to_json(asdict(staging))


def staging_from_json(text: str) -> Staging:
    """Read :func:`staging_to_json` back.

    Raises:
        ValueError: not a staging.
    """
    try:
        return _staging(json.loads(text)) or Staging()
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a staging: {error}") from error


def dialogue_to_json(lines: Sequence[DialogueLine]) -> str:
    """The lines of a panel as text."""
    return to_json([asdict(line) for line in lines])


def dialogue_from_json(text: str) -> tuple[DialogueLine, ...]:
    """Read :func:`dialogue_to_json` back.

    Raises:
        ValueError: not lines of dialogue.
    """
    try:
        return tuple(_line(line) for line in json.loads(text))
    except (KeyError, TypeError) as error:
        raise ValueError(f"not lines of dialogue: {error}") from error


def report_to_json(report: CandidateReport) -> str:
    """What the check found, as text."""
    checks = [{**asdict(check), "segments": dict(check.segments)} for check in report.checks]
    return to_json(
        {
            "verdict": report.verdict,
            "checks": checks,
            "flags": report.flags,
            "duplicate_of": report.duplicate_of,
            "tone": None if report.tone is None else asdict(report.tone),
            "margin": report.margin,
            "rating": None if report.rating is None else asdict(report.rating),
            "stage": None if report.stage is None else asdict(report.stage),
        }
    )


def report_from_json(text: str) -> CandidateReport:
    """Read :func:`report_to_json` back.

    Raises:
        ValueError: not a report.
    """
    try:
        data = json.loads(text)
        return CandidateReport(
            verdict=Verdict(data["verdict"]),
            checks=tuple(_check(check) for check in data["checks"]),
            flags=tuple(Flag(flag) for flag in data["flags"]),
            duplicate_of=data["duplicate_of"],
            margin=data["margin"],
            rating=Rating(**data["rating"]) if data.get("rating") else None,
            stage=_stage(data.get("stage")),
            tone=_tone(data.get("tone")),
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not a candidate report: {error}") from error


def figures_to_json(figures: Sequence[PlacedFigure]) -> str:
    """Where the characters stand, as text; masks are left out."""
    return to_json(
        [
            {
                "character_id": figure.character_id,
                "box": figure.box,
                "head": figure.head,
                "hands": figure.hands,
            }
            for figure in figures
        ]
    )


def figures_from_json(text: str) -> tuple[PlacedFigure, ...]:
    """Read :func:`figures_to_json` back; every mask is None.

    Raises:
        ValueError: not a list of figures.
    """
    try:
        return tuple(
            PlacedFigure(
                figure["character_id"],
                Box(*figure["box"]),
                _box(figure["head"]),
                hands=tuple(Box(*hand) for hand in figure.get("hands", ())),
            )
            for figure in json.loads(text)
        )
    except (KeyError, TypeError) as error:
        raise ValueError(f"not placed figures: {error}") from error


def hashes_to_columns(hashes: PictureHashes) -> tuple[str, str | None, str | None, str | None]:
    """``hash_version``, ``phash``, ``dhash``, ``ahash``; a hash is 16 hex digits.

    SQLite's integers are signed, a 64-bit hash is not.
    """
    return hashes.version, _hex(hashes.phash), _hex(hashes.dhash), _hex(hashes.ahash)


def hashes_from_row(row: sqlite3.Row) -> PictureHashes:
    """Read the four columns back."""
    return PictureHashes(
        row["hash_version"], _int(row["phash"]), _int(row["dhash"]), _int(row["ahash"])
    )


def _line(data: Mapping[str, Any]) -> DialogueLine:
    aim = data.get("aim")
    return DialogueLine(
        **{
            **data,
            "kind": BalloonKind(data["kind"]),
            "aim": None if aim is None else (float(aim[0]), float(aim[1])),
        }
    )


def _check(data: Mapping[str, Any]) -> CharacterCheck:
    return CharacterCheck(
        **{
            **data,
            "verdict": Verdict(data["verdict"]),
            "crop": None if data["crop"] is None else CropClass(data["crop"]),
            "box": _box(data["box"]),
            "basis": _basis(data.get("basis")),
            "promise": _promise(data.get("promise")),
            "interval": _pair(data.get("interval")),
            "drift": tuple(_drift(drift) for drift in data.get("drift", ())),
        }
    )


def _stage(data: Mapping[str, Any] | None) -> Stage | None:
    if data is None:
        return None
    faults = (
        CastFinding(**{**one, "fault": CastFault(one["fault"]), "box": _box(one["box"])})
        for one in data["faults"]
    )
    return Stage(**{**data, "faults": tuple(faults)})


def _tone(data: Mapping[str, Any] | None) -> PageTone | None:
    if data is None:
        return None
    fault = None if data["fault"] is None else ToneFault(data["fault"])
    return PageTone(**{**data, "fault": fault})


def _drift(data: Mapping[str, Any]) -> Drift:
    return Drift(**{**data, "box": _box(data["box"])})


def _basis(data: Mapping[str, Any] | None) -> ScoreKey | None:
    if data is None:
        return None
    looks = tuple(CropClass(look) for look in data["looks"])
    return ScoreKey(data["encoders"], looks, ColorMode(data["color_mode"]))


def _promise(data: Mapping[str, Any] | None) -> Promise | None:
    return None if data is None else Promise(**{**data, "level": Level(data["level"])})


def _pair(values: Sequence[float] | None) -> tuple[float, float] | None:
    return None if values is None else (values[0], values[1])


def _revision(data: Mapping[str, Any] | None) -> Revision | None:
    if data is None:
        return None
    return Revision(**{**data, "changed": tuple(map(PlanPart, data["changed"]))})


def _box(values: Sequence[int] | None) -> Box | None:
    return None if values is None else Box(*values)


def _hex(value: int | None) -> str | None:
    return None if value is None else f"{value:016x}"


def _int(text: str | None) -> int | None:
    return None if text is None else int(text, 16)


def _staging(data: Mapping[str, Any] | None) -> Staging | None:
    if data is None:
        return None
    return Staging(
        figures=tuple((who, Box(*box)) for who, box in data["figures"]),
        clear=tuple(Box(*box) for box in data["clear"]),
    )
