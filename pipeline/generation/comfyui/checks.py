"""What a server lacks for a graph: nodes and files, by name, with what to install."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pipeline.generation.comfyui.workflow import Graph, Node
from pipeline.generation.remote.errors import EngineLacks, EngineRefused

NodeInfo = Callable[[str], Mapping[str, Any] | None]
"""What a server says of a node class (``/object_info``), None where it has none."""

_PACKS = {
    "IPAdapter": "ComfyUI_IPAdapter_plus",
    "PrepImage": "ComfyUI_IPAdapter_plus",
    "ControlNetApply": "a newer ComfyUI",
    "Onmodel": "integrations/comfyui of Onmodel",
}
"""What brings the nodes whose names begin so."""
_FOLDERS = {
    "ckpt_name": "models/checkpoints",
    "lora_name": "models/loras",
    "control_net_name": "models/controlnet",
    "ipadapter_file": "models/ipadapter",
    "clip_name": "models/clip_vision",
    "vae_name": "models/vae",
    "unet_name": "models/diffusion_models",
}
_SHOWN = 3


def check_graph(graph: Graph, info: NodeInfo) -> None:
    """Compare a graph with what a server has.

    Raises:
        EngineLacks: a node or a file is missing; the text names it and where it belongs.
        EngineRefused: an input or a link of the workflow does not fit the server's nodes.
    """
    known = {name: info(name) for name in sorted({n["class_type"] for n in graph.values()})}
    missing = [name for name, about in known.items() if about is None]
    if missing:
        raise EngineLacks(missing_nodes(missing))
    for key, node in graph.items():
        for problem in _problems(key, node, graph, known):
            raise problem


def missing_nodes(names: list[str]) -> str:
    """What to install for nodes that are not there, in words."""
    packs = dict.fromkeys(
        pack for name in names for start, pack in _PACKS.items() if name.startswith(start)
    )
    what = f"install {', '.join(packs)} there" if packs else "install what brings them"
    return (
        f"ComfyUI lacks the nodes {', '.join(names)}. Ask whoever runs the bot to {what} "
        "and to restart ComfyUI."
    )


def missing_file(input_: str, value: str, has: list[str]) -> str:
    """What to put where for a file that is not there, in words."""
    folder = _FOLDERS.get(input_, input_)
    shown = f" It has {', '.join(sorted(has)[:_SHOWN])}." if has else " It has none."
    if len(has) > _SHOWN:
        shown = f"{shown[:-1]} and {len(has) - _SHOWN} more."
    hint = " Or set ONMODEL_COMFYUI_CHECKPOINT." if input_ == "ckpt_name" else ""
    return f"ComfyUI has no “{value}” in {folder}.{shown} Ask whoever runs the bot to add it.{hint}"


def refusal(body: Any) -> EngineLacks | EngineRefused:
    """The error for a graph that the server itself refused, from the answer to ``/prompt``."""
    error = body.get("error") if isinstance(body, dict) else None
    about = error if isinstance(error, dict) else {}
    lacking = (about.get("extra_info") or {}).get("class_type")
    if about.get("type") in ("missing_node_type", "invalid_prompt") and lacking:
        return EngineLacks(missing_nodes([str(lacking)]))
    for node in _nodes_with_errors(body):
        for problem in node.get("errors") or ():
            more = problem.get("extra_info") or {}
            name, value = str(more.get("input_name", "")), str(more.get("received_value", ""))
            if problem.get("type") == "value_not_in_list":
                return EngineLacks(missing_file(name, value, options_of(more.get("input_config"))))
            return EngineRefused(
                f"ComfyUI refused the workflow: {node.get('class_type')}, {name or 'an input'}: "
                f"{str(problem.get('message', ''))[:200]}. Ask whoever runs the bot to mend it."
            )
    words = str(about.get("message") or error or "no reason given")[:200]
    return EngineRefused(
        f"ComfyUI refused the workflow: {words} Ask whoever runs the bot to mend it."
    )


def _nodes_with_errors(body: Any) -> list[dict[str, Any]]:
    errors = body.get("node_errors") if isinstance(body, dict) else None
    return list(errors.values()) if isinstance(errors, dict) else []


def _problems(
    key: str, node: Node, graph: Graph, known: Mapping[str, Mapping[str, Any] | None]
) -> Iterator[EngineLacks | EngineRefused]:
    about = known[node["class_type"]] or {}
    inputs = about.get("input") or {}
    required = inputs.get("required") or {}
    specs = {**(inputs.get("optional") or {}), **required}
    for name in required:
        if name not in node["inputs"]:
            yield EngineRefused(_misfit(key, node, f"needs “{name}”"))
    for name, value in node["inputs"].items():
        if name not in specs:
            continue  # ComfyUI passes over inputs that a node does not have
        spec = specs[name]
        if isinstance(value, list):
            yield from _link_problems(key, node, name, graph, (spec, known))
        elif _is_choice(spec) and not _is_upload(spec) and value not in options_of(spec):
            yield EngineLacks(missing_file(name, str(value), options_of(spec)))


def _link_problems(
    key: str, node: Node, name: str, graph: Graph, about: tuple[Any, Mapping[str, Any]]
) -> Iterator[EngineRefused]:
    spec, known = about
    source, output = node["inputs"][name]
    gives = (known[graph[source]["class_type"]] or {}).get("output") or []
    if output >= len(gives):
        yield EngineRefused(_misfit(key, node, f"takes a {output + 1}. output of {source}"))
    elif not _takes(spec[0], str(gives[output])):
        yield EngineRefused(_misfit(key, node, f"takes {gives[output]} as “{name}”"))


def _takes(wanted: Any, given: str) -> bool:
    """Whether an input takes what an output gives; some take several kinds, or anything."""
    if not isinstance(wanted, str) or given == "*":
        return True
    return not {"*", given}.isdisjoint(wanted.split(","))


def _misfit(key: str, node: Node, what: str) -> str:
    return (
        f"The ComfyUI workflow does not fit the server: node {key} ({node['class_type']}) {what}. "
        "Ask whoever runs the bot to save it anew from this ComfyUI."
    )


def _is_choice(spec: Any) -> bool:
    return isinstance(spec[0], list) or spec[0] == "COMBO"


def _is_upload(spec: Any) -> bool:
    more = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
    return bool(more.get("image_upload") or more.get("remote"))


def options_of(spec: Any) -> list[str]:
    """The choices of an input, in the old form (a list) or the new (``COMBO`` with options)."""
    if not isinstance(spec, list | tuple) or not spec:
        return []
    if isinstance(spec[0], list):
        return [str(option) for option in spec[0]]
    more = spec[1] if len(spec) > 1 and isinstance(spec[1], dict) else {}
    return [str(option) for option in more.get("options") or ()]
