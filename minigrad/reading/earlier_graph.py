"""Does the graph of this batch's loss reach back into an earlier batch?

It does if a state was carried over without `detach`: each batch then costs more time
and memory than the one before, and its gradient is that of all batches, the earlier
ones with weights that were changed since. A node's `seq` says when it was made, so the
walk goes no further back than to the first nodes made before this batch.

Read next: `gradcheck.py`.
"""

from __future__ import annotations

from typing import Any

from minigrad.engine.graph import AnyEdge, Leaf, Node, next_seq
from minigrad.engine.primitives.messages import name_of
from minigrad.engine.user_code import place

REMEDY = (
    "cut the state off before the next batch: state = state.detach(), of a tuple each "
    "part, as in (h.detach(), c.detach()); to add losses up: total += loss.item()"
)
ALWAYS = 3  # the first batches; after them the 4th, 8th, 16th, ...


class EarlierGraph:
    """Told of each batch's loss, says whether its graph reaches an earlier batch.

    It looks at the first batches, and then at every doubling of their number: such a
    mistake shows at the second batch, and the walk costs a share of the batch.
    """

    def __init__(self) -> None:
        self.batches = 0
        self._before: int | None = None  # the seq at which the last batch was over

    def reached(self, loss: AnyEdge) -> str | None:
        """What is reached of earlier batches, in words; None if nothing is.

        Called once per batch, while the loss is there.
        """
        self.batches += 1
        number, before = self.batches, self._before
        self._before = next_seq()
        if before is None or (number > ALWAYS and number & (number - 1)):
            return None
        node = newest_before(loss, before)
        return None if node is None else _words(node)


def newest_before(edge: AnyEdge, seq: int) -> Node | None:
    """The newest node made before `seq` that a gradient of `edge` would reach.

    Only nodes made since are walked through.
    """
    newest: Any = None
    seen: set[Any] = set()
    todo = [edge]
    while todo:
        found = todo.pop()
        made = found.record
        if made is None or type(made) is Leaf or not found.requires_grad:
            continue
        if made.seq <= seq:
            if newest is None or made.seq > newest.record.seq:
                newest = found
        elif made not in seen:
            seen.add(made)
            todo += made.edges
    return None if newest is None else newest.source


def _words(node: Node) -> str:
    where = place(node.scope, node.where)
    name = name_of(node) or node.primitive.name
    shape = node.outputs[0].shape
    return f"{name!r} {shape}, made in an earlier batch{where and f': {where}'}"
