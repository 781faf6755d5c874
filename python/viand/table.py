"""Rows in memory that pandas, polars and every Arrow library take: what a store gives, retrieved or read."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import tables_out

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from . import _viand


class Table:
    """Rows in memory; a notebook shows their columns with types, nulls and ranges, and the first of them.

    Each `to_...` gives them without copying columns where the target allows it. Any library that reads Arrow's PyCapsule
    interface takes a Table as it is: `polars.DataFrame(table)`, `pyarrow.table(table)`, `duckdb.sql("from table")`.
    """

    def __init__(self, store: _viand.Store, rows: _viand.Rows) -> None:
        self._store = store
        self._rows: _viand.Rows | None = rows

    def rows(self) -> _viand.Rows:
        """What every `to_...` gives on."""
        assert self._rows is not None
        return self._rows

    def to_pandas(self) -> pandas.DataFrame:
        """A pandas.DataFrame with a RangeIndex. Integers with nulls are float64, as pandas has it."""
        return tables_out.to_pandas(self.rows())

    def to_df(self) -> pandas.DataFrame:
        """Feast's name for `to_pandas`."""
        return self.to_pandas()

    def to_arrow(self) -> pyarrow.Table:
        """A pyarrow.Table over the same memory; needs pyarrow."""
        return tables_out.to_arrow(self.rows())

    def to_polars(self) -> polars.DataFrame:
        """A polars.DataFrame; needs polars, and no pyarrow."""
        return tables_out.to_polars(self.rows())

    def to_parquet(self, path: str | os.PathLike[str]) -> str:
        """Writes the rows to a file, which appears whole or not at all; the ending decides: .parquet, .csv or .arrow.
        Returns the path."""
        output = os.fspath(path)
        self._store.write(self.rows().__arrow_c_stream__(), output)
        return output

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The rows by the Arrow PyCapsule interface, for any library that reads it."""
        return self.rows().__arrow_c_stream__()

    def __arrow_c_schema__(self) -> Any:
        return self.rows().__arrow_c_schema__()

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"a {type(self).__name__} has no attribute {name!r}"
                             + ("" if name.startswith("_") else "; to_df() gives a DataFrame"))

    def __copy__(self) -> Table:
        return self  # nothing changes it

    def __deepcopy__(self, memo: Any) -> Table:
        return self

    def __reduce__(self) -> Any:
        raise TypeError(f"a {type(self).__name__} cannot be pickled; to_df() and to_arrow() give rows that can")

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        return [name for name, _, _ in self.rows().fields()]

    def __len__(self) -> int:
        return len(self.rows())

    def __repr__(self) -> str:
        return f"<viand.{type(self).__name__}: {len(self):,} rows, {len(self.columns)} columns>"

    def _repr_html_(self) -> str:
        from .display import rows_html

        return rows_html(self.rows())
