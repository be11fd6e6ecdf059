"""Writes a monitor's measurements as a table (CSV) and as a page.

monitor.csv has one row per look and loop; monitor.html loads nothing.

Read next: `framed_views.py`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from minigrad.engine.scope import GATES
from minigrad.flow.figure_page import figure, table, write_page
from minigrad.flow.finding_lists import finding_list
from minigrad.flow.findings import TOO_SMALL, reach
from minigrad.flow.gradient_plots import log_image
from minigrad.flow.observation import LoopReading
from minigrad.flow.page_sections import gate_rows
from minigrad.flow.plot_style import (
    LOOKS,
    edge_marks,
    log_line,
    new_figure,
    power_axis,
    safe,
    say,
)
from minigrad.flow.scaled_product import log10
from minigrad.flow.terminal_tables import short
from minigrad.pages.output_files import make_folder
from minigrad.pages.plots import BLUE, ORANGE
from minigrad.reading.text import clean
from minigrad.training.checkpoint import write_whole

KINDS = ("mean", "low", "high", "stuck")
DISTANCES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)


def write(monitor: Any, folder: Path) -> Path:
    """Both files; the folder is made. CheckpointError if that cannot be."""
    write_table(monitor, folder)
    return write_body(monitor, folder)


def write_table(monitor: Any, folder: Path) -> list[str]:
    """monitor.csv, whole or not at all; returns its columns."""
    make_folder(folder, hint="Monitor(folder) takes another")
    write_whole(folder / "monitor.csv", as_csv(monitor).encode())
    return columns_of(monitor.seen)


def write_body(monitor: Any, folder: Path, figures: bool = True) -> Path:
    """monitor.html, whole or not at all; without figures it takes no time."""
    make_folder(folder, hint="Monitor(folder) takes another")
    path = folder / "monitor.html"
    return write_page(path, "Gradients in training", body(monitor, figures))


def as_csv(monitor: Any) -> str:
    """One row per look and loop.

    Columns: step, epoch, loss, norm (of the gradient, before clipping), clipped (share
    of the batches since the last look), loop, reach (steps back that still get 1e-6 of
    the nearest gradient), the norm at some distances and at the farthest, dead units,
    units, and of each
    gate its mean and the shares at its lower end, at its upper end, and stuck units.
    """
    columns = columns_of(monitor.seen)
    return ",".join(columns) + "\r\n" + lines_of(monitor.seen, columns)


def columns_of(looks: Sequence[Any]) -> list[str]:
    """The columns of the table of some looks."""
    readings = [r for look in looks for r in look.readings]
    gates = sorted({k for r in readings for k in r.gates})
    longest = max([len(r.norms) for r in readings], default=0)
    head = ["step", "epoch", "loss", "norm", "clipped", "loop", "reach"]
    head += [f"norm_{d}_back" for d in DISTANCES if d < longest]
    head += ["norm_farthest", "dead", "units"]
    return head + [f"{gate}_{kind}" for gate in gates for kind in KINDS]


def lines_of(looks: Sequence[Any], columns: Sequence[str]) -> str:
    """The lines of some looks, without a head."""
    file = io.StringIO()
    out = csv.DictWriter(file, columns, restval="")
    for look in looks:
        for reading in look.readings:
            out.writerow(_row(look, reading))
    return file.getvalue()


def _row(look: Any, r: LoopReading) -> dict[str, Any]:
    """{column: value} of one loop at one look."""
    row: dict[str, Any] = {
        "step": look.step,
        "epoch": look.epoch,
        "loss": look.loss,
        "norm": look.norm,
        "clipped": look.clipped,
        "loop": clean(r.name, 200),
        "reach": reach(r.norms),
        "norm_farthest": float(r.norms[-1]),
        "dead": len(r.dead),
        "units": r.units,
    }
    for d in DISTANCES:
        if d < len(r.norms):
            row[f"norm_{d}_back"] = float(r.norms[d])
    for letter, gate in r.gates.items():
        row |= {f"{letter}_{kind}": getattr(gate, kind) for kind in KINDS}
    return row


def _rows(monitor: Any) -> Iterator[tuple[Any, LoopReading]]:
    return ((look, reading) for look in monitor.seen for reading in look.readings)


def body(monitor: Any, figures: bool = True) -> str:
    """The page's content."""
    names = list(dict.fromkeys(r.name for _, r in _rows(monitor)))
    if not figures:
        return _head(monitor) + "<p>The figures follow as the training goes on.</p>"
    parts = [_reach(monitor, name) for name in names]
    parts += [_gates(monitor, name) for name in names]
    last = monitor.seen[-1].readings if monitor.seen else []
    return f"""{_head(monitor)}
<h2>The loss, and the size of its gradient</h2>{_sizes(monitor)}
<h2>How far back the gradient reaches, and what the gates do</h2>
{"".join(parts) or "<p>No loop over time was seen: there is nothing to show.</p>"}
<h2>Last measurement</h2>{gate_rows(last) if last else "<p>There is none.</p>"}
"""


def _head(monitor: Any) -> str:
    """What was found, and the first and the last numbers."""
    return f"""
<h1>Gradients in training</h1>
<p>{monitor.steps} batches, of which {len(monitor.seen)} were measured and
{monitor.clipped} were clipped.</p>
{finding_list(monitor.findings, "No findings.", _since(monitor))}
{_numbers(monitor)}"""


def _since(monitor: Any) -> list[str]:
    """When each finding was first seen."""
    first = monitor.first_seen
    return [f"since step {first[f.code, f.loop]}" for f in monitor.findings]


def _numbers(monitor: Any) -> str:
    """A table with the first and the last measurement."""
    if not monitor.seen:
        return "<p>No batch was measured: the monitor was not called.</p>"
    rows = []
    for label, look in (("first", monitor.seen[0]), ("last", monitor.seen[-1])):
        far = [f"{reach(r.norms)} of {len(r.norms) - 1}" for r in look.readings]
        size = short(look.norm) if _normed(monitor) else "not given"
        rows.append([label, look.step, short(look.loss), size, *far])
    loops = [clean(r.name) for r in monitor.seen[-1].readings]
    heads = [f"reach, {name}" for name in loops]
    return table(["measured", "step", "loss", "norm of the gradient", *heads], rows)


def _sizes(monitor: Any) -> str:
    normed = _normed(monitor)
    drawn, axes = new_figure(6.6, 5.4 if normed else 2.9, rows=1 + normed)
    upper, lower = axes[0, 0], axes[-1, 0]
    steps = np.array([look.step for look in monitor.seen])
    losses = np.array([look.loss for look in monitor.seen])
    if not len(steps):
        say(upper, "no batch was seen")
    else:
        dots = "o" if len(steps) <= 40 else None
        upper.plot(steps, losses, color=BLUE, linewidth=1.5, marker=dots, ms=4)
        upper.set(ylabel="loss", xlabel="step")
        upper.grid(True, alpha=0.3)
    if not normed:
        return figure(
            drawn,
            "Loss",
            "The size of the gradient is shown here, too, if it is given: "
            "<code>monitor.watch(loss, norm=mg.clip_grad_norm_(...))</code>.",
        )
    _norms(lower, monitor, steps)
    return figure(
        drawn,
        "Loss and norm of the gradient",
        "The norm is the one before clipping. An orange dot means that at least one "
        "batch was clipped since the measurement before.",
    )


def _normed(monitor: Any) -> bool:
    """Was the norm of the gradient given for any batch?"""
    return any(not np.isnan(look.norm) for look in monitor.seen)


def _norms(axes: Any, monitor: Any, steps: np.ndarray) -> None:
    norms = np.array([look.norm for look in monitor.seen])
    logs = log10(norms)
    log_line(axes, steps, logs, color=BLUE, marker="")
    clipped = np.array([look.clipped for look in monitor.seen]) > 0
    finite = clipped & np.isfinite(logs)
    axes.scatter(steps[finite], logs[finite], color=ORANGE, s=14, label="clipped")
    power_axis(axes, [logs])
    axes.set(xlabel="step", ylabel="norm of the gradient")
    if finite.any():
        axes.legend(fontsize=9)


def _of(monitor: Any, name: str) -> tuple[np.ndarray, list[LoopReading]]:
    """The measurements of one loop: steps and readings."""
    pairs = [(look.step, r) for look, r in _rows(monitor) if r.name == name]
    return np.array([step for step, _ in pairs]), [r for _, r in pairs]


def _reach(monitor: Any, name: str) -> str:
    """A heat map of gradients: distance (rows) against step of training (columns)."""
    steps, readings = _of(monitor, name)
    drawn, axes = new_figure(6.6, 4.0)
    plot = axes[0, 0]
    longest = max(len(r.norms) for r in readings)
    logs = np.full((longest, len(readings)), np.nan)
    for column, r in enumerate(readings):
        with np.errstate(divide="ignore", invalid="ignore"):
            logs[: len(r.norms), column] = log10(r.norms / r.norms[0])
    if not np.isfinite(logs).any():
        say(plot, "every gradient of this loop was zero or not finite")
    elif len(readings) == 1:
        log_line(plot, np.arange(longest), logs[:, 0], color=BLUE, marker="s")
        power_axis(plot, [logs])
        edge_marks(plot, [logs[:, 0]], [{"color": BLUE}])
        plot.set(xlabel="steps back", ylabel="gradient, relative to the nearest")
    else:
        picture = log_image(plot, logs, ragged=True)
        plot.plot([reach(r.norms) for r in readings], color=ORANGE, linewidth=1.5)
        places = np.unique(np.linspace(0, len(steps) - 1, 7).round().astype(int))
        plot.set_xticks(places, [str(steps[k]) for k in places])
        plot.set(xlabel="step of training", ylabel="steps back")
        plot.yaxis.get_major_locator().set_params(integer=True)
        bar = drawn.colorbar(picture, ax=plot, shrink=0.85)
        bar.set_label("log10 of the gradient, relative to the nearest")
    plot.set_title(f"{safe(name)}: the gradient by distance")
    limit = short(TOO_SMALL)
    return figure(
        drawn,
        f"Gradient by distance in {clean(name)}",
        f"How much of the gradient at the last state is left after a number of steps "
        f"back. The orange line is the reach: beyond it less than {escape(limit)} is "
        "left.",
    )


def _gates(monitor: Any, name: str) -> str:
    """Lines: the saturated share of each gate, and of dead units, over training."""
    steps, readings = _of(monitor, name)
    drawn, axes = new_figure(6.6, 3.4)
    plot = axes[0, 0]
    letters = list(dict.fromkeys(k for r in readings for k in r.gates))
    for number, letter in enumerate(letters):
        gates = [r.gates.get(letter) for r in readings]
        ends = [g.low + g.high if g else np.nan for g in gates]
        look = LOOKS[number % len(LOOKS)]
        every = max(1, len(steps) // 10)
        label = GATES.get(letter, safe(letter))
        plot.plot(steps, ends, label=label, markevery=every, markersize=4, **look)
    dead = [len(r.dead) / r.units if r.units else np.nan for r in readings]
    plot.plot(steps, dead, color="black", linestyle="--", label="dead units")
    plot.set(xlabel="step of training", ylabel="share", ylim=(-0.03, 1.03))
    plot.set_title(f"{safe(name)}: saturated gates, dead units")
    plot.grid(True, axis="y", alpha=0.3)
    plot.legend(fontsize=8, ncols=2)
    return figure(
        drawn,
        f"Saturation in {clean(name)}",
        "Coloured lines: the share of a gate's values within 0.05 of its ends, where "
        "hardly any gradient passes. Dashed: the share of dead units, which "
        "have the same value for all samples and steps.",
    )
