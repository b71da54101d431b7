"""The production report: ``index.html`` with its pictures, and ``summary.json``."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

from bot.demo.chart import drift_chart
from bot.services.actor import Actor
from pipeline.domain.calibration import Level, Promise
from pipeline.domain.errors import NotFound
from pipeline.domain.panel import Panel, PanelOrigin
from pipeline.domain.quality import Verdict
from pipeline.domain.review import Review, StoredCandidate, Tally
from pipeline.quality.conformal import CONFIDENCE, promise_words, verdicts_needed
from pipeline.retrieval.coverage import CharacterCoverage
from storage import attempts, drift, panels, reviews, votes
from storage.blobs import BlobStore

if TYPE_CHECKING:
    from bot.demo.production import Production

_LATER = Promise(0.10, CONFIDENCE, verdicts_needed(0.10), Level.GUILD)
"""What the promise will say as soon as there are enough verdicts."""
VERDICT_WORDS = {
    Verdict.ON_MODEL: "on-model",
    Verdict.OFF_MODEL: "off-model",
    Verdict.CANNOT_JUDGE: "cannot judge",
}


@dataclass(frozen=True, slots=True)
class PanelStory:
    """One panel as the report tells it."""

    panel: Panel
    candidates: tuple[StoredCandidate, ...]
    review: Review | None
    tally: Tally
    words: str = ""
    reasons: tuple[tuple[str, str], ...] = ()
    """Each character's first reference: who, and why this one."""

    @property
    def attempts(self) -> int:
        """Rungs of the ladder that were climbed."""
        return len({candidate.attempt for candidate in self.candidates})


async def write_report(production: "Production", out: Path, seconds: float) -> dict[str, float]:
    """Write the report and the summary; returns the summary."""
    app = production.app
    guild_id = production.guild_id
    stories = [
        await _story(production, panel)
        for panel in sorted(await panels.list_panels(app.db, guild_id), key=lambda p: p.id)
    ]
    pictures = Pictures(app.blobs, guild_id, out)
    await pictures.write(stories)
    sheets = await _write_sheets(production, out)
    coverages = await _write_coverage(production, out)
    samples = await drift.samples(app.db, guild_id, last=1000)
    summary = _summary(production, stories, seconds)
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parents[1] / "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    html = environment.get_template("report.html.j2").render(
        title=production.script.title,
        summary=summary,
        sheets=sheets,
        coverages=coverages,
        stories=[s for s in stories if s.panel.origin is PanelOrigin.GENERATED],
        submissions=[s for s in stories if s.panel.origin is PanelOrigin.SUBMITTED],
        pages=[f"pages/page-{page.number:03d}.png" for page in production.script.pages],
        names={c.character_id: c.name for c in production.material.characters},
        charts=drift_chart(
            samples, {c.character_id: c.name for c in production.material.characters}
        ),
        promises=await _promises(production),
        promise_kept=promise_words(_LATER),
        verdict_words=VERDICT_WORDS,
        picture=pictures.path,
    )
    (out / "index.html").write_text(html, encoding="utf-8")
    (out / "summary.json").write_text(json.dumps(summary, indent=2) + "\n", encoding="utf-8")
    return summary


async def _promises(production: "Production") -> list[tuple[str, str]]:
    """Of every look that has a log: who, and what its limits promise by now."""
    app, guild_id = production.app, production.guild_id
    try:
        report = await app.drift.report(guild_id)
    except NotFound:
        return []
    return [(f"{look.name} · {look.appearance_id}", look.promise) for look in report.looks]


async def _story(production: "Production", panel: Panel) -> PanelStory:
    db = production.app.db
    candidates = tuple(await attempts.candidates_of(db, panel.guild_id, panel.id))
    return PanelStory(
        panel,
        candidates,
        await reviews.review_of_panel(db, panel.guild_id, panel.id),
        await votes.tally(db, panel.guild_id, panel.id),
        dict(production.submissions).get(panel.id, ""),
        await _reasons(production, panel, candidates),
    )


async def _reasons(
    production: "Production", panel: Panel, candidates: Sequence[StoredCandidate]
) -> tuple[tuple[str, str], ...]:
    """Why the chosen (or first) candidate was drawn from the references that it was drawn from."""
    if not candidates:
        return ()
    chosen = panel.chosen_candidate or candidates[0].id
    plan = await attempts.plan_of(production.app.db, panel.guild_id, chosen)
    if plan is None:
        return ()
    return tuple(
        (
            member.character_id,
            f"reference {member.references[0].reference_id}. {member.references[0].why}",
        )
        for member in plan.cast
        if member.references
    )


class Pictures:
    """Copies of the blobs that the report shows, under ``img/``."""

    def __init__(self, blobs: BlobStore, guild_id: int, out: Path) -> None:
        self._blobs = blobs
        self._guild_id = guild_id
        self._folder = out / "img"

    async def write(self, stories: Sequence[PanelStory]) -> None:
        """Write every candidate and evidence card once."""
        self._folder.mkdir(exist_ok=True)
        wanted = {c.sha256 for story in stories for c in story.candidates}
        wanted |= {
            s.review.evidence_sha256 for s in stories if s.review and s.review.evidence_sha256
        }
        for old in self._folder.glob("*.png"):
            old.unlink()
        for sha256 in sorted(wanted):
            data = await self._blobs.get(self._guild_id, sha256)
            (self._folder / f"{sha256[:16]}.png").write_bytes(data)

    @staticmethod
    def path(sha256: str) -> str:
        """Where the report finds a picture."""
        return f"img/{sha256[:16]}.png"


async def _write_sheets(production: "Production", out: Path) -> list[tuple[str, str]]:
    """A model sheet per appearance; returns (caption, path)."""
    folder = out / "sheets"
    folder.mkdir(exist_ok=True)
    actor = Actor(production.guild_id, 0)
    sheets = []
    for character in production.material.characters:
        for look in character.appearances:
            name = look.appearance_id
            sheet = await production.app.sheets.draw(actor, character.character_id, name)
            path = folder / f"{name}.png"
            path.write_bytes(sheet.png)
            sheets.append((f"{character.name} · {look.label}", f"sheets/{path.name}"))
    return sheets


async def _write_coverage(
    production: "Production", out: Path
) -> list[tuple[CharacterCoverage, str]]:
    """A heat map per character; returns what was counted and where the picture is."""
    folder = out / "coverage"
    folder.mkdir(exist_ok=True)
    actor = Actor(production.guild_id, 0)
    service = production.app.registry
    found = []
    for character in production.material.characters:
        coverage = await service.coverage(actor, character.character_id)
        path = folder / f"{character.character_id}.png"
        path.write_bytes(await service.coverage_sheet(actor, character.character_id))
        found.append((coverage, f"coverage/{path.name}"))
    return found


def _summary(
    production: "Production", stories: Sequence[PanelStory], seconds: float
) -> dict[str, float]:
    """The numbers that ``summary.json`` promises."""
    reviewed = [s.review for s in stories if s.review]
    judged = [c for s in stories for c in s.candidates]
    return {
        "characters": len(production.material.characters),
        "references": production.references,
        "panels": len(stories),
        "attempts": sum(s.attempts for s in stories),
        "accepted": sum(s.panel.status.value == "accepted" for s in stories),
        "flagged": len(reviewed),
        "cannot_judge": sum(c.report.verdict is Verdict.CANNOT_JUDGE for c in judged),
        "reviewed": sum(r.decided_at is not None for r in reviewed),
        "votes": production.votes,
        "pages": production.pages,
        "seconds": round(seconds, 2),
    }
