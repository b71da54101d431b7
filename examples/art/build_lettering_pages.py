"""Makes the pictures of ``docs/lettering.md``: the demo's cast, drafted and lettered.

Run ``python examples/art/build_lettering_pages.py OUT``; Japanese needs ``fonts-noto-cjk``.
"""

import hashlib
import sys
from dataclasses import replace
from io import BytesIO
from pathlib import Path

from PIL import Image

from pipeline.comics.page import compose_page, render_page
from pipeline.domain.character import ColorMode, ReadingDirection, ShotType
from pipeline.domain.conditioning import CastConditioning, ConditioningPlan, ReferenceUse
from pipeline.domain.geometry import Size
from pipeline.domain.page import PageSpec, PanelArt
from pipeline.domain.panel import BalloonKind, DialogueLine
from pipeline.generation.generators.draft import DraftGenerator
from pipeline.imaging.decode import PictureDoor

CAST = Path(__file__).parents[1] / "cast"
K = BalloonKind
MIRA, OSKAR, ODETTE, BASIL, MUG = "mira", "oskar", "odette", "basil", "mugsworth"
# Panel: (prompt, shot, size, lines of room, [(who, reference)]).
PANELS = (
    ("library, night", ShotType.FULL, Size(1344, 768), 3, [(MIRA, "06"), (OSKAR, "05")]),
    ("library, night", ShotType.HALF, Size(960, 1000), 5, [(MIRA, "10"), (OSKAR, "10")]),
    ("plain", ShotType.HEADSHOT, Size(960, 900), 2, [(ODETTE, "16")]),
    ("speed lines", ShotType.FULL, Size(960, 900), 3, [(MUG, "09")]),
    ("street, night", ShotType.HALF, Size(960, 1000), 5, [(MIRA, "13"), (OSKAR, "11")]),
)
# For each panel its lines: kind, speaker, second speaker, and the words in each language.
SCRIPT = (
    (
        (K.CAPTION, None, None, {
            "en": "The library. Ten past nine.",
            "de": "Die Bibliothek. Zehn nach neun.",
            "ru": "Библиотека. Десять минут десятого.",
            "el": "Η βιβλιοθήκη. Εννέα και δέκα.",
            "ar": "المكتبة. التاسعة وعشر دقائق.",
            "ja": "図書館。九時十分。",
        }),
        (K.SPEECH, MIRA, None, {
            "en": "The sign *said* nine o’clock.",
            "de": "Auf dem Schild *stand* neun Uhr.",
            "ru": "На табличке *было* девять часов.",
            "el": "Η πινακίδα *έλεγε* εννέα.",
            "ar": "اللافتة تقول التاسعة!",
            "ja": "看板には九時って書いてあったのに。",
        }),
        (K.OFF_PANEL, None, None, {
            "en": "Is somebody there?",
            "de": "Ist da jemand?",
            "ru": "Есть тут кто-нибудь?",
            "el": "Είναι κανείς εδώ;",
            "ar": "هل من أحد هنا؟",
            "ja": "誰かいるの？",
        }),
    ),
    (
        (K.WHISPER, MIRA, None, {"en": "Did you hear that?", "ja": "今の、聞こえた？"}),
        (K.SPEECH, OSKAR, None, {"en": "I heard **nothing**.", "ja": "何も聞こえない。"}),
        (K.JOINED, OSKAR, None, {"en": "Nothing at all.", "ja": "何にも。"}),
    ),
    (
        (K.NARRATION, None, None, {
            "en": "She had waited forty years for that question.",
            "ja": "その問いを、四十年待っていた。",
        }),
        (K.THOUGHT, ODETTE, None, {
            "en": "Finally! Somebody who can *read* a sign.",
            "ja": "やっと、看板を読める人が……",
        }),
    ),
    (
        (K.SFX, None, None, {"en": "CLANG!", "ja": "ガン！"}),
        (K.SHOUT, MUG, None, {"en": "WE ARE CLOSED!", "ja": "閉館です！"}),
    ),
    (
        (K.RADIO, None, None, {"en": "All doors open at ten.", "ja": "十時に開館します。"}),
        (K.DOUBLE_TAIL, MIRA, OSKAR, {"en": "Tomorrow, then!", "ja": "じゃあ、また明日！"}),
    ),
)  # fmt: skip


def main(out: Path) -> None:
    """Draw everything into ``out``."""
    out.mkdir(parents=True, exist_ok=True)
    with PictureDoor() as door:
        color = [_draft(door, i, ColorMode.COLOR) for i in range(len(PANELS))]
        grey = [_draft(door, i, ColorMode.GRAYSCALE) for i in range(len(PANELS))]
    _page(color, PageSpec(title="The Night Shelf"), "en", out / "lettering-ltr.jpg")
    manga = PageSpec(
        reading_direction=ReadingDirection.RTL,
        color_mode=ColorMode.GRAYSCALE,
        language="ja",
        title="夜の本棚",
    )
    _page(grey, manga, "ja", out / "lettering-rtl.jpg")
    _languages(color[0], out / "lettering-languages.jpg")


def _draft(door: PictureDoor, index: int, mode: ColorMode) -> PanelArt:
    prompt, shot, size, room, cast = PANELS[index]
    pictures: dict[str, bytes] = {}
    members: list[CastConditioning] = []
    for who, number in cast:
        data = next((CAST / who / "everyday").glob(f"{number}-*.webp")).read_bytes()
        png = door.open(data).png
        sha256 = hashlib.sha256(png).hexdigest()
        pictures[sha256] = png
        height = 0.62 if who == MUG else 1.0
        use = ReferenceUse(sha256, 1, 0.8, "chosen")
        members.append(CastConditioning(who, f"{who}_everyday", who, (use,), height))
    plan = ConditioningPlan(
        "draft", "", prompt, "", tuple(members), shot, mode, size, 7 + index, 1, balloon_lines=room
    )
    (made,) = DraftGenerator().generate(
        plan, pictures, progress=lambda *_: None, cancelled=lambda: False
    )
    return PanelArt(index + 1, made.image, made.size, made.figures, (), shot)


def _said(index: int, language: str) -> tuple[DialogueLine, ...]:
    return tuple(
        DialogueLine(words.get(language, words["en"]), who, kind, also)
        for kind, who, also, words in SCRIPT[index]
    )


def _page(arts: list[PanelArt], spec: PageSpec, language: str, path: Path) -> None:
    arts = [replace(art, dialogue=_said(i, language)) for i, art in enumerate(arts)]
    page = compose_page(arts, spec, layout="wide-two-two" if len(arts) == 5 else None)
    with Image.open(BytesIO(render_page(page, arts))) as image:
        small = image.resize((868, 1228), Image.Resampling.LANCZOS)
        small.save(path, quality=86 if spec.color_mode is ColorMode.COLOR else 68)


def _languages(art: PanelArt, path: Path) -> None:
    """One panel in six languages, two beside each other."""
    size = Size(1180, 700)
    tiles = []
    for language in ("en", "de", "ru", "el", "ar", "ja"):
        rtl = language == "ar"
        spec = PageSpec(
            size=size,
            margin=14,
            language=language,
            show_number=False,
            reading_direction=ReadingDirection.RTL if rtl else ReadingDirection.LTR,
        )
        said = replace(art, dialogue=_said(0, language))
        page = compose_page([said], spec, layout="splash")
        with Image.open(BytesIO(render_page(page, [said]))) as image:
            tiles.append(image.resize((590, 350), Image.Resampling.LANCZOS))
    sheet = Image.new("RGB", (1180, 1050), "white")
    for i, tile in enumerate(tiles):
        sheet.paste(tile, (590 * (i % 2), 350 * (i // 2)))
    sheet.save(path, quality=86)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
