"""Registries in a real PostgreSQL, as a user meets them: URLs, rights, errors without passwords, a server that stops."""

import socket
import time
from urllib.parse import quote

import pytest
from conftest import EVENTS
from cutting_proxy import CuttingProxy
from postgres_server import PASSWORD, PostgresServer

DEFINITIONS = EVENTS + """feature_views:
  - name: facts
    entities: [user]
    source: events
    schema: [{name: score, dtype: Float64}]
"""


@pytest.fixture(scope="module")
def server():
    server = PostgresServer()
    yield server
    server.close()


@pytest.fixture
def repo(tmp_path, server):
    write_config(tmp_path, server.url(server.new_database()))
    (tmp_path / "definitions.yaml").write_text(DEFINITIONS)
    return tmp_path


def write_config(repo, url, project="users"):
    (repo / "feature_store.yaml").write_text(
        f"project: {project}\nprovider: local\nregistry: {{registry_type: sql, path: '{url}'}}\n")


def add_view(repo, name):
    with open(repo / "definitions.yaml", "a") as definitions:
        definitions.write(f"  - {{name: {name}, entities: [user], source: events, schema: [{{name: score, dtype: Float64}}]}}\n")


def fails(viand, repo, *arguments):
    """The error of a command that must exit with 1; no form of the password may be in any text."""
    code, out, error = viand.call(repo, *arguments)
    assert code == 1, f"exit code {code}:\n{out}{error}"
    for form in (PASSWORD, quote(PASSWORD, safe=""), "s3cret"):
        assert form not in out + error
    return error


def test_apply_then_nothing_to_do(viand, repo):
    report = viand.json(repo, "apply")
    assert report["registry"].startswith("postgresql feast@127.0.0.1:")
    assert "s3cret" not in str(report)
    assert not viand.json(repo, "plan")["has_effect"]
    code, out, error = viand.call(repo, "list", "feature-views")
    assert code == 0 and "facts" in out and not error


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_schemes(viand, repo, server, scheme):
    write_config(repo, server.url(server.new_database(), scheme))
    assert viand.json(repo, "apply")["has_effect"]


def test_url_from_the_environment(viand, repo, server, monkeypatch):
    monkeypatch.setenv("REGISTRY_URL", server.url(server.new_database()))
    write_config(repo, "${REGISTRY_URL}")
    assert viand.json(repo, "apply")["has_effect"]


def test_password_from_the_environment(viand, repo, server, monkeypatch):
    url = f"postgresql://feast@127.0.0.1:{server.port}/{server.new_database()}"
    write_config(repo, url)
    error = fails(viand, repo, "apply")
    assert "the server asks for a password" in error and "PGPASSWORD" in error
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    assert viand.json(repo, "apply")["has_effect"]


def test_wrong_password(viand, repo, server):
    write_config(repo, server.url("postgres", password="s3cret"))
    error = fails(viand, repo, "plan")
    assert 'wrong user or password: password authentication failed for user "feast"' in error
    assert "hint: correct registry.path" in error


def test_wrong_user(viand, repo, server):
    write_config(repo, server.url("postgres", user="nobody_here"))
    assert 'password authentication failed for user "nobody_here"' in fails(viand, repo, "plan")


def test_wrong_database(viand, repo, server):
    write_config(repo, server.url("nowhere"))
    error = fails(viand, repo, "plan")
    assert 'no such database: database "nowhere" does not exist' in error and "createdb" in error


def test_wrong_host(viand, repo, server):
    write_config(repo, server.url("postgres", host="no-such-host.invalid"))
    error = fails(viand, repo, "plan")
    assert "no such host" in error and "no-such-host.invalid" in error


def test_wrong_port_is_tried_for_some_seconds(viand, repo, server):
    write_config(repo, server.url("postgres", port=1))
    start = time.monotonic()
    error = fails(viand, repo, "plan")
    assert "nothing answers there" in error and "Connection refused" in error
    assert 2 < time.monotonic() - start < 10


def test_host_that_never_answers(viand, repo, server):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        write_config(repo, server.url("postgres", port=mute.getsockname()[1]) + "?connect_timeout=1")
        assert "nothing answers there: no answer within 1 s" in fails(viand, repo, "plan")


def test_unknown_option(viand, repo, server):
    write_config(repo, server.url("postgres") + "?colour=green")
    assert 'invalid connection option "colour"' in fails(viand, repo, "plan")


def test_password_with_an_at_sign(viand, repo):
    write_config(repo, "postgresql://feast:s3cr@t@localhost/features")
    error = fails(viand, repo, "plan")
    assert "more than one @" in error and "s3cr" not in error and "%40" in error


def test_missing_rights(viand, repo, server):
    database = server.new_database()
    server.sql("create role reader login password 'only-reads'")
    write_config(repo, server.url(database, user="reader", password="only-reads"))
    error = fails(viand, repo, "apply")
    assert "missing rights: permission denied for schema public" in error and "grant create" in error
    write_config(repo, server.url(database))
    viand.json(repo, "apply")
    write_config(repo, server.url(database, user="reader", password="only-reads"))
    assert "missing rights: permission denied for table" in fails(viand, repo, "plan")
    server.sql("grant select on all tables in schema public to reader", database)
    assert not viand.json(repo, "plan")["has_effect"]
    add_view(repo, "more")
    assert "missing rights: permission denied for table" in fails(viand, repo, "apply")
    server.sql("grant insert, update, delete on all tables in schema public to reader", database)
    assert viand.json(repo, "apply")["has_effect"]


def test_newer_schema(viand, repo, server):
    database = server.new_database()
    write_config(repo, server.url(database))
    viand.json(repo, "apply")
    server.sql("update viand_schema set version = 99", database)
    assert "written by a newer viand: its schema is 99" in fails(viand, repo, "plan")


def test_tables_of_another_layout(viand, repo, server):
    database = server.new_database()
    server.sql("create table entities (name text)", database)
    write_config(repo, server.url(database))
    assert "not laid out as Feast 0.67 lays it out" in fails(viand, repo, "plan")


def test_server_that_stops_and_comes_back(viand, repo, server):
    viand.json(repo, "apply")
    add_view(repo, "more")
    server.stop()
    try:
        error = fails(viand, repo, "apply")
        assert "nothing answers there" in error and "start the server" in error
    finally:
        server.start()
    changes = [c["name"] for c in viand.json(repo, "plan")["changes"] if c["action"] == "add"]
    assert changes == ["more"]
    server.stop()
    process = viand.start(repo, "apply")
    time.sleep(1)
    server.start()
    _, error = process.communicate()
    assert process.returncode == 0, error
    assert not viand.json(repo, "plan")["has_effect"]


def applies(server, repo):
    database = (repo / "feature_store.yaml").read_text().split("/test")[1].split("'")[0]
    return int(server.sql("select count(*) from viand_apply_log", f"test{database}"))


@pytest.mark.parametrize("moment", ["answer", "question"])
def test_connection_that_is_cut_at_the_commit(viand, repo, server, moment):
    """Whether the server has committed is asked of the server: applied once, whichever it was."""
    viand.json(repo, "apply")
    add_view(repo, "more")
    direct = (repo / "feature_store.yaml").read_text()
    proxy = CuttingProxy(server.port, moment)
    (repo / "feature_store.yaml").write_text(direct.replace(f":{server.port}/", f":{proxy.port}/"))
    report = viand.json(repo, "apply")
    assert proxy.cuts == 1 and report["has_effect"]
    proxy.close()
    (repo / "feature_store.yaml").write_text(direct)
    assert not viand.json(repo, "plan")["has_effect"] and applies(server, repo) == 2


@pytest.mark.parametrize("moment", ["answer", "question"])
def test_connection_that_is_cut_at_the_commit_for_good(viand, repo, server, moment):
    viand.json(repo, "apply")
    add_view(repo, "more")
    direct = (repo / "feature_store.yaml").read_text()
    proxy = CuttingProxy(server.port, moment, then="refuse")
    (repo / "feature_store.yaml").write_text(direct.replace(f":{server.port}/", f":{proxy.port}/"))
    error = fails(viand, repo, "apply")
    assert proxy.cuts == 1 and "whether the changes were applied is not known until viand plan tells" in error
    proxy.close()
    (repo / "feature_store.yaml").write_text(direct)
    assert viand.json(repo, "plan")["has_effect"] == (moment == "question")
    assert applies(server, repo) == (1 if moment == "question" else 2)
