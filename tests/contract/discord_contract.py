"""Judges REST requests by Discord's own OpenAPI description and by its documented limits.

The description lies beside the repository (``../shared/discord/openapi.json``). Where it is absent
the documented limits are still judged, and whoever uses the judge says what was skipped.
"""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema_rs

OPENAPI = Path(__file__).resolve().parents[2].parent / "shared" / "discord" / "openapi.json"
UPLOAD_LIMIT = 10 * 1024 * 1024
TOKEN_SECONDS = 15 * 60
ACK_SECONDS = 3
V2 = 1 << 15
EPHEMERAL_OR_V2 = (1 << 6) | V2

# discord.py 2.7.1 always sends these, although the description does not list them there.
TOLERATED = {"nsfw", "tts", "flags", "dm_permission", "name_localizations", "options"}


@dataclass(frozen=True)
class Request:
    """One request as it went out. ``at`` and ``token_born`` are virtual seconds."""

    method: str
    path: str
    json: Any = None
    params: Mapping[str, Any] = field(default_factory=dict)
    files: tuple[tuple[str, int], ...] = ()
    kept_files: tuple[str, ...] = ()
    at: float = 0.0
    token_born: float | None = None

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


class OpenApiJudge:
    """Finds the operation of a request and validates its body and its query."""

    def __init__(self, path: Path = OPENAPI) -> None:
        self.document = json.loads(path.read_text(encoding="utf-8"))
        self._operations = [
            (method.upper(), template.strip("/").split("/"), template, operation)
            for template, item in self.document["paths"].items()
            for method, operation in item.items()
            if method in {"get", "put", "post", "patch", "delete"}
        ]
        self._validator = cache(self._compile)
        self._parts: dict[int, Any] = {}
        self.judged: Counter[str] = Counter()

    def violations(self, request: Request) -> list[str]:
        """What Discord would refuse; empty when all is well."""
        found = self._find(request)
        if found is None:
            return [f"{request}: Discord has no such route"]
        template, operation = found
        self.judged[operation["operationId"]] += 1
        problems = [*self._body(request, template, operation), *self._query(request, operation)]
        return [f"{request}: {problem}" for problem in problems]

    def _find(self, request: Request) -> tuple[str, dict[str, Any]] | None:
        """The matching template with the most literal segments (``@me`` beats an id)."""
        segments = request.path.split("?")[0].strip("/").split("/")
        best: tuple[int, str, dict[str, Any]] | None = None
        for method, parts, template, operation in self._operations:
            if method != request.method or len(parts) != len(segments):
                continue
            pairs = list(zip(parts, segments, strict=True))
            if all(p.startswith("{") or p == s for p, s in pairs):
                literal = sum(not p.startswith("{") for p, _ in pairs)
                if best is None or literal > best[0]:
                    best = (literal, template, operation)
        return None if best is None else best[1:]

    def _body(self, request: Request, template: str, operation: Mapping[str, Any]) -> Iterator[str]:
        content = operation.get("requestBody", {}).get("content", {})
        if request.json is None:
            if operation.get("requestBody", {}).get("required"):
                yield "a body is required"
            return
        kind = "multipart/form-data" if request.files else "application/json"
        if kind not in content:
            yield f"no {kind} body is taken"
            return
        body = _spoken(request.json)
        validator = self._validator(request.method, template, kind)
        errors = list(validator.iter_errors(body))
        for error in errors[:3]:
            where = "/".join(map(str, error.instance_path))
            yield f"{where or 'body'}: {str(error.message)[:200]}"
        if not errors:
            schema = content[kind]["schema"]
            yield from (f"unknown key {key}" for key in self._unknown([schema], body, ""))

    def _query(self, request: Request, operation: Mapping[str, Any]) -> Iterator[str]:
        known = {
            p["name"]: p["schema"]
            for p in operation.get("parameters", ())
            if p.get("in") == "query"
        }
        for name, value in request.params.items():
            if name not in known:
                yield f"unknown query parameter {name}"
                continue
            spoken = [value, str(value), *_read_as(str(value))]
            if not any(self._is_valid(known[name], each) for each in spoken):
                yield f"query parameter {name}={value!r}"

    def _compile(self, method: str, template: str, kind: str) -> Any:
        operation = self.document["paths"][template][method.lower()]
        schema = operation["requestBody"]["content"][kind]["schema"]
        return jsonschema_rs.validator_for({**schema, "components": self.document["components"]})

    def _resolve(self, schema: Mapping[str, Any]) -> Mapping[str, Any]:
        while "$ref" in schema:
            schema = self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
        return schema

    def _is_valid(self, schema: Mapping[str, Any], value: Any) -> bool:
        """Compiled once for each place of the document, which lives as long as the judge."""
        if id(schema) not in self._parts:
            whole = {**schema, "components": self.document["components"]}
            self._parts[id(schema)] = jsonschema_rs.validator_for(whole)
        return bool(self._parts[id(schema)].is_valid(value))

    def _unknown(self, schemas: Iterable[Any], value: Any, where: str) -> Iterator[str]:
        """Keys that no matching branch of the schemas lists: misspelt, or simply ignored."""
        branches = [b for schema in schemas for b in self._branches(schema, value)]
        if isinstance(value, list):
            items = [b["items"] for b in branches if isinstance(b.get("items"), dict)]
            for index, element in enumerate(value):
                yield from self._unknown(items, element, f"{where}[{index}]")
        elif isinstance(value, dict) and any("properties" in b for b in branches):
            if any(isinstance(b.get("additionalProperties"), dict) for b in branches):
                return
            for key, inner in value.items():
                parts = [b["properties"][key] for b in branches if key in b.get("properties", {})]
                if parts:
                    yield from self._unknown(parts, inner, f"{where}.{key}")
                elif key not in TOLERATED:
                    yield f"{where}.{key}".lstrip(".")

    def _branches(self, schema: Mapping[str, Any], value: Any) -> Iterator[Mapping[str, Any]]:
        schema = self._resolve(schema)
        yield schema
        for part in schema.get("allOf", ()):
            yield from self._branches(part, value)
        for part in (*schema.get("anyOf", ()), *schema.get("oneOf", ())):
            if self._is_valid(part, value):
                yield from self._branches(part, value)


def _read_as(text: str) -> Iterator[Any]:
    """What a query's text may mean beside itself: a number, a truth value."""
    if text.isdigit():
        yield int(text)
    if text.lower() in {"0", "1", "true", "false"}:
        yield text.lower() in {"1", "true"}


_WITH_IDS = ("attachments", "default_values", "permission_overwrites")


def _spoken(value: Any) -> Any:
    """The body with ids as the strings that Discord reads them as; discord.py sends some as ints."""
    if isinstance(value, dict):
        spoken = {key: _spoken(inner) for key, inner in value.items()}
        for things in _WITH_IDS:
            for thing in spoken.get(things) or ():
                thing["id"] = str(thing["id"])
        return spoken
    return [_spoken(inner) for inner in value] if isinstance(value, list) else value


def rule_violations(request: Request) -> list[str]:
    """What Discord documents but does not write into its schema."""
    return [f"{request}: {problem}" for problem in _rules(request)]


def _rules(request: Request) -> Iterator[str]:
    for name, size in request.files:
        if size > UPLOAD_LIMIT:
            yield f"{name} has {size} bytes, more than 10 MiB"
    if request.token_born is not None and request.at - request.token_born > TOKEN_SECONDS:
        yield "the interaction's token is older than 15 minutes"
    body = request.json
    if request.path.endswith("/threads") and len(str((body or {}).get("name", ""))) > 100:
        yield "the thread's name is longer than 100 characters"
    if (message := message_of(request)) is not None:
        yield from _message_rules(request, message)


def message_of(request: Request) -> Mapping[str, Any] | None:
    """The message that a request creates or edits, None for everything else."""
    body = request.json
    if not isinstance(body, dict):
        return None
    if re.fullmatch(r"/interactions/[^/]+/[^/]+/callback", request.path):
        return body.get("data") if body.get("type") in {4, 7} else None
    if re.fullmatch(r"/(channels/[^/]+/messages|webhooks/[^/]+/[^/]+)(/.*)?", request.path):
        return body if request.method in {"POST", "PATCH"} else None
    return None


def _message_rules(request: Request, message: Mapping[str, Any]) -> Iterator[str]:
    mentions = message.get("allowed_mentions")
    if mentions is None or any(mentions.get(k) for k in ("parse", "users", "roles")):
        yield f"somebody could be pinged: allowed_mentions is {mentions}"
    if mentions and mentions.get("replied_user"):
        yield "the author of a replied message is pinged"
    components = list(walk(message.get("components") or ()))
    ids = [c["custom_id"] for c in components if "custom_id" in c]
    yield from (f"custom_id {i} twice" for i, n in Counter(ids).items() if n > 1)
    yield from (f"custom_id of {len(i)} characters" for i in ids if len(i) > 100)
    if int(message.get("flags") or 0) & V2:
        if message.get("content") or message.get("embeds"):
            yield "content or embeds beside Components V2"
        if len(components) > 40:
            yield f"{len(components)} components, 40 are allowed"
        text = sum(len(c.get("content", "")) for c in components if c["type"] == 10)
        if text > 4000:
            yield f"{text} characters of text, 4000 are allowed"
    names = {name for name, _ in request.files} | _kept(request, message)
    for url in urls(message.get("components") or ()):
        if url.startswith("attachment://") and url.removeprefix("attachment://") not in names:
            yield f"{url} names no attachment of the message"
    if len(request.files) > 10:
        yield f"{len(request.files)} files, 10 are allowed"


def _kept(request: Request, message: Mapping[str, Any]) -> set[str]:
    """Names that an edit leaves on the message: all, unless ``attachments`` lists others."""
    return set() if "attachments" in message else set(request.kept_files)


def walk(components: Iterable[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    """All components, however deep, accessories too."""
    for component in components:
        yield component
        yield from walk(component.get("components") or ())
        if "accessory" in component:
            yield from walk([component["accessory"]])


def urls(value: Any) -> Iterator[str]:
    """All ``url`` strings inside a payload."""
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "url" and isinstance(inner, str):
                yield inner
            else:
                yield from urls(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from urls(inner)


@cache
def openapi_judge() -> OpenApiJudge | None:
    """The judge, or None where Discord's description is not at hand."""
    return OpenApiJudge() if OPENAPI.is_file() else None


def violations(requests: Iterable[Request]) -> list[str]:
    """Everything that is wrong with any of the requests."""
    judge = openapi_judge()
    return [
        problem
        for request in requests
        for problem in (*rule_violations(request), *(judge.violations(request) if judge else ()))
    ]
