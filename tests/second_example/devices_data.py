"""The raw files of tests/second_example, the same at every run: awkward keys, ties, nulls, three forms of time."""

import csv
import gzip
import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

START = pd.Timestamp("2024-01-10")
DAYS = 100  # over the last Sunday in March, when Berlin's clocks change
CLOSING = pd.Timestamp("2024-04-04 12:00:00.500")
SLOT = pd.Timedelta(minutes=30)
# A code alone is no device, neither are both keys written one after the other.
DEVICES = [(region, f"{code:03}") for region in ("north", "south") for code in range(1, 10)]
DEVICES += [("north1", "01"), ("north", "101")]
BROKEN = "008"  # measures nothing
# No double tells these from each other.
OPERATORS = [2**53 + 1 + i for i in range(12)]
KIND_SHARES = {"ok": 0.5, "warn": 0.2, "error": 0.1, "idle": 0.15, "test": 0.05}
# How far a spine row stands from an event of its key: at the edges of the windows, and a millisecond beside them.
EDGES = [pd.Timedelta(days=days, milliseconds=ms) for days in (0, 3, 7, 14, 30) for ms in (-1, 0, 1)]
TTL_EDGES = [pd.Timedelta(days=days, milliseconds=ms) for days in (0, 20) for ms in (-1, 0, 1)]


def some(rng, values, share_of_nulls):
    """The values with some of them None."""
    return [None if rng.random() < share_of_nulls else value for value in values]


def make_times(rng, count, first=START, days=DAYS):
    """Half hours with a few milliseconds, so that ties are many."""
    slots = rng.integers(0, days * 48, count)
    milliseconds = rng.choice([0, 0, 0, 1, 500, 999], count)
    return [first + SLOT * int(slot) + pd.Timedelta(milliseconds=int(ms)) for slot, ms in zip(slots, milliseconds)]


def shorten(time):
    """As text with milliseconds."""
    return time.isoformat(sep=" ", timespec="milliseconds")


def in_berlin(times):
    return pd.Series(times).astype("datetime64[ms]").dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")


# ---- events ---------------------------------------------------------------------------------------------------

def make_readings(rng, count=2000):
    """Raw rows; a few devices have most of them, one hardly any."""
    shares = np.linspace(3, 0.2, len(DEVICES)) ** 2
    devices = [DEVICES[i] for i in rng.choice(len(DEVICES), count, p=shares / shares.sum())]
    spell = [str.upper, str.title, str.lower]
    kinds = rng.choice(list(KIND_SHARES), count, p=list(KIND_SHARES.values()))
    frame = pd.DataFrame({
        "Region": some(rng, [spell[rng.integers(3)](region) for region, _ in devices], 0.03),
        "Device": some(rng, [code for _, code in devices], 0.03),
        "Comment": [f'said "{i}",\nthen nothing' if i % 40 == 0 else "" for i in range(count)],
        "At": some(rng, make_times(rng, count), 0.03),
        "Kind": some(rng, kinds, 0.06),
        "Value": some(rng, np.round(rng.normal(55, 15, count), 3), 0.12),
        "Steps": pd.array(some(rng, rng.integers(0, 41, count), 0.1), dtype="Int64"),
        "Ok": pd.array(some(rng, rng.random(count) < 0.85, 0.15), dtype="boolean"),
    })
    frame.loc[frame["Device"] == BROKEN, ["Value", "Steps", "Ok"]] = pd.NA
    return frame


def write_readings(folder, rows):
    text = rows.assign(At=[None if pd.isna(time) else shorten(time) for time in rows["At"]],
                       Ok=rows["Ok"].map({True: "true", False: "false"}))
    (folder / "readings_late").mkdir()
    for name, part in {"readings_1.csv": text[:1200], "readings_late/march.csv.gz": text[1200:1700],
                       "readings_late/april.csv": text[1700:]}.items():
        opener = gzip.open if name.endswith(".gz") else open
        with opener(folder / name, "wt", encoding="utf-8", newline="") as file:
            part.to_csv(file, index=False, quoting=csv.QUOTE_MINIMAL)


def write_shifts(rng, folder, count=700):
    shares = np.linspace(3, 0.1, len(OPERATORS)) ** 2
    frame = pd.DataFrame({
        "Operator": pd.array(some(rng, rng.choice(OPERATORS, count, p=shares / shares.sum()), 0.03), dtype="Int64"),
        "Begun": in_berlin(some(rng, make_times(rng, count), 0.03)),
        "Minutes": pd.array(some(rng, np.round(rng.uniform(30, 600, count), 1), 0.1), dtype="Float64"),
        "Site": some(rng, rng.choice(["Aachen", "Berlin", "Celle", "köln"], count), 0.2),
        "Paid": pd.array(some(rng, rng.random(count) < 0.8, 0.1), dtype="boolean"),
    })
    frame[:400].to_parquet(folder / "shifts_1.parquet", index=False)
    frame[400:].to_parquet(folder / "shifts_2.parquet", index=False)


def write_profiles(rng, folder, count=60):
    """JSON lines with a zone at each time: none, Z, or hours."""
    with open(folder / "profiles.jsonl", "w", encoding="utf-8") as file:
        for i, since in enumerate(make_times(rng, count)):
            zoned = [shorten(since), shorten(since) + "Z", shorten(since + pd.Timedelta(hours=5.5)) + "+05:30"][i % 3]
            row = {"id": int(rng.choice(OPERATORS)), "since": zoned.replace(" ", "T"),
                   "team": str(rng.choice(["day", "night"])), "level": int(rng.integers(1, 9))}
            row.update({name: None for name in ("id", "since", "team", "level") if rng.random() < 0.06})
            file.write(json.dumps({name: value for name, value in row.items() if name != "team" or value}) + "\n")


def write_calibrations(rng, folder, once=100, again=70):
    """Ready columns in two files: nanoseconds, keys as a dictionary, ties even in time of loading, NaN and null."""
    folder.mkdir()
    count = once + again
    moments = [(*DEVICES[rng.integers(len(DEVICES))],
                START + pd.Timedelta(days=int(day), nanoseconds=int(rng.choice([0, 0, 1, 999]))))
               for day in rng.integers(0, DAYS, once)]
    moments += [moments[i] for i in rng.integers(0, once, again)]
    regions, codes, times = zip(*moments)
    offsets = [float("nan") if i % 17 == 0 else float(np.round(rng.normal(), 4)) for i in range(count)]
    loaded = [(START + pd.Timedelta(days=int(day))).value // 10**6 for day in rng.choice([30, 60, 101], count)]
    table = pa.table({
        "region": pa.array(some(rng, regions, 0.03)).dictionary_encode(),
        "code": pa.array(some(rng, codes, 0.03), pa.large_string()),
        "calibrated_at": pa.array(some(rng, [time.value for time in times], 0.03), pa.timestamp("ns")),
        "loaded_at": pa.array(some(rng, loaded, 0.2), pa.timestamp("ms", "UTC")),
        "off": pa.array(some(rng, offsets, 0.1), pa.float64()),
        "technician": pa.array(some(rng, rng.choice(["ann", "bo"], count).tolist(), 0.2)),
        "passes": pa.array(range(count), pa.int32()),
    })
    half = count // 2
    pq.write_table(table.slice(0, half), folder / "2023.parquet")
    pq.write_table(table.slice(half), folder / "2024.parquet")
    return pd.DataFrame({"Region": regions, "Device": codes, "At": [time.floor("ms") for time in times]})


# ---- rows that ask --------------------------------------------------------------------------------------------

def make_spine(rng, readings, calibrations, count=480):
    """Rows in no order, most at the edge of some window of their device; the last repeat the first."""
    known = readings.dropna(subset=["Region", "Device", "At"])
    readings_of_device = known.groupby([known["Region"].str.lower(), "Device"])["At"].transform("size")
    known = known.sample(count - 160, replace=True, weights=1 / readings_of_device, random_state=5)
    known = known.assign(edge=rng.choice(EDGES, len(known)))
    calibrations = calibrations.sample(160, replace=True, random_state=6)
    calibrations = calibrations.assign(edge=rng.choice(TTL_EDGES, len(calibrations)))
    known = pd.concat([known, calibrations]).sample(frac=1, random_state=7)
    near = known["At"] + known["edge"]
    times = [time if rng.random() < 0.7 else other for time, other in zip(near, make_times(rng, count))]
    regions = [region.lower() if rng.random() > 0.03 else "west" for region in known["Region"]]
    operators = pd.array(some(rng, rng.choice([*OPERATORS, 2**53, 7], count), 0.04), dtype="Int64")
    frame = pd.DataFrame({
        "note": some(rng, [f"row {i}" for i in range(count)], 0.1),
        "device_code": some(rng, known["Device"].to_numpy(), 0.04),
        "backup_id": pd.array(some(rng, rng.choice(OPERATORS, count), 0.1), dtype="Int64"),
        "event_timestamp": pd.Series(some(rng, times, 0.04)).astype("datetime64[ms]"),
        "region": some(rng, regions, 0.04),
        "operator_id": operators,
        "weight": pd.Series(some(rng, [(-0.0, float("nan"), 1.5)[i % 3] for i in range(count)], 0.1), dtype=object),
    })
    return pd.concat([frame, frame[:20]], ignore_index=True)


def write_spines(frame, folder):
    """The spine in five forms; the features are the same for each."""
    plain = pa.table({name: pa.array(frame[name], from_pandas=name != "weight") for name in frame})
    time = plain.schema.get_field_index("event_timestamp")
    for name, kind in {"ms": pa.timestamp("ms"), "berlin": pa.timestamp("ms", "Europe/Berlin"),
                       "ns": pa.timestamp("ns", "UTC"), "us": pa.timestamp("us")}.items():
        table = plain.set_column(time, "event_timestamp", plain["event_timestamp"].cast(kind))
        pq.write_table(table, folder / f"spine_{name}.parquet", row_group_size=150)
    text = [None if pd.isna(time) else shorten(time) for time in frame["event_timestamp"]]
    frame.assign(event_timestamp=text).drop(columns="weight").to_csv(folder / "spine.csv", index=False)


def make_inspections(rng, count=300):
    """Rows to learn from; the last of them, at one time, have each combination of keys once."""
    combinations = [(*DEVICES[i % len(DEVICES)], OPERATORS[i % 7], OPERATORS[(i * 5) % 11]) for i in range(48)]
    picked = [combinations[i] for i in rng.integers(0, len(combinations), count)] + combinations
    times = make_times(rng, count, START + pd.Timedelta(days=15), 68) + [CLOSING] * len(combinations)
    frame = pd.DataFrame(picked, columns=["region", "device_code", "operator_id", "backup_id"])
    frame.insert(0, "inspected_at", times)
    for name, kind in {"region": None, "device_code": None, "operator_id": "Int64", "backup_id": "Int64"}.items():
        values = some(rng, frame[name][:count], 0.04) + frame[name][count:].tolist()
        frame[name] = values if kind is None else pd.array(values, dtype=kind)
    return frame.assign(inspector=[f"inspector {i % 3}" for i in range(len(frame))])


def write_training_rows(rng, folder):
    """The spine of the labels as text, that of the other model with a zone and a column to learn."""
    inspections = make_inspections(rng)
    inspections["inspected_at"] = inspections["inspected_at"].map(shorten)
    inspections.to_csv(folder / "inspections.csv", index=False)
    wear = make_inspections(rng, 200).sample(frac=1, random_state=2).drop(columns="inspector")
    wear["seen_at"] = in_berlin(wear.pop("inspected_at"))
    wear["wear"] = np.round(rng.gamma(2.0, 3.0, len(wear)), 2)
    wear.to_parquet(folder / "wear.parquet", index=False)


def write_all(folder, seed=2024):
    """Fills `folder` (a repo's data) with all raw files and spines."""
    rng = np.random.default_rng(seed)
    raw = folder / "raw"
    raw.mkdir(parents=True)
    readings = make_readings(rng)
    write_readings(raw, readings)
    write_shifts(rng, raw)
    write_profiles(rng, raw)
    calibrations = write_calibrations(rng, folder / "calibrations")
    write_spines(make_spine(rng, readings, calibrations), folder)
    write_training_rows(rng, folder)
