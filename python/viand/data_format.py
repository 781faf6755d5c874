"""Formats of files, by Feast's names. viand's sources are Parquet; a dataset makes them from other formats."""

from typing import TYPE_CHECKING

from viand.feast_names import of_module


class ParquetFormat:
    """The only format of a source."""

    def __eq__(self, other):
        return isinstance(other, ParquetFormat)

    def __hash__(self):
        return hash(ParquetFormat)

    def __repr__(self):
        return "ParquetFormat()"


if not TYPE_CHECKING:
    __getattr__ = of_module(__name__)
