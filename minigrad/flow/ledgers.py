"""Splits a parameter's gradient by loss and by the time step of its use (the ledger).

    dL/dp = sum over losses l, sum over steps t of  items(p)[l, t]

Other tools show only the sum, which may be large even if the terms from far back have
vanished. An item is the gradient of loss l for a copy of p that is used at step t only.

Read next: `arguments.py` (what a ledger is given).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from minigrad.engine.calls import checked_call, checked_methods
from minigrad.engine.errors import ArgumentError
from minigrad.engine.graph import AnyEdge, Key, key
from minigrad.engine.primitives.messages import describe
from minigrad.engine.tensor import Tensor
from minigrad.flow.arguments import outputs_of, parameters_of
from minigrad.nn.parameters import label
from minigrad.pages.notebook_view import View, Viewed
from minigrad.reading.uses import Dense, Norms, Uses, file_uses

LIMIT = 1 << 30  # bytes of dense items that are made


@checked_methods
class Ledger(Viewed):
    """The items of some gradients: `led = mg.ledger(losses, parameters)`.

    steps       names of the uses: the time steps, and "outside" where there are any
    parameters  the tensors whose gradients are itemised, by name where they have one
    losses      how many losses there are: the rows

    Passes run when they are first asked for: one per loss for `items` and `norms`, a
    single one for `uses` and `use_norms`, for all parameters together. They see the
    graph as it was recorded, and leave every `.grad` alone.
    """

    def __init__(
        self,
        outputs: list[tuple[AnyEdge, np.ndarray]],
        total: Tensor,
        parameters: list[Tensor],
        paths: dict[str, Tensor],
    ) -> None:
        self.parameters = parameters
        self._paths = paths
        self.losses = len(outputs)
        self._outputs = outputs
        self._total = total
        self._edges: dict[Key, AnyEdge] = {key(p._edge): p._edge for p in parameters}
        self._uses = Uses([edge for edge, _ in outputs], self._edges)
        self.steps = self._uses.steps
        self._items: dict[Key, np.ndarray] = {}
        self._norms: dict[Key, np.ndarray] = {}
        self._sums: dict[Key, np.ndarray] = {}

    # --------------------------------------------------------- what is asked for

    def items(self, p: Any = None, loss: int | None = None) -> np.ndarray:
        """(losses, uses, *p.shape): what each use at each step got from each loss.

        p      a parameter of the ledger or its name; may be left out if there is one
        loss   only this loss's row, (uses, *p.shape)
        Raises ArgumentError, with the size, for more than 1 GB; `norms` has no limit.
        """
        name, edge = self._find(p)
        if loss is not None:
            row = self._row(loss)
            self._refuse(edge, 1)
            arrays = self._zeros([name])
            self._pass(row, Dense(arrays))
            return arrays[name]
        if name not in self._items:
            self._refuse(edge, self.losses)
            names = list(self._edges)
            if sum(map(self._bytes, self._edges.values())) * self.losses > LIMIT:
                names = [name]
            found = {n: self._empty(n, self.losses) for n in names}
            for row in range(self.losses):
                self._pass(row, Dense({n: found[n][row] for n in names}))
            self._items.update(found)
        return self._items[name]

    def norms(self, p: Any = None) -> np.ndarray:
        """(losses, uses): the Euclidean norm of each item, in float64.

        No item is kept, so there is no limit to their size. Nothing under- or
        overflows in the squares: a norm of 1e-200 is 1e-200.
        """
        name, _ = self._find(p)
        if name not in self._norms:
            found = {n: np.zeros((self.losses, len(self.steps))) for n in self._edges}
            for row in range(self.losses):
                sink = Norms({n: a[row] for n, a in found.items()}, self._uses.counts)
                self._pass(row, sink)
            self._norms = found
        return self._norms[name]

    def uses(self, p: Any = None) -> np.ndarray:
        """(uses, *p.shape): the items summed over all losses, in one pass."""
        name, edge = self._find(p)
        if name not in self._sums:
            self._refuse(edge, 1)
            names = list(self._edges)
            if sum(map(self._bytes, self._edges.values())) > LIMIT:
                names = [name]
            arrays = self._zeros(names)
            self._pass(None, Dense(arrays))
            self._sums.update(arrays)
        return self._sums[name]

    def use_norms(self, p: Any = None) -> np.ndarray:
        """(uses,): the norm of each use's share of the whole gradient, in one pass."""
        name, _ = self._find(p)
        found = {name: np.zeros(len(self.steps))}
        self._pass(None, Norms(found, self._uses.counts))
        return found[name]

    def is_used(self, p: Any = None) -> bool:
        """Does any loss depend on this parameter? If not, all its items are zeros."""
        name, _ = self._find(p)
        return any(found == name for found, _ in self._uses.counts)

    def table(self, p: Any = None, most: int = 10) -> Any:
        """The norms as a table (rich) of at most `most` losses and steps."""
        from minigrad.flow.terminal_tables import ledger_table

        return ledger_table(self, p, most)

    def plot(self, p: Any = None, axes: Any = None) -> Any:
        """The norms as a heat map (matplotlib): returns the axes."""
        from minigrad.flow.gradient_plots import heat

        return heat(self, p, axes)

    def view(self) -> View:
        """For notebooks: heat maps of its largest parameters, and tables."""
        from minigrad.flow.notebook_pictures import ledger_view

        return ledger_view(self)

    def __repr__(self) -> str:
        names = ", ".join(map(label, self.parameters))
        return (
            f"<Ledger of {self.losses} losses over {len(self.steps)} uses "
            f"({self.steps[0]}..{self.steps[-1]}): {names}>"
            if self.steps
            else f"<Ledger of {self.losses} losses, no uses: {names}>"
        )

    # --------------------------------------------------------- how it is made

    def find(self, p: Any = None) -> Tensor:
        """A parameter of the ledger: itself, its name, or its name in the model.

        Raises ArgumentError if it is not there, or if several have this name.
        """
        known = self.parameters
        if p is None and len(known) == 1:
            return known[0]
        if isinstance(p, str) and p in self._paths:
            return self._paths[p]
        found = [c for c in known if c is p or (isinstance(p, str) and c.name == p)]
        if len(found) == 1:
            return found[0]
        given = label(p) if isinstance(p, Tensor) else repr(p)
        several = f"ledger: {len(found)} parameters are called {p!r}"
        raise ArgumentError(
            several if found else "ledger: it does not contain this parameter",
            expect="one of "
            + ", ".join(map(repr, self._paths) if self._paths else map(label, known)),
            actual="none given" if p is None else given,
            hint="pass the parameter itself: led.items(model.cell.W_h)"
            if found
            else "mg.ledger(losses, parameters) itemises the parameters it is given",
        )

    def _find(self, p: Any) -> tuple[Key, AnyEdge]:
        name = key(self.find(p)._edge)
        return name, self._edges[name]

    def _row(self, loss: int) -> int:
        if not 0 <= loss < self.losses:
            raise ArgumentError(
                f"items(p, loss={loss!r}): there is no such loss",
                expect=f"0..{self.losses - 1}",
                actual=repr(loss),
                hint="losses are counted in the order they were given",
            )
        return loss

    def _pass(self, row: int | None, sink: Any) -> None:
        """One backward pass: of one loss, or of the sum of all."""
        if row is None:
            output: AnyEdge = self._total._edge
            seed = np.ones(output.array.shape, output.array.dtype)
        else:
            output, seed = self._outputs[row]
        if output.requires_grad:
            edges = [edge for name, edge in self._edges.items() if name in sink]
            file_uses(output, seed, edges, self._uses, sink)

    def _bytes(self, edge: AnyEdge) -> int:
        return edge.array.nbytes * len(self.steps)

    def _empty(self, name: Key, *lead: int) -> np.ndarray:
        array = self._edges[name].array
        return np.zeros((*lead, len(self.steps), *array.shape), array.dtype)

    def _zeros(self, names: Iterable[Key]) -> dict[Key, np.ndarray]:
        return {name: self._empty(name) for name in names}

    def _refuse(self, edge: AnyEdge, rows: int) -> None:
        size = self._bytes(edge) * rows
        if size > LIMIT:
            lead = f"({rows}, " if rows > 1 else "("
            shape = ", ".join(map(str, (len(self.steps), *edge.array.shape)))
            raise ArgumentError(
                f"ledger.items: {size / 1e9:.1f} GB would be needed",
                expect=f"items of at most {LIMIT / 1e9:.1f} GB",
                actual=f"{lead}{shape}) {edge.array.dtype} for {describe(edge)}",
                hint="norms(p) never holds them; uses(p) sums over the losses; "
                "items(p, loss=k) is one row",
            )


@checked_call
def ledger(losses: Any, parameters: Any) -> Ledger:
    """Itemise gradients by (loss, step of use): see `Ledger`.

    losses      one loss, or one per step: tensors of one entry each, in order. A tensor
                (n,) is n losses, as reduction="none" makes them
    parameters  tensors: parameters, inputs or anything computed; one, several, or a
                model, whose names (`named_parameters()`) are then known as well

    Shapes:  items(p) (losses, uses, *p.shape), norms(p) (losses, uses); its sum over
             both axes is p's gradient (to 1e-12 of its norm in float64)
    Units:   of a gradient: loss per unit of the parameter
    Errors:  GraphError for losses without a graph and parameters without gradients;
             ShapeError for losses of more entries; DTypeError for what is not a tensor.
             A parameter that no loss depends on has items that are all zero
    """
    outputs, total = outputs_of(losses)
    paths = dict(getattr(parameters, "named_parameters", dict)())
    return Ledger(outputs, total, parameters_of(parameters), paths)
