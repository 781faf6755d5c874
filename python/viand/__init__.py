"""viand: a feature store and feature engine.

A feature repo is a folder with a feature_store.yaml and definitions::

    import viand

    store = viand.FeatureStore("shop")
    store.run()
    store.get_historical_features(orders, features=["user_activity"]).to_df()

Nothing is loaded before it is used: `import viand` needs neither pandas nor pyarrow, and takes
milliseconds.
"""

from __future__ import annotations

import sys as _sys
from importlib import import_module as _import_module
from typing import TYPE_CHECKING

# What each module of the package gives to the package itself, loaded when it is first asked for.
_MODULES = {
    "errors": ("Conflict", "DefinitionError", "EnvironmentProblem", "Error", "InputError", "Interrupted",
               "MissingPackage", "NotFound", "NotYet", "RegistryError", "UsageError"),
    "entity": ("Entity",),
    "data_source": ("FileSource", "PushSource"),
    "function_feature": ("feature_function",),
    "field": ("Field",),
    "feature_view": ("FeatureView", "FeatureViewProjection"),
    "feature_service": ("FeatureService",),
    "project": ("Project",),
    "dataset": ("Dataset",),
    "snapshots": ("Snapshots",),
    "labels": ("Labels", "Spine"),
    "model": ("Model",),
    "expressions": ("as_of", "col", "count", "floor_days", "function", "gap", "lit", "sql", "when"),
    "value_type": ("ValueType",),
    "data_format": ("ParquetFormat",),
    "yaml_text": ("to_yaml",),
    "retrieval": ("RetrievalJob",),
    "table": ("Table",),
    "feature_store": ("FeatureStore", "init"),
}
# Modules that are reached through the package, as Feast's are.
_SUBMODULES = ("data_format", "errors", "expressions", "types", "value_type")
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}

if TYPE_CHECKING:
    from .data_format import ParquetFormat as ParquetFormat
    from .data_source import *  # noqa: F403
    from .dataset import *  # noqa: F403
    from .entity import *  # noqa: F403
    from .errors import *  # noqa: F403
    from .expressions import *  # noqa: F403
    from .function_feature import feature_function as feature_function
    from .feature_service import *  # noqa: F403
    from .feature_view import *  # noqa: F403
    from .field import *  # noqa: F403
    from .labels import *  # noqa: F403
    from .model import *  # noqa: F403
    from .project import *  # noqa: F403
    from .snapshots import *  # noqa: F403
    from .retrieval import RetrievalJob as RetrievalJob
    from .feature_store import FeatureStore as FeatureStore
    from .feature_store import init as init
    from .table import Table as Table
    from .value_type import ValueType as ValueType
    from .yaml_text import to_yaml as to_yaml

__all__ = ["__version__", *_MODULE_OF]  # pyright: ignore[reportUnsupportedDunderAll]


def __getattr__(name: str) -> object:
    if name == "__version__":
        value = _import_module("viand._viand").version()
    elif name in _SUBMODULES:
        value = _import_module(f"viand.{name}")
    elif name in _MODULE_OF:
        value = getattr(_import_module(f"viand.{_MODULE_OF[name]}"), name)
    else:
        if (missing := _import_module("viand.feast_names").missing(name)) is not None:
            raise ImportError(missing)
        raise AttributeError(f"module 'viand' has no attribute {name!r}")
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _FeastModules:
    """Finds nothing: says of a module of Feast's what stands for it."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        package, _, module = name.partition(".")
        if package == __name__ and (missing := _import_module("viand.feast_names").missing_module(module)) is not None:
            raise ModuleNotFoundError(missing, name=name)


_sys.meta_path.append(_FeastModules)  # type: ignore[arg-type]
