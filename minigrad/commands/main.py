"""The command line: `minigrad COMMAND ...` finds the command and runs it.

Each command is a module with

    HELP, EXAMPLE       one line each
    arguments(parser)   what it understands
    run(options)        what it does, with calls that anyone could make from Python;
                        returns an exit code, or None for 0

What a command needs beyond its options is imported when it runs.

Read next: `mistyped.py`.
"""

from __future__ import annotations

import errno
import importlib
import os
import sys
from collections.abc import Sequence

from minigrad.commands.mistyped import Parser
from minigrad.engine.errors import MinigradError
from minigrad.reading.plain_letters import plain_streams

COMMAND_LINE = True  # errors name no line: what runs is no program of the user's
COMMANDS = {  # in the order in which they are met
    "tour": "minigrad.commands.tour",
    "tutorial": "minigrad.commands.tutorial",
    "draw": "minigrad.commands.draw",
    "explore": "minigrad.commands.explore",
    "step": "minigrad.commands.step",
    "flow": "minigrad.commands.flow",
    "train": "minigrad.commands.train",
    "predict": "minigrad.commands.predict",
    "trial": "minigrad.commands.trial",
    "open": "minigrad.commands.open_weights",
    "lab": "minigrad.commands.lab",
    "check": "minigrad.commands.check",
    "bench": "minigrad.commands.bench",
    "doctor": "minigrad.commands.doctor",
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit code: 0, 1 for a failure, 2 for bad input.

    On a terminal whose encoding lacks some letters the output is in plain ones. If
    what reads it has seen enough (`| head`) the command ends at once, with 1.
    """
    with plain_streams():
        try:
            try:
                return _run(argv)
            except KeyboardInterrupt:
                print("stopped", file=sys.stderr)
                return 130
            finally:
                sys.stdout.flush()
        except OSError as error:
            quota = getattr(errno, "EDQUOT", errno.ENOSPC)
            if error.errno in (errno.ENOSPC, errno.EFBIG, quota):
                print(f"nothing more can be written: {error}", file=sys.stderr)
            elif not _no_one_reads(error):
                raise
            nowhere = os.open(os.devnull, os.O_WRONLY)
            for stream in (sys.stdout, sys.stderr):  # Python flushes both at its end
                os.dup2(nowhere, stream.fileno())
            return 1


def _no_one_reads(error: OSError) -> bool:
    """Is the output a pipe whose other end was closed?"""
    closed = os.name == "nt" and error.errno == errno.EINVAL
    return isinstance(error, BrokenPipeError) or closed


def command_parser() -> Parser:
    """What understands a command line: every command with its options."""
    parser = Parser(prog="minigrad", description="A microscope for recurrent networks.")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, place in COMMANDS.items():
        module = importlib.import_module(place)
        command = commands.add_parser(
            name,
            help=module.HELP,
            description=module.HELP,
            epilog=f"example: {module.EXAMPLE}",
        )
        module.arguments(command)
        command.set_defaults(run=module.run)
    return parser


def _run(argv: Sequence[str] | None) -> int:
    try:
        options = command_parser().parse_args(sys.argv[1:] if argv is None else argv)
        code: int | None = options.run(options)
    except MinigradError as error:
        print(f"{type(error).__name__}: {_safe(str(error))}", file=sys.stderr)
        return 2
    except MemoryError as error:
        print(f"out of memory: {_safe(str(error))}", file=sys.stderr)
        return 1
    return code or 0


def _safe(message: str) -> str:
    """The message without control characters; it may quote a user's file."""
    from minigrad.reading.text import clean

    return "\n".join(clean(line, 600) for line in message.split("\n"))
