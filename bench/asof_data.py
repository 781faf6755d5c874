"""The data of bench/asof and bench/windows: two feature tables and a spine of random rows, the same on every machine.

  asof_data.py SHAPE FOLDER [SCALE]     writes FOLDER/{a,b,spine}.parquet; SHAPE: a size, or size-sorted, size-text,
                                        size-zipf; SCALE: so many times its rows and entities

a has two integers and two doubles a row, b three and two; keys uniform, times ascending in the file (us, UTC); the
spine's times are in no order. sorted: features by (key, time), as their Parquet says; text: keys are texts of 16 letters;
zipf: keys skewed with s = 1.1, so that one has an eighth of all rows. Snappy, row groups of 1 Mi rows: what pyarrow writes.
L is made row group by row group.
"""

import os
import sys
from pathlib import Path

import numpy
import pyarrow
import pyarrow.parquet

ROWS_ENTITIES_SPINE = {"S": (1_000_000, 100_000, 200_000), "M": (20_000_000, 1_000_000, 5_000_000),
                       "dense": (20_000_000, 10_000, 5_000_000), "L": (100_000_000, 5_000_000, 25_000_000)}
GROUP_ROWS = 1 << 20
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


def write(tables, path, sorting=None):
    # Under another name first: a generator that is stopped leaves no file that looks finished.
    unfinished = path.with_suffix(".unfinished")
    writer = None
    for columns in tables:
        table = pyarrow.table(columns)
        writer = writer or pyarrow.parquet.ParquetWriter(unfinished, table.schema, compression="snappy", sorting_columns=sorting)
        writer.write_table(table, row_group_size=GROUP_ROWS)
    writer.close()
    os.replace(unfinished, path)


def feature_columns(random, view, integers, rows):
    columns = {f"{view}_i{i}": random.integers(0, 1_000_000, rows) for i in range(integers)}
    return columns | {f"{view}_d{i}": random.random(rows) for i in range(2)}


def group_sizes(rows):
    return [min(GROUP_ROWS, rows - first) for first in range(0, rows, GROUP_ROWS)]


def view_in_groups(random, view, integers, rows, entities):
    """Times of a Poisson process, whose gaps can be drawn one after another."""
    at = 0.0
    for count in group_sizes(rows):
        gaps = at + numpy.cumsum(random.exponential(SPAN_US / rows, count))
        at = gaps[-1]
        yield {"entity_id": keys(random, "", entities, count), "event_timestamp": as_timestamps(START_US + gaps.astype(numpy.int64)),
               **feature_columns(random, view, integers, count)}


def spine_in_groups(random, rows, entities):
    for count in group_sizes(rows):
        yield {"entity_id": keys(random, "", entities, count), "event_timestamp": as_timestamps(times(random, count)),
               "label": random.integers(0, 2, count)}


def generate_in_groups(rows, entities, spine_rows, folder):
    random = numpy.random.default_rng(1)
    for view, integers in (("a", 2), ("b", 3)):
        write(view_in_groups(random, view, integers, rows, entities), folder / f"{view}.parquet")
    write(spine_in_groups(random, spine_rows, entities), folder / "spine.parquet")


def generate(name, folder, scale=1.0):
    size, _, shape = name.partition("-")
    rows, entities, spine_rows = (int(count * scale) for count in ROWS_ENTITIES_SPINE[size])
    folder.mkdir(parents=True, exist_ok=True)
    if size == "L":
        generate_in_groups(rows, entities, spine_rows, folder)
        return
    sorting = [pyarrow.parquet.SortingColumn(0), pyarrow.parquet.SortingColumn(1)] if shape == "sorted" else None
    random = numpy.random.default_rng(1)
    for view, integers in (("a", 2), ("b", 3)):
        # A stable sort by key keeps the times of a key ascending.
        numbers, at = keys(random, shape, entities, rows), numpy.sort(times(random, rows))
        if shape == "sorted":
            order = numpy.argsort(numbers, kind="stable")
            numbers, at = numbers[order], at[order]
        columns = {"entity_id": as_keys(numbers, shape), "event_timestamp": as_timestamps(at)}
        columns |= feature_columns(random, view, integers, rows)
        write([columns], folder / f"{view}.parquet", sorting)
    write([{"entity_id": as_keys(keys(random, shape, entities, spine_rows), shape), "event_timestamp": as_timestamps(times(random, spine_rows)),
            "label": random.integers(0, 2, spine_rows)}], folder / "spine.parquet")


if __name__ == "__main__":
    generate(sys.argv[1], Path(sys.argv[2]), *map(float, sys.argv[3:]))
