"""Takes back tasks that Ray has."""

from __future__ import annotations

import atexit
import queue
import threading
import time
from collections.abc import Callable
from typing import Any

# Ray ends the whole process where a task is cancelled before it has looked at its inputs (ray-project/ray#56123 tells of it for
# actors), which it does soon after it got the task.
_SECONDS = 1.0


class Cancellation:
    """Cancels a little later, in a thread of its own. Thread-safe."""

    def __init__(self, ray: Any, is_current: Callable[[], bool]) -> None:
        """Args: is_current: whether this program is still connected to the Ray that has the tasks."""
        self._ray, self._is_current = ray, is_current
        self._asked: queue.SimpleQueue[tuple[float, Any] | None] = queue.SimpleQueue()
        self._ending = threading.Lock()
        self._ended = False
        # Before Ray's own, behind which a call of Ray ends the process.
        atexit.register(self._end)
        threading.Thread(target=self._cancel, name="viand.ray cancel", daemon=True).start()

    def ask(self, result: Any) -> None:
        """Takes back the task whose result a reference stands for."""
        self._asked.put((time.monotonic() + _SECONDS, result))

    def close(self) -> None:
        """Ends the thread, when it has done what it was asked."""
        self._asked.put(None)

    def _cancel(self) -> None:
        while (asked := self._asked.get()) is not None:
            at, result = asked
            time.sleep(max(0.0, at - time.monotonic()))
            with self._ending:
                if self._ended:
                    return
                if not self._is_current():
                    continue  # it went with its Ray
                try:
                    self._ray.cancel(result)
                except Exception:
                    pass  # it has ended
        atexit.unregister(self._end)

    def _end(self) -> None:
        with self._ending:
            self._ended = True
