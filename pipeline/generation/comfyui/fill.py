"""Fills a workflow: values into its slots, one copy of a group for every item, the rest cut off."""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.domain.errors import GenerationFailed
from pipeline.generation.comfyui.workflow import Graph, Group, Link, Place, Workflow, links_in

Values = Mapping[str, Any]


def fill(workflow: Workflow, values: Values, items: Mapping[str, Sequence[Values]]) -> Graph:
    """The graph for one picture.

    A slot without a value keeps what the template says there. A picture's slot (``base``,
    ``mask``, ``region``) without a value loses its node and every link from it. The copies of a
    group are chained: each takes what the one before gives, and what followed the group in the
    template follows the last copy; with no items at all the group is bridged.

    Args:
        workflow: the template.
        values: by slot.
        items: by group, one mapping from its slots to values for every copy.

    Returns:
        A new graph with only the nodes that the output needs.

    Raises:
        GenerationFailed: there are items for a group that the template does not have.
    """
    graph: Graph = copy.deepcopy(dict(workflow.graph))
    _put(graph, workflow.slots, values)
    moved: dict[Link, Link] = {}
    for name, given in items.items():
        if given and name not in workflow.groups:
            raise GenerationFailed(
                f"The ComfyUI workflow “{workflow.name}” has no place for “{name}”. "
                "Ask whoever runs the bot for a workflow that has one."
            )
    for name, group in workflow.groups.items():
        moved |= _repeat(graph, name, group, items.get(name, ()))
    _relink(graph, moved)
    return _needed(graph, workflow.output)


def _put(graph: Graph, slots: Mapping[str, tuple[Place, ...]], values: Values) -> None:
    for slot, places in slots.items():
        for place in places:
            if slot in values:
                graph[place.node]["inputs"][place.input] = values[slot]
            elif slot in ("base", "mask", "region"):
                _drop(graph, place.node)


def _drop(graph: Graph, gone: str) -> None:
    graph.pop(gone, None)
    for node in graph.values():
        for name in [name for name, (source, _) in links_in(node) if source == gone]:
            del node["inputs"][name]


def _repeat(graph: Graph, name: str, group: Group, given: Sequence[Values]) -> dict[Link, Link]:
    """Replace a group by its copies; returns where its outputs are found from now on."""
    template = {node: graph.pop(node) for node in group.nodes}
    ends: dict[Link, Link] = {}
    for chain in group.chains:
        source = template[chain.into.node]["inputs"][chain.into.input]
        ends[chain.out] = (source[0], source[1])
    for count, values in enumerate(given, 1):
        named = {node: f"{name}_{count}_{node}" for node in group.nodes}
        copied: Graph = copy.deepcopy(template)
        _put(copied, group.slots, values)
        for node in copied.values():
            for input_, (source, output) in links_in(node):
                node["inputs"][input_] = [named.get(source, source), output]
        for chain in group.chains:
            copied[chain.into.node]["inputs"][chain.into.input] = list(ends[chain.out])
        graph.update({named[node]: content for node, content in copied.items()})
        for chain in group.chains:
            ends[chain.out] = (named[chain.out[0]], chain.out[1])
    return ends


def _relink(graph: Graph, moved: Mapping[Link, Link]) -> None:
    for node in graph.values():
        for name, link in links_in(node):
            steps = 0
            while link in moved and steps <= len(moved):
                link, steps = moved[link], steps + 1
            node["inputs"][name] = list(link)


def _needed(graph: Graph, output: str) -> Graph:
    wanted, waiting = set[str](), [output]
    while waiting:
        node = waiting.pop()
        if node not in wanted and node in graph:
            wanted.add(node)
            waiting += [source for _, (source, _) in links_in(graph[node])]
    return {key: node for key, node in graph.items() if key in wanted}


def everything_in(workflow: Workflow) -> Graph:
    """The graph with one copy of every group but LoRAs, as the template has it: to check it whole.

    Which LoRAs a server needs is up to the cast, so the template's is a mere example.
    """
    pictures = {
        slot: workflow.value_at(slot) for slot in ("base", "mask") if slot in workflow.slots
    }
    items = {
        name: [{slot: _literal(workflow, places) for slot, places in group.slots.items()}]
        for name, group in workflow.groups.items()
        if name != "lora"
    }
    return fill(workflow, pictures, items)


def _literal(workflow: Workflow, places: tuple[Place, ...]) -> Any:
    return workflow.graph[places[0].node]["inputs"][places[0].input]
