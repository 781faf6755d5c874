"""The data of bench/asof and bench/windows: two feature tables and a spine of random rows, the same on every machine.

  asof_data.py SIZE FOLDER      writes FOLDER/{a,b,spine}.parquet

a has two integers and two doubles a row, b three and two; keys uniform, times ascending in the file (us, UTC); the
spine's times are in no order. Snappy, row groups of 1 Mi rows: what pyarrow writes.
"""

import os
import sys
from pathlib import Path

import numpy
import pyarrow
import pyarrow.parquet

ROWS_ENTITIES_SPINE = {"S": (1_000_000, 100_000, 200_000), "M": (20_000_000, 1_000_000, 5_000_000),
                       "dense": (20_000_000, 10_000, 5_000_000)}
START_US = 1_600_000_000_000_000
SPAN_US = 365 * 86_400 * 1_000_000


def times(random, rows):
    return START_US + random.integers(0, SPAN_US, rows)


def as_timestamps(times_us):
    return pyarrow.array(times_us, pyarrow.timestamp("us", "UTC"))


def write(columns, path):
    # Under another name first: a generator that is stopped leaves no file that looks finished.
    unfinished = path.with_suffix(".unfinished")
    pyarrow.parquet.write_table(pyarrow.table(columns), unfinished, compression="snappy", row_group_size=1 << 20)
    os.replace(unfinished, path)


def generate(size, folder):
    rows, entities, spine_rows = ROWS_ENTITIES_SPINE[size]
    random = numpy.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    for view, integers in (("a", 2), ("b", 3)):
        columns = {"entity_id": random.integers(0, entities, rows),
                   "event_timestamp": as_timestamps(numpy.sort(times(random, rows)))}
        columns |= {f"{view}_i{i}": random.integers(0, 1_000_000, rows) for i in range(integers)}
        columns |= {f"{view}_d{i}": random.random(rows) for i in range(2)}
        write(columns, folder / f"{view}.parquet")
    write({"entity_id": random.integers(0, entities, spine_rows), "event_timestamp": as_timestamps(times(random, spine_rows)),
           "label": random.integers(0, 2, spine_rows)}, folder / "spine.parquet")


if __name__ == "__main__":
    generate(sys.argv[1], Path(sys.argv[2]))
