"""What notebooks show of a ledger and of Jacobian products: a picture and a table.

Read next: `cliff.py`.
"""

from __future__ import annotations

from html import escape
from typing import Any

import numpy as np

from minigrad.flow import gradient_plots
from minigrad.flow.plot_style import log_line, new_figure, power_axis, safe
from minigrad.flow.terminal_tables import distance_table, text
from minigrad.pages.notebook_view import View, image
from minigrad.pages.plots import BLUE, svg

MOST_LOSSES = 100  # one backward pass each: of more, only their sum is shown
MOST_MAPS = 3


def ledger_view(led: Any) -> View:
    """The norms of its largest parameters' items; of many losses their sum's."""
    chosen = sorted(led.parameters, key=lambda p: -p.size)[:MOST_MAPS]
    drawn, axes = new_figure(6.6, 3.6 * len(chosen), rows=len(chosen))
    few = led.losses <= MOST_LOSSES
    for plot, p in zip(axes[:, 0], chosen, strict=True):
        if few:
            gradient_plots.heat(led, p, plot)
        else:
            _sums(led, p, plot)
    tables = [led.table(p) for p in chosen] if few else []
    return _view(drawn, repr(led), text(*tables))


def _sums(led: Any, p: Any, axes: Any) -> None:
    """The norms of a parameter's uses, all losses together: one backward pass."""
    logs = gradient_plots.by_distance(led.use_norms(p))
    log_line(axes, np.arange(logs.size), logs, color=BLUE)
    power_axis(axes, [logs])
    axes.set_title(f"The gradient of {safe(p.name or 'the parameter')}, use by use")
    axes.set_xlabel("step of use")


def products_view(jp: Any) -> View:
    """The fan of singular values, and the norms at some distances."""
    drawn, axes = new_figure(6.6, 4.2)
    gradient_plots.fan(jp, axes[0, 0])
    table = distance_table({"norm": jp}, "Spectral norm of ds_T/ds_k")
    return _view(drawn, repr(jp), text(table))


def _view(drawn: Any, about: str, table: str) -> View:
    """HTML without a frame: a line, the picture, and the table as it is printed."""
    picture = svg(drawn).decode()
    content = f"<p>{escape(about)}</p>{image(picture, about)}"
    if table.strip():
        content += f"<pre>{escape(table.rstrip())}</pre>"
    return View(f"<div>{content}</div>", picture, f"{about}\n{table}".rstrip())
