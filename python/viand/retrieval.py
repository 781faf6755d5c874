"""A retrieval of features: asked for, computed when its rows are first wanted, and then held."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from . import tables_in, tables_out
from .errors import UsageError

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

    from . import _viand


class RetrievalJob:
    """The rows of a spine with their features: one row for each row of the spine, in its order.

    Made by `FeatureStore.get_historical_features`, which checks all names. Rows are computed when they are first asked
    for, and held for the next call; each `to_...` gives them without copying columns where the target allows it.

    The columns are those of the spine, untouched, then the features.
    """

    def __init__(self, store: _viand.Store, spine: tables_in.Spine, features: list[str], texts: dict[str, str]) -> None:
        self._store, self._spine, self._features, self._texts = store, spine, features, texts
        self._rows: _viand.Rows | None = None

    # ---- the rows -------------------------------------------------------------------------------------------

    def rows(self) -> _viand.Rows:
        """Computes the rows, once; what every `to_...` gives on."""
        if self._rows is None:
            self._rows = self._store.retrieve(self._spine.take(), self._features, self._texts)
        return self._rows

    def to_df(self, validation_reference: Any = None, timeout: int | None = None) -> pandas.DataFrame:
        """A pandas.DataFrame; Feast's name for `to_pandas`."""
        if validation_reference is not None:
            raise UsageError("validation_reference is not supported", "leave it out")
        return self.to_pandas()

    def to_pandas(self) -> pandas.DataFrame:
        """A pandas.DataFrame with a RangeIndex. Integers with nulls are float64, as pandas has it."""
        return tables_out.to_pandas(self.rows())

    def to_arrow(self, validation_reference: Any = None, timeout: int | None = None) -> pyarrow.Table:
        """A pyarrow.Table over the same memory; needs pyarrow."""
        return tables_out.to_arrow(self.rows())

    def to_polars(self) -> polars.DataFrame:
        """A polars.DataFrame; needs polars, and no pyarrow."""
        return tables_out.to_polars(self.rows())

    def to_parquet(self, path: str | os.PathLike[str]) -> str:
        """Writes the rows to a file, as they are computed: memory stays within the store's budget.

        The ending decides: .parquet, .csv or .arrow. The file appears whole or not at all. Where the spine is a path, or
        a range of time, `PATH.manifest.json` beside it says what the rows were made from. Returns the path.
        """
        output = os.fspath(path)
        if self._rows is not None:
            self._store.write(self._rows.__arrow_c_stream__(), output)
        else:
            self._store.write_retrieval(self._spine.take() or "", self._features, self._texts, output)
        return output

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        """The rows by the Arrow PyCapsule interface, for any library that reads it."""
        return self.rows().__arrow_c_stream__()

    def __arrow_c_schema__(self) -> Any:
        return self.rows().__arrow_c_schema__()

    def __len__(self) -> int:
        return len(self.rows())

    # ---- for people -----------------------------------------------------------------------------------------

    @property
    def columns(self) -> list[str]:
        """Names of the columns: the spine's, then the features."""
        return [name for name, _, _ in self.rows().fields()]

    def explain(self, analyze: bool = False) -> Any:
        """The plan: what each operator is expected to do; with `analyze` it is run and told what each did."""
        from .plans import Operator

        return Operator(self._store.explain(self._spine.take(), self._features, self._texts, analyze))

    def __repr__(self) -> str:
        asked = ", ".join(self._features + ([self._texts["service"]] if "service" in self._texts else []))
        if self._rows is None:
            return f"<viand.RetrievalJob of {asked}: not computed yet; to_df() and its like compute it>"
        return f"<viand.RetrievalJob of {asked}: {len(self._rows):,} rows, {len(self._rows.fields())} columns>"

    def _repr_html_(self) -> str:
        from .display import rows_html

        return rows_html(self.rows())


def feature_references(features: Any) -> tuple[list[str], str]:
    """What Feast's `features` may be, as (references, service).

    >>> feature_references(["stats:spent", "user_activity"])
    (['stats:spent', 'user_activity'], '')
    """
    if features is None:
        return [], ""
    if isinstance(features, str):
        return [features], ""
    if _is_service(features):
        return [], str(features.name)
    references: list[str] = []
    for each in features:
        if isinstance(each, str):
            references.append(each)
        elif _is_service(each):
            raise UsageError("features is a list with a feature service in it", "give the service alone")
        elif hasattr(each, "name"):
            chosen = getattr(each, "desired_features", None) or []
            references += [f"{each.name}:{feature}" for feature in chosen] or [str(each.name)]
        else:
            raise UsageError(f"features has a {type(each).__name__} in it", 'give "view:feature", or "view" for all of its')
    return references, ""


def _is_service(value: Any) -> bool:
    return type(value).__name__ == "FeatureService" or getattr(value, "kind", "") in ("feature_service", "feature-services")
