"""HTML of what a notebook shows: tables of objects, plans, steps, models, rows. Every text is escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable
from html import escape
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from . import _viand, reports
    from .document import Definition

_PREVIEW_ROWS = 5
_COLORS = {"add": "#1a7f37", "change": "#9a6700", "remove": "#cf222e", "drift": "#9a6700"}


def table(header: Iterable[str], rows: Iterable[Iterable[object]], caption: str = "") -> str:
    """A table; cells are texts, or `Html`."""
    head = "".join(f"<th style='text-align:left'>{escape(title)}</th>" for title in header)
    body = "".join("<tr>" + "".join(f"<td style='text-align:left'>{_cell(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    above = f"<div><b>{escape(caption)}</b></div>" if caption else ""
    return f"{above}<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


class Html(str):
    """A text that is HTML already."""


def _cell(value: object) -> str:
    if isinstance(value, Html):
        return value
    if value is None:
        return "<i>null</i>"
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return escape(str(value))
    return f"{value:,}" if isinstance(value, int) else f"{value:.6g}"


def preformatted(text: str) -> str:
    return f"<pre>{escape(text)}</pre>"


def objects_html(objects: list[dict[str, Any]], caption: str = "") -> str:
    """A table of what a store lists."""
    rows = [(each["kind"], each["name"], each["summary"] + ("" if each["in_repo"] else "  (only in the registry)"),
             each["description"]) for each in objects]
    return table(("kind", "name", "", "description"), rows, caption)


def facts_html(kind: str, name: str, facts: list[tuple[str, str]]) -> str:
    rows = [(Html("&nbsp;" * 2 * (len(fact) - len(fact.lstrip())) + escape(fact.strip())), value) for fact, value in facts]
    return table((kind, name), rows)


def definition_html(made: Definition) -> str:
    """A definition that no store has given: its arguments."""
    return table((type(made).__name__, getattr(made, "name", "") or ""), _arguments(made.document()))


def _arguments(tree: object, inside: str = "") -> list[tuple[Html, object]]:
    """Rows of a mapping, what is inside of it below its key."""
    rows: list[tuple[Html, object]] = []
    for key, value in tree.items() if isinstance(tree, dict) else ():
        nested = isinstance(value, dict) and bool(value)
        rows.append((Html(inside + escape(str(key))), "" if nested else value))
        rows += _arguments(value, inside + "&nbsp;" * 4) if nested else []
    return rows


def steps_html(steps: Iterable[reports.StepReport]) -> str:
    return table(("step", "object", "status", "rows", "seconds", ""),
                 [(each.step, each.object, each.status, each.rows, round(each.seconds, 3), each.detail) for each in steps])


def plan_html(plan: reports.Plan) -> str:
    rows = []
    for change in plan.effects():
        color = _COLORS.get(change.action, "#57606a")
        fields = "<br>".join(escape(f"{path}: {before or '(none)'} -> {after or '(none)'}")
                             for path, before, after in change.fields if change.action != "add")
        broken = escape(f"breaking: {change.why_breaking}") if change.breaking else ""
        rows.append((Html(f"<b style='color:{color}'>{escape(change.action)}</b>"), change.kind, change.name,
                     Html("<br>".join(filter(None, (broken, fields))))))
    changes = table(("", "kind", "name", ""), rows, f"project {plan.project} in {plan.registry}") if rows else preformatted(str(plan))
    work = table(("to compute", "name", "why", "rows"), [(each.kind, each.name, each.reason, "" if each.rows is None else each.rows)
                                                         for each in plan.work]) if plan.work else ""
    return changes + "".join(f"<div>warning: {escape(each)}</div>" for each in plan.warnings) + work


def model_html(report: reports.TrainReport) -> str:
    metrics = table(("metric", "on the test rows"), [(name, "not defined" if math.isnan(value) else round(value, 4))
                                                     for name, value in report.metrics.items()],
                    f"{report.model}: {report.train_rows:,} train rows, {report.test_rows:,} test rows")
    bars = [(name, f"{gain:.1%}", Html(f"<div style='background:#54aeff;height:10px;width:{round(200 * gain)}px'></div>"))
            for name, gain in report.importance.items()]
    warned = "".join(f"<div>warning: {escape(each)}</div>" for each in report.warnings)
    return metrics + (table(("feature", "share of gain", ""), bars) if bars else "") + warned


def rows_html(rows: _viand.Rows) -> str:
    """A table's columns with their types, nulls and ranges, and its first rows."""
    fields = rows.fields()
    known = []
    for index, (name, kind, _) in enumerate(fields):
        nulls, least, greatest = rows.facts(index)
        known.append((name, kind, nulls, "" if least is None else least, "" if greatest is None else greatest))
    shown = min(_PREVIEW_ROWS, len(rows))
    cells = [rows.cells(index, 0, shown) for index in range(len(fields))]
    head = table([name for name, _, _ in fields], zip(*cells) if shown else [], "the first rows" if shown else "no rows")
    return table(("column", "type", "nulls", "least", "greatest"), known, f"{len(rows):,} rows, {len(fields)} columns") + head
