"""One visual language for what the check says: a symbol, a word and a colour, always together.

Shape and word carry the meaning alone, for people who do not see the colours apart. The colours
of the verdicts are those of the evidence pictures.
"""

from dataclasses import dataclass

from pipeline.domain.quality import CandidateReport, CharacterCheck, Flag, Verdict
from pipeline.domain.review import Review, ReviewStatus
from pipeline.quality.audit import BLIND
from pipeline.quality.conformal import promise_words
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
    Flag.AUDIT: Look("🎲", "passed, shown blindly", NEUTRAL),
    Flag.CONSENT: Look("🤝", "consent withdrawn", WAITING),
}
_ASKED = Look("🔎", "is this on-model?", NEUTRAL)
_ASK = (
    "Compare it with the model sheet before you look at the number. What the check thinks is shown "
    "once you have decided."
)
_AUDITED = "The check had passed it. Some passed panels are shown to moderators blindly."


def look(verdict: Verdict) -> Look:
    """The look of a verdict."""
    return _LOOKS[verdict]


def flag_look(flag: Flag) -> Look:
    """The look of the reason why a person has to decide."""
    return _FLAGS[flag]


def is_blind(review: Review) -> bool:
    """Whether its cards must not tell yet what the check thinks."""
    return review.status is ReviewStatus.OPEN and review.flag in BLIND


def review_look(review: Review) -> Look:
    """The look of a review: why a person has to decide, as far as that may be told now."""
    return _ASKED if is_blind(review) else flag_look(review.flag)


def review_reason(review: Review) -> str:
    """Why a person has to decide, in words, as far as that may be told now."""
    if is_blind(review):
        return _ASK
    return _AUDITED if review.flag is Flag.AUDIT else review.reason


def promises(report: CandidateReport) -> str:
    """What the learned limits promise, each promise once; empty where none was learned."""
    said = (promise_words(c.promise) for c in report.checks if c.promise is not None)
    return "\n".join(dict.fromkeys(said))


def figures(check: CharacterCheck) -> str:
    """``similarity 0.83, needs 0.71``; what was not measured is not named."""
    parts = []
    if check.similarity is not None:
        between = ""
        if check.interval is not None:
            between = f" (between {check.interval[0]:.2f} and {check.interval[1]:.2f})"
        parts.append(f"similarity {check.similarity:.2f}{between}")
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
