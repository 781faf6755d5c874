"""Keys of every type, as every other type that they can be compared with, against plain Python."""

import decimal
import itertools
import random

import pyarrow as pa
import pytest
from lookups import Lookups

SIGNED = [pa.int8(), pa.int16(), pa.int32(), pa.int64()]
UNSIGNED = [pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
INTEGERS = SIGNED + UNSIGNED
DECIMALS = [pa.decimal128(20, 2), pa.decimal128(20), pa.decimal256(40, 5), pa.decimal32(9, 1), pa.decimal64(18, 3)]
TEXTS = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.string()),
         pa.dictionary(pa.int32(), pa.large_string())]
BYTES = [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3)]
TIMES = [pa.date32(), pa.date64(), pa.timestamp("s"), pa.timestamp("ms", "UTC"), pa.timestamp("us", "Europe/Berlin"),
         pa.timestamp("ns")]
TIMES_OF_DAY = [pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")]
DURATIONS = [pa.duration("s"), pa.duration("ns")]
ENCODED = [pa.dictionary(pa.int16(), pa.int64()), pa.dictionary(pa.int8(), pa.timestamp("us")), pa.run_end_encoded(pa.int32(), pa.int64()),
           pa.run_end_encoded(pa.int32(), pa.string())]
DAY = 86_400


def values_of(type_):
    """Few values, so that keys meet; those at the ends of integers."""
    if pa.types.is_dictionary(type_) or pa.types.is_run_end_encoded(type_):
        return values_of(type_.value_type)
    if pa.types.is_signed_integer(type_):
        return [0, 1, 2, -1, -2 ** (type_.bit_width - 1), 2 ** (type_.bit_width - 1) - 1]
    if pa.types.is_unsigned_integer(type_):
        return [0, 1, 2, 127, 2 ** type_.bit_width - 1, 2 ** (type_.bit_width - 1)]
    if pa.types.is_decimal(type_):
        return [decimal.Decimal(text) for text in (["0", "1", "2", "-1"] + (["1.5", "-0.1"] if type_.scale else []))]
    if pa.types.is_boolean(type_):
        return [True, False]
    if pa.types.is_fixed_size_binary(type_):
        return [b"abc", b"ab\0", b"\0\0\0", b"\xff\xfe\xfd"]
    if type_ in BYTES:
        return [b"", b"a", b"a\0", b"abc", b"ab\0", b"longer than eight bytes", b"\xff\xfe\xfd"]
    if type_ in TEXTS or pa.types.is_string(type_):
        return ["", "a", "b", "a\0", "longer than eight bytes", "longer than eight bytez", "ü", "exactly8", "seven77"]
    if pa.types.is_date32(type_):
        return [0, 1, -1, 20_000]
    if pa.types.is_date64(type_):
        return [day * DAY * 1000 for day in (0, 1, -1, 20_000)]
    if pa.types.is_timestamp(type_) or pa.types.is_duration(type_):
        scale = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}[type_.unit]
        return [day * DAY * scale for day in (0, 1, -1, 20_000)] + ([1, DAY * scale + 1] if scale > 1 else [5])
    scale = {"s": 1, "ms": 1000, "us": 10**6, "ns": 10**9}[type_.unit]
    return [0, scale, 2 * scale, 86_399 * scale] + ([1] if scale > 1 else [])


def column_of(type_, values):
    if pa.types.is_dictionary(type_):
        return column_of(type_.value_type, values).dictionary_encode().cast(type_)
    if pa.types.is_run_end_encoded(type_):
        return pa.compute.run_end_encode(column_of(type_.value_type, values), run_end_type=pa.int32())
    if pa.types.is_date32(type_):
        return pa.array(values, pa.int32()).cast(type_)
    if pa.types.is_temporal(type_):
        raw = pa.int32() if type_.bit_width == 32 else pa.int64()
        return pa.array(values, raw).view(type_)
    return pa.array(values, type_)


def some(rng, type_, rows, columns):
    """Of the more columns the fewer values, so that keys meet."""
    values = values_of(type_)[:9 - 2 * min(columns, 4) if columns > 1 else None]
    return [None if rng.random() < 0.1 else rng.choice(values) for _ in range(rows)]


# Kind -> (spine's types, view's types), one each a key column. Parquet gives a view's views and encoded numbers back as plain.
CASES = {name: [([a], [b]) for a, b in itertools.product(types, types)] for name, types in (
    ("integers", INTEGERS), ("texts", TEXTS), ("bytes", BYTES), ("times", TIMES), ("times of day", TIMES_OF_DAY), ("durations", DURATIONS))}
CASES["decimals"] = [([a], [b]) for a in DECIMALS for b in DECIMALS + [pa.int8(), pa.int64(), pa.uint64()]]
CASES["integers in decimals"] = [([a], [b]) for a in (pa.int16(), pa.int64(), pa.uint64()) for b in DECIMALS]
CASES["booleans"] = [([pa.bool_()], [pa.bool_()])]
CASES["nulls alone"] = [([pa.null()], [pa.int64()]), ([pa.null()], [pa.string()]), ([pa.int64()], [pa.null()])]
CASES["encoded"] = [([a], [b]) for a, b in ((ENCODED[0], pa.int32()), (pa.uint8(), ENCODED[0]), (ENCODED[1], pa.date32()),
                                            (ENCODED[2], pa.int16()), (ENCODED[3], pa.string()))]
CASES["several columns"] = [
    ([pa.int8(), pa.large_string()], [pa.int64(), pa.string()]),
    ([pa.uint64(), pa.dictionary(pa.int8(), pa.string()), pa.date32()], [pa.int16(), pa.large_string(), pa.timestamp("us", "UTC")]),
    ([pa.binary(3), pa.bool_()], [pa.binary(), pa.bool_()]),
    ([pa.decimal128(20, 2), pa.timestamp("ns"), pa.string_view(), pa.int32()], [pa.int64(), pa.timestamp("ms"), pa.string(), pa.uint8()]),
    ([pa.string(), pa.string()], [pa.string(), pa.string()]),
]


class Retrieved:
    """All cases in one retrieval: a spine with a column a key, a view a case."""

    def __init__(self, viand, folder):
        rng = random.Random(4)
        self.lookups = Lookups(viand, folder)
        self.cases = [case for cases in CASES.values() for case in cases]
        columns = {"event_timestamp": pa.array([rng.randrange(40) for _ in range(60)], pa.timestamp("us", "UTC"))}
        for number, (asked, stored) in enumerate(self.cases):
            keys = [f"k{number}_{i}" for i in range(len(asked))]
            columns |= {key: self.column(rng, type_, 60, len(keys)) for key, type_ in zip(keys, asked)}
            rows = {key: self.column(rng, type_, 80, len(keys)) for key, type_ in zip(keys, stored)}
            rows |= {"ts": pa.array([rng.randrange(40) for _ in range(80)], pa.timestamp("us", "UTC")), "v": pa.array(range(80), pa.int64())}
            self.lookups.add(f"c{number}", pa.table(rows), keys)
        self.spine = pa.table(columns)
        self.found = self.lookups.retrieve(self.spine)

    @staticmethod
    def column(rng, type_, rows, columns):
        if pa.types.is_null(type_):
            return pa.nulls(rows)
        return column_of(type_, some(rng, type_, rows, columns))


@pytest.fixture(scope="module")
def retrieved(viand, tmp_path_factory):
    return Retrieved(viand, tmp_path_factory.mktemp("keys"))


@pytest.mark.parametrize("kind", CASES)
def test_equal_keys_are_found(retrieved, kind):
    for number, (asked, stored) in enumerate(retrieved.cases):
        if (asked, stored) not in CASES[kind]:
            continue
        found = retrieved.found[f"c{number}__v"].to_pylist()
        assert found == retrieved.lookups.expected(f"c{number}", retrieved.spine), f"{asked} in {stored}"
        assert pa.null() in asked + stored or any(value is not None for value in found)
