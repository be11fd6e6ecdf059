"""Plots of gradients by distance, of ledgers and of gates, on new axes or given ones.

    plots.distances({"RNN": jp_rnn, "LSTM": jp_lstm})      # norms against distance
    plots.fan(jp)                   # all singular values, with the bounds of theory
    plots.paths(jp)                 # along c alone, and through the rest
    plots.heat(led, "W_h")          # a ledger: loss against step of use
    plots.gates(trace, words)       # what the gates did, word by word

Every function returns the axes.

Read next: `notebook_pictures.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from minigrad.engine.errors import ArgumentError
from minigrad.engine.scope import GATES
from minigrad.flow.plot_style import (
    GREY,
    INK,
    LOOKS,
    edge_marks,
    log_line,
    new_axes,
    power_axis,
    safe,
    say,
)
from minigrad.flow.protocols import Itemised, Products
from minigrad.flow.scaled_product import log10
from minigrad.pages.dark_plots import BRIGHT, DEEP
from minigrad.pages.plots import BLUE, GREEN, ORANGE

_FORMULAS = {
    "product of the factors' norms": r"$\prod\|F_j\|_2$",
    "(γ‖W_h‖₂)^(T-k)": r"$(\gamma\|W_h\|_2)^{T-k}$",
    "|w|^(T-k)": "$|w|^{T-k}$",
}
DISTANCE = "steps back from the last state"


def by_distance(curve: Any) -> np.ndarray:
    """log10 of a curve (products, or an array of norms by distance), nearest first."""
    if hasattr(curve, "log10_norms"):
        return curve.log10_norms()[::-1]
    return log10(np.asarray(curve, float))


def distances(
    curves: Mapping[str, Any],
    axes: Any = None,
    title: str = "How much of a gradient is left",
    ylabel: str = "spectral norm of $ds_T/ds_k$",
) -> Any:
    """Norm against distance, one line per network; log scale.

    curves  {name: JacobianProducts, or norms (n,) whose entry d is d steps back}
    """
    axes = axes or new_axes()
    lines = {safe(name): by_distance(curve) for name, curve in curves.items()}
    if not any(len(logs) for logs in lines.values()):
        return say(axes, "nothing to show: no network was given")
    for (name, logs), look in zip(lines.items(), _looks(len(lines)), strict=True):
        log_line(axes, np.arange(len(logs)), logs, label=name, **look)
    low, high = power_axis(axes, list(lines.values()))
    if low < 0 < high:
        axes.axhline(0, color=INK, linewidth=0.8, alpha=0.5)
    longest = max(map(len, lines.values()))
    edge_marks(axes, list(lines.values()), _looks(len(lines)))
    axes.set(xlabel=DISTANCE, ylabel=ylabel, title=title)
    axes.set_xlim(-0.02 * longest, longest - 1 + 0.02 * longest)
    axes.legend(fontsize=9)
    return axes


def _looks(count: int) -> list[dict[str, str]]:
    return [LOOKS[k % len(LOOKS)] for k in range(count)]


def fan(jp: Products, axes: Any = None, title: str = "", W: Any = None) -> Any:
    """All singular values of ds_T/ds_k against distance, and the bounds of theory.

    Values that may come from rounding alone are left out; a grey area shows where.
    """
    axes = axes or new_axes()
    logs = jp.log10_singular_values()[::-1]  # nearest first
    x = np.arange(jp.steps + 1)
    floor = logs[:, 0] + np.log10(jp.resolution)
    with np.errstate(invalid="ignore"):
        real = logs > floor[:, None]
    real[:, 0] = True
    shown = np.where(real, logs, np.nan)
    for column in shown.T[1:]:
        axes.plot(x, column, color=BLUE, linewidth=0.7, alpha=0.45)
    bounds = jp.log10_bounds(W)
    log_line(axes, x, logs[:, 0], color=BLUE, marker="s", label="largest: the norm")
    if shown.shape[1] > 1:
        axes.plot([], [], color=BLUE, alpha=0.45, label="the other singular values")
    dashes = ("--", ":")
    for (name, bound), dash in zip(bounds.items(), dashes, strict=False):
        label = f"bound: {_FORMULAS[name]}"
        axes.plot(x, bound[::-1], color=ORANGE, linestyle=dash, label=label)
    finite = np.where(np.isfinite(shown), shown, np.nan)
    low, _ = power_axis(axes, [finite, *bounds.values()])
    if (~real).any() and np.isfinite(floor).any():
        hidden = np.where((~real).any(axis=1), floor, np.nan)
        axes.fill_between(
            x, hidden, low, color=GREY, alpha=0.2, linewidth=0, label="rounding"
        )
    edge_marks(axes, [logs[:, 0]], [{"color": BLUE}])
    _count_zeros(axes, logs)
    axes.set(
        xlabel=DISTANCE,
        ylabel="singular values of $ds_T/ds_k$",
        title=title or f"The fan of singular values (S = {jp.size})",
    )
    axes.legend(fontsize=8, loc="best")
    return axes


def _count_zeros(axes: Any, logs: np.ndarray) -> None:
    """Singular values that are exactly zero, though not all of their product is."""
    zeros = (np.isneginf(logs) & ~np.isneginf(logs[:, :1])).sum(axis=1)
    if zeros.any():
        words = f"up to {zeros.max()} singular values are exactly 0"
        axes.annotate(
            words, (0.99, 0.02), xycoords="axes fraction", ha="right", fontsize=8
        )


def paths(jp: Products, axes: Any = None, title: str = "") -> Any:
    """The path along one state alone against all other paths: norms by distance."""
    axes = axes or new_axes()
    if not jp.has_paths:
        return say(axes, "this cell has no gates, so there is only one path")
    found = jp.paths()
    x = np.arange(jp.steps + 1)
    gate = "of $f_t$" if found.state == "c" else "of the update gate"
    lines = {
        f"along {found.state} alone: product {gate}": found.log10_alone[::-1],
        "through the gates and $h$": found.log10_rest[::-1],
        "both together": _together(jp, found.state)[::-1],
    }
    looks = [
        {"color": BLUE, "marker": "s"},
        {"color": ORANGE, "marker": "o"},
        {"color": GREEN, "marker": "", "linestyle": "--"},
    ]
    for (name, logs), look in zip(lines.items(), looks, strict=True):
        log_line(axes, x, logs, label=name, **look)
    power_axis(axes, list(lines.values()))
    edge_marks(axes, list(lines.values()), looks)
    symbol = f"$d{found.state}_T/d{found.state}_k$"
    axes.set(xlabel=DISTANCE, ylabel=f"spectral norm, parts of {symbol}")
    axes.set_title(title or f"Two paths for {symbol}")
    axes.legend(fontsize=8)
    return axes


def _together(jp: Products, state: str) -> np.ndarray:
    return jp.log10_norms(state)


def heat(led: Itemised, p: Any = None, axes: Any = None, title: str = "") -> Any:
    """A ledger as a heat map: norms, loss (rows) against step of use (columns).

    One loss is drawn as a line.
    """
    axes = axes or new_axes(6.4, 4.6)
    parameter = led.find(p)
    norms = led.norms(parameter)
    if not norms.size:
        return say(axes, "no step to show: the graph has no uses of this parameter")
    if not led.is_used(parameter):
        return say(axes, "no loss depends on this parameter: all its items are zero")
    if not (np.isfinite(norms) & (norms > 0)).any():
        return say(axes, _why_empty(norms))
    logs = log10(norms)
    name = safe(parameter.name or "the parameter")
    axes.set_xlabel(f"step at which {name} is used")
    axes.set_title(title or f"The gradient of {name}, item by item")
    _step_ticks(axes, led.steps)
    if led.losses == 1:
        log_line(axes, np.arange(logs.size), logs[0], color=BLUE, marker="s")
        power_axis(axes, [logs])
        edge_marks(axes, [logs[0]], [{"color": BLUE}])
        axes.set_ylabel("the item's norm")
        return axes
    axes.set_ylabel("loss")
    picture = log_image(axes, logs)
    bar = axes.figure.colorbar(picture, ax=axes, shrink=0.85)
    bar.set_label("log10 of the item's norm")
    return axes


def log_image(axes: Any, logs: np.ndarray, ragged: bool = False) -> Any:
    """Logarithms as colours; zeros and what is not finite get looks of their own.

    ragged  NaN means that there is nothing, not that something is not finite
    """
    from matplotlib.patches import Patch

    finite = np.where(np.isfinite(logs), logs, np.nan)
    axes.set_facecolor("#e6e9ec")
    picture = axes.imshow(
        finite, cmap="cividis", aspect="auto", interpolation="nearest"
    )
    marks = []
    if np.isneginf(logs).any():
        marks.append(Patch(facecolor="#e6e9ec", edgecolor=GREY, label="exactly 0"))
    wrong = np.isposinf(logs) | (np.isnan(logs) & (not ragged))
    if wrong.any():
        rows, columns = np.nonzero(wrong)
        axes.scatter(columns, rows, marker="x", s=14, color=ORANGE, label="not finite")
        marks.append(Patch(facecolor=ORANGE, label="× not finite"))
    if marks:
        axes.legend(handles=marks, fontsize=8, loc="upper right")
    return picture


def _why_empty(norms: np.ndarray) -> str:
    if not norms.any():
        return "every item is exactly zero: nothing reaches this parameter"
    return "every item is exactly zero, NaN or infinite"


def _step_ticks(axes: Any, steps: Sequence[Any]) -> None:
    """Ticks at some of the slots, "outside" always among them."""
    places = list(range(0, len(steps), max(1, len(steps) // 8)))
    if steps and isinstance(steps[-1], str) and places[-1] != len(steps) - 1:
        places[-1] = len(steps) - 1
    named: set[str | None] = set()
    words = []
    for k in places:
        loop = getattr(steps[k], "loop", None)  # one of several
        word = str(steps[k] if loop is None else steps[k].step)
        words.append(word if loop is None or loop in named else f"{word}\n{safe(loop)}")
        named.add(loop)
    axes.set_xticks(places, words)


def gates(
    trace: Any,
    words: Sequence[str] | None = None,
    sample: int = 0,
    names: Sequence[str] | None = None,
    axes: Any = None,
    title: str = "",
) -> Any:
    """Gates and states (rows) over the words or steps (columns): means over the units.

    States and candidates, which have signs, are shown as mean sizes.
    words  one per step; names  letters of the rows, the trace's own by default
    Raises ArgumentError if the words are not one per step.
    """
    names = list(trace.names if names is None else names)
    values = [trace[name][:, sample] for name in names]
    steps = len(values[0]) if values else 0
    if words is not None and len(words) != steps:
        raise ArgumentError(
            f"gates: {len(words)} words for {steps} steps",
            expect="one word per step",
            actual=f"{len(words)} words",
            hint="cut or pad the words as the input was",
        )
    axes = axes or new_axes(max(6.4, 0.62 * steps + 2.4), 0.42 * len(names) + 1.9)
    if not steps:
        return say(axes, "no gates to show: the cell has none, or the trace is empty")
    table = np.array([np.abs(v).reshape(steps, -1).mean(axis=1) for v in values])
    top = max(1.0, np.nanmax(table, initial=0.0))
    picture = axes.imshow(table, cmap="cividis", vmin=0, vmax=top, aspect="auto")
    if steps <= 24:
        for (row, column), value in np.ndenumerate(table):
            shade = BRIGHT if not value > 0.55 * top else DEEP
            look = {"ha": "center", "va": "center", "fontsize": 8, "color": shade}
            axes.text(column, row, f"{value:.2f}", **look)
    labels = [safe(word, 16) for word in words] if words else None
    if labels:
        axes.set_xticks(range(steps), labels, rotation=40, ha="right")
    else:
        _step_ticks(axes, list(range(steps)))
        axes.set_xlabel("step")
    rows = [f"{GATES.get(n, safe(n))} {'size' if n in 'hcgn' else ''}" for n in names]
    axes.set_yticks(range(len(names)), rows)
    axes.set_title(title or "Gates and states, means over the units")
    axes.figure.colorbar(picture, ax=axes, shrink=0.85)
    return axes
