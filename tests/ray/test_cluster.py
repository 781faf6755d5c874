"""Nothing is left of the cluster of the tests, whatever becomes of the tests."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from cluster import children_of, descendants_of, is_alive


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
