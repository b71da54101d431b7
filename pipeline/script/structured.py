"""The YAML and JSON forms of a script, with the line of each part. The schema is published."""

import json
from typing import Any

from pipeline.script.document import Script
from pipeline.script.reading import Path, Problem

_MAX_DEPTH = 12


def looks_structured(text: str) -> bool:
    """Whether a text is JSON or YAML and not the plain form: JSON's brace, or a key ``pages:``."""
    return text.lstrip().startswith("{") or any(
        line.rstrip() == "pages:" for line in text.splitlines()
    )


def schema_text() -> str:
    """The JSON Schema of scripts, as published in ``docs/schemas/script.schema.json``."""
    schema = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return json.dumps({**schema, **Script.model_json_schema()}, indent=2, ensure_ascii=False) + "\n"


def parse_structured(text: str) -> tuple[dict[str, Any] | None, list[Problem], dict[Path, int]]:
    """Read YAML or JSON (which YAML reads too).

    Anchors and aliases are refused: a script needs none, and they can blow up in memory.

    Returns:
        The data, or None; what could not be read; the line (from 1) of each part.
    """
    import yaml  # a third of a second: only who reads YAML pays for it

    lines: dict[Path, int] = {}
    # JSON may be indented with tabs, which YAML does not allow between tokens
    text = text.replace("\t", "  ")
    try:
        for event in yaml.parse(text, Loader=yaml.SafeLoader):
            if isinstance(event, yaml.AliasEvent):
                raise yaml.MarkedYAMLError(None, None, "aliases are not read", event.start_mark)
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        _mark(root, (), lines)
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        what = getattr(error, "problem", None) or "not readable as YAML or JSON"
        return None, [Problem(mark.line + 1 if mark else 1, "form", f"{what}.")], lines
    except RecursionError:
        return None, [Problem(1, "form", "It is nested too deeply.")], lines
    if not isinstance(data, dict):
        return None, [Problem(1, "form", "A script is a mapping with title and pages.")], lines
    return data, [], lines


def _mark(node: Any, path: Path, lines: dict[Path, int]) -> None:
    """Note the line of every part, down to the depth that a script has."""
    import yaml

    if len(path) > _MAX_DEPTH or node is None:
        return
    if path:
        lines[path] = node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            _mark(value, (*path, str(key.value)), lines)
            if path or isinstance(value, yaml.ScalarNode):
                lines[(*path, str(key.value))] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            _mark(value, (*path, index), lines)
