"""Progress of long work: a bar on a terminal's error output or in a notebook, once a stage has gone on for a second."""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from typing import Any

_DELAY_SECONDS = 1.0
_WIDTH = 24


def progress_of(wanted: bool | Callable[..., None] | None) -> Callable[..., None] | None:
    """What a store calls with (stage, done, total, unit), and with None when nothing goes on."""
    if callable(wanted):
        return wanted
    if wanted is False:
        return None
    if _in_notebook():
        return _Bar(_Notebook())
    if sys.stderr is None:
        return None
    return _Bar(_Terminal()) if wanted or sys.stderr.isatty() else _Waits()


def _in_notebook() -> bool:
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return type(shell).__name__ == "ZMQInteractiveShell"


class _Bar:
    """Measures a stage, and draws it on a screen once it takes long."""

    def __init__(self, screen: Any) -> None:
        self._screen = screen
        self._stage: str | None = None
        self._start = 0.0

    def __call__(self, stage: str | None, done: int = 0, total: int = 0, unit: str = "") -> None:
        now = time.monotonic()
        if stage is None:
            self._screen.clear()
            self._stage = None
            return
        if stage != self._stage:
            self._stage, self._start = stage, now
        seconds = now - self._start
        if seconds >= _DELAY_SECONDS:
            self._screen.draw(bar_text(stage, done, total, unit, seconds), done, total)


def bar_text(stage: str, done: int, total: int, unit: str, seconds: float) -> str:
    """
    >>> bar_text("put together", 50, 100, "rows", 2)
    'put together  [############            ]  50 of 100 rows  25 rows/s  ETA 2 s'
    """
    rate = done / seconds
    amount = f"{done:,} {unit}"
    if total > 0:
        filled = min(_WIDTH, _WIDTH * done // total)
        amount = f"[{'#' * filled:<{_WIDTH}}]  {done:,} of {total:,} {unit}"
    eta = f"  ETA {max(0, total - done) / rate:.0f} s" if total > 0 and rate > 0 else ""
    return f"{stage}  {amount}  {rate:,.0f} {unit}/s{eta}"


class _Waits:
    """Where nobody looks at a screen: says once, as a line of its own, what a stage waits for."""

    def __init__(self) -> None:
        self._stage: str | None = None

    def __call__(self, stage: str | None, *_: Any) -> None:
        if stage is not None and stage != self._stage and " (waiting: " in stage:
            sys.stderr.write(f"{stage}\n")
        self._stage = stage


class _Terminal:
    def __init__(self) -> None:
        self._drawn = False

    def draw(self, text: str, done: int, total: int) -> None:
        # A line that is too wide would go on in the next one, and stay there.
        sys.stderr.write(f"\r\033[K{text[:shutil.get_terminal_size().columns - 1]}")
        sys.stderr.flush()
        self._drawn = True

    def clear(self) -> None:
        if self._drawn:
            sys.stderr.write("\r\033[K")
            sys.stderr.flush()
        self._drawn = False


class _Notebook:
    def __init__(self) -> None:
        self._shown: Any = None

    def draw(self, text: str, done: int, total: int) -> None:
        from html import escape

        from IPython.display import HTML, display

        bar = f'<progress value="{done}" max="{total}"></progress> ' if total > 0 else ""
        page = HTML(f"<div>{bar}{escape(text)}</div>")
        if self._shown is None:
            self._shown = display(page, display_id=True)
        else:
            self._shown.update(page)

    def clear(self) -> None:
        if self._shown is not None:
            from IPython.display import HTML

            self._shown.update(HTML(""))
        self._shown = None
