"""`mg.explain`: writes one entry of one gradient as a sum over time steps.

    e = mg.explain(rnn.cells[0].W_h, (0, 0), loss)
    print(e)                    # a term per time step, each a product of Jacobians
    e.value == loss's gradient at that entry, and the printed terms add up to it

Read next: `step_cuts.py` (how the graph is cut into steps).
"""

from __future__ import annotations

from functools import cached_property
from typing import Any

import numpy as np

from minigrad.engine.autodiff import backpropagate
from minigrad.engine.calls import checked_call, checked_methods
from minigrad.engine.errors import (
    ArgumentError,
    GraphError,
    IndexingError,
    MinigradError,
    ShapeError,
)
from minigrad.engine.graph import AnyEdge, Node, Variable, ancestors
from minigrad.engine.primitives.messages import describe
from minigrad.engine.quiet import quietly, uncollected
from minigrad.engine.scope import thread
from minigrad.explaining.entry_names import EntryNames
from minigrad.explaining.path_listing import Paths
from minigrad.explaining.step_chain import Chains
from minigrad.explaining.step_cuts import Stretches, is_use
from minigrad.explaining.terms import Term, closing
from minigrad.explaining.use_listener import UseListener
from minigrad.pages.notebook_view import View, Viewed
from minigrad.reading.formula_printers import text as written
from minigrad.reading.names import Names

LARGEST = 500_000  # operations
PAPER = 600  # characters of a formula that is shown without being asked for


@checked_methods
class Explanation(Viewed):
    """One entry of one gradient, explained. Made by `mg.explain`.

    value     the entry of dL/d(parameter): the contributions of all uses, added one by
              one in the order of backward (a scalar of the gradient's dtype)
    terms     one per time step, in the order of backward: the last step first
    rounding  what is left when the terms are added from the first in floating point:
              nothing, unless a step uses the parameter more than once
    paths     `paths.count` paths from the entry to the loss; a list of `Path` if few
    formula   a SymPy expression in the parameters and inputs, of small scalar networks;
              `symbols` are the numbers that they stood for
    text(...), print(e), latex(), and in notebooks a page with typeset formulas

    It holds the graph as long as it lives.
    """

    def __init__(
        self, target: AnyEdge, index: tuple[int, ...], output: AnyEdge, seed: Any
    ) -> None:
        self.index = index
        self._target, self._output, self._seed = target, output, seed
        nodes = ancestors([output.source], constants=False)
        if len(nodes) > LARGEST:
            raise GraphError(
                f"explain: {len(nodes):,} operations are too many",
                expect=f"at most {LARGEST:,} operations",
                actual=f"{len(nodes):,} between the loss and its leaves",
                hint="explain a loss of fewer time steps; mg.ledger takes longer ones",
            )
        self.stretches = Stretches(nodes, output)
        for node in nodes:
            if node not in self.stretches.of and _uses(node, target):
                self.stretches.of[node] = self.stretches.alone(node)
        names = Names(ancestors([output.source]), output.source)
        self.names = EntryNames(names, self.stretches, target, index)
        listener = UseListener(target, index, self.stretches.of)
        start = np.full(output.array.shape, seed, output.array.dtype)
        with quietly(), uncollected():
            backpropagate(output, start, [target], stack=False, watcher=listener)
            if output.source in self.stretches.of:
                listener.reads(output, start)
        if not listener.uses:
            raise _unused(target, output)
        self.chains = Chains(target, index, listener.direct, self.names)
        value = listener.uses[0][1]
        for _, more in listener.uses[1:]:
            value = value + more
        self.value = value
        self.terms = [
            Term(self, stretch, uses) for stretch, uses in listener.grouped().items()
        ]
        self.rounding = closing([term.value for term in self.terms], self.value)
        self.nodes = nodes
        self.paths = Paths(
            nodes, output, target, index, start.reshape(-1)[0], self.names
        )

    @property
    def parameter(self) -> str:
        """The entry's name: "W_h[0,1]"."""
        return written(self.names.target)

    @cached_property
    def _formula(self) -> Any:
        from minigrad.explaining.sympy_formula import Formula

        names = self.names.names
        return Formula(self._output, self._seed, self._target, self.index, names)

    @property
    def formula(self) -> Any:
        """The entry as a SymPy expression in parameters and inputs.

        GraphError where it would be too long to read, or an operation has no formula;
        SetupError without SymPy.
        """
        from minigrad.explaining.sympy_formula import sympy

        return sympy().Add(*[share for _, share in self._formula.shares])

    @property
    def readable(self) -> bool:
        """Is the formula short enough to be shown without being asked for?"""
        from minigrad.explaining.sympy_formula import size

        if size(self.nodes, self._output) > 400:
            return False
        try:
            return len(str(self.formula)) <= PAPER
        except MinigradError:  # no SymPy, or no formula for an operation
            return False

    @property
    def symbols(self) -> dict[Any, float]:
        """{symbol of the formula: the number it stood for}."""
        return dict(self._formula.values)

    def formula_of(self, term: Term) -> Any:
        """The share of one term as a SymPy expression."""
        from minigrad.explaining.sympy_formula import sympy

        mine = {node for node, _ in term.uses}
        shares = [share for node, share in self._formula.shares if node in mine]
        return sympy().Add(*shares)

    def text(self, max_terms: int = 12, max_paths: int = 12, width: int = 80) -> str:
        """What `print` shows: at most so many terms and paths, in so many columns."""
        from minigrad.explaining.explanation_text import text

        return text(self, max_terms, max_paths, width)

    def latex(self) -> str:
        """The sum of products of Jacobians in LaTeX (the formula too, if small)."""
        from minigrad.explaining.typeset import latex

        return latex(self)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        count = len(self.terms)
        return f"<Explanation dL/d{self.parameter} = {self.value}, {count} terms>"

    def view(self) -> View:
        """For notebooks: a table with formulas, a bar for each term, and the text."""
        from minigrad.explaining.terms_picture import picture
        from minigrad.explaining.typeset import html

        return View(html(self), picture(self), self.text())


@checked_call
def explain(parameter: Any, index: Any = (), loss: Any = None) -> Explanation:
    """One entry of dL/d(parameter), written out as a sum over time steps.

    parameter  a tensor with a gradient: a parameter, an input, or a computed tensor
    index      which entry: an int, or a tuple with one int per axis; () for a scalar
    loss       a tensor of one entry. None: the one that `backward` ran from last in
               this thread, with the gradient it was given. It is remembered weakly, so
               that no graph is kept alive: if no variable holds the loss any more,
               there is a GraphError that says so

    Returns an `Explanation`: print it. The values are those of the forward pass that
    ran, also if parameters were updated since. `.grad` is left alone. Where backward
    sums the uses of a matrix in one product of stacked rows, `.grad` may differ from
    the sum one by one in the last digits.

    Raises IndexingError for an index that is no entry, ShapeError for a loss of several
    entries, GraphError for a loss without a graph or one that does not depend on the
    parameter, and for graphs of more than 500,000 operations.
    """
    if not isinstance(parameter, Variable):
        raise ArgumentError(
            "explain(parameter, index): the parameter is not a tensor",
            expect="a tensor with requires_grad=True",
            actual=type(parameter).__name__,
            hint="for example explain(lstm.cells[0].W_h, (0, 0), loss)",
        )
    seed: Any = 1.0
    if loss is None:
        loss, seed = _last()
    if not isinstance(loss, Variable):
        raise ArgumentError(
            "explain(parameter, index, loss): the loss is not a tensor",
            expect="the tensor that backward runs from",
            actual=type(loss).__name__,
            hint="float(loss) is only a number: pass the tensor itself",
        )
    output, target = loss._edge, parameter._edge
    if output.array.size != 1:
        raise ShapeError(
            "explain: the loss is not a scalar",
            expect="a loss of one entry",
            actual=describe(output),
            hint="explain the sum, (loss * weights).sum(), or one entry, loss[0]",
        )
    if not isinstance(output.source, Node) or not output.requires_grad:
        raise GraphError(
            "explain: the loss has no graph",
            expect="a loss computed from tensors with requires_grad=True",
            actual=describe(output),
            hint="compute it outside no_grad(), and do not detach it",
        )
    entry = _entry(parameter, index)
    if not target.requires_grad or target.source is None:
        raise GraphError(
            "explain: the tensor has no gradient",
            expect="a tensor with requires_grad=True when the loss was computed",
            actual=describe(target),
            hint="set requires_grad=True before the forward pass",
        )
    return Explanation(target, entry, output, seed)


def _last() -> tuple[Any, Any]:
    """The loss that `backward` ran from last, and the gradient it was given."""
    last = thread.recorder.last
    loss = None if last is None else last[0]()
    if loss is None or last is None:
        raise GraphError(
            "explain: there is no loss to explain",
            expect="explain(parameter, index, loss), or a backward() before, from a "
            "loss that still exists",
            actual="backward has not run in this thread"
            if last is None
            else "the loss of the last backward() is gone: no variable holds it",
            hint="keep it, loss = ...; loss.backward(), or pass it as loss=",
        )
    if last[1] is None:
        raise GraphError(
            "explain: the last backward() started from a given gradient",
            expect="a loss of one entry, backward recorded or not with create_graph",
            actual=describe(loss._edge),
            hint="pass a scalar as loss=, for example (output * grad).sum()",
        )
    return loss, last[1].reshape(-1)[0]


def _entry(parameter: Any, index: Any) -> tuple[int, ...]:
    """The index with one int per axis, none negative. IndexingError if it is none."""
    shape = parameter.shape
    parts = index if isinstance(index, tuple) else (index,)
    whole = all(
        isinstance(i, int | np.integer) and not isinstance(i, bool) for i in parts
    )
    fits = whole and len(parts) == len(shape)
    if not fits or any(not -n <= i < n for i, n in zip(parts, shape, strict=True)):
        if not shape:
            hint = "a tensor without axes has one entry: index=()"
        else:
            hint = f"for example {tuple(0 for _ in shape) if shape else ()}"
        raise IndexingError(
            f"explain: there is no entry at index {index!r:.60}",
            expect=f"one whole number per axis of {shape}, within its length",
            actual=f"{index!r:.60}     parameter: {describe(parameter._edge)}",
            hint=hint,
        )
    return tuple(
        [int(i) if i >= 0 else int(i) + n for i, n in zip(parts, shape, strict=True)]
    )


def _uses(node: Node, target: AnyEdge) -> bool:
    return any([is_use(edge, target) for edge in node.edges])


def _unused(target: AnyEdge, output: AnyEdge) -> GraphError:
    hint = "another model's parameter, or detached on the way?"
    if any([node.origin is not None for node in ancestors([output.source])]):
        hint = "a gradient in which it is linear does not contain it: its slope is 0"
    if target.source is output.source:
        hint = "it is the loss itself: explain a tensor that it was computed from"
    return GraphError(
        "explain: the loss does not depend on this tensor",
        expect="a tensor that the loss was computed from",
        actual=f"{describe(target)}     loss: {describe(output)}",
        hint=hint,
    )
