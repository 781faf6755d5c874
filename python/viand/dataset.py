"""Dataset: raw files -> one clean, typed Parquet file.

    raw = Dataset(name="orders", path="data/orders.csv", types={"at": "timestamp"}, columns={"amount": "price * n"},
                  to="data/orders.parquet")
    orders = raw.source(timestamp_field="at")
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from viand import arguments as check
from viand.arguments import definition
from viand.data_source import FileSource
from viand.document import Definition, present, sql_of
from viand.expressions import Expression, described, expression, type_name, wrong

__all__ = ["Dataset"]


@definition
class Dataset(Definition):
    """Raw files (xlsx, csv, json lines, parquet) -> one clean, typed Parquet file.

    path: a file or glob, or a list of them. types: raw column -> SQL type. columns: name -> expression over raw columns,
    left out: all as they are. on_error: "fail", "skip" or "null". sheet: a name, or an index from 0.

    >>> raw = Dataset(name="orders", path="orders.csv", types={"at": "timestamp"}, to="data/orders.parquet")
    >>> raw.source(timestamp_field="at")
    FileSource(name='orders', path='data/orders.parquet', timestamp_field='at')
    """

    section = "datasets"

    def __init__(self, *, name: str, path: str | list[str], to: str, format: str | None = None,
                 types: Mapping[str, Any] | None = None, sheet: str | int | None = None, delimiter: str | None = None,
                 on_error: str | None = None, where: Expression | str | None = None,
                 columns: Mapping[str, Expression | str] | None = None, sort_by: str | None = None, description: str = "",
                 tags: dict[str, str] | None = None, owner: str = "") -> None:
        check.take_words(self, "a dataset", name, description, tags, owner)
        self.path = check.texts([path] if isinstance(path, str) else path, "the path of a dataset")
        if not self.path:
            raise wrong("expected at least one path, got an empty list")
        self.to = check.name(to, "the output (to) of a dataset")
        self.format = check.optional_text(format, "the format of a dataset")
        if types is not None and not isinstance(types, dict):
            raise wrong(f"expected a dict of columns to types, got {described(types)}")
        self.types = {check.text(key, "a column"): type_name(value) for key, value in (types or {}).items()}
        self.sheet = sheet if sheet is None or isinstance(sheet, str) else check.integer(sheet, "a sheet")
        self.delimiter = check.optional_text(delimiter, "the delimiter of a dataset")
        self.on_error = check.optional_text(on_error, "on_error of a dataset")
        self.where = None if where is None else expression(where, "a condition as where")
        if columns is not None and not isinstance(columns, dict):
            raise wrong(f"expected a dict of columns to expressions, got {described(columns)}")
        self.columns = {check.name(key, "a column"): expression(value, f"the column {key!r}")
                        for key, value in (columns or {}).items()}
        self.sort_by = check.optional_text(sort_by, "sort_by of a dataset")

    def source(self, *, timestamp_field: str, name: str | None = None, **arguments: Any) -> FileSource:
        """The FileSource of its output, by default under its own name."""
        return FileSource(path=self, name=name or self.name, timestamp_field=timestamp_field, **arguments)

    def document(self):
        origin = present({"path": self.path[0] if len(self.path) == 1 else list(self.path), "format": self.format,
                          "sheet": self.sheet, "delimiter": self.delimiter, "types": dict(self.types)})
        return present({"name": self.name, **self._words(), "from": origin, "on_error": self.on_error,
                        "where": sql_of(self.where),
                        "columns": {key: sql_of(value) for key, value in self.columns.items()}, "to": self.to,
                        "sort_by": self.sort_by})
