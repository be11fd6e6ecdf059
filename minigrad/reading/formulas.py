"""How is an operation, and its rule, written? As a small tree, which printers write.

A tree is a letter ("x"), a `Symbol`, a number, or [word, part, ...]. Formulas of
elementwise primitives are not written here: the primitive's own scalar function, and
its own rule, are run on texts (as for the kernels), so the formula shown is the one
that is computed. The others have a line each in `FORMULAS`.

    [mul, g, [sub, 1, [power, y, 2]]]    "g · (1 − y²)"

In a rule g is dL/dy, the incoming gradient; y is the output, other letters the inputs:
`filled` puts symbols or numbers in their place.

Read next: `formula_printers.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from minigrad.engine.graph import Node
from minigrad.engine.kernels import jit
from minigrad.engine.primitives.base import Primitive
from minigrad.engine.primitives.fused import Elementwise
from minigrad.reading.text import clean, shape_text

Tree = Any  # str | Symbol | float | list

# Where a list has words that are no tree: an index, axes, the name of a function.
NOTES = {"call": 1, "index": 2, "sum": 2, "product": 2, "slope": 3}
LEADING = 4  # operands of a join that are written out


def letters_of(node: Node) -> tuple[str, ...]:
    """What formulas call the inputs of an operation."""
    primitive, count = node.primitive, len(node.edges)
    if isinstance(primitive, Elementwise):
        return jit.argument_names(primitive.scalar)
    if primitive.name == "matmul":
        return ("a", "b")
    if count == 1:
        return ("x",)
    if primitive.name in ("getitem", "add_at"):
        return ("x", *(f"k{k}" for k in range(count - 1)))
    return tuple(f"x{k}" for k in range(count))


def forward_formula(node: Node) -> Tree:
    """The right side of y = ..."""
    primitive = node.primitive
    if isinstance(primitive, Elementwise):
        return _traced(primitive)[0]
    if primitive.name not in FORMULAS:
        return ["call", primitive.name, *_few(list(letters_of(node)))]
    made = FORMULAS[primitive.name][0]
    return made(node) if callable(made) else made


def rule_formula(node: Node, k: int) -> Tree | None:
    """The right side of dL/d(input k) += ..., or None if there is no derivative."""
    primitive = node.primitive
    if primitive.vjp is None:
        return None
    if isinstance(primitive, Elementwise):
        tree = elementwise_rule(node, k)
        shape, full = node.edges[k].array.shape, node.array.shape
        if tree is None or shape == full:
            return tree
        return ["sum", tree, _summed_axes(shape, full)]
    if primitive.name not in FORMULAS:
        return ["call", f"rule of {primitive.name}", "g"]
    made = FORMULAS[primitive.name][1]
    return made(node, k) if callable(made) else made


def elementwise_rule(node: Node, k: int) -> Tree | None:
    """The rule of an elementwise operation for one entry, whatever was broadcast."""
    assert isinstance(node.primitive, Elementwise)
    return _traced(node.primitive)[1][k]


def _summed_axes(shape: tuple[int, ...], full: tuple[int, ...]) -> str:
    """The axes over which a contribution is summed, since they were broadcast."""
    lead = len(full) - len(shape)
    axes = [
        *range(lead),
        *(k + lead for k, n in enumerate(shape) if n != full[k + lead]),
    ]
    return ", ".join(map(str, axes))


# ------------------------------------------------------------- elementwise: traced

_POWER_RULE = (
    ["mul", ["mul", "g", "b"], ["power", "a", ["sub", "b", 1]]],
    ["mul", ["mul", "g", "y"], ["log", "a"]],
)
LONG_WORDS = {"add": "add", "sub": "subtract", "mul": "multiply", "div": "divide"}
_SHORT = {name: word for word, name in LONG_WORDS.items()}


@lru_cache(maxsize=256)
def _traced(primitive: Elementwise) -> tuple[Tree, tuple[Tree | None, ...]]:
    """The formula of a primitive and of its rule, from the functions themselves."""
    names = jit.argument_names(primitive.scalar)
    program = jit.Program(primitive.scalar, names)
    value = _tree(program, program.results[0])
    if primitive.vjp is None:
        return value, (None,) * len(names)
    if primitive.name == "power":  # its rule sets limits at 0 that would hide it
        return value, _POWER_RULE
    program = jit.Program(primitive.vjp, jit.argument_names(primitive.vjp))
    rules = tuple([None if r is None else _tree(program, r) for r in program.results])
    return value, rules


def _tree(program: jit.Program, result: int | None) -> Tree:
    """One result of a traced program as a tree."""
    assert result is not None
    trees: dict[int, Tree] = {}
    for index in program.needed(result):
        word, *operands = program.lines[index]
        if word == "input":
            trees[index] = operands[0]
        elif word == "constant":
            value = operands[0]
            trees[index] = int(value) if value == int(value) else value
        else:
            trees[index] = _simple(word, [trees[k] for k in operands])
    return trees[result]


def _simple(word: str, parts: list[Tree]) -> Tree:
    """y * y as y^2, ln(1 + x) written out, and short words."""
    if word == "multiply" and parts[0] == parts[1] and isinstance(parts[0], str):
        return ["power", parts[0], 2]
    if word == "log1p":
        return ["log", ["add", 1, *parts]]
    if word == "expm1":
        return ["sub", ["exp", *parts], 1]
    return [_SHORT.get(word, word), *parts]


# ------------------------------------------------------------- the others: written


def _few(letters: list[str]) -> list[str]:
    """The first operands, and dots for more."""
    return letters if len(letters) <= LEADING else [*letters[:2], "⋯", letters[-1]]


def _axes(node: Node) -> str:
    axes = node.attrs["axes"]
    return "" if len(axes) == node.edges[0].array.ndim else ", ".join(map(str, axes))


def _count(node: Node) -> int:
    shape = node.edges[0].array.shape
    count = 1
    for k in node.attrs["axes"]:
        count *= shape[k]
    return count


def _index(pattern: tuple[Any, ...]) -> str:
    """A recorded index as it was written: "2, :, 0:4"."""
    words = []
    for kind, *rest in pattern:
        if kind == "slice":
            start, stop, step = ("" if e is None else str(e) for e in rest)
            words.append(f"{start}:{stop}" + (f":{step}" if step else ""))
        elif kind == "array":
            words.append(f"k{rest[0]}")
        elif kind == "at":
            words.append(str(rest[0]))
        else:
            words.append("new" if kind == "new" else "⋯")
    return clean(", ".join(words), 60)


def _stretch(node: Node, k: int) -> str:
    """Where input k of a concatenation lies in the output."""
    axis = node.attrs["axis"]
    start = sum(edge.array.shape[axis] for edge in node.edges[:k])
    stop = start + node.edges[k].array.shape[axis]
    return ":, " * axis + f"{start}:{stop}"


def _bounds(node: Node) -> str:
    bounds = node.attrs["bounds"]
    lead = ":, " * node.attrs["axis"]
    return f"{lead}{bounds[0]}:{bounds[1]}" + (", ..." if len(bounds) > 2 else "")


def _matmul_rule(node: Node, k: int) -> Tree:
    a, b = (edge.array for edge in node.edges)
    if a.ndim == 1 and b.ndim == 1:
        return ["mul", "g", "b" if k == 0 else "a"]
    tree: Tree = ["matmul", ["T", "a"], "g"]
    if k == 0:
        tree = ["matmul", "b", "g"] if a.ndim == 1 else ["matmul", "g", ["T", "b"]]
    shape = node.edges[k].array.shape
    batch = node.array.ndim - (a.ndim > 1) - (b.ndim > 1)
    more = batch > max(0, len(shape) - 2)
    if more or (batch and shape[:-2] != node.array.shape[:batch]):
        tree = ["sum", tree, "batch"]
    return tree


def _call(words: str, letter: str) -> Tree:
    return ["call", words, letter]


def _shaped(shape: tuple[int, ...], letter: str) -> Tree:
    return _call(f"reshape to {shape_text(shape)}", letter)


def _turned(node: Node, words: str, letter: str) -> Tree:
    return ["T", letter] if node.attrs["axes"] == (1, 0) else _call(words, letter)


def _pattern(node: Node) -> str:
    return _index(node.attrs["pattern"])


def _added(node: Node, letter: str) -> Tree:
    return _call(f"zeros, at [{_pattern(node)}] add", letter)


def _joined(node: Node) -> Tree:
    return ["list", *_few(list(letters_of(node)))]


def _parts(node: Node, k: int) -> Tree:
    return ["list", *_few([f"g{k}" for k in range(len(node.outputs))])]


def _einsum(node: Node, subscripts: str, letters: list[str]) -> Tree:
    return ["call", f"einsum[{subscripts.replace('->', '→')}]", *_few(letters)]


def _einsum_rule(node: Node, k: int) -> Tree:
    """The same sum, the letters of the result and of input k exchanged."""
    left, out = node.attrs["subscripts"].split("->")
    inputs, letters = left.split(","), list(letters_of(node))
    others = ",".join([out, *inputs[:k], *inputs[k + 1 :]])
    rest = letters[:k] + letters[k + 1 :]
    return _einsum(node, f"{others}->{inputs[k]}", ["g", *rest])


_EQUAL = ["if", ["equal", "x", "y"], "g", 0]

# The right sides of y = ... and of dL/d(input k) += ...: a tree, or what makes it of
# the node (and of k).
Maker = Tree | Callable[..., Tree]
FORMULAS: dict[str, tuple[Maker, Maker]] = {
    "matmul": (["matmul", "a", "b"], _matmul_rule),
    "reshape": (lambda n: _shaped(n.array.shape, "x"),
                lambda n, k: _shaped(n.edges[0].array.shape, "g")),
    "transpose": (lambda n: _turned(n, f"axes {n.attrs['axes']} of", "x"),
                  lambda n, k: _turned(n, "axes put back of", "g")),
    "broadcast_to": (lambda n: _call(f"repeat to {shape_text(n.attrs['shape'])}", "x"),
                     ["sum", "g", "repeated"]),
    "sum_to": (["sum", "x", "broadcast"], _call("repeat", "g")),
    "astype": (lambda n: _call(n.attrs["dtype"], "x"),
               lambda n, k: _call(n.edges[0].array.dtype.name, "g")),
    "concatenate": (_joined, lambda n, k: ["index", "g", _stretch(n, k)]),
    "stack": (_joined,
              lambda n, k: ["index", "g", ":, " * n.attrs["axis"] + str(k)]),
    "split": (lambda n: ["index", "x", _bounds(n)], _parts),
    "unstack": (lambda n: ["index", "x", ":, " * n.attrs["axis"] + "0, 1, ..."],
                _parts),
    "getitem": (lambda n: ["index", "x", _pattern(n)],
                lambda n, k: None if k else _added(n, "g")),
    "add_at": (lambda n: _added(n, "x"),
               lambda n, k: None if k else ["index", "g", _pattern(n)]),
    "sum": (lambda n: ["sum", "x", _axes(n)], _call("the same for all:", "g")),
    "mean": (lambda n: ["div", ["sum", "x", _axes(n)], _count(n)],
             lambda n, k: ["div", "g", _count(n)]),
    "prod": (lambda n: ["product", "x", _axes(n)], ["mul", "g", ["div", "y", "x"]]),
    "max": (_call("max", "x"), _EQUAL),
    "min": (_call("min", "x"), _EQUAL),
    "norm": (["norm", "x"], ["mul", "g", ["div", "x", "y"]]),
    "shift": (_call("max", "x"), None),
    "cumsum": (lambda n: _call(f"running sums along {n.attrs['axis']} of", "x"),
               lambda n, k: _call(f"sums from the end along {n.attrs['axis']} of",
                                  "g")),
    "argmax": (_call("argmax", "x"), None),
    "argmin": (_call("argmin", "x"), None),
    "einsum": (lambda n: _einsum(n, n.attrs["subscripts"], list(letters_of(n))),
               _einsum_rule),
}  # fmt: skip


def known(primitive: Primitive) -> bool:
    """Has this primitive a formula, traced or written?"""
    return isinstance(primitive, Elementwise) or primitive.name in FORMULAS


# ------------------------------------------------------------- trees of any kind


def slope(above: Tree, below: Tree, d: str = "∂") -> Tree:
    """A derivative: ∂above/∂below, or with a d: all of it, by whatever way."""
    return ["slope", above, below, d]


def fold(
    tree: Tree, leaf: Callable[[Any], Any], level: Callable[[list[Any], list[Any]], Any]
) -> Any:
    """What a tree becomes when `leaf(part)` is made of each letter, symbol and number,
    and `level(tree, what was made of its parts)` of each list. No recursion."""
    made: list[Any] = []
    todo: list[Any] = [tree]
    while todo:
        part = todo.pop()
        if isinstance(part, tuple):  # a list whose parts are made
            inner, count = part
            at = len(made) - count
            made[at:] = [level(inner, made[at:])]
        elif isinstance(part, list):
            parts = part[1:]
            if part[0] in NOTES:
                del parts[NOTES[part[0]] - 1]
            todo += [(part, len(parts)), *reversed(parts)]
        else:
            made.append(leaf(part))
    return made[0]


def note_of(tree: list[Any]) -> str:
    """The words of a list that are no tree: an index, axes, a function's name."""
    return tree[NOTES[tree[0]]] if tree[0] in NOTES else ""


def rebuilt(tree: list[Any], parts: list[Any]) -> list[Any]:
    """A list with other parts, and all else as it was."""
    made = [tree[0], *parts]
    if tree[0] in NOTES:
        made.insert(NOTES[tree[0]], note_of(tree))
    return made


def filled(tree: Tree, known: Mapping[str, Tree]) -> Tree:
    """The tree with trees in place of some letters."""
    return fold(tree, lambda p: known.get(p, p) if isinstance(p, str) else p, rebuilt)


def letters_in(tree: Tree) -> set[str]:
    """The letters of a tree."""
    found: set[str] = set()
    fold(tree, lambda p: found.add(p) if isinstance(p, str) else None, lambda *_: None)
    return found
