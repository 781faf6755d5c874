#!/usr/bin/env python3
"""Runs text scenarios: files in, viand commands, exit code and output compared.

A scenario (tests/scenarios/*.test) is a list of sections:

    # what it shows
    == file definitions.yaml        writes the lines below to that file of a fresh folder
    == run viand apply              runs a command there; it must exit with 0
    == fail 1 viand run             runs a command that must exit with this code
    == stdout                       what the last command printed, compared line by line
    == stderr
    == shell printf x > data.csv    a preparation outside of viand

An expected line may hold `...`, which stands for any text; a line that is only `...` for any lines. Every scenario runs
under each configuration named on the command line: all must give the same output.
"""
import argparse
import os
import pathlib
import re
import subprocess
import sys
import tempfile

CONFIGURATIONS = {
    "threads-1": ["--threads", "1"],
    "threads-4": ["--threads", "4", "--partitions", "5"],
    "tiny-batches": ["--threads", "2", "--batch-rows", "2", "--partitions", "3"],
    "spill": ["--executor", "spill", "--threads", "3", "--partitions", "4"],
    "processes": ["--executor", "processes", "--threads", "2", "--partitions", "2"],
}
REPO_CONFIG = """project: scenario
provider: local
registry: {registry_type: sql, path: sqlite:///data/registry.db}
offline_store: {type: viand}
entity_key_serialization_version: 3
"""


def sections(text):
    """Yields (header words, body lines, line number)."""
    header, body, at = None, [], 0
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith("== "):
            if header is not None:
                yield header, body, at
            header, body, at = line[3:], [], number
        elif header is not None:
            body.append(line)
    if header is not None:
        yield header, body, at


def strip_blank(lines):
    lines = [line.rstrip() for line in lines]
    while lines and not lines[-1]:
        lines.pop()
    while lines and not lines[0]:
        lines.pop(0)
    return lines


def matches(expected, actual):
    """Compares lists of lines with wildcards."""
    if not expected:
        return not actual
    if expected[0] == "...":
        return any(matches(expected[1:], actual[i:]) for i in range(len(actual) + 1))
    if not actual:
        return False
    pattern = ".*".join(re.escape(part) for part in expected[0].split("..."))
    return re.fullmatch(pattern, actual[0]) is not None and matches(expected[1:], actual[1:])


class Failure(Exception):
    pass


class Scenario:
    def __init__(self, path, viand, arguments):
        self.path, self.viand, self.arguments = path, viand, arguments
        self.last = None

    def command(self, text, folder):
        if text.startswith("viand "):
            extra = " ".join(self.arguments)
            text = f'"{self.viand}" {extra} {text[len("viand "):]}'
        environment = dict(os.environ, NO_COLOR="1", VIAND=f'{self.viand} {" ".join(self.arguments)}')
        return subprocess.run(["bash", "-c", text], cwd=folder, env=environment, capture_output=True, text=True,
                              timeout=300)

    def expect_exit(self, code, line):
        if self.last.returncode != code:
            raise Failure(f"line {line}: exit code {self.last.returncode}, expected {code}\n"
                          f"{self.last.stdout}{self.last.stderr}")

    def step(self, header, body, line, folder):
        word, _, rest = header.partition(" ")
        if word == "file":
            target = folder / rest
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text("\n".join(strip_blank(body)) + "\n")
        elif word == "shell":
            self.last = self.command(rest, folder)
            self.expect_exit(0, line)
        elif word == "run":
            self.last = self.command(rest, folder)
            self.expect_exit(0, line)
        elif word == "fail":
            code, _, command = rest.partition(" ")
            self.last = self.command(command, folder)
            self.expect_exit(int(code), line)
        elif word in ("stdout", "stderr"):
            actual = strip_blank(getattr(self.last, word).splitlines())
            expected = strip_blank(body)
            if not matches(expected, actual):
                raise Failure(f"line {line}: {word} is\n" + "\n".join(actual) + "\nexpected\n" + "\n".join(expected))
        else:
            raise Failure(f"line {line}: unknown section {word!r}")

    def run(self):
        with tempfile.TemporaryDirectory(prefix="viand-scenario-") as name:
            folder = pathlib.Path(name)
            (folder / "feature_store.yaml").write_text(REPO_CONFIG)
            for header, body, line in sections(self.path.read_text()):
                self.step(header, body, line, folder)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--viand", required=True, type=pathlib.Path)
    parser.add_argument("--configuration", action="append", choices=sorted(CONFIGURATIONS))
    parser.add_argument("scenarios", nargs="*", type=pathlib.Path)
    options = parser.parse_args()
    here = pathlib.Path(__file__).parent
    paths = options.scenarios or sorted(here.glob("*.test")) + sorted((here.parent / "issues").glob("*.test"))
    failed = passed = 0
    for configuration in options.configuration or sorted(CONFIGURATIONS):
        for path in paths:
            try:
                Scenario(path, options.viand.resolve(), CONFIGURATIONS[configuration]).run()
                passed += 1
            except (Failure, subprocess.TimeoutExpired) as failure:
                failed += 1
                print(f"FAILED {path.name} ({configuration}): {failure}\n")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed else 0


if __name__ == "__main__":
    sys.exit(main())
