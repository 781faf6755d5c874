"""Random repos twice: as Python's objects, and as the plain tree that YAML holds, written here without viand."""

import random
from datetime import datetime, timedelta

from viand import (Dataset, Entity, FeatureService, FeatureView, Field, FileSource, Labels, Model, PushSource, Snapshots, Spine, ValueType, col, count, floor_days,
                   as_of, feature_function, lit)
from viand.types import Array, Bool, Float64, Int64, String

TEXTS = ["", "plain", "it's: a #1", "yes", "null", "1e5", "~", "- x", "é ünï", "\"q\" \\n", "tab\there", "a, b", "{x}", "%", "@home", "line\nline", "\x85", " x ", "0x1F",
         "\U0001f642", "a\u2028b", "trailing\n", "\n", "\r", "'", "'\"'", "1_000", "0o17", ".5", "+1", "-", "inf", ".nan", "2026-01-01", "12:30:45", "!tag", "&a", "*a",
         "? x", "| x", ">", "# c", "key: v", "[a]", "\ufeffbom", "%d", "\\", "=", "<<", "no", "Off", "NULL", "---", "...", "x" * 300]
NAMES = ["a", "b_c", "Total Price", "order", "é", "say \"hi\"", "null", "# hash", "\u65e5\u672c \U0001f642", "*", "9lives", "yes", "x.y"]
KEYS = {"INT64": "bigint", "INT32": "integer", "STRING": "varchar", "UNKNOWN": "varchar"}
UNITS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


LEAST = 2


@feature_function(returns={"low": Float64, "names": Array(String)}, columns=["a", "b_c"], packages=["pip"])
def pair(rows, groups):
    """Not called here."""
    return {"low": rows["a"], "names": groups["as_of"], "least": LEAST}


class Random:
    """Choices of one repo; each method gives (Python's value, the tree's value)."""

    def __init__(self, seed):
        self.chance = random.Random(seed)
        self.trees = {name: [] for name in ("entities", "datasets", "sources", "snapshots", "feature_views", "labels", "feature_services", "models")}
        self.objects = []

    def maybe(self, make, often=0.5):
        return make() if self.chance.random() < often else None

    def words(self):
        text = self.chance.choice
        words = {"description": text(TEXTS), "owner": text(TEXTS), "tags": {text(TEXTS[1:]): text(TEXTS) for _ in range(self.chance.randrange(3))}}
        return words, {key: value for key, value in words.items() if value}

    def duration(self):
        count, unit = self.chance.randint(1, 99), self.chance.choice(list(UNITS))
        as_text = f"{count}{unit}"
        return (timedelta(seconds=count * UNITS[unit]) if self.chance.random() < 0.5 else as_text), as_text

    def window(self):
        return ("unbounded", "unbounded") if self.chance.random() < 0.3 else self.duration()

    def condition(self):
        number = self.chance.choice([0, -3, 2.5])
        return self.chance.choice([
            (col("a") > number, f"a > {number}"), (~col("b_c").is_null(), "not b_c is null"), ("a > 0 or b_c < 1", "a > 0 or b_c < 1"),
            (col("Total Price").isin([1, 2.5]) | (col("a") == 7), "\"Total Price\" in (1, 2.5) or a = 7"),
            (lit(True) & col("b_c").cast(str).starts_with("it's"), "true and starts_with(cast(b_c as varchar), 'it''s')")])

    def aggregate(self):
        window, text = self.window()
        own = self.chance.random() < 0.4
        at = {"window": window} if own else {}
        made, sql = self.chance.choice([
            lambda: (col("a").sum(**at), "sum(a)"), lambda: (count(**at), "count(*)"), lambda: (floor_days(as_of - col("at").max(**at)), "floor_days(as_of - max(at))"),
            lambda: (col("a").sum(**at).per("b_c", where=col("a") > 1).avg(), "avg(sum(a) per b_c where a > 1)"),
            lambda: (col("a").sum(**at) / (count(**at) + 1), "sum(a) / (count(*) + 1)"), lambda: ("max(a)", "max(a)")])()
        return made, sql, text if own and not isinstance(made, str) else None

    def function(self, stored):
        """A result of a function that is in no file of the repo; no model takes a list."""
        window, text = self.window()
        own = self.chance.random() < 0.5
        output, type_ = self.chance.choice([("low", "Float64"), ("names", "Array(String)")][:1 + stored])
        words, tree = self.words()
        tree = {"function": "pair", "code": "LEAST = 2\ndef pair(rows, groups):\n    return {'low': rows['a'], 'names': groups['as_of'], 'least': LEAST}",
                "columns": ["a", "b_c"], "returns": type_, "output": output, "packages": ["pip"], **({"window": text} if own else {}), **tree}
        return Field(expr=pair[output], **({"window": window} if own else {}), **words), tree

    def feature(self, stored):
        if self.chance.random() < 0.04:
            return self.function(stored)
        made, sql, window = self.aggregate()
        words, tree = self.words()
        if self.chance.random() < 0.5:
            return made, sql if window is None else {"expr": sql, "window": window}
        default = self.chance.choice([None, 0, -1])
        tree = {"expr": sql, **({"window": window} if window else {}), **({} if default is None else {"default": default}), **tree}
        return Field(expr=made, default=default, **words), tree

    def add(self, section, made, tree):
        self.objects.append(made)
        self.trees[section].append(tree)
        return made

    def entity(self, name):
        keys = self.chance.sample(["id", "country", "the key"], self.chance.randint(1, 3))
        types = [self.chance.choice(["INT64", "STRING", "UNKNOWN", "INT32"]) for _ in keys]
        words, tree = self.words()
        return self.add("entities", Entity(name=name, join_keys=keys, value_types=[ValueType[each] for each in types], **words),
                        {"name": name, "join_keys": keys, "value_types": types, **tree})

    def dataset(self, name, entity):
        words, tree = self.words()
        types = {"a": self.chance.choice([(int, "bigint"), (Float64, "double"), ("integer", "integer")]), "b c": (str, "varchar")}
        where = self.maybe(lambda: (col("b c") != "it's", "\"b c\" <> 'it''s'"))
        columns = {**{key: (col("a") * 2, "a * 2") for key in NAMES[:3]}, "at": (col("b c").cast("timestamp"), "cast(\"b c\" as timestamp)"),
                   "made": ("cast(\"b c\" as timestamp)",) * 2, **{key: (f"cast(a as {KEYS[each.name]})",) * 2 for key, each in zip(entity.join_keys, entity.value_types)}}
        sheet = self.maybe(lambda: self.chance.choice([2, "2", "Sheet 1"]))
        made = Dataset(name=name, path=["x.xlsx", f"{name}*.xlsx"], types={key: value[0] for key, value in types.items()}, sheet=sheet,
                       on_error=self.chance.choice(["skip", "null"]), where=where and where[0], columns={key: value[0] for key, value in columns.items()},
                       to=f"data/{name}.parquet", sort_by="a", **words)
        return self.add("datasets", made, {
            "name": name, "from": {"path": ["x.xlsx", f"{name}*.xlsx"], "types": {key: value[1] for key, value in types.items()}, **({} if sheet is None else {"sheet": sheet})},
            "on_error": made.on_error, **({"where": where[1]} if where else {}), "columns": {key: value[1] for key, value in columns.items()}, "to": f"data/{name}.parquet",
            "sort_by": "a", **tree})

    def source(self, name, dataset):
        words, tree = self.words()
        mapping = None if dataset else self.maybe(lambda: {"raw a": "a"})
        made = FileSource(name=name, path=dataset if dataset else f"data/{name}/*.parquet", timestamp_field="at", created_timestamp_column=self.maybe(lambda: "made"),
                          field_mapping=mapping, missing_columns=self.maybe(lambda: "fill_null"), **words)
        return self.add("sources", made, {
            "name": name, "path": dataset.to if dataset else f"data/{name}/*.parquet", "timestamp_field": "at",
            **({"created_timestamp_column": "made"} if made.created_timestamp_column else {}), **({"field_mapping": mapping} if mapping else {}),
            **({"missing_columns": "fill_null"} if made.missing_columns else {}), **tree})

    def grid(self, name, source):
        every, every_text = self.duration()
        words, tree = self.words()
        first, first_text = self.chance.choice([("start + 1d",) * 2, ("start",) * 2, (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02 03:04:05")])
        last, last_text = self.chance.choice([("end",) * 2, ("end - 36h",) * 2, (datetime(2027, 1, 1), "2027-01-01 00:00:00")])
        return self.add("snapshots", Snapshots(name=name, source=source, first=first, last=last, every=every, **words),
                        {"name": name, "source": source.name, "first": first_text, "last": last_text, "every": every_text, **tree})

    def computed(self, name, entity, source, grid, stored):
        words, tree = self.words()
        features = {each: self.feature(stored) for each in self.chance.sample(NAMES[:-1], self.chance.randint(1, 5))}
        window, where, having = self.window(), self.maybe(self.condition), self.maybe(lambda: (count() > 1, "count(*) > 1"))
        grid, online = self.maybe(lambda: grid, often=1 if stored else 0.5), self.maybe(lambda: True)
        ttl = self.maybe(self.duration) if grid is not None else None
        made = FeatureView(name=name, entities=[entity], source=source, window=window[0], where=where and where[0], having=having and having[0], online=online,
                           snapshots=grid, ttl=ttl and ttl[0], features={each: value[0] for each, value in features.items()}, **words)
        optional = {"where": where and where[1], "having": having and having[1], "snapshots": grid and grid.name, "ttl": ttl and ttl[1], "online": online}
        return self.add("feature_views", made, {
            "name": name, "entities": [entity.name], "source": source.name, "window": window[1], **{key: value for key, value in optional.items() if value},
            "features": {each: value[1] for each, value in features.items()}, **tree})

    def ready(self, name, entity, source):
        words, tree = self.words()
        columns = {"f1": self.chance.choice([Int64, Float64, Bool]), "f 2": self.chance.choice([Int64, String, Array(Float64), Bool, None])}
        fields = {each: self.words() for each in columns}
        for each, (said, _) in fields.items():
            del said["owner"]  # a column that is ready has none
            fields[each] = said, {key: value for key, value in said.items() if value}
        push = PushSource(name="pushed", batch_source=source) if self.chance.random() < 0.3 else None
        made = FeatureView(name=name, entities=[entity.name], source=push or source.name, online=self.chance.choice([True, False, None]),
                           schema=[Field(name=each, dtype=dtype, **fields[each][0]) for each, dtype in columns.items()], **words)
        return self.add("feature_views", made, {
            "name": name, "entities": [entity.name], "source": source.name, "online": made.online,
            "schema": [{"name": each, **({"dtype": str(dtype)} if dtype else {}), **fields[each][1]} for each, dtype in columns.items()], **tree})

    def over(self, name, entity, view):
        """Features of another view's rows."""
        window, text = self.window()
        made = FeatureView(name=name, entities=[entity], source=view, window=window, features={"n": count(), "m": "count(*) + 1"})
        return self.add("feature_views", made, {"name": name, "entities": [entity.name], "source": view.name, "window": text,
                                                "features": {"n": "count(*)", "m": "count(*) + 1"}})

    def labels(self, name, entity, view, source):
        words, tree = self.words()
        days = self.chance.randint(1, 40)
        spine = view.snapshots is None or self.chance.random() < 0.3
        where = self.maybe(self.condition)
        made = Labels(name=name, population=Spine(path="keys.csv", timestamp_column="t", entities=[entity]) if spine else view, source=source,
                      window=self.chance.choice([timedelta(days=days), f"{days}d following"]), where=where and where[0], columns={"y": count() > 0}, **words)
        return self.add("labels", made, {
            "name": name, "population": {"spine": "keys.csv", "timestamp_column": "t", "entities": [entity.name]} if spine else view.name, "source": source.name,
            "window": f"{days}d following", **({"where": where[1]} if where else {}), "columns": {"y": "count(*) > 0"}, **tree})

    def model(self, name, service, labels):
        words, tree = self.words()
        split, split_tree = self.chance.choice([(datetime(2026, 1, 2), "2026-01-02 00:00:00")] + [({"fraction": 0.25, "by": "time"},) * 2])
        split, split_tree = ({"after": split}, {"after": split_tree}) if isinstance(split, datetime) else (split, split_tree)
        params = {"objective": "binary:logistic", "eta": 0.1, "eval_metric": ["auc", "logloss"], "seed": self.chance.randrange(100)}
        made = Model(name=name, features=service, labels=labels, target="y", split=split, params=params, fill_null=self.maybe(lambda: 0.5), **words)
        return self.add("models", made, {
            "name": name, "features": service.name, "labels": labels.name, "target": "y", "split": {"test": split_tree}, "params": params,
            **({} if made.fill_null is None else {"fill_null": 0.5}), **tree})

    def model_of_a_spine(self, name, service):
        rounds, kind = self.maybe(lambda: self.chance.randrange(1, 99)), self.maybe(lambda: "xgboost")
        made = Model(name=name, features=service.name, spine="orders.csv", timestamp_column="t", target="the target", type=kind, num_boost_round=rounds,
                     split={"fraction": 0.5, "by": "time"})
        return self.add("models", made, {
            "name": name, "features": service.name, "spine": "orders.csv", "timestamp_column": "t", "target": "the target", **({"type": kind} if kind else {}),
            **({"num_boost_round": rounds} if rounds else {}), "split": {"test": {"fraction": 0.5, "by": "time"}}})

    def plain(self):
        """What has no more than it needs: a name that is a key, a file of text."""
        kind = self.maybe(lambda: ValueType.STRING)
        self.add("entities", Entity(name="plain", **({"value_type": kind} if kind else {})), {"name": "plain", **({"value_type": "STRING"} if kind else {})})
        delimiter = self.chance.choice([";", "|", "\t", None])
        made = Dataset(name="lines", path="lines.txt", format="csv", delimiter=delimiter, to="data/lines.parquet")
        self.add("datasets", made, {"name": "lines", "from": {"path": "lines.txt", "format": "csv", **({"delimiter": delimiter} if delimiter else {})}, "to": "data/lines.parquet"})

    def build(self):
        entity = self.entity("user")
        self.plain()
        raw = self.dataset("raw", entity)
        source, other = self.source("events", raw), self.source("other", None)
        grid = self.grid("grid", source)
        views = [self.computed(f"computed_{i}", entity, source, grid, stored=i == 2) for i in range(3)]
        ready = self.ready("ready", entity, other)
        self.over("over", entity, next(view for view in views if view.snapshots is not None))
        words, tree = self.words()
        renamed = {entity.join_keys[0]: "another column"}
        service = self.add("feature_services", FeatureService(name="service", features=[
            views[0], ready[["f1"]].with_name("z"), views[1].with_name("w"), "over:n"], **words),
            {"name": "service", "features": ["computed_0", {"view": "ready", "features": ["f1"], "alias": "z"}, {"view": "computed_1", "alias": "w"},
                                             {"view": "over", "features": ["n"]}], **tree})
        self.add("feature_services", FeatureService(name="renamed", features=[ready.with_name("y").with_join_key_map(renamed)]),
                 {"name": "renamed", "features": [{"view": "ready", "alias": "y", "join_key_map": renamed}]})
        self.model_of_a_spine("model_of_a_spine", service)
        self.model("model", service, self.labels("labels", entity, views[0], source))
        return self


def objects_of(seed):
    return Random(seed).build().objects
