"""pandas in and out: every kind of column that a DataFrame has, with pyarrow and without it."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import viand
from shop_fixture import shared_shop, shop_files  # noqa: F401

AT = pd.to_datetime(["2026-01-09", "2026-01-25", None])


def pass_through(store, values, **columns):
    """What a column of the spine comes back as; (the frame, the type that the engine saw)."""
    frame = pd.DataFrame({"user_id": np.arange(len(values), dtype="int64"),
                          "event_timestamp": pd.to_datetime(["2026-01-09"] * len(values)), "value": values, **columns})
    job = store.get_historical_features(frame, features=["user_activity:n_events"])
    return job.to_df(), {name: kind for name, kind, _ in job.rows().fields()}["value"]


def test_features_of_a_frame(shared_shop):
    frame = pd.DataFrame({"user_id": [1, 2, 9], "at": [AT[0], AT[1], AT[1]], "note": ["a", None, "c"]}, index=[7, 7, 3])
    got = shared_shop.get_historical_features(frame, features=["user_activity"]).to_df()
    assert list(got.columns) == ["user_id", "at", "note", "n_events", "total_amount", "days_since_last"]
    assert list(got.index) == [0, 1, 2] and got["user_id"].dtype == "int64"
    assert got["n_events"].tolist()[:2] == [2, 2] and np.isnan(got["n_events"][2]) and got["n_events"].dtype == "float64"
    assert got["note"].tolist()[0] == "a" and pd.isna(got["note"][1])


@pytest.mark.parametrize("values, kind", [
    (np.array([1, 2], "int8"), "int8"), (np.array([1, 2], "uint64"), "uint64"), (np.array([1.5, 2], "float32"), "float"),
    (np.array([1, 2], ">i4"), "int32"), (np.array([True, False]), "bool"),
    (pd.array([1, None], "Int64"), "int64"), (pd.array([1.5, None], "Float64"), "double"),
    (pd.array([True, None], "boolean"), "bool"), (pd.array(["a", None], "string"), None),
    (pd.Categorical(["b", "a"], ["a", "b"]), None), (pd.Categorical(["b", None]), None),
    (pd.to_datetime(["2026-01-01", None]), None), (pd.to_timedelta(["1d", None]), None),
    (pd.to_datetime(["2026-01-01 12:00", None]).tz_localize("Europe/Berlin"), None),
    (pd.Series(pd.arrays.SparseArray([1, 0])), "int64"),
])
def test_columns_come_back_as_they_went(shared_shop, values, kind):
    got, seen = pass_through(shared_shop, values)
    assert kind in (None, seen)
    want = pd.Series(values)
    for one, other in zip(got["value"], want):
        assert (pd.isna(one) and pd.isna(other)) or one == other, (got["value"], want)


@pytest.mark.parametrize("values, kind", [
    (["a", None, "é"], "string"), ([b"a", None, b"\xff"], "binary"), ([1, None, 3], "int64"), ([1, 2.5, None], "double"),
    ([True, None, False], "bool"), ([None, float("nan"), pd.NaT], "null"), ([np.int64(1), None, 2], "int64"),
    ([dt.datetime(2026, 1, 1), None, pd.NaT], "timestamp[us]"),
    ([pd.Timestamp("2026-01-01 00:00:00.000000001"), None, None], "timestamp[ns]"),
])
def test_objects_have_the_type_of_their_values(shared_shop, values, kind):
    got, seen = pass_through(shared_shop, pd.Series(values, dtype=object))
    assert seen == kind
    for one, other in zip(got["value"], values):
        assert (pd.isna(one) and pd.isna(other)) or one == other


def test_moments_with_and_without_a_zone_are_put_into_utc(shared_shop):
    zone = dt.timezone(dt.timedelta(hours=5, minutes=30))
    mixed = [dt.datetime(2026, 1, 9, 12), dt.datetime(2026, 1, 9, 12, tzinfo=zone), None]
    got, seen = pass_through(shared_shop, pd.Series(mixed, dtype=object))
    assert seen == "timestamp[us, UTC]"
    assert got["value"][0].isoformat() == "2026-01-09T12:00:00+00:00" and got["value"][1].isoformat() == "2026-01-09T06:30:00+00:00"


def test_times_of_a_spine_in_any_unit_zone_and_kind_are_the_same_moment(shared_shop):
    moment = pd.Series(pd.to_datetime(["2026-01-15 08:00:00"]))
    forms = [moment.astype(f"datetime64[{unit}]") for unit in ("s", "ms", "us", "ns")]
    forms += [moment.dt.tz_localize("UTC").dt.tz_convert(zone) for zone in ("UTC", "Asia/Kolkata", dt.timezone(dt.timedelta(hours=-3)))]
    forms += [moment.astype(object), pd.Series([dt.datetime(2026, 1, 15, 8)], dtype=object)]
    for form in forms:
        frame = pd.DataFrame({"user_id": [2], "event_timestamp": form})
        got = shared_shop.get_historical_features(frame, features=["user_activity"]).to_df()
        assert got["total_amount"].tolist() == [3.0], form.dtype


@pytest.mark.parametrize("frame, text", [
    (pd.DataFrame({"user_id": ["1"], "event_timestamp": AT[:1]}), "user_id"),
    (pd.DataFrame({"user_id": [1.5], "event_timestamp": AT[:1]}), "user_id"),
    (pd.DataFrame({"user_id": [1], "event_timestamp": ["2026-01-01"]}), "event_timestamp"),
    (pd.DataFrame({"customer": [1], "event_timestamp": AT[:1]}), "user_id"),
    (pd.DataFrame({"user_id": [1], "event_timestamp": AT[:1], "w": [3 + 4j]}), 'column "w"'),
    (pd.DataFrame([[1, 2]], columns=["a", "a"]), 'two columns of entity_df have the name "a"'),
    (pd.DataFrame([[1, 2]], columns=["a", 5]), "the column 5 of entity_df has no text for a name"),
    (pd.DataFrame({"user_id": [1], "event_timestamp": AT[:1], "v": pd.Series(["a", 3][:1], dtype=object), "n_events": [1]}), "n_events"),
    (pd.DataFrame({"user_id": [1, 2], "event_timestamp": AT[:2], "v": pd.Series(["a", 3], dtype=object)}),
     'column "v" mixes types: row 0 has a str, row 1 an int'),
    (pd.DataFrame({"user_id": [1], "event_timestamp": AT[:1], "v": pd.period_range("2026", periods=1)}), 'column "v"'),
    (pd.DataFrame({"user_id": [1], "event_timestamp": AT[:1], "v": pd.Series([2 ** 70], dtype=object)}), "beyond 64 bits"),
    (pd.DataFrame({"user_id": [1], "event_timestamp": AT[:1], "v": pd.Series(["\ud800"], dtype=object)}), "no text that UTF-8 can have"),
    (pd.DataFrame(index=[1, 2]), "has no columns"),
    (pd.DataFrame({"user_id": [1, 2], "event_timestamp": AT[:2], "v": pd.Series([dt.date(2026, 1, 1), dt.datetime(2026, 1, 1, 8)], dtype=object)}),
     'column "v" mixes types: row 0 has a date among datetimes'),
    (pd.DataFrame({"user_id": [1], "event_timestamp": AT[:1]}).set_index("user_id"), "its index has user_id, and is left out: entity_df.reset_index()"),
    (pd.DataFrame({"user_id": [1], "event_timestamp": AT[:1], "v": [1]}).set_index(["user_id", "event_timestamp"]), "entity_df.reset_index() makes it columns"),
    (pd.DataFrame({"user_id": [1], "event_timestamp": AT[:1]}).set_index(["user_id", "event_timestamp"]), "entity_df.reset_index() makes it columns"),
    (pd.DataFrame([[1, 2]], columns=pd.MultiIndex.from_tuples([("a", "user_id"), ("b", "v")])), "has no text for a name"),
])
def test_what_does_not_fit_is_said(shared_shop, frame, text):
    with pytest.raises(viand.Error) as error:
        shared_shop.get_historical_features(frame, features=["user_activity"]).to_df()
    assert text in str(error.value)


def test_arrays_of_numpy_as_columns(shared_shop):
    """Strided, masked, of the other byte order, of moments: as they are, and what is no column is refused."""
    numbers = np.arange(12).reshape(6, 2)
    at = np.array(["2026-01-09", "2026-01-25", "2026-01-25"], ">M8[s]")
    columns = {"user_id": np.ma.array([1, 2, 9], mask=[0, 1, 0]), "event_timestamp": at, "every_other": numbers[::-2, 1], "flag": np.array([True, False] * 3)[::2],
               "text": np.ma.array(["a", "b", "c"], mask=[0, 0, 1]), "when": np.ma.array(at, mask=[1, 0, 0]),
               "exact": [np.datetime64("2026-01-01T00:00:00.000000001"), None, np.datetime64("NaT")]}
    job = shared_shop.get_historical_features(columns, features=["user_activity:n_events"])
    got = job.rows()
    cells = {name: got.cells(at, 0, 3) for at, (name, _, _) in enumerate(got.fields())}
    assert cells["user_id"] == [1, None, 9] and cells["n_events"] == [2, None, None]
    assert cells["every_other"] == [11, 7, 3] and cells["flag"] == [True, True, True] and cells["text"] == ["a", "b", None]
    assert cells["when"][0] is None and cells["when"][1] is not None and cells["exact"][1:] == [None, None]
    assert job.to_df()["exact"][0] == pd.Timestamp("2026-01-01 00:00:00.000000001")
    for odd, text in ((np.zeros(3, [("a", "i4")]), "several values a row"), ({1, 2, 9}, "a set, which has no order"), (numbers, "has 2 dimensions"),
                      (5, "one value of the type int"), ("abc", "one value of the type str")):
        with pytest.raises(viand.InputError, match=text):
            shared_shop.get_historical_features({**columns, "odd": odd}, features=["user_activity"])


def test_no_rows(shared_shop):
    frame = pd.DataFrame({"user_id": pd.Series([], dtype="int64"), "event_timestamp": pd.to_datetime([]),
                          "note": pd.Series([], dtype="category"), "flag": pd.Series([], dtype="bool"),
                          "word": pd.Series([], dtype="string")})
    got = shared_shop.get_historical_features(frame, features=["user_activity"]).to_df()
    assert len(got) == 0 and list(got.columns)[5:] == ["n_events", "total_amount", "days_since_last"]


def test_numbers_are_not_copied_on_their_way_in():
    from viand import _viand
    from viand.tables_in import to_stream

    values = np.arange(1000, dtype="int64")
    frame = pd.DataFrame({"v": values}, copy=False)
    # What a stream holds is the memory of the frame.
    assert np.shares_memory(frame["v"].to_numpy(), values)
    rows = _viand.read_stream(to_stream(frame))
    assert rows.column(0)[0][0].address == values.ctypes.data


def test_a_frame_lives_as_long_as_what_was_made_of_it(shared_shop):
    import gc

    frame = pd.DataFrame({"user_id": np.arange(1000), "event_timestamp": pd.to_datetime(["2026-01-09"] * 1000), "x": np.arange(1000.0)})
    job = shared_shop.get_historical_features(frame, features=["user_activity:n_events"])
    rows = job.rows()
    del frame, job
    gc.collect()
    assert rows.cells(2, 990, 1000) == [float(i) for i in range(990, 1000)]


@pytest.mark.parametrize("values", [
    np.array([1, 2], "int16"), pd.array([1, None], "Int64"), np.array([True, False]), pd.array([True, None], "boolean"),
    pd.to_datetime(["2026-01-01", None]).tz_localize("Europe/Berlin"), pd.to_timedelta(["1d", None]),
    pd.Categorical(["b", None]), pd.Series(["a", None], dtype=object), np.array([1.5, np.nan], "float32"),
])
def test_frames_are_the_same_with_and_without_pyarrow(shared_shop, monkeypatch, values):
    frame = pd.DataFrame({"user_id": [1, 2], "event_timestamp": AT[:2], "value": values})
    rows = shared_shop.get_historical_features(frame, features=["user_activity"]).rows()
    from viand import tables_out

    given = tables_out.to_pandas(rows)
    monkeypatch.setattr(tables_out, "installed", lambda name: None)
    own = tables_out.to_pandas(rows)
    pd.testing.assert_frame_equal(given, own)


def test_what_needs_pyarrow_names_it(shared_shop, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    frame = pd.DataFrame({"user_id": [1], "event_timestamp": AT[:1], "v": pd.Series([[1, 2]], dtype=object)})
    with pytest.raises(viand.MissingPackage, match=r'column "v" .*needs the package pyarrow, which is not installed\n  hint: pip install pyarrow'):
        shared_shop.get_historical_features(frame, features=["user_activity"])
