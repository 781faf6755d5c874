"""Python functions as features: the nine of the retail example equal SQL's, workers that are killed, errors, what recomputes."""

import copy
import os
import pickle
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import viand
from conftest import DATA_SETS, ROOT, SHARED_WORKBOOK, Viand, generate, make_repo, workbook
from definitions_fixture import python_of_the_program  # noqa: F401
from retail_in_python import with_functions

ROWS = 12_000
CUTOFFS = 9 if os.environ.get("VIAND_LONG") else 2
VIEWS = ("customer_rfm_features", "customer_behavior_features")
pytestmark = pytest.mark.usefixtures("python_of_the_program")


@pytest.fixture(scope="module", params=DATA_SETS)
def retail(request, tmp_path_factory):
    """The example's repo, ingested: {"sql", "arrow", "pandas"}. Of the real rows two cutoffs; all nine in the long tests."""
    folder = tmp_path_factory.mktemp("retail")
    rows, cutoffs = SHARED_WORKBOOK, CUTOFFS
    if request.param == "generated":
        rows, cutoffs = folder / "rows.xlsx", 9
        workbook.write_xlsx(rows, generate.make_rows(ROWS, seed=7))
    repos = {}
    for name in ("sql", "arrow", "pandas"):
        repo = repos[name] = make_repo(folder / name, {rows: "online_retail.xlsx"})
        shutil.rmtree(repo / "python", ignore_errors=True)
        definitions = repo / "definitions.yaml"
        text = definitions.read_text() if cutoffs == 9 else definitions.read_text().replace("last: end - 30d", f"last: start + {60 + 30 * cutoffs}d")
        definitions.write_text(text if name == "sql" else with_functions(text, name))
        if name == "sql":
            for step in (["ingest"], ["apply", "--yes"], ["backfill"]):
                Viand().json(repo, *step)
            assert rows_of(repo, VIEWS[0])["event_timestamp"].to_pandas().nunique() == cutoffs
        else:
            shutil.copy(ROOT / "tests" / "python" / "retail_functions.py", repo)
            shutil.copy(repos["sql"] / "data" / "transactions.parquet", repo / "data")
    return repos


def rows_of(repo, view):
    files = sorted((repo / "data" / "offline" / view / "current").glob("*.parquet"))
    return pa.concat_tables([pq.read_table(file) for file in files])


def prepared(repo):
    Viand().json(repo, "apply", "--yes")
    return repo


@pytest.mark.parametrize("mode", ["arrow", "pandas"])
def test_the_nine_features_equal_sql(retail, mode):
    """Row by row and bit by bit: the sums of retail_functions.py are exact, too."""
    repo = prepared(retail[mode])
    Viand().json(repo, "backfill")
    for view in VIEWS:
        assert rows_of(repo, view).num_rows > 400
        assert rows_of(repo, view).equals(rows_of(retail["sql"], view)), view


def workers_below(pid):
    """Processes of functions that a process has started."""
    found = []
    for folder in Path("/proc").iterdir():
        try:
            if folder.name.isdigit() and b"viand.worker" in (folder / "cmdline").read_bytes() and \
                    int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append(int(folder.name))
        except (OSError, IndexError):
            continue
    return found


def test_a_killed_worker_changes_nothing(retail, tmp_path):
    repo = make_repo_of(retail["arrow"], tmp_path / "killed")
    slow = repo / "retail_functions.py"
    # Slow enough to be met at work, and once only.
    slow.write_text(slow.read_text().replace("    made = {", f"    import os, time\n    if not os.path.exists({str(tmp_path / 'met')!r}):\n"
                                             f"        open({str(tmp_path / 'at_work')!r}, 'w').close()\n        time.sleep(60)\n    made = {{"))
    prepared(repo)
    process = Viand().start(repo, "backfill", env={**os.environ, "VIAND_FUNCTION_BATCH_ROWS": "2000"})
    while not (tmp_path / "at_work").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    (tmp_path / "met").touch()
    killed = workers_below(process.pid)
    for worker in killed:
        os.kill(worker, signal.SIGKILL)
    out, error = process.communicate(timeout=300)
    assert process.returncode == 0, error + out
    assert killed
    for view in VIEWS:
        assert rows_of(repo, view).equals(rows_of(retail["sql"], view)), view


def make_repo_of(repo, folder):
    """A copy of a repo without what was computed."""
    shutil.copytree(repo, folder, ignore=lambda path, names: [] if path != str(repo / "data") else
                    [name for name in names if name != "transactions.parquet"])
    return folder


# ---- a small repo ----------------------------------------------------------------------------------------------------

DEFINITIONS = """\
entities:
  - {name: customer, join_keys: [customer_id], value_type: INT64}
sources:
  - {name: orders, path: data/orders.parquet, timestamp_field: at}
feature_views:
  - name: activity
    entities: [customer]
    source: orders
    window: 30d
    features:
      total: {function: "features.orders:total", columns: [amount], returns: double}
"""
FUNCTION = """\
def total(rows):
    return rows.group_by("group").aggregate([("amount", "sum")])
"""


@pytest.fixture
def small(tmp_path):
    """Makes a repo of four orders: small(function text, the feature's keys)."""
    def make(function=FUNCTION, feature=None, **files):
        repo = tmp_path / "repo"
        (repo / "features").mkdir(parents=True, exist_ok=True)
        (repo / "data").mkdir(exist_ok=True)
        (repo / "feature_store.yaml").write_text("project: p\nprovider: local\nregistry: data/registry.db\n"
                                                 "entity_key_serialization_version: 3\n")
        text = DEFINITIONS if feature is None else re.sub(r"total: \{.*\}", f"total: {feature}", DEFINITIONS)
        (repo / "definitions.yaml").write_text(text)
        (repo / "features" / "orders.py").write_text(function)
        for name, content in files.items():
            (repo / name.replace("__", "/").replace("_py", ".py")).write_text(content)
        orders = {"customer_id": [1, 1, 2, 3], "at": [day(1), day(2), day(3), day(4)], "amount": [1.0, 2.0, 4.0, None]}
        pq.write_table(pa.table(orders), repo / "data" / "orders.parquet")
        return repo
    return make


def day(number):
    import datetime
    return datetime.datetime(2026, 1, number, tzinfo=datetime.timezone.utc)


SPINE = "customer_id,event_timestamp\n1,2026-01-10\n2,2026-01-10\n9,2026-01-10\n1,2026-01-02\n3,2026-01-10\n"


def totals(repo, *more, **options):
    """The feature at five rows, or the error; `more`: arguments of the program."""
    (repo / "spine.csv").write_text(SPINE)
    code, out, error = Viand().call(repo, "historical", "--spine", repo / "spine.csv", "--features", "activity", "-o", repo / "out.parquet",
                                    *more, **options)
    return error if code else pq.read_table(repo / "out.parquet")["total"].to_pylist()


def test_a_spine_a_null_and_a_key_that_is_not_there(small):
    assert totals(small()) == [3.0, 4.0, None, 1.0, None]
    feature = '{function: "features.orders:total", columns: [amount], returns: double, default: 7}'
    assert totals(small(feature=feature)) == [3.0, 4.0, None, 1.0, 7.0]


def test_fragments_in_processes_of_their_own(small):
    assert totals(small(), "--executor", "processes", "--threads", "2", "--partitions", "2") == [3.0, 4.0, None, 1.0, None]
    raising = small(ERRORS["raises"][0])
    assert ERRORS["raises"][1] in totals(raising, "--executor", "processes", "--threads", "1")


def test_where_a_function_is_shown(small):
    repo = small()
    (repo / "spine.csv").write_text(SPINE)
    asked = {"explain": ["--spine", repo / "spine.csv", "--features", "activity"], "describe": ["feature-view", "activity"], "lineage": ["total"]}
    for command, arguments in asked.items():
        code, out, error = Viand().call(repo, command, *arguments)
        assert code == 0 and "features.orders:total(amount)" in out, (command, out, error)


def test_a_column_named_as_one_that_is_given(small):
    repo = small(feature='{function: "features.orders:total", returns: double}')
    assert totals(repo) == [3.0, 4.0, None, 1.0, None]
    table = pq.read_table(repo / "data" / "orders.parquet")
    pq.write_table(table.append_column("group", table["amount"]), repo / "data" / "orders.parquet")
    assert 'the function features.orders:total takes a column "group", the name of one that viand gives it' in totals(repo)


def test_one_group_a_call_is_the_same(small):
    assert totals(small(), env={**os.environ, "VIAND_FUNCTION_BATCH_ROWS": "1"}) == [3.0, 4.0, None, 1.0, None]


def test_what_is_printed_goes_to_standard_error(small):
    repo = small(FUNCTION.replace("    return", '    print("hello")\n    return'))
    (repo / "spine.csv").write_text(SPINE)
    code, out, error = Viand().call(repo, "historical", "--spine", repo / "spine.csv", "--features", "activity", "-o", "-")
    assert code == 0 and "hello" in error and "hello" not in out


ERRORS = {
    "raises": ("def total(rows):\n    if 2 in rows['customer_id'].to_pylist():\n        raise ValueError('no twos')\n    return rows['group']\n",
               "features/orders.py:3:9: feature view \"activity\", the function features.orders:total raised ValueError for customer_id 2, as of 2026-01-10 00:00:00+00:00: "
               "no twos"),
    "short": ("def total(rows):\n    return [1.0]\n",
              "features/orders.py:1: feature view \"activity\", the function features.orders:total returned 1 value for 4 groups, over 4 groups from customer_id 1, "
              "as of 2026-01-02 00:00:00+00:00 on"),
    "text": ("def total(rows):\n    return ['x'] * 4\n", "the function features.orders:total returned string, and returns says double"),
    "none": ("def total(rows):\n    pass\n", "the function features.orders:total returned None, expected an array of one value a group"),
    "exits": ("import os\ndef total(rows):\n    os._exit(3)\n",
              "the process of the function features.orders:total ended with exit code 3, 3 times, over 5 rows of 4 groups from customer_id 1, as of 2026-01-02 00:00:00.000000Z on"),
    "module": ("x = 1 / 0\ndef total(rows):\n    return x\n",
               "features/orders.py:1:5: feature view \"activity\", the module of the function features.orders:total raised ZeroDivisionError: division by zero"),
    "no text": ("class Odd(Exception):\n    def __str__(self):\n        raise ValueError\ndef total(rows):\n    raise Odd\n", "features/orders.py:5:5: feature view \"activity\", the function features.orders:total raised Odd for customer_id 1"),
    "surrogate": ("def total(rows):\n    raise ValueError('\\ud800')\n", "raised ValueError for customer_id 1, as of 2026-01-02 00:00:00+00:00: \\ud800"),
    "exit": ("import sys\ndef total(rows):\n    sys.exit(3)\n", "features/orders.py:3:5: feature view \"activity\", the function features.orders:total raised SystemExit for customer_id 1"),
    "fraction": ("import pyarrow as pa\ndef total(rows):\n    return pa.table({'group': [0.5], 'x': [1.0]})\n", "returned a value of a group that it was not given: 0.5"),
    "text group": ("import pyarrow as pa\ndef total(rows):\n    return pa.table({'group': ['0'], 'x': [1.0]})\n", "returned a value of a group that it was not given: '0'"),
    "large": ("def total(rows):\n    return [2 ** 2000] * 4\n", "the function features.orders:total returned values that make no double: "),
    "scalar": ("def total(rows):\n    return 1.0\n", "the function features.orders:total returned a float, expected an array of one value a group"),
    "arguments": ("def total(a, b, c):\n    return a\n", "the function features.orders:total takes 3 arguments"),
    "undefined": ("def total(rows):\n    return sums(rows)\n",
                  "features/orders.py:2:12: the function total needs the name 'sums', which features/orders.py does not define"),
    "lambda": ("total = lambda rows: rows\n", "features/orders.py:1:1: 'total' is a value of an assignment, no function that def makes"),
    "inside": ("def outer():\n    def total(rows):\n        pass\n", "features/orders.py:2:5: the function total stands inside another statement"),
    "misspelt": ("def totals(rows):\n    pass\n", 'definitions.yaml:11:25: there is no function \'total\' in features/orders.py\n  hint: did you mean "totals"?'),
    "package": ("import no_such_package\ndef total(rows):\n    return no_such_package.f(rows)\n",
                "definitions.yaml:11:25: the function total needs the package no_such_package, which "),
    "syntax": ("def total(rows:\n", "features/orders.py:1:10: SyntaxError: '(' was never closed"),
}


@pytest.mark.parametrize("name", ERRORS)
def test_errors(small, name):
    function, expected = ERRORS[name]
    assert expected in totals(small(function))


GIVEN = {
    "polars": "import polars as pl\ndef total(rows):\n    return pl.from_arrow(rows).group_by('group').agg(pl.col('amount').sum())\n",
    "Series of polars": "import polars as pl\ndef total(rows):\n    return pl.from_arrow(rows).group_by('group', maintain_order=True).agg(pl.col('amount').sum())['amount']\n",
    "DuckDB": "import duckdb\ndef total(rows):\n    return duckdb.sql('select \"group\", sum(amount) from rows group by 1')\n",
    "reader": "def total(rows):\n    return rows.group_by('group').aggregate([('amount', 'sum')]).to_reader()\n",
    "dataclass": "from dataclasses import dataclass\n@dataclass\nclass Sum:\n    value: float = 0\ndef total(rows):\n"
                 "    made = [Sum() for _ in set(rows['group'].to_pylist())]\n    for group, amount in zip(rows['group'].to_pylist(), rows['amount'].to_pylist()):\n"
                 "        made[group].value += amount or 0\n    return [each.value for each in made]\n",
}


@pytest.mark.parametrize("name", GIVEN)
def test_results_of_many_kinds(small, name):
    null = 0.0 if name in ("polars", "Series of polars", "dataclass") else None  # the sum of nothing, as polars has it
    assert totals(small(GIVEN[name])) == [3.0, 4.0, None, 1.0, null]


REFUSED = {
    '{function: "features.orders", returns: double}': "definitions.yaml:11:25: \"features.orders\" names no function: expected module:name",
    '{function: "features.orders:total"}': 'definitions.yaml:11:14: the feature "total" lacks the key "returns"',
    '{function: "features.orders:total", expr: sum(amount), returns: double}': 'a feature has "expr" or "function", not both',
    '{expr: sum(amount), mode: pandas}': '"mode" needs a "function"',
    '{function: "features.orders:total", returns: dubble}': 'unknown type "dubble"',
    '{function: "features.orders:total", returns: double, columns: [amont]}': 'unknown column "amont" in source orders\n  hint: did you mean "amount"?',
    '{function: "features.orders:total", returns: double, mode: polars}': 'unknown mode "polars" of a function',
    '{function: "feature.orders:total", returns: double}': 'there is no module feature.orders: the repo has no feature/orders.py\n  hint: did you mean "features.orders"?',
    '{function: "features.orders:total", returns: double, output: sum, columns: [amount]}': None,
}


@pytest.mark.parametrize("feature", REFUSED)
def test_definitions_that_are_refused(small, feature):
    expected = REFUSED[feature]
    assert (expected or "returned no 'sum'") in totals(small(feature=feature))


def plan_of(repo):
    return Viand().call(repo, "plan")[1]


def test_what_changes_a_definition(small):
    repo = small(features__more_py="def twice(x):\n    return x\n",
                 function="from features.more import twice\nFACTOR = 1\nOTHER = 1\n" + FUNCTION.replace("rows.group_by", "twice(rows).group_by")
                 .replace("    return", "    assert FACTOR\n    return"))
    Viand().json(repo, "apply", "--yes")
    assert "nothing to change" in plan_of(repo).lower()
    file, more = repo / "features" / "orders.py", repo / "features" / "more.py"
    text = file.read_text()
    for same in (text.replace("OTHER = 1", "OTHER = 2"), text.replace("def total", "# a comment\ndef total"),
                 text.replace("(rows):\n", "(rows):\n    '''Says what it does.'''\n")):
        file.write_text(same)
        assert "nothing to change" in plan_of(repo).lower(), same
    for other in (text.replace("FACTOR = 1", "FACTOR = 2"), text.replace('"sum"', '"max"')):
        file.write_text(other)
        assert "total.function.code" in plan_of(repo), other
    file.write_text(text)
    more.write_text("def twice(x):\n    return 1 * x\n")
    assert "total.function.modules.features.more" in plan_of(repo)


def test_an_old_version_of_a_function_comes_back_with_its_text(small):
    repo = small()
    definitions = repo / "definitions.yaml"
    definitions.write_text(definitions.read_text() + "    ttl: 0d\n    snapshots: daily\nsnapshots:\n"
                           "  - {name: daily, source: orders, first: start + 1d, last: end, every: 1d}\n")
    for function in (FUNCTION, FUNCTION.replace('"sum"', '"max"')):
        (repo / "features" / "orders.py").write_text(function)
        Viand().json(repo, "apply", "--yes")
    Viand().json(repo, "rollback", "activity@v0")
    assert "'sum'" in definitions.read_text()
    code, out, error = Viand().call(repo, "plan")
    assert code == 0 and re.search(r"total.function.code: \w+ -> \w+", out), out + error
    Viand().json(repo, "apply", "--yes")
    Viand().json(repo, "backfill")
    made = {(row["customer_id"], row["event_timestamp"]): row["total"] for row in rows_of(repo, "activity").to_pylist()}
    assert made[1, day(3)] == 3.0


def test_the_function_runs_with_the_versions_that_it_is_defined_with(small):
    repo = small()
    site = repo / "site"
    (site / "fake").mkdir(parents=True)
    (site / "fake" / "__init__.py").write_text("")
    (site / "fake-1.0.dist-info").mkdir()
    (site / "fake-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: fake\nVersion: 1.0\n")
    (repo / "features" / "orders.py").write_text("import fake\n" + FUNCTION.replace("    return", "    fake\n    return"))
    environment = {**os.environ, "PYTHONPATH": f"{os.environ.get('PYTHONPATH', '')}:{site}"}
    assert totals(repo, env=environment) == [3.0, 4.0, None, 1.0, None]
    Viand().call(repo, "apply", "--yes", env=environment)
    (site / "fake-1.0.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: fake\nVersion: 1.1\n")
    changed = Viand().call(repo, "plan", env=environment)[1]
    assert "total.function.versions.fake" in changed and "1.0" in changed and "1.1" in changed


def test_workers_end_with_a_killed_program(small, tmp_path):
    busy = f"def total(rows):\n    open({str(tmp_path / 'at_work')!r}, 'w').close()\n    while True:\n        sum(range(10 ** 9))\n"
    repo = small(busy)
    (repo / "spine.csv").write_text(SPINE)
    process = Viand().start(repo, "historical", "--spine", repo / "spine.csv", "--features", "activity", "-o", repo / "out.parquet")
    while not (tmp_path / "at_work").exists():
        assert process.poll() is None, process.communicate()
        time.sleep(0.02)
    workers = workers_below(process.pid)
    process.kill()
    process.wait()
    process.communicate()
    assert workers
    end = time.monotonic() + 60
    while any(Path(f"/proc/{worker}/cmdline").exists() and Path(f"/proc/{worker}/cmdline").read_bytes() for worker in workers):
        assert time.monotonic() < end, "a worker outlives the program"
        time.sleep(0.02)


def test_ctrl_c_and_a_timeout_end_a_call(small, tmp_path):
    slow = f"import time\ndef total(rows):\n    open({str(tmp_path / 'at_work')!r}, 'w').close()\n    time.sleep(600)\n"
    repo = small(slow)
    error = totals(repo, env={**os.environ, "VIAND_FUNCTION_TIMEOUT": "0.5"})
    assert "the function features.orders:total took longer than 0.5 seconds over 5 rows of 4 groups from customer_id 1, as of 2026-01-02 00:00:00.000000Z on" in error
    (tmp_path / "at_work").unlink(missing_ok=True)
    process = Viand().start(repo, "historical", "--spine", repo / "spine.csv", "--features", "activity", "-o", repo / "out.parquet")
    while not (tmp_path / "at_work").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 130
    process.communicate()


# ---- in Python -------------------------------------------------------------------------------------------------------

SCRIPT = """\
import viand
from viand import Entity, FeatureView, Field, FileSource, ValueType
from viand.types import Float64, Int64

customer = Entity(name="customer", join_keys=["customer_id"], value_type=ValueType.INT64)
orders = FileSource(name="orders", path="data/orders.parquet", timestamp_field="at")
LEAST = 1.5


@viand.feature_function(returns={"large": Int64, "share": Float64}, columns=["amount"], mode="pandas")
def sizes(rows):
    large = rows["amount"] > LEAST
    by = large.groupby(rows["group"])
    return {"large": by.sum(), "share": by.mean()}


@viand.feature_function(returns=float, columns=["amount"])
def total(rows):
    return rows.group_by("group").aggregate([("amount", "sum")])


view = FeatureView(name="activity", entities=[customer], source=orders, window="30d",
                   features={**sizes, "total": total.over(window="unbounded"), "n": "count(*)", "filled": Field(expr=total, default=7)})
"""


def in_python(small, text=SCRIPT):
    repo = small()
    (repo / "definitions.yaml").unlink()
    (repo / "features" / "orders.py").unlink()
    (repo / "definitions.py").write_text(text)
    return repo


def test_a_repo_of_python(small):
    repo = in_python(small)
    store = viand.FeatureStore(repo)
    store.apply()
    spine = {"customer_id": [1, 2, 3, 9], "event_timestamp": [day(10)] * 4}
    job = store.get_historical_features(entity_df=spine, features=["activity"])
    assert job.to_arrow().drop_columns(["customer_id", "event_timestamp"]).to_pydict() == {
        "large": [1, 1, 0, None], "share": [0.5, 1.0, 0.0, None], "total": [3.0, 4.0, None, None], "n": [2, 1, 1, None],
        "filled": [3.0, 4.0, 7.0, None]}
    text = store.to_yaml()
    assert '{function: "definitions:sizes", returns: bigint, mode: pandas, output: large, columns: [amount]}' in text, text
    (repo / "definitions.yaml").write_text(text)
    (repo / "definitions.py").write_text(re.sub("(customer|orders) = .*|view = (.*\n)*", "", SCRIPT))
    assert "nothing to change" in str(viand.FeatureStore(repo).plan()).lower()


def test_a_store_gives_back_views_of_functions(small):
    repo = in_python(small)
    store = viand.FeatureStore(repo)
    store.apply()
    view = store.get_feature_view("activity")
    assert [str(each.dtype) for each in view.features] == ["Int64", "Float64", "Float64", "Int64", "Float64"]
    assert 'large: {function: "definitions:sizes", returns: bigint, mode: pandas, output: large, columns: [amount]}' in viand.to_yaml(view)
    again = pickle.loads(pickle.dumps(view))
    assert again == view and copy.deepcopy(view) == view
    store.apply([view])
    assert "nothing to change" in str(store.plan()).lower()


def test_a_rolled_back_function_keeps_its_text(small):
    repo = small()
    text = '{function: "features.orders:total", columns: [amount], returns: double, code: "def total(rows): return [1.0] * len(set(rows[\'group\'].to_pylist()))"}'
    (repo / "definitions.yaml").write_text(re.sub(r"total: \{.*\}", lambda _: f"total: {text}", DEFINITIONS))
    assert totals(repo) == [1.0, 1.0, None, 1.0, 1.0]
    exported = Viand().call(repo, "export")[1]
    assert "code:" in exported
    (repo / "definitions.yaml").write_text(exported)
    assert totals(repo) == [1.0, 1.0, None, 1.0, 1.0]
    store = viand.FeatureStore(repo)
    store.apply()
    store.apply([store.get_feature_view("activity")])
    assert "nothing to change" in str(store.plan()).lower()


def test_a_function_of_a_notebook(small, tmp_path):
    """Cells have no file: the text of the function and of what it uses goes into the definition, classes too."""
    repo = in_python(small, "import viand\n")
    cells = SCRIPT.replace("LEAST = 1.5\n", "LEAST = 1.5\nfrom dataclasses import dataclass\n@dataclass\nclass Bound:\n    least: float = LEAST\n")
    cells = cells.replace('rows["amount"] > LEAST', 'rows["amount"] > Bound().least').replace('"data/orders.parquet"', f"{str(repo / 'data' / 'orders.parquet')!r}")
    program = f"""\
import linecache, sys
text = {cells!r}
linecache.cache["<cell 1>"] = (len(text), None, text.splitlines(True), "<cell 1>")
exec(compile(text, "<cell 1>", "exec"), globals())
store = viand.FeatureStore({str(repo)!r})
store.apply([view])
from datetime import datetime, timezone
spine = {{"customer_id": [1, 2], "event_timestamp": [datetime(2026, 1, 10, tzinfo=timezone.utc)] * 2}}
print(store.get_historical_features(entity_df=spine, features=["activity:share", "activity:total"]).to_arrow().to_pydict())
print(store.to_yaml())
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=os.environ, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "'share': [0.5, 1.0], 'total': [3.0, 4.0]" in done.stdout
    assert "LEAST = 1.5" in done.stdout and "function: sizes" in done.stdout


def test_functions_that_are_refused():
    def inside(rows):
        return rows

    make = viand.feature_function(returns=float)
    for function, message in ((lambda rows: rows, "a lambda cannot be a feature"), (inside, "defined inside another"), (3, "expected a function that def makes"),
                              (Path.exists, "is a method")):
        with pytest.raises(viand.DefinitionError, match=message):
            make(function)
    with pytest.raises(viand.DefinitionError, match="unknown mode 'polars'"):
        viand.feature_function(returns=float, mode="polars")(make_repo_of)


def test_calls_from_threads(small):
    repo = in_python(small)
    stores = [viand.FeatureStore(repo) for _ in range(3)]
    spine = {"customer_id": [1, 2], "event_timestamp": [day(10)] * 2}
    results = []
    threads = [threading.Thread(target=lambda store=store: results.append(
        store.get_historical_features(entity_df=spine, features=["activity:total"]).to_arrow()["total"].to_pylist())) for store in stores]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[3.0, 4.0]] * 3
