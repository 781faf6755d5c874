"""Durations, windows and times as the texts that definitions hold.

>>> from datetime import timedelta
>>> duration_text(timedelta(days=1, hours=12))
'1d12h'
"""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone

Duration = timedelta | str
Time = datetime | date | str

_UNITS = (("d", 86_400_000_000), ("h", 3_600_000_000), ("m", 60_000_000), ("s", 1_000_000), ("ms", 1_000), ("us", 1))
_DURATION = re.compile(r"(\d+(w|d|h|m|s|ms|us))+", re.ASCII)
EXAMPLES = 'write timedelta(days=90), "90d" or "1d12h"'


def duration_text(value: object) -> str | None:
    """A timedelta or a text such as "90d" as a duration; None where it is neither, or negative."""
    if isinstance(value, str):
        return value if _DURATION.fullmatch(value) else None
    if not isinstance(value, timedelta) or value < timedelta(0) or getattr(value, "nanoseconds", 0):
        return None
    rest, text = value // timedelta(microseconds=1), ""
    for unit, length in _UNITS:
        count, rest = divmod(rest, length)
        text += f"{count}{unit}" if count else ""
    return text or "0d"


def timedelta_of(value: Duration) -> timedelta:
    """A duration as a timedelta.

    >>> timedelta_of("1d12h")
    datetime.timedelta(days=1, seconds=43200)
    """
    if isinstance(value, timedelta):
        return value
    lengths = {"w": 7 * _UNITS[0][1], **dict(_UNITS)}
    return timedelta(microseconds=sum(int(count) * lengths[unit] for count, unit in re.findall(r"(\d+)(ms|us|[wdhms])", value)))


def window_text(value: object) -> str | None:
    """A window: a duration, "unbounded", or "30d following"; None where it is none of them, or empty."""
    if isinstance(value, str):
        text = value.strip()
        if text == "unbounded":
            return text
        duration = text.removesuffix("following").strip()
        return text if duration_text(duration) and not _is_zero(duration) else None
    text = duration_text(value)
    return text if text != "0d" else None


def _is_zero(duration: str) -> bool:
    return all(int(count) == 0 for count in re.findall(r"\d+", duration))


def time_text(value: object) -> str | None:
    """A datetime (naive: UTC) or a date as the text of a time in UTC; a text as it is; None for anything else."""
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        if getattr(value, "nanosecond", 0):
            return None
        if value.tzinfo is not None:
            value = value.astimezone(timezone.utc).replace(tzinfo=None)
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else None
