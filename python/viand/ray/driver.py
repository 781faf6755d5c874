"""Speaks with the engine on one side and with Ray on the other: names tables, gives fragments to Ray as tasks, says what
came of them."""

from __future__ import annotations

import atexit
import dataclasses
import queue
import socket
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from .. import _viand
from ..errors import EnvironmentProblem, Error, UsageError
from . import cluster
from .cancellation import Cancellation
from .failures import explained
from .frames import FORMAT, Frames
from .objects import Objects

# Tables that go to the engine at a time.
_FETCHES = 4
# After so long without a result it is looked whether tasks run, or what they wait for.
_LOOK_SECONDS = 2.0
# How often Ray runs a task again whose worker or node was lost.
_RETRIES = 5
# What a thread may take to see that the program ends.
_LEAVE_SECONDS = 5.0


def start_in_thread() -> int:
    """Speaks in a thread of this process; returns the descriptor of the engine's end."""
    here, engine = socket.socketpair()
    _InThread(Driver(here)).start()
    return engine.detach()


class _InThread(threading.Thread):
    """A conversation that ends before Ray where the program does: Ray ends a process with an error of its own where a thread calls
    it, or lets go of an object, while it shuts down."""

    def __init__(self, driver: Driver) -> None:
        super().__init__(name="viand.ray", daemon=True)
        self._driver = driver
        self._left = False

    def run(self) -> None:
        self._driver.serve(on_connected=lambda: atexit.register(self._leave))
        self._driver.wait()
        if not self._left:
            atexit.unregister(self._leave)

    def _leave(self) -> None:
        self._left = True
        self._driver.leave()
        self.join(_LEAVE_SECONDS)


def _error(problem: Exception) -> dict[str, str]:
    """An exception as an answer."""
    if isinstance(problem, Error):
        kind = "usage" if isinstance(problem, UsageError) else "environment"
        return {"kind": kind, "message": problem.message, "hint": problem.hint}
    return {"kind": "environment", "message": f"{type(problem).__name__}: {problem}", "hint": ""}


def _strategy(inputs: list[Any]) -> str:
    """Where Ray puts a task: to its inputs; one without to the nodes in turn. Ray's usual way goes by what each node was seen to have
    free a tenth of a second before: of few tasks two went to one CPU, one after the other, beside a free one."""
    return "DEFAULT" if inputs else "SPREAD"


@dataclasses.dataclass
class Running:
    """A task that Ray has."""

    result: Any  # Ray's reference of its result message
    outputs: range  # numbers of its tables
    name: str


class Driver:
    """One conversation."""

    def __init__(self, engine: socket.socket) -> None:
        self._frames = Frames(engine)
        self._objects = Objects()
        self._running: dict[int, Running] = {}  # by the request's number
        self.connected = False
        self._ended: queue.SimpleQueue[tuple[int, Future[Any]] | None] = queue.SimpleQueue()
        self._results = threading.Thread(target=self._tell_results, name="viand.ray results", daemon=True)

    def serve(self, on_connected: Callable[[], Any] = lambda: None) -> None:
        """Answers until the engine closes the socket, or `leave`.

        Args:
            on_connected: is called when this process is connected to Ray.
        """
        hello = self._frames.receive()
        if hello is None:
            return
        header, _ = hello
        try:
            there = self._greet(header)
        except Exception as problem:
            self._send({"id": header["id"], "error": _error(problem)})
            return
        self.connected = True
        on_connected()
        self._send({"id": header["id"], "cpus": there.cpus, "memory": there.memory, "task_memory": there.task_memory,
                    "shares_storage": self._shares_storage})
        self._answer_requests()

    def leave(self) -> None:
        """Ends the conversation, and takes no more tasks back. From any thread."""
        if self.connected:
            self._cancellation.stop()
        self._frames.close()

    def wait(self) -> None:
        """Behind `serve`: until no thread of the conversation is left."""
        if self.connected:
            self._cancellation.join()
            self._results.join()

    def _greet(self, hello: dict[str, Any]) -> cluster.Cluster:
        if hello.get("hello") != FORMAT or hello["viand"] != _viand.version():
            raise EnvironmentProblem(f"the program viand is {hello.get('viand')}, and the package viand that speaks with Ray is "
                                     f"{_viand.version()}", "install both from one version; $VIAND_PYTHON names the Python")
        there = cluster.connect(hello["address"], hello["tasks"], hello["memory"])
        self._shares_storage = cluster.check_nodes(hello["viand"], hello["storage"], hello["storage_asked_for"])
        import ray

        from . import task
        self._ray, self._table = ray, task.Table
        self._task_memory = there.task_memory
        memory = {"memory": there.task_memory} if there.task_memory else {}
        self._task = ray.remote(num_cpus=1, max_retries=_RETRIES, **memory)(task.run_fragment)
        self._version = hello["viand"]
        self._session = cluster.session()
        self._cancellation = Cancellation(ray, lambda: cluster.session() == self._session)
        return there

    def _left(self) -> dict[str, Any]:
        """An error where this program has left the Ray of this conversation."""
        there = cluster.session()
        if there == self._session:
            return {}
        return {"error": _error(EnvironmentProblem("this program has left the Ray that it was connected to", "call again"))}

    def _answer_requests(self) -> None:
        self._cancellation.start()
        self._results.start()
        with ThreadPoolExecutor(_FETCHES, "viand.ray fetch") as fetches:
            while (frame := self._frames.receive()) is not None:
                header, payload = frame
                if "run" in header:
                    self._run(header, bytes(payload))
                elif "is_current" in header:
                    self._send({"id": header["id"]} | self._left())
                elif "put" in header:
                    self._put(header, payload)
                elif "fetch" in header:
                    fetches.submit(self._fetch, header["id"], self._objects[header["fetch"]])
                elif "release" in header:
                    self._objects.release(header["release"])
                elif "cancel" in header:
                    self._cancel(header["cancel"])
            self._cancel(list(self._running))
        self._cancellation.close()
        self._ended.put(None)
        self._objects.clear()

    def _send(self, header: dict[str, Any], payload: Any = b"") -> None:
        try:
            self._frames.send(header, payload)
        except OSError:
            pass  # the engine is gone, which `receive` sees, too

    # ---- requests -------------------------------------------------------------------------------------------

    def _run(self, header: dict[str, Any], message: bytes) -> None:
        number, (first, count) = header["id"], header["outputs"]
        try:
            inputs = [self._objects[each] for each in header["inputs"]]
            references = self._task.options(name=header["run"], num_returns=count + 1, scheduling_strategy=_strategy(inputs)).remote(
                self._version, message, count, *inputs)
        except Exception as problem:
            self._send({"id": number, "error": _error(problem)})
            return
        references = references if isinstance(references, list) else [references]
        outputs = range(first, first + count)
        self._objects.add(outputs, references, header["inputs"])
        self._running[number] = Running(references[-1], outputs, header["run"])
        references[-1].future().add_done_callback(lambda future: self._ended.put((number, future)))

    def _put(self, header: dict[str, Any], payload: bytearray) -> None:
        try:
            self._objects.put(header["put"], self._ray.put(self._table(payload)))
            self._send({"id": header["id"]})
        except Exception as problem:
            self._send({"id": header["id"], "error": _error(problem)})

    def _fetch(self, number: int, reference: Any) -> None:
        try:
            table = self._ray.get(reference)
        except Exception as problem:
            self._send({"id": number, "error": _error(explained(problem))})
            return
        self._send({"id": number}, table.stream)

    def _cancel(self, numbers: list[int]) -> None:
        for number in numbers:
            if (known := self._running.pop(number, None)) is not None:
                self._cancellation.ask(known.result)
                self._objects.release(known.outputs)

    # ---- results --------------------------------------------------------------------------------------------

    def _next_ended(self) -> tuple[int, Future[Any]] | None:
        """Waits for a task's end; says meanwhile where none runs, and why."""
        while True:
            try:
                return self._ended.get(timeout=_LOOK_SECONDS)
            except queue.Empty:
                numbers = list(self._running)
                if numbers and (reason := cluster.waits_for(len(numbers), self._task_memory)):
                    self._send({"id": numbers[0], "waiting": reason})

    def _tell_results(self) -> None:
        while (ended := self._next_ended()) is not None:
            number, future = ended
            known = self._running.pop(number, None)
            if known is None:
                continue  # it was taken back
            problem = future.exception()
            if problem is None:
                message, node, attempt = future.result()
                self._send({"id": number, "node": node, "attempt": attempt}, message)
            else:
                self._objects.release(known.outputs)
                self._send({"id": number, "error": _error(explained(problem, known.name))})
