"""What the methods of a store give back: what was done, or would be."""

from __future__ import annotations

import datetime
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class StepReport:
    """What one step of work did. `rows` are of its output; `output` is a path relative to the repo."""

    step: str
    object: str
    status: str
    rows: int
    cutoffs: int
    cutoffs_computed: int
    seconds: float
    detail: str
    output: str

    def _repr_html_(self) -> str:
        from .display import steps_html

        return steps_html([self])


class Steps(list[StepReport]):
    """Steps, in the order in which they were done."""

    def __init__(self, steps: list[dict[str, Any]]) -> None:
        super().__init__(StepReport(**step) for step in steps)

    def _repr_html_(self) -> str:
        from .display import steps_html

        return steps_html(self)


@dataclass(frozen=True)
class TrainReport:
    """A trained model. Rates are shares of the rows that are positive; metrics are on the test rows; NaN: not defined.

    `importance` is a feature's share of the gain, greatest first; `confusion` counts (true negatives, false positives,
    false negatives, true positives).
    """

    step: StepReport
    model: str
    train_rows: int
    test_rows: int
    train_positive_rate: float
    test_positive_rate: float
    metrics: dict[str, float]
    importance: dict[str, float]
    confusion: tuple[int, int, int, int]
    warnings: list[str]

    @classmethod
    def of(cls, given: dict[str, Any]) -> TrainReport:
        return cls(**{**given, "step": StepReport(**given["step"]), "metrics": dict(given["metrics"]),
                      "importance": dict(given["importance"])})

    def _repr_html_(self) -> str:
        from .display import model_html

        return model_html(self)


@dataclass(frozen=True)
class PredictReport:
    """Predictions that were written to `output` (relative to the repo where it lies in it); `as_of` is in UTC."""

    step: StepReport
    model: str
    as_of: datetime.datetime
    rows: int
    predicted_positive: int
    output: str

    @classmethod
    def of(cls, given: dict[str, Any]) -> PredictReport:
        known = {**given, "step": StepReport(**given["step"])}
        moment = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
        known["as_of"] = moment + datetime.timedelta(microseconds=known.pop("as_of_us"))
        return cls(**known)


@dataclass(frozen=True)
class RunReport:
    """What a run did, and every model, fresh ones included."""

    steps: Steps
    models: list[TrainReport]
    seconds: float

    @classmethod
    def of(cls, given: dict[str, Any]) -> RunReport:
        return cls(Steps(given["steps"]), [TrainReport.of(model) for model in given["models"]], given["seconds"])

    def _repr_html_(self) -> str:
        from .display import model_html, steps_html

        return steps_html(self.steps) + "".join(model_html(model) for model in self.models)


@dataclass(frozen=True)
class Change:
    """One object of a plan: `action` is add, change, remove, unchanged or drift; `fields` are (path, before, after)."""

    action: str
    kind: str
    name: str
    fields: list[tuple[str, str, str]]
    breaking: bool
    why_breaking: str
    needs_force: bool
    new_version: str
    old_version: str
    dependants: list[str]
    columns: list[str]


@dataclass(frozen=True)
class Work:
    """What becomes stale by a plan. Estimates are None where they are not known before the steps in front of it."""

    kind: str
    name: str
    reason: str
    cutoffs: int
    cutoffs_all: int
    rows: int | None
    bytes: int | None
    rows_read: int | None
    bytes_read: int | None


_SIGNS = {"add": "+", "change": "~", "remove": "-", "drift": "!"}


@dataclass(frozen=True)
class Plan:
    """What `apply` would change in the registry, and what `run` would then compute; `print` shows it."""

    project: str
    registry: str
    changes: list[Change]
    work: list[Work]
    warnings: list[str]
    has_effect: bool
    has_removal: bool
    has_breaking: bool
    needs_force: bool

    @classmethod
    def of(cls, given: dict[str, Any]) -> Plan:
        return cls(**{**given, "changes": [Change(**change) for change in given["changes"]],
                      "work": [Work(**work) for work in given["work"]]})

    def effects(self) -> list[Change]:
        """The changes that are some."""
        return [change for change in self.changes if change.action != "unchanged"]

    def __str__(self) -> str:
        lines = [f"project {self.project} in {self.registry}"]
        for change in self.effects():
            lines.append(f"  {_SIGNS[change.action]} {change.kind} {change.name}"
                         + (f"  breaking: {change.why_breaking}" if change.breaking else ""))
            if change.action != "add":
                lines += [f"      {path}: {before or '(none)'} -> {after or '(none)'}" for path, before, after in change.fields]
        lines += [f"  warning: {warning}" for warning in self.warnings]
        lines += [f"  to compute: {work.kind} {work.name}  {work.reason}" for work in self.work]
        count = {action: sum(change.action == action for change in self.changes) for action in (*_SIGNS, "unchanged")}
        lines.append(f"{count['add']} to add, {count['change']} to change, {count['remove']} to remove, "
                     f"{count['unchanged']} unchanged" if self.has_effect
                     else f"nothing to change: {count['unchanged']} objects as applied")
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        from .display import plan_html

        return plan_html(self)


@dataclass(frozen=True)
class HistoryEntry:
    """One moment of an object's history; `fields` are (path, before, after) against the moment before."""

    kind: str
    name: str
    version: str
    applied_at: str
    action: str
    current: bool
    fields: list[tuple[str, str, str]]


@dataclass(frozen=True)
class VersionDifference:
    """What differs between two versions of an object; `why_breaking` is empty where readers would not fail."""

    kind: str
    name: str
    before: str
    after: str
    fields: list[tuple[str, str, str]]
    why_breaking: str


@dataclass(frozen=True)
class RollbackReport:
    """What a rollback wrote into a file of the repo, or would write; lines 0: it was appended."""

    kind: str
    name: str
    version: str
    file: str
    first_line: int
    last_line: int
    text: str
    changed: bool


@dataclass(frozen=True)
class SearchHit:
    """An object that a search found, and where the words were."""

    kind: str
    name: str
    matched: list[str]
    description: str
    score: int


@dataclass(frozen=True)
class WrittenTable:
    """A file that was written. `same_bytes`: of a rebuilt one, whether it is as before; None where that is not known."""

    rows: int
    columns: int
    manifest: str = ""
    same_bytes: bool | None = field(default=None)
