"""Names of single entries, and texts of local derivatives, in an explanation.

    h_3          what all readers call the hidden state after 3 steps
    f_2[1]       entry 1 of the forget gate of step 2
    s_3          all that leaves step 2 together, where that are several values

The text of a local derivative comes from the one rule of its primitive: tanh's, traced,
is `g · (1 − y²)`, of which "(1 − h_3²)" is left for g = 1.

Read next: `terms.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.graph import AnyEdge, Node
from minigrad.engine.kernels import intrinsics
from minigrad.engine.primitives.fused import Elementwise
from minigrad.engine.quiet import quietly
from minigrad.explaining.step_cuts import Stretch, Stretches
from minigrad.reading.formula_printers import tight_text
from minigrad.reading.formulas import (
    LONG_WORDS,
    Tree,
    elementwise_rule,
    filled,
    fold,
    forward_formula,
    letters_in,
    letters_of,
    rebuilt,
)
from minigrad.reading.loop_names import bare
from minigrad.reading.names import Names, Symbol, given_name, last_word
from minigrad.reading.text import clean

MOVES = {
    "reshape", "transpose", "broadcast_to", "astype", "concatenate", "split", "stack",
    "unstack", "getitem",
}  # fmt: skip
LONGEST = 26  # characters of an expression that stands for a value
DEEPEST = 3  # expressions within expressions
FACTOR = 3  # how tightly a factor of a product binds


class EntryNames:
    """What the entries of a graph's values are called.

    target  the entry that is explained
    parts   after `boundary`: which values stand in a state called s, or in gradients
            of a recorded backward pass called δ (δδ of a pass through that)
    full    what the target's name is in full, in words; "" where its symbol says that
    """

    def __init__(
        self,
        names: Names,
        stretches: Stretches,
        target: AnyEdge,
        index: tuple[int, ...],
    ) -> None:
        self.names = names
        self.several = len({bare(loop.scopes) for loop, _ in stretches.rows}) > 1
        self.parts: dict[str, tuple[str, ...]] = {}
        symbol, name = names.of(target), given_name(target.source, target.index)
        self.target = entry(symbol, target.array.shape, index)
        same = last_word(name) == name
        self.full = "" if same else f"{symbol} is the tensor {clean(name)!r}."

    def boundary(self, stretch: Stretch) -> Symbol:
        """What leaves a step: its one value, or s for several."""
        symbols = [self.names.of(edge) for edge in stretch.boundary.values()]
        if len(symbols) == 1:
            return symbols[0]
        step, layer = stretch.step, self.names.layer(stretch.nodes[0])
        number = "" if step is None else str(step + (not stretch.reverse))
        base = "δ" * stretch.part.order or "s"  # of a backward pass: gradients
        whole = Symbol(base, number, layer)
        self.parts[str(whole)] = tuple(map(str, symbols))
        return whole

    @property
    def examples(self) -> list[tuple[str, tuple[str, ...]]]:
        """One of each kind of `parts`: (s_3, (h_3, c_3))."""
        first: dict[str, tuple[str, tuple[str, ...]]] = {}
        for name, letters in self.parts.items():
            first.setdefault(name.partition("_")[0], (name, letters))
        return list(first.values())

    def of(self, edge: Any, at: int, deepest: int = DEEPEST) -> Tree:
        """One entry of a value: its name, or a short formula of such names."""
        while isinstance(edge.source, Node):
            node = edge.source
            named = self.names.named(node, edge.index) is not None
            if named and not self.names.gathered(node):  # there, one step's name counts
                break
            if node.primitive.name == "where":
                chosen = np.broadcast_to(node.edges[0].array, node.array.shape)
                edge = node.edges[1 if chosen.reshape(-1)[at] else 2]
                at = spread(edge, node, at)
                continue
            if node.primitive.name in MOVES:
                k, at = moved(node, edge.index, at)
                edge = node.edges[k]
                continue
            found = self._expression(node, at, deepest - 1) if deepest else None
            if found is not None:
                return found
            break
        array = edge.array
        if edge.source is None and array.size == 1:
            return array.item()
        place = np.unravel_index(at, array.shape)
        return entry(self.names.of(edge), array.shape, tuple(map(int, place)))

    def _expression(self, node: Node, at: int, deepest: int) -> Tree | None:
        """An elementwise operation of named values, if that is short."""
        primitive = node.primitive
        if not isinstance(primitive, Elementwise):
            return None
        parts = []
        for edge in node.edges:
            source = edge.source
            if isinstance(source, Node) and source.primitive.name not in MOVES:
                if self.names.named(source, edge.index) is None:
                    return None
            parts.append(self.of(edge, spread(edge, node, at), deepest))
        known = dict(zip(letters_of(node), parts, strict=True))
        whole = [primitive.name, *parts]  # f(x), whatever f is made of
        tree = whole if len(parts) == 1 else filled(forward_formula(node), known)
        return tree if len(tight_text(tree)) <= LONGEST else None

    # ----------------------------------------------------- local derivatives

    def derivative(self, node: Node, out: tuple[int, int], k: int, at: int) -> str:
        """The text of d(output entry)/d(entry `at` of input k); "1" for a move."""
        j, name = out[1], node.primitive.name
        other = _other(node, j, k, at) if name == "matmul" else None
        tree: Tree = 1
        if name == "mean":
            count = node.edges[0].array.size // max(node.array.size, 1)
            tree = ["div", 1, count] if count > 1 else 1
        elif other is not None:
            tree = self.of(node.edges[1 - k], other)
        elif isinstance(node.primitive, Elementwise):
            tree = self._local(node, j, k)
        elif name not in MOVES and name not in ("sum", "sum_to"):
            return f"∂{name}"
        return tight_text(tree, FACTOR)

    def _local(self, node: Node, j: int, k: int) -> Tree:
        """The rule of an elementwise primitive for g = 1, in names."""
        rule = elementwise_rule(node, k)
        if rule is None:
            return 0
        edges = {"y": node, **dict(zip(letters_of(node), node.edges, strict=True))}
        places = {letter: spread(edge, node, j) for letter, edge in edges.items()}
        values = {x: edges[x].array.reshape(-1)[places[x]].item() for x in edges}
        rule = chosen(filled(rule, {"g": 1}), values)
        used = letters_in(rule)
        return simplified(filled(rule, {x: self.of(edges[x], places[x]) for x in used}))


def chosen(tree: Tree, values: dict[str, float]) -> Tree:
    """The tree with its choices made, as they fall for these numbers."""

    def number(part: Tree) -> Any:
        return fold(
            part,
            lambda p: values[p] if isinstance(p, str) else p,
            lambda whole, parts: _function(whole[0])(*parts),
        )

    def level(whole: list[Any], parts: list[Any]) -> Tree:
        if whole[0] in ("if", "where"):
            return parts[1 if number(parts[0]) else 2]
        return rebuilt(whole, parts)

    with quietly():
        return fold(tree, lambda p: p, level)


def _function(word: str) -> Any:
    """The function that a word of a traced formula stands for."""
    name = LONG_WORDS.get(word, word)
    found = getattr(intrinsics, name, None)
    return found.numpy if found is not None else getattr(np, name)


def simplified(tree: Tree) -> Tree:
    """The tree of a traced rule without factors of 1; sums of numbers worked out."""

    def level(whole: list[Any], parts: list[Any]) -> Tree:
        word, last = whole[0], parts[-1]
        if word == "mul" and parts[0] == 1:
            return last
        if word in ("mul", "div", "power") and last == 1:
            return parts[0]
        if word in LONG_WORDS and all(isinstance(p, int | float) for p in parts):
            value = float(_function(word)(*parts))
            return int(value) if value.is_integer() else value
        return rebuilt(whole, parts)

    with quietly():
        return fold(tree, lambda p: p, level)


def entry(symbol: Symbol, shape: tuple[int, ...], index: tuple[int, ...]) -> Tree:
    """An entry as it is written: h[2] for (0, 2) of shape (1, 4); all axes if many."""
    kept = [i for i, n in zip(index, shape, strict=True) if n > 1]
    return ["index", symbol, ",".join(map(str, kept))] if kept else symbol


def spread(edge: Any, node: Node, at: int) -> int:
    """The entry of an operand that entry `at` of an elementwise result is made of."""
    shape = edge.array.shape
    if shape == node.array.shape:
        return at
    places = np.arange(edge.array.size).reshape(shape)
    return int(np.broadcast_to(places, node.array.shape).reshape(-1)[at])


def moved(node: Node, index: int, at: int) -> tuple[int, int]:
    """Where a move took an entry of its output from: (input, entry)."""
    inputs, start = [], 0
    whole = node.primitive.name == "getitem"  # its other inputs are indices
    for k, edge in enumerate(node.edges):
        if whole and k:
            inputs.append(edge.array)
            continue
        size = edge.array.size
        inputs.append(np.arange(start, start + size).reshape(edge.array.shape))
        start += size
    attrs = node.attrs
    if node.primitive.name == "astype":
        made: Any = inputs[0]
    else:
        made = node.primitive.value(*inputs, **attrs)
    if node.primitive.multiple:
        made = made[index]
    place = int(np.asarray(made).reshape(-1)[at])
    for k, edge in enumerate(node.edges):
        if place < edge.array.size:
            return k, place
        place -= edge.array.size
    raise AssertionError(f"bug: {node} moved an entry that none of its inputs has")


def _other(node: Node, j: int, k: int, at: int) -> int | None:
    """In a product of matrices: the entry of the other operand that goes with `at`."""
    a, b = (edge.array for edge in node.edges)
    if b.ndim != 2:
        return None
    row, column = divmod(j, b.shape[1])  # rows of all batches, one after the other
    inner = a.shape[-1]
    if k == 0:  # a[row, i] goes with b[i, column]
        return at % inner * b.shape[1] + column
    return row * inner + at // b.shape[1]
