"""The plan of a retrieval as a tree of operators."""

from __future__ import annotations

from typing import Any


class Operator:
    """What one operator is expected to do, and where it was run, did; `print` shows the tree.

    Attributes:
        kind, title, details: what it is; for people.
        rows: expected: a scan reads them, others put them out.
        scan: of a scan, what it reads of what there is; else None.
        measured: where it was run, seconds, rows_in, rows_out, bytes_out, spilled_bytes, sent_bytes, skew, heaviest_keys, nodes
            (what ran on each node of a cluster); else None.
        inputs: the operators that it reads from.
    """

    def __init__(self, given: dict[str, Any]) -> None:
        self.kind: str = given["kind"]
        self.title: str = given["title"]
        self.details: list[str] = given["details"]
        self.rows: int = given["rows"]
        self.partitions: int = given["partitions"]
        self.scan: dict[str, Any] | None = given["scan"]
        self.measured: dict[str, Any] | None = given["measured"]
        self.inputs = [Operator(each) for each in given["inputs"]]

    def figures(self) -> str:
        """Rows, and what was measured, in a few words."""
        if self.measured is None:
            return f"~{self.rows:,} rows"
        did = self.measured
        text = f"{did['rows_in']:,} -> {did['rows_out']:,} rows, {did['seconds'] * 1e3:.1f} ms"
        return text + (f", {did['spilled_bytes']:,} bytes spilled" if did["spilled_bytes"] else "")

    def lines(self, before: str = "", below: str = "") -> list[str]:
        lines = [f"{before}{self.title}  {self.figures()}"]
        bar = below + ("│    " if self.inputs else "     ")
        if self.scan is not None:
            lines.append(f"{bar}{self.scan['rows']:,} of {self.scan['rows_found']:,} rows, "
                         f"{self.scan['row_groups']:,} of {self.scan['row_groups_found']:,} row groups")
        lines += [bar + detail for detail in self.details]
        for i, each in enumerate(self.inputs):
            last = i + 1 == len(self.inputs)
            lines += each.lines(below + ("└─ " if last else "├─ "), below + ("   " if last else "│  "))
        return lines

    def __str__(self) -> str:
        return "\n".join(self.lines())

    def __repr__(self) -> str:
        return f"<viand plan: {self.title}, {len(self.inputs)} inputs>"

    def _repr_html_(self) -> str:
        from .display import preformatted

        return preformatted(str(self))
