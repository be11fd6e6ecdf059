"""The unrolled graph of a read sentence, gate by gate: DOT text, and its rendering.

Nodes of the recorded graph are gathered by their scopes: one cluster per time step, one
box per gate. Boxes are filled by the gate's mean value; edges are the graph's own.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from typing import Any

import graphviz

from minigrad.errors import DrawingError
from minigrad.graph import Node, ancestors
from minigrad.scope import GATES

SECONDS = 30  # an engine that takes longer is stopped
_FONT = {"fontname": "Helvetica,Arial,sans-serif"}
_SHADES = ("#f7fbff", "#deebf7", "#c6dbef", "#9ecae1", "#6baed6")  # ColorBrewer Blues


def unrolled(
    output: Any, words: list[str], gates: dict[str, Any]
) -> tuple[str, list[str]]:
    """The graph of `output` as DOT text: steps from left to right, gates as boxes.

    words  one per time step: the clusters' labels
    gates  {letter: (T,)} mean values, for the boxes' shade and number

    The edges that carry a state to the next step are left out, and returned beside it
    ("s0_c s1_c"): dot would route them around the whole picture. `render` adds them.
    """
    boxes: dict[Node, tuple[int, str]] = {}
    for node in ancestors([output.node]):
        where = {record.kind: record for record in node.scope}
        if "step" in where:
            letter = where["gate"].index if "gate" in where else "z"
            boxes[node] = (where["step"].index, letter)
    edges = _edges(boxes)
    dot = graphviz.Digraph(
        graph_attr={"rankdir": "TB", "newrank": "true", "nodesep": "0.18", **_FONT},
        node_attr={
            "shape": "box",
            "style": "rounded,filled",
            "fontsize": "10",
            **_FONT,
        },
        edge_attr={"arrowsize": "0.6", "color": "#555555"},
    )
    # An invisible root with ordered edges keeps the steps in order, from left to right.
    dot.node("root", style="invis", ordering="out")
    for t, word in enumerate(words):
        with dot.subgraph(name=f"cluster_{t}") as step:
            label = graphviz.escape(f"{t}: {word}")
            step.attr(label=label, style="rounded", color="#aaaaaa")
            step.node(f"s{t}_x", graphviz.escape(word), shape="plain", style="")
            for letter in sorted({k for s, k in boxes.values() if s == t}):
                step.node(f"s{t}_{letter}", **_box(letter, gates, t))
        dot.edge("root", f"s{t}_x", style="invis")
        dot.edge(f"s{t}_x", f"s{t}_{_first(boxes, t)}")
    for (start, source), (end, target) in sorted(edges):
        if start == end:
            dot.edge(f"s{start}_{source}", f"s{end}_{target}")
    return dot.source, sorted(
        f"s{a}_{b} s{c}_{d}" for (a, b), (c, d) in edges if a != c
    )


def _first(boxes: dict, t: int) -> str:
    """The box that reads the word: the sums before the gates."""
    letters = {k for s, k in boxes.values() if s == t}
    return "z" if "z" in letters else min(letters)


def _edges(boxes: dict[Node, tuple[int, str]]) -> set:
    """From box to box, where a node of one feeds a node of the other."""
    found = set()
    for node, box in boxes.items():
        for edge in node.edges:
            source = boxes.get(edge.source)  # type: ignore[arg-type]
            if source is not None and source != box:
                found.add((source, box))
    return found


def _box(letter: str, gates: dict[str, Any], t: int) -> dict[str, str]:
    name = "sums" if letter == "z" and "z" not in gates else GATES.get(letter, letter)
    if letter not in gates:
        return {"label": name, "fillcolor": "#ffffff"}
    value = float(gates[letter][t])
    shade = _SHADES[min(int(max(value, 0.0) * len(_SHADES)), len(_SHADES) - 1)]
    return {"label": f"{name}\n{value:.2f}", "fillcolor": shade}


def render(dot: str, carried: list[str], format: str) -> bytes:
    """The picture, by the `dot` program or by the packaged engine of pygraphviz.

    dot lays out the steps; the carried states are then drawn on top of the layout, and
    `nop2` turns it into the picture without moving anything.
    Raises DrawingError if no engine is there, or it fails or takes too long.
    """
    laid_out = _engine(["dot", "-Tdot"], dot).decode()
    places = _places(_engine(["dot", "-Tplain"], dot).decode())
    drawn = "".join(_carry(edge, places) for edge in carried)
    whole = laid_out.rstrip().removesuffix("}") + drawn + "}\n"
    return _engine(["dot", "-Knop2", f"-T{format}"], whole)


Place = tuple[float, float, float, float]


def _places(plain: str) -> dict[str, Place]:
    """Of each node: x, y, half its width and half its height, in points."""
    found = {}
    for line in plain.splitlines():
        if line.startswith("node "):
            _, name, x, y, width, height, *_ = line.split()
            found[name] = (
                72 * float(x),
                72 * float(y),
                36 * float(width),
                36 * float(height),
            )
    return found


def _carry(edge: str, places: dict[str, Place]) -> str:
    """One state edge: c in a shallow arc below the boxes, h up between two steps."""
    source, target = edge.split()
    (ax, ay, aw, ah), (bx, by, bw, bh) = places[source], places[target]
    if source.endswith("_c"):
        sx, sy, ex, ey = ax + aw / 2, ay - ah, bx - bw / 2, by - bh - 6
        dip = min(sy, ey) - 16
        points = [(sx, sy), (sx + 20, dip), (ex - 20, dip), (ex, ey)]
        tip, color = (bx - bw / 2, by - bh), "#c0392b"
    else:
        sx, sy, ex, ey = ax + aw, ay, bx - bw - 7, by
        between = (ax + aw + bx - bw) / 2 + 14
        points = [(sx, sy), (between, sy), (between, ey), (ex, ey)]
        tip, color = (bx - bw, by), "#555555"
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
    return (
        f'  "{source}" -> "{target}" [pos="e,{tip[0]:.1f},{tip[1]:.1f} {path}", '
        f'color="{color}", penwidth=1.8, arrowsize=0.6];\n'
    )


def _engine(command: list[str], text: str) -> bytes:
    """What an engine makes of DOT text."""
    program = shutil.which(command[0])
    if program:
        command = [program, *command[1:]]
    else:
        command = [sys.executable, "-c", _PACKAGED, *command]
    try:
        done = subprocess.run(
            command, input=text.encode(), capture_output=True, timeout=SECONDS
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DrawingError(
            "the layout engine did not finish",
            actual=str(error)[:200],
            hint="give a shorter sentence",
        ) from None
    if done.returncode or not done.stdout:
        raise DrawingError(
            "the picture of the graph cannot be drawn",
            expect="the program `dot`, or the package pygraphviz",
            actual=done.stderr.decode(errors="replace").strip()[-200:],
            hint="install Graphviz, or: pip install 'minigrad[pictures]'",
        )
    return done.stdout


# A process of its own: an engine that crashes must not take the program with it.
_PACKAGED = """
import sys, warnings
warnings.simplefilter("ignore")
import pygraphviz
program, *options, format = sys.argv[1:]
program = "nop2" if options else program  # -n2 is ignored here, silently
graph = pygraphviz.AGraph(string=sys.stdin.buffer.read().decode())
made = graph.draw(format=format[2:], prog=program)
sys.stdout.buffer.write(made)
"""
