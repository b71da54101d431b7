"""Random scripts for letterers: panels with figures, hands and lines of every kind of balloon.

Figures do not stand in each other's faces; everything else is drawn by chance from a seed.
"""

import random
from collections.abc import Sequence
from dataclasses import replace

from pipeline.domain.geometry import Box, Size
from pipeline.domain.page import PanelArt
from pipeline.domain.panel import BalloonKind, DialogueLine, PlacedFigure

# Everyday words, about as long as they are in speech, most of them with their accents.
WORDS = {
    "en": """a the we you they I night door rain nobody library lantern listen wait again never
        always tomorrow something underneath impossible lighthouse quietly storm? map! key… left,
        right, home. run! why? because perhaps extraordinarily well— no. yes. it’s don’t “soon” """,
    "de": """ein die wir ihr sie ich Nacht Tür Regen niemand Bücherei Laterne zuhören warte wieder
        niemals immer übermorgen irgendetwas darunter unmöglich Leuchtturm leise Gewitter? Karte!
        Schlüssel… links, rechts, Hause. lauf! warum? weil vielleicht außergewöhnlich „bald“ """,
    "es": """un la nosotros ustedes ellos yo noche puerta lluvia nadie biblioteca linterna escucha
        espera otra nunca siempre mañana algo debajo imposible faro silencio ¿tormenta? ¡mapa!
        llave… izquierda, derecha, casa. ¡corre! ¿por qué? porque quizás extraordinariamente """,
    "ru": """это мы вы они я ночь дверь дождь никто библиотека фонарь слушай подожди снова никогда
        всегда завтра что-нибудь внизу невозможно маяк тихо гроза? карта! ключ… налево, направо,
        домой. беги! почему? потому возможно чрезвычайно нет. да. «скоро» """,
    "el": """ένα η εμείς εσείς αυτοί εγώ νύχτα πόρτα βροχή κανείς βιβλιοθήκη φανάρι άκουσε περίμενε
        πάλι ποτέ πάντα αύριο κάτι αποκάτω αδύνατον φάρος ήσυχα καταιγίδα; χάρτης! κλειδί…
        αριστερά, δεξιά, σπίτι. τρέξε! γιατί; επειδή ίσως εξαιρετικά όχι. ναι. """,
    "ar": """نحن أنتم هم أنا ليلة باب مطر لا أحد مكتبة فانوس اسمع انتظر مرة أخرى أبدا دائما غدا شيء
        تحت مستحيل منارة بهدوء عاصفة؟ خريطة! مفتاح… يسار، يمين، البيت. اركض! لماذا؟ لأن ربما
        للغاية كلا. نعم. قريبا """,
}
LANGUAGES = ("de", "es", "ru", "el", "ar")
_NAMELESS = (BalloonKind.CAPTION, BalloonKind.NARRATION, BalloonKind.SFX)
_USUAL = (BalloonKind.SPEECH, BalloonKind.SPEECH, BalloonKind.SPEECH, BalloonKind.THOUGHT)
_SIZES = (Size(1024, 768), Size(1024, 768), Size(768, 1024), Size(1024, 1024))


def random_panels(seed: int) -> list[PanelArt]:
    """The panels of one page, in reading order; pictures are left empty."""
    chance = random.Random(seed)
    return [_panel(chance, number) for number in range(1, chance.randint(1, 6) + 1)]


def translated(panels: Sequence[PanelArt], language: str, seed: int) -> list[PanelArt]:
    """The same panels with every line in other words, a good third longer than before."""
    chance = random.Random(f"{seed} {language}")
    return [
        replace(
            art,
            dialogue=tuple(
                replace(line, text=_as_long_as(1.35 * len(line.text), chance, language))
                if line.kind is not BalloonKind.SFX
                else line
                for line in art.dialogue
            ),
        )
        for art in panels
    ]


def _panel(chance: random.Random, number: int) -> PanelArt:
    size = chance.choice(_SIZES)
    count = chance.choice([0, 1, 1, 2, 2, 3])
    figures = tuple(_figure(chance, i, count, size) for i in range(count))
    lines = tuple(_line(chance, count) for _ in range(chance.choice([0, 1, 1, 2, 2, 3, 4])))
    return PanelArt(number, b"", size, figures, lines)


def _figure(chance: random.Random, i: int, count: int, size: Size) -> PlacedFigure:
    slot = size.width // count
    width = round(chance.uniform(0.18, 0.6) * slot)
    height = min(round(width * chance.uniform(1.0, 1.4)), size.height // 2)
    x0 = i * slot + chance.randint(0, slot - width)
    y0 = chance.randint(round(0.12 * size.height), round(0.45 * size.height))
    head = Box(x0, y0, x0 + width, y0 + height)
    box = Box(max(0, x0 - width // 3), y0, min(size.width, x0 + width * 4 // 3), size.height)
    hands: tuple[Box, ...] = ()
    if chance.random() < 0.4:
        side = max(12, width // 3)
        x = chance.randint(box.x0, max(box.x0, box.x1 - side))
        y = min(size.height - side, head.y1 + chance.randint(0, height))
        hands = (Box(x, y, x + side, y + side),)
    known = head if chance.random() < 0.9 else None
    return PlacedFigure(f"ch_{i}", box, known, hands=hands)


def _line(chance: random.Random, count: int) -> DialogueLine:
    kind = chance.choice([*_USUAL, *BalloonKind])
    speaker = None if kind in _NAMELESS else f"ch_{chance.randint(0, max(0, count - 1))}"
    if speaker and chance.random() < 0.08:
        speaker = "ch_elsewhere"
    also = f"ch_{count - 1}" if kind is BalloonKind.DOUBLE_TAIL and count > 1 else None
    longest = {BalloonKind.SHOUT: 4, BalloonKind.SFX: 1}.get(kind) or chance.choice([4, 8, 14])
    words = WORDS["en"].split()
    text = " ".join(chance.choice(words) for _ in range(chance.randint(1, longest)))
    return DialogueLine(text, speaker, kind, None if also == speaker else also)


def _as_long_as(length: float, chance: random.Random, language: str) -> str:
    words = WORDS[language].split()
    text = chance.choice(words)
    while len(text) < length:
        text += " " + chance.choice(words)
    return text
