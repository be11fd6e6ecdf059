"""The terms of an explanation: what each time step adds to the entry.

Read next: `explanation_text.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from minigrad.explaining.entry_names import EntryNames
from minigrad.explaining.path_listing import Path, Paths
from minigrad.explaining.step_chain import Chains, Product
from minigrad.explaining.step_cuts import Stretch, Stretches
from minigrad.reading.formulas import Tree, slope


class Explained(Protocol):
    """What of an `Explanation` its terms and its printers need: see there."""

    value: Any
    terms: list[Term]
    rounding: list[Any]
    stretches: Stretches
    names: EntryNames
    chains: Chains
    paths: Paths

    @property
    def parameter(self) -> str: ...

    @property
    def readable(self) -> bool: ...

    @property
    def formula(self) -> Any: ...


class Term:
    """What one time step adds to the entry.

    place     in words: "step 3, layer 0"
    step      the time step's number, None outside any
    value     its share: what backward adds for its uses of the parameter
    uses      [(operation that takes the parameter, share)], in the order of backward
    products  the share as products of Jacobians, one for each step at which the loss
              reads the states: list of `Product`
    paths     the paths through its uses, if they are few (GraphError if not)
    count     how many paths
    """

    def __init__(self, owner: Explained, stretch: Stretch, uses: list[Any]) -> None:
        self._owner, self._stretch = owner, stretch
        self.place = stretch.place(owner.names.several)
        self.step = stretch.step
        self.uses = uses
        value = uses[0][1]
        for _, more in uses[1:]:
            value = value + more
        self.value = value

    @cached_property
    def products(self) -> list[Product]:
        """The share as products of Jacobians."""
        return list(self._owner.chains.products(self._stretch))

    @property
    def reads(self) -> int:
        """How many products there are."""
        return len(self._owner.chains.reads(self._stretch))

    @property
    def signal(self) -> np.ndarray:
        """dL/d(what leaves the step), (1, S): the sum of the products without their
        last factor."""
        return self._owner.chains.signal(self._stretch)

    @property
    def symbols(self) -> tuple[Tree, Tree]:
        """dL/d(what leaves the step), and the derivative of that by the entry."""
        names = self._owner.names
        leaves = names.boundary(self._stretch)
        return slope("L", leaves, "d"), slope(leaves, names.target)

    @property
    def count(self) -> int:
        """How many paths go through its uses."""
        by_use = self._owner.paths.by_use
        return sum(by_use.get(node, 0) for node in {node for node, _ in self.uses})

    @property
    def paths(self) -> list[Path]:
        """The paths through its uses; GraphError if there are many."""
        mine = {node for node, _ in self.uses}
        return [path for path in self._owner.paths if path.use in mine]

    def __repr__(self) -> str:
        return f"<Term {self.place}: {self.value}>"


def closing(values: Sequence[Any], total: Any) -> list[Any]:
    """What must be added to the running sum of `values` to get `total` exactly.

    Floating-point addition depends on the order. Empty where the sum is `total`; one
    number, or very rarely two, where it is not. Not for NaN and infinity: empty.
    """
    made = type(total)(0) if not values else values[0]
    for value in values[1:]:
        made = made + value
    rest: list[Any] = []
    while np.isfinite(total) and np.isfinite(made) and made != total and len(rest) < 4:
        rest.append(total - made)
        made = made + rest[-1]
    return rest
