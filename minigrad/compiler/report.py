"""What the passes made of a program, in numbers and as a picture.

`compiled.explain()` prints it; `mg.draw(compiled)` draws the plan.

Read next: `pullback.py`.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, NamedTuple

from minigrad.compiler.fuse import Unit
from minigrad.compiler.value_form import OUTSIDE, Val, listed

_WORDS = {
    "lower": "equal and dead values gone, views and parts seen through",
    "hoist": "products with one common matrix as one product",
    "accumulate": "sums over steps of products as one product",
    "pack": "matrices that are often taken, laid out for it once",
    "transposes": "matrices that are often taken transposed, copied once",
}


PRODUCTS = ("dot", "packed_dot")


class Stage(NamedTuple):
    """A program after a pass.

    name, words  of the pass
    values       how many there are: views and numbers from outside are not counted
    elementwise, products, sums, others   how many of each
    flops        of the products: two for each multiplication and addition
    """

    name: str
    words: str
    values: int
    elementwise: int
    products: int
    sums: int
    others: int
    flops: int


class Report:
    """What became of one kind of calls: `print(compiled.explain())`.

    shapes    of the arguments
    recorded  operations that the trace wrote down
    stages    the counts after each pass
    kernels, distinct, products, calls   in a replay: rows of the plan that are fused
              kernels, and how many different ones; products; calls of Python
    memory, written   bytes: of the plan, and all that is written in a replay
    trouble   why there is no plan, in words; None if there is one
    """

    def __init__(self, shapes: str, program: Any, optimized: Any, trouble: Any) -> None:
        self.shapes, self.trouble = shapes, trouble
        self.recorded = program.recorded
        self.stages: list[Stage] = []
        self.kernels = self.distinct = self.products = self.calls = 0
        self.memory = self.written = self.flops = 0
        if optimized is not None:
            self.stages = list(optimized.stages)
            plan = optimized.plan
            self.products = plan.products
            self.kernels = len(plan.starts) - plan.others
            self.distinct, self.calls = len(plan.kernels), plan.calls
            self.memory, self.written = plan.memory.arena.nbytes, plan.memory.written
            self.flops = plan.flops

    def __str__(self) -> str:
        lines = [
            f"calls with {self.shapes}",
            f"  {self.recorded:,} recorded operations",
        ]
        if self.trouble or not self.stages:
            why = self.trouble or "kernels are off, or there is no numba"
            return "\n".join([*lines, f"  replayed one by one: {why}"])
        head = f"  {'pass':<12}{'values':>8}{'element':>9}{'product':>9}"
        lines.append(f"{head}{'sum':>6}{'other':>7}{'Mflop':>9}")
        for s in self.stages:
            row = f"  {s.name:<12}{s.values:>8,}{s.elementwise:>9,}{s.products:>9,}"
            row += f"{s.sums:>6,}{s.others:>7,}{s.flops / 1e6:>9,.1f}"
            lines.append(f"{row}   {s.words}")
        lines += [
            f"  {'fuse':<12}{self.kernels:,} kernels, {self.distinct} distinct; "
            f"{self.products:,} products; {self.calls:,} calls of Python",
            f"  {'plan':<12}{self.memory / 1e6:,.2f} MB of memory for "
            f"{self.written / 1e6:,.2f} MB that are written",
        ]
        return "\n".join(lines)

    __repr__ = __str__


class Explained(list):
    """Reports of all kinds of calls, printed one below the other."""

    def __str__(self) -> str:
        return "\n\n".join(map(str, self)) or "nothing has been called yet"

    __repr__ = __str__


def stage(name: str, results: list[Val]) -> Stage:
    """The counts of a program after a pass."""
    values = [v for v in listed(results) if v.op not in (*OUTSIDE, "view", "part")]
    counts = Counter(v.op for v in values)
    flops = sum([_flops(v) for v in values if v.op in PRODUCTS])
    products = sum([counts[op] for op in PRODUCTS])
    known = counts["elementwise"] + products + counts["sum"]
    return Stage(
        name,
        _WORDS.get(name, ""),
        len(values),
        counts["elementwise"],
        products,
        counts["sum"],
        len(values) - known,
        flops,
    )


def _flops(value: Val) -> int:
    return 2 * value.shape[0] * value.shape[1] * _inner(value)


def _inner(value: Val) -> int:
    """Over how many terms a product sums."""
    flip = value.op == "dot" and value.attrs[0]
    return value.args[0].shape[0 if flip else 1]


# ------------------------------------------------------------- the picture


def dot_text(units: list[Unit], most: int = 60) -> str:
    """The plan in Graphviz's language: products and calls as boxes, fused groups as
    boxes that list what they compute.

    most  units that are drawn; the middle of a longer plan is left out
    """
    maker = {v: u for u in units for v in u.members}
    units = [u for u in units if u.op not in ("concat", "part")]
    left_out = max(0, len(units) - most)
    if left_out:
        half = most // 2
        shown = units[:half] + units[len(units) - half :]
    else:
        shown = units
    number = {id(u): k for k, u in enumerate(shown)}
    lines = [
        "digraph plan {",
        '  rankdir=TB; node [shape=box, fontname="Helvetica", fontsize=10];',
        f'  label="the plan of a compiled function{_elided(left_out)}"; labelloc=t;',
    ]
    for k, unit in enumerate(shown):
        lines.append(f"  u{k} [{_box(unit)}];")
    for k, unit in enumerate(shown):
        seen: set[int] = set()
        todo = [a.root for a in unit.inputs]
        while todo:
            root = todo.pop()
            found = maker.get(root)
            if found is None:
                continue
            if found.op in ("concat", "part"):
                todo += [a.root for a in root.args]
            elif id(found) in number and number[id(found)] not in seen:
                seen.add(number[id(found)])
                lines.append(f"  u{number[id(found)]} -> u{k};")
    return "\n".join([*lines, "}", ""])


def _elided(count: int) -> str:
    return f"; {count:,} units in its middle are not drawn" if count else ""


def _box(unit: Unit) -> str:
    value = unit.members[0]
    shape = " × ".join(map(str, value.shape)) or "one number"
    step = next((f"step {s.index}, " for s in value.scope if s.kind == "step"), "")
    if unit.op == "kernel":
        counts = Counter(v.attrs for v in unit.members)
        body = ", ".join(f"{n} {name}" if n > 1 else name for name, n in counts.items())
        label = f"{step}kernel, {shape}\\n{_wrapped(body)}"
        return f'label="{label}", style="filled", fillcolor="#e8eefc"'
    if unit.op in PRODUCTS:
        label = f"{step}product, {shape}, over {_inner(value)}"
        return f'label="{label}", style="filled", fillcolor="#fdeedd"'
    name = value.attrs[0] if unit.op == "general" else unit.op
    names = {"outside": "call of Python", "transposed": "transposed copy"}
    what = names.get(name, name)
    return f'label="{step}{what}, {shape}"'


def _wrapped(text: str, width: int = 40) -> str:
    import textwrap

    return "\\n".join(textwrap.wrap(text, width))
