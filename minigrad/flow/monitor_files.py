"""Keeps a monitor's table and page in a folder, from its first look on.

Each look is a line that is added to monitor.csv at once, so that a program that dies
loses none that was made. The page is written anew, whole or not at all, when its cost
is a few per cent of the time since it was written last; and when the program ends.

Read next: `protocols.py`.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import time
from pathlib import Path
from typing import Any

from minigrad.engine.errors import MinigradError
from minigrad.flow import monitor_page

SHARE = 50.0  # times as long as the page took it is left alone
FIRST = 1.0  # seconds that the first page with figures is expected to take


class MonitorFiles:
    """monitor.csv and monitor.html of one monitor."""

    def __init__(self, monitor: Any, folder: Path) -> None:
        self._monitor, self._folder = monitor, folder
        self._columns: list[str] = []
        self._took, self._written = FIRST, time.monotonic()
        self._process = os.getpid()
        self._begun = False

    def looked(self, look: Any) -> None:
        """One look more: a line of the table, and the page if it is time."""
        if not self._begun:
            self._begun = True
            atexit.register(self._at_exit)
            self._whole_table()
            self._page(figures=False)
            return
        self._line(look)
        if time.monotonic() - self._written > SHARE * self._took:
            self._page()

    def close(self) -> None:
        """Write the page of all looks, and the table if there was none."""
        atexit.unregister(self._at_exit)
        if not self._begun:
            self._whole_table()
        self._page()

    def _at_exit(self) -> None:
        """The program ends without `close`: the page of what was seen so far."""
        if os.getpid() == self._process:
            with contextlib.suppress(MinigradError, OSError):
                self._page()

    def _line(self, look: Any) -> None:
        """Add the look's lines; the whole table, where it has new columns."""
        path = self._folder / "monitor.csv"
        if not set(monitor_page.columns_of([look])) <= set(self._columns):
            self._whole_table()
        elif not path.exists():
            self._whole_table()
        else:
            with path.open("a", encoding="utf-8", newline="") as file:
                file.write(monitor_page.lines_of([look], self._columns))

    def _whole_table(self) -> None:
        self._columns = monitor_page.write_table(self._monitor, self._folder)

    def _page(self, figures: bool = True) -> None:
        start = time.monotonic()
        monitor_page.write_body(self._monitor, self._folder, figures)
        self._written = time.monotonic()
        if figures:
            self._took = self._written - start
