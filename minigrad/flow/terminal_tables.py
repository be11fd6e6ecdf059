"""Shows norms, ledgers and gates in a terminal: tables and lines of blocks.

Read next: `finding_lists.py`.
"""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.engine.scope import GATES
from minigrad.flow.gradient_plots import by_distance
from minigrad.flow.observation import LoopReading
from minigrad.flow.plot_style import SMALLEST
from minigrad.flow.protocols import Itemised
from minigrad.reading.text import clean, number

_BLOCKS = "▁▂▃▄▅▆▇█"
ZERO, WRONG, UNDER = "▽", "×", "."  # exactly 0, not finite, underflows float64


def spark(logs: np.ndarray, low: float, high: float, width: int = 40) -> str:
    """Logarithms as a line of blocks between `low` and `high`, in at most `width`."""
    places = np.linspace(0, len(logs) - 1, min(width, len(logs))).round().astype(int)
    made = []
    for log in np.asarray(logs, float)[places]:
        if np.isneginf(log):
            made.append(ZERO)
        elif not np.isfinite(log):
            made.append(WRONG)
        elif log < SMALLEST:
            made.append(UNDER)
        else:
            height = (log - low) / (high - low) if high > low else 1.0
            made.append(_BLOCKS[int(np.clip(height * 8, 0, 7))])
    return "".join(made)


def power(log: float) -> str:
    """A size from its logarithm, in few characters, beyond float64 too: 3.2e-400."""
    if not np.isfinite(log) or abs(log) < 300:
        return short(0.0 if np.isneginf(log) else 10.0**log)
    exponent = int(np.floor(log))
    return f"{10 ** (log - exponent):.1f}e{exponent}"


def short(value: float) -> str:
    """A number in two digits and at most 7 characters: 0.31, 1.2e-07 as 1.2e-7."""
    if not np.isfinite(value) or value == 0:
        return number(value)
    text = f"{value:.2g}" if 0.001 <= abs(value) < 1000 else f"{value:.1e}"
    return text.replace("e-0", "e-").replace("e+0", "e").replace("e+", "e")


def distance_table(curves: Mapping[str, Any], title: str = "", most: int = 6) -> Any:
    """Norms at some distances, one row per network, with a line of blocks.

    curves  as for `plots.distances`
    most    columns of numbers: the farthest distances
    """
    from rich.text import Text

    lines = {clean(name): by_distance(curve) for name, curve in curves.items()}
    longest = max(map(len, lines.values()), default=1)
    marks = [d for d in (1, 2, 5, 10, 20, 50, 100, 200, 500) if d < longest - 1]
    marks.append(longest - 1)
    finite = np.concatenate([log[np.isfinite(log)] for log in lines.values()] or [[]])
    low, high = (finite.min(), finite.max()) if len(finite) else (-1.0, 0.0)
    table = _table(title or None)
    table.add_column("steps back", no_wrap=True)
    marks = marks[-max(1, most) :]
    for d in marks:
        table.add_column(str(d), justify="right", no_wrap=True)
    table.add_column(f"0 to {longest - 1}, log", no_wrap=True)
    for name, logs in lines.items():
        cells = [power(logs[d]) if d < len(logs) else "" for d in marks]
        table.add_row(Text(name), *cells, spark(logs, low, high, min(18, 6 + 2 * most)))
    return table


def ledger_table(led: Itemised, p: Any = None, most: int = 10) -> Any:
    """The norms of a parameter's items: losses as rows, steps of use as columns.

    Of more than `most` of either some are shown, evenly spread, the ends among them.
    One loss is shown from top to bottom, with a line of blocks.
    """
    from rich.text import Text

    parameter = led.find(p)
    norms = led.norms(parameter)
    name = clean(parameter.name or "the parameter")
    title = Text(f"Gradient of {name}: the norm of each part")
    table = _table(title)
    if not led.is_used(parameter):
        table.caption = "no loss depends on it: all items are zero"
    columns = _some(len(led.steps), most)
    if led.losses == 1:
        table.add_column("used at step")
        table.add_column("norm", justify="right")
        table.add_column("", no_wrap=True)
        largest = np.nanmax(norms[0], initial=0.0)
        for k in _some(len(led.steps), 3 * most):
            share = norms[0, k] / largest if 0 < largest < np.inf else 0.0
            share = share if np.isfinite(norms[0, k]) else np.nan
            bar = "█" * round(24 * share) if np.isfinite(share) else WRONG
            table.add_row(str(led.steps[k]), short(norms[0, k]), bar)
        return table
    table.add_column("loss at \\ used at", no_wrap=True)
    for k in columns:
        table.add_column(str(led.steps[k]), justify="right", no_wrap=True)
    for row in _some(led.losses, most):
        table.add_row(str(row), *[short(norms[row, k]) for k in columns])
    return table


def _table(title: Any) -> Any:
    """An empty table that wastes no width."""
    from rich import box
    from rich.table import Table

    look: dict[str, Any] = {"box": box.SIMPLE_HEAD, "padding": (0, 0, 0, 1)}
    return Table(title=title, title_justify="left", **look)


def _some(count: int, most: int) -> list[int]:
    """At most `most` of 0..count-1, evenly spread."""
    return sorted({round(k) for k in np.linspace(0, count - 1, min(count, most))})


def gate_table(readings: Sequence[LoopReading]) -> Any:
    """What gates and units do: shares in per cent."""
    from rich.text import Text

    table = _table("Gates and units")
    for name in ("loop", "gate", "mean", "at lower end", "at upper end", "stuck units"):
        table.add_column(name, justify="left" if name in ("loop", "gate") else "right")
    for reading in readings:
        for letter, gate in reading.gates.items():
            table.add_row(
                Text(clean(reading.name)),
                Text(GATES.get(letter, clean(letter))),
                f"{gate.mean:.2f}",
                *[f"{share:.0%}" for share in (gate.low, gate.high, gate.stuck)],
            )
        dead = f"{len(reading.dead)} of {reading.units} dead"
        table.add_row(Text(clean(reading.name)), "units", "", "", "", dead)
    return table


def text(*shown: Any, width: int = 100) -> str:
    """Tables and lines as plain text."""
    from rich.console import Console

    file = io.StringIO()
    console = Console(file=file, width=width, color_system=None, highlight=False)
    for thing in shown:
        console.print(thing, markup=False, soft_wrap=isinstance(thing, str))
    return file.getvalue()
