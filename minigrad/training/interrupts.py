"""Handles Ctrl-C during training: finishes and saves the current step, then stops.

So it is with SIGTERM, which a system sends that is being shut down.

Read next: `schedules.py`.
"""

from __future__ import annotations

import signal
import threading
from typing import Any


class Stopped(KeyboardInterrupt):
    """Training was interrupted; `path` is the checkpoint to go on from, or None."""

    def __init__(self, message: str, path: Any = None) -> None:
        super().__init__(message)
        self.path = path


class Interruptible:
    """Within it, the first Ctrl-C sets `asked`; the second interrupts at once.

    SIGTERM does the same, unless the program has a handler of its own for it. Only the
    main thread is sent signals; elsewhere nothing is changed, nor where the signal is
    ignored, as Ctrl-C is in what a shell started in the background.
    """

    asked = False

    def __enter__(self) -> Interruptible:
        self._before: dict[int, Any] = {}
        if threading.current_thread() is threading.main_thread():
            interrupt = signal.getsignal(signal.SIGINT)
            if interrupt not in (None, signal.SIG_IGN):
                self._hear(signal.SIGINT, interrupt)
            if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
                self._hear(signal.SIGTERM, signal.SIG_DFL)
        return self

    def _hear(self, number: int, before: Any) -> None:
        self._before[number] = before
        signal.signal(number, self._heard)

    def _heard(self, number: int, frame: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def __exit__(self, *exception: object) -> None:
        for number, before in self._before.items():
            signal.signal(number, before)
