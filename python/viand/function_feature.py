"""Python functions as features, where an expression is not enough.

    import viand
    from viand.types import Float64

    @viand.feature_function(returns=Float64, columns=["revenue"], mode="pandas")
    def median_order(rows):
        return rows.groupby("group")["revenue"].median()

    view = viand.FeatureView(name="orders", entities=[customer], source=orders, window="90d",
                             features={"median_order": median_order, "best": "max(revenue)"})

A function gets the rows of the windows of many keys at once and gives one value a group, a group being a key at a time
(docs/PYTHON.md). It runs in processes of its own; its text, what that uses of its module, the repo's modules that it
imports, and the versions of Python and of its packages are part of the definition.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import linecache
import os
import textwrap
import types
from collections.abc import Callable, Iterator
from typing import Any

from viand import arguments as check
from viand import function_source
from viand.document import Part, present
from viand.durations import Duration, window_text
from viand.errors import DefinitionError
from viand.expressions import described, type_name, wrong
from viand.places import call_site, shown_path
from viand.types import FeastType
from viand.value_type import ValueType

__all__ = ["FeatureFunction", "FunctionResult", "feature_function"]

_MODES = ("arrow", "pandas")


def feature_function(*, returns: Any, mode: str = "arrow", columns: list[str] | None = None,
                     packages: list[str] | tuple[str, ...] = (), window: Duration | None = None,
                     default: Any = None) -> Callable[[Callable[..., Any]], FeatureFunction]:
    """Makes a function a feature of views: `features={"monetary": monetary}`.

    returns: the type of its values (viand.types.Float64, float, "double"), or a dict of name to type where it makes several
    features in one pass: `features={**rfm}`, or `{"r": rfm["recency"]}`. columns: of the source that it takes, all of them
    where left out. mode: "arrow" gives it pyarrow.Tables, "pandas" DataFrames. packages: whose versions count beside those
    of what it imports. window, default: of its features, where that is not the view's.

    The function takes `rows` (the column `group`, a number from 0; the join keys; `as_of`; the columns; by group, then time)
    or `rows, groups` (rows without keys and as_of; groups: keys and as_of, one row a group). It returns one value a group in
    the order of the groups, or a table or Series with `group`; of several results a dict or table of them.

    >>> @feature_function(returns=float, columns=["revenue"])
    ... def monetary(rows):
    ...     return rows.group_by("group").aggregate([("revenue", "sum")])
    >>> monetary
    <feature function monetary(revenue) -> double>
    """
    site = call_site()

    def make(function: Callable[..., Any]) -> FeatureFunction:
        made = FeatureFunction(function, returns, mode, columns, packages, site)
        return made.over(window=window, default=default) if window is not None or default is not None else made

    return make


class FeatureFunction:
    """A function that makes features; calling it calls the function."""

    def __init__(self, function: Callable[..., Any], returns: Any, mode: str, columns: list[str] | None,
                 packages: list[str] | tuple[str, ...], site: Any) -> None:
        self.site = site
        self.function = _checked(function)
        functools.update_wrapper(self, function)
        self.mode = mode
        if mode not in _MODES:
            raise wrong(f"unknown mode {mode!r} of a function", "arrow gives it a pyarrow.Table, pandas a DataFrame")
        self.columns = None if columns is None else check.texts(columns, "the columns of a function")
        check.unique(self.columns or (), "the column")
        self.packages = sorted(check.texts(list(packages), "the packages of a function"))
        self.outputs = {name: _type_text(each) for name, each in returns.items()} if isinstance(returns, dict) else {"": _type_text(returns)}
        self.window: Any = None
        self.default: Any = None

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        return self.function(*arguments, **named)

    def over(self, *, window: Duration | None = None, default: Any = None) -> FeatureFunction:
        """The same with a window and a default of its own."""
        copy = object.__new__(FeatureFunction)
        copy.__dict__.update(self.__dict__)
        copy.window = self.window if window is None else check.window(window, "the window of a feature")
        copy.default = self.default if default is None else default
        return copy

    def keys(self) -> Iterator[str]:
        """The names of its results, so that `{**function}` is a dict of features."""
        return iter([each or self.function.__name__ for each in self.outputs])

    def __iter__(self) -> Iterator[str]:
        return self.keys()

    def __getitem__(self, name: str) -> FunctionResult:
        output = "" if "" in self.outputs and name == self.function.__name__ else name
        if output not in self.outputs:
            raise wrong(f"the function {self.function.__name__} has no result {name!r}", "it has " + ", ".join(self.keys()))
        return FunctionResult(self, output)

    def __reduce__(self) -> str:
        """By name, as functions are."""
        return self.function.__qualname__

    def __repr__(self) -> str:
        shown = ", ".join(self.outputs.values()) if "" in self.outputs else str(self.outputs)
        return f"<feature function {self.function.__name__}({', '.join(self.columns or ['*'])}) -> {shown}>"


class FunctionResult:
    """One of the results of a function, as a feature."""

    def __init__(self, function: FeatureFunction, output: str) -> None:
        self.function, self.output = function, output
        self.window, self.default = function.window, function.default

    @property
    def site(self) -> Any:
        return self.function.site

    def document(self) -> dict[str, Any]:
        """What stands in YAML of the function."""
        of = self.function
        name, source = reference(of.function)
        return Part.of(of.site, present({
            "function": name, "columns": of.columns, "returns": of.outputs[self.output], "mode": None if of.mode == "arrow" else of.mode,
            "output": self.output, "packages": of.packages or None, "code": source,
            "window": None if self.window is None else window_text(self.window)}))

    def __reduce__(self) -> Any:
        """In another process it is known by name, or by its text."""
        tree = {key: value for key, value in self.document().items() if key in _NAMED_KEYS}
        return NamedFunction, (tree, self.site)

    def __str__(self) -> str:
        of = self.function
        return f"{of.function.__name__}({', '.join(of.columns or ['*'])}){'.' if self.output else ''}{self.output}"


class NamedFunction(FunctionResult):
    """A function that is known by name: what YAML says of it, as a store gives it back."""

    def __init__(self, tree: dict[str, Any], site: Any = None) -> None:
        self._tree, self._site = dict(tree), site
        self.output = self._tree.get("output", "")
        self.window = self.default = None

    @property
    def site(self) -> Any:
        return self._site

    def document(self) -> dict[str, Any]:
        return Part.of(self._site, self._tree)

    def __str__(self) -> str:
        columns = ", ".join(self._tree.get("columns") or ["*"])
        return f"{self._tree['function']}({columns}){'.' if self.output else ''}{self.output}"


# The keys of a feature that say what its function is.
_NAMED_KEYS = ("function", "columns", "returns", "mode", "output", "packages", "code")


def with_named_function(tree: dict[str, Any]) -> dict[str, Any]:
    """The arguments of a Field of a feature as YAML has it."""
    own = {key: value for key, value in tree.items() if key in _NAMED_KEYS}
    return {"expr": NamedFunction(own, call_site()), **{key: value for key, value in tree.items() if key not in own}}


def result_of(value: FeatureFunction | FunctionResult) -> FunctionResult:
    """The result that a feature takes."""
    if isinstance(value, FunctionResult):
        return value
    if "" not in value.outputs:
        raise wrong(f"the function {value.function.__name__} has {len(value.outputs)} results, and a feature takes one",
                    f'write {value.function.__name__}["{next(iter(value.outputs))}"], or {{**{value.function.__name__}}} for all')
    return FunctionResult(value, "")


def _type_text(of):
    if isinstance(of, ValueType):
        return of.name
    if isinstance(of, (FeastType, str)):
        return str(of)
    return type_name(of)


def _checked(function):
    """The function, where it can be one of a definition: what its own text says."""
    if not isinstance(inspect.unwrap(function) if callable(function) else function, types.FunctionType):
        raise wrong(f"expected a function that def makes, got {described(function)}")
    plain = inspect.unwrap(function)
    if plain.__name__ == "<lambda>":
        raise wrong("a lambda cannot be a feature: it has no text of its own", "write def f(rows): ...")
    if "<locals>" in plain.__qualname__:
        raise wrong(f"the function {plain.__name__} is defined inside another: what it takes from around it is no part of its text",
                    "define it at the top of its module")
    if "." in plain.__qualname__:
        raise wrong(f"{plain.__qualname__} is a method, expected a function", "define it at the top of its module")
    if inspect.iscoroutinefunction(plain) or inspect.isgeneratorfunction(plain):
        raise wrong(f"the function {plain.__name__} is async or a generator, expected one that returns its values")
    needed = [each for each in inspect.signature(plain).parameters.values()
              if each.default is each.empty and each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
    if len(needed) not in (1, 2):
        raise wrong(f"the function {plain.__name__} takes {len(needed)} arguments", "write def f(rows), or def f(rows, groups)")
    return function


def reference(function: Callable[..., Any]) -> tuple[str, str]:
    """(name, source): "features.rfm:monetary" of a function in a repo's file or a package; its text where it is in none."""
    plain = inspect.unwrap(function)
    file = plain.__code__.co_filename
    if not os.path.isfile(file):
        return plain.__name__, _text_of_cells(plain)
    folder = repo_of(file)
    if folder:
        path = os.path.relpath(os.path.realpath(file), folder).removesuffix(".py").removesuffix(os.sep + "__init__")
        return f"{path.replace(os.sep, '.')}:{plain.__name__}", ""
    if any(part in ("site-packages", "dist-packages") for part in file.split(os.sep)):
        return f"{plain.__module__}:{plain.__name__}", ""
    return plain.__name__, _text_of_file(plain.__name__, file)


def repo_of(file: str) -> str:
    """The folder of the repo that a file is in, or nothing."""
    folder = os.path.dirname(os.path.realpath(file))
    while not os.path.isfile(os.path.join(folder, "feature_store.yaml")):
        folder, below = os.path.dirname(folder), folder
        if folder == below:
            return ""
    return folder


def _text_of_file(name, file):
    with open(file, encoding="utf-8") as content:
        text = content.read()
    try:
        return "\n".join(map(function_source.normal, function_source.Module("", file, text, False).needed_by(name)))
    except function_source.Problem as problem:
        raise _at_its_place(problem) from None


def _text_of_cells(function):
    """The text of a function of a notebook or a prompt, with what it needs of the names around it."""
    texts: dict[str, str] = {}
    _add_text(function, function.__name__, texts)
    return "\n".join(texts.values())


def _add_text(value, name, texts):
    if name in texts:
        return
    plain = inspect.unwrap(value)
    try:
        statement = _class_of_a_cell(name) if isinstance(plain, type) else None
        statement = statement or ast.parse(textwrap.dedent(inspect.getsource(plain))).body[0]
    except (OSError, TypeError, SyntaxError, IndexError):
        raise wrong(f"the source of {name} is not to be had", "define it in a file or in a cell of a notebook") from None
    text = function_source.normal(statement)
    texts[name] = ""  # of a function that calls itself
    scope = plain.__globals__ if isinstance(plain, types.FunctionType) else vars(inspect.getmodule(plain))
    for used in sorted(function_source.used_names(text) - {name}):
        if used in scope:
            _add_value(scope[used], used, texts)
        elif not hasattr(builtins, used) and used not in ("__name__", "__doc__"):
            raise wrong(f"the function {name} needs the name {used!r}, which is not defined", "define it before the function")
    del texts[name]
    texts[name] = text


def _class_of_a_cell(name):
    """The statement of a class that a cell defines, where Python itself looks for a file: that of the last such cell."""
    for entry in reversed(list(linecache.cache.values())):
        if len(entry) == 4 and f"class {name}" in (text := "".join(entry[2])) and not os.path.isfile(entry[3]):
            try:
                statements = ast.parse(text).body
            except SyntaxError:  # what IPython alone reads
                continue
            for statement in reversed(statements):
                if isinstance(statement, ast.ClassDef) and statement.name == name:
                    return statement
    return None


def _add_value(value, name, texts):
    plain = inspect.unwrap(value) if callable(value) else value
    if isinstance(value, types.ModuleType):
        texts.setdefault(name, f"import {value.__name__} as {name}")
    elif isinstance(plain, (types.FunctionType, type)) and plain.__module__ == "__main__":
        _add_text(plain, name, texts)
    elif callable(plain) and getattr(plain, "__module__", None) and "." not in getattr(plain, "__qualname__", "."):
        texts.setdefault(name, f"from {plain.__module__} import {plain.__qualname__} as {name}")
    else:
        texts.setdefault(name, f"{name} = {_literal(value, name)}")


def _literal(value, name):
    text = repr(value)
    try:
        if ast.literal_eval(text) == value:
            return text
    except (ValueError, SyntaxError, TypeError, MemoryError):
        pass
    raise wrong(f"a feature function needs {name}, {described(value)}, which is no part of its text",
                "make it inside the function, or of numbers, texts, lists and dicts")


def _at_its_place(problem):
    told = problem.told
    if not told["file"]:
        return wrong(told["message"], told["hint"])
    return DefinitionError(told["message"], hint=told["hint"], file=shown_path(told["file"]), line=told["line"], column=told["column"])
