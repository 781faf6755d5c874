"""Lookups of ready rows through the program, beside the rows that plain Python finds.

    lookups = Lookups(viand, folder)
    lookups.add("scores", rows, keys=["user"], ttl="2d")
    result = lookups.retrieve(spine)                      # every view, in one process, full feature names
    assert result["scores__v"].to_pylist() == lookups.expected("scores", spine)
"""

import pyarrow as pa
import pyarrow.ipc
import pyarrow.parquet as pq
from conftest import store_config

NS_OF_UNIT = {"s": 1_000_000_000, "ms": 1_000_000, "us": 1000, "ns": 1}
NS_OF_TTL = {"d": 86_400_000_000_000, "h": 3_600_000_000_000, "m": 60_000_000_000, "s": 1_000_000_000}


def plain(column):
    """A column without dictionaries, in one piece."""
    column = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    return column.dictionary_decode() if pa.types.is_dictionary(column.type) else column


def instants(column):
    """Nanoseconds since 1970 of timestamps and dates; numbers of Python have no end."""
    column = plain(column)
    if pa.types.is_date32(column.type):
        raw, unit = column.cast(pa.int32()), NS_OF_TTL["d"]
    elif pa.types.is_date64(column.type):
        raw, unit = column.cast(pa.int64()), NS_OF_UNIT["ms"]
    else:
        raw, unit = column.cast(pa.int64()), NS_OF_UNIT[column.type.unit]
    return [None if value is None else value * unit for value in raw.to_pylist()]


def key_values(column):
    """Values that are equal where keys are: numbers by value, texts, bytes, instants."""
    column = plain(column)
    if pa.types.is_timestamp(column.type) or pa.types.is_date(column.type):
        return instants(column)
    if pa.types.is_time(column.type) or pa.types.is_duration(column.type):
        raw = column.cast(pa.int32() if column.type.bit_width == 32 else pa.int64()).to_pylist()
        return [None if value is None else value * NS_OF_UNIT[column.type.unit] for value in raw]
    return column.to_pylist()


def latest(spine, spine_keys, rows, keys, *, time="event_timestamp", ts="ts", created=None, ttl="0d", created_not_after=False):
    """Of each row of `spine` the number of the row that is found for it, or None: the contract, word by word."""
    ttl_ns = int(ttl[:-1]) * NS_OF_TTL[ttl[-1]]
    count = rows.num_rows
    known = list(zip(*(key_values(rows[key]) for key in keys))) if keys else [()] * count
    at = instants(rows[ts])
    made = instants(rows[created]) if created else [None] * count
    asked = list(zip(*(key_values(spine[key]) for key in spine_keys))) if keys else [()] * spine.num_rows
    found = []
    for key, t in zip(asked, instants(spine[time])):
        fits = [i for i in range(count)
                if t is not None and at[i] is not None and None not in key and known[i] == key
                and at[i] <= t and (ttl_ns == 0 or at[i] >= t - ttl_ns)
                and (not created_not_after or made[i] is not None and made[i] <= t)]
        found.append(max(fits, key=lambda i: (at[i], made[i] is not None, made[i] or 0, i), default=None))
    return found


def write_spine(spine, path):
    """By the name: Parquet, Arrow IPC file or stream, CSV."""
    if path.suffix == ".parquet":
        pq.write_table(spine, path)
    elif path.suffix == ".csv":
        pa.csv.write_csv(spine, path)
    else:
        with (pa.ipc.new_file if path.suffix == ".arrow" else pa.ipc.new_stream)(path, spine.schema) as writer:
            writer.write_table(spine)
    return path


class Lookups:
    """Views that each have a source, and an entity where they have keys."""

    def __init__(self, viand, folder):
        self.viand, self.folder, self.views = viand, folder, {}
        self.services = ""
        folder.mkdir(exist_ok=True)

    def add(self, name, rows, keys, *, features=("v",), spine_keys=None, more="", write=None, **contract):
        """`more` goes into the source; `write` is what pyarrow takes; `contract` is that of `latest`."""
        pq.write_table(rows, self.folder / f"{name}.parquet", **(write or {}))
        self.views[name] = (rows, list(keys), list(spine_keys or keys), list(features), more, contract)

    def apply(self):
        """Writes the definitions and applies them."""
        entities, sources, views = [], [], []
        for name, (_, keys, _, features, more, contract) in self.views.items():
            if keys:
                entities.append(f"  - {{name: of_{name}, join_keys: [{', '.join(keys)}]}}")
            created = f", created_timestamp_column: {contract['created']}" if contract.get("created") else ""
            sources.append(f"  - {{name: {name}_rows, path: {name}.parquet, timestamp_field: {contract.get('ts', 'ts')}{created}{more}}}")
            schema = ", ".join(f"{{name: {feature}}}" for feature in features)
            views.append(f"  - {{name: {name}, entities: [{f'of_{name}' if keys else ''}], source: {name}_rows, "
                         f"ttl: {contract.get('ttl', '0d')}, schema: [{schema}]}}")
        text = ["entities:", *entities] if entities else []
        (self.folder / "definitions.yaml").write_text(
            "\n".join([*text, "sources:", *sources, "feature_views:", *views, self.services]))
        (self.folder / "feature_store.yaml").write_text(store_config("lookups"))
        self.viand.json(self.folder, "apply", "--yes")

    def retrieve(self, spine, *options, views=None, form=".arrow"):
        """The features of all views, or of those named, for a table or a path."""
        if not (self.folder / "definitions.yaml").exists():
            self.apply()
        if isinstance(spine, pa.Table):
            spine = write_spine(spine, self.folder / f"spine{form}")
        out = self.folder / "out.arrow"
        wanted = [] if "--service" in options else ["--features", ",".join(views or self.views), "--full-feature-names"]
        self.viand.json(self.folder, "historical", "--spine", spine, *wanted, "-o", out, *options)
        with pa.ipc.open_file(out) as reader:
            return reader.read_all()

    def found_rows(self, name, spine, **more):
        """The numbers of the rows that plain Python finds, None where there is none."""
        rows, keys, spine_keys, _, _, contract = self.views[name]
        return latest(spine, spine_keys, rows, keys, **{**contract, **more})

    def expected(self, name, spine, **more):
        """The values of the feature v of these rows."""
        values = self.views[name][0]["v"].to_pylist()
        return [None if i is None else values[i] for i in self.found_rows(name, spine, **more)]

    def fails(self, spine, *options, views=None):
        """The error of a retrieval that must fail with exit code 1 or 2, without the folder's name."""
        if not (self.folder / "definitions.yaml").exists():
            self.apply()
        if isinstance(spine, pa.Table):
            spine = write_spine(spine, self.folder / "spine.arrow")
        wanted = [] if "--service" in options else ["--features", ",".join(views or self.views)]
        out = self.folder / "none.arrow"
        code, said, error = self.viand.call(self.folder, "historical", "--spine", spine, *wanted, "-o", out, *options)
        assert code in (1, 2) and said == "" and not out.exists(), (code, said, error)
        return error.replace(f"{self.folder}/", "")
