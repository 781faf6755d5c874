"""Runs Python functions of definitions for the engine: `python -P -m viand.worker` (docs/formats/function.md).

The engine is at the other end of descriptor 3 and shares memory with each call; descriptor 4 closes when it ends. What a
function prints goes to standard error.
"""

from __future__ import annotations

import array
import fcntl
import importlib.abc
import importlib.util
import inspect
import json
import mmap
import os
import signal
import socket
import struct
import sys
import traceback
import types
from typing import Any

from viand import function_source
from viand.function_results import NoResult, result_columns

_SOCKET, _LIFE = 3, 4


class CallError(Exception):
    """What the engine is told of a call that failed."""

    def __init__(self, message: str, hint: str = "", kind: str = "definition", file: str = "", line: int = 0, column: int = 0) -> None:
        super().__init__(message)
        message = message.encode("utf-8", "backslashreplace").decode()  # a lone surrogate is no text of JSON's
        self.told = {"message": message, "hint": hint, "kind": kind, "file": file, "line": line, "column": column}


def main() -> None:
    _end_with_parent()
    # Calls run beside each other, one a process.
    for name in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ.setdefault(name, "1")
    connection = socket.socket(fileno=_SOCKET)
    _say(connection, {"ready": True})
    while True:
        sizes, descriptors = _receive_sizes(connection)
        if not sizes:
            return
        head = json.loads(_receive(connection, struct.unpack("=II", sizes)[0]))
        shared = mmap.mmap(descriptors[0], 0, prot=mmap.PROT_READ)
        os.close(descriptors[0])
        try:
            _say(connection, {}, answer(head, shared))
        except CallError as error:
            _say(connection, {"error": error.told})


def _end_with_parent():
    fcntl.fcntl(_LIFE, fcntl.F_SETOWN, os.getpid())
    fcntl.fcntl(_LIFE, fcntl.F_SETSIG, signal.SIGKILL)
    fcntl.fcntl(_LIFE, fcntl.F_SETFL, fcntl.fcntl(_LIFE, fcntl.F_GETFL) | os.O_ASYNC)
    os.set_inheritable(_LIFE, False)
    os.set_inheritable(_SOCKET, False)


def _receive_sizes(connection):
    space = socket.CMSG_SPACE(struct.calcsize("i"))
    sizes, descriptors = b"", array.array("i")
    while len(sizes) < 8:
        some, control, _, _ = connection.recvmsg(8 - len(sizes), space, socket.MSG_CMSG_CLOEXEC)
        if not some:
            return b"", descriptors
        sizes += some
        for _, _, data in control:
            descriptors.frombytes(data[:len(data) - len(data) % descriptors.itemsize])
    return sizes, descriptors


def _receive(connection, size):
    parts = bytearray()
    while len(parts) < size:
        some = connection.recv(size - len(parts))
        if not some:
            sys.exit(0)
        parts += some
    return bytes(parts)


def _say(connection, head, body=b""):
    text = json.dumps(head).encode()
    connection.sendall(struct.pack("=QQ", len(text), len(body)) + text)
    connection.sendall(body)


# ---- one call --------------------------------------------------------------------------------------------------------


def answer(head: dict[str, Any], shared: Any) -> Any:
    """The results of a call as an Arrow stream, or CallError."""
    function = _function_of(head["code"])
    function.prepare()
    pa = function.pyarrow
    memory = pa.py_buffer(shared)

    def table(name):
        start, length = head[name]
        return pa.ipc.open_stream(memory.slice(start, length)).read_all()

    batch = _Batch(function, table("groups"), table("rows"), table("results").schema)
    columns = batch.run()
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, batch.results) as stream:
        stream.write_batch(pa.record_batch(columns, schema=batch.results))
    return sink.getvalue()


class _Batch:
    """The rows of some groups, and the function that is called with them."""

    def __init__(self, function, groups, rows, results):
        self._function, self._rows, self.results = function, rows, results
        self._before = [*groups["rows_before"].to_pylist(), rows.num_rows]
        self._groups = groups.drop_columns(["rows_before"])

    def run(self):
        count = len(self._groups)
        try:
            return self._call(0, count)
        except NoResult as error:
            raise self._no_result(error, count) from None
        except BaseException as error:  # whatever a function may raise
            raise self._raised(error, count) from None

    def _call(self, first, last):
        pa, function = self._function.pyarrow, self._function
        groups = self._groups.slice(first, last - first)
        rows = self._rows.slice(self._before[first], self._before[last] - self._before[first])
        if first > 0:
            numbers = pa.compute.subtract(rows["group"], pa.scalar(first, pa.int32()))
            rows = rows.set_column(0, "group", numbers)
        given = [rows, groups] if function.takes_groups else [_with_groups(pa, rows, groups)]
        if function.mode == "pandas":
            given = [each.to_pandas() for each in given]
        return result_columns(pa, function.call(*given), self.results, groups)

    def _no_result(self, error, count):
        file, line, column = self._function.place
        return CallError(f"the function {self._function.name} {error}, over {count} groups from {self._named(0)} on", error.hint,
                         "definition", file, line, column)

    def _raised(self, error, count):
        """The error with the first group that raises it alone."""
        first, last = 0, count
        while last - first > 1:
            middle = (first + last) // 2
            raised = self._raises(first, middle)
            if raised is None:
                first = middle
            else:
                error, last = raised, middle
        alone = error if count == 1 else self._raises(first, last)
        whom = f"for {self._named(first)}" if alone is not None else \
            f"for {count} groups from {self._named(0)} on together, and for none of them alone"
        error = alone or error
        file, line, column = self._function.place_of(error)
        text = _text_of(error)
        return CallError(f"the function {self._function.name} raised {type(error).__name__} {whom}{': ' + text if text else ''}",
                         "" if alone is not None else "a function makes each group's value of that group's rows alone",
                         "definition", file, line, column)

    def _raises(self, first, last):
        try:
            self._call(first, last)
        except NoResult:
            return None
        except BaseException as error:
            return error
        return None

    def _named(self, group):
        row = self._groups.slice(group, 1)
        keys = [f"{name} {row[name][0]}" for name in row.column_names if name != "as_of"]
        return f"{', '.join([*keys, 'as of ' + str(row['as_of'][0])])}"


def _text_of(error):
    try:
        return str(error)
    except BaseException:  # its class is the user's
        return ""


def _with_groups(pa, rows, groups):
    """The rows with their group's keys and as_of beside them."""
    places = rows["group"]
    for at, name in enumerate(each for each in groups.column_names if each not in rows.column_names):
        rows = rows.add_column(1 + at, name, groups[name].take(places))
    return rows


# ---- functions -------------------------------------------------------------------------------------------------------

_functions: dict[str, _Function] = {}


def _function_of(text):
    function = _functions.get(text)
    if function is None:
        function = _functions[text] = _Function(json.loads(text))
    return function


class _Function:
    """A function that was compiled from its definition's text."""

    def __init__(self, code):
        self.name, self.mode = code["name"], code["mode"]
        self._check_versions(code)
        self.pyarrow = _needed("pyarrow", self.name)
        importlib.import_module("pyarrow.compute")
        importlib.import_module("pyarrow.ipc")
        self.pyarrow.set_cpu_count(1)
        if self.mode == "pandas":
            _needed("pandas", self.name)
        places = code["places"]
        own = places.get("file") or f"<{self.name}>"
        self._files = {own, *(each["file"] for each in places.get("modules", {}).values())}
        module, _, function = self.name.rpartition(":")
        self._modules = (code["modules"], places.get("modules", {}))
        self.prepare()
        # Classes look for the module that they are of; it has a name of its own, which hides no other module.
        made = types.ModuleType(f"viand_function_{len(_functions)}_{module.replace('.', '_') or function}")
        sys.modules[made.__name__] = made
        scope = made.__dict__
        scope["__package__"] = module.rpartition(".")[0]
        try:
            exec(_compiled(code["code"], places.get("segments"), own), scope)
        except BaseException as error:
            self.place = (own, 0, 0)
            file, line, column = self.place_of(error)
            raise CallError(f"the module of the function {self.name} raised {type(error).__name__}: {_text_of(error)}", "", "definition",
                            file, line, column) from None
        self.call = scope[function]
        self.place = (own if places.get("file") else "", inspect.unwrap(self.call).__code__.co_firstlineno
                      if hasattr(inspect.unwrap(self.call), "__code__") else 0, 0)
        self.takes_groups = self._count_parameters() >= 2

    def prepare(self):
        """Lets imports find this function's modules; those of another definition may have their names."""
        _TextModules.add(*self._modules)

    def _check_versions(self, code):
        here = {"Python": (code["python"], function_source.python_version())}
        here |= {each: (version, function_source.version_of(each)) for each, version in code["versions"].items()}
        for name, (defined, found) in here.items():
            if defined and defined != found:
                raise CallError(f"the function {self.name} is defined with {name} {defined}, and {sys.executable} has "
                                f"{found or 'none'}", "viand runs it where it was defined: install that version, or define it "
                                "again with this Python ($VIAND_PYTHON)", "environment")

    def _count_parameters(self):
        try:
            parameters = inspect.signature(self.call).parameters.values()
        except (TypeError, ValueError):
            return 1
        positional = [each for each in parameters if each.kind in (each.POSITIONAL_ONLY, each.POSITIONAL_OR_KEYWORD)]
        needed = [each for each in positional if each.default is each.empty]
        if not positional or len(needed) > 2:
            raise CallError(f"the function {self.name} takes {len(needed)} arguments", "write def f(rows), or def f(rows, groups)",
                            "definition", *self.place)
        return len(needed) if needed else 1

    def place_of(self, error):
        """Where in the user's files an exception was raised."""
        if isinstance(error, SyntaxError) and error.filename in self._files:
            return (error.filename, error.lineno or 0, error.offset or 0)
        place = self.place
        for frame in traceback.extract_tb(error.__traceback__):
            if frame.filename in self._files:
                place = (frame.filename if not frame.filename.startswith("<") else "", frame.lineno or 0, (frame.colno or 0) + 1)
        return place


def _compiled(code, segments, file):
    import ast

    body = []
    for line, text in segments or [[1, code]]:
        tree = ast.parse(text)
        function_source.strip(tree)
        ast.increment_lineno(tree, line - 1)
        body += tree.body
    return compile(ast.Module(body, []), file, "exec")


def _needed(package, function):
    try:
        return importlib.import_module(package)
    except ImportError as error:
        raise CallError(f"the function {function} needs the package {package}, and {sys.executable} does not have it: {error}",
                        f"pip install {package}; $VIAND_PYTHON names another Python", "environment") from None


class _TextModules(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Imports the modules of a repo from the texts that came with a function."""

    _texts: dict[str, tuple[str, str, bool]] = {}

    @classmethod
    def add(cls, modules, places):
        texts = {}
        for stored, code in modules.items():
            is_package = stored.endswith(".__init__")
            place = places.get(stored, {"file": f"<{stored}>", "text": code})
            texts[stored.removesuffix(".__init__")] = (place["text"], place["file"], is_package)
        for name in list(texts):
            while (name := name.rpartition(".")[0]) and name not in texts:
                texts[name] = ("", f"<{name}>", True)
        changed = {name for name, text in texts.items() if cls._texts.get(name, text) != text}
        for name in list(sys.modules):
            if changed and name in cls._texts:
                del sys.modules[name]
        cls._texts.update(texts)
        if not any(isinstance(each, cls) for each in sys.meta_path):
            sys.meta_path.insert(0, cls())

    def find_spec(self, fullname, path=None, target=None):
        if fullname not in self._texts:
            return None
        _, file, is_package = self._texts[fullname]
        return importlib.util.spec_from_loader(fullname, self, origin=file, is_package=is_package)

    def exec_module(self, module):
        text, file, _ = self._texts[module.__name__]
        exec(_compiled(text, None, file), module.__dict__)


if __name__ == "__main__":
    main()
