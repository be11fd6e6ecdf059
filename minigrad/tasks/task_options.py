"""The options of a task in one table: names, defaults, bounds and help texts.

The command line and the Python API both take them from it.

Read next: `forecasting.py` (two tasks, for an example).
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterable, Mapping
from types import SimpleNamespace
from typing import Any, NamedTuple

from minigrad.engine.errors import ArgumentError
from minigrad.reading.text import nearest


class Option(NamedTuple):
    """One option that a user may set.

    name     as in Python; on the command line "_" becomes "-"
    default  the value if none is given; None: a text, or nothing
    help     what it is, in a few words
    least    numbers: the smallest that is allowed
    below    numbers: they have to be smaller than this
    choices  the values that are offered, if not any
    bare     what `--name` alone means; None: it needs a value
    unsaid   what holds where the default is None, in words
    """

    name: str
    default: Any
    help: str
    least: float = 0
    below: float = math.inf
    choices: tuple[Any, ...] = ()
    bare: Any = None
    unsaid: str = "the package's own"

    @property
    def kind(self) -> type:
        """str, int or float."""
        return str if self.default is None else type(self.default)

    def checked(self, value: Any) -> Any:
        """The value, as its kind; ArgumentError if it is not allowed."""
        if value is None and self.default is None:
            return None
        try:
            if isinstance(value, bool) or (
                isinstance(value, float) and self.kind is int
            ):
                raise ValueError
            found = self.kind(value)
        except (TypeError, ValueError, OverflowError):
            found = None
        expect = f"{self.kind.__name__}"
        if self.choices:
            expect = ", ".join(map(str, self.choices))
        elif self.kind is not str:
            expect += f", {self.least:g} or more"
            expect += "" if self.below == math.inf else f", below {self.below:g}"
        wrong = found is None or (self.choices and found not in self.choices)
        if self.kind is not str and not wrong:
            wrong = not (self.least <= found < self.below)
        if wrong:
            raise ArgumentError(
                f"--{self.name.replace('_', '-')} {value}: not allowed",
                expect=expect,
                actual=repr(value),
                hint=f"{self.help}; the default is {self.told(self.default)}",
            )
        return found

    def told(self, value: Any) -> Any:
        """A value, in words where it is None."""
        return self.unsaid if value is None else value


ENCODING = Option(
    "encoding",
    None,
    "encoding of your file, such as cp1252",
    unsaid="what the file's mark says, or UTF-8",
)


def common(**defaults: Any) -> tuple[Option, ...]:
    """The options that every task has, with a task's own defaults."""
    table = (
        Option("data", None, "your own data file (see below)"),
        ENCODING,
        Option("cell", "lstm", "kind of cell", choices=("rnn", "lstm", "gru")),
        Option("hidden", 32, "units per layer", least=1),
        Option("layers", 1, "number of layers", least=1),
        Option("dropout", 0.0, "dropout probability", below=1),
        Option("epochs", 10, "most passes over the training data", least=1),
        Option("batch_size", 32, "batch size", least=1),
        Option("lr", 3e-3, "learning rate"),
        Option("weight_decay", 0.0, "how strongly AdamW shrinks the weights"),
        Option("clip_norm", 1.0, "clip the gradient to this norm; 0: do not clip"),
        Option("patience", 5, "epochs without improvement before stopping", least=1),
        Option("seed", 0, "random seed"),
    )
    unknown = defaults.keys() - {option.name for option in table}
    assert not unknown, f"bug: no common option is called {unknown}"
    return tuple(o._replace(default=defaults.get(o.name, o.default)) for o in table)


def add_options(parser: argparse.ArgumentParser, options: Iterable[Option]) -> None:
    """Put the options on a command line; those not given are left out of the result."""
    for option in options:
        parser.add_argument(
            f"--{option.name.replace('_', '-')}",
            default=argparse.SUPPRESS,
            metavar="FILE" if option.name == "data" else _place(option),
            **({} if option.bare is None else {"nargs": "?", "const": option.bare}),
            help=f"{option.help} ({_shown(option)})",
        )


def settings(options: Iterable[Option], given: Mapping[str, Any]) -> SimpleNamespace:
    """All options by name: checked values of those given, defaults for the others.

    Raises ArgumentError for an unknown option or a value out of bounds.
    """
    table = {option.name: option for option in options}
    for name in given:
        if name not in table:
            near = nearest(name, table)
            raise ArgumentError(
                f"unknown option {name!r}",
                expect=", ".join(table),
                actual=repr(name),
                hint=f"did you mean {near}?"
                if near
                else "minigrad train TASK --help lists them all",
            )
    return SimpleNamespace(
        **{k: o.checked(given.get(k, o.default)) for k, o in table.items()}
    )


def _place(option: Option) -> str:
    """What stands for the value in a help text: the last word of the name."""
    return option.name.upper().split("_")[-1]


def _shown(option: Option) -> str:
    if option.choices:
        words = (
            f"{c} (default)" if c == option.default else str(c) for c in option.choices
        )
        return ", ".join(words)
    return str(option.told(option.default))
