"""Keys where there is no POSIX terminal: a Windows console, lines, nothing at all."""

import io
from types import SimpleNamespace

import pytest

from minigrad.stepping.play import keyboard


def console(monkeypatch, typed):
    """A console of Windows' that has these characters to give."""
    left = iter(typed)
    monkeypatch.setattr(keyboard, "msvcrt", SimpleNamespace(getwch=lambda: next(left)))
    monkeypatch.setattr(keyboard.sys, "stdin", SimpleNamespace(isatty=lambda: True))
    return keyboard.open_keys()


def test_a_windows_console(monkeypatch):
    found = console(monkeypatch, "n\xe0M\xe0K\x00G\r \x1b\x08\xe0S\x1a")
    with found:
        read = [found.read() for _ in range(10)]
    assert read == [
        "n", "right", "left", "home", "enter", "space", "esc", "left", "unknown", "",
    ]  # fmt: skip
    assert found.single


def test_interruption_and_a_line_on_windows(monkeypatch):
    found = console(monkeypatch, "\x03")
    with pytest.raises(KeyboardInterrupt):
        found.read()
    monkeypatch.setattr("builtins.input", lambda prompt: "  57 ")
    assert found.ask("go to: ") == "57"


def test_lines_where_there_is_no_terminal(monkeypatch):
    monkeypatch.setattr(keyboard.sys, "stdin", io.StringIO("n\n\nu norm < 1\ng\n12\n"))
    found = keyboard.open_keys()
    assert isinstance(found, keyboard.Lines) and not found.single
    assert [found.read(), found.read(), found.read()] == ["n", "enter", "u"]
    assert found.ask("until: ") == "norm < 1"
    assert found.read() == "g"
    assert found.ask("go to: ") == "12"
    assert found.read() == ""


def test_lines_where_neither_module_is_there(monkeypatch):
    monkeypatch.setattr(keyboard, "termios", None)
    monkeypatch.setattr(keyboard, "msvcrt", None)
    source = io.StringIO("q\n")
    source.isatty = lambda: True
    monkeypatch.setattr(keyboard.sys, "stdin", source)
    assert isinstance(keyboard.open_keys(), keyboard.Lines)
