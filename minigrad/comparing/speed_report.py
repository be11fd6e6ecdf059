"""The comparison as a table for the terminal, as JSON, as reStructuredText, as a plot.

Read next: `bench_process.py`.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from minigrad.comparing.growth import Grown
from minigrad.comparing.side_by_side import OURS, RIVALS, Case


def machine(threads: int) -> str:
    """The machine and what it was measured with, in a line."""
    import numpy

    name = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            lines = [
                line.split(": ")[1].strip() for line in file if "model name" in line
            ]
        name = lines[0]
    except (OSError, IndexError):
        pass
    count = "one thread" if threads == 1 else f"{threads} threads"
    return (
        f"{name}, {os.cpu_count()} cores, {count}, Python "
        f"{platform.python_version()}, NumPy {numpy.__version__}"
    )


def as_data(
    cases: Sequence[Case], grown: Sequence[Grown], threads: int
) -> dict[str, Any]:
    """All figures, to be written as JSON. Times are milliseconds."""
    return {
        "machine": machine(threads),
        "threads": threads,
        "what": "gradients of all weights for the sum of all outputs, float32",
        "cases": [
            {
                "kind": case.kind,
                "size": case.name,
                **dict(zip("TBDH", case.size, strict=True)),
                "times_ms": {name: asdict(t) for name, t in case.times.items()},
                "left_out": case.left_out,
            }
            for case in cases
        ],
        "growth": [asdict(row) for row in grown],
    }


def tables(cases: Sequence[Case]) -> list[Any]:
    """A table for each kind: medians in ms with half the distance of the quartiles, and
    the ratio to ours."""
    kinds = dict.fromkeys(case.kind for case in cases)
    return [_table([case for case in cases if case.kind == kind]) for kind in kinds]


def _table(cases: Sequence[Case]) -> Any:
    from rich.table import Table

    title = (
        f"{cases[0].kind}: a training step in ms (± spread), its share of minigrad's"
    )
    shown = Table(title=title, title_justify="left")
    shown.add_column("")
    for case in cases:
        heading = f"{case.name}\n{', '.join(map(str, case.size))}"
        shown.add_column(heading, justify="right")
    for name in RIVALS:
        if any(name in case.times for case in cases):
            shown.add_row(name, *[_cell(case, name) for case in cases])
    return shown


def _cell(case: Case, name: str) -> str:
    if name not in case.times:
        return "-"
    times, ratio = case.times[name], case.ratio(name, OURS)
    spread = (times.high - times.low) / 2
    share = "" if ratio is None else f"\n{ratio:.3g}"
    return f"{times.median:,.3g} ± {spread:,.1g}{share}"


def growth_table(grown: Sequence[Grown]) -> Any:
    """How minigrad's time and memory grow with the number of steps."""
    from rich.table import Table

    shown = Table(title="LSTM, size S, longer and longer")
    for heading in (
        "",
        "T",
        "ms",
        "ms per step",
        "first call, ms",
        "MB",
        "MB, process",
    ):
        shown.add_column(heading, justify="right" if heading else "left")
    for row in grown:
        numbers = (row.ms, row.ms / row.T, row.first_ms, row.megabytes, row.process)
        shown.add_row(row.way, f"{row.T:,}", *[f"{n:.3g}" for n in numbers])
    return shown


def left_out(cases: Sequence[Case]) -> list[str]:
    """Who did not take part, and why: a line for each reason."""
    reasons: dict[tuple[str, str], list[str]] = {}
    for case in cases:
        for name, reason in case.left_out.items():
            reasons.setdefault((name, reason), []).append(f"{case.kind} {case.name}")
    return [
        f"{name}: {reason}" + (f" ({', '.join(at)})" if len(at) < len(cases) else "")
        for (name, reason), at in reasons.items()
    ]


def plot(data: dict[str, Any], path: Path) -> None:
    """Bars of the medians, as shares of minigrad's, one panel for each kind."""
    from matplotlib.figure import Figure

    kinds = list(dict.fromkeys(case["kind"] for case in data["cases"]))
    names = [
        name
        for name in RIVALS
        if name != OURS and any(name in case["times_ms"] for case in data["cases"])
    ]
    figure = Figure(figsize=(8, 1.2 + 0.28 * len(names) * len(kinds)), dpi=120)
    panels = figure.subplots(len(kinds), 1, sharex=True, squeeze=False)[:, 0]
    for panel, kind in zip(panels, kinds, strict=True):
        cases = [case for case in data["cases"] if case["kind"] == kind]
        height = 0.8 / len(cases)
        for number, case in enumerate(cases):
            times = case["times_ms"]
            if OURS not in times:
                continue
            known = [(k, name) for k, name in enumerate(names) if name in times]
            panel.barh(
                [k + number * height for k, _ in known],
                [times[n]["median"] / times[OURS]["median"] for _, n in known],
                height,
                label=case["size"],
            )
        panel.set_yticks([k + 0.4 - height / 2 for k in range(len(names))], names)
        panel.set_ylim(len(names) - 0.1, -0.3)
        panel.axvline(1.0, color="black", linewidth=0.8)
        panel.set_xscale("log")
        panel.set_title(kind, loc="left", fontsize=10)
    panels[0].legend(title="size", fontsize=8)
    panels[-1].set_xlabel("time as a share of minigrad's (less is faster)")
    figure.text(0.01, 0.005, data["machine"], fontsize=6)
    figure.tight_layout(rect=(0, 0.02, 1, 1))
    figure.savefig(path)
