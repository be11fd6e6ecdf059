"""A parser of command lines that says which word was most likely meant.

    minigrad trian sentimant --epoch 3
    minigrad: error: ... invalid choice: 'trian' ... did you mean 'train'?

Read next: `tour.py`.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Sequence
from typing import Any, NoReturn

from minigrad.reading.text import nearest


class Parser(argparse.ArgumentParser):
    """argparse's, with "did you mean" for commands, tasks, choices and options."""

    below: Any = None  # the commands of a command, where it has any

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:  # type: ignore[override]
        """As argparse's; an unknown option names the one that is near it."""
        found, unknown = self.parse_known_args(args, namespace)
        if unknown:
            message = f"unrecognized arguments: {' '.join(unknown)}"
            self.error(message + _meant(unknown, self._known(args or ())))
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

    def _known(self, words: Sequence[str]) -> list[str]:
        """The options of the commands that the words name, from the outside in."""
        options: list[str] = []
        parser: Parser | None = self
        while parser is not None:
            options += re.findall(r"(?<![\w-])--[\w-]+", parser.format_help())
            choices = parser.below.choices if parser.below else {}
            parser = next((choices[word] for word in words if word in choices), None)
        return options


def _meant(typed: Sequence[str], known: Sequence[str]) -> str:
    """ "; did you mean --hidden?" for the first word that is near a known one."""
    for word in typed:
        near = nearest(word.partition("=")[0], known)
        if near:
            return f"; did you mean {near}?"
    return ""
