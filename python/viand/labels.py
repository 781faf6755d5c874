"""Labels: what happened after each row's time, and the Spine that they may stand on."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from viand import arguments as check
from viand.arguments import definition
from viand.data_source import FileSource
from viand.document import Definition, Part, present, sql_of
from viand.durations import Duration, window_text
from viand.entity import Entity, take_entities
from viand.expressions import Expression, described, expression, wrong
from viand.feature_view import FeatureView
from viand.field import take_field

__all__ = ["Labels", "Spine"]


@definition
class Spine(Definition):
    """Rows (keys, time) out of a file: the population of labels."""

    def __init__(self, *, path: str, timestamp_column: str | None = None,
                 entities: list[Entity] | list[str] | list[Entity | str] | None = None) -> None:
        self.name = ""
        self.path = check.name(path, "the path of a spine")
        self.timestamp_column = check.optional_text(timestamp_column, "the timestamp_column of a spine")
        self._entities = take_entities(entities)

    def references(self):
        return [each for each in self._entities if isinstance(each, Entity)]

    def document(self):
        return Part.of(self.site, present({"spine": self.path, "timestamp_column": self.timestamp_column,
                                           "entities": [check.name_of(each) for each in self._entities]}))


@definition
class Labels(Definition):
    """What happened in a window after each row's time; never a feature.

    population: a view of snapshots, whose rows (key, t) are labelled, or a Spine. window: a timedelta, or "30d following".
    columns: name -> expression.

    >>> from viand import count
    >>> bought = Labels(name="bought", population="activity", source="orders", window=timedelta(days=30),
    ...                 columns={"bought": count() > 0})
    >>> bought.document()["window"], bought.document()["columns"]
    ('30d following', {'bought': 'count(*) > 0'})
    """

    section = "labels"

    def __init__(self, *, name: str, population: FeatureView | Spine | str, source: FileSource | FeatureView | str,
                 window: Duration, columns: Mapping[str, Any], where: Expression | str | None = None,
                 description: str = "", tags: dict[str, str] | None = None, owner: str = "") -> None:
        check.take_words(self, "labels", name, description, tags, owner)
        self.population = check.reference(population, (FeatureView, Spine), "a feature view, a Spine")
        self.source = check.reference(source, (FileSource, FeatureView), "a source")
        self.window = check.window(window, "the window of labels")
        self.where = None if where is None else expression(where, "a condition as where")
        if not isinstance(columns, dict) or not columns:
            raise wrong(f"expected a dict of label columns to expressions, got {described(columns)}")
        self.columns = [take_field(key, value) for key, value in columns.items()]

    def references(self):
        given = [self.population, self.source]
        spine = self.population.references() if isinstance(self.population, Spine) else []
        return [each for each in given if isinstance(each, Definition) and each.section] + list(spine)

    def document(self):
        population = self.population.document() if isinstance(self.population, Spine) else check.name_of(self.population)
        following = " following" if isinstance(self.window, timedelta) else ""
        return present({"name": self.name, **self._words(), "population": population,
                        "source": check.name_of(self.source), "window": window_text(self.window) + following,
                        "where": sql_of(self.where), "columns": {each.name: each.computation() for each in self.columns}})
