"""The peers of bench/asof in .venv, and the floor: each is a program that reads the three files and writes the result.

  asof_peers.py duckdb|polars|floor|windows-floor FOLDER OUT THREADS
  asof_peers.py duckdb|streamed-floor FOLDER OUT THREADS MEMORY      within a budget, as 1GiB; what does not fit lies beside OUT

Each is written as its documentation has it, with the options that made it quickest: DuckDB need not keep the order of
rows, Polars is told that the features are sorted and sorts nothing back.
"""

import os
import sys

VIEWS = {"a": ["a_i0", "a_i1", "a_d0", "a_d1"], "b": ["b_i0", "b_i1", "b_i2", "b_d0", "b_d1"]}


def duckdb(folder, out, threads, memory=None):
    import duckdb

    config = {"threads": threads, "preserve_insertion_order": False}
    if memory:
        config |= {"memory_limit": memory, "temp_directory": f"{out}.spill"}
    connection = duckdb.connect(config=config)
    connection.execute("set TimeZone = 'UTC'")
    connection.execute(f"""
        copy (
          select s.*, {', '.join(column for columns in VIEWS.values() for column in columns)}
          from '{folder}/spine.parquet' s
          asof left join '{folder}/a.parquet' a on s.entity_id = a.entity_id and s.event_timestamp >= a.event_timestamp
          asof left join '{folder}/b.parquet' b on s.entity_id = b.entity_id and s.event_timestamp >= b.event_timestamp
        ) to '{out}' (format parquet, compression snappy)""")


def polars(folder, out, threads):
    os.environ["POLARS_MAX_THREADS"] = str(threads)  # read when the module is loaded
    import polars

    joined = polars.scan_parquet(f"{folder}/spine.parquet").sort("event_timestamp")
    for view in VIEWS:
        features = polars.scan_parquet(f"{folder}/{view}.parquet")
        if not folder.endswith("-sorted"):  # these are sorted within each key, which is all that the join needs
            features = features.set_sorted("event_timestamp")
        joined = joined.join_asof(features, on="event_timestamp", by="entity_id", check_sortedness=False)
    joined.collect(engine="streaming").write_parquet(out, compression="snappy")


def write_as_viand(result, out):
    import pyarrow.parquet

    pyarrow.parquet.write_table(result, out, compression="snappy", use_dictionary=False, row_group_size=1 << 16)


def streamed_floor(folder, out, threads, memory):
    """The floor of what does not fit into memory: all columns are read and forgotten, and the result is written batch by batch."""
    import pyarrow
    import pyarrow.parquet

    pyarrow.set_cpu_count(threads)
    rows, features, writer = 1 << 16, {}, None
    for view, columns in VIEWS.items():
        for batch in pyarrow.parquet.ParquetFile(f"{folder}/{view}.parquet").iter_batches(rows):
            for column in columns:
                features.setdefault(column, batch[column])
    for batch in pyarrow.parquet.ParquetFile(f"{folder}/spine.parquet").iter_batches(rows):
        found = {name: values[:batch.num_rows] for name, values in features.items()}
        table = pyarrow.table({**dict(zip(batch.schema.names, batch.columns)), **found})
        writer = writer or pyarrow.parquet.ParquetWriter(out, table.schema, compression="snappy", use_dictionary=False)
        writer.write_table(table)
    writer.close()


def floor(folder, out, threads):
    """No join at all: every column is read, and as many rows as the spine has are written as viand writes its own."""
    import pyarrow
    import pyarrow.parquet

    pyarrow.set_cpu_count(threads)
    result = pyarrow.parquet.read_table(f"{folder}/spine.parquet")
    for view, columns in VIEWS.items():
        features = pyarrow.parquet.read_table(f"{folder}/{view}.parquet")
        for column in columns:
            result = result.append_column(column, features[column][:result.num_rows])
    write_as_viand(result, out)


def windows_floor(folder, out, threads):
    """The floor of bench/windows: the columns of one view that it reads, and 15 columns of results."""
    import pyarrow
    import pyarrow.parquet

    pyarrow.set_cpu_count(threads)
    result = pyarrow.parquet.read_table(f"{folder}/spine.parquet")
    events = pyarrow.parquet.read_table(f"{folder}/a.parquet", columns=["entity_id", "event_timestamp", "a_d0"])
    values, counts = events["a_d0"][:result.num_rows], result["label"]
    for days in (7, 30, 90):
        for function in ("count", "sum", "min", "max", "avg"):
            result = result.append_column(f"{function}_{days}", counts if function == "count" else values)
    write_as_viand(result, out)


PROGRAMS = {"duckdb": duckdb, "polars": polars, "floor": floor, "streamed-floor": streamed_floor, "windows-floor": windows_floor}

if __name__ == "__main__":
    PROGRAMS[sys.argv[1]](sys.argv[2], sys.argv[3], int(sys.argv[4]), *sys.argv[5:])
