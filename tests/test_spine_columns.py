"""What a spine brings along comes back as it was: every type of Arrow, its nulls, its metadata, from every kind of file."""

import decimal
import json
import random

import pyarrow as pa
import pyarrow.compute
import pyarrow.csv
import pyarrow.ipc
import pyarrow.parquet as pq
import pytest
from lookups import Lookups, write_spine

ROWS = 23
PLAIN = [pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
FLOATS = [pa.float16(), pa.float32(), pa.float64()]
RAW = [pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"),
       *(pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "Asia/Kathmandu", "+05:30")),
       *(pa.duration(unit) for unit in ("s", "ms", "us", "ns"))]
TEXTS = [pa.string(), pa.large_string(), pa.string_view()]
BYTES = [pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(4)]
DECIMALS = [pa.decimal32(9, 2), pa.decimal64(18, 3), pa.decimal128(38, 10), pa.decimal128(5, -2), pa.decimal256(76, 20)]
NESTED = [pa.list_(pa.int32()), pa.large_list(pa.string()), pa.list_(pa.float32(), 3), pa.list_(pa.list_(pa.int8())),
          pa.struct([("a", pa.int64()), ("b", pa.list_(pa.string()))]), pa.map_(pa.string(), pa.int32()),
          pa.list_(pa.struct([("x", pa.float64()), ("y", pa.map_(pa.int32(), pa.list_(pa.bool_())))]))]
EITHER = [pa.field("i", pa.int64()), pa.field("s", pa.string())]
ONLY_IPC = [pa.list_view(pa.int64()), pa.large_list_view(pa.string()), pa.month_day_nano_interval(), pa.dense_union(EITHER), pa.sparse_union(EITHER),
            pa.run_end_encoded(pa.int16(), pa.string())]
ENCODED = [pa.dictionary(pa.int8(), pa.string()), pa.dictionary(pa.uint32(), pa.large_string()), pa.dictionary(pa.int16(), pa.int64()),
           pa.dictionary(pa.int32(), pa.string(), ordered=True), pa.dictionary(pa.int8(), pa.timestamp("us", "UTC"))]
EXTENSIONS = [pa.uuid(), pa.json_(), pa.bool8(), pa.fixed_shape_tensor(pa.float32(), [2, 2]), pa.opaque(pa.int32(), "box", "vendor")]
DESCRIBED = pa.struct([pa.field("amount", pa.int64(), nullable=False, metadata={"unit": "cent"})])


def value(rng, type_):
    """A value as pa.array takes it."""
    if rng.random() < 0.2:
        return None
    if pa.types.is_boolean(type_):
        return rng.random() < 0.5
    if pa.types.is_integer(type_):
        low = 0 if pa.types.is_unsigned_integer(type_) else -2 ** (type_.bit_width - 1)
        return rng.choice([low, low + 2 ** type_.bit_width - 1, 0, 5])
    if pa.types.is_floating(type_):
        return rng.choice([0.0, -0.0, 1.5, float("nan"), float("inf"), -2.25])
    if pa.types.is_decimal(type_):
        return decimal.Decimal(rng.randrange(-999, 999)).scaleb(-type_.scale)
    if type_ in TEXTS:
        return rng.choice(["", "ü", "a\0b", 'quote " comma , line \n', "longer than twelve bytes"])
    if pa.types.is_fixed_size_binary(type_):
        return bytes(rng.randrange(256) for _ in range(type_.byte_width))
    if type_ in BYTES:
        return rng.choice([b"", b"\xff\0", b"longer than twelve bytes"])
    if pa.types.is_struct(type_):
        return {field.name: value(rng, field.type) if field.nullable else 1 for field in type_}
    if pa.types.is_map(type_):
        return [(key, value(rng, type_.item_type)) for key in ([1, 2] if pa.types.is_integer(type_.key_type) else ["k", "l"])[:rng.randrange(3)]]
    if type_ == pa.month_day_nano_interval():
        return (rng.randrange(9), rng.randrange(9), rng.randrange(9))
    if pa.types.is_fixed_size_list(type_):
        return [value(rng, type_.value_type) for _ in range(type_.list_size)]
    return [value(rng, type_.value_type) for _ in range(rng.randrange(4))]


def column_of(rng, type_):
    if pa.types.is_null(type_):
        return pa.nulls(ROWS)
    if isinstance(type_, pa.BaseExtensionType):
        storage = column_of(rng, type_.storage_type)
        if type_ == pa.json_():
            storage = pa.array([None if text is None else json.dumps({"text": text}) for text in storage.to_pylist()], storage.type)
        return pa.ExtensionArray.from_storage(type_, storage)
    if pa.types.is_dictionary(type_):
        # A value that no row has, and one that is there twice: encodings are not made anew.
        values = pa.concat_arrays([column_of(rng, type_.value_type).drop_null()[:5]] * 2)
        return pa.DictionaryArray.from_arrays(pa.array([value and rng.randrange(len(values)) for value in some(rng)], type_.index_type), values,
                                              ordered=type_.ordered)
    if pa.types.is_run_end_encoded(type_):
        return pa.compute.run_end_encode(column_of(rng, type_.value_type), run_end_type=type_.run_end_type)
    if pa.types.is_union(type_):
        kinds = pa.array([rng.randrange(2) for _ in range(ROWS)], pa.int8())
        children = [column_of(rng, field.type) for field in type_]
        if type_.mode == "sparse":
            return pa.UnionArray.from_sparse(kinds, children, [field.name for field in type_])
        return pa.UnionArray.from_dense(kinds, pa.array(range(ROWS), pa.int32()), children, [field.name for field in type_])
    if type_ in RAW or pa.types.is_timestamp(type_):
        if pa.types.is_date64(type_):  # whole days
            return pa.array([day and day * 86_400_000 for day in some(rng)], pa.int64()).view(type_)
        return pa.array(some(rng), pa.int32() if type_.bit_width == 32 else pa.int64()).view(type_)
    return pa.array([value(rng, type_) for _ in range(ROWS)], type_)


def some(rng):
    return [None if rng.random() < 0.2 else rng.randrange(1, 86_400) for _ in range(ROWS)]


def spine_of(rng, types):
    """A key, a time, and a column of each type; the schema and a field have metadata."""
    fields = [pa.field("k", pa.int16(), metadata={"origin": "till"}), pa.field("event_timestamp", pa.timestamp("ms", "Europe/Berlin"))]
    columns = [pa.array([rng.randrange(4) for _ in range(ROWS)], pa.int16()), pa.array(some(rng), pa.timestamp("ms", "Europe/Berlin"))]
    for number, type_ in enumerate(types):
        fields.append(pa.field(f"c{number}", type_))
        columns.append(column_of(rng, type_))
    fields.append(pa.field("described", DESCRIBED, metadata={"note": "of the field"}))
    columns.append(column_of(rng, DESCRIBED))
    return pa.table(columns, pa.schema(fields, metadata={"origin": "a test"}))


def same(found, wanted):
    """Types, metadata and cells, NaN and -0.0 too."""
    assert found.schema.equals(wanted.schema, check_metadata=False), f"{found.schema}\n{wanted.schema}"
    for field in wanted.schema:
        assert (found.schema.field(field.name).metadata or {}) == (field.metadata or {}), field
    for name in wanted.column_names:
        assert str(found[name].to_pylist()) == str(wanted[name].to_pylist()), name
        found[name].validate(full=True)
    # What lies within a type may have metadata too.
    if "described" in wanted.column_names:
        assert found.schema.field("described").equals(wanted.schema.field("described"), check_metadata=True)


@pytest.fixture(scope="module")
def lookups(viand, tmp_path_factory):
    repo = Lookups(viand, tmp_path_factory.mktemp("spines"))
    repo.add("scores", pa.table({"k": [1, 2, 3], "ts": pa.array([0, 20, 40], pa.timestamp("s")), "v": [10, 20, 30]}), ["k"])
    repo.apply()
    return repo


ALL = PLAIN + FLOATS + RAW + TEXTS + BYTES + DECIMALS + NESTED + ENCODED + EXTENSIONS + [pa.null()]
PARQUET = [type_ for type_ in ALL if not (pa.types.is_decimal(type_) and type_.scale < 0)]


@pytest.mark.parametrize("form", [".arrow", ".arrows"])
def test_every_type_of_arrow(lookups, form):
    spine = spine_of(random.Random(form), ALL + ONLY_IPC)
    found = lookups.retrieve(spine, form=form)
    same(found.select(spine.column_names), spine)
    assert found["scores__v"].to_pylist() == lookups.expected("scores", spine)


@pytest.mark.parametrize("options", [[], ["--threads", "1", "--batch-rows", "2"], ["--threads", "3", "--partitions", "7", "--batch-rows", "5"]])
@pytest.mark.parametrize("groups", [1, 4, 100])
def test_every_type_of_parquet(lookups, options, groups):
    rng = random.Random(groups)
    path = lookups.folder / "spine.parquet"
    pq.write_table(spine_of(rng, PARQUET), path, row_group_size=groups)
    spine = pq.read_table(path)
    same(lookups.retrieve(path, *options).select(spine.column_names), spine)


def test_parquet_to_parquet(lookups):
    """Read with Arrow, the columns of the result are those of the spine's file."""
    path = lookups.folder / "spine.parquet"
    pq.write_table(spine_of(random.Random(3), PARQUET), path)
    out = lookups.folder / "out.parquet"
    lookups.viand.json(lookups.folder, "historical", "--spine", path, "--features", "scores", "-o", out)
    same(pq.read_table(out).drop_columns("v"), pq.read_table(path))
    assert "v" in pq.read_table(out).column_names


def test_without_rows(lookups):
    spine = spine_of(random.Random(1), ALL + ONLY_IPC).slice(0, 0)
    found = lookups.retrieve(spine)
    same(found.select(spine.column_names), spine)
    assert found["scores__v"].type == pa.int64() and found.num_rows == 0
    path = write_spine(spine_of(random.Random(1), PARQUET).slice(0, 0), lookups.folder / "none.parquet")
    same(lookups.retrieve(path).drop_columns("scores__v"), pq.read_table(path))


def test_chunks_of_any_size(lookups):
    """Batches without rows, of one row, dictionaries that differ from batch to batch."""
    rng = random.Random(9)
    parts = [spine_of(rng, PARQUET + ENCODED) for _ in range(4)]
    for form in (pa.ipc.new_file, pa.ipc.new_stream):
        path = lookups.folder / "chunks.arrow"
        options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=False, unify_dictionaries=form is pa.ipc.new_file)
        table = pa.concat_tables([part.slice(start, rows) for part in parts for start, rows in ((0, 1), (1, 0), (1, 7), (8, 15))])
        with form(path, table.schema, options=options) as writer:
            writer.write_table(table)
        with (pa.ipc.open_file if form is pa.ipc.new_file else pa.ipc.open_stream)(path) as reader:
            spine = reader.read_all()
        same(lookups.retrieve(path).select(spine.column_names), spine)


def test_csv_keeps_its_texts(lookups):
    """A column of CSV that is no key and no time: what it says comes back."""
    text = ('k,event_timestamp,note,code,price,flag,empty\n1,2026-01-01,"a ""quoted"", one",007,1.50,true,\n'
            '2,2026-01-01 00:00:00,"two\nlines",008,2,false,\n3,2026-01-01,ü,x,,,\n')
    path = lookups.folder / "spine.csv"
    path.write_text(text)
    found = lookups.retrieve(path)
    assert found["note"].to_pylist() == ['a "quoted", one', "two\nlines", "ü"]
    assert found["code"].to_pylist() == ["007", "008", "x"]
    assert found["price"].to_pylist() == [1.5, 2.0, None]
    assert found["flag"].to_pylist() == [True, False, None]
    assert found["empty"].to_pylist() == [None] * 3
    assert found["scores__v"].to_pylist() == [10, 20, 30]


def test_names_that_need_quotes(lookups):
    names = ["", " ", "select", 'a "b"', "a,b", "ü", "a.b", "row", "position", "key 0", "time", "__index_level_0__"]
    spine = pa.table([pa.array([1, 2], pa.int64()), pa.array([50, 50], pa.timestamp("s")), *(pa.array([number, None]) for number in range(len(names)))],
                     ["k", "event_timestamp", *names])
    found = lookups.retrieve(spine)
    same(found.drop_columns("scores__v"), spine)
    assert found["scores__v"].to_pylist() == [10, 20]


def test_two_columns_of_one_name_are_refused(lookups):
    spine = pa.table([pa.array([1]), pa.array([50], pa.timestamp("s")), pa.array([1]), pa.array([2])], ["k", "event_timestamp", "x", "x"])
    for form in ("spine.arrow", "spine.parquet"):
        error = lookups.fails(write_spine(spine, lookups.folder / form), views=["scores"])
        assert 'two columns' in error and '"x"' in error, error


TEXT = pa.table({
    "k": pa.array([1, 2], pa.int64()), "event_timestamp": pa.array([50, 50], pa.timestamp("s")),
    "view": pa.array(["a", None], pa.string_view()), "coded": pa.array(["x", "x"]).dictionary_encode(),
    "bytes": pa.array([b"\xff\0", None]), "fixed": pa.array([b"ab", b"cd"], pa.binary(2)), "bytes_view": pa.array([b"a", b""], pa.binary_view()),
    "runs": pa.compute.run_end_encode(pa.array(["r", "s"])), "lists": pa.array([[1, None], None], pa.list_view(pa.int64())),
    "uuid": pa.ExtensionArray.from_storage(pa.uuid(), pa.array([b"0123456789abcdef", None], pa.binary(16))),
    "json": pa.ExtensionArray.from_storage(pa.json_(), pa.array(['{"a":1}', None])),
    "either": pa.UnionArray.from_sparse(pa.array([0, 1], pa.int8()), [pa.array([7, 0]), pa.array(["", "t"])], ["i", "s"]),
    "inner": pa.array([{"c": "z", "b": b"\x01"}, {"c": None, "b": None}],
                      pa.struct([("c", pa.dictionary(pa.int8(), pa.string())), ("b", pa.binary())])),
    "big": pa.array([2**64 - 1, None], pa.uint64())})


def test_what_is_no_plain_value_as_text(lookups):
    """CSV and JSON have bytes in hexadecimal, lists and structs as JSON, and whatever an encoding stands for."""
    spine = write_spine(TEXT, lookups.folder / "text.arrow")

    def standard_output(form):
        code, out, error = lookups.viand.call(lookups.folder, "historical", "--spine", spine, "--features", "scores", "-o", "-", "--format", form)
        assert (code, error) == (0, ""), error
        return out.splitlines()
    lines = standard_output("csv")
    assert [line.split(",", 2)[2] for line in lines[1:]] == [
        '"a","x","FF00","6162","61","r","[1,null]","30313233343536373839616263646566","{""a"":1}","7","{""b"":""01"",""c"":""z""}",'
        "18446744073709551615,10",
        ',"x",,"6364","","s",,,,"t","{""b"":null,""c"":null}",,20'], lines
    first, second = map(json.loads, standard_output("json"))
    assert {name: first[name] for name in TEXT.column_names[2:]} == {
        "view": "a", "coded": "x", "bytes": "FF00", "fixed": "6162", "bytes_view": "61", "runs": "r", "lists": [1, None],
        "uuid": "30313233343536373839616263646566", "json": '{"a":1}', "either": 7, "inner": {"c": "z", "b": "01"}, "big": 2**64 - 1}
    assert [name for name, value in second.items() if value is None] == sorted(["view", "bytes", "lists", "uuid", "json", "big"])
