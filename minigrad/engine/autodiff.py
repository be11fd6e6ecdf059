"""Reverse mode: walk the graph backwards, look up each rule, sum the contributions.

`backpropagate` is the one walk. It works on plain arrays, or on tensors when the
backward pass itself is to be recorded (`create_graph=True`): the rules are the same.

    for node in reverse order of creation:
        g = the sum of what its consumers contributed
        for each input: contribution = rule(g, ...), in the input's shape and dtype

Contributions to a leaf are added in this order, one by one. Only a matrix that is used
in several products (a weight, once per time step) is treated otherwise: its pairs
(a_t, g_t) are kept, and sum_t a_t^T g_t is one product of the stacked rows at the end.

What can be wrapped around the pull through a node is in `stacking.py`, `watching.py`
and `primitives/anomaly.py`.

Read next: `stacking.py` (the uses of one matrix, summed in one product).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from operator import attrgetter
from typing import Any
from weakref import ref

import numpy as np

from minigrad.engine.aliases import Array, Needs, Operand, Value
from minigrad.engine.calls import checked_call
from minigrad.engine.errors import GraphError, flag
from minigrad.engine.foreign_arguments import refuse
from minigrad.engine.gradient_arguments import (
    as_tensor,
    need_tensor,
    starting_gradient,
    tensor_list,
)
from minigrad.engine.graph import (
    AnyEdge,
    Edge,
    Key,
    Leaf,
    Node,
    Pull,
    Source,
    Variable,
    ancestors,
    key,
    record_key,
)
from minigrad.engine.primitives.anomaly import checked
from minigrad.engine.primitives.messages import describe
from minigrad.engine.primitives.shape import fitted
from minigrad.engine.quiet import quietly, uncollected
from minigrad.engine.recorder import scope_kept, thread
from minigrad.engine.stacking import Stacks
from minigrad.engine.tracing import leaving, touch
from minigrad.engine.watching import Watcher, watched


def backpropagate(
    output: AnyEdge,
    seed: Value,
    targets: Iterable[AnyEdge] | None = None,
    *,
    stack: bool = True,
    watcher: Watcher | None = None,
    recorded: Sequence[Any] | None = None,
) -> dict[Key, Value]:
    """Gradients by `key(edge)`: of every leaf reached, or of every target.

    output   where to start; `seed` is dL/d(output): an array, or a tensor to have the
             backward pass recorded
    targets  the edges whose gradients are wanted; None for all leaves
    stack    may the uses of a matrix be summed in one product of their stacked rows?
    watcher  is told of every contribution
    recorded  the `records` behind the output, to walk over them: through each repeated
             step in one, whoever has looked at it. Gradients are filed under
             `record_key(edge)`; a watcher is told of what a step gives to what it
             reads, and nobody of what one part of a state gives to another within it
    """
    pull_through, stacks = _how_to_pull(isinstance(seed, Variable), stack, watcher)
    at_once = stacks if pull_through == stacks.pull and targets is None else None
    needs_of, wanted = _plan(targets, output, recorded)
    sums = Sums(recorded is not None)
    sums.deliver(output, seed)
    found: dict[Key, Value] = {}
    while sums.queue:
        node = heappop(sums.queue)[1]
        g = sums.by_source.pop(node)
        if type(node) is not Node or node.tags is not None or wanted:
            _keep(node, g, wanted, found)
            if sums.whole and type(node) is not Node and at_once is None:
                deliver = _told(sums.deliver, node, watcher)
                node.pull_needed(needs_of(node), g, deliver, stacks)
                continue
            if _at_once(node, g, sums.deliver, at_once):
                continue
        needs = needs_of(node)
        for k, value in enumerate(pull_through(node, needs, g)):
            if needs[k] and value is not None:
                sums.deliver(node.edges[k], value)
    for edge, total in stacks.totals():
        sums.deliver(edge, total)
    return found | sums.by_source


class Sums:
    """The gradients on their way: what has been contributed so far, added up.

    by_source  the sum for each node and leaf reached; of a node with several outputs a
               list, with None for an output that nothing came to
    queue      the nodes among them, latest first. A node's consumers are all younger
               than it, so when its turn comes its sum is complete
    whole      does a repeated step stay one, whoever has looked at it?
    """

    __slots__ = ("by_source", "queue", "whole")

    def __init__(self, whole: bool = False) -> None:
        self.whole = whole
        self.by_source: dict[Source, Any] = {}
        self.queue: list[tuple[int, Node]] = []

    def deliver(self, edge: AnyEdge, value: Value) -> None:
        """Add a contribution to what `edge` leads to, in its shape and dtype."""
        array = edge.array
        if value.shape != array.shape or value.dtype is not array.dtype:
            value = fitted(value, array)
        sums, kind = self.by_source, type(edge)
        source: Any = edge
        index = 0
        if kind is Edge:
            source, index = edge.source, edge.index
        elif kind is not Node:  # to a step that was repeated
            source = edge.step  # type: ignore[union-attr]
            index = edge.number  # type: ignore[union-attr]
            if not (self.whole or source in sums):  # else it stays, whoever looks now
                source, index = edge.place  # type: ignore[union-attr]
        before = sums.get(source)
        if before is None and type(source) is not Leaf:
            heappush(self.queue, (-source.seq, source))
            if source.primitive.multiple:
                before = sums[source] = [None] * len(source.array)
        if type(before) is list:
            part = before[index]
            before[index] = value if part is None else part + value
        else:
            sums[source] = value if before is None else before + value


def pull(node: Node, needs: Needs, g: Value) -> Sequence[Value]:
    """The rule of `node` on arrays: one contribution per input that needs it.

    g  dL/d(its output), a list for several outputs
    """
    if True not in needs:
        return ()
    edges = node.edges
    if len(edges) == 2:  # written out, for speed
        inputs = [edges[0].array, edges[1].array]
    else:
        inputs = [edge.array for edge in edges]
    return node.primitive.pull(needs, g, node.array, inputs, node.attrs)


def pull_recorded(node: Node, needs: Needs, g: Value) -> Sequence[Value]:
    """The rule on tensors: what it computes is recorded, in the node's own scope.

    So is what fits its contributions to their inputs and adds them up, until the rule
    of the next node runs. At the end of the pass `scope_kept` returns to the user's
    scope.
    """
    if True not in needs:
        return ()
    handle = Variable.result_type.of
    if node.primitive.multiple:
        parts = [Edge(node, k, part, True) for k, part in enumerate(node.array)]
        y: Any = tuple([handle(part) for part in parts])
    else:
        y = handle(node)
    inputs = [handle(edge) for edge in node.edges]
    recorder = thread.recorder
    recorder.scope, recorder.origin = node.scope, node
    return node.primitive.pull(needs, g, y, inputs, node.attrs)


def _how_to_pull(
    recorded: bool, stack: bool, watcher: Watcher | None
) -> tuple[Pull, Stacks]:
    """How to pull through a node in this pass, and the uses of matrices it keeps."""
    stacks = Stacks(pull, watcher)
    way: Pull = pull_recorded if recorded else pull
    if thread.recorder.anomaly:
        way = checked(way)
    elif stack and not recorded:
        way = stacks.pull
    return (way if watcher is None else watched(way, watcher)), stacks


def _plan(
    targets: Iterable[AnyEdge] | None,
    output: AnyEdge,
    recorded: Sequence[Any] | None,
) -> tuple[Callable[[Node], Needs], set[Key]]:
    """Which inputs of a node need a gradient, and the keys that are wanted."""
    if targets is None:
        return _all_needs, set()
    targets = list(targets)
    of = attrgetter("source" if recorded is None else "record")
    useful: set[Source | None] = {of(edge) for edge in targets}  # or leads to one

    def needs_of(node: Node) -> Needs:
        return tuple([e.requires_grad and of(e) in useful for e in node.edges])

    nodes = recorded
    if nodes is None:
        nodes = ancestors([output.source], constants=False)
    start = min([s.seq for s in useful if s is not None], default=0)
    for node in nodes:
        if node.seq < start:
            continue
        for edge in node.edges:
            if edge.requires_grad and of(edge) in useful:
                useful.add(node)
                break
    name = key if recorded is None else record_key
    return needs_of, {name(edge) for edge in targets}


def _all_needs(node: Node) -> Needs:
    """Which inputs of a node that has a gradient need theirs, where all are wanted."""
    edges = node.edges
    if len(edges) == 1:
        return _IT_ALONE
    if len(edges) == 2:
        return edges[0].requires_grad, edges[1].requires_grad
    return tuple([edge.requires_grad for edge in edges])


_IT_ALONE = (True,)


def _at_once(node: Any, g: Value, deliver: Any, stacks: Stacks | None) -> bool:
    """Is it a record of several operations? Then pull through all of them.

    See `repeating/` and `primitives/folded.py`.
    """
    if type(node) is not Node:
        node.pull(g, deliver, stacks)
        return True
    folded = (node.tags or {}).get("folded")
    if folded is None or stacks is None:
        return False
    folded.pull(node, g, deliver, stacks)
    return True


def pulled_through(record: Any, needs: Needs, g: Value) -> Sequence[Value]:
    """As `pull`, of a node or of a repeated step among `records`: what each of its
    edges gets that needs it, in its shape and dtype; else None."""
    edges = record.edges
    if type(record) is Node:
        values = [
            value if value is None else fitted(value, edge.array)
            for value, edge in zip(pull(record, needs, g), edges, strict=True)
        ]
        return values
    found: dict[int, Any] = dict.fromkeys(map(id, edges))

    def deliver(edge: AnyEdge, value: Value) -> None:
        value, before = fitted(value, edge.array), found[id(edge)]
        found[id(edge)] = value if before is None else before + value

    stacks = Stacks(pull, None)
    record.pull_needed(needs, g, deliver, stacks)
    for edge, total in stacks.totals():
        deliver(edge, total)
    return [found[id(edge)] for edge in edges]


def _told(deliver: Any, step: Any, watcher: Watcher | None) -> Any:
    """What delivers a repeated step's contributions, and tells the watcher."""
    if watcher is None:
        return deliver

    def deliver_and_tell(edge: AnyEdge, value: Value) -> None:
        watcher.from_step(step, edge, fitted(value, edge.array))
        deliver(edge, value)

    return deliver_and_tell


def _keep(node: Node, g: Value, wanted: set[Key], found: dict[Key, Value]) -> None:
    """Keep the gradients of a node's outputs that are wanted, or to be retained."""
    tags = node.tags if type(node) is Node else None  # else it is a repeated step
    retained = (tags or {}).get("retained", ())
    for k, part in enumerate(g if type(g) is list else [g]):
        name = (node, k) if k or type(node) is not Node else node
        if part is not None and (name in wanted or k in retained):
            found[name] = part


# ------------------------------------------------------------- what users call


def backward(
    output: Variable, grad: Operand = None, create_graph: bool = False
) -> None:
    """Add dL/d(leaf) into `.grad` of every leaf that `output` was computed from.

    grad          dL/d(output), of the output's shape; may be left out for one entry
    create_graph  record the backward pass, so that it can be differentiated again
    Raises GraphError for an output without a graph, or not a scalar and no `grad`.
    """
    traced = thread.recorder.trace is not None
    seed = starting_gradient(output, grad, create_graph or traced)
    start = seed._edge.array if isinstance(seed, Variable) else seed
    thread.recorder.last = ref(output), start if start.size == 1 else None
    with quietly(), uncollected(), scope_kept(create_graph or not traced):
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
            touch(owner, "read")
            gradient = as_tensor(value, constant=not create_graph)
            owner._grad = gradient if owner._grad is None else owner._grad + gradient


@checked_call
def grad(
    output: Variable,
    inputs: Variable | Sequence[Variable] = (),
    grad_output: Operand = None,
    create_graph: bool = False,
    allow_unused: bool = False,
    **foreign: Any,
) -> tuple[Any, ...]:
    """The gradients of `output` with respect to `inputs`; `.grad` is left alone.

    inputs        tensors, made by the user or computed on the way; a gradient for each
    grad_output   dL/d(output); may be left out for a scalar
    create_graph  record the backward pass: the gradients can be differentiated again
    allow_unused  zeros, instead of a GraphError, for inputs that the output does not
                  depend on
    """
    refuse("grad", foreign)
    need_tensor("grad", "output", output)
    inputs = tensor_list("grad", inputs)
    create_graph = flag("create_graph", create_graph)
    allow_unused = flag("allow_unused", allow_unused)
    traced = thread.recorder.trace is not None
    seed = starting_gradient(output, grad_output, create_graph or traced)
    with quietly(), uncollected(), scope_kept(create_graph or not traced):
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
        results.append(as_tensor(value, constant=not create_graph))
    return tuple(results)


@checked_call
def jacobian(output: Variable, input: Variable) -> Array:
    """All derivatives d(output)/d(input): an array (*output.shape, *input.shape).

    One backward pass per entry of the output; zeros where it does not depend on input.
    """
    need_tensor("jacobian", "output", output)
    need_tensor("jacobian", "input", input)
    leaving(output, "jacobian(output, input)")
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
