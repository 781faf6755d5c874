"""Random tables and feature repos from raw rows to stored snapshots, retrieval and labels, against plain Python.

tests/random_repos makes a repo of a seed and says what must come out: keys of every type, times of every unit and zone with ties,
nulls, several unsorted files; every aggregate with its where, order by, per, gap and default; windows of odd widths; views over
views; spines in every form with rows exactly on the edges. VIAND_LONG takes more seeds.
"""

import math
import os
import subprocess
import sys

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest

from conftest import ROOT

sys.path.insert(0, str(ROOT / "tests" / "random_repos"))

from random_repos import Repo, time_type, unit_of  # noqa: E402

SEEDS = 400 if os.environ.get("VIAND_LONG") else 30
INTERPOLATING = ("median", "quantile")  # which may round differently
FORMS = ["parquet", "arrow", "stream", "csv"]


def call(viand, repo, *arguments, spine=None):
    done = subprocess.run([viand.program, *map(str, arguments), "-C", str(repo), "--threads", "2"], input=spine,
                          capture_output=True, timeout=120)
    assert done.returncode == 0, f"viand {' '.join(map(str, arguments))}\n{done.stderr.decode()}"


def raw_of(kind):
    """How the values of a type become whole numbers, and how many units those are; None for other types."""
    if pa.types.is_timestamp(kind):
        return pa.int64(), unit_of(kind)
    return (pa.int32(), 1) if pa.types.is_date32(kind) else None


def values_of(column):
    """A column as the oracle has it: times as nanoseconds, dates as days."""
    if pa.types.is_dictionary(column.type):
        column = column.cast(column.type.value_type)
    if raw := raw_of(column.type):
        return [None if value is None else value * raw[1] for value in column.cast(raw[0]).to_pylist()]
    if pa.types.is_list(column.type) and (raw := raw_of(column.type.value_type)):
        lists = column.cast(pa.list_(raw[0])).to_pylist()
        return [values and [value * raw[1] for value in values] for values in lists]
    return column.to_pylist()


def same(actual, expected, sql):
    """Doubles to the last bit: sums and what follows from them are rounded once."""
    if isinstance(expected, list) and isinstance(actual, list):
        return len(actual) == len(expected) and all(same(a, e, sql) for a, e in zip(actual, expected))
    if type(actual) is not type(expected):
        return False
    if "approx" in sql and isinstance(expected, int) and not isinstance(expected, bool):
        return abs(actual - expected) <= 1 + expected // 20
    if not isinstance(expected, float):
        return actual == expected
    if math.isnan(expected):
        return math.isnan(actual)
    near = any(name in sql for name in INTERPOLATING)
    return math.isclose(actual, expected, rel_tol=1e-9, abs_tol=1e-12) if near else actual == expected


def assert_features(table, view, rows, expected, prefix=""):
    """rows: what each row is, for the message; expected: a dict of features a row, or None."""
    wrong = []
    for name, feature in view["features"].items():
        for actual, row, wanted in zip(values_of(table[prefix + name]), rows, expected, strict=True):
            value = (wanted or {}).get(name)
            if not same(actual, value, feature["sql"]):
                wrong.append(f"{name}: {feature['sql']} at {row}: {actual!r} instead of {value!r}")
                break
    assert not wrong, "\n".join(wrong)


def keys_of(repo, table):
    return list(zip(*(values_of(table[name]) for name, _, _ in repo.keys)))


def write_spine(table, path, form):
    if form == "parquet":
        pq.write_table(table, path)
    elif form == "csv":
        texts = {pa.large_string(): pa.string(), pa.dictionary(pa.int32(), pa.string()): pa.string()}
        fields = [field.with_type(texts.get(field.type, field.type)) for field in table.schema]
        pa.csv.write_csv(table.cast(pa.schema(fields)), path)
    else:
        make = pa.ipc.new_file if form == "arrow" else pa.ipc.new_stream
        with make(str(path), table.schema) as writer:
            writer.write_table(table)


def assert_stored(repo, folder):
    for view in repo.views:
        if view["snapshots"]:
            parts = sorted((folder / "data" / "offline" / view["name"] / "current").glob("*.parquet"))
            table = pa.concat_tables(map(pq.read_table, parts))
            stored = {(*(row[name] for name, _, _ in repo.keys), row["at"]): row for row in repo.stored(view)}
            rows = [(*key, at) for key, at in zip(keys_of(repo, table), values_of(table["event_timestamp"]))]
            assert sorted(rows, key=str) == sorted(stored, key=str)
            assert_features(table, view, rows, [stored[row] for row in rows])


def assert_retrieved(viand, repo, folder):
    """The features of a spine of some form, in its order, beside its own columns as they were."""
    random = repo.random
    # What text says of a key is a number or a text; a CSV's times are read by Arrow.
    plain = not any(raw_of(kind) for _, kind, _ in repo.keys)
    form = random.choice(FORMS if plain else FORMS[:-1])
    table, rows = repo.spine(pa.timestamp("us") if form == "csv" else time_type(random))
    table = table.select(random.sample(table.column_names, table.num_columns))
    path, output, piped = folder / f"spine.{form}", folder / "out.parquet", random.random() < 0.3
    write_spine(table, path, form)
    options = random.choice([[], [], ["--batch-rows", "5"], ["--partitions", "7"], ["--executor", "processes"]])
    full = random.random() < 0.3
    call(viand, folder, "historical", "--spine", "-" if piped else path, "--timestamp-column", "asked_at", "-o", output, "--features",
         ",".join(view["name"] for view in repo.views), *(["--full-feature-names"] if full else []), *options,
         spine=path.read_bytes() if piped else None)
    found = pq.read_table(output)
    prefixes = [f"{view['name']}__" if full else "" for view in repo.views]
    names = [prefix + name for prefix, view in zip(prefixes, repo.views) for name in view["features"]]
    assert found.column_names == table.column_names + names
    for name in table.column_names:
        assert values_of(found[name]) == values_of(table[name]), name
    for prefix, view in zip(prefixes, repo.views):
        assert_features(found, view, rows, [repo.look_up(view, key, t) for key, t in rows], prefix)


def assert_labelled(viand, repo, folder):
    """Labels of each stored row of their population, with the features of another view."""
    population = repo.population()
    if population is None or not repo.stored(population):
        return
    view = repo.views[-1]
    call(viand, folder, "historical", "--spine", "labels:after", "--features", view["name"], "-o", folder / "labels.parquet")
    table = pq.read_table(folder / "labels.parquet")
    rows = list(zip(keys_of(repo, table), values_of(table["event_timestamp"])))
    names = [name for name, _, _ in repo.keys]
    assert sorted(rows, key=str) == sorted(((tuple(row[name] for name in names), row["at"]) for row in repo.stored(population)), key=str)
    for looked_up in (repo.labels, view):
        assert_features(table, looked_up, rows, [repo.look_up(looked_up, key, t) for key, t in rows])


@pytest.mark.parametrize("seed", range(SEEDS))
def test_a_random_repo_is_what_plain_python_makes_of_it(viand, tmp_path, seed):
    repo = Repo(seed)
    if not repo.grid()[0]:
        return  # all rows lie within four days
    repo.write(tmp_path)
    call(viand, tmp_path, "run")
    assert_stored(repo, tmp_path)
    assert_retrieved(viand, repo, tmp_path)
    assert_labelled(viand, repo, tmp_path)
