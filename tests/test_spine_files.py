"""Spines of many files: folders, patterns, hive partitions, every format; and what is told where they are none."""

import datetime
import gzip

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from lookups import Lookups, write_spine

SPINE = pa.table({"k": pa.array([i % 5 for i in range(40)], pa.int64()), "event_timestamp": pa.array(range(40), pa.timestamp("s")).cast(pa.timestamp("us")),
                  "label": pa.array([f"row {i}" for i in range(40)])})


@pytest.fixture
def lookups(viand, tmp_path):
    repo = Lookups(viand, tmp_path)
    repo.add("scores", pa.table({"k": [0, 1, 2, 1], "ts": pa.array([0, 3, 5, 20], pa.timestamp("s")), "v": [10, 11, 12, 13]}), ["k"])
    (tmp_path / "spines").mkdir()
    return repo


def split(folder, suffix, table=SPINE):
    """Files whose names are in the order of the rows; one of them has none."""
    for i, (start, rows) in enumerate(((0, 7), (7, 0), (7, 20), (27, 13))):
        write_spine(table.slice(start, rows), folder / f"part-{i}{suffix}")


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows", ".csv"])
def test_patterns_of_every_format(lookups, suffix):
    split(lookups.folder / "spines", suffix)
    found = lookups.retrieve(f"{lookups.folder}/spines/part-*{suffix}")
    assert found["label"].to_pylist() == SPINE["label"].to_pylist()
    assert found["scores__v"].to_pylist() == lookups.expected("scores", SPINE)
    if suffix != ".csv":
        assert found.select(SPINE.column_names).equals(SPINE)


def test_a_folder(lookups):
    split(lookups.folder / "spines", ".parquet")
    (lookups.folder / "spines/deeper").mkdir()
    write_spine(SPINE.slice(0, 3), lookups.folder / "spines/deeper/more.parquet")
    (lookups.folder / "spines/_SUCCESS").write_text("")
    (lookups.folder / "spines/notes.txt").write_text("not a spine")
    spine = pa.concat_tables([SPINE.slice(0, 3), SPINE])  # names in order: deeper/ before part-
    for options in ([], ["--threads", "1", "--batch-rows", "3"]):
        found = lookups.retrieve(lookups.folder / "spines", *options)
        assert found.select(SPINE.column_names).equals(spine)
        assert found["scores__v"].to_pylist() == lookups.expected("scores", spine)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow"])
def test_folders_are_columns(lookups, suffix):
    """A key, a time and a label out of the names of folders."""
    expected = []
    for day in (1, 2):
        for k in (1, 2):
            folder = lookups.folder / f"spines/day=2026-01-0{day}/k={k}"
            folder.mkdir(parents=True)
            write_spine(pa.table({"label": [f"{day}-{k}"]}), folder / f"part{suffix}")
            expected.append({"label": f"{day}-{k}", "day": datetime.date(2026, 1, day), "k": k, "scores__v": 13 if k == 1 else 12})
    found = lookups.retrieve(f"{lookups.folder}/spines/**/*{suffix}", "--timestamp-column", "day")
    assert found.to_pylist() == expected


def test_a_key_of_text_in_the_name_of_a_folder(viand, tmp_path):
    """zip=01234 stays a text where the view's key is one."""
    lookups = Lookups(viand, tmp_path)
    lookups.add("towns", pa.table({"zip": ["01234", "1234"], "ts": pa.array([0, 0], pa.timestamp("s")), "v": [1, 2]}), ["zip"])
    folder = tmp_path / "spines/zip=01234"
    folder.mkdir(parents=True)
    write_spine(pa.table({"event_timestamp": pa.array([1], pa.timestamp("s"))}), folder / "part.parquet")
    assert lookups.retrieve(tmp_path / "spines").to_pydict() == {
        "event_timestamp": [datetime.datetime(1970, 1, 1, 0, 0, 1)], "zip": ["01234"], "towns__v": [1]}


def test_columns_in_any_order_and_width(lookups):
    narrow = SPINE.set_column(0, "k", SPINE["k"].cast(pa.int8()))
    write_spine(narrow.slice(0, 9), lookups.folder / "spines/a.parquet")
    write_spine(SPINE.slice(9).select(["label", "event_timestamp", "k"]), lookups.folder / "spines/b.parquet")
    assert lookups.retrieve(lookups.folder / "spines").select(SPINE.column_names).equals(SPINE)


def test_columns_that_differ_are_told(lookups):
    write_spine(SPINE, lookups.folder / "spines/a.parquet")
    write_spine(SPINE.drop_columns("label"), lookups.folder / "spines/b.parquet")
    error = lookups.fails(lookups.folder / "spines")
    assert error == ('error: no column "label" in spine spines, file spines/b.parquet\n'
                     "  hint: it has: k, event_timestamp\n"), error
    write_spine(SPINE.set_column(2, "label", pa.array(range(40))), lookups.folder / "spines/b.parquet")
    error = lookups.fails(lookups.folder / "spines")
    assert 'column "label" of spine spines, file spines/b.parquet is int64, expected string' in error, error
    for name, table in (("a", SPINE), ("b", SPINE.drop_columns("label"))):
        write_spine(table, lookups.folder / f"spines/{name}.arrows")
    error = lookups.fails(f"{lookups.folder}/spines/*.arrows")
    assert error == ("error: cannot read the spine spines/b.arrows: its columns are not those of spines/a.arrows\n"
                     "  hint: streams of one spine have the same columns in the same order\n"), error


def test_files_of_two_formats_are_told(lookups):
    write_spine(SPINE, lookups.folder / "spines/a.parquet")
    write_spine(SPINE, lookups.folder / "spines/b.csv")
    error = lookups.fails(f"{lookups.folder}/spines/*")
    assert error.startswith("error: cannot read the spine spines/*: spines/b.csv is CSV, but spines/a.parquet is Parquet\n"), error


def test_nothing_there(lookups):
    takes = ("\n  hint: a spine is a Parquet, CSV or Arrow IPC file, a folder or a pattern of them, - for standard input, or labels:NAME\n")
    for path, why in (("spines", "there is no Parquet file in the folder; a pattern finds others"), ("spines/*.csv", "no file fits the pattern"),
                      ("spines/none.csv", "no such file")):
        assert lookups.fails(f"{lookups.folder}/{path}") == f"error: cannot read the spine {path}: {why}{takes}"


def test_a_name_that_looks_like_a_pattern(lookups):
    path = write_spine(SPINE, lookups.folder / "spines/spine[1]{a,b}*.parquet")
    assert lookups.retrieve(path).select(SPINE.column_names).equals(SPINE)


def test_compressed_csv(lookups):
    pyarrow.csv.write_csv(SPINE, lookups.folder / "spines/plain.csv")
    (lookups.folder / "spines/packed.csv.gz").write_bytes(gzip.compress((lookups.folder / "spines/plain.csv").read_bytes()))
    plain = lookups.retrieve(lookups.folder / "spines/plain.csv")
    assert lookups.retrieve(lookups.folder / "spines/packed.csv.gz").equals(plain)
    both = lookups.retrieve(f"{lookups.folder}/spines/p*")
    assert both.equals(pa.concat_tables([plain, plain]).combine_chunks())


def test_labels_and_models_take_them_too(viand, tmp_path):
    """A population of many files, and its labels as a spine."""
    lookups = Lookups(viand, tmp_path)
    lookups.add("scores", pa.table({"k": [1, 1, 2], "ts": pa.array([1, 5, 9], pa.timestamp("s")), "v": [1, 2, 3]}), ["k"])
    lookups.services = """
labels:
  - name: later
    population: {spine: spines, entities: [of_scores]}
    source: scores_rows
    window: 10s following
    columns: {n: count(*)}
"""
    (tmp_path / "spines").mkdir()
    split(tmp_path / "spines", ".parquet", SPINE.select(["k", "event_timestamp"]))
    found = lookups.retrieve("labels:later")
    assert found.select(["k", "event_timestamp"]).equals(SPINE.select(["k", "event_timestamp"]))
    after = [sum(1 for key, second in ((1, 1), (1, 5), (2, 9)) if key == row["k"] and t <= second < t + 10) for t, row in enumerate(SPINE.to_pylist())]
    assert found["n"].to_pylist() == after
    assert found["scores__v"].to_pylist() == lookups.expected("scores", SPINE)
    assert pq.read_table(tmp_path / "scores.parquet").num_rows == 3


def test_a_file_of_many_that_is_no_parquet(lookups):
    split(lookups.folder / "spines", ".parquet")
    (lookups.folder / "spines/part-9.parquet").write_text("k,event_timestamp\n")
    error = lookups.fails(lookups.folder / "spines")
    assert "spines/part-9.parquet is not a Parquet file" in error, error


@pytest.mark.parametrize("suffix", [".arrow", ".arrows", ".parquet"])
def test_an_error_of_a_damaged_spine_names_it(lookups, viand, suffix):
    lookups.apply()
    path = lookups.folder / f"damaged{suffix}"
    write_spine(SPINE, path)
    whole = path.read_bytes()
    refused = 0
    for at in range(8, len(whole), len(whole) // 24):
        path.write_bytes(whole[:at] + bytes(8) + whole[at + 8:])
        code, _, error = viand.call(lookups.folder, "historical", "--spine", path, "--features", "scores", "-o", lookups.folder / "out.parquet")
        if code:
            refused += 1
            assert code in (1, 2) and path.name in error.split("\n")[0], (at, error)
    assert refused > 5
