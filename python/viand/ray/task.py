"""What runs in Ray's workers: one fragment of a plan a task."""

from __future__ import annotations

import os
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import ray

from viand import _viand


class Table:
    """A table's message (docs/formats/plan.md); in Ray's store it lies apart from what is pickled, and is mapped and not copied."""

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


def describe_node(marker: str) -> tuple[str, bool]:
    """The version of viand here, and whether a file is seen."""
    return _viand.version(), bool(marker) and os.path.exists(marker)


def last_words(name: str, lines: int = 20) -> str:
    """What a worker of this node wrote last to its standard error while it ran the task `name`; "" for none."""
    folder = Path(ray._private.worker.global_worker.node.get_session_dir_path(), "logs")
    said = ""
    for log in sorted(folder.glob("worker-*.err"), key=lambda path: path.stat().st_mtime):
        _, found, text = log.read_text(errors="replace").rpartition(f":task_name:{name}\n")
        if found and text.strip() and ":task_name:" not in text:
            said = "\n".join(text.strip().splitlines()[:lines])
    return said
