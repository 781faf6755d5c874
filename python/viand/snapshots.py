"""Snapshots: a grid of cutoffs.

    monthly = Snapshots(name="monthly", source=orders, first="start + 90d", last="end - 30d", every="30d")
"""

from __future__ import annotations

from viand import arguments as check
from viand.arguments import definition
from viand.document import Definition, present
from viand.durations import Duration, Time, duration_text, time_text
from viand.expressions import wrong

__all__ = ["Snapshots"]


@definition
class Snapshots(Definition):
    """A grid of cutoffs: `first`, then every `every` up to `last`.

    first, last: "start + 90d", "end - 30d" (of the source's data), or a time. every: a timedelta or "30d".

    >>> from datetime import timedelta
    >>> Snapshots(name="daily", source="orders", first="start + 7d", last="end", every=timedelta(days=1)).document()["every"]
    '1d'
    """

    section = "snapshots"

    def __init__(self, *, name: str, source: Definition | str, first: Time, last: Time, every: Duration,
                 description: str = "", tags: dict[str, str] | None = None, owner: str = "") -> None:
        check.take_words(self, "snapshots", name, description, tags, owner)
        self.source = check.of_section(source, "sources", "a source")
        self.first = check.time(first, "first of snapshots")
        self.last = check.time(last, "last of snapshots")
        self.every = check.duration(every, "every of snapshots")
        if duration_text(self.every) == "0d":
            raise wrong("the step every of snapshots is zero, expected a duration above it")

    def references(self):
        return [self.source] if isinstance(self.source, Definition) else []

    def document(self):
        return present({"name": self.name, **self._words(), "source": check.name_of(self.source),
                        "first": time_text(self.first), "last": time_text(self.last), "every": duration_text(self.every)})
