"""viand's side of bench/ray: one call of a store, again and again in one process, on a Ray cluster or on threads.

  ray_viand.py ADDRESS|threads:N REPO RUNS backfill
  ray_viand.py ADDRESS|threads:N REPO RUNS historical SPINE FEATURES OUT

Prints JSON: seconds to connect (that of `import ray` is not in it), and of the first call (workers cold) and RUNS more. What
is timed begins and ends with Parquet files.
"""

import json
import shutil
import sys
import time
from pathlib import Path

import viand


def connect(where):
    """(the options of a store, seconds)."""
    if where.startswith("threads:"):
        return {"threads": int(where.removeprefix("threads:"))}, 0.0
    import ray

    started = time.perf_counter()
    ray.init(address=where, logging_level="ERROR", log_to_driver=False)
    return {"executor": "ray"}, time.perf_counter() - started


def main(where, repo, runs, call, *arguments):
    options, connected = connect(where)
    store = viand.FeatureStore(repo, **options)
    seconds = {"connect": connected, "computed": []}
    for _ in range(1 + int(runs)):
        if call == "backfill":
            shutil.rmtree(Path(repo) / "data" / "offline", ignore_errors=True)
        started = time.perf_counter()
        if call == "backfill":
            store.backfill()
        else:
            spine, features, out = arguments
            store.get_historical_features(entity_df=spine, features=features.split(",")).to_parquet(out)
        seconds["computed"].append(time.perf_counter() - started)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
