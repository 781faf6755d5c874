"""Cells of Arrow's times and decimals as Python's objects; called by the extension."""

from __future__ import annotations

import datetime as _datetime
from decimal import Decimal
from functools import lru_cache

_EPOCH = _datetime.datetime(1970, 1, 1)
# Microseconds in a unit; nanoseconds are cut off, as datetime has none.
_MICROSECONDS = {"s": 1_000_000, "m": 1000, "u": 1}


def _delta(value: int, unit: str) -> _datetime.timedelta:
    return _datetime.timedelta(microseconds=value // 1000 if unit == "n" else value * _MICROSECONDS[unit])


@lru_cache
def _zone(name: str) -> _datetime.tzinfo:
    if name in ("UTC", "Etc/UTC", "Z"):
        return _datetime.timezone.utc
    if name[:1] in "+-":
        hours, minutes = name[1:].split(":")
        offset = _datetime.timedelta(hours=int(hours), minutes=int(minutes))
        return _datetime.timezone(-offset if name[0] == "-" else offset)
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def timestamp(value: int, unit: str, zone: str) -> _datetime.datetime:
    """A moment, in its zone; without one it is naive.

    >>> timestamp(1_300_000_000, "s", "").isoformat()
    '2011-03-13T07:06:40'
    >>> timestamp(1_300_000_000, "s", "+01:00").isoformat()
    '2011-03-13T08:06:40+01:00'
    """
    moment = _EPOCH + _delta(value, unit)
    return moment.replace(tzinfo=_datetime.timezone.utc).astimezone(_zone(zone)) if zone else moment


def date(value: int, unit: str) -> _datetime.date:
    return _datetime.date(1970, 1, 1) + _datetime.timedelta(days=value if unit == "D" else value // 86_400_000)


def time(value: int, unit: str) -> _datetime.time:
    return (_EPOCH + _delta(value, unit)).time()


def duration(value: int, unit: str) -> _datetime.timedelta:
    return _delta(value, unit)


def decimal(value: bytes, scale: int) -> Decimal:
    """
    >>> decimal((12345).to_bytes(16, "little"), 2)
    Decimal('123.45')
    """
    return Decimal(f"{int.from_bytes(value, 'little', signed=True)}E{-scale}")
