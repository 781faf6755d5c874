"""What viand says of bad input and failing writes, and that nothing half-written stays behind."""

import os
import re
import resource
import shutil
import signal
import subprocess
import time
import zipfile
from pathlib import Path

import pytest
from conftest import store_config

DATASET = """datasets:
  - name: sales
    from: {{path: {path}, types: {{id: bigint, at: timestamp}}{more}}}
    to: data/sales.parquet
"""
CONFIG = store_config("errors")
CONTENT_TYPES = '<?xml version="1.0"?><Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types"/>'
RELATIONS = ('<?xml version="1.0"?><Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
             '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" '
             'Target="{target}"/></Relationships>')
WORKBOOK = ('<?xml version="1.0"?><workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" '
            'xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
            '<sheets><sheet name="Sales 2011" sheetId="1" r:id="r1"/></sheets></workbook>')
SHEET = ('<?xml version="1.0"?><worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
         "<sheetData>{rows}</sheetData></worksheet>")


def make_row(number, *cells):
    texts = "".join(f'<c r="{column}{number}" t="inlineStr"><is><t>{cell}</t></is></c>' if isinstance(cell, str)
                    else f'<c r="{column}{number}"><v>{cell}</v></c>' for column, cell in zip("ABC", cells))
    return f'<row r="{number}">{texts}</row>'


HEADER = make_row(1, "id", "at")
ROWS = HEADER + "".join(make_row(number, number, 40_000 + number) for number in range(2, 400))


def write_workbook(path, rows=ROWS, padding=0):
    """A minimal .xlsx; `padding` blanks behind the sheet's rows compress to nearly nothing."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("[Content_Types].xml", CONTENT_TYPES)
        archive.writestr("_rels/.rels", RELATIONS.format(kind="officeDocument", target="xl/workbook.xml"))
        archive.writestr("xl/workbook.xml", WORKBOOK)
        archive.writestr("xl/_rels/workbook.xml.rels", RELATIONS.format(kind="worksheet", target="worksheets/sheet1.xml"))
        with archive.open("xl/worksheets/sheet1.xml", "w") as sheet:
            head, tail = SHEET.split("{rows}")
            sheet.write((head + rows).encode())
            for _ in range(padding):
                sheet.write(b" " * (1 << 20))
            sheet.write(tail.encode())
    return path


@pytest.fixture
def repo(tmp_path):
    folder = tmp_path / "repo"
    folder.mkdir()
    (folder / "feature_store.yaml").write_text(CONFIG)
    define(folder)
    return folder


def define(repo, path="sales.xlsx", more=""):
    (repo / "definitions.yaml").write_text(DATASET.format(path=path, more=more))


def left_behind(repo):
    """Files of the data folder that are no finished output."""
    return sorted(str(path.relative_to(repo)) for path in (repo / "data").rglob("*") if ".tmp." in path.name)


def failing(viand, repo, *arguments):
    code, out, error = viand.call(repo, *arguments)
    assert code == 1, f"exit code {code}\n{out}{error}"
    assert out == ""
    assert not left_behind(repo)
    return error


# ---- workbooks ------------------------------------------------------------------------------------------------

def test_the_workbook_of_these_tests_is_one(viand, repo):
    write_workbook(repo / "sales.xlsx")
    assert viand.json(repo, "ingest")["steps"][0]["rows"] == 398


def test_a_missing_workbook(viand, repo):
    error = failing(viand, repo, "ingest")
    assert error.startswith("error: definitions.yaml:3:18: there is no file ")
    assert "sales.xlsx" in error and "paths are relative to the repo" in error


def test_a_truncated_workbook(viand, repo):
    path = write_workbook(repo / "sales.xlsx")
    path.write_bytes(path.read_bytes()[:-200])
    assert "sales.xlsx is cut off: its zip directory is missing or incomplete\n  hint: copy or download" in failing(viand, repo, "ingest")


def test_an_encrypted_workbook(viand, repo):
    (repo / "sales.xlsx").write_bytes(bytes.fromhex("d0cf11e0a1b11ae1") + bytes(2048))
    error = failing(viand, repo, "ingest")
    assert "sales.xlsx is an encrypted workbook or an old .xls; expected xlsx" in error
    assert "save it as .xlsx without a password" in error


def test_an_encrypted_part(viand, repo):
    path = write_workbook(repo / "sales.xlsx")
    content = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = -1
        while (at := content.find(mark, at + 1)) >= 0:
            content[at + offset] |= 1
    path.write_bytes(content)
    assert "is encrypted\n  hint: save the workbook without a password" in failing(viand, repo, "ingest")


def test_a_zip_that_is_no_workbook(viand, repo):
    with zipfile.ZipFile(repo / "sales.xlsx", "w") as archive:
        archive.writestr("letter.txt", "Dear reader")
    assert "sales.xlsx is a zip file but no xlsx workbook: it has no xl/workbook.xml" in failing(viand, repo, "ingest")


def test_a_file_that_is_no_zip(viand, repo):
    (repo / "sales.xlsx").write_text("id,at\n1,2026-01-01\n" * 100)
    assert "sales.xlsx is no xlsx workbook: it is not a zip file" in failing(viand, repo, "ingest")


def test_a_zip_bomb(viand, repo):
    write_workbook(repo / "sales.xlsx", padding=200)
    error = failing(viand, repo, "ingest")
    assert "xl/worksheets/sheet1.xml looks like a zip bomb: 2" in error and "the limit is 400 to 1" in error


def test_a_damaged_sheet(viand, repo):
    write_workbook(repo / "sales.xlsx", rows=HEADER + "<row r='2'><c></row>")
    assert 'sheet "Sales 2011" is cut off: its rows do not end' in failing(viand, repo, "ingest")


def test_a_wrong_sheet(viand, repo):
    write_workbook(repo / "sales.xlsx")
    define(repo, more=", sheet: Sales 2012")
    assert 'has no sheet "Sales 2012"; it has "Sales 2011"\n  hint: did you mean "Sales 2011"?' in failing(viand, repo, "ingest")
    define(repo, more=", sheet: 7")
    assert "has no sheet 7; it has 1, counted from 0" in failing(viand, repo, "ingest")


def test_a_missing_column(viand, repo):
    write_workbook(repo / "sales.xlsx", rows=make_row(1, "id", "att") + make_row(2, 1, 40_000))
    error = failing(viand, repo, "ingest")
    assert 'the files of dataset "sales" have no column "at"\n  hint: did you mean "att"?' in error


def test_a_cell_that_does_not_fit(viand, repo):
    write_workbook(repo / "sales.xlsx", rows=HEADER + make_row(2, 1, 40_000) + make_row(3, "two", 40_001))
    error = failing(viand, repo, "ingest")
    assert 'sheet "Sales 2011", cell A3 (' in error and 'found text "two", expected bigint' in error
    assert "on_error: skip (leaves the row out) or null (empties the cell)" in error
    write_workbook(repo / "sales.xlsx", rows=HEADER + make_row(2, 1.5, 40_000))
    error = failing(viand, repo, "ingest")
    assert "cell A2 (" in error and "1.5, expected bigint" in error


def test_a_workbook_without_rows(viand, repo):
    write_workbook(repo / "sales.xlsx", rows=HEADER)
    assert 'dataset "sales" has no rows' in failing(viand, repo, "ingest")
    write_workbook(repo / "sales.xlsx", rows="")
    assert 'sheet "Sales 2011" is empty; expected a header row' in failing(viand, repo, "ingest")


# ---- failing writes -------------------------------------------------------------------------------------------

SNAPSHOTS = """entities:
  - {name: user, join_keys: [user_id], value_type: INT64}
datasets:
  - name: events
    from: {path: events.csv, types: {user_id: bigint, at: timestamp, amount: double}}
    to: data/events.parquet
sources:
  - {name: events, type: file, path: data/events.parquet, timestamp_field: at}
snapshots:
  - {name: weekly, source: events, first: start + 7d, last: end, every: 7d}
feature_views:
  - {name: activity, entities: [user], source: events, snapshots: weekly, window: 7d, features: {n: count(*), total: sum(amount)}}
"""
DAYS = 50
CUTOFFS = 7


def write_events(repo, rows):
    """Amounts that do not compress, so that the output has a size."""
    with open(repo / "events.csv", "w") as file:
        file.write("user_id,at,amount\n")
        for row in range(rows):
            day, second = divmod(row * DAYS * 86_400 // rows, 86_400)
            amount = (row * 2_654_435_761) % 4_294_967_291 / 977
            moment = f"2026-{1 + day // 28:02}-{1 + day % 28:02} {second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}"
            file.write(f"{row * 7919 % 5000},{moment},{amount}\n")


@pytest.fixture
def events_repo(repo):
    (repo / "definitions.yaml").write_text(SNAPSHOTS)
    write_events(repo, 20_000)
    return repo


def snapshot_rows(repo):
    import pyarrow.parquet

    tables = [pyarrow.parquet.read_table(path) for path in sorted((repo / "data/offline/activity/current").glob("*.parquet"))]
    rows = [tuple(row.values()) for table in tables for row in table.to_pylist()]
    return sorted(rows, key=str)


@pytest.fixture
def undisturbed(viand, events_repo, tmp_path):
    other = tmp_path / "undisturbed"
    shutil.copytree(events_repo, other)
    assert viand.steps(other)["backfill", "activity"]["cutoffs_computed"] == CUTOFFS
    return snapshot_rows(other)


def with_file_limit(viand, repo, limit, *arguments):
    """Runs with a bound on the size of every file it writes: a write beyond it fails as on a full disk."""
    process = viand.start(repo, *arguments,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)))
    out, error = process.communicate(timeout=300)
    return process.returncode, out, error


TOO_LARGE = ("cannot write {}: File too large\n  hint: a limit bounds the size of files (ulimit -f, or the file system's): "
             "raise it, then run the command again; nothing was half-written\n")


def test_a_write_that_fails_in_the_middle_of_ingest(viand, events_repo, undisturbed):
    code, _, error = with_file_limit(viand, events_repo, 64 << 10, "run")
    assert code == 1, error
    assert error == "error: " + TOO_LARGE.format(events_repo / "data/events.parquet")
    assert not left_behind(events_repo)
    assert not (events_repo / "data/events.parquet").exists()
    viand.json(events_repo, "run")
    assert snapshot_rows(events_repo) == undisturbed


def test_a_write_that_fails_in_the_middle_of_backfill(viand, events_repo, undisturbed):
    viand.json(events_repo, "run", "ingest", "apply")
    code, _, error = with_file_limit(viand, events_repo, 16 << 10, "backfill")
    assert code == 1, error
    part = re.fullmatch("error: " + re.escape(TOO_LARGE).replace(r"\{\}", r"(\S+)"), error)
    assert part and Path(part[1]).parent == events_repo / "data/offline/activity/parts", error
    assert not left_behind(events_repo)
    viand.json(events_repo, "run")
    assert snapshot_rows(events_repo) == undisturbed


@pytest.mark.parametrize("name", ["out.csv", "out.parquet", "out.arrow"])
def test_a_write_that_fails_in_the_middle_of_historical(viand, events_repo, tmp_path, name):
    viand.json(events_repo, "run")
    spine = tmp_path / "spine.csv"
    spine.write_text("user_id,event_timestamp\n" + "".join(f"{row % 5000},2026-02-1{row % 9}T00:00:0{row % 7}\n" for row in range(50_000)))
    code, _, error = with_file_limit(viand, events_repo, 16 << 10, "historical", "--spine", spine, "--features", "activity",
                                     "-o", tmp_path / name)
    assert code == 1 and error == "error: " + TOO_LARGE.format(tmp_path / name)
    assert [path.name for path in tmp_path.glob("out*")] == []


def test_a_disk_that_is_full(viand, events_repo):
    """In a mount namespace data is a file system of 64 KB; where none may be made, a limit stands in for it."""
    (events_repo / "data").mkdir()
    mounted = f"mount -t tmpfs -o size=64k none '{events_repo}/data'"
    spaces = [["unshare", "-m", "bash", "-c"], ["unshare", "-rm", "bash", "-c"]]
    space = next((space for space in spaces if subprocess.run([*space, mounted], capture_output=True).returncode == 0), None)
    expected = TOO_LARGE.format(events_repo / "data/events.parquet")
    if space:
        done = subprocess.run([*space, f"{mounted} && '{viand.program}' ingest -C '{events_repo}'"], capture_output=True, text=True, timeout=60)
        code, error = done.returncode, done.stderr
        expected = re.sub(": File too large.*(?=run the)", ": No space left on device\n  hint: free some disk space, then ", expected, flags=re.DOTALL)
    else:
        code, _, error = with_file_limit(viand, events_repo, 64 << 10, "ingest")
    assert code == 1 and error == "error: " + expected


def interrupted(viand, repo, monkeypatch, failpoint, *arguments):
    with monkeypatch.context() as patch:
        patch.setenv("VIAND_FAILPOINT", failpoint)
        return viand.call(repo, *arguments)


def test_a_full_disk_stops_the_backfill_and_the_next_run_goes_on(viand, events_repo, undisturbed, monkeypatch):
    code, _, error = interrupted(viand, events_repo, monkeypatch, "backfill.part:4:error", "run")
    assert code == 1 and "no space left on device" in error
    assert not left_behind(events_repo)
    steps = viand.steps(events_repo)
    assert steps["backfill", "activity"]["cutoffs_computed"] == CUTOFFS - 4
    assert snapshot_rows(events_repo) == undisturbed


def test_an_interrupted_backfill_goes_on_where_it_stopped(viand, events_repo, undisturbed, monkeypatch):
    code, _, error = interrupted(viand, events_repo, monkeypatch, "backfill.part:3:interrupt", "run")
    assert code == 130
    assert error.startswith("error: interrupted; nothing is half-written\n  hint: run the same command again")
    assert not left_behind(events_repo)
    steps = viand.steps(events_repo)
    assert steps["ingest", "events"]["status"] == "fresh"
    assert steps["backfill", "activity"]["cutoffs_computed"] == CUTOFFS - 3
    assert snapshot_rows(events_repo) == undisturbed


def test_an_interrupted_ingest_leaves_nothing(viand, events_repo):
    write_events(events_repo, 600_000)
    process = viand.start(events_repo, "ingest", "--threads", "1")
    deadline = time.monotonic() + 60
    while not list((events_repo / "data").glob("*.tmp.*")) and process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.001)
    process.send_signal(signal.SIGINT)
    _, error = process.communicate(timeout=60)
    assert process.returncode == 130, error
    assert "interrupted; nothing is half-written" in error
    assert not left_behind(events_repo) and not (events_repo / "data/events.parquet").exists()
    assert viand.json(events_repo, "ingest")["steps"][0]["rows"] == 600_000


def test_a_folder_that_cannot_be_made(viand, events_repo):
    (events_repo / "data").write_text("a file where the folder belongs")
    code, _, error = viand.call(events_repo, "ingest")
    assert code == 1 and "Not a directory" in error and "data" in error
    (events_repo / "data").unlink()
    viand.json(events_repo, "run")


def test_a_reader_that_stops_early(viand, events_repo):
    viand.json(events_repo, "ingest")
    (events_repo / "spine.csv").write_text("user_id,event_timestamp\n" + "1,2026-02-01\n" * 100_000)
    (events_repo / "definitions.yaml").write_text(SNAPSHOTS.replace(", snapshots: weekly", ""))
    command = f"'{viand.program}' historical -C '{events_repo}' --spine '{events_repo}/spine.csv' --features activity -o - | head -1"
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, timeout=60)
    assert done.stdout == '"user_id","event_timestamp","n","total"\n'


def test_a_read_only_output(viand, events_repo, tmp_path):
    """A read-only file system binds root too; without the right to mount one, the folder's mode binds the user."""
    output = tmp_path / "output"
    output.mkdir()
    program = f"exec '{viand.program}' ingest -C '{events_repo}'"
    (events_repo / "data").symlink_to(output)
    mounted = f"mount -t tmpfs -o ro,size=1m none '{output}'"
    command = ["unshare", "-m", "bash", "-c", f"{mounted} && {program}"]
    if os.geteuid() != 0 or subprocess.run(["unshare", "-m", "bash", "-c", mounted], capture_output=True).returncode:
        output.chmod(0o555)
        command = ["bash", "-c", program]
    if os.geteuid() == 0 and command[0] == "bash":
        (events_repo / "data").unlink()
        (events_repo / "data").symlink_to("/proc")  # read-only for everybody
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stdout
    assert "cannot write" in done.stderr and "events.parquet" in done.stderr
    output.chmod(0o755)
    if (events_repo / "data").readlink() == output:
        viand.json(events_repo, "ingest")
