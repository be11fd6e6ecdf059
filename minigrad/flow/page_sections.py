"""Builds the sections of flow's pages: figures, tables and captions.

Read next: `monitor_page.py`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import numpy as np

from minigrad.engine.scope import GATES
from minigrad.flow import cliff, gradient_plots
from minigrad.flow.figure_page import figure, table
from minigrad.flow.finding_lists import finding_list
from minigrad.flow.jacobians import JacobianProducts
from minigrad.flow.observation import LoopReading
from minigrad.flow.plot_style import new_figure, safe, say
from minigrad.reading.text import clean

MOST_MAPS = 6  # heat maps of parameters on a page

CHAIN = """<math display="block">
<mfrac><mrow><mi>d</mi><msub><mi>s</mi><mi>T</mi></msub></mrow>
<mrow><mi>d</mi><msub><mi>s</mi><mi>k</mi></msub></mrow></mfrac>
<mo>=</mo><msub><mi>F</mi><mi>T</mi></msub><mo>&#8943;</mo>
<msub><mi>F</mi><mrow><mi>k</mi><mo>+</mo><mn>1</mn></mrow></msub><mo>,</mo>
<mspace width="1.5em"/><msub><mi>F</mi><mi>k</mi></msub><mo>=</mo>
<mfrac><mrow><mi>d</mi><msub><mi>s</mi><mi>k</mi></msub></mrow>
<mrow><mi>d</mi><msub><mi>s</mi><mrow><mi>k</mi><mo>&#8722;</mo><mn>1</mn></mrow></msub>
</mrow></mfrac></math>"""


def distances(curves: Mapping[str, Any], ylabel: str, caption: str) -> str:
    """Norm against distance, all networks in one figure."""
    drawn, axes = new_figure(6.6, 4.4)
    gradient_plots.distances(curves, axes[0, 0], ylabel=ylabel)
    return figure(drawn, "Norm against distance", caption)


def fans(products: Mapping[str, JacobianProducts | str]) -> str:
    """The singular values of every network."""
    made = []
    for name, jp in products.items():
        drawn, axes = new_figure(6.6, 4.2)
        if isinstance(jp, str):
            say(axes[0, 0], jp)
        else:
            gradient_plots.fan(jp, axes[0, 0], title=f"{safe(name)}: singular values")
        made.append(
            figure(
                drawn,
                f"Singular values of {clean(name)}",
                "All singular values of the product, by distance. The thick line is "
                "the largest one, the norm. Dashed and dotted lines are upper bounds "
                "from theory. Values in the grey area may be rounding errors.",
            )
        )
    return "".join(made)


def ways(products: Mapping[str, JacobianProducts | str]) -> str:
    """The path along one state alone, for the networks that have gates."""
    made = []
    for name, jp in products.items():
        if isinstance(jp, JacobianProducts) and jp.has_paths:
            drawn, axes = new_figure(6.6, 4.2)
            gradient_plots.paths(jp, axes[0, 0], title=f"{safe(name)}: two paths back")
            state = jp.paths().state
            gate = "forget gate" if state == "c" else "update gate"
            made.append(
                figure(
                    drawn,
                    f"Paths of {clean(name)}",
                    f"One path goes along {state} alone, with all gates held constant: "
                    f"there each step multiplies the gradient by the {gate}. All other "
                    "paths go through the gates and the hidden state.",
                )
            )
    if made:
        return "".join(made)
    return "<p>No cell here has gates that could be held constant.</p>"


def heats(ledgers: Mapping[str, Any]) -> str:
    """Heat maps of the largest parameters of each ledger."""
    made = []
    for name, led in ledgers.items():
        largest = sorted(led.parameters, key=lambda p: -p.size)[:MOST_MAPS]
        for p in [q for q in led.parameters if any(q is one for one in largest)]:
            drawn, axes = new_figure(6.6, 4.6 if led.losses > 1 else 3.2)
            label = clean(p.name or "a parameter")
            title = ": ".join(part for part in (clean(name), label) if part)
            gradient_plots.heat(led, p, axes[0, 0], title=title.replace("$", r"\$"))
            made.append(
                figure(
                    drawn,
                    f"Ledger of {title}",
                    _ledger_words(escape(label), led.losses > 1),
                )
            )
    return "".join(made) or "<p>No parameter is used in several time steps.</p>"


def _ledger_words(label: str, several: bool) -> str:
    """What the picture of a ledger shows: a heat map where there are several losses."""
    if not several:
        return (
            f"Each point is one part of the gradient of {label}: the part through its "
            "use at one step. The gradient is the sum of all parts."
        )
    return (
        f"Each square is one part of the gradient of {label}: the part from one loss "
        "(row) through its use at one step (column). The gradient is the sum of all "
        "parts."
    )


def gates(name: str, trace: Any, words: Sequence[str] | None, sample: int) -> str:
    """What the gates of one loop did, word by word or step by step."""
    steps = len(trace[trace.names[0]]) if trace.names else 1
    drawn, axes = new_figure(min(9.0, max(6.6, 0.5 * steps)), 3.4)
    gradient_plots.gates(
        trace, words, sample, axes=axes[0, 0], title=f"{safe(name)}: gates"
    )
    return figure(
        drawn,
        f"Gates of {clean(name)}",
        "Means over the units. States and candidates have signs, so their absolute "
        "values are averaged.",
    )


def diagnosis_body(d: Any) -> str:
    """The page of `mg.diagnose`."""
    curves = {reading.name: reading.norms for reading in d.readings}
    products = dict(zip(_distinct(d), d.products, strict=True))
    looks = []
    for name, loop in zip(_distinct(d), d.loops, strict=True):
        trace = loop if hasattr(loop, "names") else None
        if trace is not None:
            looks.append(gates(name, trace, d.words, d.sample))
    ledgers = {"": d.ledger} if d.ledger else {}
    return f"""
<h1>Where the gradient goes</h1>
{finding_list(d.findings, "No findings.")}
<h2>How far back the gradient reaches</h2>
{
        distances(
            curves,
            "norm of the gradient at the state",
            "The gradient of the loss at each loop's last state, followed back through "
            "the loop.",
        )
    }
<h2>Products of Jacobians</h2>{CHAIN}
{fans(products)}
<h2>Two paths back</h2>{ways(products)}
<h2>Gates and units</h2>{"".join(looks)}
{gate_rows(d.readings)}
<h2>The ledger</h2>{heats(ledgers)}
"""


def _distinct(d: Any) -> list[str]:
    """The loops' names, numbered where one comes twice."""
    names = [r.name for r in d.readings] if len(d.readings) == len(d.loops) else []
    names = names or [f"loop {k}" for k in range(len(d.loops))]
    return [n if names.count(n) == 1 else f"{n} ({k})" for k, n in enumerate(names)]


def gate_rows(readings: Sequence[LoopReading]) -> str:
    """Gates and units as an HTML table."""
    rows = []
    for reading in readings:
        name = clean(reading.name)
        for letter, gate in reading.gates.items():
            shares = [f"{s:.0%}" for s in (gate.low, gate.high, gate.stuck)]
            label = GATES.get(letter, clean(letter))
            rows.append([name, label, f"{gate.mean:.2f}", *shares])
        dead = f"{len(reading.dead)} of {reading.units} dead"
        rows.append([name, "units", "", "", "", dead])
    head = ["loop", "gate", "mean", "near its lower end", "near its upper end", "stuck"]
    return table(head, rows)


def norm_rows(curves: Mapping[str, np.ndarray]) -> str:
    """Norms at some distances as an HTML table; curves are logarithms by distance."""
    from minigrad.flow.terminal_tables import power

    longest = max(map(len, curves.values()))
    marks = [d for d in (1, 2, 5, 10, 20, 50, 100, 200, 500) if d < longest]
    if longest - 1 not in marks:
        marks.append(longest - 1)
    rows = [
        [clean(name), *[power(logs[d]) if d < len(logs) else "" for d in marks]]
        for name, logs in curves.items()
    ]
    return table(["steps back", *map(str, marks)], rows)


def comparison_body(
    about: str,
    traces: Mapping[str, Any],
    products: Mapping[str, JacobianProducts],
    ledgers: Mapping[str, Any],
    words: Sequence[str] | None,
) -> str:
    """The page of `minigrad flow`: several networks side by side."""
    by_name = {name: gradient_plots.by_distance(jp) for name, jp in products.items()}
    looks = [gates(name, t, words, 0) for name, t in traces.items() if len(t.names) > 1]
    drawn, axes = new_figure(6.6, 4.4)
    cliff.plot(axes[0, 0])
    wall = figure(
        drawn,
        "Loss surface with a cliff",
        "A network with one unit and one parameter. Without clipping, gradient descent "
        "hits the wall and jumps far away. Clipped steps go in the same direction but "
        "stay near. After Pascanu, Mikolov &amp; Bengio 2013.",
    )
    return f"""
<h1>Where the gradient goes</h1>
<p>{escape(", ".join(products))}: {escape(about)}. A gradient goes back from the last
state to state k. At each step it is multiplied by a Jacobian:</p>{CHAIN}
<h2>Norm against distance</h2>
{distances(products, "spectral norm of $ds_T/ds_k$", _NORMS)}
{norm_rows(by_name)}
<h2>The fan of singular values</h2>{fans(products)}
<h2>Two paths back</h2>{ways(products)}
<h2>The ledger: one gradient, item by item</h2>{heats(ledgers)}
<h2>Gates</h2>{"".join(looks) or "<p>An RNN has none.</p>"}
<h2>Exploding: the cliff</h2>{wall}
"""


_NORMS = (
    "The norm is the largest factor by which a gradient can be multiplied on this way. "
    "A straight line down means that it shrinks by the same factor at each step."
)
