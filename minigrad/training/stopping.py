"""Ctrl-C while training: the step that runs is finished and saved, then it stops."""

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

    Only the main thread is sent signals; elsewhere nothing is changed, nor where the
    signal is ignored, as in what a shell started in the background.
    """

    asked = False

    def __enter__(self) -> Interruptible:
        self._before: Any = None
        if threading.current_thread() is threading.main_thread():
            before = signal.getsignal(signal.SIGINT)
            if before not in (None, signal.SIG_IGN):
                self._before = before
                signal.signal(signal.SIGINT, self._heard)
        return self

    def _heard(self, number: int, frame: Any) -> None:
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True

    def __exit__(self, *exception: object) -> None:
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)
