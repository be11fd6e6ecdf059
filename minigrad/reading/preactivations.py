"""Which values are pre-activations: what the sigmoid or the tanh of a gate takes.

    a_f,3      of gate f at step 3:            f_3 = σ(a_f,3)
    a_3        of all gates side by side, before they are split; of the only one
    a_f,3^x    what the input gives to it, a_f,3^h what the hidden state gives to it

The letter is that of Goodfellow, Bengio & Courville, "Deep Learning" (2016), chapter
10. Hochreiter & Schmidhuber (1997) call it net input: it is net here, where something
else in the graph is called a. Nothing in a cell is written for this; a user's own cell
is read in the same way.

Read next: `names.py`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from minigrad.engine.graph import AnyEdge, Node
from minigrad.reading.activations import ACTIVATIONS
from minigrad.reading.levels import innermost
from minigrad.reading.loops import Loops

Key = tuple[Node, int]  # an output of an operation


class Preactivation(NamedTuple):
    """Of which gates a value is the pre-activation, and what it comes from.

    letters  of the gates, "rz"; "" for all gates of the cell
    step     the time step; "" outside of loops
    sources  the edges to what the weights multiply, where it is a part of the sum only
    """

    letters: str
    step: str
    sources: tuple[AnyEdge, ...] = ()

    @property
    def sub(self) -> str:
        """What stands below the symbol: "f,3"."""
        return ",".join(filter(None, (self.letters, self.step)))


def preactivations(
    nodes: Iterable[Node], loops: Loops, states: Iterable[Node] = ()
) -> dict[Key, Preactivation]:
    """All pre-activations, and the parts that they are the sums of.

    states  the operations that made states outside of all gates, as in
            `h = mg.tanh(x @ W + h @ U)`
    """
    closers = loops.letters()
    alone = {n for n in states if n.primitive.name in ACTIVATIONS and n not in closers}
    taken = _Taken(loops, closers | dict.fromkeys(alone, "s"))
    for node, letter in taken.closers.items():
        edge = node.edges[0] if node in alone else _activated(node)
        if edge is not None:
            taken.add(edge, node, letter)
    return taken.named(list(nodes)) if taken.sums else {}


def _activated(closer: Node) -> AnyEdge | None:
    """What the one activation function in a gate's scope takes; None if it has none,
    or several."""
    depth = max(k for k, s in enumerate(closer.scope) if s.kind == "gate") + 1
    inside, found, seen = closer.scope[:depth], [], {closer}
    todo = [closer]
    while todo:
        node = todo.pop()
        if node.primitive.name in ACTIVATIONS:
            found.append(node.edges[0])
            continue
        for edge in node.edges:
            source = edge.source
            if isinstance(source, Node) and source not in seen:
                if source.scope[:depth] == inside:
                    seen.add(source)
                    todo.append(source)
    return found[0] if len(found) == 1 else None


class _Taken:
    """What activation functions take, and what that is made of, in one graph."""

    def __init__(self, loops: Loops, closers: dict[Node, str]) -> None:
        self.loops, self.closers = loops, closers
        self.sums: dict[Key, str] = {}  # the pre-activations, by gate
        self.parts: dict[Key, str] = {}  # what is added in them
        self.splits: dict[Node, None] = {}  # that take apart what all gates need
        self.cells: dict[Any, dict[str, None]] = {}  # the letters of each step

    def add(self, edge: AnyEdge, closer: Node, letter: str) -> None:
        """A gate's pre-activation, unless it is something that has a name: the cell
        state, which tanh takes as well."""
        source = edge.source
        if not isinstance(source, Node) or not self._here(source, closer):
            return
        self.sums.setdefault((source, edge.index), letter)
        self.cells.setdefault(self._step(source), {})[letter] = None
        for part in _terms(edge):
            node: Any = part.source
            if self._here(node, closer):
                self.parts.setdefault((node, part.index), letter)
                if node.primitive.name == "split":
                    self.splits[node] = None

    def named(self, nodes: list[Node]) -> dict[Key, Preactivation]:
        """All of them, the whole sums first."""
        self._other_parts(nodes)
        found = {}
        for (node, index), letter in self.sums.items():
            alone = len(self.cells[self._step(node)]) == 1
            found[node, index] = self._made("" if alone else letter, node)
        for (node, index), letter in self.parts.items():
            before = node.edges[0] if node.primitive.name == "split" else None
            sources = tuple(_multiplied(node if before is None else before.source))
            if sources:
                alone = len(self.cells[self._step(node)]) == 1
                made = self._made("" if alone else letter, node, sources)
                found.setdefault((node, index), made)
        for split in self.splits:
            self._before_split(split, found)
        return found

    def _other_parts(self, nodes: list[Node]) -> None:
        """What else the splits give, and one gate alone reads: in a GRU the part of n
        that r multiplies."""
        readers: dict[Key, set[str]] = {}
        for node in nodes:
            for edge in node.edges:
                if edge.source in self.splits and node.origin is None:
                    level = innermost(node.scope, "gate")
                    letter = "" if level is None else str(level.index or level.name)
                    readers.setdefault((edge.source, edge.index), set()).add(letter)
        for key, letters in readers.items():
            (letter, *others) = letters
            known = letter in self.cells.get(self._step(key[0]), ())
            if known and not others and key not in self.sums:
                self.parts.setdefault(key, letter)

    def _before_split(self, split: Node, found: dict[Key, Preactivation]) -> None:
        """The gates' sums side by side, and the products in them."""
        edge = split.edges[0]
        if not isinstance(edge.source, Node) or not self._here(edge.source, split):
            return
        count = len(split.outputs)
        keys = [(split, k) for k in range(count)]
        letters = "".join(dict.fromkeys(found[k].letters for k in keys if k in found))
        everything = len(letters) >= len("".join(self.cells[self._step(split)]))
        letters = "" if everything else letters
        whole = all(key in self.sums for key in keys)
        sources = () if whole else tuple(_multiplied(edge.source))
        if whole or sources:
            made = self._made(letters, split, sources)
            found.setdefault((edge.source, edge.index), made)
        for term in _terms(edge):
            product: Any = term.source
            of = tuple(_multiplied(product))
            if of and self._here(product, split):
                made = self._made(letters, split, of)
                found.setdefault((product, term.index), made)

    def _made(self, letters: str, node: Node, sources: Any = ()) -> Preactivation:
        place = self.loops.of(node)
        return Preactivation(letters, "" if place is None else str(place.step), sources)

    def _here(self, node: Node, other: Node) -> bool:
        """Is it computed in the same step, and has it no name as a gate?"""
        same = self.loops.of(node) == self.loops.of(other)
        return same and node not in self.closers and node.origin is None

    def _step(self, node: Node) -> Any:
        return self.loops.of(node)


def _terms(edge: AnyEdge) -> Iterator[AnyEdge]:
    """What is added up in a sum, as edges to operations; the whole if it is no sum."""
    todo = [edge]
    while todo:
        term = todo.pop()
        if not isinstance(term.source, Node):
            continue
        if term.source.primitive.name == "add":
            todo += term.source.edges
        else:
            yield term


def _multiplied(made: Any) -> Iterator[AnyEdge]:
    """What the weights multiply in a sum of products."""
    if isinstance(made, Node):
        whole = [made.edges] if made.primitive.name == "matmul" else []
        if made.primitive.name == "add":
            terms = [t.source for e in made.edges for t in _terms(e)]
            found = [t.edges for t in terms if t.primitive.name == "matmul"]  # type: ignore[union-attr]
            whole = found[::-1]
        for edges in whole:
            yield edges[0]
