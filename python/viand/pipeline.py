"""What surrounds features: datasets in front of them, grids of cutoffs, labels and models behind them.

    from viand import Dataset, Labels, Model, Snapshots, Spine

    raw = Dataset(name="orders", path="data/orders.csv", types={"at": "timestamp"}, columns={"amount": "price * n"},
                  to="data/orders.parquet")
    orders = raw.source(timestamp_field="at")
    monthly = Snapshots(name="monthly", source=orders, first="start + 90d", last="end - 30d", every="30d")
"""

from __future__ import annotations

from datetime import timedelta

from viand import arguments as check
from viand.arguments import definition
from viand.definitions import (Entity, FeatureService, FeatureView, FileSource, take_entities, take_field, take_reference,
                               take_words)
from viand.document import Definition, Part, present, sql_of
from viand.durations import duration_text, time_text, window_text
from viand.expressions import described, expression, type_name, wrong

__all__ = ["Dataset", "Labels", "Model", "Snapshots", "Spine"]


@definition
class Dataset(Definition):
    """Raw files (xlsx, csv, json lines, parquet) -> one clean, typed Parquet file.

    path: a file or glob, or a list of them. types: raw column -> SQL type. columns: name -> expression over raw columns,
    left out: all as they are. on_error: "fail", "skip" or "null". sheet: a name, or an index from 0.
    """

    section = "datasets"

    def __init__(self, *, name, path, to, format=None, types=None, sheet=None, delimiter=None, on_error=None, where=None,
                 columns=None, sort_by=None, description="", tags=None, owner=""):
        take_words(self, "a dataset", name, description, tags, owner)
        self.path = check.texts([path] if isinstance(path, str) else path, "the path of a dataset")
        if not self.path:
            raise wrong("expected at least one path, got an empty list")
        self.to = check.name(to, "the output (to) of a dataset")
        self.format = check.optional_text(format, "the format of a dataset")
        if types is not None and not isinstance(types, dict):
            raise wrong(f"expected a dict of columns to types, got {described(types)}")
        self.types = {check.text(key, "a column"): type_name(value) for key, value in (types or {}).items()}
        self.sheet = sheet if sheet is None or isinstance(sheet, str) else check.integer(sheet, "a sheet")
        self.delimiter = check.optional_text(delimiter, "the delimiter of a dataset")
        self.on_error = check.optional_text(on_error, "on_error of a dataset")
        self.where = None if where is None else expression(where, "a condition as where")
        if columns is not None and not isinstance(columns, dict):
            raise wrong(f"expected a dict of columns to expressions, got {described(columns)}")
        self.columns = {check.name(key, "a column"): expression(value, f"the column {key!r}")
                        for key, value in (columns or {}).items()}
        self.sort_by = check.optional_text(sort_by, "sort_by of a dataset")

    def source(self, *, timestamp_field, name=None, **arguments) -> FileSource:
        """The FileSource of its output, by default under its own name."""
        return FileSource(path=self, name=name or self.name, timestamp_field=timestamp_field, **arguments)

    def document(self):
        origin = present({"path": self.path[0] if len(self.path) == 1 else list(self.path), "format": self.format,
                          "sheet": self.sheet, "delimiter": self.delimiter, "types": dict(self.types)})
        return present({"name": self.name, **self._words(), "from": origin, "on_error": self.on_error,
                        "where": sql_of(self.where),
                        "columns": {key: sql_of(value) for key, value in self.columns.items()}, "to": self.to,
                        "sort_by": self.sort_by})


@definition
class Snapshots(Definition):
    """A grid of cutoffs: `first`, then every `every` up to `last`.

    first, last: "start + 90d", "end - 30d" (of the source's data), or a time. every: a timedelta or "30d".
    """

    section = "snapshots"

    def __init__(self, *, name, source, first, last, every, description="", tags=None, owner=""):
        take_words(self, "snapshots", name, description, tags, owner)
        self.source = take_reference(source, "sources", "a source")
        self.first = check.time(first, "first of snapshots")
        self.last = check.time(last, "last of snapshots")
        self.every = check.duration(every, "every of snapshots")
        if duration_text(self.every) == "0d":
            raise wrong("the step every of snapshots is zero, expected a duration above it")

    def references(self):
        return [self.source] if isinstance(self.source, Definition) else []

    def document(self):
        return present({"name": self.name, **self._words(), "source": check.name_of(self.source),
                        "first": time_text(self.first), "last": time_text(self.last), "every": duration_text(self.every)})


@definition
class Spine(Definition):
    """Rows (keys, time) out of a file: the population of labels."""

    def __init__(self, *, path, timestamp_column=None, entities=None):
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
    """

    section = "labels"

    def __init__(self, *, name, population, source, window, columns, where=None, description="", tags=None, owner=""):
        take_words(self, "labels", name, description, tags, owner)
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


@definition
class Model(Definition):
    """A model: features (a service), labels or a spine that holds the target, how rows are split, XGBoost's params.

    split: "last_snapshot", {"after": datetime} or {"fraction": 0.2, "by": "time"}; YAML's {"test": ...} works too.
    """

    section = "models"

    def __init__(self, *, name, features, target, labels=None, spine=None, timestamp_column=None, type=None, fill_null=None,
                 split=None, params=None, num_boost_round=None, description="", tags=None, owner=""):
        take_words(self, "a model", name, description, tags, owner)
        self.features = check.reference(features, FeatureService, "a FeatureService")
        if (labels is None) == (spine is None):
            raise wrong(f"the model {name!r} has {'neither labels nor' if labels is None else 'both labels and'} a spine, "
                        "expected one of them")
        self.labels = None if labels is None else check.reference(labels, Labels, "Labels")
        self.spine = check.optional_text(spine, "the spine of a model")
        self.timestamp_column = check.optional_text(timestamp_column, "the timestamp_column of a model")
        self.target = check.name(target, "the target of a model")
        self.type = check.optional_text(type, "the type of a model")
        if fill_null is not None and (isinstance(fill_null, bool) or not isinstance(fill_null, (int, float))):
            raise wrong(f"expected a number as fill_null, got {described(fill_null)}")
        self.fill_null = fill_null
        self.split = None if split is None else _split(split)
        self.params = _params(params)
        self.num_boost_round = None if num_boost_round is None else check.integer(num_boost_round, "num_boost_round")

    def references(self):
        return [each for each in (self.features, self.labels) if isinstance(each, Definition)]

    def document(self):
        tree = {"name": self.name, **self._words(), "type": self.type, "features": check.name_of(self.features),
                "labels": None if self.labels is None else check.name_of(self.labels), "spine": self.spine,
                "timestamp_column": self.timestamp_column, "target": self.target, "fill_null": self.fill_null,
                "split": None if self.split is None else {"test": self.split}, "params": dict(self.params),
                "num_boost_round": self.num_boost_round}
        return present(tree)


def _split(of):
    if isinstance(of, dict) and set(of) == {"test"}:
        of = of["test"]
    if isinstance(of, str):
        return of
    if not isinstance(of, dict) or not of:
        raise wrong(f"expected \"last_snapshot\", {{\"after\": time}} or {{\"fraction\": 0.2}} as split, got {described(of)}")
    return {check.text(key, "a key of split"): value if isinstance(value, (int, float)) else
            time_text(check.time(value, "a split")) for key, value in of.items()}


def _params(of):
    if of is not None and not isinstance(of, dict):
        raise wrong(f"expected a dict of parameters, got {described(of)}")
    return {check.text(key, "a parameter"): [_param(key, each) for each in value] if isinstance(value, (list, tuple)) else
            _param(key, value) for key, value in (of or {}).items()}


def _param(key, value):
    if hasattr(value, "item") and type(value).__module__ == "numpy":
        value = value.item()
    if isinstance(value, (str, bool, int, float)):
        return value
    raise wrong(f"expected a text or a number as the parameter {key!r}, got {described(value)}")
