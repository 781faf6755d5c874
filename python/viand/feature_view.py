"""FeatureView: features of entities from one source, with Feast's arguments and viand's computed features.

    from datetime import timedelta
    from viand import Entity, FeatureView, Field, FileSource, ValueType, as_of, col, count, floor_days
    from viand.types import Float64

    customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
    orders = FileSource(name="orders", path="data/orders.parquet", timestamp_field="at")
    activity = FeatureView(name="activity", entities=[customer], source=orders, window=timedelta(days=30), features={
        "spent": col("amount").sum(),
        "recency_days": floor_days(as_of - col("at").max()),
        "n": "count(* where amount > 0)",
        "first_days": Field(expr=floor_days(as_of - col("at").min()), window="unbounded", default=0)})
    stored = FeatureView(name="stored", entities=[customer], source=orders, schema=[Field(name="amount", dtype=Float64)])

An object checks what it can when it is made; names and types are found out by `viand plan` and `apply`, and every error
has the Python file and line. Objects are values: they do nothing but say what YAML would say (docs/PYTHON.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from viand import arguments as check
from viand.arguments import definition
from viand.data_source import FileSource, PushSource
from viand.document import Definition, Part, present, sql_of
from viand.durations import Duration, duration_text, timedelta_of, window_text
from viand.entity import Entity, take_entities
from viand.expressions import Expression, described, expression, nearest, wrong
from viand.field import Field, take_field
from viand.places import call_site
from viand.value_type import ValueType

__all__ = ["FeatureView", "FeatureViewProjection"]


@definition
class FeatureView(Definition):
    """Features of entities from one source.

    schema: fields that are ready columns of the source, as in Feast. features: computed ones, a dict of name to
    expression, SQL text or Field(expr=...); `window`, `where`, `having` and `snapshots` are theirs.
    source: a FileSource, PushSource, another view, or the name of one. ttl: a timedelta or "90d"; left out, a view of
    snapshots is as old as one step of the grid, any other has no bound. online: True for ready columns, as in Feast.

    >>> from viand import col
    >>> view = FeatureView(name="activity", entities=["customer"], source="orders", window="30d",
    ...                    features={"spent": col("amount").sum(), "n": "count(*)"})
    >>> [(feature.name, str(feature.expr)) for feature in view.features]
    [('spent', 'sum(amount)'), ('n', 'count(*)')]
    """

    section = "feature_views"

    def __init__(self, *, name: str, source: FileSource | PushSource | FeatureView | str | None = None, sink_source: None = None,
                 schema: list[Field] | list[str] | None = None, entities: list[Entity] | list[str] | list[Entity | str] | None = None,
                 ttl: Duration | None = None, online: bool | None = None, offline: bool = False, description: str = "",
                 tags: dict[str, str] | None = None, owner: str = "", org: str = "", mode: None = None,
                 enable_validation: bool = False, version: str = "latest", enabled: bool = True,
                 features: Mapping[str, Any] | list[Field] | None = None, window: Duration | None = None,
                 where: Expression | str | None = None, having: Expression | str | None = None,
                 snapshots: Definition | str | None = None) -> None:
        check.take_words(self, "a feature view", name, description, tags, owner)
        self.source = self._checked_source(source)
        self._entities = take_entities(entities)
        self._take_features(schema, features)
        self.window = None if window is None else check.window(window, "the window of a feature view")
        self.where = None if where is None else expression(where, "a condition as where")
        self.having = None if having is None else expression(having, "a condition as having")
        self.snapshots = None if snapshots is None else check.of_section(snapshots, "snapshots", "Snapshots")
        for key in ("window", "where", "having", "snapshots"):
            if not self.computed and getattr(self, key) is not None:
                raise wrong(f"{key!r} needs computed features, and those of {name!r} are ready columns")
        self._ttl = None if ttl is None else check.duration(ttl, "the ttl of a feature view")
        self._found_ttl: timedelta | None = None if self.computed else timedelta(0)
        self._found_key_types: dict[str, ValueType] = {}
        self.online = not self.computed if online is None else check.flag(online, "online of a feature view")
        self.version = "latest" if version is None else check.text(version, "the version of a feature view")
        check.refused("feature view", "write features as expressions; `source` may be another view",
                      sink_source=(sink_source, None), mode=(mode, None), enabled=(enabled, True))
        check.ignored("feature view", offline=(offline, False), org=(org, ""), enable_validation=(enable_validation, False))

    def _checked_source(self, source):
        if source is None:
            raise wrong(f"the feature view {self.name!r} needs a source")
        return check.reference(source, (FileSource, PushSource, FeatureView), "a FileSource, a view")

    def _take_features(self, schema, features):
        if schema is not None and features is not None:
            raise wrong("a feature view has features or schema, not both",
                        "features are computed here, schema names ready columns of the source")
        given = schema if features is None else features
        if isinstance(given, dict) and features is not None:
            fields = [take_field(name, value) for name, value in given.items()]
        elif isinstance(given, (list, tuple)):
            fields = [_listed_field(each) for each in given]
        else:
            raise wrong(f"the feature view {self.name!r} needs features or a schema" if given is None else
                        f"expected {'a dict or list of features' if schema is None else 'a list of fields as schema'}, "
                        f"got {described(given)}",
                        "schema=[Field(name=..., dtype=...)] names the columns of the source that are features")
        check.unique([each.name for each in fields], "the feature")
        self._fields = fields
        self.computed = any(each.computed for each in fields)
        if self.computed and any(not each.computed for each in fields):
            raise wrong(f"the feature view {self.name!r} mixes computed features and ready columns", "write two views")
        if not self.features:
            raise wrong(f"the feature view {self.name!r} has no features")

    @property
    def entities(self) -> list[str]:
        """The names of its entities."""
        return [check.name_of(each) for each in self._entities]

    @property
    def join_keys(self) -> list[str]:
        """The columns by which its rows are found, as far as its entities are objects."""
        return [key for each in self._entities if isinstance(each, Entity) for key in each.join_keys]

    @property
    def features(self) -> list[Field]:
        """Its features; fields of the schema that are join keys are none, as in Feast."""
        keys = self.join_keys
        return [each for each in self._fields if each.name not in keys]

    @property
    def entity_columns(self) -> list[Field]:
        """Its join keys, with their types as far as they are known."""
        listed = {each.name: each for each in self._fields}
        declared = {key: kind for each in self._entities if isinstance(each, Entity) for key, kind in zip(each.join_keys, each.value_types)
                    if kind is not ValueType.UNKNOWN}
        types = declared | self._found_key_types
        return [listed.get(key) or Field(name=key, dtype=types.get(key)) for key in self.join_keys]

    @property
    def schema(self) -> list[Field]:
        """Its join keys, then its features."""
        return self.entity_columns + self.features

    @property
    def ttl(self) -> timedelta | None:
        """How long a row holds; 0: for ever. None: one step of the grid, which only a store knows."""
        return self._found_ttl if self._ttl is None else timedelta_of(self._ttl)

    @ttl.setter
    def ttl(self, ttl: Duration | None) -> None:
        self._ttl = None if ttl is None else check.duration(ttl, "the ttl of a feature view")

    def take_found(self, ttl: timedelta | None, key_types: dict[str, ValueType]) -> None:
        """Takes what a store found out."""
        self._found_ttl, self._found_key_types = self._found_ttl if ttl is None else ttl, key_types

    @property
    def batch_source(self) -> FileSource | FeatureView | str:
        """Where its rows are: a FileSource, a view, or the name of one."""
        return self.source.batch_source if isinstance(self.source, PushSource) else self.source

    @property
    def stream_source(self) -> PushSource | None:
        """The source that rows are pushed to, if it has one."""
        return self.source if isinstance(self.source, PushSource) else None

    @property
    def projection(self) -> FeatureViewProjection:
        """All of its features under its own name."""
        return FeatureViewProjection(self)

    def __getitem__(self, features: list[str]) -> FeatureViewProjection:
        return FeatureViewProjection(self)[features]

    def with_name(self, name: str) -> FeatureViewProjection:
        return FeatureViewProjection(self).with_name(name)

    def with_join_key_map(self, join_key_map: dict[str, str]) -> FeatureViewProjection:
        return FeatureViewProjection(self).with_join_key_map(join_key_map)

    def references(self):
        given = [*self._entities, self.batch_source, self.snapshots]
        return [each for each in given if isinstance(each, Definition)]

    def document(self):
        tree = {"name": self.name, **self._words(), "entities": self.entities, "source": check.name_of(self.batch_source),
                "snapshots": None if self.snapshots is None else check.name_of(self.snapshots),
                "window": None if self.window is None else window_text(self.window), "where": sql_of(self.where),
                "having": sql_of(self.having)}
        if self.computed:
            tree["features"] = {each.name: each.computation() for each in self.features}
        else:
            tree["schema"] = [Part.of(each.site, each.document()) for each in self.features]
        tree["ttl"] = None if self._ttl is None else duration_text(self._ttl)
        tree["online"] = None if self.online == (not self.computed) else self.online
        tree["version"] = None if self.version == "latest" else self.version
        return present(tree)


class FeatureViewProjection(Definition):
    """Some features of a view, under other names: view[["a", "b"]].with_name("alias").with_join_key_map({...})."""

    def __init__(self, view: FeatureView, features: Iterable[str] = (), alias: str = "",
                 join_key_map: dict[str, str] | None = None) -> None:
        self._site = call_site()
        self.view, self.desired_features, self.name_alias = view, list(features), alias
        self.join_key_map = dict(join_key_map or {})

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.view.name

    @property
    def features(self) -> list[Field]:
        """The chosen features, all without a choice."""
        known = {each.name: each for each in self.view.features}
        return [known[name] for name in self.desired_features] if self.desired_features else list(known.values())

    @property
    def batch_source(self) -> FileSource | FeatureView | str:
        return self.view.batch_source

    def name_to_use(self) -> str:
        """The alias, or the view's name."""
        return self.name_alias or self.name

    def __getitem__(self, features: list[str]) -> FeatureViewProjection:
        names = check.texts(features, "the features of a projection")
        known = [each.name for each in self.view.features]
        for each in names:
            if each not in known:
                raise wrong(f"the feature view {self.name!r} has no feature {each!r}",
                            nearest(each, known).removeprefix(": ") or "its features are " + ", ".join(known))
        check.unique(names, "the feature")
        return FeatureViewProjection(self.view, names, self.name_alias, self.join_key_map)

    def with_name(self, name: str) -> FeatureViewProjection:
        return FeatureViewProjection(self.view, self.desired_features, check.name(name, "an alias"), self.join_key_map)

    def with_join_key_map(self, join_key_map: dict[str, str]) -> FeatureViewProjection:
        """{join key of the view: column of the spine}."""
        mapping = check.text_map(join_key_map, "a join_key_map")
        return FeatureViewProjection(self.view, self.desired_features, self.name_alias, mapping)

    def references(self):
        return (self.view,)

    def document(self):
        tree = present({"view": self.name, "features": self.desired_features or None, "alias": self.name_alias,
                        "join_key_map": self.join_key_map})
        return self.name if len(tree) == 1 else Part.of(self.site, tree)


def _listed_field(value):
    if isinstance(value, str):
        return Field(name=value)
    if not isinstance(value, Field):
        raise wrong(f"expected a Field, got {described(value)}")
    if value.name is None:
        raise wrong("a Field in a list needs a name")
    return value
