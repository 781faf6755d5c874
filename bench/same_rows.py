"""Compares two results of a retrieval; bench/asof and bench/windows call it before they measure.

  same_rows.py spine SPINE RESULT                     the spine's columns, untouched and in their order
  same_rows.py rows EXPECTED RESULT [COLUMN...]       the same rows in any order; prints "COMPARED LOST"

Integers and times are equal by value whatever their width or unit, doubles by their bits; the named columns are close
to 1e-9 of their value, for engines that round while they add. Rows that RESULT lacks are counted, not refused; a row of
its own or a value that differs is.
"""

import sys

import numpy
import polars

SPINE = ["entity_id", "event_timestamp", "label"]
TOLERANCE = 1e-9


def numbers(column):
    """(validity, values) with zeros in place of nulls, as int64 or float64."""
    if column.dtype.is_temporal():
        column = column.dt.timestamp("us")
    # pandas knows no null among doubles.
    column = column.fill_nan(None) if column.dtype.is_float() else column
    if column.dtype == polars.String:
        return column.is_not_null().to_numpy(), column.fill_null("").to_numpy()
    return column.is_not_null().to_numpy(), column.fill_null(0).to_numpy()


def differing(expected, found, close):
    """Which rows differ in one column."""
    (valid, values), (found_valid, found_values) = numbers(expected), numbers(found)
    if close:
        same = numpy.abs(values - found_values) <= TOLERANCE * numpy.maximum(numpy.abs(values), numpy.abs(found_values))
    elif values.dtype == found_values.dtype == numpy.float64:
        same = values.view(numpy.int64) == found_values.view(numpy.int64)
    else:
        same = values == found_values
    return ~(same & (valid == found_valid))


def require_same(expected, found, columns, close=()):
    for name in columns:
        rows = numpy.flatnonzero(differing(expected[name], found[name], name in close))
        if len(rows):
            first = int(rows[0])
            sys.exit(f"column {name}: {len(rows)} of {expected.height} values differ, the first at "
                     f"{dict(zip(SPINE, expected.select(SPINE).row(first)))}: expected {expected[name][first]}, "
                     f"found {found[name][first]}")


def spine_kept(spine, result):
    spine, result = polars.read_parquet(spine), polars.read_parquet(result)
    if spine.height != result.height:
        sys.exit(f"the spine has {spine.height} rows, the result {result.height}")
    require_same(spine, result, spine.columns)


def same_rows(expected, found, close):
    expected, found = polars.read_parquet(expected), polars.read_parquet(found)
    if set(expected.columns) != set(found.columns):
        sys.exit(f"expected columns {expected.columns}, found {found.columns}")
    found = found.with_columns(polars.col("event_timestamp").dt.cast_time_unit("us").dt.replace_time_zone("UTC"))
    rows = expected.height
    if found.height < rows:
        expected = expected.join(found.select(SPINE).unique(), on=SPINE, how="semi").unique(SPINE)
    if found.height != expected.height:
        sys.exit(f"{found.height} rows found, {expected.height} of them expected")
    require_same(expected.sort(SPINE), found.sort(SPINE), expected.columns, close)
    print(found.height, rows - found.height)


if __name__ == "__main__":
    if sys.argv[1] == "spine":
        spine_kept(*sys.argv[2:])
    else:
        same_rows(*sys.argv[2:4], close=sys.argv[4:])
