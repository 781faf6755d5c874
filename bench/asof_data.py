"""The data of bench/asof and bench/windows: two feature tables and a spine of random rows, the same on every machine.

  asof_data.py SHAPE FOLDER     writes FOLDER/{a,b,spine}.parquet; SHAPE: a size, or size-sorted, size-text, size-zipf

a has two integers and two doubles a row, b three and two; keys uniform, times ascending in the file (us, UTC); the
spine's times are in no order. sorted: features by (key, time), as their Parquet says; text: keys are texts of 16 letters;
zipf: keys skewed with s = 1.1, so that one has an eighth of all rows. Snappy, row groups of 1 Mi rows: what pyarrow writes.
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


def keys(random, shape, entities, rows):
    if shape != "zipf":
        return random.integers(0, entities, rows)
    weights = numpy.arange(1, entities + 1) ** -1.1
    return random.permutation(entities)[numpy.searchsorted(numpy.cumsum(weights) / weights.sum(), random.random(rows))]


def as_keys(numbers, shape):
    if shape != "text":
        return pyarrow.array(numbers)
    texts = pyarrow.array([f"customer{i:08}" for i in range(int(numbers.max()) + 1)])
    return texts.take(pyarrow.array(numbers))


def write(columns, path, sorting=None):
    # Under another name first: a generator that is stopped leaves no file that looks finished.
    unfinished = path.with_suffix(".unfinished")
    pyarrow.parquet.write_table(pyarrow.table(columns), unfinished, compression="snappy", row_group_size=1 << 20,
                                sorting_columns=sorting)
    os.replace(unfinished, path)


def generate(name, folder):
    size, _, shape = name.partition("-")
    rows, entities, spine_rows = ROWS_ENTITIES_SPINE[size]
    sorting = [pyarrow.parquet.SortingColumn(0), pyarrow.parquet.SortingColumn(1)] if shape == "sorted" else None
    random = numpy.random.default_rng(1)
    folder.mkdir(parents=True, exist_ok=True)
    for view, integers in (("a", 2), ("b", 3)):
        # A stable sort by key keeps the times of a key ascending.
        numbers, at = keys(random, shape, entities, rows), numpy.sort(times(random, rows))
        if shape == "sorted":
            order = numpy.argsort(numbers, kind="stable")
            numbers, at = numbers[order], at[order]
        columns = {"entity_id": as_keys(numbers, shape), "event_timestamp": as_timestamps(at)}
        columns |= {f"{view}_i{i}": random.integers(0, 1_000_000, rows) for i in range(integers)}
        columns |= {f"{view}_d{i}": random.random(rows) for i in range(2)}
        write(columns, folder / f"{view}.parquet", sorting)
    write({"entity_id": as_keys(keys(random, shape, entities, spine_rows), shape), "event_timestamp": as_timestamps(times(random, spine_rows)),
           "label": random.integers(0, 2, spine_rows)}, folder / "spine.parquet")


if __name__ == "__main__":
    generate(sys.argv[1], Path(sys.argv[2]))
