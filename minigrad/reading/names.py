"""What is this value called? h_3, f_2, W_h, x_0, v_41, L: the same for every reader.

A user's own name counts most. The last operation of a gate, or of a scope of the
user's within a time step, bears the gate's letter and the step; a state bears the
number of the state that the step makes: step t makes h_{t+1} of h_t, and h_0 is the
initial one (in a reverse loop, which goes from the last step back to the first, step t
makes h_t, and the initial one is h_init). A state that no gate names is s_3, or s_3,0
and s_3,1 if it has several such parts; all states in one array are h, or s. What the
sigmoid of gate f takes at step t is a_f,t, its pre-activation. What a layer above the
first reads at step t is x_t of that layer, if it has no other name. Other results have
a number: v_41.

Several layers are told apart by what stands above: (1), or (1,rev) for the reverse
direction; of several loops the name stands there: h_3^(encoder). A tensor's symbol is
the last word of its name: W_h^(0,rev) is "cells.1.W_h".

Read next: `formulas.py`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from minigrad.engine.graph import AnyEdge, Leaf, Node
from minigrad.reading.levels import NAMED, behind_mask, layer_of
from minigrad.reading.loops import Loops
from minigrad.reading.preactivations import preactivations
from minigrad.reading.text import clean, number
from minigrad.reading.unnamed_leaves import unnamed_leaves

LONGEST = 32  # characters of a name that are shown
CANDIDATE = "\u0303"  # a tilde over the letter
STATES = ("h", "c")  # the letters of what a step hands on
_INITIAL = re.compile("([hcs])_?0")  # what tensors are called that a loop begins with
_NUMBER = re.compile(r"-?[\d.]+(e-?\d+)?")


@dataclass(frozen=True)
class Symbol:
    """How a value is written in formulas: h_3^(1) is Symbol("h", "3", "(1)")."""

    base: str
    sub: str = ""
    sup: str = ""

    def __str__(self) -> str:
        text = self.base
        if self.sub:
            text += f"_{self.sub}"
        return f"{text}^{self.sup}" if self.sup else text

    @property
    def series(self) -> str:
        """What it is called at all steps: h of h_3, a_f of a_f,3; else the base."""
        gate, comma, _ = self.sub.partition(",")
        return f"{self.base}_{gate}" if comma and not gate.isdigit() else self.base

    @property
    def value(self) -> float | None:
        """The number that it is, of a constant that is called by its number."""
        plain = not (self.sub or self.sup) and _NUMBER.fullmatch(self.base)
        return float(self.base) if plain else None


def given_name(source: Any, index: int = 0) -> str:
    """The name that a user gave to a leaf, or to an output of a node; "" if none."""
    if isinstance(source, Leaf):
        return source.name or ""
    tags = source.tags if isinstance(source, Node) else None
    return (tags or {}).get("names", {}).get(index) or ""


def last_word(name: str) -> str:
    """What a symbol keeps of a name: "W_h" of "cells.1.W_h"."""
    last = name.rpartition(".")[2] if len(name) < 400 else ""
    return clean(last or name, LONGEST)


class Names:
    """Names the values of one graph.

    nodes    all operations, oldest first, constants included: `ancestors([output])`
    output   the operation that made the loss: a single number, which is called L

    Two readers of one loss give its values the same names.
    """

    def __init__(self, nodes: list[Node], output: Any = None) -> None:
        single = isinstance(output, Node) and not output.primitive.multiple
        self._loss = output if single and output.array.size == 1 else None
        self._numbers = {node: number for number, node in enumerate(nodes)}
        self.loops = Loops(nodes)
        self._many = len({layer_of(node.scope) for node in nodes} - {None}) > 1
        self._gates = _letters(nodes, self.loops)
        self._states = _states(self.loops, self._gates)
        self._sums: dict[Any, Symbol] = {}
        # The first reader of each value, and the layers of all.
        self._readers: dict[Any, tuple[Node, frozenset[Any]]] = {}
        self._leaves: dict[Leaf, Symbol] = {}
        self._unnamed = {
            leaf: Symbol(found.base, found.sub, self.layer(found.reader))
            for leaf, found in unnamed_leaves(nodes, self.loops).items()
        }
        self._taken: dict[Symbol, int] = {}
        alone: dict[Any, frozenset[Any]] = {}  # one set for all values of one layer
        for node in nodes:
            if node.origin is None:  # not of a recorded backward pass
                layer = layer_of(node.scope)
                only = alone.setdefault(layer, frozenset([layer]))
                for edge in node.edges:
                    key = edge.source, edge.index
                    first, layers = self._readers.setdefault(key, (node, only))
                    if layer not in layers:
                        self._readers[key] = first, layers | only
        for node in nodes:  # all at once, so that primes do not depend on who asks
            for edge in node.edges:
                if isinstance(edge.source, Leaf):
                    self.of(edge)
        self._name_sums(nodes)

    def of(self, edge: Any) -> Symbol:
        """The symbol of what an edge leads to."""
        source = edge.source
        if isinstance(source, Node):
            return self.result(source, edge.index)
        if source is None:
            if edge.array.size == 1 and edge.array.dtype.kind in "fiub":
                return Symbol(number(edge.array.item()))
            return Symbol("k")
        if source not in self._leaves:
            self._leaves[source] = self._leaf(edge)
        return self._leaves[source]

    def known(self, edge: Any) -> Symbol | None:
        """The same, of a name or a number; None where there is neither."""
        source = edge.source
        if isinstance(source, Node):
            return self.named(source, edge.index)
        nameless = edge.array.size != 1
        if source:
            nameless = not source.name and source not in self._unnamed
        return None if nameless else self.of(edge)

    def result(self, node: Node, index: int = 0) -> Symbol:
        """The symbol of an output of an operation."""
        found = self.named(node, index)
        if found is not None:
            return found
        part = f",{index}" if node.primitive.multiple else ""
        return Symbol("v", f"{self._numbers.get(node, '?')}{part}")

    def named(self, node: Node, index: int = 0) -> Symbol | None:
        """The same; None for a result that has a number only."""
        given = given_name(node, index)
        if given:
            return Symbol(clean(given, LONGEST))
        if node is self._loss:
            return Symbol("L")
        letter, place = self._gates.get(node), self.loops.of(node)
        if letter is not None and not node.primitive.multiple:
            later = letter.rstrip(CANDIDATE) in STATES and not self._falls(node)
            number = "" if place is None else str(place.step + later)
            return Symbol(letter, number, self.layer(node))
        if node.primitive.name == "unstack" and node.origin is None:
            return self._part(node, index)
        if (node, index) in self._states:
            step, which = self._states[node, index]
            made = step + (not self._falls(node))
            return Symbol("s", f"{made}{which}", self.layer(node))
        if (node, index) in self._sums:
            return self._sums[node, index]
        if self.gathered(node):
            return self._all_states(node)
        above = self._input_of(node, index)
        if place is None or above is None:
            return None
        return Symbol("x", str(place.step), above)

    def _name_sums(self, nodes: list[Node]) -> None:
        """Name the pre-activations: a_f,3; a_f,3^x is what the input gives to it. Of
        several parts that would have one name, the first has it."""
        found = preactivations(nodes, self.loops, [n for n, _ in self._states])
        words = {*self._gates.values(), *(s.base for s in self._leaves.values())}
        letter, taken = "net" if "a" in words else "a", set()
        for (node, index), of in found.items():
            given = [self._giver(edge, node) for edge in of.sources]
            if all(given):
                above = ",".join(dict.fromkeys(given)) + self.layer(node)
                symbol = Symbol(letter, of.sub, above)
                if symbol not in taken:
                    self._sums[node, index] = symbol
                    taken.add(symbol)

    def _giver(self, edge: AnyEdge, node: Node) -> str:
        """The letter of what weights multiply: x where it comes from outside the step
        without a name, or from the layer below; "" without a name."""
        symbol, source = self.known(edge), edge.source
        if symbol is None:
            outside = isinstance(source, Node) and self.loops.of(source)
            return "" if outside == self.loops.of(node) else "x"
        if symbol.base in STATES and isinstance(source, Node):
            made, own = layer_of(source.scope), layer_of(node.scope)
            if made is not None and own is not None and made[0] < own[0]:
                return "x"
        return symbol.base

    def gathered(self, node: Node) -> bool:
        """Is it a stack without a name of its own, as of the outputs of all steps?"""
        stack = node.primitive.name == "stack" and node.origin is None
        return stack and not given_name(node, 0)

    def _all_states(self, node: Node) -> Symbol | None:
        """A stack of the states of all steps: h, where each of them is h_t."""
        made = [edge.source for edge in node.edges]
        found = {
            (symbol.base, symbol.sup)
            for source, edge in zip(made, node.edges, strict=True)
            if isinstance(source, Node) and self.loops.of(source) is not None
            for symbol in [self.named(source, edge.index)]
            if symbol is not None and symbol.sub
        }
        if (
            len(made) < 2
            or len(found) != 1
            or not all(isinstance(n, Node) for n in made)
        ):
            return None
        ((base, sup),) = found
        return Symbol(base, "", sup) if base in (*STATES, "s") else None

    def layer(self, node: Node) -> str:
        """What stands above the symbols of a node's loop and layer: "(encoder)", or
        "(1)"; "" if there is one only."""
        mark = self._mark(layer_of(node.scope))
        place = self.loops.outermost(node)
        if place is None or place.loop.call.alone:
            return mark
        loop = clean(place.loop.call.label, LONGEST)
        return f"({loop}, {mark[1:]}" if mark else f"({loop})"

    def _mark(self, layer: tuple[int, bool] | None) -> str:
        if layer is None or not self._many:
            return ""
        return f"({layer[0]},rev)" if layer[1] else f"({layer[0]})"

    def _falls(self, node: Node) -> bool:
        """Is it of a loop that goes from the last step back to the first?"""
        place = self.loops.of(node)
        return place is not None and place.loop.reverse

    def _part(self, node: Node, index: int) -> Symbol:
        """A part of what was taken apart: an input of step `index`, or a state."""
        before = node.edges[0]
        if before.array.dtype.kind == "b":
            return Symbol("m", str(index))  # a mask
        joined = before.source
        if isinstance(joined, Node) and joined.primitive.name == "stack":
            same = joined.attrs.get("axis") == node.attrs.get("axis")
            made = joined.edges[index].source if same else None
            if isinstance(made, Node) and made in self._gates:  # a state, handed over
                return self.result(made, joined.edges[index].index)
        name = last_word(given_name(before.source, before.index)) or "x"
        if _INITIAL.fullmatch(name):
            return self._from_outside(name, (node, index))
        return Symbol(name, str(index))

    def _from_outside(self, name: str, key: Any) -> Symbol:
        """A value that no step made, with the layer that alone reads it: W_h^(1), and
        h_0^(1) for "h0"."""
        reader, layers = self._readers.get(key, (None, frozenset()))
        inside = layers - {None}
        above = self._mark(*inside) if len(inside) == 1 else ""
        if not _INITIAL.fullmatch(name):
            return Symbol(name, "", above)
        falls = reader is not None and self._falls(reader)
        return Symbol(name[0], "init" if falls else "0", above)

    def _input_of(self, node: Node, index: int) -> str | None:
        """The mark of the layer that alone reads a value, if that is not its own."""
        _, layers = self._readers.get((node, index), (None, frozenset()))
        strange = None in layers or layer_of(node.scope) in layers
        if not self._many or strange or node.origin is not None:
            return None
        numbers = {number for number, _ in layers}
        return f"({numbers.pop()})" if len(numbers) == 1 else None

    def _leaf(self, edge: AnyEdge) -> Symbol:
        """A leaf's name without the path to it; primes tell equal ones apart."""
        name = last_word(given_name(edge.source)) or (
            "p" if edge.requires_grad else "x"
        )
        symbol = self._from_outside(name, (edge.source, 0))
        symbol = self._unnamed.get(edge.source, symbol)  # type: ignore[arg-type]
        count = self._taken[symbol] = self._taken.get(symbol, 0) + 1
        if count == 1:
            return symbol
        mark = "′" if count == 2 else f"′{count}"
        return Symbol(symbol.base + mark, symbol.sub, symbol.sup)


def _states(loops: Loops, gates: dict[Node, str]) -> dict[Any, tuple[int, str]]:
    """Parts of states that no gate names: (node, output) -> the step that made it, and
    ",0" or ",1" where there are several such parts."""
    found: dict[Any, tuple[int, str]] = {}
    for loop in loops.outer:
        nameless = [
            k for k, n in enumerate(loop.state_names) if re.fullmatch(r"s\d", n)
        ]
        times = loop.state_times
        for step, parts in zip(times, loop.states, strict=True):
            for j, k in enumerate(nameless):
                edge = parts[k]._edge
                if isinstance(edge.source, Node) and edge.source not in gates:
                    mark = f",{j}" if len(nameless) > 1 else ""
                    found.setdefault((edge.source, edge.index), (step, mark))
    return found


def _letters(nodes: list[Node], loops: Loops) -> dict[Node, str]:
    """What closes the gates, and the user's own scopes within a time step. A padded
    step keeps the state it found: what is chosen then has the letter, and the candidate
    a tilde."""
    found = {n: clean(letter, 12) for n, letter in loops.letters(NAMED).items()}
    for node in nodes:
        chosen, place = behind_mask(node), loops.of(node)
        if place is not None and chosen is not None and node.origin is None:
            source: Any = chosen.source
            if source in found and len(node.scope) == place.loop.inside:
                found[node] = found[source]
                found[source] += CANDIDATE
    return found
