"""Computes the Jacobian of one step of a loop, for one sample.

Gradients are carried back through the nodes between s_{k-1} and s_k only; s_{k-1} is
the end of the way, and all else that flows in (the input, the weights) is constant. The
parts of a state are independent coordinates there: a path from h_{k-1} back into
c_{k-1} is not followed.

For a whole Jacobian the sample's row is repeated, once per entry of the new state, and
one backward pass, seeded with the identity, gives all rows at once.

Read next: `scaled_product.py`.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

import numpy as np

from minigrad.engine.graph import AnyEdge, Key, Node
from minigrad.engine.quiet import quietly
from minigrad.reading.gates import closing
from minigrad.reading.levels import letter
from minigrad.reading.pulling import name_of, name_of_output, pull, pull_one


def nodes_of_step(before: Sequence[AnyEdge], after: Sequence[AnyEdge]) -> list[Node]:
    """The nodes through which `after` depends on `before`, oldest first.

    The walk ends at `before`, so what `before` was computed from is not among them.
    """
    stops = {name_of(edge) for edge in before}
    oldest = min([edge.source.seq if edge.source else -1 for edge in before])
    todo = [e.source for e in after if name_of(e) not in stops]
    seen: set[Node] = set()
    while todo:
        node = todo.pop()
        if not isinstance(node, Node) or node.seq <= oldest or node in seen:
            continue
        seen.add(node)
        todo += [edge.source for edge in node.edges if name_of(edge) not in stops]
    reached: set[Any] = set()
    found = []
    for node in sorted(seen, key=lambda node: node.seq):
        if any([name_of(e) in stops or e.source in reached for e in node.edges]):
            reached.add(node)
            found.append(node)
    return found


def gates_of_step(nodes: list[Node], states: Collection[str]) -> set[Node]:
    """What each gate gave; states are no gates."""
    closed = closing(nodes).items()
    return {node for levels, node in closed if letter(levels[-1]) not in states}


class Step:
    """The step from `before` to `after`, ready to be differentiated.

    before, after  the parts of s_{k-1} and s_k
    held           nodes whose values are held constant
    """

    def __init__(
        self,
        before: Sequence[AnyEdge],
        after: Sequence[AnyEdge],
        held: Collection[Node] = (),
    ) -> None:
        self.before, self.after = before, after
        self.nodes = nodes_of_step(before, after)
        self._within = set(self.nodes)
        self._leaves = {name_of(edge) for edge in before}
        self._live: set[Node] = set()  # where a derivative with respect to them goes
        for node in self.nodes:
            if node not in held and _differentiable(node) and any(self._needs(node)):
                self._live.add(node)

    def _needs(self, node: Node) -> tuple[bool, ...]:
        """Which inputs of a node lead to `before`."""
        return tuple(
            [name_of(e) in self._leaves or e.source in self._live for e in node.edges]
        )

    def jacobian(self, sample: int | None) -> np.ndarray:
        """d(after)/d(before) for one sample of the batch, (S, S').

        sample  the row on the first axis of every part; None if there is no batch:
                then S counts all entries
        """
        if sample is None:
            return self._row_by_row(None)
        found = self._at_once(sample)
        return self._row_by_row(sample) if found is None else found

    def _at_once(self, sample: int) -> np.ndarray | None:
        """All rows in one pass over the repeated sample; None if that cannot be.

        It cannot where a cell mixes the samples or moves the batch axis. One row,
        pulled back through the step as it was recorded, tells.
        """
        size = sum([edge.array[0].size for edge in self.after])
        try:
            rows = self._pulled(np.eye(size), sample)
        except (ValueError, IndexError):
            return None
        seed = np.zeros((len(self.after[0].array), size))
        seed[sample] = np.random.default_rng(size).uniform(0.5, 1.5, size)
        true = self._pulled(seed)
        others = np.delete(true, sample, axis=0)
        expected = seed[sample] @ rows
        scale = np.max(seed[sample] @ np.abs(rows))
        near = np.abs(true[sample] - expected) <= 1e4 * np.finfo(rows.dtype).eps * scale
        return rows if near.all() and not others.any() else None

    def _row_by_row(self, sample: int | None) -> np.ndarray:
        """One pass per row, through the step as it was recorded."""
        at, count = (0, 1) if sample is None else (sample, len(self.after[0].array))
        size = sum([edge.array.size for edge in self.after]) // count
        rows = []
        for k in range(size):
            seed = np.zeros((count, size))
            seed[at, k] = 1
            rows.append(self._pulled(seed)[at])
        return np.array(rows)

    def _pulled(self, seeds: np.ndarray, sample: int | None = None) -> np.ndarray:
        """Rows of dL/d(after), carried back to `before`: (n, S) to (n, S').

        sample  whose row every value is repeated for, n times; None: values as they are
        """
        values = _Values(self.before[0].array, sample, len(seeds))

        def through(node: Node, g: Any) -> Sequence[Any]:
            if node not in self._live:
                return [None] * len(node.edges)
            if node.primitive.multiple:
                names = [name_of_output(node, j) for j in range(len(g))]
                g = [None if n in self._leaves else g[j] for j, n in enumerate(names)]
                y: Any = tuple(map(values.of, node.array))
            else:
                y = values.of(node.array)
            inputs = [self._input(node, k, values) for k in range(len(node.edges))]
            return pull_one(node, g, self._needs(node), y, inputs)

        given: dict[Key, Any] = {}
        start = 0
        for edge in self.after:
            array = values.of(edge.array)
            stop = start + array.size // len(seeds)
            seed = seeds[:, start:stop].reshape(array.shape).astype(array.dtype)
            before = given.get(name_of(edge))
            given[name_of(edge)] = seed if before is None else before + seed
            start = stop
        with quietly():
            sums = pull(reversed(self.nodes), given, through)
        found = []
        for edge in self.before:
            array = values.of(edge.array)
            part = sums.get(name_of(edge), np.zeros(array.shape, array.dtype))
            found.append(part.reshape(len(seeds), -1))
        return np.concatenate(found, axis=1)

    def _input(self, node: Node, k: int, values: _Values) -> np.ndarray:
        """The value of an input; of one from outside the step only if it has rows."""
        edge = node.edges[k]
        within = name_of(edge) in self._leaves or edge.source in self._within
        return values.of(edge.array) if within or _has_rows(node, k) else edge.array


class _Values:
    """Values as they were, or one sample's row of them, repeated."""

    def __init__(self, like: np.ndarray, sample: int | None, count: int) -> None:
        self._batch = like.shape[0] if like.ndim else 0
        self._sample, self._count = sample, count
        self._made: dict[int, np.ndarray] = {}

    def of(self, array: np.ndarray) -> np.ndarray:
        """What stands for an array of the graph."""
        k = self._sample
        if k is None or not array.ndim or array.shape[0] != self._batch:
            return array
        if id(array) not in self._made:
            self._made[id(array)] = np.repeat(array[k : k + 1], self._count, axis=0)
        return self._made[id(array)]


def _has_rows(node: Node, k: int) -> bool:
    """Is the first axis of input `k` the batch's, if it is as long? A guess: a weight
    is on the right of a product, or has fewer axes than what it is added to."""
    array = node.edges[k].array
    if node.primitive.name == "matmul":
        return k == 0 or array.ndim > 2
    return array.ndim == node.outputs[0].ndim


def _differentiable(node: Node) -> bool:
    primitive = node.primitive
    return primitive.vjp is not None and (
        primitive.multiple or node.array.dtype.kind in "fc"
    )
