"""Names of values and texts of local derivatives, as they stand in an explanation.

    h₃      what the hidden state's gate scope computed last in step 2 (h after 3 steps)
    f₂[1]   entry 1 of the forget gate of step 2
    h²₃     the same in layer 2;   h←₃ in a reverse cell, after step 3 on its way back

The text of a local derivative comes from the one rule of its primitive, traced: tanh's
`g * (1 - y * y)` is "(1 − h₃²)".

Read next: `terms.py`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from minigrad.engine.graph import AnyEdge, Leaf, Node
from minigrad.engine.kernels import intrinsics
from minigrad.engine.kernels.jit import Program, argument_names
from minigrad.engine.primitives.fused import Elementwise
from minigrad.explaining.step_cuts import Stretch, Stretches, alone
from minigrad.reading.levels import NAMED
from minigrad.reading.loop_names import bare
from minigrad.reading.text import clean, number

LOWER = str.maketrans("0123456789-", "₀₁₂₃₄₅₆₇₈₉₋")
UPPER = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
STATES = ("h", "c")  # the letters of what a step hands on: numbered after the step
MOVES = {
    "reshape", "transpose", "broadcast_to", "astype", "concatenate", "split", "stack",
    "unstack", "getitem",
}  # fmt: skip
LONGEST = 26  # characters of an expression that stands for a value


class Symbol:
    """A name with marks: base, time below, layer above, entry in brackets."""

    def __init__(
        self, base: str, time: int | None = None, layer: str = "", entry: str = ""
    ) -> None:
        self.base, self.time, self.layer, self.entry = base, time, layer, entry

    def __str__(self) -> str:
        time = "" if self.time is None else str(self.time).translate(LOWER)
        layer = self.layer.translate(UPPER)
        return f"{self.base}{layer}{time}{self.entry}"


class Quotient:
    """A derivative: ∂above/∂below, or with a d: all of it, by whatever way."""

    def __init__(self, above: Symbol | str, below: Symbol | str, d: str = "∂") -> None:
        self.above, self.below, self.d = above, below, d

    def __str__(self) -> str:
        return f"{self.d}{self.above}/{self.d}{self.below}"


class Names:
    """What every value of a graph is called.

    parts  after `boundary`: which letters stand in a state called s
    """

    def __init__(
        self,
        nodes: list[Node],
        stretches: Stretches,
        target: AnyEdge,
        index: tuple[int, ...],
    ) -> None:
        self.stretches = stretches
        layers = {bare(loop.scopes) for loop in stretches.rows}
        self.several = len(layers) > 1
        self.numbers = {node: k for k, node in enumerate(nodes)}
        self.parts: dict[str, tuple[str, ...]] = {}
        letters = stretches.loops.letters(NAMED)
        last: dict[tuple[Stretch | None, str], Node] = {}
        for node in [node for node in nodes if node in letters]:
            last[stretches.of.get(node), clean(letters[node], 12)] = node
        self._gates = {n: (one or alone(n), name) for (one, name), n in last.items()}
        self._targets: dict[Node, np.ndarray] = {}
        self.target = Symbol(
            named(target) or "the tensor", entry=entry(target.array.shape, index)
        )

    # ----------------------------------------------------- steps

    def layer(self, stretch: Stretch) -> str:
        """The marks of a layer and of its direction."""
        mark = "←" if stretch.reverse else ""
        if self.several and stretch.layer is not None:
            mark = f"{mark}{stretch.layer[0]}"
        return mark

    def after(self, stretch: Stretch) -> int | None:
        """The number of the state that a step leaves."""
        if stretch.step is None:
            return None
        return stretch.step + (0 if stretch.reverse else 1)

    def boundary(self, stretch: Stretch) -> Symbol:
        """What leaves a step: its one value, or s for several."""
        if len(stretch.boundary) == 1:
            [edge] = stretch.boundary.values()
            return self.symbol(edge)
        symbol = Symbol("s", self.after(stretch), self.layer(stretch))
        self.parts[str(symbol)] = tuple(
            [str(self.symbol(edge)) for edge in stretch.boundary.values()]
        )
        return symbol

    # ----------------------------------------------------- values

    def symbol(self, edge: Any) -> Symbol:
        """The name of a whole value."""
        return self._symbol(edge, None)[0]

    def of(self, edge: Any, at: int) -> str:
        """The name of one entry of a value, or a short expression of such names."""
        symbol, shape, at = self._symbol(edge, at)
        if shape is None:
            return symbol.base
        place = np.unravel_index(at, shape)
        symbol.entry = entry(shape, tuple(map(int, place)))
        return str(symbol)

    def _symbol(self, edge: Any, at: int | None) -> tuple[Symbol, Any, int]:
        """(name, shape of what is named or None for an expression, which entry)."""
        while True:
            node, array = edge.source, edge.array
            if node is None:
                if array.size == 1:
                    return Symbol(number(array.item())), None, 0
                return Symbol("constant"), array.shape, at or 0
            if type(node) is Leaf:
                return Symbol(named(edge) or "leaf"), array.shape, at or 0
            tagged = named(edge)
            if tagged:
                return Symbol(tagged), array.shape, at or 0
            if node in self._gates:
                stretch, letter = self._gates[node]
                time = self.after(stretch) if letter in STATES else stretch.step
                return Symbol(letter, time, self.layer(stretch)), array.shape, at or 0
            name = node.primitive.name
            if name == "where":  # a mask's choice: called after what is chosen
                chosen = np.broadcast_to(node.edges[0].array, array.shape)
                first = chosen.all() if at is None else chosen.reshape(-1)[at]
                edge = node.edges[1 if first or at is None else 2]
                if edge.array.shape == array.shape:
                    continue
            if name in MOVES and (at is not None or name in ("reshape", "astype")):
                found = moved(node, edge.index, at or 0)
                if found is not None:
                    edge, at = node.edges[found[0]], found[1] if at is not None else at
                    continue
            if at is not None:
                text = self._expression(node, at)
                if text is not None:
                    return Symbol(text), None, 0
            return self._numbered(node), array.shape, at or 0

    def _numbered(self, node: Node) -> Symbol:
        """The name of a value that has none: its operation, counted in its step."""
        name = node.primitive.name
        inside = self.stretches.of.get(node)
        if node not in self.numbers:
            return Symbol(name)
        if inside is None or inside.step is None:
            return Symbol(f"{name}#{self.numbers[node]}")
        base = f"{name}#{inside.nodes.index(node)}"
        return Symbol(base, inside.step, self.layer(inside))

    def _expression(self, node: Node, at: int) -> str | None:
        """An elementwise operation of named values, if that is short."""
        words = {
            "add": "({} + {})", "subtract": "({} − {})", "multiply": "{}·{}",
            "negative": "−{}", "divide": "{}/{}", "power": "{}^{}",
        }  # fmt: skip
        primitive = node.primitive
        if not isinstance(primitive, Elementwise):
            return None
        form = words.get(primitive.name)
        if form is None:
            if len(node.edges) != 1:
                return None
            form = f"{primitive.name}({{}})"
        parts = []
        for edge in node.edges:
            source = edge.source
            if type(source) is Node and source.primitive.name not in MOVES:
                if source not in self._gates and not named(edge):
                    return None
            parts.append(self.of(edge, spread(edge, node, at)))
        text = form.format(*parts)
        return text if len(text) <= LONGEST else None

    # ----------------------------------------------------- local derivatives

    def derivative(self, node: Node, out: tuple[int, int], k: int, at: int) -> str:
        """The text of d(output entry)/d(entry `at` of input k); "1" for a move."""
        primitive, j = node.primitive, out[1]
        name = primitive.name
        if name in MOVES or name in ("sum", "sum_to"):
            return "1"
        if name == "mean":
            count = node.edges[0].array.size // max(node.array.size, 1)
            return f"1/{count}" if count > 1 else "1"
        if name == "matmul":
            other = _other(node, j, k, at)
            if other is not None:
                return self.of(node.edges[1 - k], other)
        if name == "power" and node.edges[1].array.size == 1 and k == 0:
            base, power = self.of(node.edges[0], at), float(node.edges[1].array.item())
            rest = "" if power == 2 else "^" + number(power - 1)
            return "1" if power == 1 else f"{number(power)}·{base}{rest}"
        if isinstance(primitive, Elementwise) and name != "power":
            return self._traced(node, j, k)
        return f"∂{name}"

    def _traced(self, node: Node, j: int, k: int) -> str:
        """The rule of an elementwise primitive with g = 1, in names."""
        vjp = node.primitive.vjp
        assert vjp is not None
        program = Program(vjp, argument_names(vjp))
        result = program.results[k]
        if result is None:
            return "0"
        handle = _Whole(node)
        texts = ["1", self.of(handle, j)]
        values = [1.0, float(node.array.reshape(-1)[j])]
        for edge in node.edges:
            where = spread(edge, node, j)
            texts.append(self.of(edge, where))
            values.append(float(edge.array.reshape(-1)[where]))
        return _written(program, result, texts, values)


class _Whole:
    """A node of one output, as an edge."""

    index = 0

    def __init__(self, node: Node) -> None:
        self.source, self.array = node, node.array


def named(edge: Any) -> str | None:
    """The name that a user gave to a value."""
    source = edge.source
    if type(source) is Leaf:
        name = source.name
    elif type(source) is Node:
        name = (source.tags or {}).get("names", {}).get(edge.index)
    else:
        name = None
    return None if name is None else clean(name, 24)


def entry(shape: tuple[int, ...], index: tuple[int, ...]) -> str:
    """An entry as it is written: "[2]" for (0, 2) of shape (1, 4); all axes if many."""
    if int(np.prod(shape)) == 1:
        return ""
    kept = [i for i, n in zip(index, shape, strict=True) if n > 1]
    return f"[{','.join(map(str, kept))}]"


def spread(edge: Any, node: Node, at: int) -> int:
    """The entry of an operand that entry `at` of an elementwise result is made of."""
    shape = edge.array.shape
    if shape == node.array.shape:
        return at
    places = np.arange(edge.array.size).reshape(shape)
    return int(np.broadcast_to(places, node.array.shape).reshape(-1)[at])


def moved(node: Node, index: int, at: int) -> tuple[int, int] | None:
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
    return None


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


_SIGNS = {"add": "+", "subtract": "−", "multiply": "·", "divide": "/"}
_RANK = {"add": 1, "subtract": 1, "multiply": 2, "divide": 2, "negative": 1}
_SPOKEN = {"absolute": "|{}|", "sqrt": "√{}"}


def _written(
    program: Program, result: int, texts: list[str], values: list[float]
) -> str:
    """A traced rule as a formula; choices are made with the values at hand."""
    rank = [9] * len(texts)
    for line in program.lines[len(texts) :]:
        operation, *operands = line
        if operation == "constant":
            texts.append(number(operands[0]))
            values.append(operands[0])
            rank.append(9)
            continue
        parts = [texts[k] for k in operands]
        numbers = [values[k] for k in operands]
        values.append(_computed(operation, numbers))
        if operation == "where":
            chosen = operands[1 if numbers[0] else 2]
            texts.append(texts[chosen])
            rank.append(rank[chosen])
            continue
        text, own = _line(operation, parts, [rank[k] for k in operands])
        texts.append(text)
        rank.append(own)
    text = texts[result]
    return f"({text})" if rank[result] < 2 else text


def _line(operation: str, parts: list[str], ranks: list[int]) -> tuple[str, int]:
    """One line of a program as text, and how tightly it binds."""
    if operation == "multiply":
        if parts[0] == "1" or parts[1] == "1":
            k = 1 if parts[0] == "1" else 0
            return parts[k], ranks[k]
        if parts[0] == parts[1] and ranks[0] == 9:
            return f"{parts[0]}²", 9
    if operation == "divide" and parts[1] == "1":
        return parts[0], ranks[0]
    own = _RANK.get(operation, 9)
    if operation in _SIGNS:
        tight = own + (operation in ("subtract", "divide"))
        a = parts[0] if ranks[0] >= own else f"({parts[0]})"
        b = parts[1] if ranks[1] >= tight else f"({parts[1]})"
        space = " " if own == 1 else ""
        return f"{a}{space}{_SIGNS[operation]}{space}{b}", own
    if operation == "negative":
        return f"−{parts[0] if ranks[0] > 1 else f'({parts[0]})'}", own
    form = _SPOKEN.get(operation, f"{operation}({{}})")
    return form.format(", ".join(parts)), own


def _computed(operation: str, operands: list[float]) -> Any:
    """The value of one line, to make choices with."""
    found = getattr(intrinsics, operation, None)
    function = found.numpy if found is not None else getattr(np, operation)
    return function(*operands)
