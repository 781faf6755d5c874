"""One size of the data of bench/asof and bench/windows, with a repo over it; generated once, kept in build/bench-asof."""

import shutil

import peers

WORK = peers.ROOT / "build" / "bench-asof"
SIZES = ("S", "M")
# L is made, measured and removed: its features have 8 GB, a result 2 GB, and what peers spill as much again.
LARGE, LARGE_DISK_GB, LARGE_MEMORY_MIB, LEAST_MEMORY_MIB = "L", 30, 1024, 256
SHAPES = ("sorted", "text", "zipf")


class Case:
    """The files of one size: spine, a, b, the repo, and where results go."""

    def __init__(self, size, cores, watch, scale=1.0):
        self.size, self.cores, self.watch = size, cores, watch
        self.folder = WORK / (size if scale == 1 else f"{size}@{scale}")
        self.memory = f"{max(int(LARGE_MEMORY_MIB * scale), LEAST_MEMORY_MIB)}MiB" if size == LARGE else None
        if size == LARGE:
            self.require_disk(LARGE_DISK_GB * scale)
        self.spine = self.folder / "spine.parquet"
        self.repo = self.folder / "repo"
        self.results = self.folder / "results"
        if not self.spine.exists():  # the last file that is written
            watch.say(f"{size}: generating {self.folder.relative_to(peers.ROOT)}")
            peers.measure(peers.PYTHON, peers.ROOT / "bench" / "asof_data.py", size, self.folder, scale)
        for fresh in (self.repo, self.results):
            shutil.rmtree(fresh, ignore_errors=True)
        shutil.copytree(peers.ROOT / "bench" / "asof_repo", self.repo)
        if size.endswith("-text"):
            definitions = self.repo / "definitions.yaml"
            definitions.write_text(definitions.read_text().replace("value_type: INT64", "value_type: STRING"))
        self.results.mkdir()
        peers.measure(peers.VIAND, "apply", "--yes", "-C", self.repo)

    def require_disk(self, needed_gb):
        """Stops before anything is made where the disk is too small for it."""
        WORK.mkdir(parents=True, exist_ok=True)
        free_gb = shutil.disk_usage(WORK).free / 1e9
        if free_gb < needed_gb:
            raise SystemExit(f"{self.size} needs {needed_gb:.0f} GB of disk for its files, results and what is spilled; "
                             f"{WORK} has {free_gb:.0f} GB free")

    def forget(self, name):
        """Frees what one peer left: its result and what it spilled."""
        self.result(name).unlink(missing_ok=True)
        shutil.rmtree(f"{self.result(name)}.spill", ignore_errors=True)

    def forget_all(self):
        shutil.rmtree(self.folder)

    def forget_results(self):
        """Frees the disk: M's results have 0.3 GB each."""
        shutil.rmtree(self.results)

    def result(self, name):
        """Where `name` writes its result; nothing with a blank or a slash."""
        return self.results / f"{name.replace(' ', '_').replace('/', '_')}.parquet"

    def viand(self, views, out, spine=None):
        """The command that looks `views` up for the spine."""
        budget = ("--memory", self.memory) if self.memory else ()
        return (peers.VIAND, "--threads", len(self.cores), "historical", "-C", self.repo, "--spine", spine or self.spine,
                "--features", views, "-o", out, "--json", *budget)

    def peer(self, program, name, out, python=peers.PYTHON):
        """The command that runs peer `name` of bench/`program` over these files."""
        budget = (self.memory,) if self.memory else ()
        return python, peers.ROOT / "bench" / program, name, self.folder, out, len(self.cores), *budget

    def spine_kept(self, found, spine=None):
        """Fails unless the spine's columns come back untouched and in their order."""
        peers.measure(peers.PYTHON, peers.ROOT / "bench" / "same_rows.py", "spine", spine or self.spine, found)

    def same_rows(self, expected, found, close=()):
        """(rows compared, rows lost); fails where a value differs."""
        output = peers.measure(peers.PYTHON, peers.ROOT / "bench" / "same_rows.py", "rows", expected, found, *close).output
        return tuple(map(int, output.split()))
