"""What a registry stores, read without viand: every object, version, history row and log entry of a backend.

    stored = read_stored("sqlite", folder / "data" / "registry.db")
    stored.hash()       of every byte that counts
    stored.meaning()    the same without the times and ids that each apply draws anew
"""

import hashlib
import json
import sqlite3
from dataclasses import dataclass

# kind: table, content, field of the registry file, and in the message the field `meta` with its two times
FEAST_KINDS = {0: ("projects", "project_proto", 17, 2, {1, 2}), 1: ("entities", "entity_proto", 1, 2, {1, 2}),
               2: ("data_sources", "data_source_proto", 12, 50, {3, 4}),
               3: ("feature_views", "feature_view_proto", 6, 2, {1, 2}),
               7: ("feature_services", "feature_service_proto", 7, 2, {1, 2})}
VERSIONS_FIELD = 18
COLUMN, ROW = "\x1f", "\x1e"


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at


def fields(message):
    """(number, content, bytes with the tag) of each field of a protobuf; content is None unless it has a length."""
    at = 0
    while at < len(message):
        start = at
        tag, at = varint(message, at)
        content = None
        if tag & 7 == 2:
            size, at = varint(message, at)
            content, at = message[at:at + size], at + size
        elif tag & 7 == 0:
            _, at = varint(message, at)
        else:
            at += {1: 8, 5: 4}[tag & 7]
        assert at <= len(message), "a field is cut off"
        yield tag >> 3, content, message[start:at]


def without_times(kind, message):
    """A message of Feast's without when it was made and changed."""
    if kind not in FEAST_KINDS:
        return message
    meta, times = FEAST_KINDS[kind][3:]
    return b"".join(b"".join(inner for at, _, inner in fields(content) if at not in times) if number == meta else whole
                    for number, content, whole in fields(message))


@dataclass
class Stored:
    objects: list  # (kind, content)
    recorded: list  # (kind, name, content, sha256): viand's own objects, and what it says that it wrote of Feast's
    history: list  # (kind, name, revision, content, sha256)
    versions: list  # (view, number, content)
    log: list  # (changes)
    times: list

    def hash(self):
        return hashlib.sha256(repr(self).encode()).hexdigest()

    def meaning(self):
        parts = (sorted((kind, without_times(kind, content)) for kind, content in self.objects),
                 sorted((kind, name, content) for kind, name, content, _ in self.recorded),
                 sorted((kind, name, revision, without_times(kind, content)) for kind, name, revision, content, _ in self.history),
                 sorted((view, number, without_times(3, content)) for view, number, content in self.versions), self.log)
        return hashlib.sha256(repr(parts).encode()).hexdigest()

    def check_hashes(self):
        """Every object is what the last apply says that it wrote, and so is every row of the history."""
        for kind in FEAST_KINDS:
            wrote = sorted(sha256 for of, _, _, sha256 in self.recorded if of == kind)
            assert wrote == sorted(hashlib.sha256(content).hexdigest() for of, content in self.objects if of == kind), kind
        for kind, name, revision, content, sha256 in self.history:
            assert hashlib.sha256(content).hexdigest() == sha256, (kind, name, revision)


def object_queries(blob):
    for kind, (table, content, *_) in FEAST_KINDS.items():
        yield f"select {kind}, {blob(content)} from {table} order by 1, 2"


def viand_queries(blob):
    yield f"select kind, name, coalesce({blob('content')}, ''), sha256 from viand_objects order by 1, 2"
    yield f"select kind, name, revision, coalesce({blob('content')}, ''), sha256 from viand_object_history order by 1, 2, 3"
    yield "select changes from viand_apply_log order by id"
    yield ("select applied_us from viand_apply_log union all select updated_us from viand_objects "
           "union all select applied_us from viand_object_history order by 1")


def version_query(blob):
    return f"select feature_view_name, version_number, {blob('feature_view_proto')} from feature_view_version_history order by 1, 2"


def rows_of(results, *types):
    return [tuple(make(value) for make, value in zip(types, row, strict=True)) for row in results]


def unhex(text):
    return bytes.fromhex(text)


def made(objects, viand, versions):
    recorded, history, log, times = viand
    return Stored([row for kind in objects for row in rows_of(kind, int, unhex)], rows_of(recorded, int, str, unhex, str),
                  rows_of(history, int, str, int, unhex, str), rows_of(versions, str, int, unhex), rows_of(log, str), times)


def of_sqlite(path):
    connection = sqlite3.connect(path)
    try:
        assert connection.execute("pragma integrity_check").fetchone() == ("ok",)

        def run(sql):
            return connection.execute(sql).fetchall()

        def blob(column):
            return f"hex({column})"

        return made([run(sql) for sql in object_queries(blob)], [run(sql) for sql in viand_queries(blob)],
                    run(version_query(blob)))
    finally:
        connection.close()


def of_postgres(server, database):
    def blob(column):
        return f"encode({column}, 'hex')"

    queries = [*object_queries(blob), *viand_queries(blob), version_query(blob)]
    # One snapshot, one psql: the answers are told apart by a row between them. psql ends each with a newline.
    text = "begin isolation level repeatable read;" + "select '#';".join(sql + ";" for sql in queries)
    answers = server.sql(text, database, separators=(COLUMN, ROW)).split("#\n")
    tables = [[row.split(COLUMN) for row in answer.removesuffix("\n").split(ROW) if row] for answer in answers]
    assert len(tables) == len(queries)
    count = len(FEAST_KINDS)
    return made(tables[:count], tables[count:-1], tables[-1])


def of_file(path):
    whole = path.read_bytes()
    sha256 = hashlib.sha256(whole).hexdigest()
    side = path.with_name(f"{path.name}.viand.{sha256}").read_bytes()
    header, image = side.split(b"\n", 1)
    assert json.loads(header)["format"] == "viand registry 1"
    objects = {number: [] for number in (*(kind[2] for kind in FEAST_KINDS.values()), VERSIONS_FIELD)}
    for number, content, _ in fields(whole):
        if number in objects:
            objects[number].append(content)
    connection = sqlite3.connect(":memory:")
    connection.deserialize(image)
    viand = [connection.execute(sql).fetchall() for sql in viand_queries(lambda column: f"hex({column})")]
    connection.close()
    versions = []
    for history in objects[VERSIONS_FIELD]:
        for _, record, _ in fields(history):
            parts = {number: (content, raw) for number, content, raw in fields(record)}
            version = varint(parts[3][1], 1)[0] if 3 in parts else 0
            versions.append((parts[1][0].decode(), version, parts[5][0].hex()))
    return made([[(kind, content.hex()) for content in objects[at]] for kind, (_, _, at, *_) in FEAST_KINDS.items()],
                viand, sorted(versions))
