"""`mg.steps`: makes `Steps` with every forward and backward event of a loss.

    graph --(recording.py)--> Steps --(json_writing.py)--> JSON --> Steps

Read next: `recorded_steps.py` (what it returns).
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np

from minigrad.engine.calls import checked_call
from minigrad.engine.errors import (
    ArgumentError,
    DTypeError,
    GraphError,
    ShapeError,
    one_of,
)
from minigrad.engine.graph import Node, Variable, ancestors
from minigrad.reading.loops import Loops
from minigrad.reading.text import clean
from minigrad.stepping.record.events import LARGEST
from minigrad.stepping.recorded_steps import Steps

LEVELS = ("op", "gate", "cell")
MOST_EVENTS = 20_000
MOST_BYTES = 1 << 30


@checked_call
def steps(
    loss: Any,
    grad: Any = None,
    *,
    level: str = "op",
    steps: Collection[int] | None = None,
    largest: int = LARGEST,
    title: str = "",
) -> Steps:
    """Every forward and backward event of a loss, in order; `.grad` is left alone.

    loss     a Tensor with a graph; a scalar, or with `grad`
    grad     dL/d(loss) to start from, of the loss's shape; may be left out for a scalar
    level    "op": every operation; "gate" or "cell": what passes between the boxes of
             a drawing of that level. Gradients add up in all three
    steps    only these time steps (`range(90, 100)`); the contributions of the others
             are shown as one sum
    largest  arrays of more entries are summarised (their gradients do not add up then)
    title    the title of the pages

    Raises DTypeError if it is not a tensor, GraphError for a loss without a graph or
    too large a graph, ShapeError for a `grad` of another shape.
    """
    from minigrad.stepping.record.recording import Recorder
    from minigrad.stepping.record.shown_events import ShownEvents

    one_of("level", level, LEVELS)
    node, seed = _start(loss, grad)
    nodes = ancestors([node])
    wanted = _wanted(steps, nodes)
    shown = ShownEvents(nodes, _groups(node, level), wanted)
    _check_size(nodes, shown.count(int(largest)), level)
    recorder = Recorder(loss._edge, shown, int(largest))
    return Steps(recorder.run(seed), level, clean(title, 120))


def _start(loss: Any, grad: Any) -> tuple[Node, np.ndarray]:
    """The node of the loss, and dL/d(loss)."""
    if not isinstance(loss, Variable):
        raise DTypeError(
            "steps: the loss is not a tensor",
            expect="a Tensor: the loss",
            actual=clean(type(loss).__name__, 60),
            hint="pass the tensor itself, not loss.item()",
        )
    edge = loss._edge
    if not isinstance(edge.source, Node) or not edge.requires_grad:
        raise GraphError(
            "steps: the loss has no graph to step through",
            expect="a loss computed from a tensor with requires_grad=True",
            actual=f"shape {edge.array.shape}, made "
            + ("by the user" if edge.source is None or not isinstance(edge.source, Node)
               else "of constants"),
            hint="compute it outside no_grad(), from parameters or requires_grad=True",
        )  # fmt: skip
    if grad is None and edge.array.size != 1:
        raise GraphError(
            "steps: the loss is not a scalar",
            expect="one entry, or grad= to start from",
            actual=f"shape {edge.array.shape}",
            hint="step through loss.sum(), or pass grad= of the loss's shape",
        )
    if grad is None:
        return edge.source, np.ones(edge.array.shape, edge.array.dtype)
    if isinstance(grad, Variable):
        grad = grad._edge.array
    seed = np.array(grad, dtype=edge.array.dtype)
    if seed.shape != edge.array.shape:
        raise ShapeError(
            "steps: grad has another shape than the loss",
            expect=f"shape {edge.array.shape}",
            actual=f"{seed.shape}",
            hint="grad has one number per entry of the loss",
        )
    return edge.source, seed


def _wanted(steps: Collection[int] | None, nodes: list[Node]) -> set[int] | None:
    """The time steps to show, checked against those that there are."""
    if steps is None:
        return None
    there = Loops(nodes).steps
    wanted = set(steps)
    if not wanted & there:
        span = f"{min(there)} to {max(there)}" if there else "no time steps at all"
        raise ArgumentError(
            "steps: none of the chosen time steps is in the graph",
            expect=f"some of {span}" if there else span,
            actual=f"{sorted(wanted)[:6]}",
            hint="time steps are counted from 0" if there else "leave out steps=",
        )
    return wanted


def _groups(node: Node, level: str) -> list[str] | None:
    """Per operation the box of a drawing of this level; None for every one."""
    if level == "op":
        return None
    from minigrad.drawing.read.read_graph import read

    picture = read([node], level)
    box_of = [""] * len(picture.nodes)
    for box in picture.boxes.values():
        for number in box.nodes:
            box_of[number] = box.id
    return box_of


def _check_size(nodes: list[Node], size: tuple[int, int], level: str) -> None:
    """Raise if there would be too many events, or too many numbers."""
    events, size_in_bytes = size
    if events <= MOST_EVENTS and size_in_bytes <= MOST_BYTES:
        return
    there = Loops(nodes).steps
    offers = []
    if level == "op":
        offers.append('level="gate" or level="cell"')
    elif level == "gate":
        offers.append('level="cell"')
    if len(there) > 1:
        last = max(there)
        offers.append(
            f"a range of time steps, steps=range({max(0, last - 9)}, {last + 1})"
        )
    if size_in_bytes > MOST_BYTES:
        offers.append("a smaller largest=")
    raise GraphError(
        f"steps: the graph is too large to step through: {len(nodes)} operations, "
        f"{events} events, {size_in_bytes / 2**20:.0f} MB of numbers",
        expect=f"at most {MOST_EVENTS} events and {MOST_BYTES // 2**20} MB",
        actual=f"{len(there)} time steps at level {level!r}",
        hint="choose " + ", or ".join(offers) if offers else "use a smaller network",
    )
