"""Finds a Ray cluster, or starts a Ray of our own, and sees that its nodes can run fragments."""

from __future__ import annotations

import dataclasses
import os
import queue
import secrets
import socket
import sys
import tempfile
import threading
from collections.abc import Callable
from typing import Any

from ..errors import EnvironmentProblem, MissingPackage, UsageError

# The versions that tests run against: versions.txt.
RAY = "2.58"
# Ray keeps no store below it.
_LEAST_STORE_BYTES = 80 << 20
# How long the head may take to take a connection.
_ANSWER_SECONDS = 10
# What begins a conversation in HTTP/2, which the head speaks, on both sides: a frame of settings, the fourth byte of which says so.
_SETTINGS = bytes([0, 0, 0, 4, 0, 0, 0, 0, 0])
_GREETING = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + _SETTINGS
_HOW_TO_JOIN = ("is it started (ray start --head), is this machine one of its nodes, and has this program its token, if it asks for "
                "one (RAY_AUTH_MODE, RAY_AUTH_TOKEN)?")
# How long the nodes may take to start a worker each.
_CHECK_SECONDS = 120


@dataclasses.dataclass
class Cluster:
    """What is there for tasks."""

    cpus: int  # tasks that run at a time
    memory: int  # bytes for them together; 0: unknown
    task_memory: int  # bytes for one


def import_ray(ours: bool) -> Any:
    """The package, or what installs it. A Ray of our own listens on 127.0.0.1 alone, and asks for a secret besides."""
    if "ray" not in sys.modules:  # which reads these when it is imported
        os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
        # Else a task that is too large for its node is run again for ever.
        os.environ.setdefault("RAY_task_oom_retries", "3")
        if ours:
            os.environ["RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER"] = "0"  # Ray's name for it
            os.environ.update(RAY_AUTH_MODE="token", RAY_AUTH_TOKEN=secrets.token_hex(32))
    try:
        import ray
    except ImportError as problem:
        raise MissingPackage(f"the executor ray needs the package ray, which {sys.executable} does not have ({problem})",
                             f'install it: {sys.executable} -m pip install "ray=={RAY}.*"') from None
    return ray


def connect(address: str, tasks: int, memory: int) -> Cluster:
    """Connects this process to Ray, unless it is connected.

    Args:
        address: HOST:PORT, "auto", or "" for $RAY_ADDRESS, else a Ray of our own.
        tasks: at a time; 0: as many as there are CPUs.
        memory: bytes for the tasks that run at a time; 0: what the cluster offers.
    """
    asked, address = address, address or os.environ.get("RAY_ADDRESS", "")
    ours = address in ("", "local")
    ray = import_ray(ours)
    if address.startswith("ray://"):
        raise UsageError(f"{address} is an address of Ray Client, which cannot run plans",
                         "give HOST:PORT of the cluster's head from one of its machines, or submit the command with "
                         "`ray job submit`")
    if not ray.is_initialized():
        _require_answer(address)
        try:
            _keep(lambda: _start(ray, tasks, memory)) if ours else _join(ray, address)
        except Exception as problem:
            raise _explained(problem, address) from None
    elif asked not in ("", "auto", there := ray.get_runtime_context().gcs_address):
        raise UsageError(f"this program is connected to the Ray cluster at {there}, not to {asked}",
                         "leave the address out, or call ray.shutdown() first")
    return _measure(ray, tasks, memory)


def session() -> str:
    """What tells the connection of this program to Ray from others; "" for none."""
    import ray

    return ray.get_runtime_context().get_job_id() + ray.get_runtime_context().gcs_address if ray.is_initialized() else ""


def _require_answer(address: str) -> None:
    """Ray itself waits for minutes where nobody is, or somebody else."""
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        return  # "auto", none, or for Ray to refuse
    try:
        with socket.create_connection((host.strip("[]"), int(port)), _ANSWER_SECONDS) as head:
            if os.environ.get("RAY_USE_TLS", "0").lower() in ("1", "true"):
                return
            head.sendall(_GREETING)
            answer = head.recv(len(_SETTINGS))
    except (OSError, OverflowError) as problem:
        raise EnvironmentProblem(f"no Ray cluster answers at {address}: {problem}", _HOW_TO_JOIN) from None
    if answer[3:4] != _SETTINGS[3:4]:
        raise EnvironmentProblem(f"what answers at {address} is no Ray cluster",
                                 "give the port of its head as `ray start --head` says it (6379 unless told otherwise), not that of the dashboard")


def _keep(start: Callable[[], None]) -> None:
    """Ray's processes end with the thread that started them: one that ends with this process."""
    answer: queue.SimpleQueue[Exception | None] = queue.SimpleQueue()

    def keep() -> None:
        try:
            start()
        except Exception as problem:
            answer.put(problem)
            return
        answer.put(None)
        threading.Event().wait()

    threading.Thread(target=keep, name="viand.ray keeper", daemon=True).start()
    if (problem := answer.get()) is not None:
        raise problem


def _start(ray: Any, tasks: int, memory: int) -> None:
    sized = {"object_store_memory": max(memory // 2, _LEAST_STORE_BYTES), "_memory": memory} if memory else {}
    ray.init(address="local", num_cpus=tasks or None, include_dashboard=False, log_to_driver=False, logging_level="ERROR", **sized)


def _join(ray: Any, address: str) -> None:
    ray.init(address=address, log_to_driver=False, logging_level="ERROR", namespace="viand")


def _explained(problem: Exception, address: str) -> Exception:
    where = f"the Ray cluster at {address}" if address else "a Ray of our own on this machine"
    text = str(problem).strip()
    if "ersion mismatch" in text:
        return EnvironmentProblem(f"{where} has other versions than this Python, {sys.executable}:\n{text}",
                                  "use the Python and the Ray of the cluster's nodes ($VIAND_PYTHON names the Python)")
    return EnvironmentProblem(f"cannot use {where}: {type(problem).__name__}: {text}",
                              _HOW_TO_JOIN if address else
                              "the logs of Ray are below /tmp/ray/session_latest/logs")


def _measure(ray: Any, tasks: int, memory: int) -> Cluster:
    nodes = [node["Resources"] for node in ray.nodes() if node["Alive"] and node["Resources"].get("CPU", 0) >= 1]
    there = sum(int(node["CPU"]) for node in nodes)
    cpus = tasks or there or 1  # what is asked for and not there, a cluster that grows may add
    offered = min((int(node.get("memory", 0) / node["CPU"]) for node in nodes), default=0)
    each = min(offered, memory // cpus) if memory and offered else memory // cpus or offered
    return Cluster(cpus, each * cpus, each)


def waits_for(tasks: int, task_memory: int) -> str:
    """Why none of `tasks` that Ray has runs: no node is large enough, or other work holds them all; "" where some run or may
    begin at any time, or nobody knows."""
    import ray
    from ray.autoscaler.v2.sdk import get_cluster_resource_state

    what = f"a CPU and {task_memory / 2**30:.1f} GiB of memory" if task_memory else "a CPU"
    try:
        nodes = [node["Resources"] for node in ray.nodes() if node["Alive"]]
        if not any(_has_room(node, task_memory) for node in nodes):
            return f"the cluster has no node with {what}"
        state = get_cluster_resource_state(ray._private.worker.global_worker.gcs_client)
        if any(_has_room(node.available_resources, task_memory) for node in state.node_states):
            return ""
        needs = {"CPU": 1, "memory": task_memory} if task_memory else {"CPU": 1}
        pending = sum(wanted.count for wanted in state.pending_resource_requests if dict(wanted.request.resources_bundle) == needs)
    except Exception:
        return ""  # tasks tell what they fail at
    return f"other work of the cluster holds what a task takes, {what}" if pending >= tasks else ""


def _has_room(resources: Any, task_memory: int) -> bool:
    return resources.get("CPU", 0) >= 1 and resources.get("memory", 0) >= task_memory


def check_nodes(version: str, storage: str, asked_for: bool) -> bool:
    """Asks every node that may get tasks: raises where one has not the driver's viand. Tells whether all see the storage path,
    and raises where one does not that was asked for."""
    if not storage or "://" in storage:
        _ask_nodes(version, "")
        return bool(storage)
    try:
        os.makedirs(storage, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=storage, prefix=".viand-seen-") as marker:
            blind = _ask_nodes(version, marker.name)
    except EnvironmentProblem:
        raise
    except OSError as problem:
        raise EnvironmentProblem(f"cannot write to the storage path {storage}: {problem}",
                                 "name another as storage_path of the offline_store") from None
    if blind and asked_for:
        raise EnvironmentProblem(f"the node {blind} does not see the storage path {storage}",
                                 "name a folder that all nodes share, or an address such as s3://bucket/folder")
    return not blind


def _ask_nodes(version: str, marker: str) -> str:
    """The address of a node that does not see the file, "" for none."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from . import task

    nodes = {node["NodeID"]: node["NodeManagerAddress"] for node in ray.nodes()
             if node["Alive"] and node["Resources"].get("CPU", 0) >= 1}
    ask = ray.remote(num_cpus=0, max_retries=2)(task.describe_node)
    asked = {ask.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node, soft=True),
                         name="viand: versions").remote(marker): where for node, where in nodes.items()}
    done, late = ray.wait(list(asked), num_returns=len(asked), timeout=_CHECK_SECONDS) if asked else ([], [])
    if late:
        raise EnvironmentProblem(f"the node {asked[late[0]]} started no worker in {_CHECK_SECONDS} seconds",
                                 "look at the logs of its raylet, below /tmp/ray/session_latest/logs there")
    blind = ""
    for answer in done:
        try:
            found, seen = ray.get(answer)
        except Exception as problem:
            raise EnvironmentProblem(f"the node {asked[answer]} cannot run viand: {last_line(problem)}", INSTALL) from None
        if found != version:
            raise EnvironmentProblem(f"the node {asked[answer]} has viand {found}, and the driver has {version}", INSTALL)
        blind = blind if seen else asked[answer]
    return blind


INSTALL = ("install the driver's version of viand on every node, or give it with runtime_env "
           '(docs/RAY.md: "pip": ["viand==..."])')


def last_line(problem: BaseException) -> str:
    """What an exception of Ray says at last: the reason stands behind tracebacks."""
    lines = [line for line in str(problem).splitlines() if line.strip()]
    return lines[-1].strip() if lines else type(problem).__name__
