"""Paths from an entry of a parameter to the loss: counted always, listed when few.

A path goes from entry to entry: W_h[0,1] -> z[1] -> h[1] -> ... -> L. The product of
the local derivatives along it is its share of the gradient, and the gradient is the sum
over all paths. Their number grows like (H*H)^T, so it is worked out step by step back
from the loss, in whole numbers without limit, and never by walking the paths.

A path counts where one value is computed from another, also where the derivative
happens to be zero (the branch that `where` did not choose, a relu that is off).

Read next: `entry_names.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from minigrad.engine.errors import GraphError
from minigrad.engine.graph import AnyEdge, Node, key
from minigrad.engine.primitives import TABLE
from minigrad.engine.primitives.fused import Elementwise
from minigrad.engine.primitives.shape import sum_to
from minigrad.engine.quiet import quietly
from minigrad.explaining.entry_names import EntryNames
from minigrad.explaining.step_cuts import is_use
from minigrad.reading.pulling import pull, pull_one

MOST = 1000  # paths: more are counted, not listed
ENTRIES = 5_000_000  # of all values together: more are not even counted


@dataclass(frozen=True)
class Path:
    """One path, from the loss back to a use of the parameter.

    use      the operation that takes the parameter
    factors  [(symbol, value)], from the loss on; derivatives that are 1 because an
             operation only moves or adds are left out
    value    their product, multiplied from the left
    """

    use: Node
    factors: tuple[tuple[str, Any], ...]
    value: Any

    @property
    def symbol(self) -> str:
        """The product in symbols."""
        return " · ".join(symbol for symbol, _ in self.factors) or "1"

    def __str__(self) -> str:
        numbers = " · ".join(str(value) for _, value in self.factors) or "1"
        return f"{self.symbol} = {numbers} = {self.value}"


class Paths:
    """The paths of one entry of a gradient: `len(paths)`, and if few, `list(paths)`.

    count     how many: an int of any size (`len` only works below 2**63)
    by_use    {operation that takes the parameter: how many go through it}
    listed    all of them, latest use first; GraphError if there are more than `MOST`
    """

    def __init__(
        self,
        nodes: Sequence[Node],
        output: AnyEdge,
        target: AnyEdge,
        index: tuple[int, ...],
        seed: Any,
        names: EntryNames,
    ) -> None:
        self._nodes, self._output, self._target = nodes, output, target
        self._index, self._seed, self._names = index, seed, names

    @cached_property
    def by_use(self) -> dict[Node, int]:
        """How many paths go through each operation that takes the parameter."""
        entries = self.entries
        if entries > ENTRIES:
            raise GraphError(
                f"explain: paths through {entries:,} entries are too many to count",
                expect=f"at most {ENTRIES:,} entries of all values together",
                actual=f"{len(self._nodes):,} operations",
                hint="explain a loss of one sample of the batch, or of fewer steps",
            )
        found: dict[Node, int] = {}

        def through(node: Node, g: Any) -> list[Any]:
            values = ways(node, g)
            for edge, value in zip(node.edges, values, strict=True):
                if value is not None and is_use(edge, self._target):
                    found[node] = found.get(node, 0) + int(value[self._index])
            return values

        start = {key(self._output): _ones(self._output.array)}
        pull(reversed(self._nodes), start, through)
        return {node: count for node, count in found.items() if count}

    @property
    def entries(self) -> int:
        """The number of entries of all values that paths can go through."""
        return sum(a.size for node in self._nodes for a in node.outputs)

    @property
    def count(self) -> int:
        """How many paths there are."""
        return sum(self.by_use.values())

    def __len__(self) -> int:
        return self.count

    def __int__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[Path]:
        return iter(self.listed)

    def __getitem__(self, number: int) -> Path:
        return self.listed[number]

    @property
    def few(self) -> bool:
        """Are they few enough to be listed?"""
        return self.entries <= 20_000 and self.count <= MOST

    @cached_property
    def listed(self) -> list[Path]:
        """Every path, with symbols and values."""
        if not self.few:
            raise GraphError(
                f"explain: {self.count:,} paths are too many to list",
                expect=f"at most {MOST:,} paths",
                actual=f"{len(self._nodes):,} operations with {self.entries:,} entries",
                hint="take fewer steps or smaller sizes; paths.count counts any "
                "number, and terms gives the sum step by step",
            )
        with quietly():
            found = list(self._walk())
        found.sort(key=lambda path: -path.use.seq)
        return found

    def _walk(self) -> Iterator[Path]:
        """Depth first from the loss, over entries that lead to the parameter's."""
        leads = self._leads()
        made: dict[tuple[Any, ...], list[Any]] = {}
        start = (self._output.source, self._output.index, 0)
        first = () if self._seed == 1 else (("seed", self._seed),)
        todo: list[tuple[tuple[Any, ...], tuple[Any, ...], Any]] = [
            (start, first, self._seed)
        ]
        while todo:
            (node, index, at), factors, value = todo.pop()
            place = (node, index, at)
            if place not in made:
                made[place] = list(self._locals(node, index, at, leads))
            for edge, i, symbol, slope in reversed(made[place]):
                more = factors if symbol == "1" else (*factors, (symbol, slope))
                product = value * slope
                if is_use(edge, self._target):
                    yield Path(node, more, product)
                else:
                    todo.append(((edge.source, edge.index, i), more, product))

    def _leads(self) -> set[tuple[Any, ...]]:
        """The entries that are computed from the parameter's entry."""
        leads: set[tuple[Any, ...]] = set()
        for node in self._nodes:
            for index, array in enumerate(node.outputs):
                for at in range(array.size):
                    g = _one_hot(node, index, at, object)
                    pairs = zip(node.edges, ways(node, g), strict=True)
                    if any(
                        v is not None and self._meets(e, v, leads) for e, v in pairs
                    ):
                        leads.add((node, index, at))
        return leads

    def _meets(
        self, edge: AnyEdge, value: np.ndarray, leads: set[tuple[Any, ...]]
    ) -> bool:
        if is_use(edge, self._target):
            return bool(value[self._index])
        places = np.flatnonzero(value.reshape(-1))
        return any((edge.source, edge.index, int(i)) in leads for i in places)

    def _locals(
        self, node: Node, index: int, at: int, leads: set[tuple[Any, ...]]
    ) -> Iterator[Any]:
        """(edge, entry, symbol, slope) of each input entry that leads on."""
        found = ways(node, _one_hot(node, index, at, object))
        slopes = pull_one(node, _one_hot(node, index, at, node.outputs[index].dtype))
        wanted = int(np.ravel_multi_index(self._index, self._target.array.shape))
        for k, edge in enumerate(node.edges):
            count = found[k]
            if count is None:
                continue
            target = is_use(edge, self._target)
            for i in map(int, np.flatnonzero(count.reshape(-1))):
                here = i == wanted if target else (edge.source, edge.index, i) in leads
                if here and slopes[k] is not None:
                    symbol = self._names.derivative(node, (index, at), k, i)
                    yield edge, i, symbol, slopes[k].reshape(-1)[i]


# ------------------------------------------------------------- which entry meets which


def _ones(array: np.ndarray) -> np.ndarray:
    made = np.empty(array.shape, object)
    made.fill(1)
    return made


def _zeros(array: np.ndarray) -> np.ndarray:
    made = np.empty(array.shape, object)
    made.fill(0)
    return made


def _one_hot(node: Node, index: int, at: int, dtype: Any) -> Any:
    """An incoming gradient that is 1 at one entry of one output."""
    array = node.outputs[index]
    g = _zeros(array) if dtype is object else np.zeros(array.shape, dtype)
    g.reshape(-1)[at] = 1
    if not node.primitive.multiple:
        return g
    return [g if k == index else None for k in range(len(node.array))]


def ways(node: Node, g: Any) -> list[np.ndarray | None]:
    """Numbers of paths carried back to each input, as a rule carries gradients back.

    The rule itself does it for moves, sums and products, on ones for values; for what
    reduces, the rule of `sum`; elementwise, each entry goes straight back. None for
    inputs that no gradient reaches.
    """
    values: Sequence[Any]
    if isinstance(node.primitive, Elementwise) or node.primitive.name == "astype":
        values = [g] * len(node.edges)
    elif node.primitive.name == "matmul":
        values = [_matmul(node, g, 0), _matmul(node, g, 1)]
    elif node.primitive.name == "einsum":
        values = [_einsum(node, g, k) for k in range(len(node.edges))]
    else:
        values = _rule(node, g)
    return [
        _shaped(value, edge.array.shape) if edge.requires_grad else None
        for value, edge in zip(values, node.edges, strict=True)
    ]


def _shaped(value: Any, shape: tuple[int, ...]) -> np.ndarray:
    """Counts in the shape of an input: repeated, or summed over what was broadcast."""
    made = np.empty(shape, object)
    if value is None:
        made.fill(0)
        return made
    own = np.shape(value)  # of one entry it may be a plain number
    if own != shape:
        value = np.broadcast_to(value, np.broadcast_shapes(own, shape))
        value = sum_to(value, shape)
    made[...] = value  # a sum down to a scalar is no array any more
    return made


_REDUCES = {"mean", "max", "min", "norm", "prod"}


def _rule(node: Node, g: Any) -> Sequence[Any]:
    """The rule on ones: of `sum` for what reduces."""
    inputs = [
        _ones(e.array) if e.array.dtype.kind in "fc" else e.array for e in node.edges
    ]
    multiple = node.primitive.multiple
    y: Any = tuple([_ones(a) for a in node.array]) if multiple else _ones(node.array)
    name = "sum" if node.primitive.name in _REDUCES else node.primitive.name
    rule: Callable[..., Any] | None = TABLE[name].vjp
    assert rule is not None
    return rule(g, y, *inputs, **node.attrs)


def _matmul(node: Node, g: np.ndarray, k: int) -> np.ndarray:
    """Each entry of a row of the result is made of the whole row; columns alike."""
    a, b = (edge.array for edge in node.edges)
    if b.ndim == 1:
        g = np.expand_dims(g, -1)
    if a.ndim == 1:
        g = np.expand_dims(g, -2)
    if k == 0:
        made = np.repeat(g.sum(axis=-1, keepdims=True), a.shape[-1], axis=-1)
        return made[..., 0, :] if a.ndim == 1 else made
    rows = b.shape[-2] if b.ndim > 1 else b.shape[0]
    made = np.repeat(g.sum(axis=-2, keepdims=True), rows, axis=-2)
    return made[..., 0] if b.ndim == 1 else made


def _einsum(node: Node, g: Any, k: int) -> np.ndarray:
    """An entry of the result is made of every entry that does not differ from it in a
    letter they share; one path each, whatever the other operands are summed over."""
    left, out = node.attrs["subscripts"].split("->")
    own, shape = left.split(",")[k], node.edges[k].array.shape
    gone = tuple([axis for axis, letter in enumerate(out) if letter not in own])
    kept = [out.index(letter) for letter in own if letter in out]
    made = np.transpose(np.sum(g, axis=gone, keepdims=True), (*kept, *gone))
    return made.reshape([n if c in out else 1 for c, n in zip(own, shape, strict=True)])
