"""Stories of what moderators teach the check: learned limits, their promise, the blind audit.

The judge is the real one; only the pictures are simple.
"""

import io
import random
import re
from collections.abc import Callable
from functools import cache
from typing import Any

from discord_contract import walk
from PIL import Image, ImageDraw, ImageEnhance
from studio import ScriptedWork, Studio, answer, raw, text_of

from bot.services.actor import Actor
from pipeline.domain.inputs import PanelInputs
from pipeline.domain.quality import Flag, PanelOutcome
from pipeline.domain.review import Review
from pipeline.quality.attributes import MODES
from pipeline.quality.conformal import LIMIT_SHARE
from pipeline.runner import Workshop, WorkshopSpec, build_workshop, run_panel
from storage.database import Transaction

NAVY, BLUER = (20, 30, 110), (70, 110, 230)


@cache
def workshop_of(encoders: tuple[str, ...]) -> Workshop:
    return build_workshop(WorkshopSpec("draft", encoders))


def drawing(coat: tuple[int, int, int], number: int) -> bytes:
    """The same little person somewhere on a page, every one a little different."""
    rng = random.Random(number)
    image = Image.new("RGBA", (320, 320))
    draw = ImageDraw.Draw(image)
    scale = rng.uniform(0.75, 1.0)
    x, y = rng.uniform(0, 320 - 170 * scale), rng.uniform(0, 320 - 300 * scale)

    def at(*corners: float) -> tuple[float, ...]:
        return tuple((x, y)[k % 2] + scale * value for k, value in enumerate(corners))

    shade = tuple(min(255, part + rng.randint(-12, 12) if part else 0) for part in coat)
    draw.rectangle(at(30, 110, 140, 300), fill=shade)
    draw.ellipse(at(25, 5, 145, 125), fill=(250, 214, 180))
    draw.pieslice(at(20, 0, 150, 120), 180, 360, fill=(60, 30, 20))
    for eye in (60, 95):
        draw.ellipse(at(eye, 62, eye + 14, 62 + rng.randint(10, 16)), fill=(10, 10, 10))
    draw.arc(at(65, 80, 105, 80 + rng.randint(14, 28)), 20, 160, fill=(150, 40, 40), width=4)
    out = io.BytesIO()
    image.save(out, "PNG")
    return out.getvalue()


def judged_by(encoders: tuple[str, ...]) -> Callable[..., PanelOutcome]:
    workshop = workshop_of(encoders)

    def work(inputs: PanelInputs, **asked: Any) -> PanelOutcome:
        return run_panel(inputs, workshop, **asked)

    return work


async def open_shop(studio: Studio, **settings: int) -> None:
    """Akira with six references, a real judge, and the given settings."""
    studio.executor.work = judged_by(studio.app.workshop_spec.encoders)
    files = {f"image{n or ''}": (f"{n}.png", drawing(NAVY, n)) for n in (1, 2, 3, 4, 5)}
    files["image"] = files.pop("image1")
    await studio.ann.slash(
        studio.channel, "character register", name="Akira", shot_type="full", **files
    )
    await studio.boss.slash(studio.channel, "series settings", **settings)


async def submit(studio: Studio, png: bytes, **options: int) -> Review | None:
    """Send a drawing; returns the review that was opened about it."""
    before = len(studio.reviews.threads)
    await studio.ann.slash(
        studio.channel, "panel submit", image=("d.png", png), characters="Akira", **options
    )
    await studio.quiet()
    if len(studio.reviews.threads) == before:
        return None
    number = int(studio.reviews.threads[-1].name.split()[1])
    return await studio.app.reviews.get(studio.guild.id, number)


async def test_a_picture_paler_than_its_page_is_told_so(studio: Studio):
    """Two accepted panels of page 3, and a third one from which the colour has gone."""
    await open_shop(studio, audit=0)
    for number in (500, 501):
        assert await submit(studio, drawing(NAVY, number), page=3) is None, "it fits the sheet"
    pale = await submit(studio, faded(drawing(NAVY, 502), 0.3), page=3)
    assert pale is not None
    assert "paler than its page" in text_of(studio.reviews.threads[-1].last_message)
    elsewhere = await submit(studio, faded(drawing(NAVY, 503), 0.3), page=4)
    assert elsewhere is not None
    assert "paler" not in text_of(studio.reviews.threads[-1].last_message)


def faded(png: bytes, saturation: float) -> bytes:
    out = io.BytesIO()
    with Image.open(io.BytesIO(png)) as image:
        ImageEnhance.Color(image).enhance(saturation).save(out, "PNG")
    return out.getvalue()


def press(message: Any, word: str) -> str:
    buttons = (c for c in walk(raw(message)) if c["type"] == 2)
    return next(b["custom_id"] for b in buttons if b["label"].startswith(word))


def repeat_verdict(tx: Transaction) -> None:
    """The one verdict that is there, 27 times more, with scores a little lower."""
    (sample,) = tx.execute("SELECT * FROM drift_sample").fetchall()
    (label,) = tx.execute("SELECT * FROM verdict_label").fetchall()
    for number in range(27):
        for table, row, changed in (
            ("drift_sample", sample, {"id": 100 + number, "score": sample["score"] - 0.06}),
            ("verdict_label", label, {"id": 100 + number, "sample_id": 100 + number}),
        ):
            values = {**dict(row), **changed}
            marks = ", ".join("?" * len(values))
            tx.execute(
                f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})",
                tuple(values.values()),
            )


async def test_verdicts_move_the_limit_and_the_next_picture_is_judged_by_it(
    studio: Studio,
):
    """Flag, card, label, decision, new limit, another verdict: the whole path of a moderator."""
    await open_shop(studio, audit=0)
    moderator = Actor(studio.guild.id, studio.mod.id, is_moderator=True)
    review = await submit(studio, drawing(BLUER, 100))
    assert review is not None
    assert review.flag is Flag.OFF_MODEL, review.reason
    await studio.app.reviews.approve(moderator, review.id)
    await studio.quiet()
    await studio.app.db.write(repeat_verdict)

    last = await submit(studio, drawing(BLUER, 101))
    assert last is not None, "28 verdicts promise nothing yet"
    card = studio.reviews.threads[-1].last_message
    assert "is this on-model?" in text_of(card)
    asked = await studio.mod.click(card, custom_id=press(card, "Label"))
    await studio.mod.select(asked.followups[0], ["nothing"])
    await studio.mod.click(card, custom_id=press(card, "Approve"))
    await studio.quiet()
    assert "off-model" in text_of(studio.reviews.threads[-1].last_message), "now it is told"

    assert await submit(studio, drawing(BLUER, 102)) is None, "it passes by the learned limit"
    shown = await studio.app.panels.view(moderator, 3)
    (check,) = shown.candidates[0].report.checks
    assert check.promise is not None
    assert (check.promise.verdicts, check.promise.level) == (29, "appearance")
    assert check.similarity is not None
    assert check.score is not None
    shipped = (check.similarity - check.score) / LIMIT_SHARE
    assert check.similarity < shipped, "the shipped limit would have flagged it"
    assert "29 verdicts" in check.reason

    checked = await studio.ann.slash(
        studio.channel, "panel check", image=("x.png", drawing((200, 40, 40), 3)), character="Akira"
    )
    assert "At most 10 % of good panels get flagged (95 % sure), from 29 verdicts" in answer(
        checked
    )


async def test_a_label_counts_for_the_very_next_panel(studio: Studio):
    """Evidence counters, the attribution's record and the ladder's hint, all with one click."""
    await open_shop(studio, audit=0)
    review = await submit(studio, drawing((200, 40, 40), 700))
    assert review is not None
    card = studio.reviews.threads[-1].last_message
    asked = await studio.mod.click(card, custom_id=press(card, "Label"))
    await studio.mod.select(asked.followups[0], ["outfit_color"])
    await studio.mod.click(card, custom_id=press(card, "Reject"))
    await studio.quiet()
    given: list[PanelInputs] = []

    def noted(inputs: PanelInputs, **asked: Any) -> PanelOutcome:
        given.append(inputs)
        return ScriptedWork()(inputs, **asked)

    studio.executor.work = noted
    await studio.request(alternates=1)
    await studio.quiet()
    assert given[0].drift_counts["outfit_color"].labelled == 1
    seen = await studio.app.reviews.candidate(studio.guild.id, review)
    (check,) = seen.report.checks
    assert check.drift, "the attribution said something first"
    first = check.drift[0].attribute
    counted = given[0].attribute_counts[first]
    assert (counted.named, counted.right) == (1, int("outfit_color" in MODES[first]))


async def test_an_audited_panel_looks_like_a_flagged_one_until_somebody_decided(
    studio: Studio,
):
    await open_shop(studio, audit=50)
    flagged = await submit(studio, drawing(BLUER, 300))
    assert flagged is not None
    assert flagged.flag is Flag.OFF_MODEL
    seen = words_of(studio)
    audited, number = None, 400
    while audited is None:  # every second one, by a secret that nobody knows beforehand
        audited, number = await submit(studio, drawing(NAVY, number)), number + 1
        assert number < 440
    assert audited.flag is Flag.AUDIT
    assert words_of(studio) == seen
    listed = await studio.mod.slash(studio.channel, "review list")
    lines = [re.sub(r"[\d<>#]+", "#", line) for line in answer(listed).splitlines()]
    assert len(set(lines[-2:])) == 1
    status = await studio.ann.slash(studio.channel, "panel status", panel=audited.panel_id)
    assert "blind" not in answer(status)

    thread = studio.reviews.threads[-1]
    card = thread.last_message
    await studio.mod.click(card, custom_id=press(card, "Approve"))
    await studio.quiet()
    assert "shown to moderators blindly" in text_of(thread.last_message)
    assert "accepted" in text_of(studio.card())
    rows = await studio.app.db.fetch_all("SELECT probability FROM drift_sample ORDER BY id")
    assert {row["probability"] for row in rows} == {1.0, 0.5}


def words_of(studio: Studio) -> tuple[str, str, list[str]]:
    """Everything of the newest review thread that could tell, without its numbers."""
    thread = studio.reviews.threads[-1]
    message = thread.last_message
    labels = [c["label"] for c in walk(raw(message)) if c["type"] == 2]
    colour = [c.get("accent_color") for c in walk(raw(message)) if c["type"] == 17]
    plain = [re.sub(r"\d+(\.\d+)?", "#", text) for text in (thread.name, text_of(message))]
    plain[1] = re.sub(r"of the (head|upper half|whole figure)", "of the part", plain[1])
    return plain[0], plain[1], [*labels, *map(str, colour)]
