"""Computes the products of Jacobians that carry a gradient from the last state back.

    ds_T/ds_k = F_T F_{T-1} ... F_{k+1},     F_k = ds_k/ds_{k-1}

The factors for one sample are computed step by step from the recorded graph. Their
products shrink or grow with distance, and so does every gradient on this way.

Read next: `state_rows.py`.
"""

from __future__ import annotations

from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np

from minigrad.engine.calls import checked_call, checked_methods
from minigrad.engine.errors import ArgumentError, GraphError, IndexingError
from minigrad.flow import scaled_product
from minigrad.flow.state_paths import Paths, split
from minigrad.flow.state_rows import floating, recurrent_weight, row_of
from minigrad.flow.step_jacobian import Step, gates_of_step
from minigrad.pages.notebook_view import View, Viewed

LIMIT = 1 << 30  # bytes of factors that are held


@checked_methods
class JacobianProducts(Viewed):
    """Factors and running products: `jp = mg.jacobian_products(trace)`.

    steps    T: the number of steps of the loop
    size     S: the numbers in a state of one sample; H, or 2H for [h, c]
    names    the letters of the state's parts
    parts    {letter: its slice of the S entries}
    times    the time step behind each factor, in the order of processing

    h_k and c_k count as independent coordinates: ds_T/dc_k does not go through h_k.
    """

    def __init__(self, loop: Any, sample: int) -> None:
        self.sample = sample
        self.times = list(loop.times)
        self.steps = len(self.times)
        self._loop = loop
        self._states = [floating(state) for state in loop.parts]
        self._row = row_of(self._states[0], sample)
        self.names, self.parts = self._layout(loop)
        self.size = sum([s.stop - s.start for s in self.parts.values()])
        self._refuse()
        self._pairs = list(pairwise(self._states))
        steps = [Step(before, after) for before, after in self._pairs]
        self._gates = [gates_of_step(step.nodes, loop.state_names) for step in steps]
        self._factors = [step.jacobian(self._row).astype(float) for step in steps]
        self._cell_weight = recurrent_weight(loop.cell, steps[-1])

    def _layout(self, loop: Any) -> tuple[tuple[str, ...], dict[str, slice]]:
        """The names of the state's parts, and where each is among the S entries."""
        all_parts = zip(loop.state_names, loop.parts[0], strict=True)
        names = [n for n, s in all_parts if s._edge.array.dtype.kind == "f"]
        parts, start = {}, 0
        for name, edge in zip(names, self._states[0], strict=True):
            array = edge.array if self._row is None else edge.array[0]
            parts[name] = slice(start, start + array.size)
            start += array.size
        return tuple(names), parts

    def _refuse(self) -> None:
        size = 8 * self.steps * self.size**2
        if size > LIMIT:
            raise ArgumentError(
                f"jacobian_products: {size / 1e9:.1f} GB would be needed",
                expect=f"factors of at most {LIMIT / 1e9:.1f} GB",
                actual=f"{self.steps} factors of ({self.size}, {self.size})",
                hint="look at fewer steps, or at a smaller state",
            )

    # --------------------------------------------------------- matrices

    def factor(self, k: int) -> np.ndarray:
        """F_k = ds_k/ds_{k-1}, (S, S) in float64, k = 1..T: row i is d(s_k)_i."""
        return self._factors[self._number("factor", k, 1) - 1]

    def product(self, k: int) -> np.ndarray:
        """ds_T/ds_k, (S, S), k = 0..T: the repeated product; the identity for k = T.

        Entries beyond float64 are infinite or 0; `log10_norms` knows their size.
        """
        return scaled_product.plain(self._products[self._number("product", k, 0)])

    @cached_property
    def _products(self) -> list[scaled_product.Scaled]:
        found = scaled_product.running(reversed(self._factors), self.size)
        return list(found)[::-1]

    def _number(self, what: str, k: int, first: int) -> int:
        if isinstance(k, bool) or not isinstance(k, int | np.integer):
            raise IndexingError(
                f"{what}({k!r}): a step is a whole number",
                expect=f"k in {first}..{self.steps}",
                actual=type(k).__name__,
                hint="states are counted from s[0], the initial one",
            )
        if not first <= k <= self.steps:
            raise IndexingError(
                f"{what}({k}): there is no such step",
                expect=f"k in {first}..{self.steps}",
                actual=str(k),
                hint="product(T) is the identity; factor(k) leads from k-1 to k",
            )
        return int(k)

    # --------------------------------------------------------- their sizes

    def norms(self) -> np.ndarray:
        """(T+1,): the spectral norm of product(k), k = 0..T; 1 for k = T."""
        return self.singular_values()[:, 0]

    def log10_norms(self, part: str | None = None) -> np.ndarray:
        """(T+1,): log10 of the norms, right also where they are beyond float64; -inf
        where a product is exactly zero, NaN where it is not finite.

        part  the letter of a part of the state: only its block, d(c_T)/d(c_k)
        """
        if part is None:
            return self.log10_singular_values()[:, 0]
        at = self.parts[part]
        blocks = [(matrix[at, at], exponent) for matrix, exponent in self._products]
        return np.array(
            [
                scaled_product.log10(scaled_product.singular_values(m)[0], e)
                for m, e in blocks
            ]
        )

    @property
    def has_paths(self) -> bool:
        """Does the cell have gates, so that there are paths to tell apart?"""
        return any(self._gates)

    def singular_values(self) -> np.ndarray:
        """(T+1, S): the singular values of product(k), largest first."""
        pairs = zip(self._values, self._products, strict=True)
        return np.array([scaled_product.plain((v, e)) for v, (_, e) in pairs])

    def log10_singular_values(self) -> np.ndarray:
        """(T+1, S): their logarithms. A value below about 1e-16 of the largest of its
        product is rounding: see `resolution`."""
        pairs = zip(self._values, self._products, strict=True)
        return np.array([scaled_product.log10(v, e) for v, (_, e) in pairs])

    @cached_property
    def _values(self) -> list[np.ndarray]:
        return [scaled_product.singular_values(matrix) for matrix, _ in self._products]

    @cached_property
    def resolution(self) -> float:
        """What part of a product's largest singular value rounding alone can make."""
        return float(self.size * np.finfo(float).eps)

    def underflow(self) -> np.ndarray:
        """(T+1,) booleans: is product(k) not exactly zero, yet too small for float64's
        full precision (below 2.2e-308)?"""
        smallest = np.log10(np.finfo(float).tiny)
        logs = self.log10_norms()
        return (logs < smallest) & (logs > -np.inf)

    def factor_norms(self) -> np.ndarray:
        """(T,): the spectral norm of each factor, k = 1..T."""
        return self.factor_singular_values()[:, 0]

    def factor_singular_values(self) -> np.ndarray:
        """(T, S): the singular values of each factor, largest first."""
        return np.array([scaled_product.singular_values(f) for f in self._factors])

    def spectral_radius(self) -> np.ndarray:
        """(T,): the largest |eigenvalue| of each factor, k = 1..T."""
        return np.array(
            [
                np.abs(np.linalg.eigvals(f)).max() if np.isfinite(f).all() else np.nan
                for f in self._factors
            ]
        )

    def log10_bounds(self, W: Any = None, gamma: float = 1.0) -> dict[str, np.ndarray]:
        """What theory allows for the norms: {name: (T+1,) log10 of the bound}.

        "product of the factors' norms", for every cell; and for h' = g(x W_x + h W_h)
        with |g'| <= gamma the bound (gamma |W_h|_2)^(T-k) of Pascanu et al. 2013, which
        is |w|^(T-k) for one unit. An RNN's W_h and gamma (1 for tanh and relu) are
        known; for a cell of your own, give W.
        """
        tail = np.cumsum(scaled_product.log10(self.factor_norms())[::-1])[::-1]
        bounds = {"product of the factors' norms": np.append(tail, 0.0)}
        W = self._cell_weight if W is None else getattr(W, "data", W)
        if W is not None:
            matrix = np.atleast_2d(np.asarray(W, float))
            distance = np.arange(self.steps, -1, -1)
            norm = gamma * scaled_product.singular_values(matrix)[0]
            with np.errstate(divide="ignore", invalid="ignore"):
                logs = np.where(distance, distance * np.log10(norm), 0.0)
            name = "|w|^(T-k)" if matrix.size == 1 else "(γ‖W_h‖₂)^(T-k)"
            bounds[name] = logs
        return bounds

    # --------------------------------------------------------- paths

    def paths(self) -> Paths:
        """The path through one state alone, and the others: see `Paths`.

        Raises GraphError for a cell without gates, such as an RNN: it has one path.
        """
        if not self.has_paths:
            raise GraphError(
                "paths: this cell has no gates that could be held constant",
                expect='a cell whose gates are computed in scopes: with gate("f"): ...',
                actual=f"{type(self._loop.cell).__name__} with state {self.names}",
                hint="norms() and singular_values() work for every cell",
            )
        name = "c" if "c" in self.names else self.names[0]
        index = self.names.index(name)
        alone = [  # ds_k/ds_{k-1} of this part, gates and other parts held constant
            Step([before[index]], [after[index]], gates).jacobian(self._row)
            for (before, after), gates in zip(self._pairs, self._gates, strict=True)
        ]
        return split(name, self.parts[name], self._factors, alone)

    def plot(self, axes: Any = None) -> Any:
        """The fan of singular values (matplotlib): returns the axes."""
        from minigrad.flow.gradient_plots import fan

        return fan(self, axes)

    def view(self) -> View:
        """For notebooks: the fan of singular values, and the norms by distance."""
        from minigrad.flow.notebook_pictures import products_view

        return products_view(self)

    def __repr__(self) -> str:
        return (
            f"<JacobianProducts of sample {self.sample}: {self.steps} factors "
            f"({self.size}, {self.size}), state {', '.join(self.names)}>"
        )


@checked_call
def jacobian_products(trace: Any, sample: int = 0, layer: int = 0) -> JacobianProducts:
    """Factors ds_k/ds_{k-1} and running products of a loop: see `JacobianProducts`.

    trace    what model.trace(x), models.unroll or models.unroll_traced gave
    sample   which sample of the batch
    layer    which cell of model.cells; its states are in the order of processing
    Shapes:  factor(k), product(k) (S, S), S = H or 2H for [h, c]; float64
    Units:   of a Jacobian: d(state) per unit of state
    Errors:  GraphError for a loop within no_grad(), or something that has no states;
             IndexingError for a sample or layer that is not there; ArgumentError, with
             the size, for more than 1 GB of factors
    """
    loop = trace.layer(layer) if callable(getattr(trace, "layer", None)) else trace
    states = getattr(loop, "parts", None)
    if not states or not hasattr(loop, "times"):
        raise GraphError(
            "jacobian_products(trace): the argument has no states",
            expect="model.trace(x), or models.unroll(cell, x, state)",
            actual=type(trace).__name__,
            hint="output, state = loop unpacks the loop: pass the loop itself",
        )
    if all(part._edge.source is None for state in states[1:] for part in state):
        raise GraphError(
            "jacobian_products(trace): the loop was not recorded",
            expect="states with a graph",
            actual="a loop within no_grad()",
            hint="use model.trace(x), or models.unroll_traced for a cell of your own",
        )
    return JacobianProducts(loop, sample)
