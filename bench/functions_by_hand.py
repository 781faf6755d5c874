"""The functions of bench/functions, and the program that calls them by hand.

  functions_by_hand.py make FILE ROWS USERS
  functions_by_hand.py pandas|arrow EVENTS OUT
  functions_by_hand.py compare OFFLINE_FOLDER OUT...

A repo has this file as functions.py: what a function does not need of it is no part of its text.
"""

import sys
from pathlib import Path

import pandas as pd
import pyarrow as pa


def pandas_features(rows):
    by = rows.groupby("group")
    amount = by["amount"]
    return {"total": amount.sum(), "mean": amount.mean(), "most": amount.max(), "kinds": by["kind"].nunique()}


def arrow_features(rows):
    wanted = [("amount", "sum"), ("amount", "mean"), ("amount", "max"), ("kind", "count_distinct")]
    made = rows.group_by("group", use_threads=False).aggregate(wanted)
    return made.select(["group", *("_".join(each) for each in wanted)]).rename_columns(["group", "total", "mean", "most", "kinds"])


CUTOFFS = [pd.Timestamp("2026-02-01") + pd.Timedelta(days=30 * month) for month in range(9)]


def make(path, rows, users):
    import numpy as np
    import pyarrow.parquet as pq

    random = np.random.default_rng(7)
    at = np.sort(random.integers(0, 300 * 86_400, int(rows))) * 1_000_000 + pd.Timestamp("2026-01-01").value // 1000
    # Whole numbers, whose sums are exact in any order.
    pq.write_table(pa.table({"user_id": random.integers(0, int(users), int(rows)), "at": at.view("M8[us]"),
                             "amount": random.integers(0, 1000, int(rows)).astype(float), "kind": random.integers(0, 20, int(rows))}), path)


def windows(frame):
    for cutoff in CUTOFFS:
        window = frame[(frame["at"] >= cutoff - pd.Timedelta(days=30)) & (frame["at"] < cutoff)].sort_values(["user_id", "at"], kind="stable")
        users, first = window["user_id"].unique(), (window["user_id"] != window["user_id"].shift()).cumsum() - 1
        window.insert(0, "group", first.astype("int32"))
        yield cutoff, users, window


def by_hand(mode, events, out):
    parts = []
    for cutoff, users, window in windows(pd.read_parquet(events)):
        if mode == "pandas":
            made = pd.DataFrame(pandas_features(window))
        else:
            made = arrow_features(pa.Table.from_pandas(window, preserve_index=False)).to_pandas().set_index("group").sort_index()
        parts.append(made.assign(user_id=users, event_timestamp=cutoff))
    pd.concat(parts).to_parquet(out, index=False)


def compare(offline, *others):
    """Prints how many groups there are; fails where one differs."""
    def table(frame):
        frame = frame.assign(event_timestamp=pd.to_datetime(frame["event_timestamp"], utc=True).astype("datetime64[us, UTC]"))
        return frame.sort_values(["event_timestamp", "user_id"], ignore_index=True)[["user_id", "event_timestamp", "total", "mean", "most", "kinds"]]

    tables = [table(pd.read_parquet(list(Path(offline, view, "current").glob("*.parquet")))) for view in ("sql", "pandas", "arrow")] + [table(pd.read_parquet(each)) for each in others]
    for other in tables[1:]:
        pd.testing.assert_frame_equal(tables[0], other, check_exact=True)
    print(len(tables[0]))


if __name__ == "__main__":
    {"make": make, "pandas": lambda *arguments: by_hand("pandas", *arguments), "arrow": lambda *arguments: by_hand("arrow", *arguments),
     "compare": compare}[sys.argv[1]](*sys.argv[2:])
