"""Running Graphviz: the `dot` program, or pygraphviz in a child process.

Both run as child processes with an argument list (no shell) and a time-out that kills
them, and with everything they print on stderr kept from the user's terminal. DOT text
needs neither.

Read next: `picture_files.py`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Sequence

from minigrad.engine.errors import ArgumentError, DrawingError, one_of
from minigrad.reading.text import clean

ENGINES = ("dot", "pygraphviz")
TIMEOUT = 60.0  # seconds
OLDEST = (2, 30)  # Graphviz before it lacks what the pictures use

_CHILD = """
import sys
import pygraphviz
program, form = sys.argv[1:]
for text in sys.stdin.buffer.read().decode().split("\\f"):
    graph = pygraphviz.AGraph(string=text)
    made = graph.draw(format=form, prog=program)
    sys.stdout.buffer.write(made if isinstance(made, bytes) else made.encode())
"""

SIGNS = {"svg": b"</svg>", "png": b"\x89PNG", "pdf": b"%PDF"}  # each has its own

REMEDIES = (
    "install Graphviz (Debian, Ubuntu: apt install graphviz; macOS: brew install "
    "graphviz; Windows: winget install graphviz), or: pip install pygraphviz"
)


def installed() -> list[str]:
    """The engines that are there, the one that is used first."""
    found = ["dot"] if shutil.which("dot") else []
    if importlib.util.find_spec("pygraphviz"):
        found.append("pygraphviz")
    return found


def check_timeout(timeout: float | None) -> None:
    """ArgumentError unless it is None or a number of seconds."""
    number = isinstance(timeout, int | float) and not isinstance(timeout, bool)
    if timeout is not None and not (number and timeout > 0):
        raise ArgumentError(
            f"timeout={timeout!r} is no time to wait",
            expect="seconds, more than 0, or None",
            actual=repr(timeout),
            hint=f"None waits {TIMEOUT:g} s",
        )


def run(
    program: str,
    form: str,
    texts: Sequence[str],
    timeout: float | None = None,
    engine: str | None = None,
) -> bytes:
    """What a layout program makes of the graphs, in a format.

    program: "dot", or "nop2", which only draws what has its positions (`neato -n2`).

    Raises DrawingError if there is no engine, if it fails, or takes longer than
    `timeout` seconds (then it is killed).
    """
    one_of("engine", engine, (None, *ENGINES))
    engine = engine or next(iter(installed()), None)
    if engine is None:
        raise DrawingError(
            "draw: neither the dot program nor pygraphviz is installed",
            expect="one of the two, for every format but .dot",
            actual="no dot on the PATH, no module pygraphviz",
            hint=REMEDIES,
        )
    if engine == "dot":
        # dot is asked to behave as another engine by -K: only one program is needed.
        command = [shutil.which("dot") or "dot", f"-K{program}", f"-T{form}"]
    else:
        # -P: nothing is imported from the folder that the user happens to be in.
        command = [sys.executable, "-P", "-c", _CHILD, program, form]
    text = "\f".join(texts) if engine == "pygraphviz" else "\n".join(texts)
    made = _child(engine, command, text.encode(), timeout or TIMEOUT)
    if SIGNS.get(form, b"") not in made:
        raise DrawingError(
            f"draw: the answer of {engine} is not what was asked for",
            expect=f"a picture as {form}",
            actual=clean(made[:60].decode(errors="replace"), 80),
            hint="is this Graphviz? minigrad doctor tries it",
        )
    return made


def _child(engine: str, command: list[str], text: bytes, timeout: float) -> bytes:
    """Run the command to its end, or kill it and all that it started."""
    try:
        child = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
        )
    except OSError as error:
        raise DrawingError(
            f"draw: {engine} could not be started",
            expect="a program that runs",
            actual=str(error),
            hint=REMEDIES,
        ) from None
    try:
        made, said = child.communicate(text, timeout)
    except subprocess.TimeoutExpired:
        raise DrawingError(
            f"draw: {engine} took longer than {timeout:g} s and was stopped",
            expect="a layout within the time-out",
            actual=f"{text.count(b'->')} lines in the graph",
            hint='draw fewer steps (max_steps=), or level="gate" or "cell"; '
            "timeout= gives it longer",
        ) from None
    finally:
        if child.returncode is None:  # too slow, or the user pressed Ctrl-C
            _kill(child)
    if child.returncode == 0 and made:
        return made
    raise _failure(engine, child.returncode, said)


def _kill(child: subprocess.Popen[bytes]) -> None:
    """End a child process and everything in its session."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.kill()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with contextlib.suppress(OSError):
                pipe.close()
    child.wait()


def _failure(engine: str, code: int, said: bytes) -> DrawingError:
    """What to say of an engine that gave no picture."""
    lines = said.decode(errors="replace").strip().splitlines()
    lines = [line for line in lines if "Fontconfig" not in line and line.strip()]
    known = version() if engine == "dot" else None
    if known and known < OLDEST:
        number = ".".join(map(str, known))
        hint = f"Graphviz {number} is too old; {REMEDIES}"
    else:
        hint = "d.save('x.dot') needs no engine; minigrad doctor checks what is there"
    how = f"was ended by signal {-code}" if code < 0 else f"gave exit code {code}"
    return DrawingError(
        f"draw: {engine} failed",
        expect="exit code 0 and a picture",
        actual=f"it {how}" + (f": {clean(lines[-1], 160)}" if lines else ""),
        hint=hint,
    )


def version() -> tuple[int, ...] | None:
    """The version of the `dot` program, or None."""
    program = shutil.which("dot")
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "-V"],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    found = re.search(rb"version (\d+)\.(\d+)(?:\.(\d+))?", done.stderr + done.stdout)
    return tuple(int(part) for part in found.groups() if part) if found else None
