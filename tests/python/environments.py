#!/usr/bin/env python3
"""Builds the wheel and runs the tests in tests/python in fresh virtual environments, each beside other packages.

environments.py RESULTS_FOLDER. The environments are the kinds env-NAME of versions.txt. The wheel of this Python goes
into all of them; where a Python 3.12 or later is found ($VIAND_ABI3_PYTHON, or on the PATH), the wheel of the stable ABI is
built with it, and tested in one environment. The objects of ./dev build are taken from ccache. Environments are made and
tested two at a time: pip mostly waits.
"""

import os
import re
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
WORK = ROOT / "build" / "python-environments"
# Files of tests that other packages could matter to, and what they need; the others are run in .venv alone.
FILES = {"test_package.py": set(), "test_store.py": set(), "test_process.py": set(), "test_docstrings.py": set(),
         "test_frames.py": {"pandas"}, "test_retail_python.py": {"pandas"}, "test_arrow.py": {"pyarrow"}}
# What no other package matters to, and takes long.
LEFT_OUT = "not thousand_calls"
AT_ONCE = 2


def call(*command, **options):
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))} failed:\n" + "\n".join(done.stdout.splitlines()[-60:]))
    return done.stdout


def environments():
    """Name -> its wheels, as pip takes them."""
    found = {}
    for line in (ROOT / "versions.txt").read_text().splitlines():
        if match := re.match(r"env-(\S+) (\S+)$", line):
            found.setdefault(match[1], []).append(match[2])
    return found


def stable_python():
    """A Python whose wheel is that of the stable ABI."""
    names = [os.environ.get("VIAND_ABI3_PYTHON"), *(f"python3.{minor}" for minor in (12, 13, 14))]
    for name in filter(None, names):
        path = shutil.which(name)
        if path and subprocess.run([path, "-c", "import sys; sys.exit(sys.version_info < (3, 12))"],
                                   stderr=subprocess.DEVNULL).returncode == 0:
            return path
    return None


def build_wheel(python, folder):
    """The wheel of a Python, with what the build needs from versions.txt."""
    shutil.rmtree(folder, ignore_errors=True)
    call(python, "-m", "pip", "wheel", ROOT, "--no-deps", "--no-build-isolation", "--wheel-dir", folder,
         env={**os.environ, "CMAKE_BUILD_PARALLEL_LEVEL": os.environ.get("VIAND_JOBS", str(os.cpu_count()))})
    return next(folder.glob("*.whl"))


def run_tests(name, base_python, wheel, packages, results):
    """(what pytest said, its exit code)."""
    venv = WORK / name
    shutil.rmtree(venv, ignore_errors=True)
    call(base_python, "-m", "venv", venv)
    python = venv / "bin" / "python"
    call(python, "-m", "pip", "install", "--disable-pip-version-check", "--only-binary", ":all:", wheel, *packages)
    installed = {package.partition("==")[0].lower() for package in packages}
    files = [ROOT / "tests" / "python" / file for file, needs in FILES.items() if needs <= installed]
    title = f"== {name}: {call(python, '--version').strip()}, {wheel.name}, {', '.join(packages)}\n"
    environment = {key: value for key, value in os.environ.items() if key not in ("PYTHONPATH", "VIAND_BINARY", "VIAND_PYTHON")}
    done = subprocess.run([python, "-m", "pytest", *files, "-k", LEFT_OUT, "-q", "-p", "no:cacheprovider", "-ra",
                           f"--junitxml={results / f'python-{name}.xml'}"], cwd=WORK, env=environment, text=True,
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return title + done.stdout, done.returncode


def run_environments(runs, results):
    """Runs [(name, Python, wheel, packages)]; 0 where all tests passed."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        finished = [pool.submit(run_tests, *run, results) for run in runs]
        status = 0
        for each in finished:
            output, code = each.result()
            print(output, flush=True)
            status |= code
    return status


def main():
    results = Path(sys.argv[1]).resolve()
    WORK.mkdir(parents=True, exist_ok=True)
    wheel = build_wheel(sys.executable, WORK / "wheel")
    status = run_environments([(name, sys._base_executable, wheel, packages) for name, packages in environments().items()], results)
    python = stable_python()
    if python is None:
        print("== no Python 3.12 or later here: the wheel of the stable ABI is not built")
        return status
    builder = WORK / "builder"
    shutil.rmtree(builder, ignore_errors=True)
    call(python, "-m", "venv", builder)
    pins = re.findall(r"^(?:test-)?wheel ((?:nanobind|scikit_build_core|packaging|pathspec)==\S+)$",
                      (ROOT / "versions.txt").read_text(), re.MULTILINE)
    call(builder / "bin" / "python", "-m", "pip", "install", *pins)
    stable = build_wheel(builder / "bin" / "python", WORK / "stable-wheel")
    return status | run_environments([("stable", python, stable, environments()["newer"])], results)


if __name__ == "__main__":
    sys.exit(main())
