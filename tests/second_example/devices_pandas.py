"""tests/second_example computed a second time: pandas reads the raw files, plain loops do the rest, nothing is viand's.

A time is a whole number of nanoseconds since 1970 in UTC, a null is None, a row is a named tuple.
"""

import glob
import json
import math
from collections import Counter, defaultdict

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

HOUR = 3600 * 10**9
DAY = 24 * HOUR
FAILURE_V1 = ["readings", "mean_value", "spread", "any_failed", "total_steps", "error_share", "age_days", "shifts",
              "hours_worked", "backup__shifts", "offset_mm", "level"]


# ---- reading --------------------------------------------------------------------------------------------------

def nanoseconds(times):
    """Timestamps of any unit and zone, without one meaning UTC."""
    return [None if pd.isna(time) else pd.Timestamp(time).as_unit("ns").value for time in times]


def rows_of(name, columns):
    """Equally long columns -> named tuples; every sort of null becomes None."""
    columns = {column: [None if value is None or value is pd.NA else value for value in values]
               for column, values in columns.items()}
    return list(pd.DataFrame(columns, dtype=object).itertuples(index=False, name=name))


def without_nan(values):
    """The values as plain Python has them; for files in which pandas writes no NaN but for nulls."""
    return [None if pd.isna(value) else value.item() if hasattr(value, "item") else value for value in values]


def in_time(rows, time):
    """By time, ties in the order of the files, rows without a time last: as they lie in the clean table."""
    return sorted(rows, key=lambda row: (getattr(row, time) is None, getattr(row, time) or 0))


def read_readings(data):
    texts = dict.fromkeys(["Region", "Device", "Kind"], "string")
    types = {**texts, "Value": "float64", "Steps": "Int64", "Ok": "boolean"}
    files = sorted([f"{data}/raw/readings_1.csv", *glob.glob(f"{data}/raw/readings_late/*")])
    raw = pd.concat([pd.read_csv(path, dtype=types, parse_dates=["At"], float_precision="round_trip")
                     for path in files])
    raw = raw[raw["Kind"].isna() | (raw["Kind"] != "test").fillna(False)]
    columns = {"region": raw["Region"].str.lower(), "device_code": raw["Device"], "kind": raw["Kind"],
               "value": raw["Value"], "steps": raw["Steps"], "ok": raw["Ok"]}
    columns = {name: without_nan(column) for name, column in columns.items()}
    return in_time(rows_of("Reading", {**columns, "measured_at": nanoseconds(raw["At"])}), "measured_at")


def read_shifts(data):
    raw = pd.concat([pd.read_parquet(path) for path in sorted(glob.glob(f"{data}/raw/shifts_*.parquet"))])
    names = {"operator_id": "Operator", "minutes": "Minutes", "site": "Site", "paid": "Paid"}
    columns = {name: without_nan(raw[source]) for name, source in names.items()}
    columns["site"] = [site and site.upper() for site in columns["site"]]
    return in_time(rows_of("Shift", {**columns, "started_at": nanoseconds(raw["Begun"])}), "started_at")


def read_profiles(data):
    with open(f"{data}/raw/profiles.jsonl", encoding="utf-8") as file:
        raw = [json.loads(line) for line in file]
    columns = {name: [row.get(source) for row in raw]
               for name, source in {"operator_id": "id", "team": "team", "level": "level"}.items()}
    return in_time(rows_of("Profile", {**columns, "since": nanoseconds(row["since"] for row in raw)}), "since")


def read_calibrations(data):
    table = pa.concat_tables([pq.read_table(path) for path in sorted(glob.glob(f"{data}/calibrations/*"))],
                             promote_options="permissive")
    columns = {name: table[name].to_pylist() for name in ("region", "technician", "passes")}
    columns |= {"device_code": table["code"].to_pylist(), "offset_mm": table["off"].to_pylist(),
                "calibrated_at": table["calibrated_at"].cast(pa.int64()).to_pylist(),
                "loaded_at": table["loaded_at"].cast(pa.timestamp("ns", "UTC")).cast(pa.int64()).to_pylist()}
    return rows_of("Calibration", columns)


# ---- aggregates over lists, which is all that a window is ------------------------------------------------------

def present(values):
    return [value for value in values if value is not None]


def fold(aggregate, values, least=1):
    """The aggregate of what is not null; null where that is fewer than `least` values."""
    values = present(values)
    return aggregate(values) if len(values) >= least else None


def mean(values):
    return fold(lambda x: math.fsum(x) / len(x), values)


def variance(values):
    return fold(lambda x: float(np.var(x, ddof=1)), values, least=2)


def quantile(values, q):
    return fold(lambda x: float(np.quantile(np.array(x, dtype="float64"), q)), values)


def mode(values):
    return fold(lambda x: min(Counter(x).items(), key=lambda item: (-item[1], item[0]))[0], values)


def gaps(times):
    times = sorted(present(times))
    return [later - earlier for earlier, later in zip(times, times[1:])]


def grouped(rows, key):
    groups = defaultdict(list)
    for row in rows:
        groups[key(row)].append(row)
    return list(groups.values())


def day_of(row):
    return row.measured_at // DAY


def or_else(value, default):
    return default if value is None else value


# ---- the views ------------------------------------------------------------------------------------------------

def within(rows, time, start, end):
    return [row for row in rows if getattr(row, time) is not None and start <= getattr(row, time) < end]


def values_and_counts(rows):
    values, steps = [row.value for row in rows], [row.steps for row in rows]
    spread = variance(values)
    return {
        "readings": len(rows), "values_read": len(present(values)),
        "kinds": len(set(present(row.kind for row in rows))),
        "days_active": len({day_of(row) for row in rows}), "total_steps": or_else(fold(sum, steps), 0),
        "total_value": fold(math.fsum, values), "mean_value": mean(values), "mean_steps": mean(steps),
        "least_value": fold(min, values), "greatest_value": fold(max, values),
        "least_kind": fold(min, [row.kind for row in rows]),
        "spread": None if spread is None else math.sqrt(spread), "steps_variance": variance(steps),
        "median_value": quantile(values, 0.5), "steps_p90": quantile(steps, 0.9)}


def choices(rows):
    kinds, values = [row.kind for row in rows], [row.value for row in rows]
    errors = [row for row in rows if row.kind == "error"]
    # Rows come in order of time, and a sort keeps it among equals.
    by_steps = sorted(rows, key=lambda row: (row.steps is None, row.steps or 0))
    average = mean(values)
    return {
        "first_kind": fold(lambda x: x[0], kinds), "last_value": fold(lambda x: x[-1], values),
        "last_error_value": fold(lambda x: x[-1], [row.value for row in errors]),
        "kind_of_fewest_steps": fold(lambda x: x[0], [row.kind for row in by_steps]),
        "last_values": fold(lambda x: x[:-4:-1], values),
        "usual_kind": or_else(mode([kind for kind in kinds if kind != "ok"]), "none"),
        "usual_steps": mode([row.steps for row in rows]),
        "any_failed": fold(lambda x: not all(x), [row.ok for row in rows]),
        "all_ok": fold(all, [row.ok for row in rows]),
        "error_share": len(errors) / len(rows),
        "grade": "none" if average is None else "high" if average > 60 else "low"}


def groups_and_gaps(rows, t):
    moving = [row for row in rows if row.kind is not None and row.kind != "idle"]
    times = [row.measured_at for row in rows]
    first_of_kinds = [group[0].measured_at for group in grouped(rows, lambda row: row.kind)]
    return {
        "busiest_day": max(len(group) for group in grouped(rows, day_of)),
        "daily_steps": mean([fold(sum, [row.steps for row in group]) for group in grouped(moving, day_of)]),
        "kinds_that_failed": len(grouped([row for row in rows if row.ok is not None], lambda row: row.kind)),
        "gap_hours": or_else(mean([gap / HOUR for gap in gaps(times)]), -1.0),
        "longest_gap_of_kinds": fold(max, [gap // DAY for gap in gaps(first_of_kinds)]),
        "hours_silent": (t - max(times)) / HOUR, "last_seen": max(times)}


def device_activity(rows, t):
    rows = [row for row in rows if row.steps is None or row.steps < 38]
    month, week = (within(rows, "measured_at", t - days * DAY, t) for days in (30, 7))
    if len(month) < 2:
        return {}
    ever = within(rows, "measured_at", -math.inf, t)
    return {**values_and_counts(month), **choices(month), **groups_and_gaps(month, t),
            "age_days": (t - ever[0].measured_at) // DAY, "readings_ever": len(ever), "readings_in_week": len(week),
            "week_mean": or_else(mean([row.value for row in week]), 0.0)}


def operator_load(rows, t):
    rows = [row for row in rows if row.paid]
    weeks = within(rows, "started_at", t - 14 * DAY, t)
    if not weeks:
        return {}
    minutes = [row.minutes for row in weeks]
    total = fold(math.fsum, minutes)
    # 1970 began on a Thursday.
    weekend = [row for row in weeks if (row.started_at // DAY + 3) % 7 >= 5]
    return {"shifts": len(weeks), "hours_worked": None if total is None else total / 60, "longest": fold(max, minutes),
            "sites": len(set(present(row.site for row in weeks))), "usual_site": mode([row.site for row in weeks]),
            "weekend_shifts": len(weekend), "hours_since_shift": (t - weeks[-1].started_at) / HOUR,
            "shifts_ever": len(within(rows, "started_at", -math.inf, t))}


def latest(rows, time, t, ttl=math.inf, created=None, created_not_after=False):
    """The row with the greatest (time, created, place), a null created being the least."""
    best, best_rank = None, None
    for place, row in enumerate(rows):
        at, made = getattr(row, time), getattr(row, created) if created else None
        if at is None or not t - ttl <= at <= t or created_not_after and (made is None or made > t):
            continue
        rank = (at, -math.inf if made is None else made, place)
        if best is None or rank > best_rank:
            best, best_rank = row, rank
    return best._asdict() if best else {}


def failed_7d(rows, t):
    week, days = (within(rows, "measured_at", t, t + days * DAY) for days in (7, 3))
    return {"failed": int(any(row.kind == "error" for row in week)), "readings_after": len(week),
            "mean_after": mean([row.value for row in days])}


# ---- rows that ask --------------------------------------------------------------------------------------------

class Devices:
    """All sources of a repo by key, and what the definitions say of a row (region, code, operator, backup, time)."""

    def __init__(self, data):
        self.cleaned = {"readings": read_readings(data), "shifts": read_shifts(data), "profiles": read_profiles(data)}
        self.readings = self.by_key(self.cleaned["readings"], "region", "device_code")
        self.shifts = self.by_key(self.cleaned["shifts"], "operator_id")
        self.profiles = self.by_key(self.cleaned["profiles"], "operator_id")
        self.calibrations = self.by_key(read_calibrations(data), "region", "device_code")

    @staticmethod
    def by_key(rows, *keys):
        found = defaultdict(list)
        for row in rows:
            key = tuple(getattr(row, name) for name in keys)
            if None not in key:
                found[key].append(row)
        return found

    @staticmethod
    def look_up(view, rows, key, t):
        """What the view has for the key at t: all null where a part of the key or the time is."""
        return {} if t is None or None in key else view(rows.get(key, []), t)

    def features(self, row, created_not_after=False):
        """All features of both services by column, absent ones left out."""
        t, device = row["time"], (row["region"], row["device_code"])
        operator, backup = (row["operator_id"],), (row["backup_id"],)

        def calibration(rows, t):
            return latest(rows, "calibrated_at", t, 20 * DAY, "loaded_at", created_not_after)

        def profile(rows, t):
            return latest(rows, "since", t)

        found = {**self.look_up(device_activity, self.readings, device, t),
                 **self.look_up(operator_load, self.shifts, operator, t)}
        calibrated = self.look_up(calibration, self.calibrations, device, t)
        found |= {name: calibrated.get(name) for name in ("offset_mm", "technician", "passes")}
        found["level"] = self.look_up(profile, self.profiles, operator, t).get("level")
        load = self.look_up(operator_load, self.shifts, backup, t)
        own = self.look_up(profile, self.profiles, backup, t)
        # As in Feast an alias stands before a name where two columns would have one name.
        found |= {"backup__shifts": load.get("shifts"), "longest": load.get("longest"), "shifts_ever": load.get("shifts_ever")}
        return found | {f"backup_profile__{name}": own.get(name) for name in ("team", "level")}

    def labels(self, row):
        """Labels count what is there, so a row without readings, or without a key, counts none."""
        key = (row["region"], row["device_code"])
        return failed_7d([] if None in key else self.readings.get(key, []), row["time"])
