"""What a Python function of a definition is: its text and all that decides what it computes.

`viand` runs this as `python -P -m viand.function_source REPO REQUEST...` (docs/formats/function.md). Files are read and
parsed, nothing of them is run: the function's statement, the statements of its module that bind or touch the names that it
uses, the repo's modules that these import, and the versions of all other packages. Comments, docstrings and layout are
left out of what counts.
"""

from __future__ import annotations

import ast
import builtins
import difflib
import functools
import importlib.machinery
import json
import os
import symtable
import sys
from typing import Any

FORMAT = "viand.functions/1"
# Packages that a function of a mode uses without an import.
MODE_PACKAGES = {"arrow": ("pyarrow",), "pandas": ("pandas",)}
_MODULE_NAMES = frozenset(("__name__", "__doc__", "__package__", "__builtins__"))


class Problem(Exception):
    """What a function cannot be, with its place."""

    def __init__(self, message: str, hint: str = "", file: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        self.told = {"message": message, "hint": hint, "file": file, "line": line, "column": column}


def main(arguments: list[str]) -> int:
    root = os.path.realpath(arguments[0])
    print(json.dumps({"format": FORMAT, "functions": [_answer(root, json.loads(each)) for each in arguments[1:]]}))
    return 0


def _answer(root, request):
    try:
        return resolve(root, **request)
    except Problem as problem:
        return problem.told


def resolve(root: str, name: str, mode: str = "arrow", packages: list[str] | tuple[str, ...] = (), source: str = "") -> dict[str, Any]:
    """What is found of one function: {"python", "versions", "code", "modules", "places"}."""
    module, _, function = name.rpartition(":")
    own = Module(module, "", source, False) if source else find_module(root, module)
    statements = own.needed_by(function)
    imports = Imports(root)
    for statement in statements:
        imports.add_all(statement, own)
    names = sorted({*packages, *MODE_PACKAGES[mode], *imports.packages})
    segments = [] if source else [own.segment(each) for each in statements]
    modules = imports.modules
    return {"python": python_version(), "versions": {each: _version_or_problem(each, function) for each in names},
            "code": "\n".join(normal(each) for each in statements),
            "modules": {each.stored_name: each.code for each in modules.values()},
            "places": {"file": own.file, "segments": segments,
                       "modules": {each.stored_name: {"file": each.file, "text": each.text} for each in modules.values()}}}


def python_version() -> str:
    return f"{sys.version_info.major}.{sys.version_info.minor}"


class Module:
    """A module's text. `file` is relative to the repo where it lies in it."""

    def __init__(self, name, file, text, is_package):
        self.name, self.file, self.text, self.is_package = name, file, text, is_package
        try:
            self.tree = ast.parse(text, file or name)
        except SyntaxError as error:
            raise Problem(f"SyntaxError: {error.msg}", "", file, error.lineno or 0, error.offset or 0) from None
        self.statements = [each for each in self.tree.body if not _is_main_part(each)]

    @property
    def stored_name(self):
        return f"{self.name}.__init__" if self.is_package else self.name

    @property
    def package(self):
        return self.name if self.is_package else self.name.rpartition(".")[0]

    @property
    def code(self):
        return "\n".join(normal(each) for each in self.statements)

    def needed_by(self, function):
        """The statements that a function needs, in order, its own among them."""
        self._check(function)
        uses = [(each, _bound(each), _touched(each), used_names(normal(each))) for each in self.statements]
        stars = [each for each in self.statements if _is_star(each)]
        defined = {name for _, bound, _, _ in uses for name in bound}
        wanted, taken = {function}, {id(each) for each in self.statements if _is_future(each)}
        while True:
            more = [(each, used) for each, bound, touched, used in uses
                    if id(each) not in taken and wanted & (bound | touched)]
            if not more:
                break
            taken |= {id(each) for each, _ in more}
            wanted |= {name for _, used in more for name in used}
        unknown = sorted(name for name in wanted - defined if not hasattr(builtins, name) and name not in _MODULE_NAMES)
        if unknown and not stars:
            raise self._unknown(function, unknown[0])
        taken |= {id(each) for each in stars} if unknown else set()
        return [each for each in self.statements if id(each) in taken]

    def _unknown(self, function, name):
        node = next((each for statement in self.statements for each in ast.walk(statement)
                     if isinstance(each, ast.Name) and each.id == name), None)
        at = (node.lineno, node.col_offset + 1) if node is not None and self.file else (0, 0)
        if name == "__file__":
            return Problem(f"the function {function} uses __file__: what it reads there would be no part of the definition",
                           "write it into the module, or read it as a source", self.file, *at)
        return Problem(f"the function {function} needs the name {name!r}, which {self.file or 'its text'} does not define",
                       "a function is its module's text: what it needs is defined or imported there", self.file, *at)

    def _check(self, function):
        found = None
        for node in ast.walk(self.tree):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)) and node.name == function:
                found = node if found is None or found not in self.statements else found
        assigned = next((each for each in self.statements if isinstance(each, ast.Assign) and function in _bound(each)), None)
        found = found or assigned
        where = self.file or "its text"
        if found is None:
            near = difflib.get_close_matches(function, [each.name for each in self.statements if isinstance(each, ast.FunctionDef)], 1)
            raise Problem(f"there is no function {function!r} in {where}", f'did you mean "{near[0]}"?' if near else "")
        place = (self.file, found.lineno, found.col_offset + 1) if self.file else ()
        if found not in self.statements:
            raise Problem(f"the function {function} stands inside another statement", "put it at the top of the module: what it "
                          "would take from around it is no part of its text", *place)
        if isinstance(found, ast.Assign):
            raise Problem(f"{function!r} is a value of an assignment, no function that def makes",
                          f"write def {function}(rows): ...", *place)
        if not isinstance(found, ast.FunctionDef):
            kind = "a class" if isinstance(found, ast.ClassDef) else "async"
            raise Problem(f"{function!r} is {kind}, expected a function", f"write def {function}(rows): ...", *place)

    def segment(self, statement):
        """[line, text] of a statement as the file has it, so that errors point into the file."""
        first = min([statement.lineno, *(each.lineno for each in getattr(statement, "decorator_list", ()))])
        text = "\n".join(self.text.splitlines()[first - 1:statement.end_lineno])
        try:
            body = ast.parse(text).body
        except SyntaxError:
            body = []
        same = len(body) == 1 and normal(body[0]) == normal(statement)
        return [first, text if same else normal(statement)]


class Imports:
    """What statements import: modules of the repo, whole, with what these import; packages of others by name."""

    def __init__(self, root):
        self._root = root
        self.modules = {}
        self.packages = set()

    def add_all(self, tree, module):
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                for each in node.names:
                    self._add(each.name)
            elif isinstance(node, ast.ImportFrom):
                name = node.module or ""
                if node.level:
                    parts = module.package.split(".") if module.package else []
                    if node.level > len(parts):
                        raise Problem("a relative import goes beyond the repo", "", module.file, node.lineno, node.col_offset + 1)
                    name = ".".join([*parts[:len(parts) - node.level + 1], *([name] if name else [])])
                if name != "__future__":
                    self._add(name, [each.name for each in node.names])

    def _add(self, name, members=()):
        top = name.partition(".")[0]
        if top in sys.stdlib_module_names:
            return
        if not _is_local(self._root, top):
            self.packages.add(top)
            return
        parts = name.split(".")
        for end in range(1, len(parts) + 1):
            self._take(".".join(parts[:end]))
        for member in members:
            if member != "*" and _local_file(self._root, f"{name}.{member}"):
                self._take(f"{name}.{member}")

    def _take(self, name):
        if name in self.modules:
            return
        file = _local_file(self._root, name)
        if not file:
            return  # a folder without __init__.py
        module = self.modules[name] = _read(self._root, name, file)
        self.add_all(module.tree, module)


def find_module(root: str, name: str) -> Module:
    file = _local_file(root, name)
    if file:
        return _read(root, name, file)
    path = _installed_file(name)
    if path:
        with open(path, encoding="utf-8") as text:
            return Module(name, path, text.read(), os.path.basename(path) == "__init__.py")
    wanted = name.replace(".", "/") + ".py"
    near = difflib.get_close_matches(wanted, _python_files(root), 1)
    raise Problem(f"there is no module {name}: the repo has no {wanted}", f'did you mean "{near[0][:-3].replace("/", ".")}"?' if near else
                  "the module is named as the file's path in the repo: features/rfm.py is features.rfm")


def _read(root, name, file):
    with open(os.path.join(root, file), encoding="utf-8") as text:
        return Module(name, file, text.read(), os.path.basename(file) == "__init__.py")


def _local_file(root, name):
    path = name.replace(".", os.sep)
    for file in (os.path.join(path, "__init__.py"), path + ".py"):
        if name and os.path.isfile(os.path.join(root, file)):
            return file
    return ""


def _is_local(root, top):
    folder = os.path.join(root, top)
    return bool(_local_file(root, top)) or (os.path.isdir(folder) and any(each.endswith(".py") for each in os.listdir(folder)))


def _installed_file(name):
    path = None
    for part in name.split("."):
        spec = importlib.machinery.PathFinder.find_spec(part, path)
        if spec is None:
            return ""
        path = list(spec.submodule_search_locations or ())
    return spec.origin if spec.origin and spec.origin.endswith(".py") else ""


def _python_files(root):
    files = []
    for folder, folders, names in os.walk(root):
        folders[:] = [each for each in folders if not each.startswith(".") and each not in ("data", "__pycache__")]
        files += [os.path.relpath(os.path.join(folder, each), root) for each in names if each.endswith(".py")]
    return files


# ---- syntax ----------------------------------------------------------------------------------------------------------


def normal(statement: ast.stmt) -> str:
    """The statement's text without comments, docstrings, layout and the decorator that makes it a feature."""
    return ast.unparse(stripped(statement))


def stripped(statement: ast.stmt) -> ast.stmt:
    copy = ast.parse(ast.unparse(statement)).body[0]
    strip(copy)
    return copy


def strip(tree: ast.AST) -> None:
    """Takes docstrings and the decorator feature_function off, in place."""
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            node.decorator_list = [each for each in node.decorator_list if not _is_own_decorator(each)]
            if isinstance(node.body[0], ast.Expr) and isinstance(node.body[0].value, ast.Constant) and \
                    isinstance(node.body[0].value.value, str):
                node.body = node.body[1:] or [ast.copy_location(ast.Pass(), node.body[0])]


def _is_own_decorator(node):
    node = node.func if isinstance(node, ast.Call) else node
    return (node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")) == "feature_function"


def _is_main_part(statement):
    return isinstance(statement, ast.If) and any(isinstance(each, ast.Name) and each.id == "__name__" for each in ast.walk(statement.test))


def _is_future(statement):
    return isinstance(statement, ast.ImportFrom) and statement.module == "__future__"


def _is_star(statement):
    return isinstance(statement, ast.ImportFrom) and any(each.name == "*" for each in statement.names)


def _bound(node):
    """The names that a statement binds in its module."""
    if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
        return {node.name}
    if isinstance(node, ast.Import):
        return {each.asname or each.name.partition(".")[0] for each in node.names}
    if isinstance(node, ast.ImportFrom):
        return {each.asname or each.name for each in node.names}
    if isinstance(node, ast.Name):
        return {node.id} if isinstance(node.ctx, ast.Store) else set()
    if isinstance(node, (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        return set()
    return {name for child in ast.iter_child_nodes(node) for name in _bound(child)}


def _touched(statement):
    """The names whose values a statement changes: TABLE["a"] = 1, LIST.append(2), numpy.seterr(...)."""
    targets = []
    if isinstance(statement, ast.Assign):
        targets = statement.targets
    elif isinstance(statement, (ast.AugAssign, ast.AnnAssign)):
        targets = [statement.target]
    elif isinstance(statement, ast.Delete):
        targets = statement.targets
    elif isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call) and isinstance(statement.value.func, ast.Attribute):
        targets = [statement.value.func]
    elif isinstance(statement, (ast.For, ast.While, ast.If, ast.With, ast.Try)):
        return {name for child in ast.iter_child_nodes(statement) if isinstance(child, ast.stmt) for name in _touched(child)}
    names = set()
    for target in targets:
        while isinstance(target, (ast.Attribute, ast.Subscript)):
            target = target.value
        if isinstance(target, ast.Name):
            names.add(target.id)
    return names


def used_names(text: str) -> set[str]:
    """The names of its module that a statement uses."""
    top = symtable.symtable(text, "feature", "exec")
    names = {each.get_name() for each in top.get_symbols() if each.is_referenced()}
    below = list(top.get_children())
    while below:
        table = below.pop()
        names |= {each.get_name() for each in table.get_symbols() if each.is_global()}
        below += table.get_children()
    return names


# ---- versions --------------------------------------------------------------------------------------------------------


@functools.lru_cache(maxsize=None)
def version_of(package: str) -> str:
    """The version of an installed package, by the name of its import or of its distribution; "" where it is not there.

    A module that belongs to no distribution has a hash of its files instead.
    """
    # Loaded here: an import of FeatureStore would pay for it.
    import hashlib
    from importlib import metadata

    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        pass
    owners = metadata.packages_distributions().get(package)
    if owners:
        return metadata.version(sorted(owners)[0])
    spec = importlib.machinery.PathFinder.find_spec(package)
    if spec is None:
        return ""
    digest = hashlib.sha256()
    for file in sorted(_files_of(spec)):
        with open(file, "rb") as content:
            digest.update(content.read())
    return f"files-{digest.hexdigest()[:16]}"


def _files_of(spec):
    if not spec.submodule_search_locations:
        return [spec.origin] if spec.origin else []
    return [os.path.join(folder, each) for place in spec.submodule_search_locations
            for folder, _, names in os.walk(place) for each in names if each.endswith(".py")]


def _version_or_problem(package, function):
    version = version_of(package)
    if not version:
        raise Problem(f"the function {function} needs the package {package}, which {sys.executable} does not have",
                      f"pip install {package}; $VIAND_PYTHON names another Python")
    return version


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
