"""Tables on their way out: rows that the engine gave, as pandas, polars, pyarrow."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from . import _viand
from .errors import InputError
from .packages import installed, needed

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

_NUMPY = {"c": "i1", "C": "u1", "s": "i2", "S": "u2", "i": "i4", "I": "u4", "l": "i8", "L": "u8",
          "e": "f2", "f": "f4", "g": "f8"}
_UNITS = {"s": "s", "m": "ms", "u": "us", "n": "ns"}


def to_arrow(rows: Any) -> pyarrow.Table:
    """A pyarrow.Table over the same memory."""
    pyarrow = needed("pyarrow", "to_arrow()", "to_pandas() and to_polars() do without it")
    if hasattr(pyarrow.RecordBatchReader, "from_stream"):
        return pyarrow.RecordBatchReader.from_stream(rows).read_all()
    capsule = rows.__arrow_c_stream__()
    return pyarrow.RecordBatchReader._import_from_c(_viand.stream_address(capsule)).read_all()


def to_polars(rows: Any) -> polars.DataFrame:
    """A polars.DataFrame."""
    polars = needed("polars", "to_polars()")
    if hasattr(polars.DataFrame, "__arrow_c_stream__"):
        return polars.DataFrame(rows)
    return polars.from_arrow(to_arrow(rows))


def to_pandas(rows: Any) -> pandas.DataFrame:
    """A pandas.DataFrame, as pyarrow makes it where it is installed, and the same where it is not."""
    pandas = needed("pandas", "to_pandas()", "to_arrow() and to_polars() do without it")
    if installed("pyarrow") is not None:
        return _by_pyarrow(to_arrow(rows))
    return by_columns(rows)


def by_columns(rows: Any) -> pandas.DataFrame:
    """The same without pyarrow."""
    import pandas

    columns = {}
    for index, (name, _, form) in enumerate(rows.fields()):
        columns[name] = _series(pandas, form, rows.column(index))
    return pandas.DataFrame(columns)


def _by_pyarrow(table: pyarrow.Table) -> pandas.DataFrame:
    import pyarrow

    for at, column in enumerate(table.columns):
        if pyarrow.types.is_dictionary(column.type) and any(chunk.dictionary.null_count for chunk in column.chunks):
            # No category of pandas is null: rows that name such a word are.
            table = table.set_column(at, table.column_names[at], column.cast(column.type.value_type).dictionary_encode())
    try:
        return table.to_pandas()
    except pyarrow.ArrowException as error:
        raise InputError(f"pandas cannot hold the rows: {str(error).strip()}", "to_arrow() and to_polars() give them as they are") from None


def _series(pandas: Any, form: str, parts: list) -> Any:
    if any(words is not None for _, _, words in parts):
        return _categories(pandas, form, parts)
    if form in _NUMPY:
        return _numbers(form, parts)
    if form == "b":
        return _booleans(parts)
    if form.startswith("ts"):
        return _times(pandas, form, parts)
    if form.startswith("tD"):
        return _fixed("m8[" + _UNITS[form[2]] + "]", parts, "NaT")
    objects = [value for values, _, _ in parts for value in values]
    if form in ("u", "U", "vu"):
        return pandas.Series(objects, dtype="str" if int(pandas.__version__.partition(".")[0]) >= 3 else object)
    return pandas.Series(objects, dtype=object)


def _joined(dtype: str, parts: list) -> tuple:
    """(values, nulls or None) of all parts; values may be read-only."""
    import numpy

    values = [numpy.frombuffer(part, dtype) for part, _, _ in parts]
    values = values[0] if len(values) == 1 else numpy.concatenate([numpy.empty(0, dtype), *values])
    if all(nulls is None for _, nulls, _ in parts):
        return values, None
    nulls = [numpy.zeros(len(numpy.frombuffer(part, dtype)), "?") if mask is None else numpy.frombuffer(mask, "?")
             for part, mask, _ in parts]
    return values, numpy.concatenate(nulls)


def _fixed(dtype: str, parts: list, missing: Any) -> Any:
    values, nulls = _joined(dtype, parts)
    if nulls is not None:
        values = values.copy()
        values[nulls] = missing
    return values


def _numbers(form: str, parts: list) -> Any:
    """Integers with nulls are doubles, as pandas has it."""
    values, nulls = _joined(_NUMPY[form], parts)
    if nulls is None:
        return values
    values = values.astype(values.dtype if form in "efg" else "f8")
    values[nulls] = float("nan")
    return values


def _booleans(parts: list) -> Any:
    values, nulls = _joined("?", parts)
    if nulls is None:
        return values
    values = values.astype(object)
    values[nulls] = None
    return values


def _times(pandas: Any, form: str, parts: list) -> Any:
    values = _fixed("M8[" + _UNITS[form[2]] + "]", parts, "NaT")
    zone = form[4:]
    return pandas.DatetimeIndex(values).tz_localize("UTC").tz_convert(zone) if zone else values


def _categories(pandas: Any, form: str, parts: list) -> Any:
    import numpy
    from pandas.api.types import union_categoricals

    made = []
    for part in parts:
        codes, nulls = _joined(_NUMPY[form], [part])
        codes, words = codes.astype("i8"), part[2]
        if nulls is not None:
            codes[nulls] = -1
        if None in words:
            # No category of pandas is null: rows that name such a word are.
            given = numpy.array([word is not None for word in words])
            codes = numpy.where((codes < 0) | ~given[codes], -1, (numpy.cumsum(given) - 1)[codes])
            words = [word for word in words if word is not None]
        made.append(pandas.Categorical.from_codes(codes, categories=words))
    return union_categoricals(made) if len(made) > 1 else made[0]
