"""The sentences of the floors below the cogs: errors, reasons, warnings, advice, terms.

An f-string becomes a sentence with named places.
"""

import ast
import re
from collections.abc import Iterator

from cogs.locales.message import Message, called, modules
from cogs.ui.told import recognisable
from pipeline.domain.character import ShotType
from pipeline.domain.panel import PanelStatus
from pipeline.domain.privacy import ConsentStatus
from pipeline.domain.review import ReviewStatus
from pipeline.domain.vocabulary import ANGLES, Expression
from pipeline.prompting.drift import catalogue

_UNSPOKEN = {
    *("ValueError", "TypeError", "KeyError", "RuntimeError", "AssertionError", "compile"),
    *("debug", "info", "warning", "error", "exception", "log"),
}
# Floors whose texts reach people on Discord; the shell speaks English.
_FLOORS = ("bot/services", "bot/queue", "cogs", "pipeline", "storage")
_SHELL_ONLY = (
    "bot/services/clips.py",
    "bot/services/gallery.py",
    "bot/services/guilds.py",
    "cogs/locales",
    "pipeline/fingerprints",
    "pipeline/generation/diffusion/installed.py",
    "pipeline/generation/diffusion/loading.py",
    "pipeline/generation/diffusion/options.py",
    "pipeline/generation/generators/registry.py",
    "pipeline/quality/forest.py",
    "pipeline/training",
    "storage/connections.py",
    "storage/guild_rows.py",
    "storage/keys.py",
    "storage/migrate.py",
    "storage/mirror.py",
    "storage/sealed.py",
    "storage/vectors.py",
)
_PROGRESS = {"progress", "_progress", "report"}
_SHELL_ERRORS = {"SettingsError", "DatabaseError", "MigrationFailed", "MigrationChanged"}
# What is drawn into pictures and written into books and recipes is not translated.
_DRAWN = (
    "bot/services/privacy.py",
    "bot/services/recipes.py",
    "pipeline/comics/alt.py",
    "pipeline/comics/export",
    "pipeline/generation/recipe_changes.py",
    "pipeline/quality/coverage_sheet.py",
    "pipeline/quality/drift_chart.py",
    "pipeline/quality/evidence",
    "pipeline/quality/sheet",
    "pipeline/script/writing.py",
)
# Modules whose shorter words are shown too: kinds, places, parts of a sentence.
_PHRASES_OF = (
    "bot/services/registry.py",
    "bot/services/reshaping.py",
    "bot/services/reviews.py",
    "pipeline/domain/story.py",
    "pipeline/quality/audit.py",
    "pipeline/quality/conformal.py",
    "pipeline/quality/looks.py",
    "pipeline/retrieval/coverage.py",
    "pipeline/runner.py",
)
# What names settings is for whoever runs the bot, whose documentation is English.
_FOR_THE_HOST = re.compile(r"ONMODEL_|\{prefix\}")
_SENTENCE = re.compile(r"[A-Z0-9“{].*\s.*(\w\?|[.!…”])", re.DOTALL)
_PHRASE = re.compile(r"[\w{#,].*\s.*", re.DOTALL)
# Words that fill a place of a sentence.
_TERMS = (
    *(status.value for kind in (PanelStatus, ReviewStatus, ConsentStatus) for status in kind),
    *(one.value for kind in (ShotType, Expression) for one in kind),
    *(angle.replace("_", " ") for angle in ANGLES),
    *("left", "right", "center", "head", "figure", "always"),
)


def terms() -> Iterator[Message]:
    """Words that fill a place of a sentence, and the kinds of drift."""
    yield from map(Message, _TERMS)
    yield from (Message(mode.name) for mode in catalogue().modes.values())


def error_names() -> set[str]:
    """The names of all errors whose text is for people."""
    names = {"OnModelError"}
    bases = {
        node.name: {getattr(base, "id", getattr(base, "attr", "")) for base in node.bases}
        for tree in modules().values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    while more := {n for n, found in bases.items() if found & names} - names - _SHELL_ERRORS:
        names |= more
    return names


def told(tree: ast.AST, place: str, errors: set[str]) -> Iterator[Message]:
    """What a module tells people: texts of errors, what somebody may not do, its sentences.

    Args:
        tree: the module.
        place: its file.
        errors: of :func:`error_names`.
    """
    if not place.startswith(_FLOORS) or place.startswith(_SHELL_ONLY):
        return
    found = [*_raised(tree, errors)]
    if not place.startswith(("cogs/", *_DRAWN)):
        shape = _PHRASE if place in _PHRASES_OF else _SENTENCE
        texts = (text for node in _strings(tree) for text in templates(node))
        found += filter(shape.fullmatch, texts)
    for text in found:
        if recognisable(text) and not _FOR_THE_HOST.search(text):
            yield Message(text, place)


def _raised(tree: ast.AST, errors: set[str]) -> Iterator[str]:
    """What is given to errors, to questions of rights, and to reports of progress."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and called(node) in _PROGRESS and len(node.args) > 1:
            yield from templates(node.args[1])
        if isinstance(node, ast.Call) and node.args and called(node) in errors:
            yield from templates(node.args[0])
        if isinstance(node, ast.Call) and called(node).startswith("require_"):
            phrases = (text for argument in node.args for text in templates(argument))
            yield from (text for text in phrases if " " in text)


def _strings(tree: ast.AST) -> Iterator[ast.expr]:
    """Strings that are neither documentation, nor logged, nor part of a larger string."""
    skipped: set[int] = set()
    for node in ast.walk(tree):
        whole = isinstance(node, ast.JoinedStr | ast.BinOp) and bool(templates(node))
        if whole or _is_unspoken(node):
            skipped.update(id(part) for part in ast.walk(node) if part is not node)
        if id(node) not in skipped and (whole or isinstance(node, ast.Constant)):
            assert isinstance(node, ast.expr)
            yield node


def _is_unspoken(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()) | ast.Assert():
            return True
        case ast.Call():
            return called(node) in _UNSPOKEN
    return False


def templates(node: ast.expr) -> list[str]:
    """The sentences that a string expression can be, with named places for what it computes.

    >>> templates(ast.parse('f"No panel {panel.id} in {len(pages)} pages."', mode="eval").body)
    ['No panel {id} in {pages} pages.']
    """
    match node:
        case ast.Constant(value=str(text)):
            return [text.replace("{", "{{").replace("}", "}}")]
        case ast.JoinedStr():
            return [_filled(node)]
        case ast.IfExp():
            return [*templates(node.body), *templates(node.orelse)]
        case ast.BinOp(op=ast.Add()):
            return [a + b for a in templates(node.left) for b in templates(node.right)]
    return []


def _filled(node: ast.JoinedStr) -> str:
    names: dict[str, str] = {}
    text = ""
    for part in node.values:
        if isinstance(part, ast.FormattedValue):
            name = stem = _place_name(part.value)
            dump, number = ast.dump(part), 2
            while names.setdefault(name, dump) != dump:
                name, number = f"{stem}{number}", number + 1
            text += f"{{{name}}}"
        else:
            text += "".join(templates(part))
    return text


def _place_name(node: ast.expr) -> str:
    """A word for what a place holds, from the expression that fills it."""
    match node:
        case ast.Name(id=name):
            return name.lower().strip("_")
        case ast.Attribute(value=inner, attr="value" | "name"):
            return _place_name(inner)
        case ast.Attribute(attr=name):
            return name
        case ast.Subscript(value=inner) | ast.Await(value=inner) | ast.Starred(value=inner):
            return _place_name(inner)
        case ast.Call(func=ast.Attribute(attr="join")):
            return "list"
        case ast.Call(args=[inner, *_]):
            return _place_name(inner)
        case ast.Call(func=inner):
            return _place_name(inner)
        case ast.BinOp(left=inner):
            return _place_name(inner)
        case ast.IfExp():
            return "ending"
    return "value"
