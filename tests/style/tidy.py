#!/usr/bin/env python3
"""Runs clang-tidy on the C++ sources that changed since the main branch's parent, or on all of them with --all.

Without --all LIMIT sources are looked at: those that changed, then others, chosen by the commit's hash, so that a clone
whose history says nothing still checks some and a row of commits checks them all. What is left out is said, and falls to
./dev test --long. The compile commands are of a build folder of its own, build/tidy, in which every source is
compiled alone; a source that no target of it compiles is a finding.

A source that passed is not looked at again until it, a project header below it, or .clang-tidy changes: the hash of
all three is kept in build/tidy/.passed. Standard library only.
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
LIMIT = 8
INCLUDE = re.compile(r'^\s*#\s*include\s+["<]((?:src|viand)/[^">]+)[">]', re.MULTILINE)


class Tree:
    """A checkout and its build folder for clang-tidy."""

    def __init__(self, root, build):
        self.root, self.build, self.passed = root, build, build / ".passed"

    def git(self, *arguments):
        done = subprocess.run(["git", *arguments], cwd=self.root, capture_output=True, text=True)
        return done.stdout.split() if done.returncode == 0 else []

    def configure(self):
        """Writes the compile commands and the headers that are generated."""
        for command in (["cmake", "--preset", "tidy"], ["cmake", "--build", self.build, "--target", "viand_generated"]):
            done = subprocess.run(command, cwd=self.root, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            if done.returncode != 0:
                sys.exit(f"{done.stdout}clang-tidy: '{' '.join(map(str, command))}' failed")

    def sources(self):
        """Returns the sources under src/, and those of them that no target compiles."""
        commands = json.loads((self.build / "compile_commands.json").read_text())
        compiled = {(Path(entry["directory"]) / entry["file"]).resolve() for entry in commands}
        sources = sorted((self.root / "src").rglob("*.cc"))
        return sources, [source for source in sources if source not in compiled]

    def changed(self):
        """Files that differ from where this branch left main (on main: from the commit before), as far as git can say."""
        head, main = self.git("rev-parse", "HEAD"), self.git("rev-parse", "--verify", "-q", "main")
        base = self.git("merge-base", "HEAD", "main") if main and head != main else self.git("rev-parse", "--verify", "-q", "HEAD~1")
        untracked = self.git("ls-files", "--others", "--exclude-standard")
        committed = self.git("diff", "--name-only", base[0]) if base else []
        return {self.root / name for name in committed + untracked}

    def headers_below(self, path, seen):
        """Adds the headers of ours that `path` includes, directly or not, to `seen`."""
        for name in INCLUDE.findall(path.read_text(encoding="utf-8")):
            header = self.root / name if name.startswith("src/") else self.root / "include" / name
            if header.exists() and header not in seen:
                seen.add(header)
                self.headers_below(header, seen)
        return seen

    def choose(self, sources, limit):
        """Puts changed sources first (a changed header stands for its .cc, or for the first source that includes it), then
        others in an order that the commit decides, and returns the first `limit`, with the number of changed ones left out."""
        changed = self.changed()
        headers = {path for path in changed if path.suffix == ".h"}
        first = {source for source in sources if source in changed or source.with_suffix(".h") in headers}
        for header in sorted(headers - {source.with_suffix(".h") for source in first}):
            first |= set([source for source in sources if header in self.headers_below(source, set())][:1])
        commit = "".join(self.git("rev-parse", "HEAD"))
        rest = sorted(set(sources) - first,
                      key=lambda source: hashlib.sha256(f"{commit} {source.relative_to(self.root)}".encode()).digest())
        return (sorted(first) + rest)[:limit], max(0, len(first) - limit)

    def stamp_of(self, source):
        digest = hashlib.sha256((self.root / ".clang-tidy").read_bytes())
        for path in [source, *sorted(self.headers_below(source, set()))]:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return self.passed / digest.hexdigest()

    def tidy(self, source):
        """Returns what clang-tidy found, or an empty text."""
        stamp = self.stamp_of(source)
        done = subprocess.run(["clang-tidy", "--quiet", "-p", self.build, source], cwd=self.root, capture_output=True, text=True)
        if done.returncode == 0:
            stamp.touch()
            return ""
        return done.stdout + "".join(line for line in done.stderr.splitlines(True) if "warnings generated" not in line)


def check(tree, everything, jobs):
    """Looks at the sources of a configured tree; prints the findings and returns the number of sources that have some."""
    sources, stray = tree.sources()
    for source in stray:
        print(f"{source.relative_to(tree.root)}: no target of {tree.build.relative_to(tree.root)} compiles this file")
    if not sources:
        print("clang-tidy: there is no source under src/")
        return 1
    compiled = [source for source in sources if source not in stray]
    chosen, over = (compiled, 0) if everything else tree.choose(compiled, LIMIT)
    tree.passed.mkdir(parents=True, exist_ok=True)
    due = [source for source in chosen if not tree.stamp_of(source).exists()]
    started, failed = time.monotonic(), len(stray)
    with ThreadPoolExecutor(jobs) as pool:
        for findings in pool.map(tree.tidy, due):
            failed += bool(findings)
            sys.stdout.write(findings)
            sys.stdout.flush()
    print(f"clang-tidy: {len(chosen)} of {len(sources)} files: {len(due)} checked, {len(chosen) - len(due)} as when they passed; "
          f"{over} changed ones left to --all, {failed} with findings, {time.monotonic() - started:.0f} s")
    return failed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--all", action="store_true", help="look at every source, changed or not")
    parser.add_argument("--jobs", type=int, default=1)
    options = parser.parse_args()
    tree = Tree(ROOT, ROOT / "build" / "tidy")
    tree.configure()
    return 1 if check(tree, options.all, options.jobs) else 0


if __name__ == "__main__":
    sys.exit(main())
