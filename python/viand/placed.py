"""Definitions with the place of each of their parts: what `viand apply` reads from Python (docs/formats/python.md).

A tree (document.py) is walked beside the call that made it: the value of an argument is looked up in the call's source,
so that an error points at the text inside a file of Python as it would in YAML.
"""

from __future__ import annotations

import ast
import json
import os

from viand.document import SECTIONS, Collection, Part, SqlText
from viand.places import Place, place_of
from viand.yaml_text import plain

# Keys of a tree that an argument of another name wrote.
_ARGUMENTS = {"value_types": ("value_types", "value_type"), "path": ("path",), "from": (), "features": ("features", "schema"),
              "schema": ("schema", "features"), "timestamp_field": ("timestamp_field", "event_timestamp_column"),
              "spine": ("spine", "path")}


FORMAT = "viand.definitions/1"


def handed_over(objects, root: str) -> str:
    """Exactly these objects as the engine takes them from a caller: OpenOptions::definitions."""
    return json.dumps({"format": FORMAT, **placed_objects(Collection.holding(objects), root), "projects": []})


def placed_objects(collection: Collection, root: str) -> dict:
    """{"files": [...], "objects": [{"list", "file", "node"}]}: paths relative to the repo's folder where they lie in it."""
    writer = _Writer(root)
    objects = [writer.object(section, each) for section in SECTIONS for each in collection.objects(section)]
    return {"files": list(writer.files), "objects": objects}


class _Writer:
    def __init__(self, root):
        self._root = os.path.realpath(root)
        self.files = {}
        self._numbers = {}

    def object(self, section, made):
        place = made.site.place()
        file = self._file(place.file)
        return {"list": section, "file": file, "node": self._mapping(made.document(), made.site.node(), place)}

    def _file(self, name):
        number = self._numbers.get(name)
        if number is None:
            path = os.path.realpath(name)
            inside = path.startswith(self._root + os.sep)
            number = self.files.setdefault(os.path.relpath(path, self._root) if inside else name, len(self.files))
            self._numbers[name] = number
        return number

    def _node(self, tree, node, place):
        """tree: the value; node: its syntax, or None; place: that of what holds it."""
        site = getattr(tree, "site", None)
        if getattr(tree, "field", None) is not None:
            expr = _entries(tree.field.node()).get("expr")
            node, place = (expr, tree.field.place()) if expr is not None else (node, place)
        here = place_of(node, place.file, place)
        if isinstance(tree, Part) and site is not None:
            if site.file != place.file:  # a function's, of another module
                return self._mapping(tree, site.node(), site.place())
            call = site.node()
            return self._mapping(tree, call, here if node is not None else site.place(), node if call is not node else None)
        if isinstance(tree, dict):
            return self._mapping(tree, node, here)
        if isinstance(tree, list):
            return {"list": [self._node(each, item, here) for each, item in zip(tree, _items(node, len(tree)))],
                    **self._at(here)}
        if isinstance(tree, SqlText) and node is None and site is not None:
            here = site.place()
        return self._scalar(tree, node, here)

    def _scalar(self, tree, node, here):
        if not isinstance(tree, str):
            return {"text": plain(tree), "plain": True, **self._at(here)}
        literal = isinstance(node, ast.Constant) and node.value == str(tree)
        return {"text": str(tree), **self._at(here if literal else Place(here.file, here.line, here.column))}

    def _mapping(self, tree, node, place, other=None):
        """node: the call or dict display that wrote it; other: the dict display where a value has a call of its own."""
        entries = []
        values = {**_entries(other), **_entries(node)}
        for key, value in tree.items():
            names = _ARGUMENTS.get(key, (key,))
            found = next((values[name] for name in names if name in values), None)
            if key == "from":
                entries.append([key, self._mapping(value, node, place)])
            elif key == "split" and found is not None:
                entries.append([key, {"map": [["test", self._node(value["test"], _test(found), place)]], **self._at(place)}])
            else:
                entries.append([key, self._node(value, found, place)])
        return {"map": entries, **self._at(place)}

    def _at(self, place):
        return {"file": self._file(place.file), "at": [place.line, place.column, place.offset]}


def _entries(node):
    """The values of a call's named arguments, or of a dict display's keys."""
    if isinstance(node, ast.Call):
        return {each.arg: each.value for each in node.keywords if each.arg is not None}
    if isinstance(node, ast.Dict):
        return {key.value: value for key, value in zip(node.keys, node.values) if isinstance(key, ast.Constant)}
    return {}


def _items(node, count):
    items = node.elts if isinstance(node, (ast.List, ast.Tuple)) else []
    whole = len(items) == count and not any(isinstance(each, ast.Starred) for each in items)
    return items if whole else [None] * count


def _test(node):
    """What is tested, where split is written {"test": ...}."""
    return _entries(node).get("test", node)
