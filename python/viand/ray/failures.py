"""Failures of Ray, its nodes and its workers, as people read them."""

from __future__ import annotations

import re

from ..errors import EnvironmentProblem, Error

_SHOWN = 1500
_COLOURS = re.compile(r"\x1b\[[0-9;]*m")
_LOG_SECONDS = 20


def explained(problem: BaseException, name: str = "") -> Error:
    """What Ray's retries did not mend; `name` is the task's."""
    import ray

    what = f"the task of Ray {name!r}" if name else "a task of Ray"
    text = _COLOURS.sub("", str(problem)).strip()
    cause = getattr(problem, "cause", None)
    if any(isinstance(each, (ray.exceptions.ObjectStoreFullError, ray.exceptions.OutOfDiskError)) for each in (problem, cause)):
        return EnvironmentProblem(f"{what} failed: the object store of its node is full, and so is the disk that it spills to",
                                  "give the nodes a larger store (ray start --object-store-memory) or a disk with room "
                                  "(--object-spilling-directory)")
    if cause is not None and str(cause):
        return EnvironmentProblem(f"{what} failed: {type(cause).__name__}: {cause}")
    if isinstance(problem, ray.exceptions.OutOfMemoryError):
        return EnvironmentProblem(f"{what} was ended again and again, for its node has too little memory: {text[:_SHOWN]}",
                                  "give the nodes more memory, or more partitions to the plan (--partitions)")
    if isinstance(problem, ray.exceptions.WorkerCrashedError):
        said = _last_words(name)
        return EnvironmentProblem(f"the worker of {what} died, as often as it was tried" + (f":\n{said}" if said else ""),
                                  "nothing is half-written; the logs of Ray's nodes may say more")
    return EnvironmentProblem(f"{what} failed: {type(problem).__name__}: {text[:_SHOWN]}",
                              "nothing is half-written; run the same command again to go on")


def _last_words(name: str) -> str:
    """What the workers wrote to their standard error, asked of every node that is left."""
    import ray
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    from . import task

    ask = ray.remote(num_cpus=0, max_retries=0)(task.last_words)
    try:
        asked = [ask.options(scheduling_strategy=NodeAffinitySchedulingStrategy(node["NodeID"], soft=False)).remote(name)
                 for node in ray.nodes() if node["Alive"]]
        answers, _ = ray.wait(asked, num_returns=len(asked), timeout=_LOG_SECONDS)
        return "\n".join(said for answer in answers if (said := ray.get(answer)))[:_SHOWN]
    except Exception:
        return ""  # the logs stay where they are
