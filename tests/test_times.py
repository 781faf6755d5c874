"""Times of every unit and zone on either side, dates, far years and changes of the clock, against plain Python."""

import datetime
import itertools
import random

import pyarrow as pa
import pyarrow.compute
import pytest
from lookups import Lookups

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
ZONES = [None, "UTC", "Europe/Berlin", "America/New_York", "Asia/Kathmandu", "+05:30", "-08:00"]
TYPES = [pa.timestamp(unit, zone) for unit, zone in itertools.product(UNITS, ZONES)] + [pa.date32(), pa.date64()]
TTLS = ["0d", "1d", "90m", "30s"]
NAMES = [str(type_).replace(", tz=", " ") for type_ in TYPES]


def seconds(*parts):
    return int(datetime.datetime(*parts, tzinfo=datetime.timezone.utc).timestamp())


# Midnights, so that dates have them too; the ends of what ns, and Python, can say; both changes of Berlin's clock.
FAR = [seconds(1, 1, 1), seconds(1677, 9, 22), seconds(1969, 12, 31), 0, seconds(2262, 4, 11), seconds(9999, 12, 31)]
NEAR = [seconds(2026, 3, 28) + day * 86_400 for day in range(4)] + [seconds(2026, 10, 24) + day * 86_400 for day in range(3)]
CLOCK = [seconds(2026, 3, 29, 1) + second for second in (-3600, -1, 0, 1, 3600)] + [seconds(2026, 10, 25, hour) for hour in (0, 1, 2)]
NS_ENDS = (-2 ** 63, 2 ** 63 - 1)


def times_of(rng, type_, rows):
    """Instants of the type: midnights of FAR and NEAR for dates, and the neighbours of all, a tick away."""
    if pa.types.is_date(type_):
        days = [rng.choice(FAR + NEAR) // 86_400 for _ in range(rows)]
        scale = 1 if pa.types.is_date32(type_) else 86_400_000
        raw = [None if rng.random() < 0.05 else day * scale for day in days]
        return pa.array(raw, pa.int32() if scale == 1 else pa.int64()).cast(type_)
    scale = UNITS[type_.unit]
    fits = [s for s in FAR + NEAR + CLOCK if NS_ENDS[0] <= (s - 1) * scale and (s + 1) * scale <= NS_ENDS[1]]
    raw = [None if rng.random() < 0.05 else rng.choice(fits) * scale + rng.choice([-1, 0, 0, 1]) for _ in range(rows)]
    return pa.array(raw, pa.int64()).view(type_)


class Repo:
    """A view a type and ttl; every spine is looked up in all of them at once."""

    def __init__(self, viand, folder):
        rng = random.Random(5)
        self.lookups = Lookups(viand, folder)
        for number, type_ in enumerate(TYPES):
            rows = pa.table({"k": pa.array([rng.randrange(2) for _ in range(70)], pa.int64()), "ts": times_of(rng, type_, 70),
                             "created": times_of(rng, rng.choice(TYPES), 70), "v": pa.array(range(70), pa.int64())})
            self.lookups.add(f"t{number}", rows, ["k"], ttl=TTLS[number % len(TTLS)], created=rng.choice([None, "created"]))


@pytest.fixture(scope="module")
def repo(viand, tmp_path_factory):
    return Repo(viand, tmp_path_factory.mktemp("times"))


@pytest.mark.parametrize("type_", TYPES, ids=NAMES)
def test_a_spine_of_any_time_type(repo, type_):
    rng = random.Random(str(type_))
    spine = pa.table({"k": pa.array([rng.randrange(3) for _ in range(90)], pa.int64()), "event_timestamp": times_of(rng, type_, 90)})
    late = rng.random() < 0.5
    found = repo.lookups.retrieve(spine, *(["--created-not-after"] if late else []))
    assert found.select(["k", "event_timestamp"]).equals(spine)
    for number, name in enumerate(NAMES):
        view = f"t{number}"
        counts = late and repo.lookups.views[view][-1]["created"] is not None
        expected = repo.lookups.expected(view, spine, created_not_after=counts)
        assert found[f"{view}__v"].to_pylist() == expected, f"features of {name}"


def test_ttl_edges_of_a_nanosecond(viand, tmp_path):
    """Exactly ttl old is found, a nanosecond older is not; in PostgreSQL templates a ttl is cut to whole seconds."""
    lookups = Lookups(viand, tmp_path)
    at = seconds(2026, 1, 1) * 10**9
    rows = pa.table({"k": [1], "ts": pa.array([at], pa.timestamp("ns")), "v": [7]})
    for ttl in ("1s", "90m", "36h", "2d"):
        lookups.add(f"of_{ttl}", rows, ["k"], ttl=ttl)
    edges = [at + ns for ttl_ns in (10**9, 5400 * 10**9, 36 * 3600 * 10**9, 172_800 * 10**9) for ns in (ttl_ns - 1, ttl_ns, ttl_ns + 1)]
    spine = pa.table({"k": [1] * 15, "event_timestamp": pa.array([at - 1, at, at + 1, *edges], pa.timestamp("ns", "UTC"))})
    found = lookups.retrieve(spine)
    for name in lookups.views:
        assert found[f"{name}__v"].to_pylist() == lookups.expected(name, spine), name
    assert found["of_1s__v"].to_pylist()[:6] == [None, 7, 7, 7, 7, None]


def test_times_beyond_microseconds(viand, tmp_path):
    """Milliseconds go a thousand times further: no row group of such times is out of reach."""
    lookups = Lookups(viand, tmp_path)
    most = 2 ** 63 - 1
    raw = [-most - 1, -most, -1, most // 1000, most // 1000 + 1, most - 1, most]
    rows = pa.table({"k": pa.array([1] * len(raw)), "ts": pa.array(raw).view(pa.timestamp("ms")), "v": pa.array(range(len(raw)))})
    for ttl in TTLS:
        lookups.add(f"of_{ttl}", rows, ["k"], ttl=ttl, write={"row_group_size": 1})
    spine = pa.table({"k": [1] * len(raw), "event_timestamp": rows["ts"]})
    found = lookups.retrieve(spine)
    for ttl in TTLS:
        assert found[f"of_{ttl}__v"].to_pylist() == lookups.expected(f"of_{ttl}", spine), ttl


def test_local_times_of_a_clock_put_back(viand, tmp_path):
    """02:30 comes twice in Berlin on 2026-10-25: instants decide, not what a clock shows."""
    shown = [seconds(2026, 10, 25, hour, 30) for hour in (0, 1)]
    lookups = Lookups(viand, tmp_path)
    berlin = pa.array(shown, pa.timestamp("s", "UTC")).cast(pa.timestamp("us", "Europe/Berlin"))
    assert pa.compute.strftime(berlin, "%H:%M").to_pylist() == ["02:30", "02:30"]
    lookups.add("readings", pa.table({"k": [1, 1], "ts": berlin, "v": [1, 2]}), ["k"])
    asked = [time + shift for time in shown for shift in (-1, 0)]
    spine = pa.table({"k": [1] * 4, "event_timestamp": pa.array(asked, pa.timestamp("s")).cast(pa.timestamp("ms", "America/New_York"))})
    assert lookups.retrieve(spine)["readings__v"].to_pylist() == [None, 1, 1, 2] == lookups.expected("readings", spine)


def test_times_of_csv(viand, tmp_path):
    """What CSV may say, against the same instant: naive is UTC, offsets count, a date is its midnight."""
    lookups = Lookups(viand, tmp_path)
    at = [seconds(2026, 3, 29, hour) for hour in range(24)]
    lookups.add("hours", pa.table({"k": [1] * 24, "ts": pa.array(at, pa.timestamp("s")).cast(pa.timestamp("us")), "v": list(range(24))}), ["k"])
    columns = {
        "naive": (["2026-03-29 01:59:59", "2026-03-29 02:00:00", "2026-03-29 23:59:59.999999"], [1, 2, 23]),
        "letter": (["2026-03-29T01:59:59", "2026-03-29T02:00:00", "2026-03-29T04:00:00.5"], [1, 2, 4]),
        "zoned": (["2026-03-29T02:00:00Z", "2026-03-29T02:00:00+02:00", "2026-03-29T02:00:00-08:00"], [2, 0, 10]),
        "day": (["2026-03-28", "2026-03-29", "2026-03-30"], [None, 0, 23]),
        "mixed": (["2026-03-29", "2026-03-29 05:00", "2026-03-29 05:59:59"], [0, 5, 5]),
        "nanos": (["2026-03-29 04:59:59.999999999", "2026-03-29 05:00:00.000000000", "2026-03-29 05:00:00.000000001"], [4, 5, 5]),
    }
    path = tmp_path / "spine.csv"
    path.write_text("\n".join(["k," + ",".join(columns)] + [",".join(["1", *row]) for row in zip(*(texts for texts, _ in columns.values()))]) + "\n")
    for name, (_, expected) in columns.items():
        assert lookups.retrieve(path, "--timestamp-column", name)["hours__v"].to_pylist() == expected, name


@pytest.mark.parametrize(("times", "row"), [
    (["2026-01-01", "2026-01-01 25:00"], 'row 2 has "2026-01-01 25:00"'),
    (["2026-01-01", "", "soon"], 'row 3 has "soon"'),
    (["2026-01-01T00:00:00", "2026-01-01T00:00:00Z"], 'row 2 has "2026-01-01T00:00:00Z", with a zone; rows before have none'),
    (["2026-01-01T00:00:00+01:00", "2026-01-01T00:00:00"], 'row 2 has "2026-01-01T00:00:00", without a zone; rows before have one'),
])
def test_a_time_of_csv_that_is_none_is_told_by_its_row(viand, tmp_path, times, row):
    lookups = Lookups(viand, tmp_path)
    lookups.add("view", pa.table({"k": [1], "ts": pa.array([1], pa.timestamp("s")), "v": [1]}), ["k"])
    path = tmp_path / "spine.csv"
    path.write_text("k,event_timestamp\n" + "".join(f"1,{time}\n" for time in times))
    assert lookups.fails(path) == (
        f'error: column "event_timestamp" of spine spine.csv is string, expected a timestamp or a date: {row}\n'
        "  hint: write it as a timestamp (2011-03-01 08:26:00 in CSV), or name another column with --timestamp-column\n")
