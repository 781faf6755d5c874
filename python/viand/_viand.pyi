"""The extension, as python/extension makes it."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any


def version() -> str:
    """Returns the version of the library."""

def init_repo(folder: str, template_name: str, /) -> None: ...

def fields_of_stream(capsule: object) -> list: ...

def empty_stream() -> tuple: ...

def stream_address(capsule: object) -> int: ...

class Memory:
    """Bytes, for numpy.frombuffer."""

    @property
    def address(self) -> int: ...

    def __len__(self) -> int: ...

def read_stream(capsule: object) -> Rows:
    """Reads a stream to its end."""

class Rows:
    """A table in memory; given away without a copy."""

    def __len__(self) -> int: ...

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> Any: ...

    def __arrow_c_schema__(self) -> Any: ...

    def fields(self) -> list:
        """Returns [(name, type, format)]."""

    def column(self, index: int) -> list:
        """Returns the column's parts, as column_values.h has them."""

    def cells(self, index: int, begin: int, end: int) -> list:
        """Returns rows [begin, end) of a column as Python's objects."""

    def facts(self, index: int) -> tuple:
        """
        Returns (nulls, least, greatest) of a column; None where it has no order.
        """

class Column:
    """A column on its way into viand."""

    def __len__(self) -> int: ...

def column_of_stream(name: str, capsule: object) -> Column: ...

def stream_of_batch(schema: object, array: object) -> Any: ...

def column_of_values(name: str, format: str, values: object, length: int, missing: object | None) -> Column: ...

def column_of_booleans(name: str, values: object, missing: object | None) -> Column: ...

def column_of_objects(name: str, objects: list) -> Any: ...

def column_of_codes(name: str, codes: Column, words: Column, ordered: bool) -> Column: ...

def column_of_array(name: str, schema: object, array: object) -> Column: ...

def stream_of_columns(columns: Sequence[Column], rows: int) -> Any: ...

class Store:
    """An opened repo."""

    def __init__(self, path: str, threads: int, memory: str, temporary_folder: str, python: str,
                 show: object | None, executor: str, ray_address: str,
                 ray_driver: Callable[[], int] | None) -> None: ...

    @property
    def root(self) -> str: ...

    @property
    def project(self) -> str: ...

    def forget(self) -> None:
        """Reads the repo's files again at the next call."""

    def define(self, definitions: str) -> None:
        """The same, with objects besides the files'."""

    def refresh_registry(self) -> None: ...

    def run(self, steps: Sequence[str], yes: bool, /) -> Any: ...

    def ingest(self, datasets: Sequence[str], /) -> Any: ...

    def plan(self) -> Any: ...

    def apply(self, yes: bool, force: bool, as_planned: bool, objects: Sequence[str], /) -> Any: ...

    def teardown(self) -> Any: ...

    def backfill(self, views: Sequence[str], /) -> Any: ...

    def train(self, model: str, export: str, force: bool, /) -> Any: ...

    def predict(self, model: str, as_of: str, output: str, force: bool, /) -> Any: ...

    def check_retrieval(self, features: Sequence[str], texts: Mapping[str, str], /) -> None: ...

    def retrieve(self, spine: object | None, features: Sequence[str], texts: Mapping[str, str]) -> Rows: ...

    def write_retrieval(self, spine: object | None, features: Sequence[str], texts: Mapping[str, str], output: str) -> Any: ...

    def explain(self, spine: object | None, features: Sequence[str], texts: Mapping[str, str], analyze: bool) -> Any: ...

    def write(self, rows: object, output: str, /) -> Any: ...

    def rebuild(self, manifest: str, spine: str, output: str, /) -> Any: ...

    def read(self, path: str, /) -> Rows: ...

    def list(self, kind: str, tags: Sequence[str], /) -> Any: ...

    def search(self, text: str, /) -> Any: ...

    def describe(self, kind: str, name: str, /) -> Any: ...

    def lineage(self, name: str, up: bool, down: bool, format: str, /) -> Any: ...

    def history(self, name: str, kind: str, /) -> Any: ...

    def diff(self, before: str, after: str, kind: str, /) -> Any: ...

    def rollback(self, name: str, kind: str, dry_run: bool, /) -> Any: ...

    def export_(self, format: str, /) -> Any: ...

    def import_(self, names: Sequence[str], /) -> Any: ...

class TableBytes:
    """A table's message, by the buffer protocol."""

    def __len__(self) -> int: ...

class FragmentOutcome:
    """What came of a fragment."""

    @property
    def message(self) -> bytes:
        """A TaskResult message (docs/formats/plan.md), of what was taken until now."""

    @property
    def table_count(self) -> int:
        """0 where it failed."""

    def take(self, index: int, /) -> TableBytes:
        """Returns a table, once."""

def run_fragment(task: bytes, inputs: list, /) -> FragmentOutcome:
    """Runs a Task message on messages of tables in somebody's memory."""
