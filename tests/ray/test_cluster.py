"""The cluster of the tests is one: three nodes, objects cross between them, nothing is left of it."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from cluster import RayCluster, children_of, descendants_of, is_alive

CROSSING = """
import ray, numpy
ray.init(address="{address}", logging_level="ERROR")
assert len([node for node in ray.nodes() if node["Alive"]]) == 3
@ray.remote(num_cpus=0.1, resources={{"node1": 1}})
def make(): return numpy.ones(20 << 20, numpy.uint8)
@ray.remote(num_cpus=0.1, resources={{"node2": 1}})
def take(made): return int(made.sum())
assert ray.get(take.remote(make.remote())) == 20 << 20
"""


def test_objects_cross_between_nodes(ray_cluster):
    before = ray_cluster.settled_received_bytes()
    subprocess.run([sys.executable, "-c", CROSSING.format(address=ray_cluster.address)], check=True, timeout=120,
                   env=ray_cluster.environment)
    after = ray_cluster.settled_received_bytes()
    assert after["node2"] - before["node2"] >= 20 << 20
    assert after["node1"] == before["node1"]
    assert after["node0"] - before["node0"] < 1 << 20


def test_nothing_is_left_of_a_cluster_whose_owner_is_killed(tmp_path):
    program = tmp_path / "owner.py"
    program.write_text(f"import sys, time\nsys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom cluster import RayCluster\n"
                       "cluster = RayCluster(cpus=(1,))\nprint(cluster.folder, flush=True)\ntime.sleep(600)\n")
    owner = subprocess.Popen([sys.executable, program], stdout=subprocess.PIPE, text=True)
    folder = Path(owner.stdout.readline().strip())
    (keeper,) = children_of(owner.pid)
    started = [keeper, *descendants_of(keeper)]
    assert len(started) > 3 and folder.exists()
    os.kill(owner.pid, signal.SIGKILL)
    owner.wait()
    deadline = time.monotonic() + 60
    while any(map(is_alive, started)) or folder.exists():
        assert time.monotonic() < deadline, "processes or files of the cluster are left"
        time.sleep(0.1)
