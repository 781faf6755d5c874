"""The peers of bench/windows: count, sum, min, max and avg of a_d0 over 7, 30 and 90 days before each spine row.

  windows_peers.py duckdb-join|duckdb-range|polars FOLDER OUT THREADS
  windows_peers.py pandas-loop FOLDER OUT THREADS SPINE

Like viand's their windows are [t - w, t), and a row with nothing in 90 days is null throughout. pandas-loop is the
oracle: a filter a spine row, sums and averages as fractions that are rounded once.
"""

import os
import sys

DAYS = (7, 30, 90)
SPINE = "s.entity_id, s.event_timestamp, s.label"


def duckdb_connection(threads):
    import duckdb

    connection = duckdb.connect(config={"threads": threads, "preserve_insertion_order": False})
    connection.execute("set TimeZone = 'UTC'")
    return connection


def columns(aggregate):
    """The 15 columns in SQL; `aggregate(function, days)` is one of them."""
    return ", ".join(f"{aggregate(function, days)} as {function}_{days}"
                     for days in DAYS for function in ("count", "sum", "min", "max", "avg"))


def duckdb_join(folder, out, threads):
    """A range join over the longest window, a filter for each."""
    aggregates = columns(lambda function, days: f"{function}(a.a_d0) filter "
                                                f"(a.event_timestamp >= s.event_timestamp - interval {days} day)")
    # Rows with nothing in the longest window come in again by the outer join, as nulls.
    duckdb_connection(threads).execute(f"""
        copy (
          with spine as (select *, file_row_number as row from read_parquet('{folder}/spine.parquet', file_row_number = true)),
          found as (
            select s.row, {aggregates}
            from spine s join '{folder}/a.parquet' a on s.entity_id = a.entity_id
              and a.event_timestamp < s.event_timestamp and a.event_timestamp >= s.event_timestamp - interval 90 day
            group by s.row)
          select {SPINE}, found.* exclude (row) from spine s left join found on s.row = found.row
        ) to '{out}' (format parquet, compression snappy)""")


def duckdb_range(folder, out, threads):
    """Windows over events and spine rows together."""
    windows = ", ".join(f"w{days} as (partition by entity_id order by event_timestamp range between "
                        f"interval {days} day preceding and interval 1 microsecond preceding)" for days in DAYS)
    # A spine row's own value is null, so that one does not count for another.
    duckdb_connection(threads).execute(f"""
        copy (
          with rows as (
            select entity_id, event_timestamp, label, null::double as a_d0, true as asked from '{folder}/spine.parquet'
            union all
            select entity_id, event_timestamp, null, a_d0, false from '{folder}/a.parquet'),
          found as (
            select entity_id, event_timestamp, label, asked,
              {columns(lambda function, days: f"{function}(a_d0) over w{days}")} from rows window {windows})
          select * exclude (asked) replace ({', '.join(f"if(count_90 = 0, null, count_{days}) as count_{days}" for days in DAYS)})
          from found where asked
        ) to '{out}' (format parquet, compression snappy)""")


def polars(folder, out, threads):
    """A join by key, a filter, a group by the spine's row; rolling and group_by_dynamic are not as of other rows."""
    os.environ["POLARS_MAX_THREADS"] = str(threads)  # read when the module is loaded
    import polars

    spine = polars.scan_parquet(f"{folder}/spine.parquet").with_row_index("row")
    events = polars.scan_parquet(f"{folder}/a.parquet").select("entity_id", "a_d0", at="event_timestamp")
    age = polars.col("event_timestamp") - polars.col("at")
    pairs = spine.join(events, on="entity_id").filter(age > polars.duration(), age <= polars.duration(days=90))
    aggregates = []
    for days in DAYS:
        values = polars.col("a_d0").filter(age <= polars.duration(days=days))
        # The sum of nothing is null in SQL.
        aggregates += [values.count().cast(polars.Int64).alias(f"count_{days}"),
                       polars.when(values.count() > 0).then(values.sum()).alias(f"sum_{days}"),
                       values.min().alias(f"min_{days}"), values.max().alias(f"max_{days}"),
                       values.mean().alias(f"avg_{days}")]
    found = spine.join(pairs.group_by("row").agg(aggregates), on="row", how="left").drop("row")
    found.collect(engine="streaming").write_parquet(out, compression="snappy")


def pandas_loop(folder, out, threads, spine):
    from fractions import Fraction

    import pandas

    events = pandas.read_parquet(f"{folder}/a.parquet", columns=["entity_id", "event_timestamp", "a_d0"])
    rows = []
    for row in pandas.read_parquet(spine).itertuples(index=False):
        found = row._asdict()
        events_of_key = events[events["entity_id"] == row.entity_id]
        before = events_of_key[events_of_key["event_timestamp"] < row.event_timestamp]
        earliest = [row.event_timestamp - pandas.Timedelta(days=days) for days in DAYS]
        if (before["event_timestamp"] >= earliest[-1]).any():
            for days, start in zip(DAYS, earliest):
                values = before.loc[before["event_timestamp"] >= start, "a_d0"]
                found[f"count_{days}"] = len(values)
                if len(values):
                    total = sum(map(Fraction, values))
                    found |= {f"sum_{days}": float(total), f"min_{days}": values.min(), f"max_{days}": values.max(),
                              f"avg_{days}": float(total / len(values))}
        rows.append(found)
    pandas.DataFrame(rows).to_parquet(out)


if __name__ == "__main__":
    {"duckdb-join": duckdb_join, "duckdb-range": duckdb_range, "polars": polars, "pandas-loop": pandas_loop}[sys.argv[1]](
        sys.argv[2], sys.argv[3], int(sys.argv[4]), *sys.argv[5:])
