"""Features of every type that a view can have come back as they are stored, null where nothing matches."""

import decimal
import random

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from lookups import Lookups
from test_spine_columns import BYTES, FLOATS, PLAIN, ROWS, TEXTS, column_of

TIMES = [pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "Europe/Berlin")] + [pa.date32(), pa.date64()]
LISTS = [pa.list_(pa.int64()), pa.list_(pa.string()), pa.large_list(pa.float64()), pa.list_(pa.float32(), 3), pa.list_(pa.bool_())]
ENCODED = [pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.int32(), pa.large_string())]
KEPT = PLAIN + FLOATS + TIMES + TEXTS + BYTES + LISTS + ENCODED
# How a value of a type is made of a number.
NESTED = {pa.decimal128(10, 2): lambda number: decimal.Decimal(number) / 4, pa.struct([("a", pa.int64())]): lambda number: {"a": number},
          pa.map_(pa.string(), pa.int64()): lambda number: [("k", number)] * (number % 2), pa.list_(pa.list_(pa.int8())): lambda number: [[number], []],
          pa.list_(pa.struct([("a", pa.string())])): lambda number: [{"a": str(number)}, None]}
REFUSED = [pa.time32("s"), pa.duration("us"), pa.list_(pa.time64("us"))]


@pytest.mark.parametrize("options", [[], ["--threads", "3", "--partitions", "5", "--batch-rows", "4"], ["--executor", "processes"]])
@pytest.mark.parametrize("groups", [2, 100])
def test_features_keep_type_and_value(viand, tmp_path, groups, options):
    rng = random.Random(groups)
    lookups = Lookups(viand, tmp_path)
    names = [f"f{number}" for number in range(len(KEPT) + len(NESTED))]
    columns = [column_of(rng, type_) for type_ in KEPT]
    columns += [pa.array([None if rng.random() < 0.2 else make(rng.randrange(100)) for _ in range(ROWS)], type_) for type_, make in NESTED.items()]
    rows = pa.table({"k": pa.array([rng.randrange(5) for _ in range(ROWS)]), "ts": pa.array([rng.randrange(30) for _ in range(ROWS)], pa.timestamp("s")),
                     **dict(zip(names, columns))})
    lookups.add("view", rows, ["k"], features=names, write={"row_group_size": groups})
    spine = pa.table({"k": [rng.randrange(7) for _ in range(60)], "event_timestamp": pa.array([rng.randrange(30) for _ in range(60)], pa.timestamp("s"))})
    found = lookups.retrieve(spine, *options)
    stored = pq.read_table(tmp_path / "view.parquet")
    numbers = lookups.found_rows("view", spine)
    for name in names:
        assert found[f"view__{name}"].type == stored[name].type
        found[f"view__{name}"].validate(full=True)
        values = stored[name].to_pylist()
        # As text: a NaN is equal to none, and -0.0 to 0.0.
        expected = [None if number is None else values[number] for number in numbers]
        assert str(found[f"view__{name}"].to_pylist()) == str(expected), stored[name].type
    assert any(number is None for number in numbers) and any(number is not None for number in numbers)


@pytest.mark.parametrize("type_", REFUSED, ids=str)
def test_types_that_feast_cannot_store_are_told(viand, tmp_path, type_):
    lookups = Lookups(viand, tmp_path)
    lookups.add("view", pa.table({"k": [1], "ts": pa.array([1], pa.timestamp("s")), "v": pa.nulls(1, type_)}), ["k"])
    with pytest.raises(AssertionError, match="Feast has no type for") as failed:
        lookups.apply()
    assert "definitions.yaml:6:" in str(failed.value)
