"""Sources, spines and outputs on S3, against a real server (minio_server.py)."""

import json
import os
import random
import shutil
import sqlite3
import subprocess
import time

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from minio_server import MinioServer, free_port
from test_sources import define, make_rows, make_spine, split_by_folders, split_in_order, write

NO_CREDENTIALS = {"AWS_EC2_METADATA_DISABLED": "true"}


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = MinioServer(tmp_path_factory.mktemp("minio"))
    server.start()
    yield server
    server.stop()


def call(viand, repo, *arguments, variables, stdin=None):
    """Runs viand with the variables of AWS given here and no others; returns (code, output, error)."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment.update(variables, HOME=str(repo))
    done = subprocess.run([viand.program, *map(str, arguments), "-C", str(repo)], env=environment, capture_output=True,
                          text=True, timeout=300, input=stdin)
    return done.returncode, done.stdout, done.stderr


def works(viand, repo, *arguments, variables, **options):
    code, out, error = call(viand, repo, *arguments, variables=variables, **options)
    assert code == 0 and error == "", error + out
    return out


def upload(server, folder, target):
    """Copies a folder of this machine into the store, keys as the names are."""
    client = server.client()
    bucket = target.split("/")[0]
    client.create_dir(bucket)
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            with client.open_output_stream(f"{target}/{path.relative_to(folder)}") as stream:
                stream.write(path.read_bytes())


def historical(viand, repo, server, view, spine, out, *more, variables=None):
    works(viand, repo, "historical", "--spine", spine, "--features", f"ready_{view},computed_{view}",
          "--full-feature-names", "-o", out, *more, variables=variables or server.variables)


def read_result(path, view):
    table = pq.read_table(path)
    return table.rename_columns([column.replace(f"_{view}__", "__") for column in table.column_names])


@pytest.fixture(scope="module")
def rows(server, tmp_path_factory):
    """The same rows on this machine and in the store: one file, files in order, files by folders; and a spine."""
    folder = tmp_path_factory.mktemp("rows")
    rng = random.Random(1)
    table = make_rows(rng, 500)
    write(table, folder / "data/one/all rows+1%.parquet", rng)
    split_in_order(table, folder / "data/split", rng)
    write(split_by_folders(table, folder / "data/hive", rng), folder / "data/sorted/sorted.parquet", rng)
    (folder / "data/split/_SUCCESS").write_text("")
    make_spine(rng, folder / "data/spine.parquet")
    upload(server, folder / "data", "rows/data")
    return folder / "data"


def test_the_store_does_not_show(viand, server, rows, tmp_path):
    store = "s3://rows/data"
    sources = {"local": f"{rows}/one", "sorted": f"{rows}/sorted",
               "file": f'"{store}/one/all rows+1%.parquet"', "folder": f"{store}/split",
               "glob": f'"{store}/sp*/**/*.parquet"', "hive": f"{store}/hive",
               "hive_glob": f'"{store}/hive/day=*/region=*/*.parquet"'}
    repo = define(tmp_path / "repo", sources)
    works(viand, repo, "apply", variables=server.variables)
    tables = {}
    for view in sources:
        spine = f"{rows}/spine.parquet" if view in ("local", "sorted") else f"{store}/spine.parquet"
        historical(viand, repo, server, view, spine, repo / "out.parquet")
        tables[view] = read_result(repo / "out.parquet", view)
    for view in ("file", "folder", "glob"):
        assert tables[view].equals(tables["local"]), view
    for view in ("hive", "hive_glob"):
        assert tables[view].equals(tables["sorted"]), view
    historical(viand, repo, server, "hive", f"{store}/spine.parquet", repo / "out.parquet", "--executor", "processes")
    assert read_result(repo / "out.parquet", "hive").equals(tables["sorted"])


@pytest.mark.parametrize("format", ["parquet", "csv", "arrow"])
def test_output_and_spine_of_each_format(viand, server, rows, tmp_path, format):
    repo = define(tmp_path / "repo", {"s": "s3://rows/data/one"})
    works(viand, repo, "apply", variables=server.variables)
    for out in (tmp_path / f"out.{format}", f"s3://rows/out/o.{format}"):
        historical(viand, repo, server, "s", f"{rows}/spine.parquet", out)
    with server.client().open_input_stream(f"rows/out/o.{format}") as stream:
        assert stream.read() == (tmp_path / f"out.{format}").read_bytes()
    for spine in (tmp_path / f"out.{format}", f"s3://rows/out/o.{format}"):
        works(viand, repo, "historical", "--spine", spine, "--features", "ready_s", "-o", tmp_path / "again.parquet",
              variables=server.variables)
    assert pq.read_table(tmp_path / "again.parquet").num_rows == 60


@pytest.mark.parametrize("hashed", ["auto", "full", "footers"])
def test_a_manifest_lies_beside_its_output(viand, server, rows, tmp_path, hashed):
    repo = define(tmp_path / "repo", {"s": "s3://rows/data/one"})
    works(viand, repo, "apply", variables=server.variables)
    outputs = [tmp_path / "set.parquet", "s3://rows/out/set.parquet"]
    for out in outputs:
        historical(viand, repo, server, "s", "s3://rows/data/spine.parquet", out, "--manifest", hashed)
    with server.client().open_input_stream("rows/out/set.parquet.manifest.json") as stream:
        far = json.loads(stream.read())
    near = json.loads((tmp_path / "set.parquet.manifest.json").read_text())
    assert far["output"] == near["output"] and far["inputs"] == near["inputs"]
    assert "sha256" in far["output"]
    for out in (tmp_path / "again.parquet", "s3://rows/out/again.parquet"):
        made = json.loads(works(viand, repo, "historical", "--like", "s3://rows/out/set.parquet.manifest.json", "-o", out, "--json",
                                variables=server.variables))
        assert made["same_bytes"] is True


def test_an_endpoint_of_the_source_is_kept_as_feast_does(viand, server, rows, tmp_path):
    repo = define(tmp_path / "repo", {"s": ("s3://rows/data/one", f", s3_endpoint_override: {server.endpoint}")})
    variables = {name: value for name, value in server.variables.items() if name != "AWS_ENDPOINT_URL"}
    works(viand, repo, "apply", variables=variables)
    historical(viand, repo, server, "s", f"{rows}/spine.parquet", repo / "out.parquet", variables=variables)
    with sqlite3.connect(repo / "data" / "registry.db") as registry:
        [[source]] = registry.execute("select data_source_proto from data_sources where data_source_name = 's'")
    assert b"s3://rows/data/one" in source and server.endpoint.encode() in source
    assert server.secret.encode() not in source


def test_a_large_file_and_an_upload_in_parts(viand, server, tmp_path):
    rng = np.random.default_rng(3)
    count = 1_500_000
    times = pa.array(rng.integers(0, 10**12, count), pa.timestamp("us", "UTC"))
    users = pa.array(rng.integers(0, 50_000, count), pa.int64())
    server.client().create_dir("large")
    pq.write_table(pa.table({"user": users, "at": times, "score": pa.array(range(count), pa.int64()),
                             "region": pa.array(["eu"] * count), "day": pa.array([3] * count)}),
                   "large/rows/part.parquet", filesystem=server.client(), row_group_size=100_000)
    pq.write_table(pa.table({"user": users, "event_timestamp": times, "x": rng.random(count)}),
                   "large/spine.parquet", filesystem=server.client())
    with server.client().open_input_file("large/rows/part.parquet") as source, open(tmp_path / "rows.parquet", "wb") as copy:
        shutil.copyfileobj(source, copy)
    repo = define(tmp_path / "repo", {"far": "s3://large/rows", "near": "../rows.parquet"})
    works(viand, repo, "apply", variables=server.variables)
    features = ["--spine", "s3://large/spine.parquet", "--features"]
    works(viand, repo, "historical", *features, "ready_far", "-o", "s3://large/out/far.parquet", variables=server.variables)
    works(viand, repo, "historical", *features, "ready_near", "-o", tmp_path / "near.parquet", variables=server.variables)
    with server.client().open_input_stream("large/out/far.parquet") as stream:
        far = stream.read()
    assert len(far) > 20 << 20, "an upload of more than one part"
    assert far == (tmp_path / "near.parquet").read_bytes()


def fails(viand, repo, server, *arguments, variables):
    code, out, error = call(viand, repo, *arguments, variables=variables)
    assert code == 1, out + error
    assert server.secret not in out + error
    return error


def test_errors_name_bucket_and_reason_and_no_secret(viand, server, rows, tmp_path):
    repo = define(tmp_path / "repo", {"s": "s3://rows/data/one"})
    good = server.variables
    works(viand, repo, "apply", variables=good)
    plan = ["historical", "--spine", f"{rows}/spine.parquet", "--features", "ready_s", "-o"]

    wrong = {**good, "AWS_SECRET_ACCESS_KEY": "wrong" + server.secret[5:]}
    error = fails(viand, repo, server, *plan, "-", variables=wrong)
    assert 'source "s": cannot read s3://rows/data/one: ' in error and "bucket 'rows'" in error
    assert f"{server.endpoint} refuses the credentials: check AWS_ACCESS_KEY_ID" in error
    assert wrong["AWS_SECRET_ACCESS_KEY"] not in error

    half = {name: value for name, value in good.items() if name != "AWS_SECRET_ACCESS_KEY"}
    error = fails(viand, repo, server, *plan, "-", variables=half)
    assert "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not" in error

    error = fails(viand, repo, server, *plan, "-", variables={**NO_CREDENTIALS, "AWS_ENDPOINT_URL": server.endpoint})
    assert f"{server.endpoint} refuses who has no credentials: set AWS_ACCESS_KEY_ID" in error

    gone = {**good, "AWS_ENDPOINT_URL": f"http://127.0.0.1:{free_port()}"}
    error = fails(viand, repo, server, *plan, "-", variables=gone)
    assert f"{gone['AWS_ENDPOINT_URL']} does not answer: check AWS_ENDPOINT_URL" in error

    error = fails(viand, repo, server, *plan, "s3://nowhere/out.parquet", variables=good)
    assert 'cannot write s3://nowhere/out.parquet: there is no bucket "nowhere"' in error
    error = fails(viand, repo, server, "historical", "--spine", "s3://rows/none.parquet", "--features", "ready_s", "-o", "-",
                  variables=good)
    assert "cannot read the spine s3://rows/none.parquet: no such file" in error
    define(repo, {"s": "s3://nowhere/x"})
    error = fails(viand, repo, server, "plan", variables=good)
    assert 'source "s": cannot read s3://nowhere/x: there is no bucket "nowhere"' in error
    define(repo, {"s": f'"s3://{server.user}:{server.secret}@rows/data"'})
    error = fails(viand, repo, server, "plan", variables=good)
    assert "credentials do not belong into a path: s3://...@rows" in error


def test_a_public_bucket_needs_no_credentials(viand, server, rows, tmp_path):
    upload(server, rows / "one", "public/one")
    server.make_public("public")
    repo = define(tmp_path / "repo", {"s": f'"s3://public/one?endpoint_override={server.address}&scheme=http"'})
    works(viand, repo, "apply", variables={**NO_CREDENTIALS, "AWS_NO_SIGN_REQUEST": "true"})
    repo = define(tmp_path / "repo", {"s": f'"s3://public/one?endpoint_override={server.endpoint}&anonymous=true"'})
    works(viand, repo, "apply", variables=NO_CREDENTIALS)


def test_a_server_that_stops_in_the_middle(viand, rows, tmp_path):
    (tmp_path / "minio").mkdir()
    server = MinioServer(tmp_path / "minio")
    server.start()
    try:
        upload(server, rows / "split", "rows/split")
        repo = define(tmp_path / "repo", {"s": "s3://rows/split"})
        works(viand, repo, "apply", variables=server.variables)
        # It has listed the files and read their footers once it waits for the spine.
        process = subprocess.Popen(
            [viand.program, "historical", "--spine", "-", "--features", "ready_s", "-o", repo / "out.parquet", "-C", repo],
            stdin=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ, **server.variables})
        process.stdin.write(b"user,event_timestamp\n")
        process.stdin.flush()
        time.sleep(1)
        server.stop()
        started = time.monotonic()
        _, error = process.communicate(b"1,1970-01-05 00:00:00\n", timeout=120)
        assert process.returncode == 1
        assert 'source "s": cannot read s3://rows/split' in error.decode()
        assert f"{server.endpoint} does not answer" in error.decode()
        assert time.monotonic() - started < 60
        assert not list(repo.glob("out.parquet*"))
    finally:
        server.stop()


def test_backfill_knows_a_changed_file_by_its_tag(viand, server, tmp_path):
    rng = random.Random(5)
    client = server.client()
    client.create_dir("daily")

    def put(name, table):
        pq.write_table(table, f"daily/{name}.parquet", filesystem=client)

    table = make_rows(rng, 300).set_column(3, "region", pa.array(["eu"] * 300))
    put("a", table)
    repo = define(tmp_path / "repo", {"s": "s3://daily"})
    text = (repo / "definitions.yaml").read_text()
    snapshots = "snapshots:\n  - {name: daily, source: s, first: start + 3d, last: end, every: 1d}\nfeature_views:"
    stored = """
  - {name: stored, entities: [user], source: s, snapshots: daily, window: 3d, features: {n: count(*), total: sum(score)}}
"""
    (repo / "definitions.yaml").write_text(text.replace("feature_views:", snapshots) + stored)

    def step():
        report = json.loads(works(viand, repo, "run", "--json", variables=server.variables))
        [found] = [step for step in report["steps"] if step["object"] == "stored"]
        return found

    first = step()
    assert first["status"] == "computed" and first["rows"] > 0
    assert step()["status"] == "fresh"
    put("a", table.set_column(2, "score", pa.array(range(1, 301), pa.int64())))
    assert step()["status"] == "computed"
    make_spine(rng, tmp_path / "spine.parquet")
    upload(server, tmp_path, "spines")
    works(viand, repo, "historical", "--spine", "s3://spines/spine.parquet", "--features", "stored", "-o",
          tmp_path / "out.parquet", variables=server.variables)
    assert pq.read_table(tmp_path / "out.parquet")["total"].null_count < 60
