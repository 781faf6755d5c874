"""The peers of `bench/asof --memory`: features and spine are tables of their own before the clock starts.

  asof_memory.py duckdb|polars FOLDER OUT THREADS      prints the seconds of the lookup; OUT: its result, for comparison
"""

import os
import sys
import time

from asof_peers import VIEWS

TABLES = ("spine", *VIEWS)


def duckdb(folder, out, threads):
    import duckdb

    connection = duckdb.connect(config={"threads": threads, "preserve_insertion_order": False})
    connection.execute("set TimeZone = 'UTC'")
    for table in TABLES:
        connection.execute(f"create table {table} as from '{folder}/{table}.parquet'")
    start = time.perf_counter()
    connection.execute(f"""
        create table result as
        select s.*, {', '.join(column for columns in VIEWS.values() for column in columns)}
        from spine s
        asof left join a on s.entity_id = a.entity_id and s.event_timestamp >= a.event_timestamp
        asof left join b on s.entity_id = b.entity_id and s.event_timestamp >= b.event_timestamp""")
    seconds = time.perf_counter() - start
    connection.execute(f"copy result to '{out}' (format parquet)")
    return seconds


def polars(folder, out, threads):
    os.environ["POLARS_MAX_THREADS"] = str(threads)  # read when the module is loaded
    import polars

    tables = {table: polars.read_parquet(f"{folder}/{table}.parquet") for table in TABLES}
    start = time.perf_counter()
    joined = tables["spine"].lazy().sort("event_timestamp")
    for view in VIEWS:
        features = tables[view].lazy()
        if not folder.endswith("-sorted"):
            features = features.set_sorted("event_timestamp")
        joined = joined.join_asof(features, on="event_timestamp", by="entity_id", check_sortedness=False)
    result = joined.collect()
    seconds = time.perf_counter() - start
    result.write_parquet(out)
    return seconds


if __name__ == "__main__":
    print({"duckdb": duckdb, "polars": polars}[sys.argv[1]](sys.argv[2], sys.argv[3], int(sys.argv[4])))
