"""What people see of a cluster that changes under them: a store that lives on, work that waits for a node, logs of what
failed."""

import contextlib
import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time

import numpy
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from cluster import RayCluster
from conftest import store_config
from test_ray_failures import other_viand

DEFINITIONS = """entities:
  - {name: user, join_keys: [user_id], value_type: INT64}
sources:
  - {name: events, type: file, path: events.parquet, timestamp_field: at}
feature_views:
  - {name: recent, entities: [user], source: events, window: 30d, features: {n: count(*), total: sum(amount)}}
"""
WIDTH = 70  # of the screen
# Another program, whose actors hold the CPUs until its standard input ends.
HOLDS_ALL = """
import sys
import ray
ray.init(address=sys.argv[1], logging_level="ERROR", log_to_driver=False)

@ray.remote(num_cpus=1)
class Holder:
    def hold(self):
        pass

holders = [Holder.remote() for _ in range(int(ray.cluster_resources()["CPU"]))]
ray.get([holder.hold.remote() for holder in holders])
print("held", flush=True)
sys.stdin.read()
"""
# A store whose driver is killed, and one whose program joins the cluster a second time.
LIVES_ON = """
import os, signal, sys
import viand
address, repo, tests = sys.argv[1:]
sys.path.insert(0, tests)
from cluster import descendants_of, title_of

def retrieve(store):
    return store.get_historical_features(entity_df=f"{repo}/spine.parquet", features=["recent"]).to_arrow().to_pylist()

expected = retrieve(viand.FeatureStore(repo, executor="threads"))
store = viand.FeatureStore(repo, ray_address=address)
assert retrieve(store) == expected
(driver,) = [process for process in descendants_of(os.getpid()) if "viand.ray" in title_of(process)]
os.kill(driver, signal.SIGSTOP)  # so that it is met at work
os.kill(driver, signal.SIGKILL)
try:
    retrieve(store)
except viand.errors.EnvironmentProblem as problem:
    print(problem)
assert retrieve(store) == expected

import ray
for _ in range(2):
    ray.init(address=address, logging_level="ERROR", log_to_driver=False)
    store = viand.FeatureStore(repo) if _ == 0 else store
    assert retrieve(store) == expected
    ray.shutdown()
print("lived on")
"""


@pytest.fixture(scope="module")
def repo(viand, tmp_path_factory):
    folder = tmp_path_factory.mktemp("living")
    users = list(range(1000))
    parquet.write_table(pa.table({"user_id": users, "at": pa.array(users, pa.timestamp("us", "UTC")), "amount": users}), folder / "events.parquet")
    parquet.write_table(pa.table({"user_id": users, "event_timestamp": pa.array([5000] * 1000, pa.timestamp("us", "UTC"))}), folder / "spine.parquet")
    (folder / "feature_store.yaml").write_text(store_config("living"))
    (folder / "definitions.yaml").write_text(DEFINITIONS)
    assert viand.call(folder, "apply", "--yes")[0] == 0
    return folder


@pytest.fixture(scope="module")
def head():
    """A cluster of a head, which runs no tasks. To Ray every disk is full, as is noticed where a store spills."""
    with RayCluster(cpus=(0,), store_bytes=80 << 20, system_config={"local_fs_capacity_threshold": 0.0}) as cluster:
        yield cluster


def retrieval(folder, out):
    return "historical", "--spine", folder / "spine.parquet", "--features", "recent", "-o", out


def on_ray(cluster):
    return "--executor", "ray", "--ray-address", cluster.address


def test_a_store_lives_on_when_its_driver_or_its_connection_ends(repo, ray_cluster):
    done = subprocess.run([sys.executable, "-c", LIVES_ON, ray_cluster.address, repo, os.path.dirname(__file__)], capture_output=True,
                          text=True, timeout=200, env=ray_cluster.environment)
    assert done.returncode == 0 and done.stdout.endswith("lived on\n"), done.stdout + done.stderr


def start_and_wait(viand, cluster, repo, out, reason):
    """A retrieval, once its progress says that it waits, and why: in one line of a narrow screen."""
    screen, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
    process = subprocess.Popen([viand.program, *map(str, retrieval(repo, out)), *on_ray(cluster), "-C", str(repo)],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=terminal, env=cluster.environment)
    os.close(terminal)
    shown, deadline = b"", time.monotonic() + 90
    while f"{reason})".encode() not in shown:
        assert process.poll() is None and time.monotonic() < deadline, shown
        if select.select([screen], [], [], 1)[0]:
            shown += os.read(screen, 4096)
    assert max(map(len, shown.decode(errors="ignore").replace("\033[K", "").split("\r"))) <= WIDTH, shown
    threading.Thread(target=read_the_rest, args=(screen,), daemon=True).start()
    return process


def read_the_rest(screen):
    """A terminal that is full would stop who writes to it."""
    with contextlib.suppress(OSError):  # the last writer has gone
        while os.read(screen, 4096):
            pass
    os.close(screen)


def test_work_without_a_node_says_what_it_waits_for_and_goes_on(viand, head, repo, tmp_path):
    reason = "the cluster has no node with a CPU"
    process = start_and_wait(viand, head, repo, tmp_path / "interrupted.parquet", reason)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    process = start_and_wait(viand, head, repo, tmp_path / "out.parquet", reason)
    node = head.add_node()
    assert process.wait(timeout=90) == 0
    head.kill_node(head.nodes.index(node))
    assert [path.name for path in tmp_path.glob("*.parquet")] == ["out.parquet"]


def test_work_that_others_keep_from_the_cluster_says_so_and_goes_on(viand, ray_cluster, repo, tmp_path):
    others = subprocess.Popen([sys.executable, "-c", HOLDS_ALL, ray_cluster.address], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env=ray_cluster.environment)
    assert others.stdout.readline() == b"held\n"
    # What stands in a log, where there is no screen.
    logged = subprocess.Popen([viand.program, *map(str, retrieval(repo, tmp_path / "other.parquet")), *on_ray(ray_cluster), "-C", str(repo)],
                              stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=ray_cluster.environment)
    process = start_and_wait(viand, ray_cluster, repo, tmp_path / "out.parquet", "GiB of memory")
    assert b" (waiting: other work of the cluster holds what a task takes, a CPU and " in logged.stderr.readline()
    others.communicate(b"")
    assert process.wait(timeout=90) == 0
    assert (logged.communicate(timeout=90)[1], logged.returncode) == (b"", 0)
    assert parquet.read_table(tmp_path / "out.parquet").num_rows == 1000


def test_what_a_dying_worker_said_is_in_the_error(viand, head, repo, tmp_path):
    broken = f"""import os, sys
def version(): return {viand.call(repo, "--version")[1].split()[1]!r}
def run_fragment(*_):
    print("the kernel stumbled", file=sys.stderr, flush=True)
    os._exit(3)
"""
    node = head.add_node(PYTHONPATH=other_viand(tmp_path, broken))
    code, _, error = viand.call(repo, *retrieval(repo, tmp_path / "out.parquet"), *on_ray(head), env=head.environment)
    head.kill_node(head.nodes.index(node))
    assert code == 1
    assert """the worker of the task of Ray 'scan source "events" 1/1' died, as often as it was tried:\nthe kernel stumbled""" in error
    assert not (tmp_path / "out.parquet").exists()


def test_a_store_and_a_disk_that_are_full_are_named(viand, head, repo, tmp_path):
    random = numpy.random.default_rng(3)
    keys, times = random.integers(0, 2**62, 6_000_000), random.integers(0, 2**50, 6_000_000)
    parquet.write_table(pa.table({"user_id": keys, "event_timestamp": pa.array(times, pa.timestamp("us", "UTC"))}), tmp_path / "spine.parquet",
                        row_group_size=1_500_000)
    node = head.add_node()
    # With a number of partitions the few events are not sent to where the spine is read: all of it is dealt out.
    code, _, error = viand.call(repo, *retrieval(tmp_path, tmp_path / "out.parquet"), "--partitions", "4", *on_ray(head), env=head.environment)
    head.kill_node(head.nodes.index(node))
    assert code == 1 and not (tmp_path / "out.parquet").exists()
    assert "failed: the object store of its node is full, and so is the disk that it spills to" in error
    assert "hint: give the nodes a larger store (ray start --object-store-memory)" in error
