"""Single key presses from a terminal: POSIX (termios), Windows (msvcrt), or lines.

    with open_keys() as keys:
        key = keys.read()            # "n", "right", "home", "esc", ... "" at the end
        line = keys.ask("go to: ")   # a line, with echo

Where single keys cannot be read (input is a file or a pipe, or neither module is
there), a line is read and taken for a key or a word: "n", "right", "g 120".

Read next: `terminal_player.py`.
"""

from __future__ import annotations

import os
import sys
from types import ModuleType, TracebackType
from typing import Any, TextIO

termios: ModuleType | None
msvcrt: ModuleType | None
try:
    import termios
except ImportError:  # Windows
    termios = None
try:
    import msvcrt
except ImportError:
    msvcrt = None

LOOK = 0.2  # seconds between two looks at the window's size
# What follows ESC [ or ESC O, and the second code of a special key on Windows.
_SEQUENCES = {
    "A": "up", "B": "down", "C": "right", "D": "left", "H": "home", "F": "end",
    "1~": "home", "4~": "end", "5~": "pageup", "6~": "pagedown",
    "7~": "home", "8~": "end",
}  # fmt: skip
_WINDOWS = {
    "H": "up", "P": "down", "M": "right", "K": "left", "G": "home", "O": "end",
    "I": "pageup", "Q": "pagedown",
}  # fmt: skip
_NAMED = {"\r": "enter", "\n": "enter", " ": "space", "\x1b": "esc", "\x7f": "left",
          "\x08": "left", "\t": "right"}  # fmt: skip
END = ("", "\x04", "\x1a")  # the end of input: Ctrl-D, Ctrl-Z


class Lines:
    """Keys as lines of text: the fallback that works everywhere."""

    single = False  # does a key act without Enter?

    def __init__(self, source: TextIO | None = None) -> None:
        self.source = source or sys.stdin
        self.rest = ""

    def __enter__(self) -> Lines:
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing was changed."""

    def read(self) -> str:
        """The first word of the next line; an empty line is Enter, the end is ""."""
        line = self.source.readline()
        if line == "":
            return ""
        word, _, self.rest = line.strip().partition(" ")
        if word == "g" and self.rest.strip().isdigit():
            return "#"  # "g 120" in a script means: go to event 120
        return word or "enter"

    def ask(self, prompt: str) -> str:
        """What stood on the line after the key, or else the next line."""
        rest, self.rest = self.rest.strip(), ""
        return rest or self.source.readline().strip()


class Posix:
    """Keys of a terminal in which input comes character by character (cbreak)."""

    single = True

    def __init__(self, source: TextIO) -> None:
        self.number = source.fileno()

    def __enter__(self) -> Posix:
        assert termios is not None
        self.before: Any = termios.tcgetattr(self.number)
        self.size = self._size()
        self._raw()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert termios is not None
        termios.tcsetattr(self.number, termios.TCSADRAIN, self.before)

    def _raw(self) -> None:
        """No echo, no waiting for Enter; Ctrl-C still interrupts."""
        assert termios is not None
        mode = list(self.before)
        mode[3] &= ~(termios.ICANON | termios.ECHO)
        mode[6] = [*mode[6]]
        mode[6][termios.VMIN], mode[6][termios.VTIME] = 1, 0
        termios.tcsetattr(self.number, termios.TCSADRAIN, mode)

    def read(self) -> str:
        """One key; "" at the end of input; "resize" if the window's size changes."""
        if self._resized():
            return "resize"
        char = self._char()
        if char in END:
            return ""
        if char != "\x1b" or not self._more():
            return _NAMED.get(char, char)
        lead = self._char()
        if lead not in ("[", "O"):
            return "esc"
        code = self._char()
        while code[-1:].isdigit() or code[-1:] == ";":
            more = self._char()
            if not more:
                break
            code += more
        return _SEQUENCES.get(code, "unknown")

    def _resized(self) -> bool:
        """Wait for a key. Was the window made larger or smaller meanwhile?

        It is compared with the size when this was last asked, and not when the waiting
        begins: it may change while the last key is answered, too.
        """
        import select

        while not select.select([self.number], [], [], LOOK)[0]:
            before, self.size = self.size, self._size()
            if self.size != before:
                return True
        return False

    def _size(self) -> tuple[int, int] | None:
        """Columns and lines; None where nobody knows."""
        try:
            size = os.get_terminal_size(self.number)
            return size.columns, size.lines
        except OSError:
            return None

    def _char(self) -> str:
        """One character, of however many bytes; "" at the end of input."""
        try:
            data = os.read(self.number, 1)
            lead = data[0] if data else 0
            for _ in range((lead >= 0xC0) + (lead >= 0xE0) + (lead >= 0xF0)):
                data += os.read(self.number, 1)
        except OSError:  # the terminal is gone
            return ""
        return data.decode("utf-8", "replace")

    def _more(self) -> bool:
        """Does more follow at once? An arrow is sent as several characters."""
        import select

        return bool(select.select([self.number], [], [], 0.05)[0])

    def ask(self, prompt: str) -> str:
        """A line, with echo and Backspace, in the terminal's own manner."""
        assert termios is not None
        termios.tcsetattr(self.number, termios.TCSADRAIN, self.before)
        try:
            sys.stdout.write(prompt)
            sys.stdout.flush()
            line = b""
            while not line.endswith(b"\n"):
                try:
                    more = os.read(self.number, 1024)
                except OSError:
                    break
                if not more:
                    break
                line += more
            return line.decode("utf-8", "replace").strip()
        finally:
            self._raw()


class Windows:
    """Keys of a Windows console."""

    single = True

    def __enter__(self) -> Windows:
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing was changed."""

    def read(self) -> str:
        """One key; "" at the end of input. KeyboardInterrupt for Ctrl-C."""
        assert msvcrt is not None
        char = msvcrt.getwch()
        if char in ("\x00", "\xe0"):  # a special key: its code follows
            return _WINDOWS.get(msvcrt.getwch(), "unknown")
        if char == "\x03":
            raise KeyboardInterrupt
        return "" if char in END else _NAMED.get(char, char)

    def ask(self, prompt: str) -> str:
        """A line, with echo."""
        try:
            return input(prompt).strip()
        except EOFError:
            return ""


Keys = Lines | Posix | Windows


def open_keys(lines: bool = False) -> Keys:
    """The best that this input offers; `lines`: lines in any case."""
    source = sys.stdin
    if lines or source is None or not source.isatty():
        return Lines(source)
    if msvcrt is not None:
        return Windows()
    if termios is not None:
        try:
            termios.tcgetattr(source.fileno())
        except (termios.error, OSError, ValueError):
            return Lines(source)
        return Posix(source)
    return Lines(source)
