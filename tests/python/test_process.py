"""The package among others in one process: imports in any order, threads, forks, ctrl-C, memory that stays flat."""

import datetime as dt
import itertools
import os
import threading

import pytest

import viand
from shop_fixture import INSTALLED, run_python, shared_shop, shop_files  # noqa: F401

ORDERS = {"user_id": [1, 2, 9], "at": [dt.datetime(2026, 1, 9), dt.datetime(2026, 1, 25), dt.datetime(2026, 1, 25)]}
ASK = """
import datetime as dt, sys
orders = {"user_id": [1, 2, 9], "at": [dt.datetime(2026, 1, 9), dt.datetime(2026, 1, 25), dt.datetime(2026, 1, 25)]}
def ask(store):
    rows = store.get_historical_features(orders, features=["user_activity"]).rows()
    assert rows.cells(2, 0, 3) == [2, 2, None], rows.cells(2, 0, 3)
"""
# What each package does with Arrow once it is loaded, so that its libraries are at work beside viand's.
USE = {
    "pyarrow": "import pyarrow.compute as pc; import pyarrow.parquet; assert pc.sum(pyarrow.array([1, 2])).as_py() == 3",
    "polars": "assert polars.DataFrame({'a': [1, 2]})['a'].sum() == 3",
    "duckdb": "assert duckdb.sql('select 1 + 2').fetchall() == [(3,)]",
    "viand": "ask(viand.FeatureStore(sys.argv[1]))",
}


def orders():
    """Every order with VIAND_LONG; else each package once at each place."""
    names = [name for name in ("pyarrow", "polars", "duckdb") if name in INSTALLED] + ["viand"]
    if os.environ.get("VIAND_LONG"):
        return list(itertools.permutations(names))
    turned = [tuple(names[i:] + names[:i]) for i in range(len(names))]
    return list(dict.fromkeys(turned + [order[::-1] for order in turned]))


@pytest.mark.parametrize("order", orders(), ids="-".join)
def test_any_order_of_imports(shop_files, order):
    imports = "\n".join(f"import {name}" for name in order)
    uses = "\n".join(USE[name] for name in (*order, *reversed(order)))
    run_python(f"{imports}\n{ASK}\n{uses}", shop_files)


def test_threads_share_a_store_and_have_their_own(shop_files, shared_shop):
    failed = []

    def work(store):
        try:
            for _ in range(5):
                rows = store.get_historical_features(ORDERS, features=["user_activity"]).rows()
                assert rows.cells(2, 0, 3) == [2, 2, None]
        except BaseException as error:
            failed.append(error)

    stores = [shared_shop] * 4 + [viand.FeatureStore(shop_files) for _ in range(4)]
    threads = [threading.Thread(target=work, args=(store,)) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_store_is_used_in_processes(shop_files, tmp_path, method):
    script = tmp_path / "child.py"
    script.write_text(f"""{ASK}
import multiprocessing, viand

def child(store, path):
    ask(store if store is not None else viand.FeatureStore(path))

if __name__ == "__main__":
    store = viand.FeatureStore(sys.argv[1])
    ask(store)
    context = multiprocessing.get_context("{method}")
    processes = [context.Process(target=child, args=(store if "{method}" == "fork" else None, sys.argv[1])) for _ in range(3)]
    for process in processes: process.start()
    for process in processes: process.join(120)
    assert [process.exitcode for process in processes] == [0, 0, 0]
    ask(store)
""")
    run_python(f"import runpy, sys; sys.argv = [{str(script)!r}, {str(shop_files)!r}]; "
               f"runpy.run_path({str(script)!r}, run_name='__main__')" if method == "fork" else
               f"import subprocess, sys; sys.exit(subprocess.run([sys.executable, {str(script)!r}, {str(shop_files)!r}]).returncode)")


@pytest.fixture(scope="module")
def long_spine(tmp_path_factory):
    """Rows that take the engine a while."""
    path = tmp_path_factory.mktemp("spines") / "long.csv"
    path.write_text("user_id,event_timestamp\n" + "1,2026-01-09\n2,2026-01-25\n" * 1_000_000)
    return path


def test_ctrl_c_stops_a_long_call(shop_files, long_spine):
    text = run_python(ASK + """
import os, signal, threading, viand
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background commands start without one
store = viand.FeatureStore(sys.argv[1], threads=1)
threading.Timer(0.5, os.kill, (os.getpid(), signal.SIGINT)).start()
try:
    for _ in range(1000):
        store.get_historical_features(sys.argv[2], features=["user_activity"]).rows()
    print("not interrupted")
except KeyboardInterrupt:
    print("interrupted")
ask(viand.FeatureStore(sys.argv[1]))
""", shop_files, long_spine)
    assert text == "interrupted\n"


def test_what_stops_one_call_stops_no_other(shop_files, long_spine):
    """Other threads go on, in stores of their own and in turn in the same one; who waits for its turn just leaves."""
    class Stop(Exception):
        pass

    begun, go_on = threading.Event(), threading.Event()

    def show_first(stage, *_):
        if stage is None:
            return
        begun.set()
        go_on.wait(60)

    def stop(stage, *_):
        if stage is not None:
            raise Stop

    first = viand.FeatureStore(shop_files, threads=1, progress=show_first)
    job = first.get_historical_features(long_spine, features=["user_activity"])
    thread = threading.Thread(target=job.rows)
    thread.start()
    assert begun.wait(60)
    with pytest.raises(Stop):
        for _ in range(100):
            viand.FeatureStore(shop_files, threads=1, progress=stop).get_historical_features(long_spine, features=["user_activity"]).rows()
    go_on.set()
    thread.join()
    assert len(job) == 2_000_000


def test_what_progress_raises_stops_the_call(shop_files, long_spine):
    class Stop(Exception):
        pass

    stages = []

    def show(stage, *_):
        stages.append(stage)
        if stage is not None:
            raise Stop

    store = viand.FeatureStore(shop_files, threads=1, progress=show)
    with pytest.raises(Stop):
        for _ in range(100):
            store.get_historical_features(long_spine, features=["user_activity"]).rows()
    assert stages[-1] is None
    quiet = viand.FeatureStore(shop_files)
    assert len(quiet.get_historical_features(ORDERS, features=["user_activity"])) == 3


def test_the_gil_is_free_while_the_engine_works(shop_files, long_spine):
    """Another thread counts on meanwhile."""
    store = viand.FeatureStore(shop_files, threads=1)
    counted, done = [0], threading.Event()

    def count():
        while not done.is_set():
            counted[0] += 1

    job = store.get_historical_features(long_spine, features=["user_activity"])
    thread = threading.Thread(target=count)
    thread.start()
    try:
        before = counted[0]
        job.rows()
        assert counted[0] > before + 1000
    finally:
        done.set()
        thread.join()


def test_a_thousand_calls_leave_memory_as_it_was(shop_files):
    text = run_python(ASK + """
import gc, viand
def resident():
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
store = viand.FeatureStore(sys.argv[1], threads=1)
wide = {**orders, **{f"c{i}": ["x" * 50] * 3 for i in range(30)}}
def once():
    rows = store.get_historical_features(wide, features=["user_activity"]).rows()
    rows.cells(5, 0, 3)
    try:
        store.get_historical_features(wide, features=["no_such_view"])
    except viand.NotFound:
        pass
for _ in range(200): once()
before = resident()
for _ in range(1000): once()
print(resident() - before)
""", shop_files)
    assert int(text) < 4 << 20, text
