"""A workflow of ComfyUI with typed slots: read, checked, and what an engine with it can do.

A template is a workflow in ComfyUI's API format (Workflow → Export (API)) with one more key,
``_onmodel``: ``slots`` say where the values of a plan go (``"seed": "3.seed"``, or a list of such
places), ``groups`` name nodes that are repeated for every reference, guide picture, LoRA or
character. What a template has no place for, its engine cannot do, and says so.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.domain.conditioning import ControlKind
from pipeline.domain.errors import SettingsError

Node = dict[str, Any]
Graph = dict[str, Node]
Link = tuple[str, int]
"""A node and the number of its output."""

KEY = "_onmodel"
MAX_BYTES, MAX_NODES, MAX_COPIES = 1 << 20, 500, 16


@dataclass(frozen=True, slots=True)
class Slot:
    """What a slot takes: ``kind`` is the type of the value that stands there in the template."""

    kind: type
    needed: bool = False


_TEXT, _WHOLE, _NUMBER = Slot(str), Slot(int), Slot(float)
_PICTURE = Slot(str, needed=True)

SLOTS: Mapping[str, Slot] = {
    "positive": Slot(str, needed=True),
    "seed": Slot(int, needed=True),
    "negative": _TEXT,
    "checkpoint": _TEXT,
    "sampler": _TEXT,
    "scheduler": _TEXT,
    "steps": _WHOLE,
    "width": _WHOLE,
    "height": _WHOLE,
    "guidance": _NUMBER,
    "denoise": _NUMBER,
    "base": _TEXT,
    "mask": _TEXT,
}
"""The slots of the whole picture."""

_REFERENCE = {"image": _PICTURE, "scale": Slot(float, needed=True), "region": _TEXT}
_GUIDE = {"image": _PICTURE, "scale": Slot(float, needed=True), "start": _NUMBER, "end": _NUMBER}
_WORDS = {"text": Slot(str, needed=True), "region": _PICTURE}

GROUPS: Mapping[str, Mapping[str, Slot]] = {
    "reference_whole": _REFERENCE,
    "reference_face": _REFERENCE,
    **{f"guide_{kind.value}": _GUIDE for kind in ControlKind},
    "lora": {"name": Slot(str, needed=True), "scale": Slot(float, needed=True)},
    "character": _WORDS,
    "character_negative": _WORDS,
}
"""The groups and the slots of each."""


@dataclass(frozen=True, slots=True)
class Place:
    """An input of a node."""

    node: str
    input: str

    def __str__(self) -> str:
        return f"{self.node}.{self.input}"


@dataclass(frozen=True, slots=True)
class Chain:
    """Where a copy takes what the copy before it gives, and where it gives it."""

    into: Place
    out: Link


@dataclass(frozen=True, slots=True)
class Group:
    """Nodes that are repeated; ``most`` is how many references of one character they bear."""

    nodes: tuple[str, ...]
    chains: tuple[Chain, ...]
    slots: Mapping[str, tuple[Place, ...]]
    most: int


@dataclass(frozen=True, slots=True)
class Workflow:
    """A checked template. ``digest`` names its content; ``native_pixels`` is its model's area."""

    name: str
    graph: Mapping[str, Node]
    slots: Mapping[str, tuple[Place, ...]]
    groups: Mapping[str, Group]
    output: str
    native_pixels: int
    digest: str
    about: str = ""
    embeddings: bool = True

    def value_at(self, slot: str) -> Any:
        """What the template itself says for a slot; None where it has no such slot."""
        places = self.slots.get(slot)
        return self.graph[places[0].node]["inputs"][places[0].input] if places else None


def read_workflow(text: str, name: str) -> Workflow:
    """Read and check a template.

    Raises:
        SettingsError: it is no template; the text says what is wrong and where.
    """
    if len(text.encode()) > MAX_BYTES:
        raise _wrong(name, f"is larger than {MAX_BYTES // 1024} KiB")
    try:
        data = json.loads(text)
    except ValueError as error:
        raise _wrong(name, "is not JSON") from error
    if not isinstance(data, dict) or ("nodes" in data and "links" in data):
        raise _wrong(name, "is in the editor's format; save it with Workflow → Export (API)")
    about = data.pop(KEY, None)
    if not isinstance(about, dict):
        raise _wrong(name, f"has no “{KEY}” with its slots")
    graph = _graph(data, name)
    groups = {key: _group(key, raw, graph, name) for key, raw in _dict(about, "groups").items()}
    slots = _slots(_dict(about, "slots"), SLOTS, graph, name)
    return Workflow(
        name=name,
        graph=graph,
        slots=slots,
        groups=groups,
        output=_known(str(about.get("output", "")), graph, name, "output"),
        native_pixels=_area(about.get("native_pixels", 512 * 512), name),
        digest=hashlib.sha256(text.encode()).hexdigest(),
        about=str(about.get("about", "")),
        embeddings=bool(about.get("embeddings", True)),
    )


def links_in(node: Node) -> Iterator[tuple[str, Link]]:
    """The inputs of a node that come from other nodes."""
    for name, value in node["inputs"].items():
        if _is_link(value):
            yield name, (value[0], value[1])


def _is_link(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and isinstance(value[1], int)
    )


def _graph(data: dict[str, Any], name: str) -> Graph:
    if not 0 < len(data) <= MAX_NODES:
        raise _wrong(name, f"must have 1 to {MAX_NODES} nodes")
    for key, node in data.items():
        if not isinstance(node, dict) or not isinstance(node.get("class_type"), str):
            raise _wrong(name, f"has a node {key} without class_type")
        if not isinstance(node.get("inputs"), dict):
            raise _wrong(name, f"has a node {key} without inputs")
    for key, node in data.items():
        for input_, (source, _) in links_in(node):
            _known(source, data, name, f"{key}.{input_}")
    return {key: {"class_type": n["class_type"], "inputs": n["inputs"]} for key, n in data.items()}


def _group(key: str, raw: Any, graph: Graph, name: str) -> Group:
    if key not in GROUPS:
        raise _wrong(name, f"has an unknown group “{key}”; known are {', '.join(GROUPS)}")
    if not isinstance(raw, dict) or not raw.get("nodes"):
        raise _wrong(name, f"group {key}: names no nodes")
    nodes = tuple(_known(str(node), graph, name, f"group {key}") for node in raw["nodes"])
    slots = _slots(_dict(raw, "slots"), GROUPS[key], graph, f"{name}, group {key},")
    outside = [str(p) for places in slots.values() for p in places if p.node not in nodes]
    if outside:
        raise _wrong(name, f"group {key}: {', '.join(outside)} lies outside of it")
    most = raw.get("most", 4)
    if not isinstance(most, int) or not 1 <= most <= MAX_COPIES:
        raise _wrong(name, f"group {key}: “most” must be 1 to {MAX_COPIES}")
    chains = tuple(_chain(one, nodes, graph, f"{name}, group {key},") for one in raw["chains"])
    return Group(nodes, chains, slots, most)


def _chain(raw: Any, nodes: tuple[str, ...], graph: Graph, name: str) -> Chain:
    try:
        into, out = _place(raw["into"], graph, name), (str(raw["out"][0]), int(raw["out"][1]))
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise _wrong(name, "has a chain without “into” and “out”") from error
    if into.node not in nodes or out[0] not in nodes:
        raise _wrong(name, f"has a chain that leaves it at {into}")
    if not _is_link(graph[into.node]["inputs"].get(into.input)):
        raise _wrong(name, f"has a chain into {into}, where nothing is connected")
    return Chain(into, out)


def _slots(
    raw: Mapping[str, Any], known: Mapping[str, Slot], graph: Graph, name: str
) -> dict[str, tuple[Place, ...]]:
    unknown = sorted(set(raw) - set(known))
    if unknown:
        raise _wrong(name, f"has an unknown slot “{unknown[0]}”; known are {', '.join(known)}")
    missing = [slot for slot, about in known.items() if about.needed and slot not in raw]
    if missing:
        raise _wrong(name, f"needs a slot “{missing[0]}”")
    out: dict[str, tuple[Place, ...]] = {}
    for slot, where in raw.items():
        places = where if isinstance(where, list) else [where]
        out[slot] = tuple(_place(place, graph, name) for place in places)
        for place in out[slot]:
            _fits(graph[place.node]["inputs"].get(place.input), known[slot], place, name)
    return out


def _place(raw: Any, graph: Graph, name: str) -> Place:
    node, dot, input_ = str(raw).rpartition(".")
    if not dot:
        raise _wrong(name, f"names a place “{raw}” that is not like 3.seed")
    _known(node, graph, name, str(raw))
    if input_ not in graph[node]["inputs"]:
        raise _wrong(name, f"has no input {raw}")
    return Place(node, input_)


def _fits(value: Any, slot: Slot, place: Place, name: str) -> None:
    numbers = (int, float) if slot.kind is float else (slot.kind,)
    if isinstance(value, bool) or not isinstance(value, numbers):
        word = {str: "text", int: "a whole number", float: "a number"}[slot.kind]
        raise _wrong(name, f"must have {word} at {place}, which is a slot")


def _known(node: str, graph: Mapping[str, Any], name: str, where: str) -> str:
    if node not in graph:
        raise _wrong(name, f"names a node “{node}” at {where} that it does not have")
    return node


def _area(value: Any, name: str) -> int:
    if not isinstance(value, int) or not 64 * 64 <= value <= 4096 * 4096:
        raise _wrong(name, "must have native_pixels between 4096 and 16777216")
    return value


def _dict(raw: Mapping[str, Any], key: str) -> dict[str, Any]:
    value = raw.get(key, {})
    return value if isinstance(value, dict) else {}


def _wrong(name: str, what: str) -> SettingsError:
    return SettingsError(f"The ComfyUI workflow “{name}” {what}. See ONMODEL_COMFYUI_WORKFLOW.")
