"""A retrieval of features: asked for, computed when its rows are first wanted, and then held."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from . import tables_in
from .errors import UsageError
from .table import Table

if TYPE_CHECKING:
    import pandas
    import pyarrow

    from . import _viand


class RetrievalJob(Table):
    """The rows of a spine with their features: one row for each row of the spine, in its order.

    Made by `FeatureStore.get_historical_features`, which checks all names. Rows are computed when they are first asked
    for, and held for the next call; each `to_...` gives them without copying columns where the target allows it.

    The columns are those of the spine, untouched, then the features.
    """

    def __init__(self, store: _viand.Store, spine: tables_in.Spine, features: list[str], texts: dict[str, str]) -> None:
        self._store, self._spine, self._features, self._texts = store, spine, features, texts
        self._rows: _viand.Rows | None = None

    def rows(self) -> _viand.Rows:
        """Computes the rows, once; what every `to_...` gives on."""
        if self._rows is None:
            with self._spine.errors_told():
                self._rows = self._store.retrieve(self._spine.take(), self._features, self._texts)
        return self._rows

    def to_df(self, validation_reference: Any = None, timeout: int | None = None) -> pandas.DataFrame:
        """A pandas.DataFrame; Feast's name for `to_pandas`."""
        self._refuse_validation(validation_reference)
        return self.to_pandas()

    def to_arrow(self, validation_reference: Any = None, timeout: int | None = None) -> pyarrow.Table:
        """A pyarrow.Table over the same memory; needs pyarrow."""
        self._refuse_validation(validation_reference)
        return super().to_arrow()

    @staticmethod
    def _refuse_validation(reference: Any) -> None:
        if reference is not None:
            raise UsageError("validation_reference is not supported", "leave it out")

    def to_parquet(self, path: str | os.PathLike[str]) -> str:
        """Writes the rows to a file, as they are computed: memory stays within the store's budget.

        The ending decides: .parquet, .csv or .arrow. The file appears whole or not at all. Where the spine is a path, or
        a range of time, `PATH.manifest.json` beside it says what the rows were made from. Returns the path.
        """
        if self._rows is not None:
            return super().to_parquet(path)
        output = os.fspath(path)
        with self._spine.errors_told():
            self._store.write_retrieval(self._spine.take() or "", self._features, self._texts, output)
        return output

    @property
    def full_feature_names(self) -> bool:
        """Whether the features are named view__feature."""
        return "full_feature_names" in self._texts

    # ---- for people -----------------------------------------------------------------------------------------

    def explain(self, analyze: bool = False) -> Any:
        """The plan: what each operator is expected to do; with `analyze` it is run and told what each did."""
        from .plans import Operator

        return Operator(self._store.explain(self._spine.take(), self._features, self._texts, analyze))

    def __repr__(self) -> str:
        asked = ", ".join(self._features + ([self._texts["service"]] if "service" in self._texts else []))
        if self._rows is None:
            return f"<viand.RetrievalJob of {asked}: not computed yet; to_df() and its like compute it>"
        return f"<viand.RetrievalJob of {asked}: {len(self._rows):,} rows, {len(self._rows.fields())} columns>"


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
    if hasattr(features, "name"):
        features = [features]
    elif not isinstance(features, Iterable) or isinstance(features, Mapping):
        raise UsageError(f"features is of the type {type(features).__name__}", 'give a list of "view:feature", or a feature service')
    references: list[str] = []
    for each in features:
        if isinstance(each, str):
            references.append(each)
        elif _is_service(each):
            raise UsageError("features is a list with a feature service in it", "give the service alone")
        elif getattr(each, "name_alias", "") or getattr(each, "join_key_map", None):
            raise UsageError(f"a list of features takes no alias and no join_key_map, and that of {each.name} has one",
                             "put it into a FeatureService, apply that, and give the service")
        elif hasattr(each, "name"):
            chosen = getattr(each, "desired_features", None) or []
            references += [f"{each.name}:{feature}" for feature in chosen] or [str(each.name)]
        else:
            raise UsageError(f"features has a {type(each).__name__} in it", 'give "view:feature", or "view" for all of its')
    return references, ""


def _is_service(value: Any) -> bool:
    return type(value).__name__ == "FeatureService" or getattr(value, "kind", "") in ("feature_service", "feature-services")
