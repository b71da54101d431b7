"""Prompts in the common notation of ComfyUI and AUTOMATIC1111: ``(words:1.2)``.

What people wrote is escaped first: brackets are their brackets, and no word of theirs loads a
file of weights (``<lora:…>``, ``embedding:…``) or cuts the prompt (``BREAK``, ``AND``).
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.domain.conditioning import ConditioningPlan, PromptPart

_ROUND, _SQUARE = re.compile(r"([()])"), re.compile(r"([()\[\]])")
_TAGS = str.maketrans({"<": "‹", ">": "›", "{": "‹", "}": "›", "\\": "/"})
_KEYWORDS = re.compile(r"\b(AND|BREAK|ADDCOMM|ADDBASE|ADDCOL|ADDROW)\b")
_EMBEDDING = re.compile(r"\bembedding\s*:", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Notation:
    """What an engine obeys in a prompt: round brackets, and the web UI square ones too."""

    special: re.Pattern[str]

    def escaped(self, text: str) -> str:
        """The words as they are, with nothing in them that the engine would obey."""
        plain = _EMBEDDING.sub("embedding ", text.translate(_TAGS))
        plain = _KEYWORDS.sub(lambda found: found.group().lower(), plain)
        return self.special.sub(r"\\\1", plain)

    def weighted(self, part: PromptPart) -> str:
        """A piece with the attention that it gets."""
        text = self.escaped(part.text)
        return text if part.weight == 1 else f"({text}:{part.weight:g})"

    def joined(self, parts: Sequence[PromptPart]) -> str:
        """Pieces in one line."""
        return ", ".join(self.weighted(part) for part in parts)

    def positive(self, plan: ConditioningPlan) -> str:
        """The prompt; from its parts, unless somebody changed the line itself."""
        return self._line(plan.prompt, plan.prompt_parts)

    def negative(self, plan: ConditioningPlan) -> str:
        """The negative prompt for the whole picture."""
        return self._line(plan.negative, plan.negative_parts)

    def _line(self, text: str, parts: Sequence[PromptPart]) -> str:
        if parts and ", ".join(part.text for part in parts) == text:
            return self.joined(parts)
        return self.escaped(text)


COMFYUI, WEB_UI = Notation(_ROUND), Notation(_SQUARE)
