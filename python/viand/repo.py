"""Reads the Python files of a repo: what `viand` runs as `python -P -m viand.repo FOLDER FILE...`.

Each file is imported as Feast imports it: from the repo's folder, under the name of its path. Prints lines of JSON
(docs/formats/python.md): what it is at, then the objects that the modules hold, or what went wrong and where. A script
that opens a FeatureStore is not run; a file of definitions that opens one is read up to there.
"""

from __future__ import annotations

import ast
import importlib.util
import json
import os
import sys
import traceback

from viand.document import Definition, collect
from viand.errors import DefinitionError, Error
from viand.feature_view import FeatureViewProjection
from viand.placed import FORMAT, placed_objects
from viand.project import Project

# What the engine answers to a store that is opened while the definitions of its repo are read.
OPENED = "a FeatureStore is opened while definitions are read"
_CONSTRUCTORS = frozenset(("Entity", "FileSource", "FeatureView", "FeatureService", "Dataset", "Snapshots", "Labels", "Model",
                           "PushSource", "Project"))


def main(arguments) -> int:
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    root, files = os.path.realpath(arguments[0]), arguments[1:]
    os.chdir(root)
    sys.path.insert(0, root)
    os.environ["VIAND_READING_DEFINITIONS"] = "1"
    for line in read(root, files):
        print(json.dumps(line), file=out, flush=True)
    out.close()
    return 0


def read(root, files):
    """Yields {"reading": file} before each, and at last {"format", "files", "objects", "projects"} or {"errors"}."""
    modules, errors = [], []
    for file in files:
        yield {"reading": file}
        try:
            if not is_script(file):
                modules.append(load(root, file))
        except (Exception, SystemExit) as error:
            errors.append(problem(error, root, file))
    if not errors:
        try:
            yield {"format": FORMAT, **objects_of(modules, root)}
            return
        except Error as error:
            errors.append(problem(error, root, ""))
    yield {"errors": errors}


def is_script(file) -> bool:
    """Whether the file opens a FeatureStore when it is imported, and defines nothing."""
    with open(file, "rb") as source:
        tree = ast.parse(source.read(), file)
    calls = [each for statement in tree.body for each in calls_on_import(statement)]
    return "FeatureStore" in calls and not _CONSTRUCTORS & set(calls)


def calls_on_import(node):
    """The names that are called by importing a statement: nothing within functions or `if __name__ == ...`."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
        return
    if isinstance(node, ast.If) and any(isinstance(each, ast.Name) and each.id == "__name__" for each in ast.walk(node.test)):
        for statement in node.orelse:
            yield from calls_on_import(statement)
        return
    if isinstance(node, ast.Call):
        yield node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    for child in ast.iter_child_nodes(node):
        yield from calls_on_import(child)


def load(root, file):
    """Imports a file as the module that its path names, once: another file may have imported it."""
    path = os.path.join(root, file)
    name = file.removesuffix(".py").replace(os.sep, ".")
    known = sys.modules.get(name)
    if known is not None and os.path.realpath(getattr(known, "__file__", None) or "") == path:
        return known
    if known is not None:
        name = f"viand_repo.{name}"  # a module of Python's own has that name
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except Error as error:
        if OPENED not in error.message:
            sys.modules.pop(name, None)
            raise
    return module


def objects_of(modules, root) -> dict:
    """What the modules hold: objects at their top, and those in lists and dicts there."""
    seen, found = set(), []
    for module in modules:
        for name, value in vars(module).items():
            if not name.startswith("__"):
                found += [each for each in definitions_in(value) if id(each) not in seen]
                seen |= {id(each) for each in found}
    collection = collect([each for each in found if not isinstance(each, (FeatureViewProjection, Project))])
    projects = [{"name": each.name, **each.site.place().shown()} for each in found if isinstance(each, Project)]
    return {**placed_objects(collection, root), "projects": projects}


def definitions_in(value):
    if isinstance(value, Definition):
        return [value]
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        return [each for item in value for each in definitions_in(item)]
    return []


def problem(error, root, file) -> dict:
    """An exception as {"message", "hint", "file", "line", "column"}: at the user's line."""
    if isinstance(error, DefinitionError) and error.file:
        return {"message": error.message, "hint": error.hint, "file": error.file, "line": error.line, "column": error.column}
    if isinstance(error, SyntaxError):
        return {"message": f"{type(error).__name__}: {error.msg}", "hint": "", "file": inside(error.filename or file, root),
                "line": error.lineno or 0, "column": error.offset or 0}
    place = {"file": file, "line": 0, "column": 0}
    for frame in traceback.extract_tb(error.__traceback__):
        if os.path.realpath(frame.filename).startswith(root + os.sep) and "site-packages" not in frame.filename:
            place = {"file": inside(frame.filename, root), "line": frame.lineno, "column": (frame.colno or -1) + 1}
    message = error.message if isinstance(error, Error) else f"{type(error).__name__}: {error}"
    hint = error.hint if isinstance(error, Error) else ""
    if isinstance(error, ModuleNotFoundError):
        hint = f"install it for {sys.executable}, or name another Python in $VIAND_PYTHON"
        if (error.name or "").startswith("viand."):
            hint = "Feast's names are in viand itself, viand.types and viand.data_format: from viand import Entity"
    if isinstance(error, SystemExit):
        message, hint = "the file ends Python (SystemExit)", 'a program\'s part stands under if __name__ == "__main__":'
    return {"message": message, "hint": hint, **place}


def inside(file, root):
    path = os.path.realpath(file)
    return os.path.relpath(path, root) if path.startswith(root + os.sep) else file


if __name__ == "__main__":
    code = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # What the files left running, a thread or a pool, is not waited for.
    os._exit(code)
