"""A PostgreSQL server of the tests' own: a fresh cluster in a temporary folder, on loopback, with passwords asked for."""

import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

BINARIES = Path(os.environ.get("PG_BINDIR", "/usr/lib/postgresql/15/bin"))
USER = "feast"
LIBC = ctypes.CDLL(None)
# Every character that a URL could trip over.
PASSWORD = "s3cret:@/?#%+ é"


def as_postgres():
    """PostgreSQL refuses to run as root."""
    if os.geteuid() != 0:
        return {}
    try:
        user = pwd.getpwnam("postgres")
    except KeyError:
        user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def die_with_parent():
    """In the new process: a test that is killed takes its server with it; so does a thread, where one made the server."""
    PR_SET_PDEATHSIG = 1
    LIBC.prctl(PR_SET_PDEATHSIG, signal.SIGQUIT)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class PostgresServer:
    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="viand_pg_", dir="/tmp"))  # short: a socket's path has 107 bytes
        self.folder.chmod(0o777)
        self.port = free_port()
        self.server = None
        self.databases = 0
        password_file = self.folder / "password"
        password_file.write_text(PASSWORD)
        password_file.chmod(0o644)
        self._run("initdb", "-D", self.folder / "data", "-U", USER, "--auth=scram-sha-256", "--pwfile", password_file,
                  "--no-sync", "--encoding=UTF8", "--locale=C")
        self.start()

    def _run(self, program, *arguments):
        done = subprocess.run([BINARIES / program, *map(str, arguments)], cwd=self.folder, text=True, capture_output=True,
                              env={**os.environ, "PGPASSWORD": PASSWORD}, **as_postgres())
        assert done.returncode == 0, f"{program}: {done.stderr}"
        return done.stdout

    def start(self):
        with open(self.folder / "log", "a") as log:
            self.server = subprocess.Popen(
                [BINARIES / "postgres", "-D", self.folder / "data", "-k", self.folder, "-p", str(self.port),
                 "-c", "listen_addresses=127.0.0.1", "-c", "fsync=off", "-c", "max_connections=60"],
                cwd=self.folder, stdout=log, stderr=log, preexec_fn=die_with_parent, **as_postgres())
        for _ in range(200):
            ready = subprocess.run([BINARIES / "pg_isready", "-q", "-h", self.folder, "-p", str(self.port)])
            if ready.returncode == 0:
                return
            time.sleep(0.05)
        raise AssertionError(f"the server does not start:\n{(self.folder / 'log').read_text()}")

    def stop(self, immediate=False):
        """Disconnects everybody and stops, or dies as in a crash."""
        self.server.send_signal(3 if immediate else 2)
        self.server.wait(timeout=30)

    def close(self):
        self.stop(immediate=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def sql(self, text, database="postgres", separators=("|", "\n")):
        """Runs statements; the rows, as psql prints them, with these between columns and after rows."""
        return self._run("psql", "-qXAt", "-F", separators[0], "-R", separators[1], "-v", "ON_ERROR_STOP=1", "-h", self.folder,
                         "-p", self.port, "-U", USER, "-d", database, "-c", text)

    def new_database(self):
        self.databases += 1
        self.sql(f"create database test{self.databases} strategy file_copy")
        return f"test{self.databases}"

    def url(self, database, scheme="postgresql+psycopg2", user=USER, password=PASSWORD, host="127.0.0.1", port=None):
        return f"{scheme}://{quote(user)}:{quote(password, safe='')}@{host}:{port or self.port}/{database}"
