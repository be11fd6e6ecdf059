"""The graph as data: what an operation leaves behind, and the one walk over it.

A result points to the `Node` of the operation that made it; a node points, edge by
edge, to what it was made from. Nothing points forwards, so there are no reference
cycles: the graph lives as long as a tensor refers to it and is freed by reference
counting.

    Leaf <-- Edge <-- Node <-- Edge <-- Node <-- Edge <-- Variable (the user's handle)

A node's `seq` grows with time, so descending `seq` is a reverse topological order: no
walk over the graph recurses.

Read next: `scope.py` (names for stretches of a program).
"""

from __future__ import annotations

import itertools
import threading
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from types import CodeType
from typing import Any, ClassVar, Protocol
from weakref import ref

from minigrad.engine.aliases import Array, Attrs, Needs, Value
from minigrad.engine.errors import UnknownNameError, meant
from minigrad.engine.recorder import Scope

numbers = itertools.count()
next_seq = numbers.__next__
unfolding = threading.RLock()


class Operation(Protocol):
    """What a node knows of its operation: see `Primitive`, which is one."""

    name: str
    expect: str
    multiple: bool
    value: Callable[..., Any]
    vjp: Callable[..., Any] | None
    stacked: dict[int, Callable[..., Any]]

    def __call__(self, *inputs: Any, **attrs: Any) -> Any:
        """Compute it, and record it if a tensor is among the inputs."""

    def pull(
        self, needs: Needs, g: Value, y: Any, inputs: Any, attrs: Attrs
    ) -> Sequence[Value]:
        """Its rule: one contribution per input, or None."""


class Leaf:
    """The identity behind a tensor that the user made: parameter, input or constant.

    It outlives every rebinding of the tensor's data, and knows its owner weakly: a
    gradient finds its way to the tensor, and nothing is kept alive by the graph.
    """

    __slots__ = ("name", "owner", "seq")

    def __init__(self, owner: Variable, name: str | None) -> None:
        self.name = name
        self.owner = ref(owner)
        self.seq = next_seq()


class Edge:
    """Where a value came from, and the (read-only) array it was then.

    source  the Node that made it, the Leaf behind it, or None (a plain constant)
    index   which of the node's outputs
    """

    __slots__ = ("array", "index", "requires_grad", "source")

    def __init__(
        self,
        source: Source | None,
        index: int,
        array: Array,
        requires_grad: bool,
    ) -> None:
        self.source = source
        self.index = index
        self.array = array
        self.requires_grad = requires_grad

    @property
    def record(self) -> Any:
        """What it leads to, as it was recorded: see `records`."""
        return self.source


class Node:
    """The record of one operation: plain data, never a closure.

    A node with one output is itself the edge that leads to it (`source`, `index`,
    `array`, `requires_grad`): half the objects, and no cycle, as nothing refers to
    self.

    primitive  the entry of the table of primitives
    edges      one Edge per input
    attrs      the operation's other arguments: a dict of plain, hashable values
    outputs    the arrays it made, read-only
    scope      the scopes it was recorded in, outermost first
    where      (code object, instruction offset) in the user's program: see `line`
    seq        when: a counter that only grows
    origin     in a recorded backward pass: the node whose rule made this one, or whose
               contribution it adds to others
    tags       None, or {"names": {index: str}, "retained": {index: weak tensor}}, and
               of a node that stands for several {"folded": what it keeps for them}:
               see `primitives/folded.py`
    """

    __slots__ = (
        "array",
        "attrs",
        "code",
        "edges",
        "offset",
        "origin",
        "primitive",
        "requires_grad",
        "scope",
        "seq",
        "tags",
    )

    index = 0

    primitive: Operation
    edges: tuple[AnyEdge, ...]
    attrs: Attrs
    array: Any  # what it made; of a primitive with several outputs, the tuple of them
    requires_grad: bool
    scope: tuple[Scope, ...]
    code: CodeType | None
    offset: int
    seq: int
    origin: Node | None
    tags: dict[str, Any] | None

    @property
    def outputs(self) -> tuple[Array, ...]:
        """The arrays it made, read-only."""
        return self.array if self.primitive.multiple else (self.array,)

    @property
    def source(self) -> Node:
        """Itself, as an edge."""
        return self

    @property
    def record(self) -> Node:
        """Itself: see `records`."""
        return self

    @property
    def where(self) -> tuple[CodeType, int] | None:
        """(code object, instruction offset) in the user's program: see `line`."""
        return None if self.code is None else (self.code, self.offset)

    def __getattr__(self, name: str) -> Any:
        """The edges of a node that stands for those before it, too: made only now."""
        if name == "edges" and self.tags and "folded" in self.tags:
            with unfolding:
                if "folded" in self.tags:  # else another thread was first
                    self.edges = self.tags["folded"].unfold(self)
                    del self.tags["folded"]
            return self.edges
        if name[:1] == "_":  # what Python and NumPy look for
            raise AttributeError(f"a node has no {name!r}")
        known = [one for one in dir(self) if one[:1] != "_"]
        raise UnknownNameError(
            f"a node has no {name!r}",
            expect="primitive, edges, attrs, outputs, scope, where, seq, ...",
            actual=f"node.{name}",
            hint=meant(name, known)
            or "y.node is the record of the operation that made y",
        )

    def tag(self, kind: str, index: int, value: Any) -> None:
        """Note something about output `index` for the readers."""
        if self.tags is None:
            self.tags = {}
        self.tags.setdefault(kind, {})[index] = value

    def __repr__(self) -> str:
        shapes = ", ".join(str(edge.array.shape) for edge in self.edges[:4])
        shapes += f", and {len(self.edges) - 4} more" if len(self.edges) > 4 else ""
        return f"<{self.primitive.name}({shapes}) #{self.seq}>"


AnyEdge = Edge | Node  # a node with one output is its own edge
Source = Node | Leaf  # what an edge leads to
Key = Any  # what a gradient is filed under: see `key`
Pull = Callable[[Node, Needs, Value], Sequence[Value]]  # (node, needs, g) -> one
# contribution per input of the node, or None


def key(edge: AnyEdge) -> Key:
    """What a gradient of `edge` is filed under: its source, with the number of the
    node's output where that is not the first."""
    return (edge.source, edge.index) if edge.index else edge.source


def record_key(edge: AnyEdge) -> Key:
    """What a gradient of `edge` is filed under in a walk over `records`."""
    kind = type(edge)
    if kind is Node or kind is Edge:
        return key(edge)
    return edge.record, edge.number  # type: ignore[union-attr]


class Variable:
    """What a user holds: an edge into the graph, and a place for a gradient.

    `Tensor` adds everything a user can do with it; the engine needs no more than this.
    """

    __slots__ = ("__weakref__", "_edge", "_grad")

    result_type: ClassVar[type[Variable]]  # what operations return; set by `tensor.py`
    _edge: AnyEdge
    _grad: Variable | None

    @classmethod
    def of(cls, edge: AnyEdge) -> Any:
        """A handle on what `edge` leads to."""
        handle = cls.__new__(cls)
        set_edge(handle, edge)
        set_grad(handle, None)
        return handle


# The slots themselves: past the `__setattr__` of tensors, which is for users' names and
# takes longer than an operation can afford.
set_edge: Any = vars(Variable)["_edge"].__set__
set_grad: Any = vars(Variable)["_grad"].__set__


def ancestors(sources: Iterable[Source | None], constants: bool = True) -> list[Node]:
    """Every node that the sources come from, oldest first, each once.

    With `constants=False` only those that a gradient can reach.
    """
    todo = [s for s in sources if type(s) is Node and (constants or s.requires_grad)]
    seen = set(todo)
    while todo:
        for edge in todo.pop().edges:
            if constants or edge.requires_grad:
                source = edge.source
                if type(source) is Node and source not in seen:
                    seen.add(source)
                    todo.append(source)
    return sorted(seen, key=attrgetter("seq"))


def records(edges: Iterable[AnyEdge], constants: bool = True) -> list[Any]:
    """What the edges come from, oldest first, as it was recorded, each once.

    As `ancestors`, but a step that was repeated (`repeating/`) is the one record that
    it is, whoever has looked at it: it has `edges` and a `seq`, as a node has. With
    `constants=False` only those that a gradient can reach.
    """
    seen: set[Any] = set()
    again: Any = None  # whose edges to what no step changes were followed last
    todo: list[Iterable[AnyEdge]] = [edges]
    while todo:
        for edge in todo.pop():
            if constants or edge.requires_grad:
                record = edge.record
                if record is None or type(record) is Leaf or record in seen:
                    continue
                seen.add(record)
                if type(record) is not Node and record.again is again:
                    todo.append(record.inputs)
                    continue
                again = again if type(record) is Node else record.again
                todo.append(record.edges)
    return sorted(seen, key=attrgetter("seq"))
