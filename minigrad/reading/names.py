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

from typing import Any

from minigrad.engine.graph import AnyEdge, Leaf, Node
from minigrad.reading.levels import behind_mask, layer_of
from minigrad.reading.loops import Loops
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
        self.loops = Loops(nodes)
        layers = {layer_of(node.scope) for node in nodes} - {None}
        self.many_layers = len(layers) > 1
        self.letters = self._letters(nodes)
        bare = self.loops.at(())
        self.falls = bare is not None and bare.reverse
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
        place = self.loops.of(node)
        letter = self.letters.get(node)
        if letter is not None:
            if place is None:
                return Symbol(letter, "", above)
            later = letter[0] in STATES and not place.loop.reverse
            return Symbol(letter, str(place.step + later), above)
        if node.primitive.name == "unstack":
            before = node.edges[0]
            if before.array.dtype.kind == "b":
                return Symbol("m", str(index))  # a mask
            return Symbol(self._leaf_base(before.source), str(index))
        parts = f",{index}" if node.primitive.multiple else ""
        return Symbol("v", f"{self.numbers[node]}{parts}")

    def _letters(self, nodes: list[Node]) -> dict[Node, str]:
        """What closes the gates; a padded step keeps the state it found: what is chosen
        then has the letter too."""
        found = {n: clean(name, 8) for n, name in self.loops.letters().items() if name}
        for node in nodes:
            chosen = behind_mask(node)
            place = self.loops.of(node)
            if place is not None and chosen is not None and node.origin is None:
                source: Any = chosen.source
                if source in found and len(node.scope) == place.loop.inside:
                    found[node] = found[source]
                    found[source] += "̃"
        return found

    def _layer(self, node: Node) -> str:
        found = layer_of(node.scope)
        if found is None or not self.many_layers:
            return ""
        return f"({found[0]},rev)" if found[1] else f"({found[0]})"

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
                falls = above.endswith("rev)") or self.falls
                symbol = Symbol(base[:-1], "init" if falls else "0", above)
            count = self.taken[symbol] = self.taken.get(symbol, 0) + 1
            if count > 1:
                mark = "′" if count == 2 else f"′{count}"
                symbol = Symbol(symbol.base + mark, symbol.sub, symbol.sup)
            self.leaves[leaf] = symbol
        return self.leaves[leaf]


STATES = ("h", "c")  # the letters of what a step hands on
_INITIAL = ("h0", "c0", "s0")
