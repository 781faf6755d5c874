"""An apply that is killed, or whose disk fails, at any moment leaves the old registry or the new, on every backend.

What is stored is compared by hash (stored_registry.py). The old registry is the same byte for byte; the new is what an
undisturbed apply makes of the same old one in a twin, but for times and random ids, and every hash that it records holds.
"""

import os
import random
import shutil
import subprocess
import time

import pytest
import stored_registry
from postgres_server import PostgresServer

LONG = bool(os.environ.get("VIAND_LONG"))
KILLS = 500 if LONG else 20
BACKENDS = ["sqlite", "postgres", "file"]
VIEWS = 24


@pytest.fixture(scope="module")
def server():
    server = PostgresServer()
    yield server
    server.close()


class Repo:
    """A repo whose definitions come in numbered editions, each changing every view."""

    def __init__(self, folder, backend, server, views=VIEWS):
        self.folder, self.backend, self.server, self.views = folder, backend, server, views
        registry = {"file": "data/registry.db", "sqlite": '{registry_type: sql, path: "sqlite:///data/registry.db"}'}
        if backend == "postgres":
            self.database = server.new_database()
            registry["postgres"] = f'{{registry_type: sql, path: "{server.url(self.database)}"}}'
        folder.mkdir(exist_ok=True)
        (folder / "feature_store.yaml").write_text(f"project: crash\nprovider: local\nregistry: {registry[backend]}\n")

    def write_edition(self, number):
        text = "entities:\n  - {name: user, join_keys: [user_id], value_type: INT64}\n"
        text += f"sources:\n  - {{name: events, type: file, path: {self.folder.parent}/events.parquet, timestamp_field: at}}\n"
        text += "feature_views:\n"
        for i in range(self.views):
            text += f"""  - name: view_{i}
    entities: [user]
    source: events
    ttl: {number + 1}d
    description: edition {number}
    schema: [{", ".join(f"{{name: f{j}, dtype: Float64, description: edition {number}}}" for j in range(10))}]
"""
        (self.folder / "definitions.yaml").write_text(text)

    def stored(self):
        if self.backend == "postgres":
            return stored_registry.of_postgres(self.server, self.database)
        path = self.folder / "data" / "registry.db"
        return stored_registry.of_sqlite(path) if self.backend == "sqlite" else stored_registry.of_file(path)


class Twin:
    """The same repo beside it, in which every apply ends: what the new registry must be."""

    def __init__(self, viand, repo):
        self.viand, self.data, self.kept = viand, repo.folder.with_name("twin") / "data", repo.folder.with_name("twin-before")
        self.repo = Repo(self.data.parent, "file" if repo.backend == "file" else "sqlite", None, repo.views)

    def apply(self, number):
        """Its meaning with this edition."""
        if self.data.exists():
            shutil.rmtree(self.kept, ignore_errors=True)
            shutil.copytree(self.data, self.kept)
        self.repo.write_edition(number)
        self.viand.json(self.repo.folder, "apply", "--yes")
        return self.repo.stored().meaning()

    def take_back(self):
        shutil.rmtree(self.data)
        shutil.copytree(self.kept, self.data)


class Crashes:
    """A repo, its twin, and which edition is stored."""

    def __init__(self, viand, folder, backend, server, views=VIEWS):
        self.viand, self.repo = viand, Repo(folder / "repo", backend, server, views)
        self.twin = Twin(viand, self.repo)
        self.edition, self.hash = None, None

    def apply(self, number):
        """Undisturbed."""
        self.repo.write_edition(number)
        self.viand.json(self.repo.folder, "apply", "--yes")
        assert self.twin.apply(number) == self.repo.stored().meaning()
        self.edition, self.hash = number, self.repo.stored().hash()

    def start(self, number, **environment):
        self.repo.write_edition(number)
        return self.viand.start(self.repo.folder, "apply", "--yes", env={**os.environ, **environment})

    def check(self, number):
        """The old registry or that of this edition, by hash; remembers which."""
        now = self.repo.stored()
        meaning = self.twin.apply(number)
        if now.hash() == self.hash:
            self.twin.take_back()
        else:
            assert now.meaning() == meaning, "neither the old registry nor the new"
            now.check_hashes()
            self.edition, self.hash = number, now.hash()
        return self.edition

    def check_plan(self, number):
        """viand opens it, and sees what is stored."""
        changes = [c for c in self.viand.json(self.repo.folder, "plan")["changes"] if c["action"] != "unchanged"]
        assert len(changes) == (0 if self.edition == number else self.repo.views)


@pytest.mark.parametrize("backend", BACKENDS)
def test_killed_at_random_moments(viand, tmp_path, server, backend, record_property):
    crashes = Crashes(viand, tmp_path, backend, server)
    crashes.apply(0)
    started = time.monotonic()
    process = crashes.start(1, VIAND_FAILPOINT="registry.change:1:mark")
    assert "passed registry.change" in process.stderr.readline()
    entered = time.monotonic()
    assert process.wait() == 0
    before_write, write = entered - started, time.monotonic() - entered
    assert crashes.check(1) == 1
    rng = random.Random(backend)
    moments = []
    for number in range(2, 2 + KILLS):
        inside = rng.random() < 0.9
        delay = rng.random() * (write if inside else before_write + write)
        process = crashes.start(number, VIAND_FAILPOINT="registry.change:1:mark")
        if inside:
            process.stderr.readline()
        time.sleep(delay)
        alive = process.poll() is None
        if inside and not alive:
            write = min(write, delay)  # the first was slow: a machine that others use
        process.kill()
        process.communicate()
        stored = crashes.check(number)
        if number % 5 == 0:
            crashes.check_plan(number)
        moments.append((inside and alive, f"{'in' if inside else 'before'} the write + {delay * 1e3:.1f} ms, "
                        f"{'killed' if alive else 'had ended'}: {'new' if stored == number else 'old'}"))
        print(backend, number - 1, moments[-1][1])
    in_write = sum(was for was, _ in moments)
    record_property("moments", "; ".join(text for _, text in moments))
    assert in_write * 2 >= KILLS, f"{in_write} of {KILLS} inside the write"


PLACES = ["registry.change:9", "registry.side:1", "registry.commit:1", "registry.committed:1"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("place", PLACES)
def test_killed_at_a_place(viand, tmp_path, server, backend, place):
    crashes = Crashes(viand, tmp_path, backend, server)
    crashes.apply(0)
    process = crashes.start(1, VIAND_FAILPOINT=f"{place}:kill")
    process.communicate()
    stored = crashes.check(1)
    if process.returncode == 0:  # the backend has no such place
        assert stored == 1
    else:
        assert stored == (1 if "committed" in place else 0)
    crashes.apply(2)
    crashes.check_plan(2)
    if backend == "file":
        assert len(list((crashes.repo.folder / "data").iterdir())) == 3, "what the dead left behind is cleared away"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("place", PLACES)
def test_first_apply_killed_at_a_place(viand, tmp_path, server, backend, place):
    """Before it there is no registry: afterwards none, or the whole one."""
    crashes = Crashes(viand, tmp_path, backend, server)
    process = crashes.start(0, VIAND_FAILPOINT=f"{place}:kill")
    process.communicate()
    changes = viand.json(crashes.repo.folder, "plan")["changes"]
    whole = process.returncode == 0 or "committed" in place
    assert {change["action"] for change in changes} == ({"unchanged"} if whole else {"add"})
    if whole:
        crashes.twin.apply(0)
        assert crashes.repo.stored().meaning() == crashes.twin.repo.stored().meaning()
    else:
        crashes.apply(0)
    if backend == "sqlite":
        assert [path.name for path in (crashes.repo.folder / "data").iterdir()] == ["registry.db"]


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    library = tmp_path_factory.mktemp("faults") / "file_faults.so"
    source = os.path.join(os.path.dirname(__file__), "file_faults.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.mark.parametrize("mode", ["fail", "cut"])
@pytest.mark.parametrize("backend", ["sqlite", "file"])
def test_each_write_sync_and_rename_goes_wrong_in_turn(viand, tmp_path, server, faults, backend, mode):
    crashes = Crashes(viand, tmp_path, backend, server, views=4)
    crashes.apply(0)
    log = tmp_path / "log"
    environment = {"LD_PRELOAD": str(faults), "FAULT_PATH": "/repo/data", "FAULT_LOG": str(log), "FAULT_MODE": mode}
    assert crashes.start(1, **environment, FAULT_CALL="1000000").wait() == 0
    assert crashes.check(1) == 1
    calls = int(log.read_text().split()[1])
    assert calls >= 6, "the calls are not seen"
    number = 1
    for call in range(1, calls + 1, 1 if LONG else max(1, calls // 14)):
        number += 1
        process = crashes.start(number, **environment, FAULT_CALL=str(call))
        _, error = process.communicate()
        if mode == "fail" and process.returncode != 0:
            assert process.returncode == 1 and "error: " in error and "/data" in error, (call, error)
        stored = crashes.check(number)
        if process.returncode == 0:
            assert stored == number


@pytest.mark.parametrize("mode", ["fail", "cut"])
@pytest.mark.parametrize("backend", ["sqlite", "file"])
def test_each_call_of_a_first_apply_goes_wrong_in_turn(viand, tmp_path, server, faults, backend, mode):
    log = tmp_path / "log"
    for call in range(1, 100):
        folder = tmp_path / str(call)
        folder.mkdir()
        crashes = Crashes(viand, folder, backend, server, views=2)
        process = crashes.start(0, LD_PRELOAD=str(faults), FAULT_PATH="/repo/data", FAULT_LOG=str(log), FAULT_MODE=mode,
                                FAULT_CALL=str(call))
        _, error = process.communicate()
        if process.returncode == 0 and int(log.read_text().split()[1]) < call:
            assert call > 4, "the calls are not seen"
            return
        actions = {change["action"] for change in viand.json(crashes.repo.folder, "plan")["changes"]}
        assert actions in ({"add"}, {"unchanged"}), (call, error)
        if mode == "fail" and process.returncode != 0:
            assert process.returncode == 1 and "error: " in error and "/data" in error, (call, error)
        if process.returncode == 0:
            assert actions == {"unchanged"}
        crashes.apply(0)
    pytest.fail("the calls do not end")
