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

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy import ndarray

from minigrad.engine.aliases import Attrs, Needs, Operand, Value
from minigrad.engine.calls import of_the_call, wrong_call
from minigrad.engine.graph import (
    AnyEdge,
    Edge,
    Node,
    Variable,
    next_seq,
    set_edge,
    set_grad,
)
from minigrad.engine.primitives.anomaly import check_outputs
from minigrad.engine.primitives.messages import explain
from minigrad.engine.primitives.operands import arrays_of, constant, numeric
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
    listed   is it in the table? Not what is only computed, and recorded as its parts
    stacked  {input: (rows of g, inputs) -> the sum over several uses of a leaf};
             the rule must take `needs` then
    """

    def __init__(
        self,
        value: Callable[..., Any],
        *,
        name: str | None = None,
        expect: str = "shapes that fit together",
        multiple: bool = False,
        listed: bool = True,
    ) -> None:
        self.name = name or value.__name__
        self.__name__ = self.name
        self.__doc__ = value.__doc__
        self.__wrapped__ = value  # so that help() shows the signature
        self.value = value
        self.expect = expect
        self.multiple = multiple
        self.vjp: Callable[..., Any] | None = None
        self.stacked: dict[int, Callable[..., Any]] = {}
        self._vjp_takes_needs = False
        if listed:
            if self.name in TABLE:
                raise AssertionError(f"bug: two primitives are called {self.name}")
            TABLE[self.name] = self

    def __repr__(self) -> str:
        return f"<primitive {self.name}>"

    def defvjp(self, rule: Callable[..., Any]) -> Callable[..., Any]:
        """Make `rule` this primitive's. With a keyword `needs` (one bool per input) it
        is told which entries are wanted, and may return None for the others."""
        self.vjp = rule
        self._vjp_takes_needs = "needs" in rule.__code__.co_varnames
        return rule

    def __call__(self, *inputs: Operand, **attrs: Any) -> Any:
        for x in inputs:
            if isinstance(x, Variable):
                return apply(self, inputs, attrs)
        return self.plain(inputs, attrs)

    def plain(self, inputs: tuple[Any, ...], attrs: Attrs) -> Any:
        """Compute on what is not a tensor; nothing is recorded."""
        try:
            return self.value(*inputs, **attrs)
        except AttributeError:  # nested lists, numbers
            inputs = tuple([np.asarray(x) for x in arrays_of(inputs)])
            return self.plain(inputs, attrs)
        except TROUBLE as error:
            if isinstance(error, TypeError) and of_the_call(error):
                raise wrong_call(self.__wrapped__, inputs, attrs, error) from None
            plain = (ndarray, np.generic, int, float, list, tuple, str)
            if not all([isinstance(x, plain) for x in inputs]):
                raise
            edges = tuple([Edge(None, 0, numeric(x), False) for x in inputs])
            raise explain(self, edges, attrs, error) from None

    def pull(
        self, needs: Needs, g: Value, y: Any, inputs: Any, attrs: Attrs
    ) -> Sequence[Value]:
        """The rule on arrays or on tensors: one contribution per input, or None."""
        assert self.vjp is not None, f"bug: {self.name} has no rule"
        if self._vjp_takes_needs:
            return self.vjp(g, y, *inputs, needs=needs, **attrs)
        return self.vjp(g, y, *inputs, **attrs)


def primitive(**options: Any) -> Callable[[Callable[..., Any]], Primitive]:
    """Decorate a function of arrays to make it a primitive (see `Primitive`)."""
    return lambda value: Primitive(value, **options)


# ------------------------------------------------------------- compute and record

NO_ATTRS: Attrs = {}
TROUBLE = (ValueError, TypeError, IndexError, ZeroDivisionError)
_new = object.__new__


def apply(
    primitive: Primitive, inputs: tuple[Any, ...], attrs: Attrs = NO_ATTRS
) -> Any:
    """Compute an operation on tensors (and constants among them), and record it."""
    edges = tuple(
        [x._edge if isinstance(x, Variable) else constant(x, inputs) for x in inputs]
    )
    token = hush()
    try:
        made = primitive.value(*[edge.array for edge in edges], **attrs)
    except TROUBLE as error:
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
    except TROUBLE as error:
        raise explain(primitive, (edge,), NO_ATTRS, error) from None
    finally:
        restore(token)
    return record(primitive, (edge,), NO_ATTRS, made, edge.requires_grad)


def apply_binary(primitive: Primitive, a: Operand, b: Operand) -> Any:
    """`apply` for two inputs and no attributes: the operators' shorter way."""
    try:
        left, right = a._edge, b._edge
    except AttributeError:  # a constant among them
        return apply(primitive, (a, b))
    token = hush()
    try:
        made = primitive.value(left.array, right.array)
    except TROUBLE as error:
        raise explain(primitive, (left, right), NO_ATTRS, error) from None
    finally:
        restore(token)
    requires_grad = left.requires_grad or right.requires_grad
    return record(primitive, (left, right), NO_ATTRS, made, requires_grad)


def record(
    primitive: Primitive,
    edges: tuple[AnyEdge, ...],
    attrs: Attrs,
    made: Any,
    requires_grad: bool,
    depth: int = 3,
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
        if made.base is not None and type(made.base) is ndarray:
            made.base.setflags(
                write=False
            )  # nor may it be written to through what it views
    recorder = thread.recorder
    if recorder.trace is not None:
        recorder.trace.operation(primitive, edges, attrs, made)
    if not recorder.recording:
        return tuple([_constant(a) for a in made]) if multiple else _constant(made)
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
        node.code, node.offset = caller(depth)
    else:
        node.code, node.offset = origin.code, origin.offset
    if recorder.anomaly:
        check_outputs(node)
    if multiple:
        return _parts(node, made, requires_grad)
    handle = _new(Variable.result_type)
    set_edge(handle, node)
    set_grad(handle, None)
    return handle


def _parts(node: Node, made: tuple[Any, ...], requires_grad: bool) -> tuple[Any, ...]:
    """A tensor for each output of a node that has several."""
    handles = []
    kind, index = Variable.result_type, 0
    for array in made:
        edge = _new(Edge)
        edge.source, edge.index, edge.array = node, index, array
        edge.requires_grad = requires_grad
        handle = _new(kind)
        set_edge(handle, edge)
        set_grad(handle, None)
        handles.append(handle)
        index += 1
    return tuple(handles)


def _constant(array: ndarray) -> Any:
    """A tensor of what was computed and not recorded."""
    edge = _new(Edge)
    edge.source, edge.index, edge.array, edge.requires_grad = None, 0, array, False
    handle = _new(Variable.result_type)
    set_edge(handle, edge)
    set_grad(handle, None)
    return handle
