"""The objects of a repo as a store lists them, and catalogues of them that complete in a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

from .errors import NotFound


class StoredObject:
    """An entity, a feature view, a model, ... as the repo defines it, or as only the registry has it.

    Attributes:
        kind: "entities", "feature-views", ... as the command line names them.
        name, summary, description, owner: texts; may be empty.
        tags: key -> value.
        in_repo: False where only the registry has it (Feast applied it, or the repo did once).
        facts: all that is known of it, name -> text.
    """

    def __init__(self, store: Any, known: dict[str, Any]) -> None:
        self._store = store
        self.kind: str = known["kind"]
        self.name: str = known["name"]
        self.summary: str = known["summary"]
        self.description: str = known["description"]
        self.owner: str = known["owner"]
        self.tags: dict[str, str] = known["tags"]
        self.in_repo: bool = known["in_repo"]

    @cached_property
    def facts(self) -> dict[str, str]:
        return {fact.strip(): value for fact, value in self._store.describe(self.kind, self.name)}

    @property
    def features(self) -> list[str]:
        """Of a feature view: the names of its features."""
        lines = self._store.describe(self.kind, self.name)
        below = [i for i, (fact, _) in enumerate(lines) if fact == "features"]
        return [fact.strip() for fact, _ in lines[below[0] + 1:] if fact.startswith(" ")] if below else []

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name}: {self.summary}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, StoredObject) and (self.kind, self.name, self.facts) == (other.kind, other.name, other.facts)

    def __hash__(self) -> int:
        return hash((self.kind, self.name))

    def _repr_html_(self) -> str:
        from .display import facts_html

        return facts_html(self.kind, self.name, self._store.describe(self.kind, self.name))


class Catalogue:
    """The objects of one kind by name: `store.feature_views["x"]`, `store.feature_views.x`, and completion of both."""

    def __init__(self, store: Any, kind: str) -> None:
        self._store, self._kind = store, kind

    def _objects(self) -> dict[str, StoredObject]:
        return {known["name"]: StoredObject(self._store, known) for known in self._store.list(self._kind, [])}

    def __getitem__(self, name: str) -> StoredObject:
        return find(self._store, self._kind, name)

    def __getattr__(self, name: str) -> StoredObject:
        if name.startswith("_"):
            raise AttributeError(name)
        try:
            return self[name]
        except NotFound as error:
            raise AttributeError(str(error)) from None

    def __iter__(self) -> Iterator[str]:
        return iter(self._objects())

    def __len__(self) -> int:
        return len(self._objects())

    def __contains__(self, name: object) -> bool:
        return name in self._objects()

    def __dir__(self) -> list[str]:
        return [name for name in self._objects() if name.isidentifier()]

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._objects())

    def __repr__(self) -> str:
        return f"<{self._kind}: {', '.join(self._objects()) or 'none'}>"

    def _repr_html_(self) -> str:
        from .display import objects_html

        return objects_html(list(self._objects().values()))


def find(store: Any, kind: str, name: str) -> StoredObject:
    """The object of a kind with a name, or NotFound with the nearest one."""
    for known in store.list(kind, []):
        if known["name"] == name:
            return StoredObject(store, known)
    store.describe(kind, name)  # says what is near; knows versions, too
    return StoredObject(store, {"kind": kind, "name": name, "summary": "", "description": "", "owner": "", "tags": {},
                                "in_repo": False})
