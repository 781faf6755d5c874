"""Definitions as the plain tree that YAML holds: what objects say of themselves, and which objects belong together.

A tree is made of dict, list, str, bool, int and float, in the order in which people write the keys. A part that an object
of its own wrote (a Field, an expression) is a Part or a SqlText, which knows its call.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from viand.arguments import name_of
from viand.errors import DefinitionError
from viand.expressions import described, wrong

if TYPE_CHECKING:
    from viand.stored import Known

# The lists of a file of definitions, in the order in which they are written.
SECTIONS = ("entities", "datasets", "sources", "snapshots", "feature_views", "labels", "feature_services", "models")

# The kinds of these as plans name them.
NAMES_IN_PLANS = {"entities": "entity", "datasets": "dataset", "sources": "data source", "snapshots": "snapshots",
                  "feature_views": "feature view", "labels": "labels", "feature_services": "feature service", "models": "model"}


class SqlText(str):
    """SQL with the call that made it, where that was not a text; `field` is the call of a Field that holds it as expr."""

    site = None
    field = None

    @classmethod
    def of(cls, expression):
        text = cls(expression.sql)
        text.site = expression.site
        return text


class Part(dict):
    """A mapping that an object of its own wrote, with the call that made it."""

    site = None

    @classmethod
    def of(cls, site, entries):
        part = cls(entries)
        part.site = site
        return part


def present(entries: dict) -> dict:
    """The entries that say something."""
    return {key: value for key, value in entries.items() if value is not None and value != {} and value != ""}


def sql_of(value):
    """An expression or SQL text for a tree; None stays None."""
    return value if value is None or isinstance(value, str) else SqlText.of(value)


class Definition:
    """What every object of a repo is: `section` is the list that it stands in, `name` is unique in it.

    One that a store gave says more: `facts` (all that is known of it, name -> text), `summary`, `in_repo` (False where
    only the registry has it), `created_timestamp` and `last_updated_timestamp` (UTC without a zone, as Feast's; None: the registry has it not).
    """

    section = ""
    name: str
    description: str
    owner: str
    tags: dict[str, str]
    _site: Any = None
    _known: Known | None = None  # what a store knows of it

    @property
    def facts(self) -> dict[str, str]:
        return {} if self._known is None else {fact.strip(): value for fact, value in self._known.facts(self.name)}

    @property
    def summary(self) -> str:
        return "" if self._known is None else self._known.summary

    @property
    def in_repo(self) -> bool:
        return self._known is None or self._known.in_repo

    @property
    def created_timestamp(self) -> datetime.datetime | None:
        return None if self._known is None else self._known.created_timestamp

    @property
    def last_updated_timestamp(self) -> datetime.datetime | None:
        return None if self._known is None else self._known.last_updated_timestamp

    def _repr_html_(self) -> str:
        from viand.display import definition_html, facts_html

        if self._known is None:
            return definition_html(self)
        return facts_html(self._known.kind, self.name, self._known.facts(self.name))

    def __getstate__(self) -> dict[str, Any]:
        """A copy is a definition as users make it."""
        return {name: value for name, value in self.__dict__.items() if name != "_known"}

    def document(self) -> Any:
        """The object as YAML holds it."""
        raise NotImplementedError

    def references(self) -> Sequence[Any]:
        """The objects that this one was given."""
        return ()

    @property
    def site(self) -> Any:
        """The call that made it (places.CallSite)."""
        return self._site

    def _words(self) -> dict:
        return {"description": self.description, "owner": self.owner, "tags": dict(self.tags)}

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.document() == other.document()  # type: ignore[attr-defined]

    def __hash__(self) -> int:
        return hash((type(self).__name__, self.name))

    def __repr__(self) -> str:
        tree = self.document()
        arguments = ", ".join(f"{key}={value!r}" for key, value in tree.items()) if isinstance(tree, dict) else repr(tree)
        return f"{type(self).__name__}({arguments})"


class Collection:
    """Objects and what they refer to, each once, in the order in which they were met."""

    def __init__(self):
        self._objects = {}
        self._listed = set()

    @classmethod
    def holding(cls, objects):
        """Exactly these, whatever they refer to."""
        collection = cls()
        collection._objects = {(each.section, each.name): each for each in objects}
        return collection

    def add(self, given, listed=True):
        """Adds an object; another one of its kind and name is an error, unless a mere reference says the same."""
        key = (given.section, given.name)
        known = self._objects.get(key)
        if known is not None:
            if known is not given and ((listed and key in self._listed) or known != given):
                raise twice(given, known)
            self._listed |= {key} if listed else set()
            return
        self._objects[key] = given
        self._listed |= {key} if listed else set()
        for reference in given.references():
            self.add(reference, listed=False)

    def objects(self, section):
        return [each for (kind, _), each in self._objects.items() if kind == section]

    def join_keys(self, names):
        """The join keys of entities by name, as far as they are here."""
        entities = [self._objects.get(("entities", each)) for each in names]
        return {key for entity in entities if entity is not None for key in entity.join_keys}


def twice(second, first) -> DefinitionError:
    place, other = second.site.place(), first.site.place().shown()
    where = f"{other['file']}:{other['line']}"
    return DefinitionError(f"the {NAMES_IN_PLANS[second.section].removeprefix('data ')} {name_of(second)!r} is defined twice, first at {where}",
                           hint="give one of them another name", **place.shown())


def collect(objects) -> Collection:
    """A Collection of objects: one, or any nesting of lists and dicts of them."""
    collection = Collection()
    for each in _flat(objects):
        if not isinstance(each, Definition):
            raise wrong(f"expected definitions such as Entity or FeatureView, got {described(each)}")
        if each.section:
            collection.add(each)
        for reference in () if each.section else each.references():
            collection.add(reference)
    return collection


def _flat(objects):
    if isinstance(objects, dict):
        objects = list(objects.values())
    if not isinstance(objects, (list, tuple)):
        return [objects]
    return [each for item in objects for each in _flat(item)]
