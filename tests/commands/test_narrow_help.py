"""The help of every command, in a narrow window."""

import pytest

from minigrad.commands.main import command_parser


@pytest.mark.parametrize("columns", [40, 80])
def test_no_line_is_wider_than_the_window(columns, monkeypatch):
    monkeypatch.setenv("COLUMNS", str(columns))
    parsers, wide = [command_parser()], []
    while parsers:
        parser = parsers.pop()
        text = parser.format_help()
        assert text.startswith(f"usage: {parser.prog}"[:columns])
        wide += [line for line in text.splitlines() if len(line) > columns]
        parsers += parser.below.choices.values() if parser.below else []
    assert wide == []
