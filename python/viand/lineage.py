"""Lineage: what columns are made from and what reads them, as text and as a drawing."""

from __future__ import annotations

import json
from functools import cached_property
from html import escape
from typing import Any

_CHARACTER, _BOX_HEIGHT, _ROW, _GAP, _MARGIN = 6.6, 22, 32, 70, 12
# By the kind of a node, as the library names it; others are plain.
_COLORS = {"raw column": "#eef2f7", "dataset column": "#e3f0e6", "source column": "#e3f0e6", "feature": "#fdf0d5",
           "feature service": "#f6e0ec", "label": "#fbe3dd", "model": "#e3ddf7", "predictions": "#ddeef7"}


class Lineage:
    """A graph of columns and objects, from the raw files to predictions; `print` shows a tree, a notebook the drawing."""

    def __init__(self, store: Any, name: str, up: bool, down: bool) -> None:
        self._store, self._name, self._up, self._down = store, name, up, down
        self._graph = self._loaded()

    def _loaded(self) -> dict[str, Any]:
        return json.loads(self.text("json"))

    def text(self, format: str = "tree") -> str:
        """The graph as "tree", "dot", "mermaid", "json" or "openlineage"."""
        return self._store.lineage(self._name, self._up, self._down, format)

    @property
    def nodes(self) -> list[dict[str, Any]]:
        return self._graph["nodes"]

    @property
    def edges(self) -> list[dict[str, Any]]:
        """{"from", "to", "use"}; `use` is value, filter, ..."""
        return self._graph["edges"]

    def __str__(self) -> str:
        return self.text("tree" if self._name else "mermaid")

    def __repr__(self) -> str:
        return f"<viand lineage of {self._name or 'the repo'}: {len(self.nodes)} nodes, {len(self.edges)} edges>"

    def _repr_svg_(self) -> str:
        return self.svg

    @cached_property
    def svg(self) -> str:
        """The graph as a drawing: what is made stands to the right of what it is made from."""
        names = [node["id"] for node in self.nodes]
        return _drawing({node["id"]: node for node in self.nodes},
                        layers_of(names, [(edge["from"], edge["to"]) for edge in self.edges]), self.edges)


def layers_of(names: list[str], edges: list[tuple[str, str]]) -> list[list[str]]:
    """Nodes by their distance from what nothing is before; in a layer ordered by what they are made from.

    >>> layers_of(["a", "b", "c"], [("a", "b"), ("b", "c"), ("a", "c")])
    [['a'], ['b'], ['c']]
    """
    before: dict[str, list[str]] = {name: [] for name in names}
    after: dict[str, list[str]] = {name: [] for name in names}
    for source, target in edges:
        before[target].append(source)
        after[source].append(target)
    waiting = {name: len(before[name]) for name in names}
    layer = {name: 0 for name in names}
    ready = [name for name in names if not waiting[name]]
    while ready:
        name = ready.pop()
        for target in after[name]:
            layer[target] = max(layer[target], layer[name] + 1)
            waiting[target] -= 1
            if not waiting[target]:
                ready.append(target)
    layers: list[list[str]] = [[] for _ in range(max(layer.values(), default=-1) + 1)]
    for name in names:
        layers[layer[name]].append(name)
    place: dict[str, float] = {}
    for members in layers:
        def middle(name: str) -> float:
            places = [place[source] for source in before[name] if source in place]
            return sum(places) / len(places) if places else float(members.index(name))

        order = sorted(members, key=middle)
        members[:] = order
        place.update({name: float(i) for i, name in enumerate(order)})
    return layers


def _drawing(nodes: dict[str, dict[str, Any]], layers: list[list[str]], edges: list[dict[str, Any]]) -> str:
    boxes: dict[str, tuple[float, float, float]] = {}
    tallest = max((len(members) for members in layers), default=0)
    left: float = _MARGIN
    for members in layers:
        width = max(len(name) for name in members) * _CHARACTER + 16
        top = _MARGIN + (tallest - len(members)) * _ROW / 2
        for i, name in enumerate(members):
            boxes[name] = (left, top + i * _ROW, width)
        left += width + _GAP
    width, height = left - _GAP + _MARGIN, tallest * _ROW + 2 * _MARGIN
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" '
             f'style="max-width:100%;background:#fff" font-family="monospace" font-size="11">']
    parts += [_line(boxes[edge["from"]], boxes[edge["to"]], edge) for edge in edges]
    parts += [_box(name, boxes[name], nodes[name]) for name in boxes]
    return "".join(parts) + "</svg>"


def _line(source: tuple[float, float, float], target: tuple[float, float, float], edge: dict[str, Any]) -> str:
    x1, y1, x2, y2 = source[0] + source[2], source[1] + _BOX_HEIGHT / 2, target[0], target[1] + _BOX_HEIGHT / 2
    bend = max(30.0, (x2 - x1) / 2)
    dashes = "" if edge["use"] == "value" else ' stroke-dasharray="3 3"'
    title = escape(f'{edge["from"]} -> {edge["to"]} ({edge["use"]})')
    return (f'<path d="M{x1:.0f} {y1:.0f} C{x1 + bend:.0f} {y1:.0f} {x2 - bend:.0f} {y2:.0f} {x2:.0f} {y2:.0f}" '
            f'fill="none" stroke="#9aa7b4"{dashes}><title>{title}</title></path>')


def _box(name: str, box: tuple[float, float, float], node: dict[str, Any]) -> str:
    x, y, width = box
    fill = _COLORS.get(str(node.get("kind", "")), "#f4f4f4")
    title = escape(f'{node.get("kind", "")} {name}' + (f' = {node["expression"]}' if node.get("expression") else ""))
    return (f'<g><title>{title}</title><rect x="{x:.0f}" y="{y:.0f}" width="{width:.0f}" height="{_BOX_HEIGHT}" rx="4" '
            f'fill="{fill}" stroke="#9aa7b4"/><text x="{x + 8:.0f}" y="{y + 15:.0f}" fill="#22303c">{escape(name)}</text></g>')
