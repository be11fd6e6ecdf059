"""The gradient as one formula in the parameters and inputs, by SymPy.

The recorded operations are evaluated again on symbols, and their own rules carry the
gradient back on symbols: SymPy differentiates nothing here.

Read next: `minigrad/exploring/` (sliders over exact numbers).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np

from minigrad.engine.errors import GraphError, SetupError
from minigrad.engine.graph import AnyEdge, Key, Leaf, Node, ancestors, key
from minigrad.engine.kernels.jit import argument_names
from minigrad.engine.primitives.fused import Elementwise
from minigrad.engine.primitives.shape import sum_to
from minigrad.explaining.step_cuts import is_use
from minigrad.reading.names import Names
from minigrad.reading.pulling import name_of_output, pull

LARGEST = 250_000  # operations written out: larger formulas are refused
MOVES = {
    "reshape", "transpose", "broadcast_to", "concatenate", "split", "stack", "unstack",
    "getitem", "add_at", "sum_to", "sum", "matmul",
}  # fmt: skip


def sympy() -> Any:
    """SymPy, or a SetupError that says how to get it."""
    try:
        import sympy
    except ImportError:
        raise SetupError(
            "explain: a formula needs SymPy",
            expect="the package sympy",
            actual="it is not installed",
            hint="pip install 'minigrad[symbolic]'; terms and paths do without",
        ) from None
    return sympy


class Formula:
    """Symbols for every leaf, and the gradient's shares as expressions in them.

    shares  [(operation that takes the parameter, expression)], newest first
    values  {symbol: number}: what they stood for in this run
    """

    def __init__(
        self,
        output: AnyEdge,
        seed: Any,
        target: AnyEdge,
        index: tuple[int, ...],
        names: Names,
    ) -> None:
        self._sp = sympy()
        self.values: dict[Any, float] = {}
        self._names = names
        self._made: dict[Key, np.ndarray] = {}
        nodes = ancestors([output.source])
        total = size(nodes, output)
        if total > LARGEST:
            raise _too_long(total, nodes)
        for node in nodes:
            self._forward(node)
        self.shares: list[tuple[Node, Any]] = []
        self._backward(nodes, output, seed, target, index)

    # ----------------------------------------------------- forward

    def value(self, edge: AnyEdge) -> np.ndarray:
        """The expressions of a value, in an array of objects."""
        name = key(edge) if edge.source is not None else id(edge)
        if name not in self._made:
            array = edge.array
            if array.dtype.kind not in "fc":
                return array
            made = np.empty(array.shape, object)
            leaf = edge.source if type(edge.source) is Leaf else None
            for place in np.ndindex(array.shape):
                number = array[place]
                if leaf is None or (not edge.requires_grad and number == 0):
                    made[place] = _exact(self._sp, number)
                else:
                    made[place] = self._symbol(edge, place)
            self._made[name] = made
        return self._made[name]

    def _symbol(self, edge: AnyEdge, place: tuple[int, ...]) -> Any:
        """One entry of a leaf: W_h_0_1 for W_h[0,1]."""
        base = re.sub(r"[^\w.^(),′]", "_", str(self._names.of(edge)))
        shape = edge.array.shape
        kept = [str(i) for i, n in zip(place, shape, strict=True) if n > 1]
        symbol = self._sp.Symbol("_".join([base, *kept]), real=True)
        self.values[symbol] = float(edge.array[place])
        return symbol

    def _forward(self, node: Node) -> None:
        inputs = [self.value(edge) for edge in node.edges]
        primitive = node.primitive
        made: Any
        if not primitive.multiple and node.array.dtype.kind not in "fc":
            return  # a comparison: the formula is that of the branch taken
        if primitive.name == "shift":  # it cancels, in the value and in every slope
            made = np.full(node.array.shape, self._sp.Integer(0), object)
        elif primitive.name == "where":
            made = np.where(node.edges[0].array.astype(bool), inputs[1], inputs[2])
        elif isinstance(primitive, Elementwise):
            template = _template(primitive, None, len(inputs))
            made = _each(self._sp, template, inputs)
        elif primitive.name == "astype":
            made = inputs[0]
        elif primitive.name == "mean":
            count = node.edges[0].array.size // node.array.size
            total = inputs[0].sum(axis=node.attrs["axes"], keepdims=True)
            made = np.asarray(total, object).reshape(node.array.shape)
            made = made * self._sp.Rational(1, count)
        elif primitive.name in MOVES:
            made = primitive.value(*inputs, **node.attrs)
        else:
            raise _no_formula(node)
        if primitive.multiple:
            for k, part in enumerate(made):
                self._made[name_of_output(node, k)] = part
        else:
            self._made[node] = _objects(made, node.array.shape)

    # ----------------------------------------------------- backward

    def _backward(
        self,
        nodes: Sequence[Node],
        output: AnyEdge,
        seed: Any,
        target: AnyEdge,
        index: tuple[int, ...],
    ) -> None:
        start = np.empty(output.array.shape, object)
        start.fill(_exact(self._sp, np.asarray(seed).reshape(-1)[0]))

        def through(node: Node, g: Any) -> list[Any]:
            values = [
                self._pulled(node, g, k) if edge.requires_grad else None
                for k, edge in enumerate(node.edges)
            ]
            for edge, value in zip(node.edges, values, strict=True):
                if value is not None and is_use(edge, target):
                    self.shares.append((node, value[index]))
            return values

        differentiable = [node for node in reversed(nodes) if node.requires_grad]
        pull(differentiable, {key(output): start}, through)

    def _pulled(self, node: Node, g: Any, k: int) -> Any:
        """What the rule gives to input k, on symbols."""
        primitive, attrs = node.primitive, node.attrs
        inputs = [self.value(edge) for edge in node.edges]
        shape = node.edges[k].array.shape
        assert primitive.vjp is not None
        if primitive.name == "where":
            chosen = node.edges[0].array.astype(bool) == (k == 1)
            made = np.where(chosen, g, self._sp.Integer(0))
        elif isinstance(primitive, Elementwise):
            template = _template(primitive, k, len(inputs))
            if template is None:
                return None
            made = _each(self._sp, template, [g, self._made[node], *inputs])
            made = _objects(made, np.shape(made))
        elif primitive.name == "astype":
            made = g
        elif primitive.name == "mean":
            kept = [
                1 if a in attrs["axes"] else n for a, n in enumerate(inputs[0].shape)
            ]
            share = self._sp.Rational(node.array.size, inputs[0].size)
            made = np.broadcast_to(g.reshape(kept) * share, shape)
        else:
            y: Any = self._made[node]
            if primitive.multiple:
                count = range(len(node.array))
                y = tuple([self._made[name_of_output(node, j)] for j in count])
            made = primitive.vjp(
                g, y, *inputs, **_needs(primitive, len(inputs)), **attrs
            )
            made = made[k]
        if made is not None and np.shape(made) != shape:
            made = sum_to(made, shape)
        return None if made is None else _objects(made, shape)


def _needs(primitive: Any, count: int) -> dict[str, Any]:
    if "needs" in primitive.vjp.__code__.co_varnames:
        return {"needs": (True,) * count}
    return {}


@cache
def _template(primitive: Elementwise, k: int | None, count: int) -> Any:
    """(symbols, expression) of the value (k is None) or of entry k of the rule.

    Made on bare symbols, so that decimal literals become exact numbers in a small
    expression; what really stands there is put in afterwards.
    """
    sp = sympy()
    letters = sp.symbols(f"x0:{count}", real=True)
    if k is None:
        found = primitive.scalar(*letters)
        symbols = letters
    else:
        g, y = sp.symbols("g y", real=True)
        assert primitive.vjp is not None
        names = argument_names(primitive.vjp)
        assert len(names) == count + 2
        symbols = (g, y, *letters)
        if primitive.name == "power":  # its rule minds x = 0, where it has two limits
            a, b = letters
            found = (g * b * a ** (b - 1), g * y * sp.log(a))[k]
        else:
            found = primitive.vjp(*symbols)[k]
    if found is None:
        return None
    return symbols, sp.nsimplify(found, rational=True)


def _each(sp: Any, template: Any, arrays: list[Any]) -> Any:
    symbols, expression = template

    def put(*values: Any) -> Any:
        known = {
            symbol: _exact(sp, value)
            for symbol, value in zip(symbols, values, strict=True)
        }
        # `subs` and not `xreplace`: a condition that is now decided is carried out.
        if expression.has(sp.Piecewise):
            return expression.subs(known, simultaneous=True)
        return expression.xreplace(known)

    return np.frompyfunc(put, len(symbols), 1)(*arrays)


def _exact(sp: Any, value: Any) -> Any:
    """A number as SymPy's own: whole numbers as integers, decimals as they are read."""
    if isinstance(value, bool | np.bool_):
        return sp.true if value else sp.false
    if isinstance(value, int | np.integer):
        return sp.Integer(int(value))
    if isinstance(value, float | np.floating):
        return sp.Rational(str(value)) if np.isfinite(value) else sp.Float(value)
    return value


def _objects(made: Any, shape: tuple[int, ...]) -> np.ndarray:
    if isinstance(made, np.ndarray):
        return made
    array = np.empty(shape, object)
    array[...] = made
    return array


def size(nodes: Sequence[Node], output: AnyEdge) -> int:
    """About how many operations the loss has when it is written out in full."""
    sizes: dict[Any, int] = {}
    for node in nodes:
        made = 1 + sum([sizes.get(edge.source, 1) for edge in node.edges])
        if node.primitive.name == "matmul":
            made *= node.edges[0].array.shape[-1]
        elif node.primitive.name in ("sum", "mean"):
            made *= node.edges[0].array.size // max(node.array.size, 1)
        elif node.primitive.name in ("concatenate", "stack", "split", "unstack"):
            made = max([sizes.get(edge.source, 1) for edge in node.edges])
        sizes[node] = made
    return sizes.get(output.source, 1)


def _too_long(total: int, nodes: Sequence[Node]) -> GraphError:
    shown = f"{total:,}" if total < 10**15 else f"10^{len(str(total)) - 1}"
    return GraphError(
        f"explain: the loss written out in full has about {shown} operations",
        expect=f"at most {LARGEST:,}: scalar networks of few steps",
        actual=f"{len(nodes):,} recorded operations",
        hint="take fewer steps and sizes of 1; terms gives the sum step by step",
    )


def _no_formula(node: Node) -> GraphError:
    return GraphError(
        f"explain: no formula for the operation {node.primitive.name}",
        expect="elementwise operations, matrix products, sums, means and moves",
        actual=repr(node),
        hint="terms and paths explain every operation",
    )
