"""One visual language for what the check says: a symbol, a word and a colour, always together.

Shape and word carry the meaning alone, for people who do not see the colours apart. The colours
of the verdicts are those of the evidence pictures.
"""

from dataclasses import dataclass

from pipeline.domain.quality import CandidateReport, CharacterCheck, Flag, Verdict
from pipeline.quality.signs import COLORS


def _colour(verdict: Verdict) -> int:
    red, green, blue = COLORS[verdict]
    return red << 16 | green << 8 | blue


NEUTRAL = 0x4F7CAC
WAITING = 0xC9A227
GOOD = _colour(Verdict.ON_MODEL)
BAD = _colour(Verdict.OFF_MODEL)
UNKNOWN = _colour(Verdict.CANNOT_JUDGE)
QUIET = 0x8A8A8A


@dataclass(frozen=True, slots=True)
class Look:
    """How a verdict is shown."""

    symbol: str
    word: str
    colour: int

    def __str__(self) -> str:
        """Symbol and word."""
        return f"{self.symbol} {self.word}"


_LOOKS = {
    Verdict.ON_MODEL: Look("✅", "on-model", GOOD),
    Verdict.OFF_MODEL: Look("🛑", "off-model", BAD),
    Verdict.CANNOT_JUDGE: Look("❔", "cannot judge", UNKNOWN),
}
_FLAGS = {
    Flag.OFF_MODEL: _LOOKS[Verdict.OFF_MODEL],
    Flag.CANNOT_JUDGE: _LOOKS[Verdict.CANNOT_JUDGE],
    Flag.DUPLICATE: Look("👯", "looks like an earlier picture", WAITING),
}


def look(verdict: Verdict) -> Look:
    """The look of a verdict."""
    return _LOOKS[verdict]


def flag_look(flag: Flag) -> Look:
    """The look of the reason why a person has to decide."""
    return _FLAGS[flag]


def figures(check: CharacterCheck) -> str:
    """``similarity 0.83, needs 0.71``; what was not measured is not named."""
    parts = []
    if check.similarity is not None:
        parts.append(f"similarity {check.similarity:.2f}")
    if check.threshold is not None:
        parts.append(f"needs {check.threshold:.2f}")
    return ", ".join(parts)


def short(report: CandidateReport) -> str:
    """A candidate's verdict and, if there is one, its least margin above the threshold."""
    words = str(look(report.verdict))
    if report.margin is not None:
        words += f" (margin {report.margin:+.2f})"
    if report.duplicate_of:
        words += f" · looks like {report.duplicate_of}"
    return words
