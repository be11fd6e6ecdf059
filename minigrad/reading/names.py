"""How values are written in formulas: W_h, x_3, f_3, h_3^(1), v_41, L.

A user's own name counts most. The last operation of a gate bears the gate's letter and
the time step; a state bears the number of the state that the step makes: step t makes
h_{t+1} of h_t, and h_0 is the initial one (in a reverse loop, which goes from the last
step back to the first, step t makes h_t). Other results are v with the number of their
operation. Layers are told apart by what stands above: (1), or (1,rev) for the reverse
direction.

Read next: `formulas.py`.
"""

from __future__ import annotations

from minigrad.engine.graph import AnyEdge, Leaf, Node
from minigrad.reading.text import clean, number
from minigrad.stepping.record.events import Symbol


class Symbols:
    """Names the values of one graph.

    nodes    all operations, oldest first
    output   the operation that made the loss
    """

    def __init__(self, nodes: list[Node], output: Node) -> None:
        self.output = output
        self.numbers = {node: number for number, node in enumerate(nodes)}
        layers = {_index(node, "layer") for node in nodes} - {None}
        self.many_layers = len(layers) > 1
        self.letters = self._letters(nodes)
        self.backward = _backward_loops(nodes)
        self.leaves: dict[Leaf, Symbol] = {}
        self.taken: dict[Symbol, int] = {}
        self.above = self._layers_of_leaves(nodes) if self.many_layers else {}

    def of(self, edge: AnyEdge) -> Symbol:
        """The symbol of what an edge leads to."""
        source = edge.source
        if isinstance(source, Leaf):
            return self._leaf(source, edge)
        if source is None:
            if edge.array.size == 1 and edge.array.dtype.kind in "fiub":
                return Symbol(number(edge.array.item()))
            return Symbol("k")
        return self.result(source, edge.index)

    def result(self, node: Node, index: int) -> Symbol:
        """The symbol of an output of an operation."""
        named = (node.tags or {}).get("names", {}).get(index)
        if named:
            return Symbol(clean(named, 24))
        if node is self.output:
            return Symbol("L")
        above = self._layer(node)
        step = _index(node, "step")
        letter = self.letters.get(node)
        if letter is not None:
            if step is not None and letter[0] in STATES:
                step += 0 if self._falls(node) else 1
            return Symbol(letter, "" if step is None else str(step), above)
        if node.primitive.name == "unstack":
            before = node.edges[0]
            if before.array.dtype.kind == "b":
                return Symbol("m", str(index))  # a mask
            return Symbol(self._leaf_base(before.source), str(index))
        parts = f",{index}" if node.primitive.multiple else ""
        return Symbol("v", f"{self.numbers[node]}{parts}")

    def _letters(self, nodes: list[Node]) -> dict[Node, str]:
        """The last operation in each gate of each step: it makes the gate's value.

        A padded step keeps the state it found: what is chosen then has the letter too.
        """
        last: dict[tuple, Node] = {}
        for node in nodes:
            if node.scope and node.scope[-1].kind == "gate" and node.origin is None:
                last[node.scope] = node
        found = {node: clean(scope[-1].index or "", 8) for scope, node in last.items()}
        for node in nodes:
            if node.primitive.name == "where" and node.scope and node.origin is None:
                kept = [e.source for e in node.edges if e.source in found]
                if node.scope[-1].kind == "step" and kept:
                    letter = found[kept[0]]
                    found[kept[0]] = f"{letter}̃"
                    found[node] = letter
        return {node: letter for node, letter in found.items() if letter}

    def _falls(self, node: Node) -> bool:
        """Is it of a loop that goes from the last step back to the first?"""
        layer = _index(node, "layer")
        if isinstance(layer, tuple):
            return bool(layer[1])
        return _loop(node) in self.backward

    def _layer(self, node: Node) -> str:
        index = _index(node, "layer")
        if index is None or not self.many_layers:
            return ""
        layer, reverse = index if isinstance(index, tuple) else (index, False)
        return f"({layer},rev)" if reverse else f"({layer})"

    def _leaf_base(self, source: object) -> str:
        named = isinstance(source, Leaf) and source.name
        return clean(named, 24) if named else "x"

    def _layers_of_leaves(self, nodes: list[Node]) -> dict[Leaf, str]:
        """The layer that uses a leaf, of those that one layer alone uses."""
        found: dict[Leaf, set[str]] = {}
        for node in nodes:
            for edge in node.edges:
                if isinstance(edge.source, Leaf):
                    found.setdefault(edge.source, set()).add(self._layer(node))
        return {leaf: next(iter(above)) for leaf, above in found.items()
                if len(above) == 1}  # fmt: skip

    def _leaf(self, leaf: Leaf, edge: AnyEdge) -> Symbol:
        """A leaf's name without the path to it; primes tell equal ones apart."""
        if leaf not in self.leaves:
            base = clean((leaf.name or "")[-400:].rpartition(".")[2], 24)
            base = base or ("p" if edge.requires_grad else "x")
            above = self.above.get(leaf, "")
            symbol = Symbol(base, "", above)
            if base in _INITIAL:
                falls = above.endswith("rev)") or () in self.backward
                symbol = Symbol(base[:-1], "init" if falls else "0", above)
            count = self.taken[symbol] = self.taken.get(symbol, 0) + 1
            if count > 1:
                mark = "′" if count == 2 else f"′{count}"
                symbol = Symbol(symbol.base + mark, symbol.sub, symbol.sup)
            self.leaves[leaf] = symbol
        return self.leaves[leaf]


STATES = ("h", "c")  # the letters of what a step hands on
_INITIAL = ("h0", "c0", "s0")


def _loop(node: Node) -> tuple:
    """The scopes around the innermost time step; those of a node outside any, all."""
    steps = [k for k, level in enumerate(node.scope) if level.kind == "step"]
    return node.scope[: steps[-1]] if steps else node.scope


def _backward_loops(nodes: list[Node]) -> set[tuple]:
    """The loops, by the scopes around them, whose second step is below the first."""
    first: dict[tuple, int] = {}
    found: dict[tuple, bool] = {}
    for node in nodes:
        step = _index(node, "step")
        if step is None or node.origin is not None:
            continue
        loop = _loop(node)
        if step != first.setdefault(loop, step):
            found.setdefault(loop, step < first[loop])
    return {loop for loop, falls in found.items() if falls}


def _index(node: Node, kind: str):
    """The index of the innermost scope of a kind, or None."""
    for level in reversed(node.scope):
        if level.kind == kind:
            return level.index
    return None
