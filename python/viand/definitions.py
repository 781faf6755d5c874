"""Entities, sources, feature views and services in Python: Feast's names and arguments, and viand's computed features.

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

import os

from viand import arguments as check
from viand.arguments import definition
from viand.data_format import ParquetFormat
from viand.document import Definition, Part, present, sql_of
from viand.durations import duration_text, time_text, window_text
from viand.expressions import Expression, Per, described, expression, nearest, wrong
from viand.places import call_site
from viand.types import FeastType
from viand.value_type import ValueType

__all__ = ["Entity", "FeatureService", "FeatureView", "FeatureViewProjection", "Field", "FileSource", "Project",
           "PushSource"]


def take_words(made, kind, name, description, tags, owner):
    made.name = check.name(name, f"the name of {kind}")
    made.description = check.optional_text(description, f"the description of {kind}")
    made.owner = check.optional_text(owner, f"the owner of {kind}")
    made.tags = check.text_map(tags, f"the tags of {kind}")


@definition
class Entity(Definition):
    """What features are about: a customer, a driver.

    join_keys: its columns, default the name. value_type: of the keys, or value_types one a key; left out: the data's.
    """

    section = "entities"

    def __init__(self, *, name, join_keys=None, value_type=None, description="", tags=None, owner="", value_types=None):
        take_words(self, "an entity", name, description, tags, owner)
        self.join_keys = check.texts([self.name] if join_keys is None else join_keys, "the join_keys of an entity")
        self.join_keys = self.join_keys or [self.name]
        check.unique(self.join_keys, "the join key")
        if value_type is not None and value_types is not None:
            raise wrong("an entity has value_type or value_types, not both")
        types = [value_type or ValueType.UNKNOWN] * len(self.join_keys) if value_types is None else list(value_types)
        self.value_types = [_value_type(each) for each in types]
        if len(self.value_types) != len(self.join_keys):
            raise wrong(f"the entity {name!r} has {len(self.join_keys)} join keys and {len(self.value_types)} value types",
                        "write one type a key")

    @property
    def join_key(self) -> str:
        return self.join_keys[0]

    @property
    def value_type(self) -> ValueType:
        return self.value_types[0]

    def document(self):
        names = [each.name for each in self.value_types]
        one = len(set(names)) == 1
        return present({"name": self.name, **self._words(), "join_keys": list(self.join_keys),
                        "value_type": names[0] if one and names[0] != "UNKNOWN" else None,
                        "value_types": None if one else names})


def _value_type(of):
    if isinstance(of, ValueType):
        return of
    if isinstance(of, FeastType):
        return of.value_type
    if isinstance(of, str) and of in ValueType.__members__:
        return ValueType[of]
    raise wrong(f"{described(of)} is no value type", "write such as ValueType.INT64")


@definition
class FileSource(Definition):
    """Parquet files with a time a row.

    path: a file, folder or glob, relative to the repo, or s3://...; or a Dataset, whose output it then is.
    missing_columns: "fill_null" where a column that some of the files lack is null there.
    """

    section = "sources"

    def __init__(self, *, path, name="", event_timestamp_column="", file_format=None, created_timestamp_column="",
                 field_mapping=None, s3_endpoint_override=None, description="", tags=None, owner="", timestamp_field="",
                 connection_ref=None, missing_columns=None):
        self._dataset = path if isinstance(path, Definition) and path.section == "datasets" else None
        self.path = self._dataset.to if self._dataset else check.name(path, "the path of a source")
        take_words(self, "a source", name or self._default_name(), description, tags, owner)
        times = [each for each in (timestamp_field, event_timestamp_column) if each]
        if len(set(times)) != 1:
            raise wrong(f"the source {self.name!r} needs a timestamp_field: the column of its rows' time" if not times else
                        f"the source {self.name!r} has two timestamp fields, {times[0]!r} and {times[1]!r}")
        self.timestamp_field = check.text(times[0], "the timestamp_field of a source")
        self.created_timestamp_column = check.optional_text(created_timestamp_column, "created_timestamp_column")
        self.field_mapping = check.text_map(field_mapping, "the field_mapping of a source")
        self.s3_endpoint_override = check.optional_text(s3_endpoint_override, "s3_endpoint_override")
        if file_format not in (None, "parquet", ParquetFormat()):
            raise wrong(f"{described(file_format)} is no file_format of a source, expected ParquetFormat()",
                        "a Dataset makes Parquet from other formats")
        if missing_columns not in (None, "error", "fill_null"):
            raise wrong(f"expected \"error\" or \"fill_null\" as missing_columns, got {described(missing_columns)}")
        self.file_format = file_format
        self.missing_columns = missing_columns
        check.refused("source", "credentials come from the environment", connection_ref=(connection_ref, None))

    def _default_name(self):
        """Feast names it by its path, which is no name here: the file's, or the folder's of a glob."""
        if self._dataset:
            return self._dataset.name
        parts = [part for part in self.path.split("?")[0].split("/") if part and not set(part) & set("*?[{")]
        stem = os.path.splitext(parts[-1])[0] if parts else ""
        return "".join(letter if letter.isalnum() or letter in "_-." else "_" for letter in stem).lstrip("-.") or "source"

    def references(self):
        return (self._dataset,) if self._dataset else ()

    def document(self):
        return present({"name": self.name, **self._words(), "path": self.path, "timestamp_field": self.timestamp_field,
                        "created_timestamp_column": self.created_timestamp_column,
                        "field_mapping": dict(self.field_mapping), "s3_endpoint_override": self.s3_endpoint_override,
                        "missing_columns": self.missing_columns})


@definition
class PushSource(Definition):
    """Feast's source that rows are pushed to; views read the rows of its batch_source."""

    def __init__(self, *, name, batch_source, description="", tags=None, owner=""):
        take_words(self, "a push source", name, description, tags, owner)
        if not isinstance(batch_source, FileSource):
            raise wrong(f"expected a FileSource as batch_source, got {described(batch_source)}")
        self.batch_source = batch_source

    def references(self):
        return (self.batch_source,)

    def document(self):
        return {"name": self.name, **self._words()}


@definition
class Project(Definition):
    """Feast's project; the repo's feature_store.yaml names it, and must name the same."""

    def __init__(self, *, name, description="", tags=None, owner=""):
        take_words(self, "a project", name, description, tags, owner)

    def document(self):
        return {"name": self.name, **self._words()}


@definition
class Field(Definition):
    """A feature: a ready column (name, dtype), or a computed one (expr: an expression or SQL text).

    window: its own, where that is not the view's. default: replaces null where the row exists. In the dict of a view's
    `features` the key is the name.
    """

    def __init__(self, *, name=None, dtype=None, description="", tags=None, vector_index=False, vector_length=0,
                 vector_search_metric=None, expr=None, window=None, default=None, owner=""):
        self.name = None if name is None else check.name(name, "the name of a field")
        self.description = check.optional_text(description, "the description of a field")
        self.owner = check.optional_text(owner, "the owner of a field")
        self.tags = check.text_map(tags, "the tags of a field")
        if dtype is not None and not isinstance(dtype, (FeastType, ValueType, str)):
            raise wrong(f"{described(dtype)} is no dtype of a field", "write such as viand.types.Float64")
        if expr is not None and dtype is not None:
            raise wrong("a field has expr or dtype, not both",
                        "the type follows from the expression; .cast(...) changes it")
        self.dtype = dtype
        self.expr = None if expr is None else _feature_expression(expr)
        self.window = _feature_window(self.expr, window)
        self.default = _default(default)
        if self.expr is None and (window is not None or default is not None):
            raise wrong("window and default need an expr: a ready column is taken as it is")
        check.refused("field", "viand has no vector search", vector_index=(vector_index, False),
                      vector_length=(vector_length, 0), vector_search_metric=(vector_search_metric or None, None))

    def named(self, name):
        """The same under the key of a dict."""
        if self.name is not None and self.name != name:
            raise wrong(f"the field {self.name!r} stands under the key {name!r}", "leave its name out")
        copy = object.__new__(Field)
        copy.__dict__.update(self.__dict__, name=name)
        return copy

    def document(self):
        computed = {"expr": sql_of(self.expr), "window": window_text(self.window) if self.window is not None else None}
        tree = present({"name": self.name, "dtype": _dtype_text(self.dtype), **(computed if self.expr is not None else {}),
                        **self._words()})
        return tree if self.default is None else {**tree, "default": self.default}

    def computation(self):
        """What stands at its name in the features of a computed view."""
        tree = self.document()
        del tree["name"]
        return tree["expr"] if len(tree) == 1 else Part.of(self.site, tree)


def _feature_expression(of):
    if isinstance(of, Per):
        raise wrong("groups are no feature", 'an aggregate follows per, as in col("revenue").sum().per("invoice_no").avg()')
    if isinstance(of, str):
        if not of.strip():
            raise wrong("expected an expression, got an empty text")
        return of
    return expression(of, "the expression of a feature")


def _feature_window(expr, window):
    own = expr.window if isinstance(expr, Expression) else None
    if window is None:
        return own
    window = check.window(window, "the window of a feature")
    if own is not None and own != window_text(window):
        raise wrong(f"the expression has the window {own}, the feature {window_text(window)}", "write one of them")
    return window


def _default(of):
    """A literal as YAML holds it."""
    if of is None or isinstance(of, (str, bool, int, float)):
        return of
    if hasattr(of, "item") and type(of).__module__ == "numpy":
        return _default(of.item())
    of_time = time_text(of)
    if of_time is None:
        raise wrong(f"{described(of)} is no default", "a default is a text, a number, True, False, a datetime or a date")
    return of_time


def _dtype_text(dtype):
    return dtype.name if isinstance(dtype, ValueType) else None if dtype is None else str(dtype)


@definition
class FeatureView(Definition):
    """Features of entities from one source.

    schema: fields that are ready columns of the source, as in Feast. features: computed ones, a dict of name to
    expression, SQL text or Field(expr=...); `window`, `where`, `having` and `snapshots` are theirs.
    source: a FileSource, PushSource, another view, or the name of one. ttl: a timedelta or "90d"; left out, a view of
    snapshots is as old as one step of the grid, any other has no bound. online: True for ready columns, as in Feast.
    """

    section = "feature_views"

    def __init__(self, *, name, source=None, sink_source=None, schema=None, entities=None, ttl=None, online=None,
                 offline=False, description="", tags=None, owner="", org="", mode=None, enable_validation=False,
                 version="latest", enabled=True, features=None, window=None, where=None, having=None, snapshots=None):
        take_words(self, "a feature view", name, description, tags, owner)
        self.source = self._checked_source(source)
        self._entities = take_entities(entities)
        self._take_features(schema, features)
        self.window = None if window is None else check.window(window, "the window of a feature view")
        self.where = None if where is None else expression(where, "a condition as where")
        self.having = None if having is None else expression(having, "a condition as having")
        self.snapshots = None if snapshots is None else take_reference(snapshots, "snapshots", "Snapshots")
        for key in ("window", "where", "having", "snapshots"):
            if not self.computed and getattr(self, key) is not None:
                raise wrong(f"{key!r} needs computed features, and those of {name!r} are ready columns")
        self.ttl = None if ttl is None else check.duration(ttl, "the ttl of a feature view")
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
                        f"got {described(given)}")
        check.unique([each.name for each in fields], "the feature")
        self.schema = fields
        self.computed = any(each.expr is not None for each in fields)
        if self.computed and any(each.expr is None for each in fields):
            raise wrong(f"the feature view {self.name!r} mixes computed features and ready columns", "write two views")
        if not self.features:
            raise wrong(f"the feature view {self.name!r} has no features")

    @property
    def entities(self) -> list[str]:
        """The names of its entities."""
        return [check.name_of(each) for each in self._entities]

    @property
    def join_keys(self) -> list[str]:
        return [key for each in self._entities if isinstance(each, Entity) for key in each.join_keys]

    @property
    def features(self) -> list[Field]:
        """Its features; fields of the schema that are join keys are none, as in Feast."""
        keys = self.join_keys
        return [each for each in self.schema if each.name not in keys]

    @property
    def batch_source(self):
        return self.source.batch_source if isinstance(self.source, PushSource) else self.source

    def __getitem__(self, features) -> FeatureViewProjection:
        return FeatureViewProjection(self)[features]

    def with_name(self, name) -> FeatureViewProjection:
        return FeatureViewProjection(self).with_name(name)

    def with_join_key_map(self, join_key_map) -> FeatureViewProjection:
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
        tree["ttl"] = None if self.ttl is None else duration_text(self.ttl)
        tree["online"] = True if self.online else None
        tree["version"] = None if self.version == "latest" else self.version
        return present(tree)


def take_entities(given):
    if given is None:
        return []
    if not isinstance(given, (list, tuple)):
        raise wrong(f"expected a list of entities, got {described(given)}")
    entities = [check.reference(each, Entity, "an Entity") for each in given]
    check.unique([check.name_of(each) for each in entities], "the entity")
    keys = [key for each in entities if isinstance(each, Entity) for key in each.join_keys]
    check.unique(keys, "the join key")
    return entities


def take_reference(value, section, what):
    if isinstance(value, Definition) and value.section == section:
        return value
    return check.reference(value, (), what)


def take_field(name, value):
    name = check.name(name, "the name of a feature")
    if isinstance(value, Field):
        return value.named(name)
    if isinstance(value, dict):
        return Field(name=name, **value)
    if isinstance(value, (Expression, Per, str)):
        return Field(name=name, expr=value)
    raise wrong(f"expected an expression as the feature {name!r}, got {described(value)}",
                'write SQL text, col("x").sum(), or Field(expr=..., window=..., default=...)')


def _listed_field(value):
    if isinstance(value, str):
        return Field(name=value)
    if not isinstance(value, Field):
        raise wrong(f"expected a Field, got {described(value)}")
    if value.name is None:
        raise wrong("a Field in a list needs a name")
    return value


class FeatureViewProjection(Definition):
    """Some features of a view, under other names: view[["a", "b"]].with_name("alias").with_join_key_map({...})."""

    def __init__(self, view, features=(), alias="", join_key_map=None):
        self._site = call_site()
        self.view, self.desired_features, self.name_alias = view, list(features), alias
        self.join_key_map = dict(join_key_map or {})

    @property
    def name(self):
        return self.view.name

    def __getitem__(self, features):
        names = check.texts(features, "the features of a projection")
        known = [each.name for each in self.view.features]
        for each in names:
            if each not in known:
                raise wrong(f"the feature view {self.name!r} has no feature {each!r}",
                            nearest(each, known).removeprefix(": ") or "its features are " + ", ".join(known))
        check.unique(names, "the feature")
        return FeatureViewProjection(self.view, names, self.name_alias, self.join_key_map)

    def with_name(self, name):
        return FeatureViewProjection(self.view, self.desired_features, check.name(name, "an alias"), self.join_key_map)

    def with_join_key_map(self, join_key_map):
        """{join key of the view: column of the spine}."""
        mapping = check.text_map(join_key_map, "a join_key_map")
        return FeatureViewProjection(self.view, self.desired_features, self.name_alias, mapping)

    def references(self):
        return (self.view,)

    def document(self):
        tree = present({"view": self.name, "features": self.desired_features or None, "alias": self.name_alias,
                        "join_key_map": self.join_key_map})
        return self.name if len(tree) == 1 else Part.of(self.site, tree)


@definition
class FeatureService(Definition):
    """Features under one name: views, view[["a", "b"]], or texts such as "view", "view:feature", "view@v2:feature"."""

    section = "feature_services"

    def __init__(self, *, name, features, tags=None, description="", owner="", logging_config=None,
                 precompute_online=False):
        take_words(self, "a feature service", name, description, tags, owner)
        if not isinstance(features, (list, tuple)):
            raise wrong(f"expected a list of features, got {described(features)}")
        self.features = [check.reference(each, (FeatureView, FeatureViewProjection), "a view or its features, as view[[...]],")
                         for each in features]
        if not self.features:
            raise wrong(f"the feature service {name!r} has no features")
        check.ignored("feature service", logging_config=(logging_config, None), precompute_online=(precompute_online, False))

    @property
    def feature_view_projections(self) -> list[FeatureViewProjection]:
        return [FeatureViewProjection(each) if isinstance(each, FeatureView) else each
                for each in self.features if not isinstance(each, str)]

    def references(self):
        return [each.view for each in self.feature_view_projections]

    def document(self):
        trees = [each if isinstance(each, str) else each.name if isinstance(each, FeatureView) else each.document()
                 for each in self.features]
        return present({"name": self.name, **self._words(), "features": trees})
