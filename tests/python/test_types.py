"""What a type checker sees of the package."""

import os
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

HERE = Path(__file__).resolve().parent


def test_a_strict_checker_finds_nothing_in_a_program(tmp_path):
    mypy = ROOT / ".venv-feast" / "bin" / "mypy"  # one of the packages that Feast brings
    done = subprocess.run([mypy, "--strict", "--no-site-packages", "--cache-dir", tmp_path, HERE / "typed_client.py"], text=True, capture_output=True,
                          env={**os.environ, "MYPYPATH": str(ROOT / "python")})
    assert "checked 1 source file" in done.stdout, done.stdout + done.stderr
    # An installed package is not checked itself; here it is source.
    assert [line for line in done.stdout.splitlines() if "typed_client" in line] == []


def test_the_program_runs():
    done = subprocess.run([sys.executable, HERE / "typed_client.py"], text=True, capture_output=True)
    assert (done.stdout, done.stderr) == ("a ['user_id']\n", "")
