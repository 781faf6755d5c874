"""What a Python function gave back, as one Arrow column a result: one value a group, in the order of the groups."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from typing import Any


class NoResult(Exception):
    """Why what came back is no result; reads behind "the function f"."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.hint = hint


def result_columns(pa: Any, given: Any, results: Any, groups: Any) -> list[Any]:
    """given: what the function returned; results: a schema of the names ("" for the only one) and types; groups: a table."""
    places, columns = _columns_of(pa, given, groups)
    out = []
    for field in results:
        name, values = field.name, _named(columns, field.name)
        at = places.get(name, places.get(None))
        what = f" as {name!r}" if name else ""
        array = _array(pa, values, field.type, what)
        if at is None:
            if len(array) != len(groups):
                raise NoResult(f"returned {_counted(len(array), 'value')}{what} for {_counted(len(groups), 'group')}",
                               'one value a group, in their order; a table with the column "group" may leave groups out')
        else:
            array = _placed(pa, array, at, len(groups), what)
        out.append(array)
    return out


def _columns_of(pa, given, groups):
    """({name: group of each value}, {name: values}); under None is what holds for all names."""
    given = _from_others(pa, given)
    if isinstance(given, pa.Table):
        columns = {name: given[name] for name in given.column_names if name != "group"}
        return ({None: given["group"].to_pylist()} if "group" in given.column_names else {}), _without_keys(columns, groups)
    if _is_pandas(given, "DataFrame"):
        columns = {name: given[name] for name in given.columns if name != "group"}
        at = given["group"].tolist() if "group" in given.columns else _index_places(given, groups)
        return ({} if at is None else {None: at}), _without_keys(columns, groups)
    if isinstance(given, Mapping):
        found = {name: _index_places(each, groups) for name, each in given.items()}
        return {name: at for name, at in found.items() if at is not None}, dict(given)
    at = _index_places(given, groups)
    return ({} if at is None else {None: at}), {"": given}


def _from_others(pa, given):
    """What polars, DuckDB and their like give, as pyarrow's."""
    if isinstance(given, pa.RecordBatch):
        return pa.Table.from_batches([given])
    if isinstance(given, pa.RecordBatchReader):
        return given.read_all()
    if not hasattr(given, "__arrow_c_stream__") or isinstance(given, (pa.Table, pa.ChunkedArray)) or _is_pandas(given, "DataFrame") or _is_pandas(given, "Series"):
        return given
    # A table has columns; polars' Series does not.
    return pa.table(given) if hasattr(given, "columns") else pa.chunked_array(given)


def _without_keys(columns, groups):
    return {name: values for name, values in columns.items() if name not in groups.column_names}


def _named(columns, name):
    if name in columns:
        return columns[name]
    if not name:
        if len(columns) == 1:
            return next(iter(columns.values()))
        raise NoResult(f"returned {len(columns)} results ({', '.join(map(str, columns))}), and the feature does not say which",
                       'output: NAME in YAML, returns={"name": type, ...} in Python')
    if list(columns) == [""]:
        raise NoResult(f"returned one result, expected {name!r} among several", "return a dict, a table or a DataFrame")
    near = difflib.get_close_matches(name, [str(each) for each in columns], 1)
    raise NoResult(f"returned no {name!r}", f'did you mean "{near[0]}"?' if near else f"it returned {', '.join(map(str, columns))}")


def _is_pandas(value, name):
    return any(base.__name__ == name and base.__module__.partition(".")[0] == "pandas" for base in type(value).__mro__)


def _index_places(value, groups):
    """The group of each value where the index of a Series or DataFrame tells it; None where it counts from 0."""
    if not (_is_pandas(value, "Series") or _is_pandas(value, "DataFrame")):
        return None
    index = value.index
    names = list(index.names)
    if names == ["group"]:
        return index.tolist()
    if None not in names and set(names) == set(groups.column_names):
        of_groups = groups.to_pandas().reset_index().set_index(names)["index"]
        return of_groups.reindex(index).tolist()
    if names == [None] and index.tolist() == list(range(len(index))):
        return None
    shown = ", ".join(map(str, names))
    raise NoResult(f"returned a {type(value).__name__} whose index ({shown}) does not say of which groups its values are",
                   'group by "group", or give values in the order of the groups: .to_numpy()')


def _array(pa, values, type_, what):
    if isinstance(values, pa.ChunkedArray):
        values = values.combine_chunks()
        values = pa.concat_arrays(values.chunks) if isinstance(values, pa.ChunkedArray) else values
    if not isinstance(values, pa.Array):
        values = _from_python(pa, values, type_, what)
    if values.type != type_ and not _may_become(pa, values.type, type_):
        hint = ".dt.days makes days, .dt.total_seconds() seconds of it" if pa.types.is_duration(values.type) else \
            "change returns, or what the function makes"
        raise NoResult(f"returned {values.type}{what}, and returns says {type_}", hint)
    try:
        return values.cast(type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise NoResult(f"returned {values.type}{what} that does not fit {type_}: {_first_line(error)}") from None


def _from_python(pa, values, type_, what):
    if isinstance(values, (str, bytes)) or values is None or not (hasattr(values, "__len__") and hasattr(values, "__iter__")):
        raise NoResult(f"returned {_described(values)}{what}, expected an array of one value a group",
                       "a pyarrow array, a Series, a NumPy array or a list")
    if getattr(values, "ndim", 1) != 1:
        raise NoResult(f"returned an array of {values.ndim} dimensions{what}, expected one value a group")
    try:
        array = pa.array(values, from_pandas=True)
    except (pa.ArrowException, TypeError, ValueError, OverflowError):
        try:
            array = pa.array(list(values), type=type_, from_pandas=True)
        except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
            raise NoResult(f"returned values{what} that make no {type_}: {_first_line(error)}") from None
    if isinstance(array, pa.ChunkedArray):
        array = array.combine_chunks()
    return array


def _may_become(pa, given, wanted):
    types = pa.types
    kinds = (lambda each: types.is_integer(each) or types.is_floating(each) or types.is_decimal(each), types.is_boolean,
             lambda each: types.is_string(each) or types.is_large_string(each) or types.is_string_view(each) or types.is_dictionary(each),
             lambda each: types.is_binary(each) or types.is_large_binary(each),
             lambda each: types.is_timestamp(each) or types.is_date(each),
             lambda each: types.is_list(each) or types.is_large_list(each) or types.is_fixed_size_list(each))
    return types.is_null(given) or any(kind(given) and kind(wanted) for kind in kinds)


def _placed(pa, array, places, count, what):
    at: list[int | None] = [None] * count
    if len(places) != len(array):
        raise NoResult(f"returned {_counted(len(array), 'value')}{what} and {_counted(len(places), 'group')}")
    known = range(count)
    for value, group in enumerate(places):
        if group is None or group != group or group not in known:
            raise NoResult(f"returned a value{what} of a group that it was not given" + ("" if group is None or group != group else f": {group!r}"))
        if at[int(group)] is not None:
            raise NoResult(f"returned two values{what} of group {int(group)}", "one value a group")
        at[int(group)] = value
    return array.take(pa.array(at, type=pa.int64()))


def _described(value):
    return "None" if value is None else f"a {type(value).__name__}"


def _counted(count, what):
    return f"{count} {what}" + ("" if count == 1 else "s")


def _first_line(error):
    return str(error).strip().split("\n")[0]
