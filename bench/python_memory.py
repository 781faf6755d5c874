"""The programs of `bench/python`: features of a spine in memory, into memory, by engines of one process.

  python_memory.py FOLDER REPO OUT THREADS CALLS ENGINE...

ENGINE: arrow and pandas (viand, by what its rows come and go as), duckdb, polars, feast (its duckdb store, pandas). Each is
called CALLS times, the engines taking turns, feast once; every call prints "ENGINE SECONDS MB", the MB that the process had at most
during the call over what it had before it. Last the results go to OUT/ENGINE.parquet, for comparison. Views are read from
their files by all of them. Runs in .venv-feast with the package viand on its path.
"""

import gc
import os
import re
import sys
import time

from asof_feast import open_store
from asof_peers import VIEWS

FEATURES = [f"view_{view}:{column}" for view, columns in VIEWS.items() for column in columns]
KEPT_AS = {"arrow": "arrow", "duckdb": "arrow", "pandas": "pandas", "feast": "pandas", "polars": "polars"}


def spines(folder):
    """The spine as each engine takes it."""
    import polars
    import pyarrow.parquet

    arrow = pyarrow.parquet.read_table(f"{folder}/spine.parquet")
    return {"arrow": arrow, "pandas": arrow.to_pandas(), "polars": polars.from_arrow(arrow)}


def viand_call(repo, threads, give):
    import viand

    store = viand.FeatureStore(repo, threads=threads)
    return lambda spine: getattr(store.get_historical_features(spine, features=FEATURES), give)()


def duckdb_call(folder, threads):
    import duckdb

    connection = duckdb.connect(config={"threads": threads, "preserve_insertion_order": False})
    connection.execute("set TimeZone = 'UTC'")
    joins = "\n".join(f"asof left join '{folder}/{view}.parquet' {view} on s.entity_id = {view}.entity_id "
                      f"and s.event_timestamp >= {view}.event_timestamp" for view in VIEWS)
    columns = ", ".join(column for names in VIEWS.values() for column in names)

    def call(spine):
        connection.register("spine", spine)
        return connection.execute(f"select s.*, {columns} from spine s {joins}").to_arrow_table()

    return call


def polars_call(folder):
    import polars

    def call(spine):
        joined = spine.lazy().sort("event_timestamp")
        for view in VIEWS:
            features = polars.scan_parquet(f"{folder}/{view}.parquet").set_sorted("event_timestamp")
            joined = joined.join_asof(features, on="event_timestamp", by="entity_id", check_sortedness=False)
        return joined.collect(engine="streaming")

    return call


def feast_call(folder):
    store = open_store("duckdb", folder)
    return lambda spine: store.get_historical_features(entity_df=spine, features=FEATURES).to_df()


def calls_of(engines, folder, repo, threads):
    make = {"arrow": lambda: viand_call(repo, threads, "to_arrow"), "pandas": lambda: viand_call(repo, threads, "to_pandas"),
            "duckdb": lambda: duckdb_call(folder, threads), "polars": lambda: polars_call(folder),
            "feast": lambda: feast_call(folder)}
    return {engine: make[engine]() for engine in engines}


def status_mb(name):
    with open("/proc/self/status") as file:
        return int(re.search(rf"{name}:\s+(\d+)", file.read())[1]) / 1024


def measured(call, spine):
    """(seconds, MB at most over those before, what it gave)."""
    gc.collect()
    with open("/proc/self/clear_refs", "w") as file:
        file.write("5")  # VmHWM begins anew
    before = status_mb("VmRSS")
    start = time.perf_counter()
    result = call(spine)
    return time.perf_counter() - start, status_mb("VmHWM") - before, result


def write(result, kept_as, path):
    if kept_as == "polars":
        return result.write_parquet(path)
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.Table.from_pandas(result, preserve_index=False) if kept_as == "pandas" else result
    return pyarrow.parquet.write_table(table, path)


def main(folder, repo, out, threads, calls, *engines):
    os.environ["POLARS_MAX_THREADS"] = threads  # read when the module is loaded
    os.environ["OMP_NUM_THREADS"] = threads  # Arrow's
    rows = spines(folder)
    called = calls_of(engines, folder, repo, int(threads))
    for turn in range(int(calls)):
        for engine, call in called.items():
            if engine == "feast" and turn > 0:
                continue
            seconds, peak_mb, result = measured(call, rows[KEPT_AS[engine]])
            print(engine, seconds, peak_mb, flush=True)
            if turn == 0:
                write(result, KEPT_AS[engine], f"{out}/{engine}.parquet")
            del result


if __name__ == "__main__":
    main(*sys.argv[1:])
