"""Python values as SQL literals: exact, or None where SQL has no literal for them."""

from __future__ import annotations

import math
from datetime import date, datetime, timedelta
from decimal import Decimal

from viand.durations import time_text

# What an interval may be counted in, longest first, in microseconds.
_UNITS = (("day", 86_400_000_000), ("hour", 3_600_000_000), ("minute", 60_000_000), ("second", 1_000_000),
          ("millisecond", 1_000), ("microsecond", 1))


def literal_text(value) -> str | None:
    """The literal of a value, or None: another kind of value, or one that SQL could not hold exactly."""
    value = _plain(value)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if -2**63 <= value < 2**63 else None
    if isinstance(value, float):
        return _float_text(value)
    if isinstance(value, str):
        return text_literal(value)
    if isinstance(value, Decimal):
        text = format(value, "f") if value.is_finite() else None
        return text if text is None or "." in text else text + ".0"
    if isinstance(value, datetime):
        kind = "timestamp" if value.tzinfo is None else "timestamptz"
        text = time_text(value)
        return None if text is None else f"{kind} '{text}'"
    if isinstance(value, date):
        return f"date '{value.isoformat()}'"
    if isinstance(value, timedelta):
        return _interval(value)
    return None


def text_literal(value: str) -> str | None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return None
    return "'" + value.replace("'", "''") + "'"


def _plain(value):
    """numpy's scalars as Python's; those of time only where microseconds hold them."""
    if type(value).__module__ != "numpy" or not hasattr(value, "item"):
        return value
    if value.dtype.kind in "mM":
        exact = value.astype(value.dtype.kind + "8[us]")
        return exact.item() if exact == value else _Unheld
    return value.item()


class _Unheld:
    """A value that no literal can hold."""


def _float_text(value: float) -> str:
    if math.isfinite(value):
        text = repr(value)
        return text if "." in text or "e" in text else text + ".0"
    return "cast('nan' as double)" if math.isnan(value) else f"cast('{'-' if value < 0 else ''}inf' as double)"


def _interval(value: timedelta) -> str | None:
    if getattr(value, "nanoseconds", 0) or value != value:
        return None
    total = value // timedelta(microseconds=1)
    for unit, length in _UNITS:
        if total % length == 0:
            count = total // length
            return f"interval '{count} {unit}{'' if abs(count) == 1 else 's'}'"
    return None
