"""The tables of one conversation: their numbers, and Ray's references."""

from __future__ import annotations

import collections
import threading
from collections.abc import Iterable
from typing import Any


class Objects:
    """References by number. What a task made Ray makes again where it is lost; what was put it cannot. So what was put is
    held until no table is left that stems from it, however long it has been let go. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._references: dict[int, Any] = {}
        self._origins: dict[int, frozenset[int]] = {}  # what was put that a table stems from, itself too
        self._stemming: collections.Counter[int] = collections.Counter()  # tables that stem from what was put

    def __getitem__(self, number: int) -> Any:
        return self._references[number]

    def put(self, number: int, reference: Any) -> None:
        """Adds one of the driver's own."""
        self.add([number], [reference], [], frozenset([number]))

    def add(self, numbers: Iterable[int], references: Iterable[Any], inputs: Iterable[int],
            origins: frozenset[int] = frozenset()) -> None:
        """Adds what a task makes of its inputs."""
        with self._lock:
            origins = origins.union(*(self._origins[each] for each in inputs))
            for number, reference in zip(numbers, references):
                self._references[number], self._origins[number] = reference, origins
                self._stemming.update(origins)

    def release(self, numbers: Iterable[int]) -> None:
        """Lets tables go."""
        with self._lock:
            for number in numbers:
                origins = self._origins.pop(number, None)
                if origins is None:
                    continue
                if number not in origins:
                    del self._references[number]
                for origin in origins:
                    self._stemming[origin] -= 1
                    if self._stemming[origin] == 0:
                        del self._stemming[origin], self._references[origin]

    def clear(self) -> None:
        with self._lock:
            self._references.clear()
            self._origins.clear()
            self._stemming.clear()
