"""The retail features as the use case's article computes them: put / remote / get, a pandas task a cutoff, on a Ray cluster.

  ray_pandas.py ADDRESS TRANSACTIONS OUT RUNS      prints JSON: seconds to connect, of the first computation (workers cold), of RUNS more

The features are bench/retail_notebook.py's. What is timed begins with the rows in memory and ends with them there: reading
and writing Parquet are not in it, in favour of this side.
"""

import json
import sys
import time
from pathlib import Path

import pandas

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1] / "tests" / "oracles")]
import retail_notebook  # noqa: E402
import retail_pandas as oracle  # noqa: E402


def features_of_all(transactions, cutoffs):
    import ray

    @ray.remote
    def compute_features(rows, cutoff):
        return retail_notebook.features_at(rows, cutoff)

    shared = ray.put(transactions)
    return pandas.concat(ray.get([compute_features.remote(shared, cutoff) for cutoff in cutoffs]))


def main(address, transactions, out, runs):
    import ray

    started = time.perf_counter()
    ray.init(address=address, logging_level="ERROR", log_to_driver=False)
    seconds = {"connect": time.perf_counter() - started, "computed": []}
    ray.cloudpickle.register_pickle_by_value(retail_notebook)  # the nodes do not have this folder
    rows = pandas.read_parquet(transactions)
    rows["invoice_date"] = rows["invoice_date"].astype("datetime64[us]")
    cutoffs = oracle.cutoffs_of(rows)
    for _ in range(1 + int(runs)):
        started = time.perf_counter()
        features = features_of_all(rows, cutoffs)
        seconds["computed"].append(time.perf_counter() - started)
    features.to_parquet(out)
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(*sys.argv[1:])
