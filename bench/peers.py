"""What the benchmarks share: a measured command is a process of its own, runs of several commands take turns, and the
last lines hold the targets.

  watch = peers.Watch(json_only=False)
  watch.say("generating S")
  run = peers.measure("build/viand", "--version")
  run.seconds, run.cpu_seconds, run.peak_mb, run.output

Standard library only, and small: a process inherits the peak memory of the one that starts it.
"""

import argparse
import json
import os
import shlex
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PYTHON = ROOT / ".venv" / "bin" / "python"
VIAND = Path(os.environ.get("VIAND_BINARY", ROOT / "build" / "viand"))


class CommandFailed(SystemExit):
    """Ends the benchmark with its text, unless the benchmark goes on without that command."""


class Measured:
    """One command from start to exit: wall and CPU seconds, peak resident MB, standard output."""

    def __init__(self, seconds, cpu_seconds, peak_mb, output):
        self.seconds, self.cpu_seconds, self.peak_mb, self.output = seconds, cpu_seconds, peak_mb, output


def measure(*command, timeout_seconds=None):
    """Runs a command to its end. One that fails or takes longer raises CommandFailed with the end of what it said."""
    # XGBoost's idle threads spin for seconds on a busy machine; passive waiting spares every rival that.
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    command = [str(part) for part in command]
    with tempfile.TemporaryFile() as errors:
        started = time.perf_counter()
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, cwd=ROOT, env=environment)
        late = threading.Timer(timeout_seconds or threading.TIMEOUT_MAX, process.kill)
        late.daemon = True
        late.start()
        output = process.stdout.read().decode()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        late.cancel()
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            if timeout_seconds and seconds >= timeout_seconds:
                raise CommandFailed(f"not done after {timeout_seconds} s: {shlex.join(command)}")
            errors.seek(0)
            last_lines = errors.read().decode(errors="replace").splitlines()[-20:]
            raise CommandFailed("\n".join([f"exit {process.returncode}: {shlex.join(command)}", *last_lines]))
    return Measured(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, output)


def median_of(measured):
    """Of several runs of one command: median times, greatest memory, all outputs."""
    return Measured(statistics.median(run.seconds for run in measured), statistics.median(run.cpu_seconds for run in measured),
                    max(run.peak_mb for run in measured), [run.output for run in measured])


def nothing():
    pass


def repeat(runs, command, prepare=nothing):
    """The median of `runs` runs; `prepare` goes before each and is not measured."""
    measured = []
    for _ in range(runs):
        prepare()
        measured.append(measure(*command))
    return median_of(measured)


def take_turns(runs, commands):
    """{name: median} of {name: command}; each runs once a round, so that a busy minute hits all of them alike."""
    measured = {name: [] for name in commands}
    for _ in range(runs):
        for name, command in commands.items():
            measured[name].append(measure(*command))
    return {name: median_of(some) for name, some in measured.items()}


def arguments(description, runs):
    """The options that all benchmarks have; add your own to it."""
    parser = argparse.ArgumentParser(description=description.split("\n\n")[0])
    parser.add_argument("--runs", type=int, default=runs, help=f"runs of each command (default {runs})")
    parser.add_argument("--cores", type=core_list, default=sorted(os.sched_getaffinity(0)), metavar="0-3,6",
                        help="cores that every command is bound to (default: all)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON only")
    return parser


def core_list(text):
    """"0-2,5" -> [0, 1, 2, 5]."""
    cores = set()
    for part in text.split(","):
        first, _, last = part.partition("-")
        if not first.isdigit() or not (last or first).isdigit():
            raise argparse.ArgumentTypeError(f'"{text}" is no list of cores; expected one such as 0-3 or 0,2')
        cores.update(range(int(first), int(last or first) + 1))
    missing = cores - os.sched_getaffinity(0)
    if not cores or missing:
        raise argparse.ArgumentTypeError(f"this machine has no core {', '.join(map(str, sorted(missing)))}")
    return sorted(cores)


class Watch:
    """Binds this process and all that it starts to `cores`, tells people what goes on, prints the result."""

    def __init__(self, options, what):
        self.json_only = options.json
        os.sched_setaffinity(0, options.cores)
        self.say(f"{what}, {len(options.cores)} cores, medians of {options.runs}")
        # The load counts processes of the whole machine, whichever cores they are on.
        self.load = os.getloadavg()[0]
        if self.load > os.cpu_count() / 2:
            self.say(f"the machine is busy (load {self.load:.1f}): times and ratios below are not to be quoted")

    def say(self, line):
        print(line, flush=True, file=sys.stderr if self.json_only else sys.stdout)

    def finish(self, figures, targets, **more):
        """Prints the targets, (what, value, limit, whether it is met) each; returns the exit code."""
        if self.json_only:
            print(json.dumps({"figures": figures, **more, "load_before": self.load,
                              "met": {what: met for what, _, _, met in targets}}))
        for what, value, limit, met in targets:
            self.say(f"{'met   ' if met else 'MISSED'} {value:8.3f}  {what} ({limit})")
        return 0 if all(met for *_, met in targets) else 1


def at_most(what, value, limit):
    return what, value, f"at most {limit}", value <= limit


def at_least(what, value, limit):
    return what, value, f"at least {limit}", value >= limit


def under(what, value, limit):
    return what, value, f"under {limit}", value < limit


def table(measured, base, floor=None):
    """Lines for people: {name: Measured} with the ratio of its time to that of `base`, and of base's to the floor's."""
    yield f"{'time s':>9} {'CPU s':>9} {'peak MB':>9} {'/ ' + base:>9}"
    for name, run in measured.items():
        yield (f"{run.seconds:9.2f} {run.cpu_seconds:9.2f} {run.peak_mb:9.0f} "
               f"{run.seconds / measured[base].seconds:9.2f}  {name}")
    if floor in measured:
        ratio = measured[base].seconds / measured[floor].seconds
        cpu_ratio = measured[base].cpu_seconds / measured[floor].cpu_seconds
        yield f"{base} / {floor}: {ratio:.2f} of its time, {cpu_ratio:.2f} of its CPU"


def figures_of(measured):
    """The same for --json."""
    return {name: {"seconds": run.seconds, "cpu_seconds": run.cpu_seconds, "peak_mb": run.peak_mb}
            for name, run in measured.items()}
