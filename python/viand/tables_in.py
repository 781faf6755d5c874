"""Tables on their way in: whatever people hold rows in, as an Arrow stream.

What speaks Arrow's PyCapsule interface (pyarrow, polars, DuckDB, ...) is taken as it is, without a copy. pandas and plain
columns are taken column by column, without pyarrow: numbers and times share numpy's memory, texts are copied.
"""

from __future__ import annotations

import datetime as _datetime
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from . import _viand
from .errors import InputError
from .packages import installed, is_of, needed

_SQL = re.compile(r"\s*(select|with|from|values)\b.*\s", re.IGNORECASE | re.DOTALL)
_TAKES = ("give a pandas or polars DataFrame, a pyarrow table, a DuckDB relation, a dict of columns, or the path of a "
          "Parquet, CSV or Arrow file")
_FORMATS = {"i1": "c", "u1": "C", "i2": "s", "u2": "S", "i4": "i", "u4": "I", "i8": "l", "u8": "L",
            "f2": "e", "f4": "f", "f8": "g"}
_UNITS = {"s": "s", "ms": "m", "us": "u", "ns": "n"}
_EPOCH = _datetime.datetime(1970, 1, 1)


class Spine:
    """Rows to get features for: a table of any kind, the path of a file, or None. Checked when it is made."""

    def __init__(self, given: Any) -> None:
        given = _columns_of(given) if isinstance(given, Mapping) else given
        self._given = given
        self._is_table = not (given is None or isinstance(given, (str, os.PathLike)))
        self._path = None if self._is_table or given is None else _path(given)
        self._stream = to_stream(given) if self._is_table else None
        # (name, type) of its columns; None where they are in a file.
        self.fields = _viand.fields_of_stream(self._stream) if self._is_table else None
        index = getattr(given, "index", None) if is_of(given, "pandas", "DataFrame") else None
        self._left_out = [str(name) for name in getattr(index, "names", []) if name is not None]

    @contextmanager
    def errors_told(self) -> Iterator[None]:
        """An error of a column that is not there says where it is in the index of the DataFrame."""
        try:
            yield
        except InputError as error:
            raise self._with_index(error) from None

    def _with_index(self, error: InputError) -> InputError:
        if any(f'no column "{name}"' in error.message for name in self._left_out):
            error.hint = f"its index has {', '.join(self._left_out)}, and is left out: entity_df.reset_index() makes it columns"
        return error

    def take(self) -> Any:
        """What the engine takes: a path, a capsule of a stream, or None. A table is read anew by each call, which a
        reader that can be read once refuses at the second."""
        if not self._is_table:
            return self._path
        stream, self._stream = self._stream, None
        if stream is None and is_of(self._given, "pyarrow", "RecordBatchReader"):
            raise InputError("the reader of entity_df was read before: it can be read once", "give a table: reader.read_all()")
        return stream or to_stream(self._given)

    def timestamp_column(self, given: str | None) -> str:
        """The time of each row: "event_timestamp", or the only column of moments that a table has (as Feast has it)."""
        if given is not None or self.fields is None or any(name == "event_timestamp" for name, _ in self.fields):
            return given or "event_timestamp"
        moments = [name for name, kind in self.fields if kind.startswith(("timestamp", "date"))]
        if len(moments) == 1:
            return moments[0]
        have = f"several columns of moments: {', '.join(moments)}" if moments else "none of moments"
        raise self._with_index(InputError(f'entity_df has no column "event_timestamp", and {have}',
                         'name one: timestamp_column="..."; pandas.to_datetime makes moments of text'))


def _columns_of(given: Mapping) -> dict:
    """A dict of columns that can be read again, by the text of their names."""
    columns = {}
    for name, values in given.items():
        if str(name) in columns:
            raise InputError(f'two columns of entity_df have the name "{name}"', "rename or drop one of them")
        columns[str(name)] = list(values) if isinstance(values, Iterator) else values
    return columns


def _path(given: Any) -> str:
    path = os.fspath(given)
    if isinstance(given, str) and _SQL.match(path):
        raise InputError("entity_df is SQL text, which viand does not run",
                         "run the query yourself and give its rows: entity_df=duckdb.sql(...), or pandas.read_sql(...)")
    return path


def to_stream(given: Any) -> Any:
    """A capsule "arrow_array_stream" of the rows of a table of any kind."""
    if is_of(given, "pandas", "DataFrame"):
        return _stream_of_pandas(given)
    if is_of(given, "polars", "LazyFrame"):
        given = given.collect()
    if is_of(given, "polars", "DataFrame"):
        _no_objects_of_polars(given)
    if is_of(given, "pyarrow", "Dataset", "Scanner"):
        given = given.scanner().to_reader() if hasattr(given, "scanner") else given.to_reader()
    if hasattr(given, "__arrow_c_stream__"):
        return _checked(given.__arrow_c_stream__())
    if hasattr(given, "__arrow_c_array__"):
        return _stream_of_batch(given)
    if is_of(given, "pyarrow", "Table", "RecordBatch", "RecordBatchReader"):
        return _stream_of_old_pyarrow(given)
    if is_of(given, "duckdb", "DuckDBPyRelation"):
        return to_stream(given.arrow())
    if is_of(given, "polars", "DataFrame"):  # before 1.1
        return to_stream(given.to_arrow())
    if isinstance(given, Mapping):
        return _stream_of_columns({name: _column(name, values) for name, values in _columns_of(given).items()})
    raise InputError(f"entity_df is a {type(given).__module__}.{type(given).__qualname__}, which is no table", _TAKES)


def _no_objects_of_polars(frame: Any) -> None:
    """polars gives such a column to others as addresses in memory."""
    for name, kind in zip(frame.columns, frame.dtypes):
        if str(kind) == "Object":
            raise InputError(f'column "{name}" of entity_df has the type Object of polars, which Arrow has none for',
                             "give the column another type, or leave it out")


def _checked(capsule: Any) -> Any:
    """Refuses what is no stream, one that was read before, and columns of one name."""
    if capsule is None:
        raise InputError("entity_df gave None as its Arrow stream", _TAKES)
    names = [name for name, _ in _viand.fields_of_stream(capsule)]
    _no_name_twice(names)
    return capsule


def _no_name_twice(names: list) -> None:
    seen: set = set()
    for name in names:
        if name in seen:
            raise InputError(f'two columns of entity_df have the name "{name}"', "rename or drop one of them")
        seen.add(name)


def _stream_of_batch(given: Any) -> Any:
    schema, array = given.__arrow_c_array__()
    capsule = _viand.stream_of_batch(schema, array)
    return _checked(capsule)


def _stream_of_old_pyarrow(given: Any) -> Any:
    """pyarrow before 14 gives streams by address."""
    reader = given
    if is_of(given, "pyarrow", "RecordBatch"):
        import pyarrow

        reader = pyarrow.Table.from_batches([given])
    if hasattr(reader, "to_reader"):
        reader = reader.to_reader()
    capsule, address = _viand.empty_stream()
    reader._export_to_c(address)
    return _checked(capsule)


def _stream_of_columns(columns: dict) -> Any:
    if not columns:
        raise InputError("entity_df has no columns", "give it its join keys and event_timestamp")
    made = list(columns.values())
    return _viand.stream_of_columns(made, len(made[0]))


def _stream_of_pandas(frame: Any) -> Any:
    names = list(frame.columns)
    for name in names:
        if not isinstance(name, str):
            raise InputError(f"the column {name!r} of entity_df has no text for a name",
                             "df.columns = df.columns.map(str)")
    _no_name_twice(names)
    if not names:
        kept = [str(name) for name in frame.index.names if name is not None]
        raise InputError("entity_df has no columns", f"its index has {', '.join(kept)}: entity_df.reset_index() makes it columns" if kept else
                         "give it its join keys and event_timestamp")
    columns = [_column_of_series(name, frame.iloc[:, i]) for i, name in enumerate(names)]
    return _viand.stream_of_columns(columns, len(frame))


# ---- one column ---------------------------------------------------------------------------------------------

def _column(name: str, values: Any) -> Any:
    """A column of a dict: a list, an array of numpy's, a Series, an Arrow array."""
    if is_of(values, "pandas", "Series", "Index"):
        return _column_of_series(name, values)
    if is_of(values, "polars", "Series"):
        values = values.to_arrow() if installed("pyarrow") else values.to_list()
    if is_of(values, "numpy", "MaskedArray"):
        import numpy

        return _column_of_numpy(name, numpy.asarray(values.data), mask=numpy.ma.getmaskarray(values))
    if is_of(values, "numpy", "ndarray"):
        return _column_of_numpy(name, values)
    if hasattr(values, "__arrow_c_array__"):
        return _viand.column_of_array(name, *values.__arrow_c_array__())
    if is_of(values, "pyarrow", "Array", "ChunkedArray"):
        return _column_of_pyarrow(name, values)
    if isinstance(values, (set, frozenset)):
        raise InputError(f'column "{name}" of entity_df is a set, which has no order', "give a list, one value a row")
    if isinstance(values, (str, bytes)) or not hasattr(values, "__iter__"):
        raise InputError(f'column "{name}" of entity_df is one value of the type {type(values).__name__}', "give a list, one value a row")
    return _column_of_objects(name, list(values))


def _column_of_series(name: str, series: Any) -> Any:
    import numpy

    dtype = series.dtype
    if isinstance(dtype, numpy.dtype):
        return _column_of_numpy(name, series.to_numpy())
    kind = type(dtype).__name__
    if kind == "DatetimeTZDtype":
        utc = series.dt.tz_convert(None) if hasattr(series, "dt") else series.tz_convert(None)
        return _column_of_numpy(name, utc.to_numpy(), zone=zone_name(dtype.tz))
    if kind == "CategoricalDtype":
        return _column_of_categories(name, series)
    array = series.array
    if hasattr(array, "_mask") and hasattr(array, "_data"):
        return _column_of_numpy(name, array._data, mask=array._mask)
    if kind == "ArrowDtype" or getattr(dtype, "storage", "").startswith("pyarrow"):
        return _column_of_pyarrow(name, array.__arrow_array__())
    if kind == "SparseDtype":
        return _column_of_numpy(name, numpy.asarray(array))
    if kind == "StringDtype":
        return _column_of_objects(name, series.to_numpy(dtype=object, na_value=None).tolist())
    raise InputError(f'column "{name}" of entity_df has the type {dtype}, which Arrow has none for',
                     f'df["{name}"] = df["{name}"].astype("string"), or leave it out')


def _column_of_categories(name: str, series: Any) -> Any:
    import numpy

    codes = numpy.ascontiguousarray(series.cat.codes.to_numpy() if hasattr(series, "cat") else series.codes)
    categories = series.cat.categories if hasattr(series, "cat") else series.categories
    coded = _viand.column_of_values(name, _FORMATS[codes.dtype.str[1:]], codes, len(codes),
                                    numpy.ascontiguousarray(codes < 0).view("u1"))
    words = _column_of_series(name, categories)
    return _viand.column_of_codes(name, coded, words, bool(series.dtype.ordered))


def _column_of_numpy(name: str, values: Any, mask: Any = None, zone: str = "") -> Any:
    import numpy

    if values.ndim != 1:
        raise InputError(f'column "{name}" of entity_df has {values.ndim} dimensions', "give one value a row")
    kind = values.dtype.kind
    if values.dtype.names:
        raise InputError(f'column "{name}" of entity_df is a structured array, which has several values a row', "give a column for each of its fields")
    if kind in "OUSV":
        return _column_of_objects(name, values.tolist() if mask is None else [None if left else value for value, left in zip(values.tolist(), mask)])
    missing = None if mask is None else numpy.ascontiguousarray(mask).view("u1")
    if kind == "b":
        return _viand.column_of_booleans(name, numpy.ascontiguousarray(values).view("u1"), missing)
    if kind in "mM":
        if mask is not None:
            values = numpy.where(mask, numpy.array("NaT", values.dtype), values)
        return _column_of_times(name, values, zone)
    values = numpy.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
    form = _FORMATS.get(values.dtype.str[1:])
    if form is None:
        raise InputError(f'column "{name}" of entity_df has the type {values.dtype}, which Arrow has none for',
                         f'df["{name}"] = df["{name}"].astype("float64"), or leave it out')
    if missing is None and form in "fg":
        missing = "nan"
    return _viand.column_of_values(name, form, values, len(values), missing)


def _column_of_times(name: str, values: Any, zone: str) -> Any:
    import numpy

    letter = values.dtype.kind
    unit, count = numpy.datetime_data(values.dtype)
    if unit == "generic":  # all NaT
        unit = "us"
    if unit not in _UNITS or count != 1:
        unit = "s" if unit in ("Y", "M", "W", "D", "h", "m", "s") else "ns"
    values = numpy.ascontiguousarray(values, dtype=f"{letter}8[{unit}]").view("i8")
    form = f"ts{_UNITS[unit]}:{zone}" if letter == "M" else f"tD{_UNITS[unit]}"
    return _viand.column_of_values(name, form, values, len(values), "nat")


def _column_of_pyarrow(name: str, values: Any) -> Any:
    """An Array or a ChunkedArray, whose chunks are put together."""
    if hasattr(values, "combine_chunks"):
        values = values.combine_chunks()
    if hasattr(values, "chunks"):  # pyarrow gives a ChunkedArray of one
        values = values.chunk(0)
    if hasattr(values, "__arrow_c_array__"):
        return _viand.column_of_array(name, *values.__arrow_c_array__())
    import pyarrow

    return _viand.column_of_stream(name, _stream_of_old_pyarrow(pyarrow.table({name: values})))


def _column_of_objects(name: str, objects: list) -> Any:
    made = _viand.column_of_objects(name, objects)
    if not isinstance(made, int):
        return made
    if any(is_of(value, "numpy", "generic") for value in objects):
        plain = [value.item() if is_of(value, "numpy", "generic") and not is_of(value, "numpy", "datetime64") else value
                 for value in objects]
        made = _viand.column_of_objects(name, plain)
        if not isinstance(made, int):
            return made
        objects = plain
    odd = objects[made]
    if isinstance(odd, _datetime.datetime) or is_of(odd, "numpy", "datetime64"):
        return _column_of_datetimes(name, objects)
    return _column_by_pyarrow(name, objects, made)


def _column_by_pyarrow(name: str, objects: list, row: int) -> Any:
    """Dates, decimals, lists, dicts: pyarrow knows them all."""
    odd = objects[row]
    what = f'column "{name}" of entity_df (row {row} has a {type(odd).__module__}.{type(odd).__qualname__})'
    if isinstance(odd, _datetime.date) and any(isinstance(value, _datetime.datetime) for value in objects):
        raise InputError(f'column "{name}" mixes types: row {row} has a date among datetimes',
                         "give it one type, as with pandas.to_datetime")
    pyarrow = needed("pyarrow", what, "give the column another type, or leave it out")
    try:
        return _column_of_pyarrow(name, pyarrow.array(objects, from_pandas=True))
    except pyarrow.ArrowException as error:
        raise InputError(f"{what}: {error}", "give the column one type that Arrow has, or leave it out") from None


def _column_of_datetimes(name: str, objects: list) -> Any:
    """Moments as objects: naive ones are UTC, and where any has a zone all are given in UTC."""
    nanoseconds, zoned = [], False
    for row, value in enumerate(objects):
        if value is None or type(value).__name__ in ("NaTType", "NAType") or value != value:
            nanoseconds.append(None)
        elif is_of(value, "numpy", "datetime64"):
            whole = value.astype("M8[us]")
            nanoseconds.append(int(whole.astype("i8")) * 1000 + int((value - whole).astype("m8[ns]").astype("i8")))
        elif isinstance(value, _datetime.datetime):
            zoned = zoned or value.tzinfo is not None
            nanoseconds.append(_nanoseconds(value))
        else:
            raise InputError(f'column "{name}" mixes types: row {row} has a {type(value).__name__} among datetimes',
                             "give it one type, as with pandas.to_datetime")
    exact = any(value is not None and value % 1000 for value in nanoseconds)
    unit, size = ("n", 1) if exact else ("u", 1000)
    import array

    values = array.array("q", [0 if value is None else value // size for value in nanoseconds])
    missing = bytes(value is None for value in nanoseconds)
    return _viand.column_of_values(name, f"ts{unit}:{'UTC' if zoned else ''}", values, len(values), missing)


def _nanoseconds(moment: _datetime.datetime) -> int:
    offset = moment.utcoffset()
    since = moment.replace(tzinfo=None) - _EPOCH - (offset or _datetime.timedelta())
    whole = since // _datetime.timedelta(microseconds=1)
    return whole * 1000 + getattr(moment, "nanosecond", 0)


def zone_name(zone: Any) -> str:
    """A time zone as Arrow names it.

    >>> zone_name(_datetime.timezone(_datetime.timedelta(hours=-3, minutes=-30)))
    '-03:30'
    >>> zone_name(_datetime.timezone.utc)
    'UTC'
    """
    if zone is _datetime.timezone.utc:
        return "UTC"
    for attribute in ("key", "zone"):
        if name := getattr(zone, attribute, None):
            return str(name)
    offset = zone.utcoffset(None)
    if offset is None:
        return "UTC"
    minutes = offset // _datetime.timedelta(minutes=1)
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02}:{abs(minutes) % 60:02}"
