"""Retrieval without a spine: every key of a range as of its end, or each of its feature rows, against plain Python."""

import datetime
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import write_repo

DAY_US = 86_400_000_000
DEFINITIONS = """
entities:
  - {name: user, join_keys: [user_id], value_type: INT64}
  - {name: shop, join_keys: [shop_id], value_type: STRING}
sources:
  - {name: visits, type: file, path: data/visits.parquet, timestamp_field: at}
  - {name: scores, type: file, path: data/scores.parquet, timestamp_field: ts}
feature_views:
  - {name: visits, entities: [user, shop], source: visits, ttl: 4d, schema: [{name: amount, dtype: Int64}]}
  - {name: scores, entities: [user], source: scores, schema: [{name: score, dtype: Int64}], ttl: 0d}
  - {name: shops, entities: [shop], source: visits, ttl: 0d, schema: [{name: amount, dtype: Int64}]}
"""


def stamp(us):
    return (datetime.datetime(1970, 1, 1) + datetime.timedelta(microseconds=us)).isoformat(sep=" ")


def make_repo(folder, seed):
    write_repo(folder, "range", DEFINITIONS)
    rng = random.Random(seed)
    # No two rows of one key and time: which is taken is another test's.
    visits = sorted({(rng.choice([None, 1, 2, 3, 4]), rng.choice(["a", "b", None]), rng.randrange(20) * DAY_US // 2)
                     for _ in range(60)}, key=repr)
    scores = sorted({(rng.randrange(6), rng.randrange(20) * DAY_US // 2) for _ in range(30)})
    rng.shuffle(visits)
    visits = [row + (i,) for i, row in enumerate(visits)]
    scores = [row + (100 + i,) for i, row in enumerate(scores)]
    micros = pa.timestamp("us", "UTC")
    pq.write_table(pa.table({"user_id": pa.array([v[0] for v in visits], pa.int64()),
                             "shop_id": pa.array([v[1] for v in visits], pa.string()),
                             "at": pa.array([v[2] for v in visits], micros), "amount": [v[3] for v in visits]}),
                   folder / "data" / "visits.parquet", row_group_size=7)
    pq.write_table(pa.table({"user_id": pa.array([s[0] for s in scores], pa.int32()),
                             "ts": pa.array([s[1] * 1000 for s in scores], pa.timestamp("ns")),
                             "score": [s[2] for s in scores]}), folder / "data" / "scores.parquet")
    return visits, scores


def as_of(rows, t, ttl_us):
    """rows: (time, value) of one key."""
    reach = [row for row in rows if row[0] <= t and (ttl_us == 0 or t - ttl_us <= row[0])]
    return max(reach)[1] if reach else None


def oracle(visits, scores, start, end, every_row):
    rows = {(user, shop, at if every_row else end) for user, shop, at, _ in visits
            if user is not None and shop is not None and start <= at <= end}
    order = sorted(rows, key=lambda row: (row[2], row[0], row[1]) if every_row else row)
    return [(user, shop, t, as_of([(v[2], v[3]) for v in visits if v[:2] == (user, shop)], t, 4 * DAY_US),
             as_of([(s[1], s[2]) for s in scores if s[0] == user], t, 0)) for user, shop, t in order]


def retrieve(viand, repo, *arguments):
    code, out, error = viand.call(repo, "historical", *arguments, "-o", repo / "out.parquet")
    assert code == 0, error
    table = pq.read_table(repo / "out.parquet")
    times = table["event_timestamp"].cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.int64()).to_pylist()
    columns = [times if name == "event_timestamp" else table[name].to_pylist() for name in table.column_names]
    return table.column_names, list(zip(*columns))


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("executor", ["threads", "processes"])
def test_keys_and_rows_of_a_range(viand, tmp_path, seed, executor):
    visits, scores = make_repo(tmp_path, seed)
    for every_row in [False, True]:
        start, end = 2 * DAY_US, 8 * DAY_US
        names, rows = retrieve(viand, tmp_path, "--features", "visits,scores", "--start", stamp(start), "--end", stamp(end),
                               "--executor", executor, "--threads", "2", *(["--every-row"] if every_row else []))
        assert names == ["user_id", "shop_id", "event_timestamp", "amount", "score"]
        assert rows == oracle(visits, scores, start, end, every_row)


def test_without_a_start_the_range_is_as_long_as_the_longest_ttl(viand, tmp_path):
    visits, scores = make_repo(tmp_path, 5)
    _, rows = retrieve(viand, tmp_path, "--features", "visits,scores", "--end", stamp(8 * DAY_US))
    assert rows == oracle(visits, scores, 4 * DAY_US, 8 * DAY_US, False)
    _, rows = retrieve(viand, tmp_path, "--features", "scores", "--end", stamp(30 * DAY_US))  # 30 days without a ttl
    assert [row[0] for row in rows] == sorted({user for user, _, _ in scores})


def test_a_row_is_found_at_its_own_time_of_nanoseconds(viand, tmp_path):
    make_repo(tmp_path, 6)
    pq.write_table(pa.table({"user_id": [7], "ts": pa.array([DAY_US * 1000 + 1], pa.timestamp("ns")), "score": [9]}),
                   tmp_path / "data" / "scores.parquet")
    _, rows = retrieve(viand, tmp_path, "--features", "scores", "--every-row", "--start", stamp(0), "--end", stamp(2 * DAY_US))
    assert rows == [(7, DAY_US, 9)]


def test_a_range_without_rows_has_the_columns(viand, tmp_path):
    make_repo(tmp_path, 7)
    names, rows = retrieve(viand, tmp_path, "--features", "visits", "--start", "2001-01-01", "--end", "2001-02-01")
    assert (names, rows) == (["user_id", "shop_id", "event_timestamp", "amount"], [])


@pytest.mark.parametrize("how", [[], ["--every-row"]])
def test_a_range_of_files_without_rows_has_the_columns(viand, tmp_path, how):
    make_repo(tmp_path, 7)
    path = tmp_path / "data" / "visits.parquet"
    pq.write_table(pq.read_table(path).slice(0, 0), path)
    names, rows = retrieve(viand, tmp_path, "--features", "visits,scores", "--start", "1970-01-01", "--end", "2001-02-01", *how)
    assert (names, rows) == (["user_id", "shop_id", "event_timestamp", "amount", "score"], [])


@pytest.mark.parametrize(("arguments", "expected"), [
    ([], 'neither a spine nor a range of time was given\n  hint: give --spine PATH, or --start T --end T for every key'),
    (["--start", "soon"], '--start "soon" is not a time\n  hint: write it as 2011-03-01'),
    (["--start", "2020-01-02", "--end", "2020-01-01"], "the range is empty: --start 2020-01-02 00:00:00 is after --end"),
    (["--spine", "spine.csv", "--end", "2020-01-01"], "both a spine and a range of time were given\n  hint: --spine gives"),
])
def test_what_cannot_be_meant(viand, tmp_path, arguments, expected):
    make_repo(tmp_path, 8)
    spine = tmp_path / "spine.csv"
    spine.write_text("user_id,event_timestamp\n1,2020-01-01\n")
    arguments = [str(spine) if argument == "spine.csv" else argument for argument in arguments]
    code, _, error = viand.call(tmp_path, "historical", "--features", "scores", *arguments, "-o", tmp_path / "out.csv")
    assert code == 2
    assert error.startswith("error: " + expected), error
    assert not (tmp_path / "out.csv").exists()


def test_keys_that_no_view_has_together(viand, tmp_path):
    make_repo(tmp_path, 9)
    code, _, error = viand.call(tmp_path, "historical", "--features", "scores,shops", "--start", "1970-01-01",
                                "-o", tmp_path / "out.csv")
    assert code == 2
    assert error.startswith("error: without a spine one of the feature views must have all keys: user_id, shop_id\n  hint: no")
