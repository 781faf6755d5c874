"""The cases in which Feast's offline stores disagree, lose rows or fail (with 0.67: dask is its file store, duckdb, ray, and the SQL
templates of PostgreSQL): one test each, against plain Python. viand's rule: one output row a spine row, in its order; the latest
row not after t and not older than the ttl, both inclusive; ties by created, then by the source's order; null where nothing matches."""

import time

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lookups import Lookups

HOUR = 3600
DAY = 24 * HOUR


def at(*seconds, unit="us", zone="UTC"):
    return pa.array([None if each is None else each * {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit] for each in seconds],
                    pa.timestamp(unit, zone))


def spine_of(keys, times, **more):
    return pa.table({"user": pa.array(keys, pa.int64()), "event_timestamp": at(*times), **more})


def rows_of(keys, times, values=None, **more):
    return pa.table({"user": pa.array(keys, pa.int64()), "ts": at(*times),
                     "v": pa.array(range(1, len(keys) + 1) if values is None else values, pa.int64()), **more})


@pytest.fixture
def lookups(viand, tmp_path):
    return Lookups(viand, tmp_path)


def found_by(lookups, spine, rows, expected, *options, **contract):
    """One view of these rows by user; what is found is what is expected, by plain Python too, beside an untouched spine."""
    lookups.add("view", rows, ["user"], **contract)
    found = lookups.retrieve(spine, *options)
    assert found.select(spine.column_names).equals(spine)
    assert found["view__v"].to_pylist() == expected
    assert lookups.expected("view", spine, created_not_after="--created-not-after" in options) == expected
    return found


def test_ttl_bounds_are_both_inclusive(lookups):
    """ray knows no ttl."""
    found_by(lookups, spine_of([1] * 5, [99, 100, 100 + DAY - 1, 100 + DAY, 101 + DAY]), rows_of([1], [100]), [None, 1, 1, 1, None], ttl="1d")


@pytest.mark.parametrize("ttl", ["0d", "0s"])
def test_ttl_of_zero_is_no_bound(lookups, ttl):
    found_by(lookups, spine_of([1, 1], [-1, 400 * 365 * DAY]), rows_of([1], [0]), [None, 1], ttl=ttl)


def test_a_view_without_ttl_has_no_bound(lookups):
    lookups.add("view", rows_of([1], [0]), ["user"])
    lookups.apply()
    definitions = lookups.folder / "definitions.yaml"
    definitions.write_text(definitions.read_text().replace("ttl: 0d, ", ""))
    assert lookups.retrieve(spine_of([1, 1], [-1, 400 * 365 * DAY]))["view__v"].to_pylist() == [None, 1]


def test_ties_of_time_go_to_the_latest_created(lookups):
    rows = rows_of([1] * 4, [10] * 4, made=at(7, 9, 8, None))
    found_by(lookups, spine_of([1], [10]), rows, [2], created="made")


def test_full_ties_go_to_the_last_row_and_give_one(lookups):
    """SQL templates return both rows; the file store takes any after an unstable sort."""
    rows = rows_of([1] * 50 + [2] * 50, [10] * 100, made=at(*[5] * 100))
    found_by(lookups, spine_of([2, 1], [10, 11]), rows, [100, 50], created="made")


def test_full_ties_across_row_groups_and_files(lookups):
    """Row order is (name of the file, row in the file), however the rows lie."""
    for name, values in (("b", [3, 4]), ("a", [1, 2]), ("c", [5])):
        (lookups.folder / "view.parquet").mkdir(exist_ok=True)
        pq.write_table(rows_of([1] * len(values), [10] * len(values), values), lookups.folder / f"view.parquet/{name}.parquet", row_group_size=1)
    lookups.views["view"] = (rows_of([1] * 5, [10] * 5), ["user"], ["user"], ["v"], "", {})
    for options in ([], ["--threads", "4", "--partitions", "3"], ["--threads", "1", "--batch-rows", "1"]):
        assert lookups.retrieve(spine_of([1], [10]), *options)["view__v"].to_pylist() == [5]


def test_rows_that_are_all_expired_or_future_keep_the_spine_row(lookups):
    """The file store drops the spine's row without a word."""
    found_by(lookups, spine_of([1, 2, 3], [10 * DAY] * 3), rows_of([1, 2, 2, 3], [0, 11 * DAY, 1, 10 * DAY]), [None, None, 4], ttl="2d")


def test_keys_without_rows_keep_the_spine_row(lookups):
    found_by(lookups, spine_of([1, 2], [5, 5]), rows_of([2], [5]), [None, 1])


def test_a_view_without_any_row(lookups):
    """ray then returns no rows at all."""
    found = found_by(lookups, spine_of([1, 2], [5, 5], label=pa.array([0, 1])), rows_of([], []), [None, None])
    assert found["view__v"].type == pa.int64()


def test_duplicate_spine_rows_are_kept(lookups):
    """The file store and ray make one of (key, time) with two labels."""
    spine = spine_of([1, 1, 1, 2], [5, 5, 5, 5], label=pa.array([0, 1, 0, 1]))
    found_by(lookups, spine, rows_of([1], [5]), [1, 1, 1, None])


def test_views_of_different_keys_lose_no_row(lookups):
    """Spine rows that are equal on the first view's key: the file store drops them."""
    spine = pa.table({"user": [1, 1, 1], "shop": ["a", "b", "b"], "event_timestamp": at(5, 5, 5), "label": [1, 2, 3]})
    lookups.add("by_user", rows_of([1], [5]), ["user"])
    lookups.add("by_shop", pa.table({"shop": ["a", "b"], "ts": at(4, 5), "v": [7, 8]}), ["shop"])
    lookups.add("by_both", pa.table({"shop": ["b"], "user": [1], "ts": at(3), "v": [9]}), ["shop", "user"])
    found = lookups.retrieve(spine)
    assert found.select(spine.column_names).equals(spine)
    assert [found[f"{name}__v"].to_pylist() for name in lookups.views] == [[1, 1, 1], [7, 8, 8], [None, 9, 9]]
    for name in lookups.views:
        assert found[f"{name}__v"].to_pylist() == lookups.expected(name, spine)


def test_null_keys_match_nothing_and_keep_their_row(lookups):
    """ray drops them; a null is not equal to a null."""
    found_by(lookups, spine_of([None, 1, None], [5, 5, 5]), rows_of([None, 1, None], [5, 5, 4]), [None, 2, None])


def test_a_null_in_one_of_several_keys(lookups):
    spine = pa.table({"a": pa.array([1, None, 1, None]), "b": pa.array(["x", "x", None, None]), "event_timestamp": at(5, 5, 5, 5)})
    rows = pa.table({"a": pa.array([1, None, 1, None]), "b": pa.array(["x", "x", None, None]), "ts": at(1, 1, 1, 1), "v": [1, 2, 3, 4]})
    lookups.add("view", rows, ["a", "b"])
    assert lookups.retrieve(spine)["view__v"].to_pylist() == [1, None, None, None]


@pytest.mark.parametrize("type_", [pa.int64(), pa.string(), pa.null()], ids=str)
def test_keys_that_are_all_null(lookups, type_):
    spine = pa.table({"user": pa.nulls(3, type_), "event_timestamp": at(5, 5, 5)})
    lookups.add("view", rows_of([1], [5]) if type_ != pa.string() else
                pa.table({"user": ["a"], "ts": at(5), "v": [1]}), ["user"])
    found = lookups.retrieve(spine)
    assert found["view__v"].to_pylist() == [None] * 3
    assert found["user"].type == type_


def test_output_is_in_the_order_of_the_spine(lookups):
    """The file store puts it in the order of the features' times."""
    keys, times = [3, 1, 2, 1, 3], [30, 10, 99, 50, 1]
    spine = spine_of(keys, times, label=pa.array(["c", "a", "b", "a", "c"]))
    found_by(lookups, spine, rows_of([1, 2, 3], [40, 20, 0]), [3, None, 2, 1, 3])


def test_naive_times_are_utc_on_either_side(lookups):
    rows = rows_of([1, 1], [10 * HOUR, 11 * HOUR])
    lookups.add("zoned", rows, ["user"])
    lookups.add("naive", rows.set_column(1, "ts", at(10 * HOUR, 11 * HOUR, zone=None)), ["user"])
    lookups.add("berlin", rows.set_column(1, "ts", at(10 * HOUR, 11 * HOUR, zone="Europe/Berlin")), ["user"])
    for zone in (None, "UTC", "Europe/Berlin", "+05:30"):
        spine = pa.table({"user": [1, 1], "event_timestamp": at(11 * HOUR - 1, 11 * HOUR, zone=zone)})
        found = lookups.retrieve(spine)
        assert [found[f"{name}__v"].to_pylist() for name in lookups.views] == [[1, 2]] * 3, zone


def test_the_spine_time_column_can_have_any_name(lookups):
    lookups.add("view", rows_of([1], [5]), ["user"])
    spine = spine_of([1, 1], [4, 5]).rename_columns(["user", "moment"])
    assert lookups.retrieve(spine, "--timestamp-column", "moment")["view__v"].to_pylist() == [None, 1]
    error = lookups.fails(spine)
    assert error == ('error: no column "event_timestamp" in spine spine.arrow\n'
                     '  hint: it has: user, moment\n'), error


def test_without_a_spine_every_key_as_of_the_end(lookups):
    """The duckdb store fails with a TypeError."""
    lookups.add("view", rows_of([1, 1, 2, 3], [5, 6, 7, 9]), ["user"])
    lookups.apply()
    out = lookups.folder / "range.parquet"
    lookups.viand.json(lookups.folder, "historical", "--features", "view", "--start", "1970-01-01", "--end", "1970-01-01 00:00:08", "-o", out)
    assert pq.read_table(out).select(["user", "v"]).to_pydict() == {"user": [1, 2], "v": [2, 3]}


def test_a_view_without_entities(lookups):
    """A cross join in the file store, which drops spine rows before the first row."""
    lookups.add("rates", pa.table({"ts": at(10, 20, 20, None), "v": [1, 2, 3, 4]}), [], ttl="1d")
    lookups.add("scores", rows_of([1], [15]), ["user"])
    spine = spine_of([1, None, 2, 1, 1], [9, 10, 20, 20 + DAY, 21 + DAY])
    found = lookups.retrieve(spine)
    assert found["rates__v"].to_pylist() == [None, 1, 3, 3, None] == lookups.expected("rates", spine)
    assert found["scores__v"].to_pylist() == [None, None, None, 1, 1]
    alone = pa.table({"event_timestamp": at(9, 10, 20)})
    assert lookups.retrieve(alone, views=["rates"])["rates__v"].to_pylist() == [None, 1, 3]


def test_features_older_than_an_hour_are_found(lookups):
    """Above its threshold ray looks into the hour of the spine's row only."""
    keys = [i % 500 for i in range(5000)]
    rows = rows_of(keys, [i // 500 * HOUR for i in range(5000)])
    spine = spine_of(list(range(500)), [(i % 20 + 1) * HOUR - 1 for i in range(500)])
    found_by(lookups, spine, rows, [i + 1 + 500 * min(i % 20, 9) for i in range(500)])


def test_sources_in_any_order(lookups):
    """ray sorts the right side by (key, time), which pandas refuses."""
    rows = rows_of([3, 1, 2, 1, 3, 2, 1], [7, 30, 5, 10, 1, 50, 20])
    found_by(lookups, spine_of([1, 1, 1, 2, 3], [10, 29, 30, 49, 6]), rows, [4, 7, 2, 3, 5])


def test_a_key_of_many_rows_does_not_fan_out(lookups):
    """The file store joins every spine row with all rows of its key before it filters: 4 * 10^10 here."""
    count = 200_000
    rows = rows_of([1] * count, range(count))
    spine = spine_of([1] * count, [(i * 7919) % count for i in range(count)])
    lookups.add("view", rows, ["user"])
    start = time.monotonic()
    found = lookups.retrieve(spine, form=".parquet")
    assert time.monotonic() - start < 20
    assert found["view__v"].to_pylist() == [(i * 7919) % count + 1 for i in range(count)]


def test_keys_do_not_run_together(lookups):
    """PostgreSQL's template glues them: ("1", "11") and ("11", "1") are one row there."""
    spine = pa.table({"a": ["1", "11", "", "1|1"], "b": ["11", "1", "111", "1"], "event_timestamp": at(5, 5, 5, 5)})
    rows = pa.table({"a": ["11", "1", "111", "1"], "b": ["1", "11", "", "1|1"], "ts": at(1, 2, 3, 4), "v": [1, 2, 3, 4]})
    lookups.add("view", rows, ["a", "b"])
    assert lookups.retrieve(spine)["view__v"].to_pylist() == [2, 1, None, None] == lookups.expected("view", spine)


def test_ttl_of_mixed_units_is_exact(lookups):
    """SQL engines cut it to whole seconds, and the duckdb store cannot read 25 hours."""
    edge = 25 * HOUR
    found_by(lookups, spine_of([1] * 3, [edge - 1, edge, edge + 1]), rows_of([1], [0]), [1, 1, None], ttl="25h")


def test_features_that_a_query_would_name_alike(lookups):
    lookups.add("one", rows_of([1], [1]), ["user"])
    lookups.add("two", rows_of([1], [2]), ["user"])
    spine = spine_of([1], [5])
    error = lookups.fails(spine)
    assert error == ('error: feature views "one" and "two" both have a feature "v": two columns of the result would have one name\n'
                     "  hint: --full-feature-names names the columns view__feature\n")
    assert lookups.retrieve(spine).column_names == ["user", "event_timestamp", "one__v", "two__v"]


def test_a_feature_named_as_a_column_of_the_spine(lookups):
    lookups.add("one", rows_of([1], [1]), ["user"])
    error = lookups.fails(spine_of([1], [5], v=pa.array([1])))
    assert error == ('error: two columns of the result are named "v": one of spine spine.arrow, one of feature view "one"\n'
                     "  hint: --full-feature-names names features view__feature; so does an alias in a feature service\n")
    assert lookups.retrieve(spine_of([1], [5], v=pa.array([1]))).column_names[-1] == "one__v"


def test_join_key_map_and_aliases(lookups):
    """The same view twice, by two columns of the spine; an alias is prefix enough."""
    lookups.add("users", rows_of([1, 2, 2], [1, 2, 9]), ["user"])
    lookups.services = """
feature_services:
  - name: pairs
    features:
      - {view: users, alias: buyer, join_key_map: {user: buyer_id}}
      - {view: users, alias: seller, join_key_map: {user: seller_id}}
"""
    spine = pa.table({"buyer_id": pa.array([1, 2, 7, None], pa.int32()), "seller_id": pa.array([2, 2, 1, 1], pa.uint8()), "event_timestamp": at(5, 9, 5, 0)})
    for options in ([], ["--full-feature-names"]):
        found = lookups.retrieve(spine, "--service", "pairs", *options)
        assert found.column_names == ["buyer_id", "seller_id", "event_timestamp", "buyer__v", "seller__v"]
        assert found["buyer__v"].to_pylist() == [1, 3, None, None]
        assert found["seller__v"].to_pylist() == [2, 3, 1, None]
    error = lookups.fails(spine.drop_columns("seller_id"), "--service", "pairs")
    assert error == 'error: no column "seller_id" in spine spine.arrow\n  hint: it has: buyer_id, event_timestamp\n', error


def test_two_keys_swapped_by_a_map(lookups):
    rows = pa.table({"origin": ["a", "b"], "target": ["b", "a"], "ts": at(1, 1), "v": [1, 2]})
    lookups.add("lanes", rows, ["origin", "target"])
    lookups.services = """
feature_services:
  - name: both
    features:
      - lanes
      - {view: lanes, alias: back, join_key_map: {origin: target, target: origin}}
"""
    spine = pa.table({"origin": ["a", "b", "a"], "target": ["b", "a", "c"], "event_timestamp": at(5, 5, 5)})
    found = lookups.retrieve(spine, "--service", "both")
    assert found["v"].to_pylist() == [1, 2, None]
    assert found["back__v"].to_pylist() == [2, 1, None]


def test_field_mapping_renames_keys_times_and_features(lookups):
    rows = pa.table({"usr": pa.array([1, 1, 2], pa.int64()), "stamp": at(1, 5, 5), "loaded": at(2, 6, 6), "val": [1, 2, 3], "v": ["no", "no", "no"]})
    lookups.add("view", rows, ["user"], ts="ts", created="made", more=", field_mapping: {usr: user, stamp: ts, loaded: made, val: v, v: old_v}")
    spine = spine_of([1, 1, 2], [4, 5, 9])
    assert lookups.retrieve(spine)["view__v"].to_pylist() == [1, 2, 3]
    assert lookups.retrieve(spine, "--created-not-after")["view__v"].to_pylist() == [1, 1, 3]


def test_created_not_after(lookups):
    """Feast's filter_by_created_timestamp, which its remote store refuses: a row that was not yet known is no row."""
    rows = rows_of([1] * 4, [10, 20, 30, 30], made=at(12, 50, None, 31))
    found_by(lookups, spine_of([1] * 5, [11, 12, 30, 31, 50]), rows, [None, 1, 1, 4, 4], "--created-not-after", created="made")


def test_integers_stay_integers_where_some_are_null(lookups):
    """pandas makes doubles of them: 2^53 + 1 is lost."""
    big = 2 ** 53 + 1
    columns = {f"c{type_}": pa.array([1], type_) for type_ in (pa.int8(), pa.int16(), pa.int32(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())}
    columns |= {"flag": pa.array([True]), "day": pa.array([20_000], pa.int32()).cast(pa.date32())}
    lookups.add("view", rows_of([1], [1], [big], **columns), ["user"], features=["v", *columns])
    found = lookups.retrieve(spine_of([1, 2], [5, 5]))
    assert found["view__v"].to_pylist() == [big, None]
    for name, column in columns.items():
        assert found[f"view__{name}"].type == column.type
        assert found[f"view__{name}"].to_pylist() == [column[0].as_py(), None]


def test_nanoseconds_of_pandas(lookups):
    """Feast's duckdb store cannot materialize what pandas writes."""
    rows = rows_of([1, 1], [1, 2]).set_column(1, "ts", pa.array([1_000_000_001, 2_000_000_000], pa.timestamp("ns")))
    spine = pa.table({"user": [1, 1], "event_timestamp": pa.array([1_000_000_000, 1_000_000_001], pa.timestamp("ns"))})
    found_by(lookups, spine, rows, [None, 1])


def test_null_times_match_nothing(lookups):
    found_by(lookups, spine_of([1, 1], [None, 5]), rows_of([1, 1], [None, 5]), [None, 2])


def test_a_spine_without_rows(lookups):
    found = found_by(lookups, spine_of([], []), rows_of([1], [5]), [])
    assert found.schema.names == ["user", "event_timestamp", "view__v"] and found["view__v"].type == pa.int64()


def test_no_features_asked_for(lookups):
    lookups.add("view", rows_of([1], [5]), ["user"])
    lookups.apply()
    code, out, error = lookups.viand.call(lookups.folder, "historical", "--spine", lookups.folder / "view.parquet", "-o", "-")
    assert (code, out) == (2, "")
    assert error == "error: no features were asked for\n  hint: give --features view:feature,... or --service NAME\n", error


def test_the_same_feature_twice(lookups):
    lookups.add("view", rows_of([1], [5]), ["user"])
    error = lookups.fails(spine_of([1], [5]), views=["view:v", "view:v"])
    assert error == ('error: the feature "v" of feature view "view" is asked for twice\n'
                     "  hint: ask for it once, or give one of its references in the service an alias\n")


@pytest.mark.parametrize(("type_", "said"), [(pa.float64(), "double"), (pa.float32(), "float"), (pa.float16(), "halffloat"),
                                             (pa.list_(pa.int64()), "list<element: int64>"), (pa.struct([("x", pa.int64())]), "struct<x: int64>")],
                         ids=str)
def test_keys_that_cannot_be_compared_exactly(lookups, type_, said):
    """Refused where they are defined and where they are asked for, before anything is read."""
    lookups.add("view", rows_of([1], [5]), ["user"])
    value = {"x": 1} if pa.types.is_struct(type_) else [1] if pa.types.is_list(type_) else 1
    spine = pa.table({"user": pa.array([value], type_), "event_timestamp": at(5)})
    error = lookups.fails(spine)
    assert error.startswith('error: the key column "user" of spine spine.arrow is of type ') and "which cannot be a key\n  hint: " in error, error
