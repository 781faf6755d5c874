"""Definitions as YAML: viand.to_yaml([customer, orders, activity]) is what a definitions.yaml would say."""

from __future__ import annotations

import json
import re
from typing import Any

from viand.document import SECTIONS, collect

# A text that needs no quotes wherever it stands, and the words that YAML takes for something else.
_PLAIN = re.compile(r"[A-Za-z_/(](?:[A-Za-z0-9_ ./()+*<>='%-]*[A-Za-z0-9_./()+*<>='%-])?|(?:\d+(?:w|d|h|m|s|ms|us))+(?: following)?", re.ASCII)
_WORDS = frozenset(("true", "false", "null", "yes", "no", "on", "off"))
# Characters that a quoted text must not hold as they are.
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")
# Mappings of these keys have a line an entry.
_BLOCKS = frozenset(("features", "columns", "from"))


def to_yaml(objects: Any) -> str:
    """The YAML of objects and of what they refer to; reads back as the same definitions.

    objects: one definition, or lists and dicts of them. The order is that of the lists of a file (entities, datasets,
    sources, ...), within each that in which they were given. DefinitionError where two objects have one name.

    >>> from viand import Entity
    >>> print(to_yaml(Entity(name="customer", join_keys=["customer_id"])), end="")
    entities:
      - name: customer
        join_keys: [customer_id]
    """
    collection = collect(objects)
    sections = []
    for section in SECTIONS:
        trees = [each.document() for each in collection.objects(section)]
        if trees:
            sections.append(f"{section}:\n" + "".join(_item(tree) for tree in trees))
    return "\n".join(sections)


def _item(tree):
    lines = []
    for key, value in tree.items():
        if _is_block(key, value):
            lines.append(f"{_text(key)}:")
            lines += [f"  {line}" for line in _block(value)]
        else:
            lines.append(f"{_text(key)}: {_flow(value)}")
    return "".join(f"  {'  ' if index else '- '}{line}\n" for index, line in enumerate(lines))


def _is_block(key, value):
    if isinstance(value, list):
        return any(isinstance(each, dict) for each in value)
    return isinstance(value, dict) and key in _BLOCKS and len(value) > 0


def _block(value):
    if isinstance(value, list):
        return [f"- {_flow(each)}" for each in value]
    return [f"{_text(key)}: {_entry(key, each)}" for key, each in value.items()]


def _flow(value):
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_text(key)}: {_entry(key, each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return scalar(value)


def _entry(key, value):
    # A sheet is known by its index without quotes, by its name with them.
    return _quoted(value) if key == "sheet" and isinstance(value, str) else _flow(value)


def scalar(value) -> str:
    """A text, number or boolean as YAML."""
    return _text(value) if isinstance(value, str) else plain(value)


def plain(value) -> str:
    """A number or boolean as YAML."""
    return ("true" if value else "false") if isinstance(value, bool) else repr(value)


def _text(value):
    return str(value) if _PLAIN.fullmatch(value) and value.lower() not in _WORDS else _quoted(value)


def _quoted(value):
    # A JSON string is a double-quoted YAML one, but for what YAML does not print.
    return _UNPRINTABLE.sub(lambda found: f"\\u{ord(found[0]):04x}", json.dumps(str(value), ensure_ascii=False))
