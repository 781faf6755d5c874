"""In a notebook: the retail example runs from top to bottom, and a store in a live kernel has the manners of one."""

import base64
import os
import time
from pathlib import Path

import nbformat
import pytest
from jupyter_client.manager import KernelManager
from nbclient import NotebookClient

import viand
from conftest import EXAMPLE, SHARED_WORKBOOK, generate, make_repo, workbook
from shop_fixture import shop_files  # noqa: F401

TIMEOUT_SECONDS = 120


@pytest.fixture(autouse=True)
def own_jupyter(tmp_path_factory, monkeypatch):
    """Kernels that find this package, and nobody's settings."""
    folder = tmp_path_factory.mktemp("jupyter")
    for name in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "JUPYTER_RUNTIME_DIR", "IPYTHONDIR", "MPLCONFIGDIR"):
        monkeypatch.setenv(name, str(folder / name.lower()))
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(os.path.dirname(os.path.abspath(viand.__file__))))
    # In the build tree XGBoost shares scikit-learn's OpenMP, whose threads would spin; the wheel brings its own.
    monkeypatch.setenv("OMP_WAIT_POLICY", "passive")


# ---- the example ----------------------------------------------------------------------------------------------------


@pytest.fixture
def example(tmp_path):
    source = SHARED_WORKBOOK
    if not source.exists():
        source = tmp_path / "rows.xlsx"
        workbook.write_xlsx(source, generate.make_rows(40_000, seed=7))
    return make_repo(tmp_path / "retail", {source: "online_retail.xlsx"})


def shown(cell):
    """The kinds of what a cell shows."""
    return {kind for output in cell["outputs"] for kind in output.get("data", {})}


def test_the_retail_notebook_runs_from_top_to_bottom(example):
    stored = nbformat.read(EXAMPLE / "retail.ipynb", as_version=4)
    nbformat.validate(stored)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in stored.cells), "it is kept without outputs"
    notebook = nbformat.read(example / "retail.ipynb", as_version=4)
    NotebookClient(notebook, timeout=TIMEOUT_SECONDS, resources={"metadata": {"path": str(example)}}).execute()
    codes = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert [cell.source for cell in codes if any(output.get("name") == "stderr" for output in cell.outputs)] == []
    plots = [cell for cell in codes if "image/png" in shown(cell)]
    titles = "Purchase rate by cutoff", "Feature importance", "Calibration"
    assert all(title in cell.source for title, cell in zip(titles, plots)) and len(plots) == len(titles)
    for cell in plots:
        picture = next(output.data["image/png"] for output in cell.outputs if "image/png" in output.get("data", {}))
        assert len(base64.b64decode(picture)) > 5_000
    for source in ("store", "store.plan()", "store.ingest()", "store.run()", "report", "job"):
        cell = next(cell for cell in codes if cell.source.split("\n")[-1] == source)
        assert "text/html" in shown(cell), source
    lineage = next(cell for cell in codes if cell.source.startswith("store.lineage"))
    assert "image/svg+xml" in shown(lineage)
    assert (Path(example) / "data" / "predictions" / "purchase_propensity.parquet").exists()


# ---- a live kernel --------------------------------------------------------------------------------------------------


class Kernel:
    """A running kernel, spoken to as a notebook does."""

    def __init__(self, folder):
        self.manager = KernelManager(kernel_name="python3")
        self.manager.start_kernel(cwd=str(folder))
        self.client = self.manager.blocking_client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=TIMEOUT_SECONDS)

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)

    def run(self, code, interrupt_at=None):
        """Runs a cell; (the reply, what it put out). `interrupt_at`: ctrl-C once that stands in its output."""
        asked = self.client.execute(code)
        outputs = []
        while True:
            message = self.client.get_iopub_msg(timeout=TIMEOUT_SECONDS)
            if message["parent_header"].get("msg_id") != asked:
                continue
            if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
                break
            outputs.append(message)
            # The code itself comes first, and is no output.
            if interrupt_at is not None and message["msg_type"] == "stream" and interrupt_at in message["content"]["text"]:
                self.manager.interrupt_kernel()
                interrupt_at = None
        while True:
            reply = self.client.get_shell_msg(timeout=TIMEOUT_SECONDS)
            if reply["parent_header"].get("msg_id") == asked:
                return reply["content"], outputs

    def text(self, code):
        reply, outputs = self.run(code)
        assert reply["status"] == "ok", reply
        return "".join(message["content"]["text"] for message in outputs if message["msg_type"] == "stream")

    def completions(self, code):
        """What a notebook offers at the end of the code."""
        asked = self.client.complete(code, len(code))
        while True:
            reply = self.client.get_shell_msg(timeout=TIMEOUT_SECONDS)
            if reply["parent_header"].get("msg_id") == asked:
                return reply["content"]["matches"]


@pytest.fixture(scope="module")
def spine(tmp_path_factory):
    """Rows that take the engine a while."""
    path = tmp_path_factory.mktemp("spines") / "long.csv"
    path.write_text("user_id,event_timestamp\n" + "1,2026-01-09\n2,2026-01-25\n" * 1_000_000)
    return path


@pytest.fixture
def kernel(shop_files, tmp_path):
    kernel = Kernel(tmp_path)
    try:
        kernel.text(f"import viand\nstore = viand.FeatureStore({str(shop_files)!r}, threads=1)")
        yield kernel
    finally:
        kernel.end()


ASK = 'store.get_historical_features({"user_id": [1], "event_timestamp": [__import__("datetime").datetime(2026, 1, 9)]}, features=["user_activity"])'


def test_a_cell_shows_tables_and_completes_names(kernel):
    for code, text in (("store", "user_activity"), (ASK, "1 rows, 5 columns"), ("store.plan()", "nothing to change"),
                       ('store.get_feature_view("user_activity")', "total_amount")):
        _, outputs = kernel.run(code)
        data = next(message["content"]["data"] for message in outputs if message["msg_type"] == "execute_result")
        assert text in data["text/html"] and data["text/plain"], code
    assert "user_activity" in " ".join(kernel.completions("store.feature_views.user_"))
    assert "user_activity" in " ".join(kernel.completions('store.feature_views["user_'))
    assert "get_historical_features" in " ".join(kernel.completions("store.get_h"))


def test_ctrl_c_stops_a_cell_and_the_next_one_runs(kernel, spine):
    code = f"""
print("begun", flush=True)
for _ in range(1000):
    store.get_historical_features({str(spine)!r}, features=["user_activity"]).rows()
"""
    reply, _ = kernel.run(code, interrupt_at="begun")
    assert reply["status"] == "error" and reply["ename"] == "KeyboardInterrupt"
    assert kernel.text(f"print(len({ASK}))") == "1\n"


def test_long_work_has_a_bar_that_goes_away(kernel, spine):
    """It waits for no second here, so that any work is long."""
    reply, outputs = kernel.run(f"""
import viand.progress
viand.progress._DELAY_SECONDS = 1e-9
store = viand.FeatureStore(store.repo_path, threads=1)
store.get_historical_features({str(spine)!r}, features=["user_activity"]).rows()
""")
    assert reply["status"] == "ok"
    bars = [message for message in outputs if message["msg_type"] in ("display_data", "update_display_data")]
    assert bars and "/s" in bars[0]["content"]["data"]["text/html"]
    assert bars[-1]["content"]["data"]["text/html"] == ""
    assert len({message["content"]["transient"]["display_id"] for message in bars}) == 1


def test_a_cell_may_await_and_work_in_threads(kernel, spine):
    """IPython's event loop runs: calls block it as any call does, and `to_thread` does not."""
    text = kernel.text(f"""
import asyncio
ticks = 0
async def count():
    global ticks
    while True:
        ticks += 1
        await asyncio.sleep(0.001)
counting = asyncio.ensure_future(count())
job = store.get_historical_features({str(spine)!r}, features=["user_activity"])
rows = await asyncio.to_thread(job.rows)
seen = ticks
counting.cancel()
print(len(rows), seen > 1, len({ASK}))
""")
    assert text == "2000000 True 1\n"
