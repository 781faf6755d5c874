"""Objects as a store knows them: the classes that definitions are made with, and what the registry adds.

What has no class here (Feast's on demand views, permissions, ...) is a StoredObject, which tells what is known of it.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

from .data_source import FileSource
from .dataset import Dataset
from .document import Definition
from .entity import Entity
from .errors import NotFound, UsageError
from .expressions import described
from .feature_service import FeatureService
from .feature_view import FeatureView
from .field import Field
from .labels import Labels, Spine
from .model import Model
from .snapshots import Snapshots
from .value_type import ValueType

# The kinds of `list` and the lists of a file of definitions.
SECTION_OF = {"entities": "entities", "datasets": "datasets", "sources": "sources", "snapshots": "snapshots",
              "feature-views": "feature_views", "labels": "labels", "feature-services": "feature_services", "models": "models"}


class Known:
    """What a store knows of one object beside its definition."""

    def __init__(self, store: Any, listed: dict[str, Any], entry: dict[str, Any] | None = None) -> None:
        self._store, self._entry = store, entry or {}
        self.kind: str = listed["kind"]
        self.summary: str = listed["summary"]
        self.in_repo: bool = listed["in_repo"]

    def facts(self, name: str) -> list[tuple[str, str]]:
        return self._store.describe(self.kind, name)

    @property
    def created_timestamp(self) -> datetime.datetime | None:
        return _moment(self._entry.get("created_us"))

    @property
    def last_updated_timestamp(self) -> datetime.datetime | None:
        return _moment(self._entry.get("updated_us"))


def _moment(since_us: int | None) -> datetime.datetime | None:
    if since_us is None:
        return None
    return datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=since_us)


class StoredObject(Definition):
    """What the registry has and viand has no class for: `kind`, `name`, `tags`, `facts`, ..."""

    def __init__(self, store: Any, listed: dict[str, Any]) -> None:
        self._known = Known(store, listed)
        self.kind: str = listed["kind"]
        self.name: str = listed["name"]
        self.description: str = listed["description"]
        self.owner: str = listed["owner"]
        self.tags: dict[str, str] = listed["tags"]

    def document(self) -> Any:
        return {"kind": self.kind, "name": self.name, "facts": self.facts}

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}: {self.summary}>"


def objects(store: Any, kind: str, tags: list[str]) -> list[Any]:
    """The objects of a kind that have the tags, as they are listed."""
    listed = store.list(kind, tags)
    maker = _Maker(store) if listed else None
    return [maker.listed(each) for each in listed] if maker else []


def find(store: Any, kind: str, name: str) -> Any:
    """The object of a kind with a name, or NotFound with the nearest one; "view@v1" is a version of a view."""
    if not isinstance(name, str):
        raise UsageError(f"expected a name, got {described(name)}")
    for each in store.list(kind, []):
        if each["name"] == name:
            return _Maker(store).listed(each)
    store.describe(kind, name)  # says what is near; knows versions, too
    return StoredObject(store, {"kind": kind, "name": name, "summary": "", "description": "", "owner": "", "tags": {}, "in_repo": False})


class _Maker:
    """Makes the objects that are asked for, and those that they refer to, each once."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self._entries = {(entry["list"], entry["definition"]["name"]): entry
                         for entry in json.loads(store.export_("json"))["objects"]}
        self._made: dict[tuple[str, str], Any] = {}

    def listed(self, listed: dict[str, Any]) -> Any:
        section = SECTION_OF.get(listed["kind"], "")
        if (section, listed["name"]) not in self._entries:
            return StoredObject(self._store, listed)
        made = self.made(section, listed["name"])
        made._known = Known(self._store, listed, self._entries[section, listed["name"]])
        return made

    def made(self, section: str, name: str) -> Any:
        """The object, or its name where it is not among those that can be read."""
        entry = self._entries.get((section, name))
        if entry is None:
            return name
        if (section, name) not in self._made:
            self._made[section, name] = getattr(self, section)(dict(entry["definition"]), entry)
        return self._made[section, name]

    def source(self, name: str) -> Any:
        """A source, or the view whose rows are read."""
        found = self.made("sources", name)
        return self.made("feature_views", name) if isinstance(found, str) else found

    def entities(self, tree: dict[str, Any], _: Any) -> Entity:
        return Entity(**tree)

    def datasets(self, tree: dict[str, Any], _: Any) -> Dataset:
        return Dataset(**tree.pop("from"), **tree)

    def sources(self, tree: dict[str, Any], _: Any) -> FileSource:
        tree.pop("type", None)
        return FileSource(**tree)

    def snapshots(self, tree: dict[str, Any], _: Any) -> Snapshots:
        return Snapshots(source=self.source(tree.pop("source")), **tree)

    def feature_views(self, tree: dict[str, Any], entry: dict[str, Any]) -> FeatureView:
        tree["entities"] = [self.made("entities", name) for name in tree["entities"]]
        tree["source"] = self.source(tree["source"])
        if "snapshots" in tree:
            tree["snapshots"] = self.made("snapshots", tree["snapshots"])
        if "schema" in tree:
            tree["schema"] = [Field(**field) for field in tree["schema"]]
        view = FeatureView(**tree)
        types = entry.get("types", {})
        for field in view.schema:
            field.take_type(types.get(field.name))
        ttl = datetime.timedelta(microseconds=entry["ttl_us"]) if "ttl_us" in entry else None
        view.take_found(ttl, {key: ValueType[kind] for key, kind in entry.get("key_types", {}).items()})
        return view

    def labels(self, tree: dict[str, Any], _: Any) -> Labels:
        population = tree.pop("population")
        if isinstance(population, dict):
            names = population.pop("entities", [])
            population = Spine(path=population.pop("spine"), entities=[self.made("entities", name) for name in names], **population)
        else:
            population = self.made("feature_views", population)
        return Labels(population=population, source=self.source(tree.pop("source")), **tree)

    def feature_services(self, tree: dict[str, Any], _: Any) -> FeatureService:
        tree["features"] = [part for each in tree["features"] for part in self._parts(each)]
        return FeatureService(**tree)

    def _parts(self, given: Any) -> list[Any]:
        part = given if isinstance(given, dict) else {"view": given}
        view = self.made("feature_views", part["view"])
        if isinstance(view, str):  # an old version of a view is known by its name
            return [f"{view}:{feature}" for feature in part.get("features", [])] or [view]
        made = view[part["features"]] if "features" in part else view
        made = made.with_name(part["alias"]) if "alias" in part else made
        return [made.with_join_key_map(part["join_key_map"]) if "join_key_map" in part else made]

    def models(self, tree: dict[str, Any], _: Any) -> Model:
        tree["features"] = self.made("feature_services", tree["features"])
        if "labels" in tree:
            tree["labels"] = self.made("labels", tree["labels"])
        return Model(**tree)


class Catalogue:
    """The objects of one kind by name: `store.feature_views["x"]`, `store.feature_views.x`, and completion of both."""

    def __init__(self, store: Any, kind: str) -> None:
        self._store, self._kind = store, kind

    def _names(self) -> list[str]:
        return [known["name"] for known in self._store.list(self._kind, [])]

    def __getitem__(self, name: str) -> Any:
        return find(self._store, self._kind, name)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except NotFound as error:
            raise AttributeError(str(error)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._names())

    def __len__(self) -> int:
        return len(self._names())

    def __contains__(self, name: object) -> bool:
        return name in self._names()

    def __dir__(self) -> list[str]:
        return [name for name in self._names() if name.isidentifier()]

    def _ipython_key_completions_(self) -> list[str]:
        return self._names()

    def __repr__(self) -> str:
        return f"<{self._kind}: {', '.join(self._names()) or 'none'}>"

    def _repr_html_(self) -> str:
        from .display import objects_html

        return objects_html(self._store.list(self._kind, []))
