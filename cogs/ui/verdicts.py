"""One visual language for what the check says: a symbol, a word and a colour, always together.

Shape and word carry the meaning alone, for people who do not see the colours apart. The colours
of the verdicts are those of the evidence pictures.
"""

from dataclasses import dataclass

from cogs.ui.words import mark, retell, say
from pipeline.domain.quality import CandidateReport, CharacterCheck, Flag, ToneFault, Verdict
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
        return f"{self.symbol} {self.said}"

    @property
    def said(self) -> str:
        """The word in the reader's language."""
        return say(self.word)


_LOOKS = {
    Verdict.ON_MODEL: Look("✅", mark("on-model"), GOOD),
    Verdict.OFF_MODEL: Look("🛑", mark("off-model"), BAD),
    Verdict.CANNOT_JUDGE: Look("❔", mark("cannot judge"), UNKNOWN),
}
_FLAGS = {
    Flag.OFF_MODEL: _LOOKS[Verdict.OFF_MODEL],
    Flag.CANNOT_JUDGE: _LOOKS[Verdict.CANNOT_JUDGE],
    Flag.DUPLICATE: Look("👯", mark("looks like an earlier picture"), WAITING),
    Flag.AUDIT: Look("🎲", mark("passed, shown blindly"), NEUTRAL),
    Flag.CONSENT: Look("🤝", mark("consent withdrawn"), WAITING),
    Flag.UNSAFE: Look("🔞", mark("perhaps not for everyone"), WAITING),
    Flag.REPORT: Look("🚩", mark("reported by members"), WAITING),
}
_ASKED = Look("🔎", mark("is this on-model?"), NEUTRAL)
_ASK = mark(
    "Compare it with the model sheet before you look at the number. What the check thinks is shown "
    "once you have decided."
)
_AUDITED = mark("The check had passed it. Some passed panels are shown to moderators blindly.")


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
        return say(_ASK)
    return say(_AUDITED) if review.flag is Flag.AUDIT else retell(review.reason)


def promises(report: CandidateReport) -> str:
    """What the learned limits promise, each promise once; empty where none was learned."""
    said = (retell(promise_words(c.promise)) for c in report.checks if c.promise is not None)
    return "\n".join(dict.fromkeys(said))


def figures(check: CharacterCheck) -> str:
    """``similarity 0.83, needs 0.71``; what was not measured is not named."""
    parts = []
    if check.similarity is not None:
        if check.interval is None:
            parts.append(say("similarity {value:.2f}", value=check.similarity))
        else:
            low, high = check.interval
            words = mark("similarity {value:.2f} (between {low:.2f} and {high:.2f})")
            parts.append(say(words, value=check.similarity, low=low, high=high))
    if check.threshold is not None:
        parts.append(say("needs {value:.2f}", value=check.threshold))
    return ", ".join(parts)


def short(report: CandidateReport) -> str:
    """A candidate's verdict and, if there is one, its least margin above the threshold."""
    words = str(look(report.verdict))
    if report.margin is not None:
        words += " " + say("(margin {margin:+.2f})", margin=report.margin)
    if report.duplicate_of:
        words += " · " + say("looks like {picture}", picture=report.duplicate_of)
    if (tone := beside_page(report)) != "":
        words += f" · {tone}"
    return words


def beside_page(report: CandidateReport) -> str:
    """What is wrong with the colours beside the rest of the page; empty where nothing is."""
    tone = report.tone
    if tone is None or tone.fault is None:
        return ""
    match tone.fault:
        case ToneFault.STRONGER:
            return say("🎨 colours {n} % stronger than its page", n=round(100 * tone.shift))
        case ToneFault.PALER:
            return say("🎨 colours {n} % paler than its page", n=round(-100 * tone.shift))
