"""The evidence card: one picture that lets a moderator decide, on a phone too."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from pipeline.domain.fingerprint import CropClass
from pipeline.domain.geometry import Box
from pipeline.domain.inputs import CastInput, ReferenceInput
from pipeline.domain.quality import CharacterCheck, JudgedCandidate, Verdict
from pipeline.imaging.column import Column
from pipeline.imaging.crops import Figure, find_figure
from pipeline.imaging.decode import load_canonical, to_png
from pipeline.imaging.detector import figure_in
from pipeline.imaging.heads import find_head
from pipeline.imaging.typeset import (
    INK,
    PAPER,
    QUIET,
    RULE,
    Rgb,
    TextStyle,
    fitted,
    shortened,
    width_of,
    writable,
    write,
)
from pipeline.quality.attribution import NAMED, Attribution, attribute_drift
from pipeline.quality.audit import blind_words, without_limit
from pipeline.quality.evidence_drift import drift_bars, heated, recipe_lines, ringed
from pipeline.quality.signs import ASKED, ASKED_COLOR, COLORS, WORDS, sign
from pipeline.quality.tone import tone_words

WIDTH = 1080
"""Pixels across. The smallest text is 32 px: 12 px on a phone that is 400 px wide."""

_MARGIN = 40
_INNER = WIDTH - 2 * _MARGIN
_GROUND: Rgb = (226, 226, 222)

_TITLE = TextStyle(42)
_VERDICT = TextStyle(76, bold=True, color=(255, 255, 255))
_NAME = TextStyle(52, bold=True)
_NUMBER = TextStyle(60, bold=True)
_TEXT = TextStyle(38)
_SECTION = TextStyle(38, bold=True)
_SMALL = TextStyle(32, color=QUIET)


_Titled = tuple[str, Image.Image]
"""A view and its caption."""


@dataclass(slots=True)
class _Card(Column):
    """The surface of a card; ``blind`` ones show no verdict."""

    blind: bool = False

    def tone(self, verdict: Verdict) -> Rgb:
        """The colour of a verdict; of an open question where none is to be seen."""
        return ASKED_COLOR if self.blind else COLORS[verdict]


def evidence_card(
    judged: JudgedCandidate,
    cast: Sequence[CastInput],
    *,
    title: str,
    blind: bool = False,
    changes: Mapping[str, Sequence[str]] | None = None,
) -> bytes:
    """Draw the evidence for a verdict.

    Args:
        judged: the candidate and its report.
        cast: the expected characters with their references.
        title: what is judged, like ``Panel 12``.
        blind: show what was measured, but neither verdict nor limit
            (:mod:`pipeline.quality.audit`).
        changes: what is different in the recipe since the last good picture, by character id.

    Returns:
        A PNG, :data:`WIDTH` pixels wide: verdict as word, colour and shape; the candidate; for
        every character its figure beside the nearest references at equal head size, a map of
        where it differs, similarity against the limit, the reason, what differs most, and each
        encoder's own similarity.

    Raises:
        InvalidPicture: the candidate's or a reference's bytes are damaged.
    """
    card = _Card(Image.new("RGB", (WIDTH, 1400), PAPER), _MARGIN, blind=blind)
    picture = load_canonical(judged.candidate.image)
    _header(card, judged, title)
    _candidate(card, picture, judged)
    if judged.report.tone is not None and (words := tone_words(judged.report.tone)):
        card.text(words, _TEXT)
        card.y += 12
    members = {(m.character_id, m.appearance_id): m for m in cast}
    # What needs a decision comes first, unless that would give it away.
    for check in sorted(
        judged.report.checks, key=lambda c: not blind and c.verdict is Verdict.ON_MODEL
    ):
        member = members.get((check.character_id, check.appearance_id))
        card.rule()
        _character(card, judged, picture, check, member)
        recipe_lines(card, (changes or {}).get(check.character_id, ()))
    return to_png(card.finished())


def _header(card: _Card, judged: JudgedCandidate, title: str) -> None:
    report = judged.report
    color = card.tone(report.verdict)
    copied = report.duplicate_of is not None
    height = 250 if copied else 190
    draw = card.draw
    draw.rectangle((0, 0, WIDTH, height), fill=color)
    shown = None if card.blind else report.verdict
    sign(draw, shown, Box(_MARGIN, 34, _MARGIN + 122, 156))
    write(draw, (_MARGIN + 152, 20), ASKED if shown is None else WORDS[shown], _VERDICT)
    line = TextStyle(_TITLE.size, color=(255, 255, 255))
    write(draw, (_MARGIN + 154, 116), shortened(title, line, _INNER - 154), line)
    if copied:
        draw.rectangle((0, 180, WIDTH, height), fill=INK)
        note = TextStyle(40, bold=True, color=(255, 255, 255))
        text = shortened(f"Looks like a copy of {report.duplicate_of}", note, _INNER - 70)
        # Two sheets, one over the other.
        draw.rectangle((_MARGIN, 194, _MARGIN + 30, 228), outline=(255, 255, 255), width=4)
        draw.rectangle(
            (_MARGIN + 12, 204, _MARGIN + 42, 238), fill=INK, outline=(255, 255, 255), width=4
        )
        write(draw, (_MARGIN + 66, 188), text, note)
    card.y = height + 28


def _candidate(card: _Card, picture: Image.Image, judged: JudgedCandidate) -> None:
    small = fitted(_flat(picture), _INNER, 660)
    card.need(small.height + 40)
    x = (WIDTH - small.width) // 2
    card.image.paste(small, (x, round(card.y)))
    draw = card.draw
    factor = small.width / picture.width
    for check in judged.report.checks:
        if check.box is None or len(judged.report.checks) < 2:
            continue
        box = check.box.scaled(factor).shifted(x, round(card.y))
        draw.rectangle(box, outline=card.tone(check.verdict), width=5)
    draw.rectangle(
        (x, card.y, x + small.width - 1, card.y + small.height - 1), outline=INK, width=3
    )
    card.y += small.height + 24


def _character(
    card: _Card,
    judged: JudgedCandidate,
    picture: Image.Image,
    check: CharacterCheck,
    member: CastInput | None,
) -> None:
    name = member.name if member is not None else check.character_id
    card.need(120)
    draw = card.draw
    color = card.tone(check.verdict)
    draw.rounded_rectangle((_MARGIN, card.y + 8, _MARGIN + 58, card.y + 66), 12, fill=color)
    top = round(card.y)
    shown = None if card.blind else check.verdict
    sign(draw, shown, Box(_MARGIN + 9, top + 17, _MARGIN + 49, top + 57))
    label = "" if member is None or not member.label else f" · {member.label}"
    write(draw, (_MARGIN + 76, card.y), shortened(name + label, _NAME, _INNER - 76), _NAME)
    card.y += 84
    figure = _figure(judged, picture, check)
    found = None
    if figure is not None and member is not None:
        found = attribute_drift(picture, figure, member, check.nearest_reference)
    views = _views(picture, figure, check, member)
    height = 300 if shown is Verdict.ON_MODEL else 430
    _side_by_side(card, views, height)
    if found is not None and figure is not None and shown is not Verdict.ON_MODEL:
        _side_by_side(card, _where(picture, figure, check, member, found), height)
    if check.similarity is not None:
        _similarity(card, without_limit(check) if card.blind else check)
    card.text(blind_words(check, name) if card.blind else check.reason, _TEXT)
    card.y += 8
    if found is not None and shown is not Verdict.ON_MODEL:
        drift_bars(card, found.drifts)
    if check.segments:
        card.need(60)
        write(card.draw, (_MARGIN, card.y), "How alike each comparison finds it", _SECTION)
        card.y += 54
    for segment, value in sorted(check.segments.items()):
        _segment(card, segment, value, color)
    card.y += 16


def _side_by_side(card: _Card, views: Sequence[_Titled], height: int) -> None:
    """Pictures in two equal cells with their captions."""
    if not views:
        return
    card.need(height + 80)
    cell = (_INNER - 20) // 2
    for k, (title, view) in enumerate(views):
        x, y = _MARGIN + k * (cell + 20), round(card.y)
        card.image.paste(_GROUND, (x, y, x + cell, y + height))
        small = fitted(view, cell, height)
        card.image.paste(small, (x + (cell - small.width) // 2, y + (height - small.height) // 2))
        write(card.draw, (x + 4, y + height + 4), shortened(title, _SMALL, cell), _SMALL)
    card.y += height + 58


def _views(
    picture: Image.Image, figure: Figure | None, check: CharacterCheck, member: CastInput | None
) -> list[_Titled]:
    """The figure and what it is compared with, heads at one size where both heads are known."""
    crop = _shown_crop(figure, check)
    views: list[_Titled] = []
    if figure is not None:
        views.append(("This picture", _view(picture, figure, crop)))
    return views + _reference_views(check, member, crop)[: 2 - len(views)]


def _where(
    picture: Image.Image,
    figure: Figure,
    check: CharacterCheck,
    member: CastInput | None,
    found: Attribution,
) -> list[_Titled]:
    """Where the figure differs, beside the next reference."""
    crop = _shown_crop(figure, check)
    named = [d.box for d in found.drifts if d.confidence >= NAMED and d.box is not None]
    hot = ringed(heated(picture, found.heat), named)
    views = [("Where it differs", _view(hot, figure, crop))]
    return views + _reference_views(check, member, crop)[1:2]


def _shown_crop(figure: Figure | None, check: CharacterCheck) -> CropClass | None:
    return check.crop if figure is None or _is_cut_out(figure) else None


def _reference_views(
    check: CharacterCheck, member: CastInput | None, crop: CropClass | None
) -> list[_Titled]:
    views: list[_Titled] = []
    for title, reference in _references(check, member, 2):
        image = load_canonical(reference.image)
        registered = find_figure(image, Box(0, 0, *image.size))
        if registered is not None:
            views.append((title, _view(image, registered, crop)))
    return views


def _figure(judged: JudgedCandidate, picture: Image.Image, check: CharacterCheck) -> Figure | None:
    """The judged figure: by the engine's mask, else by what tells it from its ground."""
    if check.box is None or not check.box.area:
        return None
    for placed in judged.candidate.figures:
        if placed.character_id == check.character_id and placed.mask is not None:
            mask = np.asarray(load_canonical(placed.mask).convert("RGB").convert("L"))
            if mask.shape == (picture.height, picture.width) and mask.any():
                return Figure(check.box, np.where(mask > 127, 255, 0).astype(np.uint8))
    return figure_in(picture, check.box)


def _is_cut_out(figure: Figure) -> bool:
    """Whether the outline is known; of a mere box nobody can tell where the head is."""
    return not bool(figure.inside.all())


def _references(
    check: CharacterCheck, member: CastInput | None, most: int
) -> list[tuple[str, ReferenceInput]]:
    if member is None:
        return []
    nearest = [r for r in member.references if r.reference_id == check.nearest_reference]
    others = [r for r in member.references if r not in nearest and r.canon]
    named = [(_caption("Nearest", r), r) for r in nearest]
    named += [(_caption("Registered", r), r) for r in others]
    return named[:most]


def _caption(word: str, reference: ReferenceInput) -> str:
    detail = ", ".join(p for p in (reference.shot_type.value, reference.expression) if p)
    return f"{word}: {detail}"


def _view(image: Image.Image, figure: Figure, crop: CropClass | None) -> Image.Image:
    """The compared part of a figure; squares are measured in head radii, so heads match."""
    head = find_head(figure)
    match crop:
        case CropClass.HEAD:
            region = head.square(3.4, -1.75)
        case CropClass.HALF:
            region = head.square(6.4, -1.75)
        case _:
            region = figure.box
    view = Image.new("RGB", (max(1, region.width), max(1, region.height)), _GROUND)
    shown = region.intersection(Box(0, 0, *image.size))
    view.paste(_flat(image.crop(shown)), (shown.x0 - region.x0, shown.y0 - region.y0))
    return view


def _flat(image: Image.Image) -> Image.Image:
    """The picture on the card's ground where it is transparent."""
    if image.mode != "RGBA":
        return image.convert("RGB")
    ground = Image.new("RGB", image.size, _GROUND)
    ground.paste(image, mask=image.getchannel("A"))
    return ground


def _similarity(card: _Card, check: CharacterCheck) -> None:
    """The bar: filled up to the similarity, a post at the limit, both with their numbers."""
    similarity = check.similarity if check.similarity is not None else 0.0
    card.need(190)
    draw, color, y = card.draw, card.tone(check.verdict), card.y
    number = f"{similarity:.2f}"
    write(draw, (_MARGIN, y + 14), number, TextStyle(_NUMBER.size, bold=True, color=color))
    x0, x1 = _MARGIN + 170, WIDTH - _MARGIN
    low = min(0.0, similarity, check.threshold if check.threshold is not None else 0.0)

    def across(value: float) -> float:
        return x0 + (min(1.0, value) - low) / (1.0 - low) * (x1 - x0)

    draw.rounded_rectangle((x0, y + 30, x1, y + 76), 10, fill=RULE)
    if across(similarity) - x0 > 20:
        draw.rounded_rectangle((x0, y + 30, across(similarity), y + 76), 10, fill=color)
    if check.threshold is not None:
        at = across(check.threshold)
        draw.rectangle((at - 4, y + 16, at + 4, y + 92), fill=INK)
        draw.polygon([(at - 16, y + 4), (at + 16, y + 4), (at, y + 24)], fill=INK)
        text = f"limit {check.threshold:.2f}"
        left = min(x1 - width_of(text, _SMALL), max(x0, at - width_of(text, _SMALL) / 2))
        write(draw, (left, y + 94), text, TextStyle(32, color=INK))
    what = "similarity" if check.crop is None else f"{check.crop.value} similarity"
    write(draw, (_MARGIN, y + 94), what if check.threshold is None else "similar", _SMALL)
    card.y += 152


def _segment(card: _Card, name: str, value: float, color: Rgb) -> None:
    card.need(60)
    draw, y = card.draw, card.y
    label = shortened(writable(name.split(":")[0].replace("_", " ")), _SMALL, 230)
    write(draw, (_MARGIN, y), label, _SMALL)
    x0, x1 = _MARGIN + 250, WIDTH - _MARGIN - 110
    draw.rounded_rectangle((x0, y + 12, x1, y + 34), 6, fill=RULE)
    end = x0 + max(0.0, min(1.0, value)) * (x1 - x0)
    if end - x0 > 12:
        soft = tuple((c + 2 * q) // 3 for c, q in zip(color, QUIET, strict=True))
        draw.rounded_rectangle((x0, y + 12, end, y + 34), 6, fill=soft)
    write(draw, (x1 + 20, y), f"{value:.2f}", TextStyle(32, bold=True))
    card.y += 50
