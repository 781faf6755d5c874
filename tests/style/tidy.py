#!/usr/bin/env python3
"""Runs clang-tidy on the C++ sources that changed since the main branch's parent, or on all of them with --all.

Without --all at most LIMIT sources are looked at, so that one great change does not take the tests past their half hour;
what is left out is said, and falls to ./dev test --long.

A source that passed is not looked at again until it, a project header below it, or .clang-tidy changes: the hash of
all three is kept in build/.tidy. Standard library only.
"""

import argparse
import hashlib
import json
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build"
PASSED = BUILD / ".tidy"
LIMIT = 8
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]((?:src|viand)/[^">]+)[">]', re.MULTILINE)


def git(*arguments):
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True)
    return done.stdout.split() if done.returncode == 0 else None


def changed_files():
    """Files that differ from where this branch left main (on main: from the commit before); None when git cannot say."""
    head, main = git("rev-parse", "HEAD"), git("rev-parse", "--verify", "-q", "main")
    base = git("merge-base", "HEAD", "main") if main and head != main else git("rev-parse", "--verify", "-q", "HEAD~1")
    untracked = git("ls-files", "--others", "--exclude-standard")
    changed = git("diff", "--name-only", base[0]) if base else None
    return None if changed is None else {ROOT / name for name in changed + untracked}


def project_headers(path, seen):
    """Adds the headers of ours that `path` includes, directly or not, to `seen`."""
    for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
        header = ROOT / name if name.startswith("src/") else ROOT / "include" / name
        if header.exists() and header not in seen:
            seen.add(header)
            project_headers(header, seen)
    return seen


def stamp_of(source):
    digest = hashlib.sha256((ROOT / ".clang-tidy").read_bytes())
    for path in [source, *sorted(project_headers(source, set()))]:
        digest.update(hashlib.sha256(path.read_bytes()).digest())
    return PASSED / digest.hexdigest()


def tidy(source):
    """Returns what clang-tidy found, or an empty text."""
    stamp = stamp_of(source)
    done = subprocess.run(["clang-tidy", "--quiet", "-p", BUILD, source], cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        stamp.touch()
        return ""
    return done.stdout + "".join(line for line in done.stderr.splitlines(True) if "warnings generated" not in line)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--all", action="store_true", help="look at every source, changed or not")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    commands = BUILD / "compile_commands.json"
    if not commands.exists():
        subprocess.run(["cmake", "--preset", "release"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    sources = {Path(entry["file"]) for entry in json.loads(commands.read_text())}
    sources = {source for source in sources if source.exists() and ROOT / "src" in source.parents and BUILD not in source.parents}
    changed = None if options.all else changed_files()
    if changed is not None:
        sources = {source for source in sources if source in changed or source.with_suffix(".h") in changed}
    PASSED.mkdir(parents=True, exist_ok=True)
    left = [source for source in sorted(sources) if not stamp_of(source).exists()]
    over = [] if options.all else left[LIMIT:]
    left = left[:len(left) - len(over)]
    started, failed = time.monotonic(), 0
    with ThreadPoolExecutor(options.jobs) as pool:
        for findings in pool.map(tidy, left):
            failed += bool(findings)
            sys.stdout.write(findings)
    print(f"clang-tidy: {len(left)} files checked, {len(sources) - len(left) - len(over)} as when they passed, "
          f"{len(over)} left to --all, {failed} with findings, {time.monotonic() - started:.0f} s")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
