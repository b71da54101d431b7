"""The lettering fonts: four bundled styles, and faces that stand in for what they cannot write.

A character is written by the first face that has it: the lettering font, the bundled Greek,
Arabic and emoji faces, then whatever open fonts lie on the machine (``fallback``). A character
that none of them has is refused by name; nobody ever sees an empty box.
"""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.comics import fallback
from pipeline.comics.harfbuzz import harfbuzz
from pipeline.comics.scripts import Script, is_shared, script_of
from pipeline.domain.errors import InvalidInput
from pipeline.domain.panel import BalloonKind

if TYPE_CHECKING:
    from PIL.ImageFont import FreeTypeFont

_FOLDER = Path(__file__).with_name("fonts")


class FontStyle(StrEnum):
    """The styles of the lettering font."""

    REGULAR = "Regular"
    ITALIC = "Italic"
    BOLD = "Bold"
    BOLD_ITALIC = "BoldItalic"

    @property
    def bold(self) -> bool:
        """Whether the strokes are heavy."""
        return self in (FontStyle.BOLD, FontStyle.BOLD_ITALIC)

    @property
    def italic(self) -> bool:
        """Whether the letters lean."""
        return self in (FontStyle.ITALIC, FontStyle.BOLD_ITALIC)

    def toggled(self, *, bold: bool, italic: bool) -> "FontStyle":
        """This style with emphasis on it: italics inside italics stand upright."""
        return _STYLES[(self.bold or bold, self.italic != italic)]


_STYLES = {(style.bold, style.italic): style for style in FontStyle}

# Thoughts and captions lean, as is the custom: they are not heard by anyone on the page.
STYLE_OF_KIND = {
    BalloonKind.SPEECH: FontStyle.REGULAR,
    BalloonKind.THOUGHT: FontStyle.ITALIC,
    BalloonKind.SHOUT: FontStyle.BOLD,
    BalloonKind.WHISPER: FontStyle.REGULAR,
    BalloonKind.RADIO: FontStyle.ITALIC,
    BalloonKind.CAPTION: FontStyle.ITALIC,
    BalloonKind.NARRATION: FontStyle.REGULAR,
    BalloonKind.SFX: FontStyle.BOLD,
    BalloonKind.OFF_PANEL: FontStyle.REGULAR,
    BalloonKind.JOINED: FontStyle.REGULAR,
    BalloonKind.DOUBLE_TAIL: FontStyle.REGULAR,
}
# Bundled faces beside the lettering font: (regular, bold) file, and whether a slant suits them.
_COMPANIONS = (
    ("ComicRelief-Greek.ttf", "ComicRelief-GreekBold.ttf", True),
    ("PlaypenSansArabic-Medium.ttf", "PlaypenSansArabic-ExtraBold.ttf", False),
    ("NotoEmoji-Bold.ttf", "NotoEmoji-Bold.ttf", False),
)
# Joiners and variation selectors show nothing by themselves; any face may carry them.
_INVISIBLE = frozenset("\u00ad\u200b\u200c\u200d\u2060\ufe0e\ufe0f")
# How far a face leans (x per y) that has no italics of its own.
_SLANT = 0.2


class MissingGlyph(InvalidInput):
    """No font at hand has a character of the text."""

    code = "missing_glyph"


FONT_NAME = "ShantellSansLettering"
"""The PostScript name of the bundled font, without its style."""


@dataclass(frozen=True, slots=True, eq=False)
class Face:
    """One face of a font file: ``chars`` it can write, and how it leans in this use (x per y)."""

    path: Path
    index: int
    font: Any  # a HarfBuzz font
    units_per_em: int
    chars: frozenset[int]
    slant: float = 0.0


def font_path(style: FontStyle = FontStyle.REGULAR) -> Path:
    """The bundled TrueType file of a style."""
    return _FOLDER / f"ShantellSans-{FontStyle(style)}.ttf"


def bundled_fonts() -> tuple[Path, ...]:
    """Every font file that comes with the program."""
    return tuple(sorted(_FOLDER.glob("*.ttf")))


@cache
def load_face(path: Path, index: int = 0, slant: float = 0.0) -> Face:
    """Open a face; kept open, because shaping asks for it again and again.

    Raises:
        InvalidInput: the file is no font.
    """
    hb = harfbuzz()
    face = hb.Face(hb.Blob.from_file_path(str(path)), index)
    chars = frozenset(face.unicodes)
    if not chars:
        raise InvalidInput(f"The font {path.name} cannot be read; replace or remove it.")
    return Face(path, index, hb.Font(face), face.upem, chars, slant)


@cache
def own_faces(style: FontStyle) -> tuple[Face, ...]:
    """The bundled faces in the order in which they are asked for a character."""
    lean = _SLANT if style.italic else 0.0
    return (
        load_face(font_path(style)),
        *(
            load_face(_FOLDER / (bold if style.bold else regular), 0, lean if leans else 0.0)
            for regular, bold, leans in _COMPANIONS
        ),
    )


@lru_cache(maxsize=65536)
def face_for(char: str, style: FontStyle, language: str = "") -> Face | None:
    """The face that writes ``char``, or None. ``language`` decides between shapes of one sign."""
    code, shared = ord(char), is_shared(char, language)
    for face in () if shared else own_faces(style):
        if code in face.chars:
            return face
    script = Script.HAN if shared else script_of(char)
    for place in fallback.faces_of(script, bold=style.bold, language=language):
        face = load_face(place.path, place.index)
        if code in face.chars:
            return face
    own = own_faces(style)[0]
    return own if shared and code in own.chars else None


def use_font_folder(folder: Path | None) -> None:
    """Look for fonts in ``folder`` too, before those of the system; None: the system's only."""
    fallback.use_folder(folder)
    face_for.cache_clear()


@cache
def raster_font(style: FontStyle, size: int) -> "FreeTypeFont":
    """The lettering font alone for cards and sheets, ``size`` pixels per em; see ``lacking``."""
    from PIL import ImageFont

    return ImageFont.truetype(font_path(style), size, layout_engine=ImageFont.Layout.BASIC)


def lacking(text: str) -> tuple[str, ...]:
    """The characters of ``text`` that the lettering font itself cannot write, each once."""
    known = own_faces(FontStyle.REGULAR)[0].chars
    return tuple(char for char in dict.fromkeys(text) if ord(char) not in known)


def missing_glyphs(text: str, language: str = "") -> tuple[str, ...]:
    """The characters of ``text`` that no face writes, each once, in order."""
    return tuple(
        char
        for char in dict.fromkeys(text)
        if char not in _INVISIBLE
        and not char.isspace()
        and face_for(char, FontStyle.REGULAR, language) is None
    )


def check_glyphs(text: str, language: str = "") -> None:
    """Refuse a text that would show an empty box.

    Raises:
        MissingGlyph: a character has no glyph; the message names it and what to install.
    """
    missing = missing_glyphs(text, language)
    if not missing:
        return
    named = ", ".join(f"“{c}” (U+{ord(c):04X})" for c in missing[:5])
    remedies = dict.fromkeys(fallback.remedy(script_of(c)) for c in missing)
    raise MissingGlyph(
        f"No lettering font here has the character {named}. "
        f"{' '.join(remedies)} Or leave it out, then try again."
    )


def covered_scripts() -> dict[Script, bool]:
    """Which scripts can be lettered on this machine, judged by one common sign of each."""
    return {
        script: face_for(sign, FontStyle.REGULAR) is not None
        for script, sign in fallback.SAMPLES.items()
    }
