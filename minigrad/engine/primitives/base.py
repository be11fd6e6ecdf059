"""What a primitive is, and the one way an operation is computed and recorded.

A primitive is an entry of the table: a *value* (arrays in, array out) and a *rule* (its
vector-Jacobian product, in ordinary arithmetic and other primitives). Applied to
tensors it goes through `apply`: compute, freeze, record. Applied to anything else
(arrays in an eager backward pass, `Text`, SymPy symbols) it just computes, which is
what lets one rule text serve eager backward, recorded backward, kernels and proofs.

A rule returns one entry per input, None where there is no derivative. It never mentions
broadcasting or dtypes: the walk of `autodiff.py` repairs both, once per edge.

Read next: `fused.py`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.engine.errors import DTypeError, NonFiniteError
from minigrad.engine.graph import AnyEdge, Edge, Node, Variable, next_seq
from minigrad.engine.primitives.messages import describe, explain
from minigrad.engine.quiet import hush, restore
from minigrad.engine.scope import thread
from minigrad.engine.user_code import caller

TABLE: dict[str, Primitive] = {}  # every primitive by its name


class Primitive:
    """An operation on tensors: its value and its rule.

    name     NumPy's name where the operation is NumPy's
    value    (*arrays, **attrs) -> array, or a tuple of arrays if `multiple`
    vjp      (g, y, *inputs, **attrs) -> one entry per input; None: no derivative at all
    expect   what the inputs' shapes must fulfil, for error messages
    stacked  {input: (gs, inputs) -> the sum over several uses of a leaf, in one go}
    """

    def __init__(
        self,
        value: Callable,
        *,
        name: str | None = None,
        expect: str = "shapes that fit together",
        multiple: bool = False,
    ) -> None:
        self.name = name or value.__name__
        self.__name__ = self.name
        self.__doc__ = value.__doc__
        self.__wrapped__ = value  # so that help() shows the signature
        self.value = value
        self.expect = expect
        self.multiple = multiple
        self.vjp: Callable | None = None
        self.stacked: dict[int, Callable] = {}
        self._vjp_takes_needs = False
        if self.name in TABLE:
            raise AssertionError(f"bug: two primitives are called {self.name}")
        TABLE[self.name] = self

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def defvjp(self, rule: Callable) -> Callable:
        """Make `rule` this primitive's. With a keyword `needs` (one bool per input) it
        is told which entries are wanted, and may return None for the others."""
        self.vjp = rule
        self._vjp_takes_needs = "needs" in rule.__code__.co_varnames
        return rule

    def __call__(self, *inputs: Any, **attrs: Any) -> Any:
        for x in inputs:
            if isinstance(x, Variable):
                return apply(self, inputs, attrs)
        return self.plain(inputs, attrs)

    def plain(self, inputs: tuple, attrs: dict[str, Any]) -> Any:
        """Compute on what is not a tensor; nothing is recorded."""
        try:
            return self.value(*inputs, **attrs)
        except AttributeError:  # nested lists
            return self.value(*arrays_of(inputs), **attrs)

    def pull(
        self, needs: tuple[bool, ...], g: Any, y: Any, inputs: Any, attrs: dict
    ) -> tuple:
        """The rule on arrays or on tensors: one contribution per input, or None."""
        assert self.vjp is not None, f"bug: {self.name} has no rule"
        if self._vjp_takes_needs:
            return self.vjp(g, y, *inputs, needs=needs, **attrs)
        return self.vjp(g, y, *inputs, **attrs)


def primitive(**options: Any) -> Callable[[Callable], Primitive]:
    """Decorate a function of arrays to make it a primitive (see `Primitive`)."""
    return lambda value: Primitive(value, **options)


# ------------------------------------------------------------- compute and record

NO_ATTRS: dict[str, Any] = {}
_TROUBLE = (ValueError, TypeError, IndexError, ZeroDivisionError)
_new = object.__new__


def apply(primitive: Primitive, inputs: tuple, attrs: dict[str, Any] = NO_ATTRS) -> Any:
    """Compute an operation on tensors (and constants among them), and record it."""
    edges = tuple(
        [x._edge if isinstance(x, Variable) else constant(x, inputs) for x in inputs]
    )
    token = hush()
    try:
        made = primitive.value(*[edge.array for edge in edges], **attrs)
    except _TROUBLE as error:
        raise explain(primitive, edges, attrs, error) from None
    finally:
        restore(token)
    requires_grad = any([edge.requires_grad for edge in edges])
    return record(primitive, edges, attrs, made, requires_grad)


def apply_unary(primitive: Primitive, edge: AnyEdge) -> Any:
    """`apply` for one tensor and no attributes: the activations' shorter way."""
    token = hush()
    try:
        made = primitive.value(edge.array)
    except _TROUBLE as error:
        raise explain(primitive, (edge,), NO_ATTRS, error) from None
    finally:
        restore(token)
    return record(primitive, (edge,), NO_ATTRS, made, edge.requires_grad)


def apply_binary(primitive: Primitive, a: Any, b: Any) -> Any:
    """`apply` for two inputs and no attributes: the operators' shorter way."""
    try:
        left, right = a._edge, b._edge
    except AttributeError:  # a constant among them
        return apply(primitive, (a, b))
    token = hush()
    try:
        made = primitive.value(left.array, right.array)
    except _TROUBLE as error:
        raise explain(primitive, (left, right), NO_ATTRS, error) from None
    finally:
        restore(token)
    requires_grad = left.requires_grad or right.requires_grad
    return record(primitive, (left, right), NO_ATTRS, made, requires_grad)


def record(
    primitive: Primitive,
    edges: tuple[AnyEdge, ...],
    attrs: dict[str, Any],
    made: Any,
    requires_grad: bool,
) -> Any:
    """Freeze what was made, leave a Node (unless in `no_grad`), hand out tensors.

    Every operation passes through here, so it is written for speed: objects are made
    without their `__init__`, and what is looked up is looked up once.
    """
    multiple = primitive.multiple  # several outputs are views: as read-only as x is
    if not multiple:
        if type(made) is not ndarray:  # NumPy gives scalars for 0-d results
            made = np.asarray(made)
        made.setflags(False)
    recorder = thread.recorder
    if not recorder.recording:
        arrays = made if multiple else (made,)
        handles = [Variable.result_type.of(Edge(None, 0, a, False)) for a in arrays]
        return tuple(handles) if multiple else handles[0]
    if requires_grad and (
        primitive.vjp is None or not (multiple or made.dtype.kind in "fc")
    ):
        requires_grad = False
    node = _new(Node)
    node.primitive = primitive
    node.edges = edges
    node.attrs = attrs
    node.array = made
    node.requires_grad = requires_grad
    node.scope = recorder.scope
    node.tags = None
    node.seq = next_seq()
    origin = node.origin = recorder.origin
    if origin is None:
        node.code, node.offset = caller(3)
    else:
        node.code, node.offset = origin.code, origin.offset
    if recorder.anomaly:
        check_finite(node)
    if multiple:
        of = Variable.result_type.of
        return tuple(
            [of(Edge(node, k, part, requires_grad)) for k, part in enumerate(made)]
        )
    handle = _new(Variable.result_type)
    handle._edge = node
    handle._grad = None
    return handle


def _read_only(array: ndarray) -> ndarray:
    array.setflags(write=False)
    return array


def arrays_of(inputs: tuple) -> tuple:
    """Nested lists among the operands as arrays. DTypeError if they are not numeric."""
    listed = (list, tuple, str, type(None))
    return tuple(numeric(x) if isinstance(x, listed) else x for x in inputs)


def operand(x: Any) -> Any:
    """x, or the array that nested lists stand for. DTypeError if not numeric."""
    return x if hasattr(x, "ndim") else numeric(x)


_constants: dict[tuple, Edge] = {}


def constant(x: Any, beside: tuple) -> Edge:
    """The edge of an operand that is no tensor: a number, an array, a nested list.

    A Python number takes the dtype of the tensor beside it, as NumPy's rules have it.
    Arrays are copied: nothing that the graph holds may be written to from outside.
    """
    kind = type(x)
    if kind is float or kind is int or kind is bool or kind is complex:
        dtypes = [t._edge.array.dtype for t in beside if isinstance(t, Variable)]
        dtypes = [d for d in dtypes if d.kind in "fc"] or dtypes[:1]
        dtype = dtypes[0] if len(dtypes) == 1 else np.result_type(*dtypes)
        if dtype.kind not in "fc" or kind is complex:
            dtype = np.result_type(dtype, x)
        key = (x, kind, dtype)
        edge = _constants.get(key)
        if edge is None or x == 0:  # 0.0 and -0.0 are the same key
            try:
                array = np.array(x, dtype)
            except OverflowError:
                raise DTypeError(
                    f"the number {x} does not fit the dtype beside it",
                    expect=f"a number within the range of {dtype}",
                    actual=str(x),
                    hint="use .astype('int64') or .astype('float64') on the tensor",
                ) from None
            edge = Edge(None, 0, _read_only(array), False)
            if len(_constants) < 1000:
                _constants[key] = edge
        return edge
    return Edge(None, 0, _read_only(numeric(x)), False)


def numeric(x: Any) -> ndarray:
    """A new array of what x stands for: an array, a number, nested lists of numbers."""
    try:
        array = np.array(x)
        kind = f"an operand of type {type(x).__name__}"
    except ValueError:
        array, kind = np.array(None), "nested lists of unequal lengths"
    if array.dtype.kind not in "fciub":
        raise DTypeError(
            f"{kind}: no array of numbers",
            expect="a tensor, a number, an array or nested lists of numbers",
            actual=f"{x!r:.60}",
            hint="convert it with mg.tensor(...) where you make it",
        )
    return array


# ------------------------------------------------------------- when it goes wrong


def check_finite(node: Node) -> None:
    """Raise if finite inputs gave an output that is not finite (anomaly mode)."""
    if all(np.isfinite(a).all() for a in node.outputs if a.dtype.kind in "fc"):
        return
    if all(
        np.isfinite(e.array).all() for e in node.edges if e.array.dtype.kind in "fc"
    ):
        bad = next(a for a in node.outputs if not np.isfinite(a).all())
        raise NonFiniteError(
            f"{node.primitive.name}: the first value that is not finite arose here",
            expect="finite outputs from finite inputs",
            actual=f"{first_bad(bad)}     "
            + "     ".join(describe(edge) for edge in node.edges[:4]),
            hint="look at the inputs' sizes: exp overflows, log and / need care at 0",
        )


def first_bad(array: ndarray) -> str:
    """The first entry that is not finite, as words: "nan at (0, 3)"."""
    at = tuple(map(int, np.argwhere(~np.isfinite(array))[0]))
    return f"{array[at]} at {at}"
