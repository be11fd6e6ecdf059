"""Says which tensor's gradient an output of a recorded backward pass is.

The graph knows of an operation of a rule which forward operation it belongs to, but not
for which of its inputs. The shape tells, where only one of the inputs has it.

Read next: `box_formula.py`.
"""

from __future__ import annotations

from minigrad.engine.graph import Leaf, Node
from minigrad.reading.backward_passes import adds_gradients
from minigrad.reading.names import Names


def gradient_of(node: Node, names: Names) -> str:
    """The name of the user's tensor whose gradient this is: "W_h"; "" if unsure."""
    waiting, seen = [node], {node}
    found: set[Leaf] | None = None
    symbols: dict[Leaf, str] = {}
    while waiting:
        one = waiting.pop()
        if adds_gradients(one):
            sources = [e.source for e in one.edges if type(e.source) is Node]
            waiting += [s for s in sources if s not in seen]
            seen.update(sources)
            continue
        if one.origin is None:
            return ""
        fitting = {
            edge.source: str(names.of(edge))
            for edge in one.origin.edges
            if type(edge.source) is Leaf
            and edge.requires_grad
            and edge.array.shape == node.outputs[0].shape
        }
        symbols |= fitting
        found = set(fitting) if found is None else found & set(fitting)
    if found is None or len(found) != 1:
        return ""
    return symbols[found.pop()]
