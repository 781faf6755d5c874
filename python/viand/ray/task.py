"""What runs in Ray's workers: one fragment of a plan a task."""

from __future__ import annotations

import pickle
from collections.abc import Iterator
from typing import Any

import ray

from viand import _viand


class Table:
    """A table as an Arrow IPC stream; in Ray's store it lies apart from what is pickled, and is mapped and not copied."""

    __slots__ = ("stream",)

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        return Table, (pickle.PickleBuffer(self.stream),)


def run_fragment(version: str, message: bytes, outputs: int, *inputs: Table) -> Iterator[Any]:
    """Runs a fragment: yields its `outputs` tables, then (result message, node, attempt).

    What is wrong with the data is in the result message, and the tables are None: Ray would take an exception for a
    failure of its own.
    """
    here = _viand.version()
    if here != version:
        raise RuntimeError(f"viand {here} is installed here, and the driver has {version}")
    outcome = _viand.run_fragment(message, [table.stream for table in inputs])
    del inputs
    for index in range(outputs):
        yield Table(outcome.take(index)) if outcome.table_count else None
    context = ray.get_runtime_context()
    yield outcome.message, context.get_node_id(), attempt()


def attempt() -> int:
    """Of the task that runs: from 1."""
    return ray._private.worker.global_worker.core_worker.get_current_task_attempt_number() + 1


def describe_node() -> str:
    """The version of viand here."""
    return _viand.version()
