"""What feeds what among some nodes, values that were detached among them.

`detach()` gives a tensor with the same array: by it the value is known again. A copy
(`mg.tensor(h.numpy())`) is known by its numbers, among what was made just before.

Read next: `repeated_cells.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from minigrad.engine.graph import Leaf, Node

Output = tuple[Node, int]  # a node, and which of its outputs


class Links:
    """The sources of nodes that are added one after another, oldest first."""

    def __init__(self) -> None:
        self._made: dict[int, Output] = {}
        self._shaped: dict[tuple[int, ...], list[tuple[int, Node, int]]] = {}
        self._added: list[Node] = []
        self._count = 0  # how many of them are in the two dictionaries

    def add(self, node: Node) -> None:
        """From now on its outputs are known again."""
        self._added.append(node)

    def _catch_up(self) -> None:
        """Note what was added since: most graphs never ask."""
        for number, node in enumerate(self._added[self._count :], self._count + 1):
            for index, array in enumerate(node.outputs):
                self._made[id(array)] = node, index
                alike = self._shaped.setdefault(array.shape, [])
                alike.append((number, node, index))
        self._count = len(self._added)

    def of(self, node: Node, near: int = 0) -> Iterator[tuple[Any, int]]:
        """(source, output) of every input; of a detached one where it was made.

        near  copies are looked for among so many of the nodes that were added last
        """
        for edge in node.edges:
            if type(edge) is Node:
                yield edge, 0
                continue
            source = edge.source
            if type(source) is Node:
                yield source, edge.index
            elif not edge.requires_grad and edge.array.dtype.kind == "f":
                self._catch_up()
                found = self._made.get(id(edge.array))
                if found is None and near and type(source) is Leaf:
                    found = self._same_numbers(edge.array, near)
                if found is not None and found[0].seq < node.seq:
                    yield found

    def _same_numbers(self, array: np.ndarray, near: int) -> Output | None:
        """The latest output that has these very numbers, if that can be no accident:
        more than one number, and not all the same."""
        alike = self._shaped.get(array.shape)
        if alike is None or array.size < 2:
            return None
        first = array.item(0)
        for count, node, index in reversed(alike):
            if count <= self._count - near:
                break
            made = node.outputs[index]
            if made.item(0) == first and np.array_equal(made, array):
                return (node, index) if (array != first).any() else None
        return None
