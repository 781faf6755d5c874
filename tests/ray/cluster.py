"""A Ray cluster of several nodes on this machine: each node has a raylet, an object store, resources and an address of its
own (127.0.0.2, 127.0.0.3, ...), and objects go from one node to another through their object managers, as between machines.

  with RayCluster(cpus=(0, 1, 1)) as cluster:        # the head has no CPU, as KubeRay advises: it runs no tasks
      subprocess.run([..., "--ray-address", cluster.address], env=cluster.environment)
      cluster.kill_node(2)
      cluster.received_bytes()

A process of its own, the keeper, holds the cluster and is the adopter of everything that it starts. It ends with its
standard input, so a test that is killed takes the cluster and its files with it.

  cluster.py [OPTIONS AS JSON]      the keeper; run by hand it prints the address and holds the cluster until ctrl-D
"""

import ctypes
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = Path(os.environ.get("VIAND_PACKAGE", ROOT / "build" / "python"))  # the folder that holds the package viand
STORE_BYTES = 200 << 20
# A dead node is found by its refused connections within two seconds; one that is only slow on a busy machine is waited for.
SYSTEM_CONFIG = {"health_check_initial_delay_ms": 1000, "health_check_period_ms": 500, "health_check_failure_threshold": 4,
                 "health_check_timeout_ms": 20_000, "metrics_report_interval_ms": 500}
NOT_WORKERS = ("ray::DashboardAgent", "ray::RuntimeEnvAgent")


class Node:
    """One node: `name`, `node_id`, `address`, `raylet` (a process id), `metrics_port`."""

    def __init__(self, described):
        self.__dict__.update(described)

    def workers(self):
        """{process id: title} of its workers; the title of one that runs a task is ray::NAME. None where it was killed."""
        titles = {child: title_of(child) for child in children_of(self.raylet)}
        return {child: title for child, title in titles.items() if title.startswith("ray::") and title not in NOT_WORKERS}


class RayCluster:
    def __init__(self, cpus=(0, 1, 1), store_bytes=STORE_BYTES, dashboard=False, system_config=None, environment=None, python=sys.executable):
        # Short, because a socket's path has 107 bytes, and not in TMPDIR, which may be long.
        self.folder = Path(tempfile.mkdtemp(prefix="vr", dir="/tmp"))
        # Ray writes "the latest cluster" under RAY_TMPDIR; with one of its own, nobody else's "auto" finds this cluster.
        self.environment = {**os.environ, "RAY_TMPDIR": str(self.folder), "PYTHONPATH": str(PACKAGE), "RAY_USAGE_STATS_ENABLED": "0",
                            "RAY_memory_monitor_refresh_ms": "0", "OMP_WAIT_POLICY": "passive",
                            "VIAND_PYTHON": str(python), **(environment or {})}
        self.environment.pop("RAY_ADDRESS", None)
        options = {"folder": str(self.folder), "store_bytes": store_bytes, "dashboard": dashboard,
                   "system_config": SYSTEM_CONFIG | (system_config or {})}
        self.log = open(self.folder / "keeper.log", "w+")
        self.keeper = subprocess.Popen([python, __file__, json.dumps(options)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=self.log, text=True, env=self.environment, start_new_session=True)
        self.nodes = []
        try:
            for count in cpus:
                self.add_node(count)
        except BaseException:
            self.close()
            raise
        self.address = self.nodes[0].gcs
        self.dashboard = self.nodes[0].dashboard

    def _ask(self, **request):
        try:
            self.keeper.stdin.write(json.dumps(request) + "\n")
            self.keeper.stdin.flush()
            answer = self.keeper.stdout.readline()
        except BrokenPipeError:
            answer = ""
        if not answer:
            self.log.seek(0)
            raise RuntimeError("the cluster's keeper ended:\n" + self.log.read()[-4000:])
        return json.loads(answer)

    def add_node(self, cpus=1, **environment):
        """Starts a node, the first of which is the head, with these variables besides the cluster's; its Node."""
        self.nodes.append(Node(self._ask(add=len(self.nodes), cpus=cpus, environment=environment)))
        return self.nodes[-1]

    def kill_node(self, index):
        """Ends a node as a power cut does: the raylet, its object store and all its workers at once."""
        node = self.nodes[index]
        kill_all([node.raylet, *descendants_of(node.raylet)])

    def received_bytes(self):
        """{name: bytes of objects that its object manager received from others}, the raylets' own counters."""
        return {node.name: node_metric(node, "object_manager_bytes", "Received") for node in self.nodes if is_alive(node.raylet)}

    def settled_received_bytes(self):
        """The same, once it stands still: raylets report twice a second, their agents gather that."""
        seen = [self.received_bytes()]
        while len(seen) < 4 or seen[-4:].count(seen[-1]) < 4:
            time.sleep(0.5)
            seen.append(self.received_bytes())
        return seen[-1]

    def close(self):
        self.keeper.stdin.close()
        try:
            self.keeper.wait(timeout=60)
        except subprocess.TimeoutExpired:
            kill_all([*descendants_of(self.keeper.pid), self.keeper.pid])
        self.log.close()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def node_metric(node, name, kind):
    """The sum of one counter, among those of `kind`, that this node's raylet exports (Prometheus' text)."""
    with urllib.request.urlopen(f"http://127.0.0.1:{node.metrics_port}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    found = [line for line in lines if re.match(rf"ray_{name}(_total)?{{", line) and f'Type="{kind}"' in line]
    return int(sum(float(line.rsplit(" ", 1)[1]) for line in found))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# ---- processes, by /proc ----------------------------------------------------------------------------------------------


def stat_of(process):
    """(state, parent) of a process; None where there is none."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[1])


def is_alive(process):
    stat = stat_of(process)
    return stat is not None and stat[0] not in "ZX"


def children_of(process):
    names = (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())
    return [child for child in names if (stat := stat_of(child)) and stat[1] == process]


def descendants_of(process):
    found = []
    for child in children_of(process):
        found += [child, *descendants_of(child)]
    return found


def private_bytes(process):
    """Anonymous memory of a process and its children: what the driver itself holds."""
    total = 0
    for each in (process, *descendants_of(process)):
        try:
            with open(f"/proc/{each}/status") as status:
                total += sum(int(line.split()[1]) << 10 for line in status if line.startswith("RssAnon:"))
        except OSError:
            pass  # it has ended
    return total


def title_of(process):
    try:
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
    except OSError:
        return ""


def kill_all(processes):
    for process in processes:
        try:
            os.kill(process, signal.SIGKILL)
        except ProcessLookupError:
            pass


# ---- the keeper -------------------------------------------------------------------------------------------------------


def adopt_orphans():
    """Daemons of Ray whose parent ends become children of the keeper, which therefore finds all of them."""
    PR_SET_CHILD_SUBREAPER = 36
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)


def wait_longer_for_nodes():
    """Ray gives a raylet half a minute to say that it is there; on a machine with much other work that may be too little."""
    import ray._private.services as services

    ask = services.get_node

    def get_node(*arguments):
        deadline = time.monotonic() + 300
        while True:
            try:
                return ask(*arguments)
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    services.get_node = get_node


def node_options(options, request):
    """What Ray's Node takes."""
    name = f"node{request['add']}"
    folder = Path(options["folder"]) / name
    folder.mkdir()
    # Of the node's workers: on a machine of its own they would not share /tmp either.
    os.environ.update({"TMPDIR": str(folder), **request["environment"]})
    common = {"node_name": name, "num_cpus": request["cpus"], "resources": {name: 1000}, "object_store_memory": options["store_bytes"],
              "metrics_export_port": free_port(), "node_ip_address": f"127.0.0.{2 + request['add']}", "object_spilling_directory": str(folder)}
    if request["add"] == 0:
        common |= {"_system_config": options["system_config"], "include_dashboard": options["dashboard"], "dashboard_port": free_port(),
                   "dashboard_host": "127.0.0.1", "dashboard_agent_listen_port": free_port(), "gcs_server_port": free_port()}
    return common


def keep(options):
    adopt_orphans()
    for ending in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, lambda *_: sys.exit())
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # what Ray prints goes to the log
    import ray.cluster_utils

    wait_longer_for_nodes()
    cluster = ray.cluster_utils.Cluster(shutdown_at_exit=False)
    try:
        for line in sys.stdin:
            request = json.loads(line)
            usual = dict(os.environ)
            described = node_options(options, request)
            node = cluster.add_node(**described)
            os.environ.clear()
            os.environ.update(usual)
            answers.write(json.dumps({
                "name": described["node_name"], "node_id": node.node_id, "gcs": cluster.address, "address": described["node_ip_address"], "dashboard": node.webui_url,
                "metrics_port": node.metrics_export_port, "raylet": node.all_processes["raylet"][0].process.pid}) + "\n")
            answers.flush()
    finally:
        while processes := [process for process in descendants_of(os.getpid()) if is_alive(process)]:
            kill_all(processes)
            time.sleep(0.02)
        shutil.rmtree(options["folder"], ignore_errors=True)


def main():
    if len(sys.argv) > 1:
        keep(json.loads(sys.argv[1]))
        return
    with RayCluster(dashboard=True) as cluster:
        print(f"--ray-address {cluster.address}\ndashboard http://{cluster.dashboard}\nctrl-D ends it", flush=True)
        sys.stdin.read()


if __name__ == "__main__":
    main()
