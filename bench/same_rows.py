"""Compares two results of a retrieval; bench/asof and bench/windows call it before they measure.

  same_rows.py spine SPINE RESULT                     the spine's columns, untouched and in their order
  same_rows.py rows EXPECTED RESULT [COLUMN...]       the same rows in any order; prints "COMPARED LOST"

Integers and times are equal by value whatever their width or unit, doubles by their bits; the named columns are close
to 1e-9 of their value, for engines that round while they add. Rows that RESULT lacks are counted, not refused; a row of
its own or a value that differs is. Tables of more than 8 M rows are compared key by key in parts, not whole in memory.
"""

import sys

import numpy
import polars

SPINE = ["entity_id", "event_timestamp", "label"]
TOLERANCE = 1e-9
ROWS_AT_A_TIME = 8_000_000


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
    spine, result = polars.scan_parquet(spine), polars.scan_parquet(result)
    columns = spine.collect_schema().names()
    rows, found = (table.select(polars.len()).collect().item() for table in (spine, result))
    if rows != found:
        sys.exit(f"the spine has {rows} rows, the result {found}")
    for first in range(0, rows, ROWS_AT_A_TIME):
        require_same(*(table.select(columns).slice(first, ROWS_AT_A_TIME).collect() for table in (spine, result)), columns)


def same_part(expected, found, close):
    """(rows compared, rows lost) of tables in memory."""
    found = found.with_columns(polars.col("event_timestamp").dt.cast_time_unit("us").dt.replace_time_zone("UTC"))
    rows = expected.height
    if found.height < rows:
        expected = expected.join(found.select(SPINE).unique(), on=SPINE, how="semi").unique(SPINE)
    if found.height != expected.height:
        sys.exit(f"{found.height} rows found, {expected.height} of them expected")
    require_same(expected.sort(SPINE), found.sort(SPINE), expected.columns, close)
    return found.height, rows - found.height


def same_rows(expected, found, close):
    expected, found = polars.scan_parquet(expected), polars.scan_parquet(found)
    names, found_names = expected.collect_schema().names(), found.collect_schema().names()
    if set(names) != set(found_names):
        sys.exit(f"expected columns {names}, found {found_names}")
    parts = expected.select(polars.len()).collect().item() // ROWS_AT_A_TIME + 1
    mine = [polars.col("entity_id").hash() % parts == part for part in range(parts)]
    counts = [same_part(expected.filter(wanted).collect(), found.filter(wanted).collect(), close) for wanted in mine]
    print(*map(sum, zip(*counts)))


if __name__ == "__main__":
    if sys.argv[1] == "spine":
        spine_kept(*sys.argv[2:])
    else:
        same_rows(*sys.argv[2:4], close=sys.argv[4:])
