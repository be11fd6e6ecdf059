"""How is an operation, and its rule, written? As a small tree, which printers write.

A tree is a letter ("x"), a `Symbol`, a number, or [word, part, ...]. Formulas of
elementwise primitives are not written here: the primitive's own scalar function, and
its own rule, are run on texts (as for the kernels), so the formula shown is the one
that is computed. The others have a line each in `FORMULAS`.

    [mul, g, [sub, 1, [power, y, 2]]]    "g · (1 − y²)"

In a rule g is dL/dy, the incoming gradient; y is the output, other letters the inputs:
`filled` puts symbols or numbers in their place.

Read next: `formula_text.py`.
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
    made = FORMULAS.get(primitive.name)
    letters = list(letters_of(node))
    if made is None:
        return ["call", primitive.name, *_few(letters)]
    return made[0](node, letters)


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
    made = FORMULAS.get(primitive.name)
    if made is None:
        return ["call", f"rule of {primitive.name}", "g"]
    return made[1](node, list(letters_of(node)), k)


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


def _index(pattern: tuple) -> str:
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


def _parts(node: Node) -> list[str]:
    return _few([f"g{k}" for k in range(len(node.outputs))])


def _bounds(node: Node) -> str:
    bounds = node.attrs["bounds"]
    lead = ":, " * node.attrs["axis"]
    return f"{lead}{bounds[0]}:{bounds[1]}" + (", ..." if len(bounds) > 2 else "")


def _matmul_rule(node: Node, letters: list[str], k: int) -> Tree:
    a, b = (edge.array for edge in node.edges)
    if a.ndim == 1 and b.ndim == 1:
        return ["mul", "g", "b" if k == 0 else "a"]
    if k == 0:
        tree: Tree = ["matmul", "g", ["T", "b"]]
        if a.ndim == 1:
            tree = ["matmul", "b", "g"]
    else:
        tree = ["matmul", ["T", "a"], "g"]
    shape = node.edges[k].array.shape
    batch = node.array.ndim - (a.ndim > 1) - (b.ndim > 1)
    if batch > max(0, len(shape) - 2) or (
        batch and shape[:-2] != node.array.shape[:batch]
    ):
        tree = ["sum", tree, "batch"]
    return tree


Maker = tuple[Callable[..., Tree], Callable[..., Tree]]
FORMULAS: dict[str, Maker] = {
    "matmul": (lambda n, x: ["matmul", "a", "b"], _matmul_rule),
    "reshape": (
        lambda n, x: ["call", f"reshape to {shape_text(n.array.shape)}", "x"],
        lambda n, x, k: [
            "call",
            f"reshape to {shape_text(n.edges[0].array.shape)}",
            "g",
        ],
    ),
    "transpose": (
        lambda n, x: ["T", "x"] if n.attrs["axes"] == (1, 0) else
        ["call", f"axes {n.attrs['axes']} of", "x"],
        lambda n, x, k: ["T", "g"] if n.attrs["axes"] == (1, 0) else
        ["call", "axes put back of", "g"],
    ),
    "broadcast_to": (
        lambda n, x: ["call", f"repeat to {shape_text(n.attrs['shape'])}", "x"],
        lambda n, x, k: ["sum", "g", "repeated"],
    ),
    "sum_to": (
        lambda n, x: ["sum", "x", "broadcast"],
        lambda n, x, k: ["call", "repeat", "g"],
    ),
    "astype": (
        lambda n, x: ["call", n.attrs["dtype"], "x"],
        lambda n, x, k: ["call", n.edges[0].array.dtype.name, "g"],
    ),
    "concatenate": (
        lambda n, x: ["list", *_few(x)],
        lambda n, x, k: ["index", "g", _stretch(n, k)],
    ),
    "stack": (
        lambda n, x: ["list", *_few(x)],
        lambda n, x, k: ["index", "g", ":, " * n.attrs["axis"] + str(k)],
    ),
    "split": (
        lambda n, x: ["index", "x", _bounds(n)],
        lambda n, x, k: ["list", *_parts(n)],
    ),
    "unstack": (
        lambda n, x: ["index", "x", ":, " * n.attrs["axis"] + "0, 1, ..."],
        lambda n, x, k: ["list", *_parts(n)],
    ),
    "getitem": (
        lambda n, x: ["index", "x", _index(n.attrs["pattern"])],
        lambda n, x, k: None if k else
        ["call", f"zeros, at [{_index(n.attrs['pattern'])}] add", "g"],
    ),
    "add_at": (
        lambda n, x: ["call", f"zeros, at [{_index(n.attrs['pattern'])}] add", "x"],
        lambda n, x, k: None if k else ["index", "g", _index(n.attrs["pattern"])],
    ),
    "sum": (
        lambda n, x: ["sum", "x", _axes(n)],
        lambda n, x, k: ["call", "the same for all:", "g"],
    ),
    "mean": (
        lambda n, x: ["div", ["sum", "x", _axes(n)], _count(n)],
        lambda n, x, k: ["div", "g", _count(n)],
    ),
    "prod": (
        lambda n, x: ["product", "x", _axes(n)],
        lambda n, x, k: ["mul", "g", ["div", "y", "x"]],
    ),
    "max": (
        lambda n, x: ["call", "max", "x"],
        lambda n, x, k: ["if", ["equal", "x", "y"], "g", 0],
    ),
    "min": (
        lambda n, x: ["call", "min", "x"],
        lambda n, x, k: ["if", ["equal", "x", "y"], "g", 0],
    ),
    "norm": (
        lambda n, x: ["norm", "x"],
        lambda n, x, k: ["mul", "g", ["div", "x", "y"]],
    ),
    "shift": (lambda n, x: ["call", "max", "x"], lambda n, x, k: None),
}  # fmt: skip


def known(primitive: Primitive) -> bool:
    """Has this primitive a formula, traced or written?"""
    return isinstance(primitive, Elementwise) or primitive.name in FORMULAS


# ------------------------------------------------------------- trees of any kind


def slope(above: Tree, below: Tree, d: str = "∂") -> Tree:
    """A derivative: ∂above/∂below, or with a d: all of it, by whatever way."""
    return ["slope", above, below, d]


def fold(
    tree: Tree, leaf: Callable[[Any], Any], level: Callable[[list, list], Any]
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
            parts = part[_parts_of(part)]
            todo += [(part, len(parts)), *reversed(parts)]
        else:
            made.append(leaf(part))
    return made[0]


def _parts_of(tree: list) -> slice:
    """Which entries of a list are trees themselves."""
    if tree[0] == "call":
        return slice(2, None)
    if tree[0] == "slope":
        return slice(1, 3)
    return slice(1, 2 if tree[0] in ("index", "sum", "product") else None)


def rebuilt(tree: list, parts: list) -> list:
    """A list with other parts, and all else as it was."""
    made = list(tree)
    made[_parts_of(tree)] = parts
    return made


def filled(tree: Tree, known: Mapping[str, Tree]) -> Tree:
    """The tree with trees in place of some letters."""
    return fold(tree, lambda p: known.get(p, p) if isinstance(p, str) else p, rebuilt)


def letters_in(tree: Tree) -> set[str]:
    """The letters of a tree."""
    found: set[str] = set()
    fold(tree, lambda p: found.add(p) if isinstance(p, str) else None, lambda *_: None)
    return found
