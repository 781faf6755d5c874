"""Takes back tasks that Ray has."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Any

# Ray ends the whole process where a task is cancelled before it has looked at its inputs (ray-project/ray#56123 tells of it for
# actors), which it does soon after it got the task.
_SECONDS = 1.0


class Cancellation(threading.Thread):
    """Cancels a little later. Thread-safe."""

    def __init__(self, ray: Any, is_current: Callable[[], bool]) -> None:
        """Args: is_current: whether this program is still connected to the Ray that has the tasks."""
        super().__init__(name="viand.ray cancel", daemon=True)
        self._ray, self._is_current = ray, is_current
        self._asked: queue.SimpleQueue[tuple[float, Any] | None] = queue.SimpleQueue()
        self._stopped = threading.Event()

    def ask(self, result: Any) -> None:
        """Takes back the task whose result a reference stands for."""
        self._asked.put((time.monotonic() + _SECONDS, result))

    def close(self) -> None:
        """Ends the thread, when it has done what it was asked."""
        self._asked.put(None)

    def stop(self) -> None:
        """Ends the thread now; what it was asked is not let go of."""
        self._stopped.set()
        self._asked.put(None)

    def run(self) -> None:
        while (asked := self._asked.get()) is not None:
            at, result = asked
            if self._stopped.wait(max(0.0, at - time.monotonic())):
                self._asked.put(asked)
                return
            if not self._is_current():
                continue  # it went with its Ray
            try:
                self._ray.cancel(result)
            except Exception:
                pass  # it has ended
