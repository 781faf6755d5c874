"""An apply that is killed, or whose disk fails, at any moment leaves the old registry or the new, on every backend.

What is stored is compared by hash: the old registry byte for byte; the new by the hashes that apply recorded of what it
wrote, and by `viand plan`, which then has nothing to do.
"""

import hashlib
import os
import random
import sqlite3
import subprocess
import time

import pytest
from postgres_server import PostgresServer

LONG = bool(os.environ.get("VIAND_LONG"))
KILLS = 500 if LONG else 20
BACKENDS = ["sqlite", "postgres", "file"]
VIEWS = 24
FEAST_TABLES = {"projects": (0, "project_id", "project_proto"), "entities": (1, "entity_name", "entity_proto"),
                "data_sources": (2, "data_source_name", "data_source_proto"),
                "feature_views": (3, "feature_view_name", "feature_view_proto"),
                "feature_services": (7, "feature_service_name", "feature_service_proto")}


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
        text += "sources:\n  - {name: events, type: file, path: events.parquet, timestamp_field: at}\nfeature_views:\n"
        for i in range(self.views):
            text += f"""  - name: view_{i}
    entities: [user]
    source: events
    ttl: {number + 1}d
    description: edition {number}
    schema: [{", ".join(f"{{name: f{j}, dtype: Float64, description: edition {number}}}" for j in range(10))}]
"""
        (self.folder / "definitions.yaml").write_text(text)

    def rows(self, sql):
        if self.backend == "postgres":
            return self.server.sql(sql, self.database)
        with sqlite3.connect(self.folder / "data" / "registry.db") as connection:
            assert connection.execute("pragma integrity_check").fetchone() == ("ok",)
            return connection.execute(sql).fetchall()

    def hash(self):
        """Of everything that is stored."""
        if self.backend == "file":
            return hashlib.sha256((self.folder / "data" / "registry.db").read_bytes()).hexdigest()
        tables = [*FEAST_TABLES, "feature_view_version_history", "viand_objects", "viand_object_history", "viand_apply_log"]
        if self.backend == "postgres":
            rows = " union all ".join(f"select '{table}', md5(string_agg(t::text, '' order by t::text)) from {table} t"
                                      for table in tables)
            return self.rows(rows)
        return hashlib.sha256("".join(str(self.rows(f"select * from {table} order by 1, 2, 3")) for table in tables)
                              .encode()).hexdigest()

    def recorded_hashes_hold(self):
        """Whether every object is what the last apply says that it wrote."""
        if self.backend != "sqlite":
            return True  # `viand plan` compares contents; the file's name is its hash
        for table, (kind, name, content) in FEAST_TABLES.items():
            recorded = dict(self.rows(f"select name, sha256 from viand_objects where kind = {kind}"))
            stored = {row[0]: hashlib.sha256(row[1]).hexdigest() for row in self.rows(f"select {name}, {content} from {table}")}
            if recorded != stored:
                return False
        return True


def start_apply(viand, repo, **environment):
    return viand.start(repo.folder, "apply", "--yes", env={**os.environ, **environment})


def edition_of(viand, repo, old, old_hash, new):
    """Which edition is stored, wholly: checked by hash and by plan."""
    now = repo.hash()
    repo.write_edition(new)
    changes = [c for c in viand.json(repo.folder, "plan")["changes"] if c["action"] != "unchanged"]
    if now == old_hash:
        assert len(changes) == repo.views, "the old registry is not whole"
        return old
    assert not changes, f"neither the old registry nor the new: {len(changes)} changes are left"
    assert repo.recorded_hashes_hold()
    return new


@pytest.mark.parametrize("backend", BACKENDS)
def test_killed_at_random_moments(viand, tmp_path, server, backend, record_property):
    repo = Repo(tmp_path / "repo", backend, server)
    repo.write_edition(0)
    viand.json(repo.folder, "apply")
    repo.write_edition(1)
    started = time.monotonic()
    process = start_apply(viand, repo, VIAND_FAILPOINT="registry.change:1:mark")
    assert "passed registry.change" in process.stderr.readline()
    entered = time.monotonic()
    assert process.wait() == 0
    before_write, write = entered - started, time.monotonic() - entered
    rng = random.Random(backend)
    stored, moments = 1, []
    for number in range(2, 2 + KILLS):
        old_hash = repo.hash()
        repo.write_edition(number)
        inside = rng.random() < 0.75
        delay = rng.random() * (write if inside else before_write + write)
        process = start_apply(viand, repo, VIAND_FAILPOINT="registry.change:1:mark")
        if inside:
            process.stderr.readline()
        time.sleep(delay)
        alive = process.poll() is None
        process.kill()
        process.communicate()
        stored = edition_of(viand, repo, stored, old_hash, number)
        moments.append((inside and alive, f"{'in' if inside else 'before'} the write + {delay * 1e3:.1f} ms, "
                        f"{'killed' if alive else 'had ended'}: {'new' if stored == number else 'old'}"))
        print(backend, number - 1, moments[-1][1])
    in_write = sum(was for was, _ in moments)
    record_property("moments", "; ".join(text for _, text in moments))
    assert in_write * 2 >= KILLS, f"{in_write} of {KILLS} inside the write"


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("place", ["registry.change:9", "registry.side:1", "registry.commit:1", "registry.committed:1"])
def test_killed_at_a_place(viand, tmp_path, server, backend, place):
    repo = Repo(tmp_path / "repo", backend, server)
    repo.write_edition(0)
    viand.json(repo.folder, "apply")
    old_hash = repo.hash()
    repo.write_edition(1)
    process = start_apply(viand, repo, VIAND_FAILPOINT=f"{place}:kill")
    process.communicate()
    stored = edition_of(viand, repo, 0, old_hash, 1)
    if process.returncode == 0:  # the backend has no such place
        assert stored == 1
    else:
        assert stored == (1 if "committed" in place else 0)
    repo.write_edition(2)
    viand.json(repo.folder, "apply")
    assert not viand.json(repo.folder, "plan")["has_effect"]
    if backend == "file":
        assert len(list((repo.folder / "data").iterdir())) == 3, "what the dead left behind is cleared away"


@pytest.fixture(scope="module")
def faults(tmp_path_factory):
    library = tmp_path_factory.mktemp("faults") / "file_faults.so"
    source = os.path.join(os.path.dirname(__file__), "file_faults.c")
    subprocess.run(["cc", "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library


@pytest.mark.parametrize("mode", ["fail", "cut"])
@pytest.mark.parametrize("backend", ["sqlite", "file"])
def test_each_write_sync_and_rename_goes_wrong_in_turn(viand, tmp_path, server, faults, backend, mode):
    repo = Repo(tmp_path / "repo", backend, server, views=4)
    repo.write_edition(0)
    viand.json(repo.folder, "apply")
    log = tmp_path / "log"
    environment = {"LD_PRELOAD": str(faults), "FAULT_PATH": "/data", "FAULT_LOG": str(log), "FAULT_MODE": mode}
    repo.write_edition(1)
    process = start_apply(viand, repo, **environment, FAULT_CALL="1000000")
    assert process.wait() == 0
    calls = int(log.read_text().split()[1])
    assert calls >= 6, "the calls are not seen"
    stored, number = 1, 1
    for call in range(1, calls + 1, 1 if LONG else max(1, calls // 14)):
        number += 1
        old_hash = repo.hash()
        repo.write_edition(number)
        process = start_apply(viand, repo, **environment, FAULT_CALL=str(call))
        _, error = process.communicate()
        if mode == "fail" and process.returncode != 0:
            assert process.returncode == 1 and "error: " in error and "/data" in error, (call, error)
        stored = edition_of(viand, repo, stored, old_hash, number)
        if process.returncode == 0:
            assert stored == number
