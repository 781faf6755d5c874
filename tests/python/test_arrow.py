"""Arrow in and out without a copy: pyarrow's tables, polars, DuckDB, and what nobody can read twice."""

import datetime as dt

import pyarrow as pa
import pytest

import viand
from shop_fixture import INSTALLED, shared_shop, shop_files  # noqa: F401

AT = [dt.datetime(2026, 1, 9), dt.datetime(2026, 1, 25), dt.datetime(2026, 1, 25)]
TABLE = pa.table({"user_id": pa.array([1, 2, 9], pa.int64()), "event_timestamp": pa.array(AT, pa.timestamp("us")),
                  "note": ["a", None, "c"]})


def sources():
    yield "table", lambda: TABLE
    yield "batch", lambda: TABLE.to_batches()[0]
    yield "reader", lambda: pa.RecordBatchReader.from_batches(TABLE.schema, iter(TABLE.to_batches(max_chunksize=1)))
    yield "dict of arrays", lambda: {name: TABLE.column(name) for name in TABLE.column_names}
    yield "large and dictionary", lambda: TABLE.set_column(2, "note", TABLE["note"].cast(pa.large_string()).dictionary_encode())
    if "polars" in INSTALLED:
        import polars as pl
        yield "polars", lambda: pl.DataFrame({"user_id": [1, 2, 9], "event_timestamp": AT, "note": ["a", None, "c"]})
        yield "lazy polars", lambda: pl.LazyFrame({"user_id": [1, 2, 9], "event_timestamp": AT, "note": ["a", None, "c"]})
    if "duckdb" in INSTALLED:
        import duckdb
        rows = ", ".join(f"({user}, timestamp '{at}', {note})" for user, at, note in zip([1, 2, 9], AT, ["'a'", "null", "'c'"]))
        yield "duckdb", lambda: duckdb.sql(f"from (values {rows}) t(user_id, event_timestamp, note)")


@pytest.mark.parametrize("source", [make for _, make in sources()], ids=[name for name, _ in sources()])
def test_tables_of_every_kind(shared_shop, source):
    got = shared_shop.get_historical_features(source(), features=["user_activity"]).to_arrow()
    assert got.column_names == ["user_id", "event_timestamp", "note", "n_events", "total_amount", "days_since_last"]
    assert got["note"].to_pylist() == ["a", None, "c"] and got["user_id"].to_pylist() == [1, 2, 9]
    assert got["n_events"].to_pylist() == [2, 2, None] and got["event_timestamp"].to_pylist()[0].replace(tzinfo=None) == AT[0]


def test_a_reader_is_read_once(shared_shop):
    reader = pa.RecordBatchReader.from_batches(TABLE.schema, iter(TABLE.to_batches()))
    job = shared_shop.get_historical_features(reader, features=["user_activity"])
    assert len(job) == 3 and job.to_arrow().num_rows == 3
    with pytest.raises(viand.InputError, match="was read before: it can be read once"):
        job.explain(analyze=True)


class Given:
    """Whoever gives one capsule out twice."""

    def __init__(self, table):
        self.capsule = table.__arrow_c_stream__()

    def __arrow_c_stream__(self, requested_schema=None):
        return self.capsule


if hasattr(TABLE, "__arrow_c_stream__"):
    def test_a_capsule_that_was_taken(shared_shop):
        given = Given(TABLE)
        assert len(shared_shop.get_historical_features(given, features=["user_activity"])) == 3
        with pytest.raises(viand.InputError, match="the Arrow stream was taken before: it can be read once"):
            shared_shop.get_historical_features(given, features=["user_activity"])

    def test_a_result_goes_where_arrow_goes(shared_shop):
        job = shared_shop.get_historical_features(TABLE, features=["user_activity"])
        assert pa.RecordBatchReader.from_stream(job).read_all().equals(pa.table(job))
        assert pa.schema(job).names == job.columns

    def test_one_column_is_no_table(shared_shop):
        with pytest.raises(viand.InputError, match="entity_df is one column, of the type int64"):
            shared_shop.get_historical_features(pa.array([1, 2]), features=["user_activity"])


def addresses(table):
    return [[buffer.address for chunk in column.chunks for buffer in chunk.buffers() if buffer is not None] for column in table.columns]


def test_nothing_is_copied_in_either_direction(shared_shop):
    rows = 100_000
    table = pa.table({"user_id": pa.array(range(rows), pa.int64()), "event_timestamp": pa.array([AT[0]] * rows, pa.timestamp("us")),
                      "x": pa.array([1.5] * rows), "word": ["word"] * rows})
    job = shared_shop.get_historical_features(table, features=["user_activity"])
    first, second = job.to_arrow(), job.to_arrow()
    assert addresses(first) == addresses(second)
    # The spine's columns are its own memory, in the result as in the table that was given.
    for given, got in list(zip(addresses(table), addresses(first)))[:4]:
        assert set(given) >= set(got) or min(given) <= min(got)
        assert set(given) & set(got)


def test_columns_of_one_name(shared_shop):
    twice = pa.table([pa.array([1]), pa.array([2])], names=["user_id", "user_id"])
    with pytest.raises(viand.InputError, match='two columns of entity_df have the name "user_id"'):
        shared_shop.get_historical_features(twice, features=["user_activity"])


def test_a_producer_that_fails_on_the_way(shared_shop):
    def batches():
        yield TABLE.to_batches()[0]
        raise RuntimeError("the disk is gone")

    reader = pa.RecordBatchReader.from_batches(TABLE.schema, batches())
    with pytest.raises(viand.InputError, match="the disk is gone"):
        shared_shop.get_historical_features(reader, features=["user_activity"]).rows()


@pytest.mark.parametrize("value", [
    pa.array([[1, 2], None, []], pa.list_(pa.int64())), pa.array([{"a": 1, "b": "x"}, None, {"a": None, "b": ""}]),
    pa.array([b"x", None, b""]), pa.array([dt.date(2026, 1, 1), None, dt.date(1960, 1, 1)]),
    pa.array([dt.time(1, 2, 3), None, dt.time(0)]), pa.array([dt.timedelta(days=1), None, dt.timedelta(microseconds=-1)]),
    pa.array([__import__("decimal").Decimal("12.34"), None, __import__("decimal").Decimal("-0.01")]),
    pa.array([[("k", 1)], None, []], pa.map_(pa.string(), pa.int64())), pa.array(["a", None, "a"]).dictionary_encode(),
    pa.array([[1.0, 2.0], None, [3.0, 4.0]], pa.list_(pa.float64(), 2)), pa.array([True, None, False]),
    pa.array([1, None, 3], pa.uint8()), pa.array([1.5, None, 3], pa.float32()),
])
def test_every_type_passes_through_and_is_shown(shared_shop, value):
    spine = TABLE.drop(["note"]).append_column("value", value)
    job = shared_shop.get_historical_features(spine, features=["user_activity"])
    assert job.to_arrow()["value"].to_pylist() == value.to_pylist()
    assert job.rows().cells(2, 0, 3) == value.to_pylist()
    assert "value" in job._repr_html_()


def test_words_that_are_null(shared_shop):
    """Arrow's dictionaries may have null among their words; pandas' categories may not."""
    pandas = pytest.importorskip("pandas")
    from viand import tables_out

    words = pa.DictionaryArray.from_arrays(pa.array([0, None, 1], pa.int8()), pa.array(["a", None]))
    keys = pa.DictionaryArray.from_arrays(pa.array([0, 1, 2], pa.int8()), pa.array([1, None, 9]))
    job = shared_shop.get_historical_features(pa.table({"user_id": keys, "event_timestamp": TABLE["event_timestamp"], "w": words}), features=["user_activity:n_events"])
    for made in (job.to_df(), tables_out.by_columns(job.rows())):
        assert made["w"].isna().tolist() == [False, True, True] and made["w"][0] == "a" and isinstance(made["w"].dtype, pandas.CategoricalDtype)
        assert made["user_id"].isna().tolist() == [False, True, False] and made["n_events"].tolist()[0] == 2


def test_what_pandas_cannot_hold(shared_shop):
    pytest.importorskip("pandas")
    union = pa.UnionArray.from_sparse(pa.array([0, 1, 0], pa.int8()), [pa.array([1, 2, 3]), pa.array(["a", "b", "c"])])
    job = shared_shop.get_historical_features(TABLE.append_column("u", union), features=["user_activity"])
    assert job.to_arrow()["u"].to_pylist() == [1, "b", 3]
    with pytest.raises(viand.InputError, match="pandas cannot hold the rows: .*union"):
        job.to_df()


def test_what_gives_no_stream(shared_shop):
    class Given:
        def __arrow_c_stream__(self, requested_schema=None):
            return None

    with pytest.raises(viand.InputError, match="gave None as its Arrow stream"):
        shared_shop.get_historical_features(Given(), features=["user_activity"])
    if "polars" in INSTALLED:
        import polars as pl
        frame = pl.DataFrame({"user_id": [1], "event_timestamp": AT[:1], "o": pl.Series([object()], dtype=pl.Object)})
        with pytest.raises(viand.InputError, match='column "o" of entity_df has the type Object of polars'):
            shared_shop.get_historical_features(frame, features=["user_activity"])
