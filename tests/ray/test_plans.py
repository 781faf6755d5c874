"""Plans run on a Ray cluster as on threads: the same files byte for byte, and errors of the data as they were written."""

import hashlib
import shutil
import sys
from pathlib import Path

import pandas as pd
import pytest

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "retail"


@pytest.fixture(scope="module")
def prepared(viand, generated_workbook, tmp_path_factory):
    """The retail example, its raw data ingested and its definitions applied."""
    repo = tmp_path_factory.mktemp("prepared") / "retail"
    shutil.copytree(EXAMPLE, repo, ignore=shutil.ignore_patterns("data", "__pycache__"))
    (repo / "data").mkdir()
    shutil.copyfile(generated_workbook, repo / "data" / "online_retail.xlsx")
    viand.json(repo, "run", "ingest", "apply")
    rows = pd.read_parquet(repo / "data" / "transactions.parquet")
    spine = pd.DataFrame({"customer_id": [*rows.customer_id.head(5000), -1, None], "event_timestamp":
                          [*(rows.invoice_date.head(5000) + pd.Timedelta("100D")), *rows.invoice_date.head(2)]})
    spine.astype({"customer_id": "Int64"}).to_parquet(repo / "spine.parquet")
    return repo


@pytest.fixture
def on_cluster(viand, ray_cluster):
    """Runs viand on the cluster."""
    environment = ray_cluster.environment | {"VIAND_PYTHON": sys.executable}

    def run(repo, *arguments):
        code, out, error = viand.call(repo, *arguments, "--executor", "ray", "--ray-address", ray_cluster.address, env=environment)
        assert code == 0, error + out
        return out

    return run


def hashes(folder):
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*.parquet")) if path.is_file()}


def test_the_retail_example_gives_the_same_bytes(viand, prepared, on_cluster, tmp_path):
    local, remote = tmp_path / "local" / "retail", tmp_path / "remote" / "retail"
    for repo in (local, remote):
        shutil.copytree(prepared, repo)
    assert viand.call(local, "backfill")[0] == 0
    on_cluster(remote, "backfill")
    assert hashes(local / "data" / "offline") == hashes(remote / "data" / "offline")
    for spine in ("spine.parquet", "labels:purchased_30d"):
        arguments = ("historical", "--spine", spine if ":" in spine else prepared / spine, "--service", "purchase_propensity_v1")
        assert viand.call(local, *arguments, "-o", tmp_path / "local.parquet")[0] == 0
        on_cluster(remote, *arguments, "-o", tmp_path / "remote.parquet")
        assert (tmp_path / "local.parquet").read_bytes() == (tmp_path / "remote.parquet").read_bytes()
