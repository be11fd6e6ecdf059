"""A parser of command lines that says which word was most likely meant.

    minigrad trian sentimant --epoch 3
    minigrad: error: ... invalid choice: 'trian' ... did you mean 'train'?

Read next: `tour.py`.
"""

from __future__ import annotations

import argparse
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from typing import Any, NoReturn

from minigrad.reading.text import nearest


class Parser(argparse.ArgumentParser):
    """argparse's, with "did you mean" for commands, tasks, choices and options."""

    below: Any = None  # the commands of a command, where it has any

    def format_usage(self) -> str:
        """As argparse's, in lines that fit a narrow terminal."""
        return _narrowed(super().format_usage())

    def format_help(self) -> str:
        """As argparse's, with a usage that fits a narrow terminal."""
        usage, empty, rest = super().format_help().partition("\n\n")
        return _narrowed(usage) + empty + rest

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """As argparse's; an unknown option names the one that is near it."""
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            message = f"unrecognized arguments: {' '.join(unknown)}"
            words = sys.argv[1:] if args is None else args
            parsers = self._named(words)
            parsers[-1].error(message + _meant(unknown, _options(parsers)))
        return found

    def error(self, message: str) -> NoReturn:
        """Say what is wrong, and what was meant if a known word is near."""
        choice = re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message)
        if choice:
            known = re.findall(r"[\w-]+", choice[2])
            message += _meant([choice[1]], known)
        super().error(message)

    def add_subparsers(self, **how: Any) -> Any:
        """As argparse's; what is below is kept, for `parse_args`."""
        self.below = super().add_subparsers(**how)
        return self.below

    def _named(self, words: Sequence[str]) -> list[Parser]:
        """This parser, that of the command that the words name, and so on inwards."""
        found = [self]
        while found[-1].below:
            choices = found[-1].below.choices
            named = next((choices[word] for word in words if word in choices), None)
            if named is None:
                break
            found.append(named)
        return found


def _narrowed(usage: str) -> str:
    """A usage that argparse has written wider than the terminal, in shorter lines."""
    columns = shutil.get_terminal_size().columns
    if all(len(line) <= columns for line in usage.splitlines()):
        return usage
    words, end = " ".join(usage.split()), usage[len(usage.rstrip()) :]
    how = {"subsequent_indent": "    ", "break_on_hyphens": False}
    return textwrap.fill(words, columns - 2, **how) + end  # type: ignore[arg-type]


def _options(parsers: Sequence[Parser]) -> list[str]:
    """All that they know, as --hidden."""
    helps = " ".join([parser.format_help() for parser in parsers])
    return re.findall(r"(?<![\w-])--[\w-]+", helps)


def _meant(typed: Sequence[str], known: Sequence[str]) -> str:
    """ "; did you mean --hidden?" for the first word that is near a known one."""
    for word in typed:
        near = nearest(word.partition("=")[0], known)
        if near:
            return f"; did you mean {near}?"
    return ""
