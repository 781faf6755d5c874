"""Sources of rows: FileSource, and Feast's PushSource in front of one."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from viand import arguments as check
from viand.arguments import definition
from viand.data_format import ParquetFormat
from viand.document import Definition, present
from viand.expressions import described, wrong
from viand.feast_names import of_module

__all__ = ["FileSource", "PushSource"]


@definition
class FileSource(Definition):
    """Parquet files with a time a row.

    path: a file, folder or glob, relative to the repo, or s3://...; or a Dataset, whose output it then is.
    missing_columns: "fill_null" where a column that some of the files lack is null there.

    >>> FileSource(path="data/orders/*.parquet", timestamp_field="at").name
    'orders'
    """

    section = "sources"

    def __init__(self, *, path: str | Definition, name: str | None = "", event_timestamp_column: str | None = "",
                 file_format: ParquetFormat | str | None = None, created_timestamp_column: str | None = "",
                 field_mapping: dict[str, str] | None = None, s3_endpoint_override: str | None = None, description: str = "",
                 tags: dict[str, str] | None = None, owner: str = "", timestamp_field: str | None = "",
                 connection_ref: None = None, missing_columns: str | None = None) -> None:
        self._dataset = path if isinstance(path, Definition) and path.section == "datasets" else None
        self.path = self._dataset.to if self._dataset else check.name(path, "the path of a source")
        check.take_words(self, "a source", name or self._default_name(), description, tags, owner)
        times = [each for each in (timestamp_field, event_timestamp_column) if each]
        if len(set(times)) != 1:
            raise wrong(f"the source {self.name!r} needs a timestamp_field: the column of its rows' time" if not times else
                        f"the source {self.name!r} has two timestamp fields, {times[0]!r} and {times[1]!r}")
        self.timestamp_field = check.text(times[0], "the timestamp_field of a source")
        self.created_timestamp_column = check.optional_text(created_timestamp_column, "created_timestamp_column")
        self.field_mapping = check.text_map(field_mapping, "the field_mapping of a source")
        self.s3_endpoint_override = check.optional_text(s3_endpoint_override, "s3_endpoint_override")
        if file_format not in (None, "parquet", ParquetFormat()):
            raise wrong(f"{described(file_format)} is no file_format of a source, expected ParquetFormat()",
                        "a Dataset makes Parquet from other formats")
        if missing_columns not in (None, "error", "fill_null"):
            raise wrong(f"expected \"error\" or \"fill_null\" as missing_columns, got {described(missing_columns)}")
        self.file_format = file_format
        self.missing_columns = missing_columns
        check.refused("source", "credentials come from the environment", connection_ref=(connection_ref, None))

    def _default_name(self):
        """Feast names it by its path, which is no name here: the file's, or the folder's of a glob."""
        if self._dataset:
            return self._dataset.name
        parts = [part for part in self.path.split("?")[0].split("/") if part and not set(part) & set("*?[{")]
        stem = os.path.splitext(parts[-1])[0] if parts else ""
        return "".join(letter if letter.isalnum() or letter in "_-." else "_" for letter in stem).lstrip("-.") or "source"

    def references(self):
        return (self._dataset,) if self._dataset else ()

    def document(self):
        return present({"name": self.name, **self._words(), "path": self.path, "timestamp_field": self.timestamp_field,
                        "created_timestamp_column": self.created_timestamp_column,
                        "field_mapping": dict(self.field_mapping), "s3_endpoint_override": self.s3_endpoint_override,
                        "missing_columns": self.missing_columns})


@definition
class PushSource(Definition):
    """Feast's source that rows are pushed to; views read the rows of its batch_source."""

    def __init__(self, *, name: str, batch_source: FileSource, description: str = "", tags: dict[str, str] | None = None, owner: str = "") -> None:
        check.take_words(self, "a push source", name, description, tags, owner)
        if not isinstance(batch_source, FileSource):
            raise wrong(f"expected a FileSource as batch_source, got {described(batch_source)}")
        self.batch_source = batch_source

    def references(self):
        return (self.batch_source,)

    def document(self):
        return {"name": self.name, **self._words()}


if not TYPE_CHECKING:
    __getattr__ = of_module(__name__)
