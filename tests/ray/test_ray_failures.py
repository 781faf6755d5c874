"""What kills do to work on a cluster: workers and nodes are made up for, a driver's death leaves nothing torn, an error of
the data arrives as it was written, and what is not there is said."""

import http.server
import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy
import pyarrow as pa
import pyarrow.parquet as parquet
import pytest
from cluster import PACKAGE, descendants_of, is_alive, title_of
from conftest import WEEKLY_EVENTS, store_config

LONG = bool(os.environ.get("VIAND_LONG"))
ROWS, SPINE_ROWS, KEYS = 2_000_000, 300_000, 50_000
# Computed for each row of a spine, and stored at a grid's times: half a second of work in every fragment.
DEFINITIONS = WEEKLY_EVENTS + """  - name: recent
    entities: [user]
    source: events
    window: 30d
    features: {n: count(*), total: sum(amount), middle: median(amount)}
  - name: stored
    entities: [user]
    source: events
    snapshots: weekly
    window: 14d
    features: {n: count(*), middle: median(amount)}
"""
# A driver that writes what each task's result says of itself: [node, attempt].
RETRIEVE = """
import json, sys
import ray, viand
from viand.ray import driver
address, repo, out = sys.argv[1:]
answers, send = [], driver.Driver._send
def record(self, header, payload=b""):
    answers.append(header)
    send(self, header, payload)
driver.Driver._send = record
ray.init(address=address, logging_level="ERROR", log_to_driver=False)
store = viand.FeatureStore(repo, executor="ray")
store.get_historical_features(entity_df=f"{repo}/spine.parquet", features=["recent"]).to_parquet(out)
with open(f"{out}.results", "w") as results:  # what Ray has lost it says on standard output
    json.dump([[answer["node"], answer["attempt"]] for answer in answers if "attempt" in answer], results)
"""


@pytest.fixture(scope="module")
def work(viand, tmp_path_factory):
    """A repo, its spine, and what one machine makes of them."""
    folder = tmp_path_factory.mktemp("work")
    random = numpy.random.default_rng(7)

    def table(time, rows, **columns):
        at = 1_600_000_000_000_000 + random.integers(0, 90 * 86_400_000_000, rows)
        return pa.table({"user_id": random.integers(0, KEYS, rows), time: pa.array(at, pa.timestamp("us", "UTC")), **columns})

    parquet.write_table(table("at", ROWS, amount=random.random(ROWS)), folder / "events.parquet", row_group_size=200_000)
    parquet.write_table(table("event_timestamp", SPINE_ROWS), folder / "spine.parquet")
    (folder / "feature_store.yaml").write_text(store_config("work"))
    (folder / "definitions.yaml").write_text(DEFINITIONS)
    for arguments in (("apply", "--yes"), ("backfill",), ("historical", *retrieval(folder, "expected.parquet"))):
        code, _, error = viand.call(folder, *arguments)
        assert code == 0, error
    return folder


def retrieval(folder, out):
    return "--spine", folder / "spine.parquet", "--features", "recent", "-o", folder / out


def on_ray(cluster):
    return "--executor", "ray", "--ray-address", cluster.address


def call_on_ray(viand, cluster, folder, *arguments, **environment):
    """(exit code, standard error)."""
    code, _, error = viand.call(folder, *arguments, *on_ray(cluster), env=cluster.environment | environment)
    return code, error


def start_retrieving(cluster, folder, out):
    return subprocess.Popen([sys.executable, "-c", RETRIEVE, cluster.address, folder, folder / out], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, env=cluster.environment)


def results_of(process, folder, out):
    """[[node, attempt]] of all tasks."""
    _, error = process.communicate(timeout=300)
    assert process.returncode == 0, error
    return json.loads((folder / f"{out}.results").read_text())


def assert_same(folder, out):
    assert (folder / out).read_bytes() == (folder / "expected.parquet").read_bytes()


def wait_for_task(process, nodes, stage):
    """(node, worker) that runs a task whose name begins with `stage`, stopped in the middle of it."""
    while process.poll() is None:
        for node in nodes:
            for worker, title in node.workers().items():
                if not title.startswith(f"ray::{stage}"):
                    continue
                os.kill(worker, signal.SIGSTOP)
                if title_of(worker) == title:  # else the task ended meanwhile
                    return node, worker
                os.kill(worker, signal.SIGCONT)
        time.sleep(0.002)
    raise AssertionError(f"no task {stage} was seen; the program said:\n{process.communicate()}")


def wait_until(what, seconds=60):
    deadline = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def busy(cluster):
    return [title for node in cluster.nodes for title in node.workers().values() if title != "ray::IDLE"]


def files_below(folder):
    """Relative path -> contents."""
    return {path.relative_to(folder): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def test_killed_workers_are_made_up_for(ray_cluster, work):
    process = start_retrieving(ray_cluster, work, "workers.parquet")
    for stage in ("scan", "look up"):
        _, worker = wait_for_task(process, ray_cluster.nodes[1:3], stage)
        os.kill(worker, signal.SIGKILL)
    attempts = [attempt for _, attempt in results_of(process, work, "workers.parquet")]
    assert sum(attempt >= 2 for attempt in attempts) >= 2
    assert_same(work, "workers.parquet")


def test_a_killed_node_is_made_up_for_with_its_objects(ray_cluster, work):
    node = ray_cluster.add_node()
    process = start_retrieving(ray_cluster, work, "node.parquet")
    wait_for_task(process, [node], "look up")
    ray_cluster.kill_node(ray_cluster.nodes.index(node))
    results = results_of(process, work, "node.parquet")
    assert max(attempt for _, attempt in results) >= 2
    assert results[-1][0] != node.node_id
    assert_same(work, "node.parquet")


def backfill(folder):
    return ("backfill",), folder / "data" / "offline" / "stored" / "current"


def historical(folder):
    return ("historical", *retrieval(folder, "torn.parquet")), folder / "torn.parquet"


ENDINGS = [(backfill, signal.SIGKILL), (historical, signal.SIGINT), (backfill, signal.SIGINT), (historical, signal.SIGKILL)]


@pytest.mark.parametrize(("command", "ending"), ENDINGS if LONG else ENDINGS[:2])
def test_a_driver_that_ends_leaves_nothing_torn(viand, ray_cluster, work, command, ending, tmp_path):
    expected, offline = files_below(work), work / "data" / "offline"
    if command is backfill:
        offline.rename(tmp_path / "offline")
    arguments, made = command(work)
    made.unlink(missing_ok=True)
    process = viand.start(work, *arguments, *on_ray(ray_cluster), env=ray_cluster.environment)
    _, worker = wait_for_task(process, ray_cluster.nodes[1:3], "scan source")
    children = descendants_of(process.pid)
    process.send_signal(ending)
    os.kill(worker, signal.SIGCONT)
    process.communicate(timeout=60)
    assert process.returncode == (130 if ending == signal.SIGINT else -signal.SIGKILL)
    assert not made.exists()
    wait_until(lambda: not any(map(is_alive, children)) and not busy(ray_cluster))
    code, error = call_on_ray(viand, ray_cluster, work, *arguments)
    assert code == 0, error
    if command is historical:
        assert_same(work, "torn.parquet")
        made.unlink()
        (work / "torn.parquet.manifest.json").unlink()
    assert files_below(work) == expected


def test_an_error_of_the_data_arrives_as_written(viand, ray_cluster, tmp_path):
    large = pa.table({"user_id": [1, 2, 2], "at": pa.array([1, 2, 3], pa.timestamp("us", "UTC")), "amount": [1, 2**62, 2**62]})
    parquet.write_table(large, tmp_path / "events.parquet")
    parquet.write_table(pa.table({"user_id": [1, 2], "event_timestamp": pa.array([9, 9], pa.timestamp("us", "UTC"))}),
                        tmp_path / "spine.parquet")
    (tmp_path / "feature_store.yaml").write_text(store_config("wrong"))
    (tmp_path / "definitions.yaml").write_text(DEFINITIONS.replace("median(amount)", "max(amount)"))
    code, _, expected = viand.call(tmp_path, "historical", *retrieval(tmp_path, "out.parquet"))
    assert code == 1 and "feature total: sum(amount) exceeds bigint for key (2)" in expected
    code, error = call_on_ray(viand, ray_cluster, tmp_path, "historical", *retrieval(tmp_path, "out.parquet"))
    assert (code, error) == (1, expected)
    assert not (tmp_path / "out.parquet").exists()


# An engine that takes tasks back as soon as it has given them.
TAKES_BACK = """
import socket, sys
import ray
from viand import _viand
from viand.ray.driver import start_in_thread
from viand.ray.frames import FORMAT, Frames
ray.init(address=sys.argv[1], logging_level="ERROR", log_to_driver=False)
engine = Frames(socket.socket(fileno=start_in_thread()))
engine.send({"id": 1, "hello": FORMAT, "viand": _viand.version(), "address": "", "tasks": 0, "memory": 0, "storage": "",
             "storage_asked_for": False})
assert engine.receive()[0]["cpus"] == 2

def run(id, inputs):
    engine.send({"id": id, "run": "any", "inputs": inputs, "outputs": [id, 1]}, b"no task")

def keep(id):
    run(id, [])
    answer, result = engine.receive()
    while 10 <= answer["id"] < 210:  # it had ended before it was taken back
        answer, result = engine.receive()
    assert answer["id"] == id and b"damaged task message" in result, answer

keep(2)
for id in range(10, 210):
    run(id, [2])
    engine.send({"cancel": [id]})
keep(3)
print("lives")
"""


def test_tasks_that_are_taken_back_do_not_end_the_program(ray_cluster):
    """As Ray does where a task is cancelled before it has looked at its inputs, and where objects are let go of while it shuts down."""
    done = subprocess.run([sys.executable, "-c", TAKES_BACK, ray_cluster.address], capture_output=True, text=True, timeout=200,
                          env=ray_cluster.environment)
    assert (done.returncode, done.stdout) == (0, "lives\n"), done.stderr


def other_viand(folder, text):
    """A PYTHONPATH with a package viand whose extension is `text`."""
    package = folder / "viand"
    package.mkdir()
    (package / "ray").symlink_to((PACKAGE / "viand" / "ray").resolve())
    (package / "__init__.py").touch()
    (package / "_viand.py").write_text(text)
    return str(folder)


OTHERS = [("def version(): return '0.0.9'", "has viand 0.0.9, and the driver has "),
          ("raise ImportError('libstdc++.so.6: version `GLIBCXX_3.4.30` not found')", "cannot run viand: ImportError: libstdc++.so.6")]


@pytest.mark.parametrize(("extension", "message"), OTHERS if LONG else OTHERS[:1])
def test_a_node_without_this_viand_is_named(viand, ray_cluster, work, tmp_path, extension, message):
    node = ray_cluster.add_node(PYTHONPATH=other_viand(tmp_path, extension))
    try:
        code, error = call_on_ray(viand, ray_cluster, work, "historical", *retrieval(work, "versions.parquet"))
    finally:
        ray_cluster.kill_node(ray_cluster.nodes.index(node))
    assert code == 1 and f"error: the node {node.address} {message}" in error
    assert "hint: install the driver's version of viand on every node" in error
    assert not (work / "versions.parquet").exists()


def test_another_ray_than_the_clusters_is_said(viand, ray_cluster, work, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import ray\nray.__version__ = '2.40.0'\n")
    code, error = call_on_ray(viand, ray_cluster, work, "historical", *retrieval(work, "versions.parquet"),
                              PYTHONPATH=f"{tmp_path}:{PACKAGE}")
    assert code == 1
    assert f"error: the Ray cluster at {ray_cluster.address} has other versions than this Python" in error
    assert "Ray: 2.40.0" in error


def test_without_ray_the_message_says_what_installs_it(viand, work, tmp_path):
    (tmp_path / "ray.py").write_text("raise ModuleNotFoundError(\"No module named 'ray'\")")
    environment = os.environ | {"PYTHONPATH": f"{tmp_path}:{PACKAGE}", "VIAND_PYTHON": sys.executable}
    code, _, error = viand.call(work, "historical", *retrieval(work, "none.parquet"), "--executor", "ray", env=environment)
    assert code == 1
    assert f"the executor ray needs the package ray, which {sys.executable} does not have" in error
    assert f'hint: install it: {sys.executable} -m pip install "ray==2.58.*"' in error


@pytest.mark.parametrize(("address", "message"), [
    ("127.0.0.1:1", "no Ray cluster answers at 127.0.0.1:1: [Errno 111] Connection refused"),
    ("nonsense", "cannot use the Ray cluster at nonsense: "),
    ("ray://127.0.0.1:10001", "ray://127.0.0.1:10001 is an address of Ray Client, which cannot run plans")])
def test_an_address_where_no_cluster_is(viand, work, address, message):
    environment = os.environ | {"PYTHONPATH": str(PACKAGE), "VIAND_PYTHON": sys.executable}
    code, _, error = viand.call(work, "historical", *retrieval(work, "none.parquet"), "--executor", "ray", "--ray-address", address,
                                env=environment)
    assert code == (2 if address.startswith("ray:") else 1)
    assert error.startswith(f"error: {message}")


def test_a_port_of_somebody_else_is_told_from_a_clusters(viand, work):
    """Of the dashboard, say: Ray itself waits there for minutes."""
    environment = os.environ | {"PYTHONPATH": str(PACKAGE), "VIAND_PYTHON": sys.executable}
    with http.server.HTTPServer(("127.0.0.1", 0), http.server.BaseHTTPRequestHandler) as dashboard:
        address = f"127.0.0.1:{dashboard.server_address[1]}"
        process = viand.start(work, "historical", *retrieval(work, "none.parquet"), "--executor", "ray", "--ray-address", address,
                              env=environment)
        dashboard.handle_request()
        _, error = process.communicate(timeout=60)
    assert process.returncode == 1
    assert error.startswith(f"error: what answers at {address} is no Ray cluster\n  hint: give the port of its head")


def test_the_driver_of_a_killed_program_does_not_wait_for_a_cluster(viand, work):
    """Ray itself waits for minutes where a port takes connections and says nothing."""
    environment = os.environ | {"PYTHONPATH": str(PACKAGE), "VIAND_PYTHON": sys.executable}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        process = viand.start(work, "historical", *retrieval(work, "none.parquet"), "--executor", "ray", "--ray-address", address,
                              env=environment)
        silent.accept()
        (driver,) = descendants_of(process.pid)
        process.kill()
        process.communicate()
        wait_until(lambda: not is_alive(driver))
