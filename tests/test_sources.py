"""Sources of many files: folders, patterns, hive partitions, schemas that drift. However the rows of a table lie in
files, a retrieval gives what it gives from the one file."""

import os
import random

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from conftest import store_config

HOUR_US = 3_600_000_000
SOURCE = "  - {{name: {name}, path: {path}, timestamp_field: at{more}}}\n"
VIEWS = """
  - name: ready_{name}
    entities: [user]
    source: {name}
    schema: [{{name: score, dtype: Int64}}, {{name: region, dtype: String}}]
    ttl: 2d
  - name: computed_{name}
    entities: [user]
    source: {name}
    window: 3d
    where: region != 'us' and day >= 2
    features: {{n: count(*), total: sum(score), last_region: last(region), days: count(distinct day)}}
"""


def define(repo, sources):
    """A repo whose sources (name -> path, or (path, more keys)) each have a ready and a computed view."""
    repo.mkdir(exist_ok=True)
    (repo / "feature_store.yaml").write_text(store_config("sources"))
    text = "entities:\n  - {name: user, join_keys: [user], value_type: INT64}\nsources:\n"
    for name, path in sources.items():
        path, more = path if isinstance(path, tuple) else (path, "")
        text += SOURCE.format(name=name, path=path, more=more)
    text += "feature_views:" + "".join(VIEWS.format(name=name) for name in sources)
    (repo / "definitions.yaml").write_text(text)
    return repo


def make_rows(rng, rows):
    """Many ties of time, nulls in every column but the day, in no order."""
    def some(value):
        return None if rng.random() < 0.1 else value
    return pa.table({
        "user": pa.array([some(rng.randrange(8)) for _ in range(rows)], pa.int64()),
        "at": pa.array([some(rng.randrange(200) * HOUR_US) for _ in range(rows)], pa.timestamp("us", "UTC")),
        "score": pa.array(range(rows), pa.int64()),
        "region": pa.array([some(rng.choice(["eu", "us", "a/b c"])) for _ in range(rows)], pa.string()),
        "day": pa.array([rng.randrange(4) for _ in range(rows)], pa.int64()),
    })


def make_spine(rng, path, rows=60):
    pq.write_table(pa.table({
        "user": pa.array([rng.randrange(10) for _ in range(rows)], pa.int64()),
        "event_timestamp": pa.array([rng.randrange(250) * HOUR_US for _ in range(rows)], pa.timestamp("us", "UTC")),
        "label": pa.array(range(rows), pa.int32())}), path)
    return path


def retrieve(viand, repo, spine, name, *more):
    out = repo / f"{name}.parquet"
    viand.json(repo, "historical", "--spine", spine, "--features", f"ready_{name},computed_{name}",
               "--full-feature-names", "-o", out, *more)
    table = pq.read_table(out)
    return table.rename_columns([column.replace(f"_{name}__", "__") for column in table.column_names])


def write(table, path, rng):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(table, path, row_group_size=rng.choice([1, 7, 1000]))


def hive_value(value):
    return "__HIVE_DEFAULT_PARTITION__" if value is None else str(value).replace("/", "%2F").replace(" ", "%20")


def split_in_order(table, folder, rng):
    """Files whose names are in the order of the rows; the file at the front may hold none."""
    cuts = sorted(rng.randrange(table.num_rows + 1) for _ in range(rng.randrange(6)))
    for i, (start, end) in enumerate(zip([0, *cuts], [*cuts, table.num_rows])):
        write(table.slice(start, end - start), folder / f"p{i}{rng.choice(['', '/x'])}.parquet", rng)


def split_by_folders(table, folder, rng):
    """A file for each (region, day), without these columns; returns the rows in the order of the files' names."""
    pieces = {}
    keys = pa.table({"region": table["region"], "day": table["day"]}).group_by(["region", "day"]).aggregate([]).to_pylist()
    for key in keys:
        region = table["region"]
        mask = pc.is_null(region) if key["region"] is None else pc.equal(region, key["region"])
        piece = table.filter(pc.and_(pc.fill_null(mask, False), pc.equal(table["day"], key["day"])))
        path = folder / f"day={key['day']}" / f"region={hive_value(key['region'])}" / "part.parquet"
        write(piece.drop_columns(["region", "day"]), path, rng)
        pieces[str(path)] = piece
    return pa.concat_tables([pieces[path] for path in sorted(pieces)])


@pytest.mark.parametrize("seed", range(40 if os.environ.get("VIAND_LONG") else 4))
def test_the_split_into_files_does_not_show(viand, tmp_path, seed):
    rng = random.Random(seed)
    rows = make_rows(rng, 400)
    split_in_order(rows, tmp_path / "split", rng)
    by_folder = split_by_folders(rows, tmp_path / "hive", rng)
    write(rows, tmp_path / "one.parquet", rng)
    write(by_folder, tmp_path / "sorted.parquet", rng)
    repo = define(tmp_path / "repo", {"one": "../one.parquet", "split": "../split", "globbed": "../split/**/*.parquet",
                                      "sorted": "../sorted.parquet", "hive": "../hive",
                                      "hive_glob": f"{tmp_path}/hive/day=*/region=*/*.parquet"})
    spine = make_spine(rng, tmp_path / "spine.parquet")
    viand.json(repo, "apply")
    expected = retrieve(viand, repo, spine, "one")
    assert retrieve(viand, repo, spine, "split").equals(expected)
    assert retrieve(viand, repo, spine, "globbed", "--batch-rows", "3", "--partitions", "5").equals(expected)
    expected = retrieve(viand, repo, spine, "sorted")
    assert retrieve(viand, repo, spine, "hive").equals(expected)
    assert retrieve(viand, repo, spine, "hive_glob", "--threads", "1").equals(expected)
    assert retrieve(viand, repo, spine, "hive", "--executor", "processes").equals(expected)
    assert expected["computed__n"].null_count < expected.num_rows


def fails(viand, repo, *arguments):
    code, out, error = viand.call(repo, *arguments)
    assert code == 1, out + error
    return error.replace(str(repo.parent), "")


def test_drift_names_file_column_and_types(viand, tmp_path):
    rng = random.Random(7)
    rows = make_rows(rng, 40)
    write(rows.set_column(2, "score", rows["score"].cast(pa.int32())), tmp_path / "data/a.parquet", rng)
    write(rows.select(["day", "region", "score", "at", "user"]), tmp_path / "data/b.parquet", rng)
    repo = define(tmp_path / "repo", {"s": "../data"})
    spine = make_spine(rng, tmp_path / "spine.parquet")
    viand.json(repo, "apply")
    assert retrieve(viand, repo, spine, "s").schema.field("ready__score").type == pa.int64()

    write(rows.set_column(2, "score", rows["score"].cast(pa.string())), tmp_path / "data/c.parquet", rng)
    error = fails(viand, repo, "historical", "--spine", spine, "--features", "ready_s", "-o", repo / "x.parquet")
    assert 'column "score" of source "s", file /data/c.parquet is string, expected int64' in error

    write(rows.drop_columns("region"), tmp_path / "data/c.parquet", rng)
    error = fails(viand, repo, "historical", "--spine", spine, "--features", "ready_s", "-o", repo / "x.parquet")
    assert 'no column "region" in source "s", file /data/c.parquet' in error
    define(repo, {"s": ("../data", ", missing_columns: fill_null")})
    nulls = retrieve(viand, repo, spine, "s")
    write(rows.set_column(3, "region", pa.nulls(rows.num_rows, pa.string())), tmp_path / "data/c.parquet", rng)
    assert retrieve(viand, repo, spine, "s").equals(nulls)


def test_a_column_in_file_and_folder_must_agree(viand, tmp_path):
    rng = random.Random(8)
    rows = make_rows(rng, 40)
    for day in range(4):
        write(rows.filter(pc.equal(rows["day"], day)), tmp_path / f"data/day={day}/part.parquet", rng)
    repo = define(tmp_path / "repo", {"s": "../data"})
    spine = make_spine(rng, tmp_path / "spine.parquet")
    viand.json(repo, "apply")
    retrieve(viand, repo, spine, "s")
    write(rows, tmp_path / "data/day=2/part.parquet", rng)
    error = fails(viand, repo, "historical", "--spine", spine, "--features", "computed_s", "-o", repo / "x.parquet")
    assert ('source "s", file /data/day=2/part.parquet: the column "day" is in the file and in the name of its folder '
            "(day=2), and nothing shows that they agree") in error


@pytest.mark.parametrize(("more", "error"), [
    (", file_format: csv", 'unknown file_format "csv", expected parquet'),
    (", missing_columns: ignore", 'unknown missing_columns "ignore", expected error or fill_null'),
    (", s3_endpoint_override: h", "has an s3_endpoint_override, but its path ../data is not on S3"),
])
def test_keys_of_a_source(viand, tmp_path, more, error):
    repo = define(tmp_path / "repo", {"s": ("../data", more)})
    assert error in fails(viand, repo, "plan")


def test_declared_types_of_folders(viand, tmp_path):
    """zip=01234 is a text and no number where the definitions say so."""
    rng = random.Random(9)
    for zip_code in ("01234", "56789"):
        rows = pa.table({"at": pa.array([0, HOUR_US], pa.timestamp("us")), "month": pa.array([1, 2], pa.int64())})
        write(rows.drop_columns("month"), tmp_path / f"data/zip={zip_code}/month=01/part.parquet", rng)
    repo = tmp_path / "repo"
    repo.mkdir()
    (repo / "feature_store.yaml").write_text(store_config("folders"))
    (repo / "definitions.yaml").write_text("""
entities: [{name: zip, join_keys: [zip], value_type: STRING}]
sources: [{name: s, path: ../data, timestamp_field: at}]
feature_views:
  - {name: text, entities: [zip], source: s, schema: [{name: month, dtype: String}], ttl: 0d}
  - {name: number, entities: [zip], source: s, schema: [{name: month}], ttl: 0d}
  - {name: counted, entities: [zip], source: s, window: unbounded, features: {n: count(*), m: max(month)}}
""")
    (tmp_path / "spine.csv").write_text("zip,event_timestamp\n01234,1970-01-02\n1234,1970-01-02\n56789,1970-01-02\n")
    viand.json(repo, "apply")
    code, out, error = viand.call(repo, "historical", "--spine", tmp_path / "spine.csv", "--full-feature-names",
                                  "--features", "text,number,counted", "-o", "-")
    assert (code, error) == (0, "")
    assert out.splitlines()[1:] == ['"01234",1970-01-02,"01",1,2,1', '"1234",1970-01-02,,,,',
                                    '"56789",1970-01-02,"01",1,2,1']
    (repo / "definitions.yaml").write_text((repo / "definitions.yaml").read_text().replace("STRING", "UNIX_TIMESTAMP"))
    error = fails(viand, repo, "historical", "--spine", tmp_path / "spine.csv", "--features", "text", "-o", "-")
    assert 'the folder zip=01234 of /data/zip=01234/month=01/part.parquet is no timestamp[us]' in error


@pytest.mark.parametrize(("dataset", "error"), [
    ("from: s3://bucket/raw.csv, to: data/d.parquet",
     'dataset "d" reads s3://bucket/raw.csv, and a dataset reads files of this machine'),
    ("from: raw.csv, to: s3://bucket/d.parquet",
     'dataset "d" writes s3://bucket/d.parquet, and a dataset writes to this machine'),
])
def test_datasets_are_of_this_machine(viand, tmp_path, dataset, error):
    repo = define(tmp_path / "repo", {})
    (repo / "definitions.yaml").write_text(f"datasets:\n  - {{name: d, {dataset}}}\n")
    assert error in fails(viand, repo, "ingest")
