"""A repo with definitions in Python: what the program reads, what it leaves alone, and errors at the line of the file."""

import os
import signal
import sys
import time

import pytest

from definitions_fixture import error_of, exported, make_repo, python_of_the_program  # noqa: F401

PYTHON = """\
from viand import Entity, FeatureView, Field, FileSource, ValueType, col, count
from viand.types import Float64

user = Entity(name="user", join_keys=["user_id"], value_type=ValueType.INT64)
events = FileSource(name="events", path="data/events.parquet", timestamp_field="at")
spent = FeatureView(name="spent", entities=[user], source=events, window="7d", features={
    "total": col("amount").sum(),
    "most": "max(amount)",
})
"""
YAML = """\
entities:
  - {name: user, join_keys: [user_id], value_type: INT64}
sources:
  - {name: events, path: data/events.parquet, timestamp_field: at}
feature_views:
  - {name: spent, entities: [user], source: events, window: 7d, features: {total: sum(amount), most: max(amount)}}
"""


def write_events(repo):
    import pyarrow as pa
    import pyarrow.parquet as pq
    (repo / "data").mkdir(exist_ok=True)
    times = pa.array([1, 2, 3], pa.timestamp("us"))
    pq.write_table(pa.table({"user_id": [1, 1, 2], "at": times, "amount": [1.0, 2.0, 4.0], "kind": ["a", "b", "a"]}), repo / "data" / "events.parquet")
    return repo


# ---- what is read ---------------------------------------------------------------------------------------------

def test_python_is_read_as_yaml_is(viand, tmp_path):
    in_python, in_yaml = make_repo(tmp_path / "p", definitions_py=PYTHON), make_repo(tmp_path / "y", definitions_yaml=YAML)
    assert exported(viand, in_python) == exported(viand, in_yaml)


def test_a_plan_made_in_python_stays_when_the_repo_says_it_in_yaml(viand, tmp_path):
    repo = write_events(make_repo(tmp_path, definitions_py=PYTHON))
    assert viand.call(repo, "apply", "--yes")[0] == 0
    (repo / "definitions.py").unlink()
    (repo / "definitions.yaml").write_text(YAML)
    assert not viand.json(repo, "plan")["has_effect"]
    (tmp_path / "spine.csv").write_text("user_id,event_timestamp\n1,2024-01-01\n")
    assert viand.call(repo, "historical", "--spine", repo / "spine.csv", "--features", "spent", "-o", repo / "out.csv")[0] == 0


def test_files_import_each_other_and_folders_are_packages(viand, tmp_path):
    repo = make_repo(tmp_path, shared__entities_py=PYTHON.split("spent =")[0], views_py="""
import viand
from shared.entities import events, user
from plain import window
views = [viand.FeatureView(name=f"view_{n}", entities=[user], source=events, window=window, features={"n": viand.count()}) for n in "ab"]
""", plain_py="window = '7d'\n")
    text = exported(viand, repo)
    assert text.count("name: user") == 1 and "view_a" in text and "view_b" in text


def test_yaml_and_python_stand_side_by_side(viand, tmp_path):
    repo = make_repo(tmp_path, base_yaml=YAML, more_py="""
from viand import FeatureService, FeatureView, count
FeatureView(name="unnamed", source="events", features={"n": count()}, window="1d")  # not kept by the module: not there
view = FeatureView(name="n_events", entities=["user"], source="events", features={"n": count()}, window="1d")
service = FeatureService(name="both", features=["spent:total", view])
""")
    text = exported(viand, repo)
    assert "n_events" in text and "spent:total" in text.replace('"', "") or "spent" in text
    assert "unnamed" not in text


def test_what_is_referred_to_comes_along(viand, tmp_path):
    repo = make_repo(tmp_path, definitions_py="""
from viand import Entity, FeatureView, FileSource
view = FeatureView(name="v", entities=[Entity(name="user")], source=FileSource(name="s", path="x", timestamp_field="at"), schema=["a"])
""")
    text = exported(viand, repo)
    assert "name: user" in text and "name: s" in text


def test_names_of_files_that_are_modules_of_python_too(viand, tmp_path):
    repo = make_repo(tmp_path, json_py=PYTHON, viand_py="from viand import Entity\nother = Entity(name='other')\n", a_b__01_defs_py="""
import viand
third = viand.Entity(name="third")
""")
    text = exported(viand, repo)
    assert all(f"name: {name}\n" in text for name in ("user", "other", "third"))


# ---- what is left alone ---------------------------------------------------------------------------------------

def test_no_python_is_started_where_no_file_imports_viand(viand, tmp_path, monkeypatch):
    repo = make_repo(tmp_path, definitions_yaml=YAML, feast_definitions_py="from feast import Entity\nraise SystemExit\n",
                     train_py="# import viand\nraise ValueError\n")
    monkeypatch.setenv("VIAND_PYTHON", "/nowhere/python")
    assert "spent" in exported(viand, repo)


def test_what_feastignore_names_and_what_is_hidden(viand, tmp_path):
    bad = "import viand\nraise ValueError\n"
    repo = make_repo(tmp_path, definitions_py=PYTHON, scratch__deep__x_py=bad, old_py=bad, sub__bad_py=bad, sub__good_py=PYTHON.replace('"user"', '"other"').replace(
        '"events"', '"other_events"').replace('"spent"', '"other_spent"'), data__x_py=bad, venv__pyvenv_cfg="", venv__lib__x_py=bad, tests__scratch__y_py=bad)
    (repo / "venv" / "pyvenv.cfg").write_text("")
    (repo / ".hidden").mkdir()
    (repo / ".hidden" / "x.py").write_text(bad)
    (repo / ".feastignore").write_text("# notes\nscratch/\nold.py  # once\nsub/b*.py\n**/tests\n")
    assert "other_spent" in exported(viand, repo)


def test_names_of_python_that_are_no_files(viand, tmp_path):
    repo = make_repo(tmp_path, definitions_py=PYTHON)
    (repo / "gone.py").symlink_to("nowhere.py")
    (repo / "folder.py").mkdir()
    os.mkfifo(repo / "pipe.py")
    with open(repo / "huge.py", "w") as huge:
        huge.write("import viand\n")
        huge.truncate(17 << 20)
    assert "spent" in exported(viand, repo)


def test_a_script_that_opens_the_store_is_not_run(viand, tmp_path):
    script = """
import sys
from viand import FeatureStore
open("was_run", "w").close()
store = FeatureStore(".")
"""
    repo = make_repo(tmp_path, definitions_py=PYTHON, train_py=script)
    assert "spent" in exported(viand, repo) and not (repo / "was_run").exists()


def test_a_program_part_is_not_run(viand, tmp_path):
    repo = make_repo(tmp_path, definitions_py=PYTHON + '\nif __name__ == "__main__":\n    raise ValueError\n')
    assert "spent" in exported(viand, repo)


def test_what_the_files_print_is_not_in_the_output(viand, tmp_path):
    repo = make_repo(tmp_path, definitions_py="print('hello')\n" + PYTHON + "import os, sys\nos.write(1, b'raw\\n')\nprint('error', file=sys.stderr)\n")
    code, out, error = viand.call(repo, "list", "--json")
    assert code == 0 and "hello" not in out and "raw" not in out and "hello" in error and "raw" in error


def test_what_the_files_leave_running_is_not_waited_for(viand, tmp_path, monkeypatch):
    text = PYTHON + """
import subprocess, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
subprocess.Popen(["sleep", "60"])
print("said")
"""
    monkeypatch.setenv("VIAND_PYTHON_TIMEOUT", "40")  # waiting would be an error
    code, _, error = viand.call(make_repo(tmp_path, definitions_py=text), "list")
    assert code == 0 and "said" in error


# ---- errors at their lines ------------------------------------------------------------------------------------

def test_an_error_within_a_text_points_into_the_file(viand, tmp_path):
    repo = write_events(make_repo(tmp_path, definitions_py=PYTHON.replace('"max(amount)"', '"max(amunt)"')))
    assert error_of(viand, repo).startswith('error: definitions.py:8:18: unknown column "amunt"')
    (repo / "definitions.py").write_text(PYTHON.replace('"max(amount)"', '"""max(amount)\n            + max(amunt)"""'))
    assert error_of(viand, repo).startswith('error: definitions.py:9:19: unknown column "amunt"')
    (repo / "definitions.py").write_text(PYTHON.replace('"max(amount)"', "'max(amount'"))
    assert "definitions.py:8:24: expected \",\" or \")\", found the end" in error_of(viand, repo)


def test_an_error_within_a_field_points_into_the_file(viand, tmp_path):
    for argument in ("", ", default=0"):
        text = PYTHON.replace('"max(amount)"', f'Field(\n        expr="max(amunt)"{argument})')
        repo = write_events(make_repo(tmp_path, definitions_py=text))
        assert error_of(viand, repo).startswith('error: definitions.py:9:19: unknown column "amunt"')


def test_an_error_of_an_expression_is_at_its_line(viand, tmp_path):
    repo = write_events(make_repo(tmp_path, definitions_py=PYTHON.replace('col("amount")', 'col("amunt")')))
    assert error_of(viand, repo).startswith('error: definitions.py:7:14: unknown column "amunt"')
    # Made elsewhere, and a text put together: the line of the argument.
    text = PYTHON.replace("user =", "worst = col('amunt').sum()\nuser =").replace('col("amount").sum()', "worst").replace('"max(amount)"', '"max(" + "amunt)"')
    (repo / "definitions.py").write_text(text)
    error = error_of(viand, repo)
    assert 'definitions.py:8:14: unknown column "amunt"' in error and 'definitions.py:9:13: unknown column "amunt"' in error


def test_unknown_names_and_wrong_shapes_are_at_their_lines(viand, tmp_path):
    repo = make_repo(tmp_path, definitions_py=PYTHON.replace("entities=[user]", 'entities=["usr"]'))
    assert error_of(viand, repo).startswith('error: definitions.py:6:45: unknown entity "usr"')
    (repo / "definitions.py").write_text(PYTHON.replace('"user", join', '"us er", join'))
    assert 'definitions.py:4:20: "us er" is not a name' in error_of(viand, repo)
    (repo / "definitions.py").write_text(PYTHON.replace("Entity(name", "Entity(nme"))
    assert error_of(viand, repo).startswith("error: definitions.py:4:8: Entity has no argument 'nme'\n  hint: did you mean 'name'?")


def test_two_of_one_name_tell_both_places(viand, tmp_path):
    repo = make_repo(tmp_path, a_py=PYTHON, b_py="import viand\n\nagain = viand.Entity(name='user')\n")
    assert error_of(viand, repo).startswith("error: b.py:3:9: the entity 'user' is defined twice, first at a.py:4")
    (repo / "b.py").unlink()
    (repo / "c.yaml").write_text("entities:\n  - {name: user}\n")
    error = error_of(viand, repo)
    assert "c.yaml:2" in error and "a.py:4" in error


def test_exceptions_of_the_files_are_errors_at_their_lines(viand, tmp_path):
    repo = make_repo(tmp_path, a_py="import viand\nx = 1 / 0\n", b_py="import viand\nfrom lib import make\nmake()\n", lib_py="def make():\n    raise KeyError('k')\n",
                     c_py="import viand\nx = (\n", d_py="import viand\nimport no_such_package\n", e_py="import viand, sys\nsys.exit(3)\n")
    error = error_of(viand, repo)
    for line in ("a.py:2:5: ZeroDivisionError: division by zero", "lib.py:2:5: KeyError: 'k'", "c.py:2", "SyntaxError",
                 "d.py:2", "No module named 'no_such_package'", "install it for ", "e.py:2", "the file ends Python (SystemExit)"):
        assert line in error
    assert "Traceback" not in error


def test_a_module_of_feast_that_is_not_here(viand, tmp_path):
    repo = make_repo(tmp_path, a_py="from viand.entities import Entity\n")
    error = error_of(viand, repo)
    assert error.startswith("error: a.py:1") and "No module named 'viand.entities'" in error and "from viand import Entity" in error


def test_a_file_that_ends_python_or_takes_too_long(viand, tmp_path, monkeypatch):
    repo = make_repo(tmp_path, a_py="import viand, os\nos._exit(7)\n")
    assert error_of(viand, repo).startswith("error: a.py: Python ended with exit code 7 while it read the file")
    (repo / "a.py").write_text("import viand, os\nos.kill(os.getpid(), 9)\n")
    assert error_of(viand, repo).startswith("error: a.py: Python ended with signal 9 while it read the file")
    monkeypatch.setenv("VIAND_PYTHON_TIMEOUT", "0.5")
    (repo / "a.py").write_text("import viand, time\ntime.sleep(1000)\n")
    error = error_of(viand, repo)
    assert error.startswith("error: a.py: reading the file took longer than 0.5 seconds") and "VIAND_PYTHON_TIMEOUT" in error


def test_ctrl_c_ends_the_reading(viand, tmp_path):
    repo = make_repo(tmp_path, a_py="import viand, time, os\nopen('pid', 'w').write(str(os.getpid()))\ntime.sleep(1000)\n")
    process = viand.start(repo, "list")
    while not (repo / "pid").exists() or not (repo / "pid").read_text():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=60) == 130
    with pytest.raises(ProcessLookupError):
        while True:
            os.kill(int((repo / "pid").read_text()), 0)
            time.sleep(0.02)


def test_no_python_and_no_package(viand, tmp_path, monkeypatch):
    repo = make_repo(tmp_path / "repo", definitions_py=PYTHON)
    monkeypatch.setenv("VIAND_PYTHON", "/nowhere/python")
    error = error_of(viand, repo)
    assert "definitions.py: the file imports viand, and the Python to read it with, /nowhere/python, does not start: No such file" in error
    assert "hint: install Python 3.11 or later with the package viand, or name it in $VIAND_PYTHON" in error
    bare = tmp_path / "python"
    bare.write_text(f"#!/bin/sh\nunset PYTHONPATH\nexec {sys.executable} -S \"$@\"\n")
    bare.chmod(0o755)
    monkeypatch.setenv("VIAND_PYTHON", str(bare))
    error = error_of(viand, repo)
    assert f"definitions.py: the file imports viand, and {bare} has no package viand" in error and "pip install viand" in error


def test_a_package_of_another_version(viand, tmp_path, monkeypatch):
    repo = make_repo(tmp_path / "repo", definitions_py=PYTHON)
    other = tmp_path / "python"
    other.write_text("#!/bin/sh\necho '{\"format\": \"viand.definitions/9\"}'\n")
    other.chmod(0o755)
    monkeypatch.setenv("VIAND_PYTHON", str(other))
    assert "is of another version: it does not say viand.definitions/1" in error_of(viand, repo)
    other.write_text("#!/bin/sh\necho '{\"format\": \"viand.definitions/1\", \"files\": 3}'\n")
    assert "said what is not viand.definitions/1" in error_of(viand, repo)


def test_a_project_in_python_is_the_repos(viand, tmp_path):
    repo = make_repo(tmp_path, definitions_py=PYTHON + 'from viand import Project\np = Project(name="project", description="x")\n')
    assert "spent" in exported(viand, repo)
    (repo / "definitions.py").write_text(PYTHON + 'from viand import Project\np = Project(name="prject")\n')
    assert error_of(viand, repo).startswith('error: definitions.py:11:5: the project "prject" is not the repo\'s, which is "project"')


def test_a_store_that_is_opened_while_definitions_are_read(viand, tmp_path, monkeypatch):
    """The program refuses, so that a file of definitions that opens one is not read for ever."""
    repo = make_repo(tmp_path, definitions_yaml=YAML)
    monkeypatch.setenv("VIAND_READING_DEFINITIONS", "1")
    assert "a FeatureStore is opened while definitions are read" in error_of(viand, repo)


def test_a_rollback_of_what_python_defines_says_so(viand, tmp_path):
    repo = write_events(make_repo(tmp_path, definitions_py=PYTHON))
    assert viand.call(repo, "apply", "--yes")[0] == 0
    (repo / "definitions.py").write_text(PYTHON.replace("7d", "8d"))
    assert viand.call(repo, "apply", "--yes")[0] == 0
    code, _, error = viand.call(repo, "rollback", "spent@v0")
    assert code == 1 and "definitions.py" in error and "write there by hand" in error
    assert "8d" in (repo / "definitions.py").read_text()
