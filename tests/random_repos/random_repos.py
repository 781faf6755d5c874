"""Random feature repos: tables, definitions and spines, and what must come out, in plain Python (random_expressions.py).

One seed makes one repo. `write` puts it on disk; `features` says what a row of a spine has for a view.
"""

import math
import random as random_module
from collections import defaultdict

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

import random_expressions as expressions
from random_expressions import DAY, HOUR

CONFIG = """project: random
provider: local
registry: {registry_type: sql, path: "sqlite:///data/registry.db"}
offline_store: {type: viand}
entity_key_serialization_version: 3
"""
START = 19723 * DAY  # 2024-01-01
SPAN = 40 * DAY
WINDOWS = {"1d": DAY, "7d": 7 * DAY, "36h": 36 * HOUR, "90m": 90 * 60 * 10**9, "2w": 14 * DAY, "100000s": 10**5 * 10**9,
           "3d7h": 79 * HOUR, "30d": 30 * DAY, "unbounded": math.inf}
KEYS = {"integer": [("k", pa.int64(), range(-3, 9))], "narrow": [("k", pa.int32(), range(12))],
        "texts": [("k1", pa.string(), ["1", "11", "a", "", "é"]), ("k2", pa.string(), ["1", "11", "a|b", "b"])],
        "date": [("k", pa.date32(), range(19700, 19708))], "text": [("k", pa.string(), list("abcdefg") + ["日本"])],
        "mixed": [("k1", pa.int64(), [2**53, 2**53 + 1, 7, -7]), ("k2", pa.string(), ["x", "y", None])],
        "date_text": [("k1", pa.date32(), [19700, 19701, -5]), ("k2", pa.string(), ["x", "y", "z"])],
        "time": [("k", pa.timestamp("us"), [0, 1000, 10**18])]}
DEFAULTS = {"bigint": "-7", "double": "0.5", "varchar": "nothing", "boolean": "false"}
DEFAULT_VALUES = {"bigint": -7, "double": 0.5, "varchar": "nothing", "boolean": False}


def time_type(random):
    return random.choice([pa.timestamp("us"), pa.timestamp("us"), pa.timestamp("ms"), pa.timestamp("ns"), pa.timestamp("s"),
                          pa.timestamp("us", "UTC"), pa.timestamp("ms", "Europe/Berlin"), pa.timestamp("ns", "America/New_York")])


def unit_of(kind):
    return {"s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}[kind.unit]


def array_of(values, kind):
    """Values as the oracle has them, times being nanoseconds, in a type."""
    if not pa.types.is_timestamp(kind):
        return pa.array(values, kind)
    return pa.array([None if value is None else value // unit_of(kind) for value in values], pa.int64()).cast(kind)


class Repo:
    """A source with its rows, views on it, labels, and how they are written."""

    def __init__(self, seed):
        self.random = random = random_module.Random(seed)
        self.kind = random.choice(list(KEYS))
        self.keys = KEYS[self.kind]
        self.time = time_type(random)
        self.second_time = random.choice([pa.timestamp("us"), pa.timestamp("ms", "UTC"), pa.timestamp("s")])
        self.odd_doubles = random.random() < 0.3
        self.csv = self.kind in ("integer", "texts", "date") and random.random() < 0.25
        if self.csv:
            self.time = pa.timestamp("us")
        self.files = [self.rows(random.randint(5, 150)) for _ in range(random.choice([1, 1, 2, 4]))]
        self.ordered = sorted((row for rows in self.files for row in rows if row["at"] is not None), key=lambda row: row["at"])
        self.start, self.end = self.ordered[0]["at"], self.ordered[-1]["at"]
        self.every = random.choice(["3d", "5d", "36h"])
        self.views = [self.view(f"view_{i}", random.random() < 0.4) for i in range(4)]
        self.views.append(self.view("view_on_view", False, self.population()))
        self.labels = self.view("after", True, following=True)

    # ---- rows -----------------------------------------------------------------------------------------------------

    def moment(self):
        """Often on a whole day or shared by other rows, sometimes a unit beside it."""
        random, unit = self.random, max(unit_of(self.time), 1000)
        day = START + random.randrange(SPAN // DAY) * DAY
        return random.choice([day, day + random.choice([-1, 1]) * unit, day + random.randrange(24) * HOUR,
                              day + random.randrange(DAY) // unit * unit])

    def key_value(self, values, nulls=0.03):
        return None if self.random.random() < nulls else self.random.choice(list(values))

    def double(self):
        odd = [math.nan, math.inf, -math.inf, -0.0, 1e300, 5e-324] if self.odd_doubles else []
        return self.random.choice([0.1, 0.2, 0.3, 1e16, -1e16, 1 / 3, -2.5, 0.0, self.random.uniform(-9, 9), *odd])

    def rows(self, count):
        random, unit = self.random, unit_of(self.second_time)
        rows = []
        for _ in range(count):
            values = {"x": random.randint(-5, 9), "i": random.randint(-4, 6), "y": self.double(),
                      "s": random.choice(["a", "ab", "b", "é", "abc", "Zz"]), "g": random.choice("abc"), "o": random.randrange(12),
                      "b": random.random() < 0.5, "d": 19723 + random.randrange(40),
                      "u": (START + random.randrange(SPAN)) // unit * unit}
            row = {name: None if random.random() < 0.15 else value for name, value in values.items()}
            row |= {name: self.key_value(values) for name, _, values in self.keys}
            row["at"] = None if random.random() < 0.02 and not self.csv else self.moment()
            rows.append(row)
        if len(rows) > 20 and random.random() < 0.5:
            rows += [dict(row) for row in rows[:5]]
        if random.random() < 0.3:
            rows.sort(key=lambda row: row["at"] or 0)
        return rows

    def table(self, rows):
        fields = {**{name: kind for name, kind, _ in self.keys}, "at": self.time, "x": pa.int64(), "i": pa.int32(), "y": pa.float64(),
                  "s": pa.string(), "g": pa.string(), "o": pa.int64(), "b": pa.bool_(), "d": pa.date32(), "u": self.second_time}
        return pa.table({name: array_of([row[name] for row in rows], kind) for name, kind in fields.items()})

    # ---- definitions ----------------------------------------------------------------------------------------------

    def population(self):
        """The first view with stored rows, if any."""
        return next((view for view in self.views if view["snapshots"]), None)

    def grid(self):
        """The cutoffs of the grid from start + 4d to end."""
        every, unit = WINDOWS.get(self.every) or {"3d": 3 * DAY, "5d": 5 * DAY}[self.every], 1000
        first, last = self.start // unit * unit + 4 * DAY, self.end // unit * unit
        return [first + n * every for n in range((last - first) // every + 1)], every

    def features(self, names, columns=None):
        random, found = self.random, {}
        for name in names:
            sql, kind, function = expressions.feature(random) if columns is None else columns(random)
            default = DEFAULTS.get(kind) if random.random() < 0.25 else None
            window = random.choice(list(WINDOWS)) if random.random() < 0.4 else None
            found[name] = {"sql": sql, "kind": kind, "function": function, "default": default, "window": window}
        return found

    def view(self, name, snapshots, base=None, following=False):
        random = self.random
        view = {"name": name, "base": base, "following": following, "snapshots": snapshots and not following,
                "window": random.choice(list(WINDOWS)), "where": None, "having": None, "ttl": random.choice([None, "0d", "30d", "2d"])}
        names = [f"{name}_f{n}" for n in range(random.randint(2, 7))]
        if base is None:
            view["features"] = self.features(names)
            view["where"] = expressions.condition(random) if random.random() < 0.4 else None
            view["having"] = expressions.having(random) if random.random() < 0.3 and not following else None
        elif base:
            view["features"] = self.features(names, lambda random: self.over_view(base))
        if following:
            view["window"] = random.choice(["1d", "7d", "36h", "90m"])
            for column in view["features"].values():
                column["window"] = column["window"] and random.choice(["7d", "30d", "36h"])
        return view

    def over_view(self, base):
        """A feature over the rows of a snapshot view."""
        name, feature = self.random.choice(list(base["features"].items()))
        fold, kind = self.random.choice([("count", "bigint"), ("last", feature["kind"]), ("first", feature["kind"])])
        if feature["kind"].startswith("list"):
            return "count(*)", "bigint", lambda rows, t: len(rows)
        present = lambda rows: [row[name] for row in rows if row[name] is not None]
        pick = {"count": len, "last": lambda v: v[-1] if v else None, "first": lambda v: v[0] if v else None}[fold]
        return f"{fold}({name})", kind, lambda rows, t: pick(present(rows))

    def yaml(self):
        names = ", ".join(name for name, _, _ in self.keys)
        lines = ["entities:", f"  - {{name: thing, join_keys: [{names}]}}"]
        if self.csv:
            types = {"k": "date" if self.kind == "date" else "bigint", "k1": "varchar", "k2": "varchar", "at": "timestamp", "x": "bigint",
                     "i": "integer", "y": "double", "s": "varchar", "g": "varchar", "o": "bigint", "b": "boolean", "d": "date", "u": "timestamp"}
            listed = ", ".join(f"{name}: {kind}" for name, kind in types.items() if name in {**self.files[0][0]})
            lines += ["datasets:", f"  - {{name: raw, from: {{path: raw/*.csv, types: {{{listed}}}}}, to: data/events.parquet}}"]
        path = "data/events.parquet" if self.csv else "events"
        lines += ["sources:", f"  - {{name: events, type: file, path: {path}, timestamp_field: at}}", "snapshots:",
                  f"  - {{name: grid, source: events, first: start + 4d, last: end, every: {self.every}}}", "feature_views:"]
        for view in self.views:
            lines += self.yaml_of(view, "features")
        if population := self.population():
            lines += ["labels:", *self.yaml_of(self.labels, "columns", population["name"])]
        return "\n".join(lines) + "\n"

    def yaml_of(self, view, key, population=None):
        quoted = lambda text: "'" + text.replace("'", "''") + "'"
        after = " following" if view["following"] else ""
        lines = [f"  - name: {view['name']}", f"    source: {view['base']['name'] if view['base'] else 'events'}",
                 f"    window: {view['window']}{after}", f"    population: {population}" if population else "    entities: [thing]"]
        if view["snapshots"]:
            lines.append("    snapshots: grid")
            lines += [f"    ttl: {view['ttl']}"] if view["ttl"] else []
        lines += [f"    {name}: {quoted(view[name][0])}" for name in ("where", "having") if view[name]]
        lines.append(f"    {key}:")
        for name, feature in view["features"].items():
            more = (f", window: {feature['window']}{after}" if feature["window"] else "")
            more += f", default: {feature['default']}" if feature["default"] else ""
            lines.append(f"      {name}: {{expr: {quoted(feature['sql'])}{more}}}")
        return lines

    def write(self, folder):
        (folder / "feature_store.yaml").write_text(CONFIG)
        (folder / "definitions.yaml").write_text(self.yaml())
        (folder / "data").mkdir()
        target = folder / ("raw" if self.csv else "events")
        target.mkdir()
        for number, rows in enumerate(self.files):
            if self.csv:
                pa.csv.write_csv(self.table(rows), target / f"part_{number}.csv")
            else:
                pq.write_table(self.table(rows), target / f"part_{number}.parquet", row_group_size=self.random.choice([7, 64, 10**6]))

    # ---- what must come out ---------------------------------------------------------------------------------------

    def rows_by_key(self, view):
        """The rows that a view reads, by key, in order."""
        rows = self.ordered if not view["base"] else self.stored(view["base"])
        found = defaultdict(list)
        for row in rows:
            key = tuple(row[name] for name, _, _ in self.keys)
            if None not in key and (not view["where"] or view["where"][1](row) is True):
                found[key].append(row)
        return found

    def stored(self, view):
        """All stored rows of a snapshot view: key, time and features."""
        names = [name for name, _, _ in self.keys]
        if "rows" not in view:
            by_key = self.rows_by_key(view)
            view["rows"] = [{**dict(zip(names, key)), "at": t, **row} for t in self.grid()[0] for key, rows in by_key.items()
                            if (row := self.at(view, rows, t)) is not None]
        return view["rows"]

    def at(self, view, rows, t):
        """The features of one key's rows at t, None where there is no row."""
        def within(window):
            if view["following"]:
                return [row for row in rows if t <= row["at"] < t + WINDOWS[window]]
            return [row for row in rows if t - WINDOWS[window] <= row["at"] < t]

        own = within(view["window"])
        if not view["following"] and (not own or view["having"] and view["having"][1](own, t) is not True):
            return None
        values = {}
        for name, feature in view["features"].items():
            value = feature["function"](within(feature["window"]) if feature["window"] else own, t)
            values[name] = DEFAULT_VALUES[feature["kind"]] if value is None and feature["default"] else value
        return values

    def look_up(self, view, key, t):
        """What a spine row (key, t) has of the view; None where nothing."""
        if t is None or None in key:
            return None if not view["following"] else self.at(view, [], 0)
        if "by_key" not in view:
            view["by_key"] = self.rows_by_key(view)
        if not view["snapshots"]:
            return self.at(view, view["by_key"].get(key, []), t)
        cutoffs, every = self.grid()
        cutoffs = [cutoff for cutoff in cutoffs if cutoff <= t]
        ttl = {None: every, "0d": math.inf, "30d": 30 * DAY, "2d": 2 * DAY}[view["ttl"]]
        for cutoff in reversed(cutoffs):
            if cutoff < t - ttl:
                return None
            row = self.at(view, view["by_key"].get(key, []), cutoff)
            if row is not None or view["ttl"] is None:
                return row
        return None

    # ---- spines ---------------------------------------------------------------------------------------------------

    def spine(self, kind):
        """Keys, known or not or null, at times that lie on and beside every edge: (table, rows as (key, t))."""
        random, unit = self.random, unit_of(kind)
        cutoffs, _ = self.grid()
        rows = []
        for _ in range(random.randint(1, 120)):
            at = random.choice(self.ordered)["at"]
            t = random.choice([at, at + random.choice([w for w in WINDOWS.values() if w != math.inf]), random.choice(cutoffs or [at]), START + random.randrange(SPAN * 3 // 2)])
            t = None if random.random() < 0.03 else (t + random.choice([0, 0, 0, -1, 1, -unit, unit])) // unit * unit
            row = random.choice(self.ordered)
            key = tuple(row[name] for name, _, _ in self.keys) if random.random() < 0.8 else tuple(self.key_value(values, 0.2) for _, _, values in self.keys)
            rows.append((key, t))
        rows += rows[:random.randrange(4)]
        columns = {"note": pa.array([f"row {n}" for n in range(len(rows))])}
        for place, (name, key_type, _) in enumerate(self.keys):
            columns[name] = self.spine_key(array_of([key[place] for key, _ in rows], key_type))
        columns["asked_at"] = array_of([t for _, t in rows], kind)
        return pa.table(columns), rows

    def spine_key(self, array):
        """The key in another type of equal values."""
        if pa.types.is_string(array.type):
            return self.random.choice([array, array.cast(pa.large_string()), array.dictionary_encode()])
        if array.type == pa.int32():
            return self.random.choice([array, array.cast(pa.int64()), array.cast(pa.int16())])
        return array
