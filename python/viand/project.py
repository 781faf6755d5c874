"""Project: Feast's name for what a repo's objects belong to."""

from __future__ import annotations

from viand import arguments as check
from viand.arguments import definition
from viand.document import Definition

__all__ = ["Project"]


@definition
class Project(Definition):
    """Feast's project; the repo's feature_store.yaml names it, and must name the same."""

    def __init__(self, *, name: str, description: str = "", tags: dict[str, str] | None = None, owner: str = "") -> None:
        check.take_words(self, "a project", name, description, tags, owner)

    def document(self):
        return {"name": self.name, **self._words()}
