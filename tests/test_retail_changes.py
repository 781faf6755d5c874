"""What `viand run` computes again, and what not, when data is appended, definitions change, or a run is killed."""

import gzip
import os
import pathlib
import re
import shutil
import signal
import time

import pandas as pd
import pytest

import generate
import retail_pandas
import workbook
from conftest import make_repo
from test_retail import MODEL, VIEWS, assert_same, stored_view

RFM_VIEW, BEHAVIOR_VIEW = VIEWS
ROWS = 60_000
LAST_MONTH = pd.Timestamp("2011-11-09 12:50:00")


@pytest.fixture(scope="module")
def rows():
    """Few enough to be quick, with every planted customer; the changes are the same at any size."""
    return generate.make_rows(ROWS, seed=11)


@pytest.fixture(scope="module")
def finished(viand, rows, tmp_path_factory):
    """A repo after one run; tests work on copies of it."""
    folder = tmp_path_factory.mktemp("finished")
    workbook.write_xlsx(folder / "whole.xlsx", rows)
    repo = make_repo(folder / "repo", {folder / "whole.xlsx": "online_retail.xlsx"})
    viand.steps(repo)
    return repo


def copy_of(repo, folder):
    return shutil.copytree(repo, folder / "repo", symlinks=True)


def edit(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1, f"{old!r} is {text.count(old)} times in {path}"
    path.write_text(text.replace(old, new))


def computed_cutoffs(steps):
    return {view: steps["backfill", view]["cutoffs_computed"] for view in VIEWS}


def assert_tables(repo, expected):
    for view, features in VIEWS.items():
        assert_same(stored_view(repo, view), expected.features[["customer_id", "event_timestamp", *features]])


# ---- data -----------------------------------------------------------------------------------------------------

def split_by_time(rows, moment):
    seconds = workbook.seconds_of(moment)
    return [row for row in rows if row[4] < seconds], [row for row in rows if row[4] >= seconds]


def reads_every_workbook(repo):
    edit(repo / "definitions.yaml", "path: data/online_retail.xlsx", "path: data/online_retail*.xlsx")


def test_an_appended_month_computes_only_its_cutoffs(viand, rows, tmp_path):
    first, appended = split_by_time(rows, LAST_MONTH)
    workbook.write_xlsx(tmp_path / "first.xlsx", first)
    repo = make_repo(tmp_path / "repo", {tmp_path / "first.xlsx": "online_retail.xlsx"})
    reads_every_workbook(repo)
    before = viand.steps(repo)
    assert before["backfill", RFM_VIEW]["cutoffs"] == 8
    workbook.write_xlsx(repo / "data" / "online_retail_2011_12.xlsx", appended)
    steps = viand.steps(repo)
    assert steps["backfill", RFM_VIEW]["cutoffs"] == 9
    assert computed_cutoffs(steps) == {RFM_VIEW: 1, BEHAVIOR_VIEW: 1}
    workbook.write_csv(tmp_path / "whole.csv.gz", rows)
    assert_tables(repo, retail_pandas.reference_tables(tmp_path / "whole.csv.gz"))


def test_the_appended_month_of_the_real_workbook(viand, retail_workbook, data_set, tmp_path):
    raw = retail_pandas.read_raw(retail_workbook)
    cells = [(row.InvoiceNo, row.StockCode, None if pd.isna(row.Description) else row.Description, row.Quantity,
              workbook.seconds_of(row.InvoiceDate), row.UnitPrice, None if pd.isna(row.CustomerID) else int(row.CustomerID),
              None if pd.isna(row.Country) else row.Country) for row in raw.itertuples(index=False)]
    first, appended = split_by_time(cells, LAST_MONTH)
    assert first and appended
    workbook.write_xlsx(tmp_path / "first.xlsx", first)
    repo = make_repo(tmp_path / "repo", {tmp_path / "first.xlsx": "online_retail.xlsx"})
    reads_every_workbook(repo)
    assert viand.steps(repo)["backfill", RFM_VIEW]["cutoffs_computed"] == 8, data_set
    workbook.write_xlsx(repo / "data" / "online_retail_2011_12.xlsx", appended)
    assert computed_cutoffs(viand.steps(repo)) == {RFM_VIEW: 1, BEHAVIOR_VIEW: 1}
    assert_tables(repo, retail_pandas.tables_of(retail_pandas.clean(raw)))


def test_a_late_row_computes_the_cutoffs_that_it_can_touch(viand, finished, rows, tmp_path):
    repo = copy_of(finished, tmp_path)
    reads_every_workbook(repo)
    late = workbook.seconds_of(generate.CUTOFFS[4]) + 5 * 86_400
    row = ("590001", "20000", "LATE", 3, late, 9.5, generate.FIRST_CUSTOMER, "United Kingdom")
    workbook.write_xlsx(repo / "data" / "online_retail_late.xlsx", [row])
    steps = viand.steps(repo)
    # Cutoffs 5, 6 and 7 have the row in their 90 days; cutoff 8 has it in the tenure, whose window has no start.
    assert computed_cutoffs(steps) == {RFM_VIEW: 4, BEHAVIOR_VIEW: 3}
    workbook.write_csv(tmp_path / "whole.csv.gz", [*rows, row])
    assert_tables(repo, retail_pandas.reference_tables(tmp_path / "whole.csv.gz"))


def test_an_edit_of_the_same_size_and_time_counts(viand, rows, tmp_path):
    repo = make_repo(tmp_path / "repo")
    edit(repo / "definitions.yaml", "path: data/online_retail.xlsx", "path: data/online_retail.csv")
    workbook.write_csv(tmp_path / "rows.csv.gz", rows)
    path = repo / "data" / "online_retail.csv"
    lines = gzip.decompress((tmp_path / "rows.csv.gz").read_bytes())
    path.write_bytes(lines)
    viand.steps(repo)
    before = path.stat()
    customer = str(generate.PLANTED["single_invoice"]).encode()
    at = lines.index(b"," + customer + b",")
    start = lines.rindex(b"\n", 0, at) + 1
    changed = lines[:start] + lines[start:].replace(b",1,2011", b",9,2011", 1)
    assert len(changed) == len(lines) and changed != lines
    path.write_bytes(changed)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    steps = viand.steps(repo)
    assert steps["ingest", "transactions"]["status"] == "computed"
    assert 0 < computed_cutoffs(steps)[RFM_VIEW] < 9
    gzip_path = tmp_path / "changed.csv.gz"
    gzip_path.write_bytes(gzip.compress(changed))
    assert_tables(repo, retail_pandas.reference_tables(gzip_path))


def test_a_touched_file_computes_nothing(viand, finished, tmp_path):
    repo = copy_of(finished, tmp_path)
    viand.steps(repo)  # the registry names the stored views by absolute paths, and the copy has others
    os.utime(repo / "data" / "online_retail.xlsx")
    os.utime(repo / "definitions.yaml")
    assert {step["status"] for step in viand.steps(repo).values()} == {"fresh"}


# ---- definitions ----------------------------------------------------------------------------------------------

def test_a_changed_feature_computes_only_its_dependants(viand, finished, tmp_path):
    repo = copy_of(finished, tmp_path)
    edit(repo / "definitions.yaml", "n_unique_products: count(distinct stock_code where not is_cancellation)",
         "n_unique_products: count(distinct stock_code)")
    steps = viand.steps(repo, "--yes")
    statuses = {name: step["status"] for name, step in steps.items()}
    assert statuses["ingest", "transactions"] == "fresh"
    assert statuses["backfill", RFM_VIEW] == "fresh"
    assert statuses["backfill", BEHAVIOR_VIEW] == "computed"
    assert statuses["train", MODEL] == "computed" and statuses["predict", MODEL] == "computed"


def test_changed_model_parameters_train_again_and_backfill_nothing(viand, finished, tmp_path):
    repo = copy_of(finished, tmp_path)
    edit(repo / "definitions.yaml", "num_boost_round: 100", "num_boost_round: 90")
    statuses = {name: step["status"] for name, step in viand.steps(repo, "--yes").items()}
    assert {statuses["backfill", view] for view in VIEWS} == {"fresh"}
    assert statuses["ingest", "transactions"] == "fresh"
    assert statuses["train", MODEL] == "computed"


def test_a_description_computes_nothing(viand, finished, tmp_path):
    repo = copy_of(finished, tmp_path)
    edit(repo / "definitions.yaml", "description: Retail customer", "description: A customer of the shop")
    statuses = {name: step["status"] for name, step in viand.steps(repo).items() if name[0] != "apply"}
    assert set(statuses.values()) == {"fresh"}, str(statuses)


# ---- killed runs ----------------------------------------------------------------------------------------------

def parts_of(repo, view):
    folder = repo / "data" / "offline" / view / "parts"
    return [name for name in os.listdir(folder) if name.endswith(".parquet")] if folder.exists() else []


def start_and_kill(viand, repo, view, wanted):
    """Starts a backfill of the view and kills it once `wanted` cutoffs are stored; returns how many are."""
    process = viand.start(repo, "backfill", view)
    deadline = time.monotonic() + 60
    while len(parts_of(repo, view)) < wanted and process.poll() is None and time.monotonic() < deadline:
        pass
    process.send_signal(signal.SIGKILL)
    process.communicate()
    return len(parts_of(repo, view))


def test_a_killed_backfill_resumes_with_exactly_the_missing_cutoffs(viand, finished, tmp_path):
    repo = copy_of(finished, tmp_path)
    expected = {view: stored_view(repo, view) for view in VIEWS}
    cut_short = 0
    for attempt in range(12):
        shutil.rmtree(repo / "data" / "offline")
        done = start_and_kill(viand, repo, BEHAVIOR_VIEW, wanted=1 + attempt % 8)
        steps = viand.steps(repo)
        assert computed_cutoffs(steps) == {RFM_VIEW: 9, BEHAVIOR_VIEW: 9 - done}, f"killed after {done}"
        for view in VIEWS:
            assert stored_view(repo, view).equals(expected[view])
        cut_short += 0 < done < 9
        if cut_short == 3:
            return
    pytest.fail(f"only {cut_short} of 12 kills came between the first cutoff and the last")


def wait_until_heard(process, number):
    """Waits until the program has a handler of its own for a signal."""
    status = pathlib.Path(f"/proc/{process.pid}/status")
    while process.poll() is None and not int(re.search(r"SigCgt:\s+(\w+)", status.read_text())[1], 16) >> (number - 1) & 1:
        time.sleep(0.001)


def test_an_interrupted_run_exits_130_and_leaves_nothing_half_written(viand, finished, tmp_path):
    repo = copy_of(finished, tmp_path)
    for path in (repo / "data").iterdir():
        if path.name != "online_retail.xlsx":
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    process = viand.start(repo, "run")
    wait_until_heard(process, signal.SIGINT)
    time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode in (0, 130), "a run that was done before the signal came may say so"
    for path in (repo / "data").glob("*.parquet"):
        pd.read_parquet(path)
    viand.steps(repo)
    for view in VIEWS:
        assert stored_view(repo, view).equals(stored_view(finished, view))
