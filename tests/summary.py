#!/usr/bin/env python3
"""Sums up a run of ./dev test: each stage with its time, each failed case, and one last line that counts them all.

Reads FOLDER/stages.tsv (stage, seconds, exit code) and the JUnit files beside it. A ctest entry that is a
GoogleTest program counts as its cases; a stage that failed without any failed case counts as one failure.
"""

import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

PASSED = re.compile(r"^\[  PASSED  \] (\d+) tests?\.", re.MULTILINE)
FAILED_CASE = re.compile(r"^\[  FAILED  \] ([\w/.]+?)(?:, where .*)?$", re.MULTILINE)


def cases_of(testcase):
    """Returns (passed, names of the failed) of one JUnit test case."""
    name = testcase.get("name")
    output = testcase.findtext("system-out") or ""
    failed = testcase.find("failure") is not None or testcase.find("error") is not None
    failed = failed or testcase.get("status") in ("fail", "disabled", "notrun")
    passed = PASSED.search(output)
    if passed is None:
        return (0, [name]) if failed else (1, [])
    inner = [f"{name}: {case}" for case in dict.fromkeys(FAILED_CASE.findall(output))]
    return int(passed[1]), inner or ([name] if failed else [])


def read_results(path):
    total, failures = 0, []
    for testcase in ElementTree.parse(path).iter("testcase"):
        passed, failed = cases_of(testcase)
        total += passed
        failures += [f"{path.stem}: {name}" for name in failed]
    return total, failures


def main():
    folder = Path(sys.argv[1])
    passed, failures = 0, []
    for path in sorted(folder.glob("*.xml")):
        total, failed = read_results(path)
        passed += total
        failures += failed
    print("\n== summary")
    seconds_in_all = 0
    for line in (folder / "stages.tsv").read_text().splitlines():
        stage, seconds, status = line.split("\t")
        seconds_in_all += int(seconds)
        print(f"{'ok    ' if status == '0' else 'FAILED'} {int(seconds):5d} s  {stage}")
        if status == "0":
            passed += 1
        else:
            failures.append(f"stage: {stage}")
    for name in failures:
        print(f"failed: {name}")
    print(f"{seconds_in_all // 60} min {seconds_in_all % 60} s")
    print(f"{passed} passed, {len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
