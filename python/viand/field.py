"""Field: one feature, a ready column or a computed one."""

from __future__ import annotations

from typing import Any

from viand import arguments as check
from viand.arguments import definition
from viand.document import Definition, Part, SqlText, present, sql_of
from viand.durations import Duration, time_text, window_text
from viand.expressions import Expression, Per, described, expression, wrong
from viand.function_feature import FeatureFunction, FunctionResult, result_of, with_named_function
from viand.types import FeastType, from_name, from_value_type
from viand.value_type import ValueType

__all__ = ["Field"]


@definition
class Field(Definition):
    """A feature: a ready column (name, dtype), or a computed one (expr: an expression, SQL text or a feature_function).

    window: its own, where that is not the view's. default: replaces null where the row exists. In the dict of a view's
    `features` the key is the name.

    >>> from viand import col
    >>> Field(name="spent", expr=col("amount").sum(), window="30d", default=0)
    Field(name='spent', expr='sum(amount)', window='30d', default=0)
    """

    def __init__(self, *, name: str | None = None, dtype: FeastType | ValueType | str | None = None, description: str = "",
                 tags: dict[str, str] | None = None, vector_index: bool = False, vector_length: int = 0,
                 vector_search_metric: str | None = None, expr: Expression | FeatureFunction | FunctionResult | str | None = None,
                 window: Duration | None = None, default: Any = None, owner: str = "") -> None:
        self.name = None if name is None else check.name(name, "the name of a field")
        self.description = check.optional_text(description, "the description of a field")
        self.owner = check.optional_text(owner, "the owner of a field")
        self.tags = check.text_map(tags, "the tags of a field")
        if dtype is not None and not isinstance(dtype, (FeastType, ValueType, str)):
            raise wrong(f"{described(dtype)} is no dtype of a field", "write such as viand.types.Float64")
        if expr is not None and dtype is not None:
            raise wrong("a field has expr or dtype, not both",
                        "the type follows from the expression; .cast(...) changes it")
        self._dtype = dtype
        self._type: FeastType | None = None  # what a store found out
        self.function: FunctionResult | None = result_of(expr) if isinstance(expr, (FeatureFunction, FunctionResult)) else None
        self.expr = None if expr is None or self.function is not None else _feature_expression(expr)
        self.window = _feature_window(self.expr if self.function is None else self.function, window)
        self.default = _default(default if default is not None or self.function is None else self.function.default)
        if not self.computed and (window is not None or default is not None):
            raise wrong("window and default need an expr: a ready column is taken as it is")
        check.refused("field", "viand has no vector search", vector_index=(vector_index, False),
                      vector_length=(vector_length, 0), vector_search_metric=(vector_search_metric or None, None))

    @property
    def dtype(self) -> FeastType | str | None:
        """Its type; of a computed one, or one without a word, what a store found out, else None."""
        if isinstance(self._dtype, ValueType):
            return from_value_type(self._dtype)
        if isinstance(self._dtype, str):
            return from_name(self._dtype) or self._dtype
        return self._type if self._dtype is None else self._dtype

    def take_type(self, name: str | None) -> None:
        """Takes a type that a store found out, by its name."""
        self._type = None if name is None else from_name(name)

    @property
    def computed(self) -> bool:
        return self.expr is not None or self.function is not None

    def named(self, name):
        """The same under the key of a dict."""
        if self.name is not None and self.name != name:
            raise wrong(f"the field {self.name!r} stands under the key {name!r}", "leave its name out")
        copy = object.__new__(Field)
        copy.__dict__.update(self.__dict__, name=name)
        return copy

    def document(self):
        computed = {"expr": sql_of(self.expr), "window": window_text(self.window) if self.window is not None else None}
        if self.function is not None:
            computed = {**self.function.document(), "window": computed["window"]}
        tree = present({"name": self.name, "dtype": _dtype_text(self._dtype), **(computed if self.computed else {}),
                        **self._words()})
        return tree if self.default is None else {**tree, "default": self.default}

    def computation(self):
        """What stands at its name in the features of a computed view."""
        tree = self.document()
        del tree["name"]
        if self.function is not None:
            return Part.of(self.function.site, tree)
        if len(tree) > 1:
            return Part.of(self.site, tree)
        text = SqlText(tree["expr"])
        text.site, text.field = getattr(tree["expr"], "site", None), self.site
        return text


def _feature_expression(of):
    if isinstance(of, Per):
        raise wrong("groups are no feature", 'an aggregate follows per, as in col("revenue").sum().per("invoice_no").avg()')
    if isinstance(of, str):
        if not of.strip():
            raise wrong("expected an expression, got an empty text")
        return of
    return expression(of, "the expression of a feature")


def _feature_window(expr, window):
    if isinstance(expr, FunctionResult):
        return expr.window if window is None else check.window(window, "the window of a feature")
    own = expr.window if isinstance(expr, Expression) else None
    if window is None:
        return own
    window = check.window(window, "the window of a feature")
    if own is not None and own != window_text(window):
        raise wrong(f"the expression has the window {own}, the feature {window_text(window)}", "write one of them")
    return window


def _default(of):
    """A literal as YAML holds it."""
    if of is None or isinstance(of, (str, bool, int, float)):
        return of
    if hasattr(of, "item") and type(of).__module__ == "numpy":
        return _default(of.item())
    of_time = time_text(of)
    if of_time is None:
        raise wrong(f"{described(of)} is no default", "a default is a text, a number, True, False, a datetime or a date")
    return of_time


def _dtype_text(dtype):
    return dtype.name if isinstance(dtype, ValueType) else None if dtype is None else str(dtype)


def take_field(name, value):
    name = check.name(name, "the name of a feature")
    if isinstance(value, Field):
        return value.named(name)
    if isinstance(value, dict):
        return Field(name=name, **(with_named_function(value) if "function" in value else value))
    if isinstance(value, (Expression, Per, str, FeatureFunction, FunctionResult)):
        return Field(name=name, expr=value)
    raise wrong(f"expected an expression as the feature {name!r}, got {described(value)}",
                'write SQL text, col("x").sum(), or Field(expr=..., window=..., default=...)')
