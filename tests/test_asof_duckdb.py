"""Lookups of ready rows against DuckDB's ASOF join: random tables full of duplicates, nulls, ties, edges of the ttl, far dates.

One spine for some views, each made by a seed of its own: keys of several types, times of several units and zones, sorted or not, in
files of a few small row groups. DuckDB takes any of rows that tie, so it gets of each (keys, time) the row that viand's contract
names: the latest created, then the last. VIAND_LONG takes more seeds.
"""

import os
import random as random_module

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import store_config

VIEWS_A_SPINE = 20
SPINES = 100 if os.environ.get("VIAND_LONG") else 10
DAY_US = 86_400_000_000
NOW = 19_723 * DAY_US
FAR = [NOW - 400_000 * DAY_US, NOW + 400_000 * DAY_US]
UNITS = [("us", "UTC"), ("us", None), ("ms", "Europe/Berlin"), ("s", None), ("ns", "America/New_York")]
TTLS = {"0d": 0, "1d": DAY_US, "7d": 7 * DAY_US, "90m": 5_400_000_000}
NARROW = [pa.int64(), pa.int32(), pa.uint16()]
TEXTS = [pa.string(), pa.large_string(), pa.dictionary(pa.int8(), pa.string())]


def some(random, values, rows):
    return [None if random.random() < 0.08 else random.choice(values) for _ in range(rows)]


def times_of(random, rows, days, far):
    """Whole days and their neighbours, so that many are equal and many lie exactly on a ttl's edge; whole milliseconds."""
    values = [NOW + day * DAY_US + shift for day in range(days) for shift in (-1_000_000, 0, 1_000_000)] + far
    return some(random, values, rows)


def in_unit(times, unit, zone):
    divide = {"s": 1_000_000, "ms": 1000, "us": 1, "ns": 1}[unit]
    raw = [None if time is None else time // divide * (1000 if unit == "ns" else 1) for time in times]
    return pa.array(raw, pa.int64()).cast(pa.timestamp(unit, zone))


def make_features(random, path):
    """A file of feature rows; returns its columns as DuckDB gets them, times as microseconds."""
    rows = random.choice([0, 1, 30, 200])
    unit, zone = random.choice(UNITS)
    far = [] if unit == "ns" else FAR  # nanoseconds end in 2262
    columns = {"k": some(random, range(6), rows), "name": some(random, ["", "a", "b", "long enough to be hashed"], rows),
               "ts": times_of(random, rows, 12, far), "created": times_of(random, rows, 3, []), "row": list(range(rows))}
    order = random.choice(["none", "time", "keys"])
    if order != "none":
        wanted = ("k", "name", "ts") if order == "keys" else ("ts",)
        places = sorted(range(rows), key=lambda i: [(columns[name][i] is not None, columns[name][i]) for name in wanted])
        columns = {name: [values[i] for i in places] for name, values in columns.items()} | {"row": columns["row"]}
    columns["v"] = [None if random.random() < 0.2 else i * 10 for i in range(rows)]
    columns["t"] = [None if random.random() < 0.2 else f"text {i}" for i in range(rows)]
    table = pa.table({
        "k": pa.array(columns["k"], random.choice(NARROW)), "name": pa.array(columns["name"], pa.string()).cast(random.choice(TEXTS)),
        "ts": in_unit(columns["ts"], unit, zone), "created": in_unit(columns["created"], "us", "UTC"),
        "v": pa.array(columns["v"], pa.int64()), "t": pa.array(columns["t"], pa.string())})
    pq.write_table(table, path, row_group_size=random.choice([1, 7, 64, 1000]))
    return pa.table({"k": pa.array(columns["k"], pa.int64()), "name": pa.array(columns["name"], pa.string()),
                     "ts": pa.array(columns["ts"], pa.int64()), "created": pa.array(columns["created"], pa.int64()),
                     "row": pa.array(columns["row"], pa.int64()), "v": pa.array(columns["v"], pa.int64()),
                     "t": pa.array(columns["t"], pa.string())})


def expected_rows(spine, features, keys, ttl_us):
    """(v, t) of each spine row, as DuckDB finds them. Its strict ASOF join has no ttl: that is applied to what it found."""
    equal = " and ".join(f"s.{key} = f.{key}" for key in keys)
    within = f"f.ts is not null and s.ts - f.ts <= {ttl_us}" if ttl_us else "f.ts is not null"
    return duckdb.sql(f"""
        with latest as (select * from features where ts is not null
                        qualify row_number() over (partition by {', '.join(keys)}, ts order by created desc nulls last, row desc) = 1)
        select case when {within} then f.v end, case when {within} then f.t end
        from spine s asof left join latest f on {equal} and s.ts >= f.ts order by s.row""").fetchall()


@pytest.mark.parametrize("seed", range(SPINES))
def test_as_duckdb_finds_them(viand, tmp_path, seed):
    random = random_module.Random(seed)
    rows = random.choice([1, 40, 300])
    columns = {"k": some(random, range(8), rows), "name": some(random, ["", "a", "c", "long enough to be hashed"], rows),
               "ts": times_of(random, rows, 14, FAR)}
    spine = pa.table({"k": pa.array(columns["k"], pa.int64()), "name": pa.array(columns["name"], pa.string()),
                      "ts": pa.array(columns["ts"], pa.int64()), "row": pa.array(range(rows), pa.int64())})
    pq.write_table(pa.table({"k": spine["k"], "name": spine["name"], "event_timestamp": in_unit(columns["ts"], "us", "UTC")}),
                   tmp_path / "spine.parquet")
    views, definitions = [], ["entities: [{name: one, join_keys: [k]}, {name: two, join_keys: [k, name]}]", "sources:"]
    for number in range(VIEWS_A_SPINE):
        features = make_features(random, tmp_path / f"{number}.parquet")
        views.append((features, random.choice([["k"], ["k", "name"]]), random.choice(list(TTLS))))
        definitions.append(f"  - {{name: s{number}, type: file, path: {number}.parquet, timestamp_field: ts, "
                           "created_timestamp_column: created}")
    definitions.append("feature_views:")
    for number, (_, keys, ttl) in enumerate(views):
        definitions.append(f"  - {{name: view{number}, entities: [{'one' if len(keys) == 1 else 'two'}], source: s{number}, ttl: {ttl}, "
                           "schema: [{name: v, dtype: Int64}, {name: t, dtype: String}]}")
    (tmp_path / "definitions.yaml").write_text("\n".join(definitions))
    (tmp_path / "feature_store.yaml").write_text(store_config("asof"))
    viand.json(tmp_path, "apply", "--yes")
    out = tmp_path / "out.parquet"
    viand.json(tmp_path, "historical", "--spine", tmp_path / "spine.parquet", "--features",
               ",".join(f"view{number}" for number in range(VIEWS_A_SPINE)), "--full-feature-names", "-o", out,
               "--threads", random.randint(1, 8), "--partitions", random.choice([1, 3, 64]), "--batch-rows", 1 << random.randrange(17),
               *random.choice([[], ["--memory", "256MB"]]))
    found = pq.read_table(out)
    for number, (features, keys, ttl) in enumerate(views):
        actual = list(zip(found[f"view{number}__v"].to_pylist(), found[f"view{number}__t"].to_pylist()))
        assert actual == expected_rows(spine, features, keys, TTLS[ttl]), f"seed {seed}, view{number}, keys {keys}, ttl {ttl}"
