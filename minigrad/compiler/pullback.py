"""A gradient that comes from outside: `backward` of what a compiled function returned.

The results are one recorded operation then, from the arguments and the parameters that
need a gradient. Its rule runs the function once more with its backward pass, compiled
as well: forward is computed twice. A whole training step inside is faster.

Read next: `compiled.py` (what users call).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from minigrad.compiler.guard import Arguments, built
from minigrad.compiler.program import Program
from minigrad.engine.autodiff import grad
from minigrad.engine.errors import GraphError
from minigrad.engine.graph import Variable
from minigrad.engine.primitives.base import record
from minigrad.engine.tensor import Tensor


class CompiledCall:
    """One call of a compiled function, as the operation of a node.

    pulled   (call, leaves, gs) -> gradients: see `pulled_through`
    leaves   the tensors that the function found around it and that need a gradient
    """

    name = "compiled"
    expect = ""
    multiple = True
    stacked: dict[int, Callable[..., Any]] = {}  # noqa: RUF012

    def __init__(
        self, pulled: Callable[..., Any], arguments: Arguments, leaves: list[Tensor]
    ) -> None:
        self._pulled, self._arguments, self._leaves = pulled, arguments, leaves
        self._then = [p._edge.array for p in leaves]
        self.value = self.vjp = self.pull

    def pull(
        self, needs: Any, g: Sequence[Any], y: Any, inputs: Any, attrs: Any
    ) -> Sequence[Any]:
        """The gradients of all inputs of the node."""
        if any([isinstance(part, Variable) for part in g]):
            raise _refused("its second derivative is asked for")
        pairs = zip(self._leaves, self._then, strict=True)
        if any([p._edge.array is not array for p, array in pairs]):
            raise _refused("a parameter was changed between the call and backward")
        parts = [
            np.zeros(a.shape, a.dtype) if part is None else part
            for part, a in zip(g, y, strict=True)
        ]
        given = [x for x in self._arguments.given]
        call = built(self._arguments.structure, given)
        return [t._edge.array for t in self._pulled(call, self._leaves, parts)]


def pulled_through(fn: Callable[..., Any]) -> Callable[..., tuple[Any, ...]]:
    """The function of a call and of gradients of its results that gives the gradients
    of its arguments and leaves."""

    def pulled(call: Any, leaves: list[Tensor], gs: list[Tensor]) -> tuple[Any, ...]:
        inputs, options = call
        found = Arguments(fn(*inputs, **options)).given
        needing = [x for x in found if isinstance(x, Tensor) and x.requires_grad]
        total: Any = None
        for x, g in zip(needing, gs, strict=True):
            term = (x * g).sum()
            total = term if total is None else total + term
        return grad(total, [*_wanted(call), *leaves], allow_unused=True)

    return pulled


def attached(
    pulled: Callable[..., Any],
    program: Program,
    arguments: Arguments,
    tensors: Sequence[Tensor],
    handed: list[Any],
) -> list[Any]:
    """The results of a call, those that need a gradient with a node behind them.

    A function that leaves effects behind, or draws random numbers, keeps them without:
    it cannot be run a second time for its gradient.
    """
    if not program.needing or program.effects or program.kept:
        return handed
    leaves = [
        tensor
        for tensor, leaf in zip(tensors, program.leaves, strict=True)
        if leaf.argument is None and tensor._edge.requires_grad
    ]
    call = built(arguments.structure, arguments.given)
    edges = tuple([x._edge for x in [*_wanted(call), *leaves]])
    arrays = tuple([handed[k]._edge.array for k in program.needing])
    operation: Any = CompiledCall(pulled, arguments, leaves)
    made = record(operation, edges, {}, arrays, True)
    for k, tensor in zip(program.needing, made, strict=True):
        handed[k] = tensor
    return handed


def _wanted(call: Any) -> list[Tensor]:
    given = Arguments(call).given
    return [x for x in given if isinstance(x, Tensor) and x.requires_grad]


def _refused(why: str) -> GraphError:
    return GraphError(
        "backward through the results of a compiled function",
        expect="a first derivative, with the parameters of the call",
        actual=why,
        hint="call backward inside the compiled function, or do not compile it",
    )
