"""What Ray itself costs, measured by a driver on a cluster of two worker nodes named node1 and node2; bench/ray_model uses it.

  ray_constants.py ADDRESS      prints JSON: seconds, or bytes, by name

Tasks do nothing, or make bytes, so that nothing of viand is in these figures.
"""

import gc
import json
import os
import resource
import statistics
import sys
import time

import numpy
import ray

# Larger results lie in the store of the node that made them; smaller ones come to the driver with the answer.
STORED_BYTES = 128 << 10


@ray.remote
def nothing(*_):
    return None


@ray.remote
def make(count, size):
    made = [numpy.zeros(size, numpy.uint8) for _ in range(count)]
    return made[0] if count == 1 else made


@ray.remote
def total(*tables):
    return sum(table.nbytes for table in tables)


def driver_seconds():
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident_bytes():
    with open("/proc/self/statm") as statm:
        return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def of_tasks(count=2000):
    """(wall seconds of one task with two CPUs at work, CPU seconds of the driver for it)."""
    ray.get([nothing.remote() for _ in range(50)])
    started, used = time.perf_counter(), driver_seconds()
    ray.get([nothing.remote() for _ in range(count)])
    return (time.perf_counter() - started) / count, (driver_seconds() - used) / count


def of_outputs(tasks=8, outputs=100):
    """(wall seconds, driver's CPU seconds, driver's bytes) for one output of a task that is passed on to another."""
    gc.collect()
    before, started, used = resident_bytes(), time.perf_counter(), driver_seconds()
    made = [make.options(num_returns=outputs).remote(outputs, STORED_BYTES) for _ in range(tasks)]
    taken = [total.remote(*[row[column] for row in made]) for column in range(outputs)]
    ray.get(taken)
    count = tasks * outputs
    return ((time.perf_counter() - started) / count, (driver_seconds() - used) / count, max(0, resident_bytes() - before) / count)


def of_transfer(size=64 << 20, runs=5):
    """(bytes a second from one node's store to another's, to the store of the same node)."""
    def rate(target):
        seconds = []
        for _ in range(runs):
            made = make.options(resources={"node1": 1}).remote(1, size)
            ray.wait([made], fetch_local=False)
            started = time.perf_counter()
            ray.get(total.options(resources={target: 1}).remote(made))
            seconds.append(time.perf_counter() - started)
        return statistics.median(seconds)

    rate("node2")
    near = rate("node1")
    return size / max(rate("node2") - near, 1e-9), near


def main(address):
    started = time.perf_counter()
    ray.init(address=address, logging_level="ERROR", log_to_driver=False)
    connected = time.perf_counter()
    ray.get([nothing.options(resources={node: 1}).remote() for node in ("node1", "node2")])
    first = time.perf_counter()
    task_seconds, driver_task_seconds = of_tasks()
    output_seconds, driver_output_seconds, driver_output_bytes = of_outputs()
    bytes_per_second, near_seconds = of_transfer()
    print(json.dumps({
        "connect_s": connected - started, "first_tasks_s": first - connected, "task_s": task_seconds, "driver_task_s": driver_task_seconds,
        "output_s": output_seconds, "driver_output_s": driver_output_seconds, "driver_output_bytes": driver_output_bytes,
        "transfer_bytes_per_s": bytes_per_second, "near_64_mib_s": near_seconds}))


if __name__ == "__main__":
    main(*sys.argv[1:])
