"""Computes one time step's share of a gradient as products of Jacobians.

    term(t) = sum over u >= t of  dL/ds[u+1] . J[u] . ... . J[t+1] . ds[t+1]/dp[index]

s[t+1] is what leaves step t (its boundary: h, or h and c), dL/ds[u+1] the part of the
loss that reads it there and not by way of the next step, J[k] = ds[k+1]/ds[k] the
Jacobian of one step, and the last factor what step t itself does with the parameter.
The parts of a state count as independent coordinates: h is not followed back into c.

Read next: `path_listing.py`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.engine.errors import GraphError
from minigrad.engine.graph import AnyEdge, Key, key
from minigrad.engine.quiet import quietly
from minigrad.explaining.step_cuts import Stretch, flat
from minigrad.reading.formula_printers import text
from minigrad.reading.formulas import Tree, slope
from minigrad.reading.norms import euclidean
from minigrad.reading.pulling import pull

LARGEST = 512  # entries of a boundary: Jacobians of more are not written out


@dataclass
class Factor:
    """One factor of a product: its symbol, its shape, and its value when asked for.

    symbol   "∂h_2/∂h_1"; `quotient` is its tree, for all printers
    shape    (rows, columns)
    array    ndarray of that shape; GraphError if it is too large to be written out
    """

    quotient: Tree
    shape: tuple[int, int]
    _make: Any
    _array: np.ndarray | None = None

    @property
    def symbol(self) -> str:
        """As text."""
        return text(self.quotient)

    @property
    def array(self) -> np.ndarray:
        """The values, (rows, columns)."""
        if self._array is None:
            if max(self.shape) > LARGEST:
                raise GraphError(
                    f"explain: {self.symbol} is a matrix of {self.shape[0]:,} x "
                    f"{self.shape[1]:,} entries",
                    expect=f"at most {LARGEST} rows and columns",
                    actual=f"{self.shape}",
                    hint="explain one sample of the batch, or a smaller hidden_size; "
                    "term.norms has the norms",
                )
            with quietly():
                self._array = self._make()
        return self._array


@dataclass
class Product:
    """A product of Jacobians, from where the loss reads a step back to the parameter.

    read     the step after which the loss, or something else outside, reads it
    factors  row, matrices, column: their product is `value`
    norms    Euclidean norms of the row after each factor but the last: how the signal
             shrinks or grows on its way back
    """

    read: int | None
    factors: list[Factor]
    value: Any
    norms: list[float] = field(default_factory=list)

    @property
    def symbol(self) -> str:
        """The factors' symbols in a row."""
        return " · ".join(factor.symbol for factor in self.factors)


class Chains:
    """What every stretch's term is made of.

    target, index  the entry whose gradient is explained
    direct         per stretch: {key: the part of dL/d(value) that does not come by way
                   of the stretch itself or the next one}
    """

    def __init__(
        self,
        target: AnyEdge,
        index: tuple[int, ...],
        direct: dict[Stretch, dict[Key, Any]],
        names: Any,
    ) -> None:
        self.target, self.index = target, index
        self.direct, self.names = direct, names
        self._signals: dict[Stretch, np.ndarray] = {}
        self._columns: dict[Stretch, np.ndarray] = {}
        self._jacobians: dict[Stretch, np.ndarray] = {}

    def reads(self, stretch: Stretch) -> list[Stretch]:
        """The steps from this one on that the loss reads, in the order of the loop."""
        found, now = [], stretch
        while True:
            if self._read(now):
                found.append(now)
            if now.next is None:
                return found
            now = now.next

    def _read(self, stretch: Stretch) -> bool:
        return any([part.any() for part in self.direct.get(stretch, {}).values()])

    def products(self, stretch: Stretch) -> Iterator[Product]:
        """The products of one term: one for each step that the loss reads."""
        wanted = set(self.reads(stretch))
        before: list[Stretch] = []  # the stretches between, latest first
        now: Stretch | None = stretch
        while now is not None:
            if now in wanted:
                with quietly():
                    found = self._product(stretch, now, before)
                yield found
            now = now.next
            if now is not None:
                before = [now, *before]

    def signal(self, stretch: Stretch) -> np.ndarray:
        """All of dL/ds[t+1], (1, S): what all the products have before the last factor.

        Worked out for a whole loop at once, latest step first.
        """
        if stretch not in self._signals:
            row = [stretch]
            while row[-1].next is not None:
                row.append(row[-1].next)
            sums: dict[Key, Any] = {}
            with quietly():
                for one in reversed(row):
                    sums = {k: sums[k] for k in one.boundary if k in sums}
                    for name, value in self.direct.get(one, {}).items():
                        sums[name] = sums[name] + value if name in sums else value
                    self._signals[one] = flat(sums, one.boundary.items())[None]
                    sums = pull(reversed(one.nodes), sums)
        return self._signals[stretch]

    def _product(self, at: Stretch, read: Stretch, between: list[Stretch]) -> Product:
        direct = dict(self.direct[read])
        row = flat(direct, read.boundary.items())
        sums = direct
        norms = [euclidean(row)]
        name = self.names
        loss = slope("L", name.boundary(read))
        factors = [Factor(loss, (1, row.size), lambda: row[None])]
        for one, before in pairwise([*between, at]):
            sums = pull(reversed(one.nodes), sums)
            sums = {k: sums[k] for k in before.boundary if k in sums}
            norms.append(euclidean(flat(sums, before.boundary.items())))
            factors.append(self._jacobian(one, before))
        value = pull(reversed(at.nodes), sums).get(key(self.target))
        factors.append(self._column(at))
        zero = self.target.array.dtype.type(0)
        share = zero if value is None else value[self.index]
        return Product(read.step, factors, share, norms)

    def _jacobian(self, one: Stretch, before: Stretch) -> Factor:
        """ds[k+1]/ds[k]: what a step makes of the boundary of the one before."""

        def make() -> np.ndarray:
            if one not in self._jacobians:
                self._jacobians[one] = np.stack(
                    [flat(sums, before.boundary.items()) for sums in _rows(one)]
                )
            return self._jacobians[one]

        shape = (_size(one), _size(before))
        names = self.names
        symbol = slope(names.boundary(one), names.boundary(before))
        return Factor(symbol, shape, make)

    def _column(self, at: Stretch) -> Factor:
        """ds[t+1]/dp[index]: what the step itself does with the parameter."""

        def make() -> np.ndarray:
            if at not in self._columns:
                zero = self.target.array.dtype.type(0)
                found = [sums.get(key(self.target)) for sums in _rows(at)]
                self._columns[at] = np.array(
                    [[zero if v is None else v[self.index]] for v in found]
                )
            return self._columns[at]

        symbol = slope(self.names.boundary(at), self.names.target)
        return Factor(symbol, (_size(at), 1), make)


def _rows(stretch: Stretch) -> Iterator[dict[Key, Any]]:
    """What comes of each entry of a boundary alone, carried back through the step."""
    for name, edge in stretch.boundary.items():
        for number in range(edge.array.size):
            seed = np.zeros(edge.array.size, edge.array.dtype)
            seed[number] = 1
            sums = pull(reversed(stretch.nodes), {name: seed.reshape(edge.array.shape)})
            yield {k: v for k, v in sums.items() if k not in stretch.boundary}


def _size(stretch: Stretch) -> int:
    return sum(edge.array.size for edge in stretch.boundary.values())
