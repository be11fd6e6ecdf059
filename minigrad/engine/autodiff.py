"""Reverse mode: walk the graph backwards, look up each rule, sum the contributions.

`backpropagate` is the one walk. It works on plain arrays, or on tensors when the
backward pass itself is to be recorded (`create_graph=True`): the rules are the same.

    for node in reverse order of creation:
        g = the sum of what its consumers contributed
        for each input: contribution = rule(g, ...), in the input's shape and dtype

Contributions to a leaf are added in this order, one by one. Only a matrix that is used
in several products (a weight, once per time step) is treated otherwise: its pairs
(a_t, g_t) are kept, and sum_t a_t^T g_t is one product of the stacked rows at the end.

Read next: `stacking.py` (the uses of one matrix, summed in one product).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from heapq import heappop, heappush
from typing import Any
from weakref import ref

import numpy as np

from minigrad.engine.errors import DTypeError, GraphError, NonFiniteError, ShapeError
from minigrad.engine.graph import AnyEdge, Edge, Leaf, Node, Variable, ancestors
from minigrad.engine.primitives.base import describe, first_bad
from minigrad.engine.primitives.shape import astype, sum_to
from minigrad.engine.quiet import quietly, uncollected
from minigrad.engine.scope import thread
from minigrad.engine.stacking import Stack, Watcher, set_aside
from minigrad.engine.user_code import place

Source = Node | Leaf
# A gradient's key: the source it belongs to, with the number of the node's output where
# that is not the first.
Key = Any


def backpropagate(
    output: AnyEdge,
    seed: Any,
    targets: Iterable[AnyEdge] | None = None,
    *,
    stack: bool = True,
    watcher: Watcher | None = None,
) -> dict[Key, Any]:
    """Gradients by `key(edge)`: of every leaf reached, or of every target.

    output   where to start; `seed` is dL/d(output): an array, or a tensor to have the
             backward pass recorded
    targets  the edges whose gradients are wanted; None for all leaves
    stack    may the uses of a matrix be summed in one product of their stacked rows?
    watcher  is told of every contribution
    """
    recorded = isinstance(seed, Variable)
    stack = stack and not recorded and not thread.recorder.anomaly
    wanted, useful = _plan(output, targets)
    sums: dict[Source, Any] = {}  # a list per node with several outputs
    found: dict[Key, Any] = {}
    stacks: dict[Leaf, Stack] = {}
    # The nodes that have been contributed to, latest first. A node's consumers are all
    # younger than it, so when its turn comes its sum is complete.
    queue: list[tuple[int, Node]] = []
    edges: Sequence[AnyEdge] = (output,)
    needs: tuple[bool, ...] = (True,)
    values: Sequence[Any] = (seed,)
    node = None
    while True:
        for k, value in enumerate(values):
            if value is None or not needs[k]:
                continue
            edge = edges[k]
            array = edge.array
            if value.shape != array.shape:
                value = sum_to(value, array.shape)
            if value.dtype is not array.dtype and value.dtype != array.dtype:
                value = astype(value, array.dtype)
            if watcher is not None and node is not None:
                watcher.contribution(node, k, value)
            source: Any = edge if isinstance(edge, Node) else edge.source
            before = sums.get(source)
            if before is None and type(source) is Node:
                heappush(queue, (-source.seq, source))
                if source.primitive.multiple:
                    before = sums[source] = [None] * len(source.array)
            if type(before) is list:
                parts, before = before, before[edge.index]
                parts[edge.index] = value if before is None else before + value
            else:
                sums[source] = value if before is None else before + value  # type: ignore
        if not queue:
            break
        node = heappop(queue)[1]
        primitive = node.primitive
        g = sums.pop(node)
        if wanted or node.tags is not None:
            _keep(node, g, wanted, found)
        if watcher is not None:
            watcher.opened(node, g)
        edges = node.edges
        if useful is None:
            needs = tuple([edge.requires_grad for edge in edges])
        else:
            needs = tuple([e.requires_grad and e.source in useful for e in edges])
        if stack and primitive.stacked:
            needs = set_aside(node, g, needs, stacks, watcher)
        if True not in needs:
            values = ()
        elif recorded:
            values = _pull_recorded(node, needs, g)
        else:
            inputs = [edge.array for edge in edges]
            values = primitive.pull(needs, g, node.array, inputs, node.attrs)
        if thread.recorder.anomaly:
            _check_finite(node, g, values, needs)
    for leaf, kept in stacks.items():
        value = kept.total(watcher)
        before = sums.get(leaf)
        sums[leaf] = value if before is None else before + value
    found.update(sums)
    return found


def key(edge: AnyEdge) -> Key:
    """What a gradient of `edge` is filed under."""
    return (edge.source, edge.index) if edge.index else edge.source


def _plan(
    output: AnyEdge, targets: Iterable[AnyEdge] | None
) -> tuple[set[Key], set[Source] | None]:
    """The keys that are wanted, and the sources through which a target is reached."""
    if targets is None:
        return set(), None
    targets = list(targets)
    useful: set[Any] = {edge.source for edge in targets}
    for node in ancestors([output.source], constants=False):
        if any([e.requires_grad and e.source in useful for e in node.edges]):
            useful.add(node)
    return {key(edge) for edge in targets}, useful


def _keep(node: Node, g: Any, wanted: set[Key], found: dict[Key, Any]) -> None:
    """Keep the gradients of a node's outputs that are wanted, or to be retained."""
    retained = (node.tags or {}).get("retained", ())
    for k, part in enumerate(g if type(g) is list else [g]):
        name = (node, k) if k else node
        if part is not None and (name in wanted or k in retained):
            found[name] = part


def _pull_recorded(node: Node, needs: tuple[bool, ...], g: Any) -> tuple:
    """The rule on tensors: what it computes is recorded, in the node's own scope."""
    handle = Variable.result_type.of
    if node.primitive.multiple:
        y: Any = tuple(
            [handle(Edge(node, k, part, True)) for k, part in enumerate(node.array)]
        )
    else:
        y = handle(node)
    recorder = thread.recorder
    before = recorder.scope, recorder.origin
    recorder.scope, recorder.origin = node.scope, node
    try:
        return node.primitive.pull(
            needs,
            g,
            y,
            [handle(edge) for edge in node.edges],
            node.attrs,
        )
    finally:
        recorder.scope, recorder.origin = before


def _check_finite(
    node: Node, g: Any, values: Sequence[Any], needs: tuple[bool, ...]
) -> None:
    """Raise if a rule made a NaN or infinity from a finite gradient (anomaly mode)."""

    def arrays(items: Iterable) -> list[np.ndarray]:
        items = [x for x in items if x is not None]
        return [
            np.asarray(x._edge.array if isinstance(x, Variable) else x) for x in items
        ]

    if all(np.isfinite(a).all() for a in arrays(g if isinstance(g, list) else (g,))):
        for k, value in enumerate(values):
            for array in arrays([value] if needs[k] else []):
                if not np.isfinite(array).all():
                    raise NonFiniteError(
                        f"backward of {node.primitive.name}: the first gradient that "
                        "is not finite arose here",
                        expect="finite contributions from a finite gradient",
                        actual=f"{first_bad(array)} of the gradient to input {k}     "
                        + describe(node.edges[k]),
                        where=place(node.scope, node.where),
                        hint="the slope is infinite or undefined at this input",
                    )


# ------------------------------------------------------------- what users call


def _seed(output: Any, grad: Any, create_graph: bool) -> Any:
    """dL/d(output), checked: an array, or a tensor if backward is to be recorded."""
    edge = output._edge
    if not edge.requires_grad:
        raise GraphError(
            "backward from a tensor that needs no gradient",
            expect="an output computed from a tensor with requires_grad=True",
            actual=describe(edge),
            hint="set requires_grad=True on an input, and compute outside no_grad()",
        )
    if grad is None and edge.array.size != 1:
        raise GraphError(
            "backward from a tensor that is not a scalar",
            expect="one entry, or a gradient to start from",
            actual=describe(edge),
            hint="call .sum().backward(), or pass grad= of the output's shape",
        )
    if grad is None:
        grad = np.ones(edge.array.shape, edge.array.dtype)
    if isinstance(grad, Variable):
        array = grad._edge.array
    else:
        try:
            array = np.array(grad, dtype=edge.array.dtype)
        except (TypeError, ValueError):
            raise DTypeError(
                "backward: the gradient to start from is not of numbers",
                expect=f"a tensor or array of shape {edge.array.shape}",
                actual=f"{grad!r:.60}",
                hint="it is dL/d(output), one number per entry of the output",
            ) from None
    if array.shape != edge.array.shape:
        raise ShapeError(
            "backward: the gradient to start from has another shape than the output",
            expect=f"grad.shape == {edge.array.shape}",
            actual=f"{array.shape}     output: {describe(edge)}",
            hint="it is dL/d(output), one number per entry of the output",
        )
    if array.dtype.kind not in "fc":
        raise DTypeError(
            "backward: the gradient to start from is not of floating point",
            expect=f"a gradient of dtype {edge.array.dtype}",
            actual=str(array.dtype),
            hint="use .astype(output.dtype)",
        )
    array = array.astype(edge.array.dtype, copy=False)
    if not create_graph:
        return array
    if isinstance(grad, Variable) and grad._edge.array.dtype == array.dtype:
        return grad
    array.setflags(write=False)
    return Variable.result_type.of(Edge(None, 0, array, False))


def _need_tensor(call: str, name: str, value: Any) -> None:
    if not isinstance(value, Variable):
        raise DTypeError(
            f"{call}: {name} is no tensor",
            expect="a Tensor",
            actual=f"{value!r:.60} ({type(value).__name__})",
            hint="derivatives are between tensors of one graph",
        )


def _as_tensor(value: Any) -> Any:
    if isinstance(value, Variable):
        return value
    array = np.asarray(value)
    if array.flags.writeable:
        array.setflags(write=False)
    return Variable.result_type.of(Edge(None, 0, array, False))


def backward(output: Any, grad: Any = None, create_graph: bool = False) -> None:
    """Add dL/d(leaf) into `.grad` of every leaf that `output` was computed from.

    grad          dL/d(output), of the output's shape; may be left out for one entry
    create_graph  record the backward pass, so that it can be differentiated again
    Raises GraphError for an output without a graph, or not a scalar and no `grad`.
    """
    seed = _seed(output, grad, create_graph)
    one = output._edge.array.size == 1 and not isinstance(seed, Variable)
    thread.recorder.last = ref(output), seed if one else None
    with quietly(), uncollected():
        found = backpropagate(output._edge, seed)
    for target, value in found.items():
        owner = None
        if type(target) is Leaf:
            owner = target.owner()
        else:
            node, index = target if type(target) is tuple else (target, 0)
            retained = (node.tags or {}).get("retained", {}).get(index)
            owner = retained and retained()
        if owner is not None:
            gradient = _as_tensor(value)
            owner._grad = gradient if owner._grad is None else owner._grad + gradient


def grad(
    output: Any,
    inputs: Sequence[Any],
    grad_output: Any = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """The gradients of `output` with respect to `inputs`; `.grad` is left alone.

    inputs        tensors, made by the user or computed on the way; one gradient for
    each grad_output   dL/d(output); may be left out for a scalar
    create_graph  record the backward pass: the gradients can be differentiated again
    allow_unused  zeros, instead of a GraphError, for inputs that output does not
    depend on
    """
    _need_tensor("grad", "output", output)
    inputs = [inputs] if isinstance(inputs, Variable) else list(inputs)
    for number, x in enumerate(inputs):
        _need_tensor("grad", f"input {number}", x)
    seed = _seed(output, grad_output, create_graph)
    with quietly(), uncollected():
        found = backpropagate(output._edge, seed, [x._edge for x in inputs])
    results = []
    for number, x in enumerate(inputs):
        value = found.get(key(x._edge)) if x._edge.source is not None else None
        if value is None:
            if not allow_unused:
                raise GraphError(
                    f"grad: the output does not depend on input {number}",
                    expect="inputs with requires_grad=True that lead to the output",
                    actual=f"input {number}: {describe(x._edge)}",
                    hint="pass allow_unused=True to get zeros for it",
                )
            value = np.zeros(x._edge.array.shape, x._edge.array.dtype)
        results.append(_as_tensor(value))
    return tuple(results)


def jacobian(output: Any, input: Any) -> np.ndarray:
    """All derivatives d(output)/d(input): an array (*output.shape, *input.shape).

    One backward pass per entry of the output; zeros where it does not depend on input.
    """
    _need_tensor("jacobian", "output", output)
    _need_tensor("jacobian", "input", input)
    out, into = output._edge, input._edge
    rows = np.zeros((out.array.size, *into.array.shape), into.array.dtype)
    if out.requires_grad and into.requires_grad:
        with quietly():
            for number in range(out.array.size):
                seed = np.zeros(out.array.size, out.array.dtype)
                seed[number] = 1.0
                found = backpropagate(out, seed.reshape(out.array.shape), [into])
                rows[number] = found.get(key(into), 0.0)
    return rows.reshape(*out.array.shape, *into.array.shape)
